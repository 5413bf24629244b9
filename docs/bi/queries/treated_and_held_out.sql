-- Would they have stayed anyway? Two bars: those we may act upon beside those held out. Whether the difference is chance, `churnwatch uplift` says.
SELECT CASE WHEN holdout THEN 'held out' ELSE 'to be treated' END AS arm,
    count(*) AS closed_episodes,
    count(*) FILTER (WHERE saved) AS saved,
    round(count(*) FILTER (WHERE saved)::numeric / count(*), 4)::double precision AS saved_share
FROM episodes
WHERE state <> 'open' AND opened_at IS NOT NULL
GROUP BY holdout
ORDER BY arm
