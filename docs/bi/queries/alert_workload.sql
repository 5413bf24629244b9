-- How much work comes in? Stacked bars: week on the axis, owner as colour, to_be_treated as height; acted_upon beside it shows what is left undone.
SELECT d.week, coalesce(e.owner, 'nobody') AS owner,
    count(*) AS opened,
    count(*) FILTER (WHERE NOT e.holdout) AS to_be_treated,
    count(*) FILTER (WHERE NOT e.holdout AND e.first_report_at IS NOT NULL) AS acted_upon,
    count(*) FILTER (WHERE NOT e.holdout AND e.first_report_at IS NULL AND e.state = 'open') AS waiting
FROM episodes e
JOIN dim_date d ON d.day = e.opened_on
GROUP BY d.week, coalesce(e.owner, 'nobody')
ORDER BY d.week, owner
