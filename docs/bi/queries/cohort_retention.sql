-- Do newer customers stay longer? Heat map: cohort_month down, months_since across, retention as colour. The running month is left out, for it is not over.
SELECT cohort_month, months_since, customers, active, retention, revenue
FROM cohort_retention
WHERE month < (SELECT max(month) FROM cohort_retention)
ORDER BY cohort_month, months_since
