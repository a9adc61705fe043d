-- Revenue by day, as refine computes it.
SELECT date AS day, sum(revenue_usd) AS revenue_usd
FROM gold_revenue_hourly
GROUP BY ALL
ORDER BY day
