SELECT headers, cause, count(*) AS records
FROM bronze_quarantine
GROUP BY ALL
ORDER BY headers
