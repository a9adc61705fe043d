-- Late purchases would change published days, so they are left out.
SELECT date AS day, sum(amount_usd) AS revenue_usd
FROM silver_events
WHERE NOT late
GROUP BY ALL
ORDER BY day
