SELECT kafka_partition AS partition,
       max(kafka_offset) + 1 AS offsets,
       count(*) AS rows
FROM bronze_events
GROUP BY ALL
ORDER BY partition
