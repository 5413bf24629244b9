-- Where does the funnel leak? Table or bars: a row a segment, with the value saved and what it cost. contacted counts those who accepted or declined as well.
SELECT segment, currency,
    sum(alerted)::bigint AS alerted,
    sum(contacted)::bigint AS contacted,
    sum(accepted)::bigint AS accepted,
    sum(accepted_and_saved)::bigint AS accepted_and_saved,
    sum(saved)::bigint AS saved,
    sum(churned)::bigint AS churned,
    sum(value_saved) AS value_saved,
    coalesce(sum(cost), 0) AS cost
FROM alert_funnel
WHERE NOT holdout
GROUP BY segment, currency
ORDER BY alerted DESC, segment, currency
