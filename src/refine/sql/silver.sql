-- Silver: one row for each row of bronze, with what is computed from it. `bronze` is the table
-- bronze_events, of which columns that are named like one below are called bronze_<name>.
--
-- Every value must give a row: whatever cannot be computed is null, and the row is rejected as
-- not_computable. docs/sql.md explains the casts, which DuckDB and Spark read alike.
WITH rate AS (
  SELECT currency, rate, valid_from,
    lead(valid_from) OVER (PARTITION BY currency ORDER BY valid_from) AS valid_to
  FROM rates),
cents AS (
  SELECT b.*,
    CASE WHEN b.amount BETWEEN -1e12 AND 1e12
      THEN TRY_CAST(round(b.amount * 100) AS BIGINT) END AS amount_cents,
    CASE WHEN b.timestamp
      BETWEEN TIMESTAMP '0001-01-01 00:00:00' AND TIMESTAMP '9999-12-31 00:00:00'
      THEN b.timestamp END AS event_time
  FROM bronze b),
money AS (
  SELECT c.*,
    CAST(CAST(c.amount_cents AS DECIMAL(19, 0)) * CAST(0.01 AS DECIMAL(3, 2))
      AS DECIMAL(18, 2)) AS exact_amount
  FROM cents c)
SELECT m.*,
  date_trunc('hour', m.event_time) AS event_hour,
  CASE WHEN r.rate = 1 THEN m.exact_amount
    ELSE TRY_CAST(CAST(m.exact_amount AS DECIMAL(19, 2)) * r.rate AS DECIMAL(18, 2))
    END AS amount_usd,
  p.category AS product_category,
  coalesce(m.kafka_timestamp > m.event_time + INTERVAL '{late_after}' SECOND, false) AS late
FROM money m
LEFT JOIN rate r ON r.currency = m.currency
  AND m.date >= r.valid_from AND (r.valid_to IS NULL OR m.date < r.valid_to)
LEFT JOIN product_categories p ON p.product_id = m.product_id
