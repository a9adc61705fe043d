-- What each customer bought on a day.
--
-- key: date, user_id
-- orders: add
-- spend_usd: add
-- first_purchase_at: min
-- last_purchase_at: max

-- aggregate
SELECT date, user_id, count(*) AS orders, CAST(sum(amount_usd) AS DECIMAL(18,2)) AS spend_usd,
  min(timestamp) AS first_purchase_at, max(timestamp) AS last_purchase_at
FROM silver_events
GROUP BY date, user_id
