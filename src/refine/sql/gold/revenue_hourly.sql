-- Revenue by region and hour of the event time.
--
-- key: date, region, event_hour
-- orders: add
-- units: add
-- revenue_usd: add
-- average_order_value: derived
-- customers: distinct user_id

-- aggregate
SELECT date, region, event_hour, count(*) AS orders, CAST(sum(quantity) AS BIGINT) AS units,
  CAST(sum(amount_usd) AS DECIMAL(18,2)) AS revenue_usd, count(DISTINCT user_id) AS customers
FROM silver_events
GROUP BY date, region, event_hour

-- derive
-- revenue_usd / orders, rounded half away from zero. In whole cents, because engines round
-- quotients differently: (2 * cents + orders) / (2 * orders), rounded down.
SELECT date, region, event_hour, orders, units, revenue_usd,
  CAST(CAST(CAST((dividend - dividend % (2 * orders)) / (2 * orders) AS BIGINT) * sign
    AS DECIMAL(19,0)) * CAST(0.01 AS DECIMAL(3,2)) AS DECIMAL(18,2)) AS average_order_value,
  customers
FROM (
  SELECT c.*, abs(cents) * 2 + orders AS dividend, CASE WHEN cents < 0 THEN -1 ELSE 1 END AS sign
  FROM (
    SELECT a.*, CAST(CAST(revenue_usd AS DECIMAL(20,2)) * 100 AS BIGINT) AS cents FROM aggregated a
  ) c
) d
