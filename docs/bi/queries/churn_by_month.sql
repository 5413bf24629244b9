-- Does retention rise or fall? Line chart: month on the axis, retention and churn as lines. The latest months still change while their answers come in.
SELECT month, stayed + left_count AS answers_known, retention, churn, alerts_opened, churned AS left_after_a_warning
FROM kpi_by_month
ORDER BY month
