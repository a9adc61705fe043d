-- How many rows there are, and how many offsets.
SELECT count(*) AS all_rows, count(DISTINCT (kafka_partition, kafka_offset)) AS different_offsets
FROM bronze_events
