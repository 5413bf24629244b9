-- Finance: what is expected of the next months, and what goes if the customers at risk go? Two bars a segment, as of the latest weekly look.
SELECT day AS as_of, segment, customers, customers_at_risk,
    revenue_90_days,
    revenue_90_days_without,
    revenue_365_days,
    revenue_365_days_without
FROM expected_revenue
WHERE day = (SELECT max(day) FROM expected_revenue)
ORDER BY segment
