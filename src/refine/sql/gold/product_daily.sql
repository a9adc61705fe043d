-- Sales of each product by day, and its rank by revenue.
--
-- key: date, product_id
-- product_name: min
-- category: min
-- orders: add
-- units: add
-- revenue_usd: add
-- rank: derived

-- aggregate
SELECT date, product_id, min(product_name) AS product_name, min(product_category) AS category,
  count(*) AS orders, CAST(sum(quantity) AS BIGINT) AS units,
  CAST(sum(amount_usd) AS DECIMAL(18,2)) AS revenue_usd
FROM silver_events
GROUP BY date, product_id

-- derive
SELECT date, product_id, product_name, category, orders, units, revenue_usd,
  CAST(rank() OVER (PARTITION BY date ORDER BY revenue_usd DESC NULLS LAST, product_id NULLS FIRST)
    AS BIGINT) AS rank
FROM aggregated
