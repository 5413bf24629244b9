-- How soon is an alert taken up? A row an owner and segment: half are taken up within median_hours, nine of ten within hours_90.
SELECT coalesce(owner, 'nobody') AS owner, segment,
    count(*) AS acted_upon,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_first_report)::numeric, 1)::double precision AS median_hours,
    round(percentile_cont(0.9) WITHIN GROUP (ORDER BY hours_to_first_report)::numeric, 1)::double precision AS hours_90
FROM episodes
WHERE NOT holdout AND hours_to_first_report >= 0
GROUP BY coalesce(owner, 'nobody'), segment
ORDER BY owner, segment
