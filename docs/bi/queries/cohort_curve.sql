-- How does retention fall with age, on the whole? Line chart: months_since on the axis, retention as line (each cohort counts by its customers).
SELECT months_since, sum(customers)::bigint AS customers, sum(active)::bigint AS active,
    round(sum(active) / sum(customers), 4)::double precision AS retention
FROM cohort_retention
WHERE month < (SELECT max(month) FROM cohort_retention)
GROUP BY months_since
ORDER BY months_since
