-- Service: do we answer in time? Lines by month: tickets opened and resolved, alerts acted upon as a share, mean hours to action.
SELECT month, segment, tickets_opened, tickets_resolved, tickets_reopened, mean_satisfaction, warned_for_service, churned_for_service,
    alerts_to_be_treated, alerts_acted_upon,
    round(alerts_acted_upon::numeric / nullif(alerts_to_be_treated, 0), 4)::double precision AS acted_share,
    mean_hours_to_action
FROM department_service
ORDER BY month, segment
