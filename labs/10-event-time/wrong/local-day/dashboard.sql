-- By the day on which the purchase was made, as our office in Berlin sees it.
SELECT CAST(timestamp + INTERVAL 1 HOUR AS DATE) AS day, sum(amount_usd) AS revenue_usd
FROM silver_events
GROUP BY ALL
ORDER BY day
