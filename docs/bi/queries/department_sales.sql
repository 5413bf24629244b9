-- Sales: what is at stake, saved and lost among the customers of each owner? Table or bars: a row an owner and segment.
SELECT coalesce(owner, 'nobody') AS owner, segment, currency,
    sum(warned)::bigint AS warned,
    sum(open_now)::bigint AS open_now,
    sum(value_at_risk_now) AS value_at_risk_now,
    sum(saved)::bigint AS saved,
    sum(value_saved) AS value_saved,
    sum(churned)::bigint AS churned,
    sum(value_lost) AS value_lost,
    sum(came_back)::bigint AS came_back
FROM department_sales
GROUP BY coalesce(owner, 'nobody'), segment, currency
ORDER BY value_at_risk_now DESC, owner, segment, currency
