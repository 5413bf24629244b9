-- Why do customers leave, and which ones? Of those warned about, by first reason and segment: how many left, and what they were worth.
-- Bar chart: reason on the axis, segment as colour, churned_share or value_lost as length. The last six months in which anybody was warned about.
SELECT reason, segment, currency,
    sum(warned)::bigint AS warned,
    sum(still_open)::bigint AS still_open,
    sum(churned)::bigint AS churned,
    round(sum(churned) / nullif(sum(warned) - sum(still_open), 0), 4)::double precision AS churned_share,
    sum(value_lost) AS value_lost
FROM churn_by_reason_and_segment
WHERE month > (SELECT max(month) - interval '6 months' FROM churn_by_reason_and_segment)
GROUP BY reason, segment, currency
ORDER BY value_lost DESC, reason, segment, currency
