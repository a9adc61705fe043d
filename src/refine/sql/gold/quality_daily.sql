-- What became of the purchases of a day:
-- bronze_rows = silver_rows + rejected_rows + duplicate_rows.
--
-- key: date
-- bronze_rows: add
-- silver_rows: add
-- rejected_rows: add
-- duplicate_rows: add
-- late_rows: add
-- max_delay_seconds: max

-- aggregate
SELECT date, count(*) AS bronze_rows,
  count(*) FILTER (WHERE reasons IS NULL) AS silver_rows,
  count(*) FILTER (WHERE reasons <> 'duplicate') AS rejected_rows,
  count(*) FILTER (WHERE reasons = 'duplicate') AS duplicate_rows,
  count(*) FILTER (WHERE late) AS late_rows,
  max(delay_seconds) AS max_delay_seconds
FROM (
  SELECT date, CAST(NULL AS STRING) AS reasons, late,
    unix_seconds(kafka_timestamp) - unix_seconds(timestamp) AS delay_seconds
  FROM silver_events
  UNION ALL
  SELECT date, reasons, false AS late, CAST(NULL AS BIGINT) AS delay_seconds
  FROM silver_rejects
) events
GROUP BY date
