SELECT coupon, count(*) AS purchases
FROM bronze_events
GROUP BY ALL
ORDER BY coupon
