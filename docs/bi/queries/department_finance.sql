-- Finance: what did customers spend each month, and what of it was at risk, saved and lost? Bars by month, one for each measure.
SELECT month, currency,
    sum(paying_customers)::bigint AS paying_customers,
    sum(revenue) AS revenue,
    sum(taken_back) AS taken_back,
    sum(value_at_risk) AS value_at_risk,
    sum(value_saved) AS value_saved,
    sum(value_lost) AS value_lost,
    sum(cost_of_actions) AS cost_of_actions
FROM department_finance
GROUP BY month, currency
ORDER BY month, currency
