SELECT currency, count(*) AS cards,
       min(amount) AS least, median(amount) AS usual, max(amount) AS most
FROM bronze_events
WHERE product_id = 'GIFT-CARD'
GROUP BY ALL
