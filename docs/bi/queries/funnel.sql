-- How many alerts end with a customer saved? Funnel chart: stage in the order of stage_number, episodes as width. Without those held out.
SELECT stage_number, stage, sum(episodes)::bigint AS episodes,
    round(sum(episodes) / nullif(max(sum(episodes)) OVER (), 0), 4)::double precision AS share_of_alerted,
    round(sum(episodes) / nullif(lag(sum(episodes)) OVER (ORDER BY stage_number), 0), 4)::double precision AS share_of_stage_before
FROM alert_funnel_stages
GROUP BY stage_number, stage
ORDER BY stage_number
