-- How do our customers stand? Stacked bar: segment on the axis, band as colour, customers as length.
SELECT coalesce(segment, 'not scored yet') AS segment, coalesce(band, 'not scored yet') AS band,
    count(*) AS customers, sum(spent_in_all) AS spent_in_all
FROM customers_now
GROUP BY coalesce(segment, 'not scored yet'), coalesce(band, 'not scored yet')
ORDER BY segment, band
