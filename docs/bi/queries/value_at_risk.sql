-- How much is at stake now? A figure for the whole (sum of value_at_risk), a tree map by segment and reason, a bar by band.
SELECT segment, reason, band, currency,
    sum(customers)::bigint AS customers,
    sum(value_at_risk) AS value_at_risk
FROM value_at_risk_now
GROUP BY segment, reason, band, currency
ORDER BY value_at_risk DESC NULLS LAST, segment, reason, band, currency
