-- Are we reaching our goals? A row a month for figures and sparklines; draw the targets of `churnwatch kpi` as constant lines.
SELECT month, retention, precision_share, precision_of, lead_days, acted_share, hours_to_action,
    value_at_stake, value_lost, value_won_back
FROM kpi_by_month
ORDER BY month
