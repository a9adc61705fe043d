-- Revenue by the day on which the purchase was made.
SELECT date AS day, sum(amount_usd) AS revenue_usd
FROM silver_events
GROUP BY ALL
ORDER BY day
