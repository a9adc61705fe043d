-- Revenue by day.
SELECT CAST(kafka_timestamp AS DATE) AS day, sum(amount_usd) AS revenue_usd
FROM silver_events
GROUP BY ALL
ORDER BY day
