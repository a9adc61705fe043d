SELECT kafka_partition AS partition,
       count(*) AS rows,
       max(kafka_offset) AS offset_of_last_row
FROM bronze_events
GROUP BY ALL
ORDER BY partition
