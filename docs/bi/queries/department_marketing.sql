-- Marketing: which campaign answers price and lack of engagement? Table: a row an action and segment; accepted_share of those contacted.
SELECT segment, reason, coalesce(action, 'none') AS action, currency,
    sum(warned)::bigint AS warned,
    sum(contacted)::bigint AS contacted,
    sum(accepted)::bigint AS accepted,
    round(sum(accepted) / nullif(sum(contacted), 0), 4)::double precision AS accepted_share,
    sum(saved)::bigint AS saved,
    sum(value_at_risk) AS value_at_risk,
    coalesce(sum(cost), 0) AS cost
FROM department_marketing
GROUP BY segment, reason, action, currency
ORDER BY value_at_risk DESC, segment, reason, action, currency
