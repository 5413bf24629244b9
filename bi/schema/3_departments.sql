-- What concerns each department, one row a month and whatever that department tells its work apart by.

CREATE VIEW department_marketing AS
SELECT opened_month AS month, segment, reason, suggested_action AS action, currency, count(*) AS warned,
    count(*) FILTER (WHERE holdout) AS held_out,
    count(*) FILTER (WHERE contacted) AS contacted,
    count(*) FILTER (WHERE accepted) AS accepted,
    count(*) FILTER (WHERE declined) AS declined,
    count(*) FILTER (WHERE saved) AS saved,
    count(*) FILTER (WHERE churned_at IS NOT NULL) AS churned,
    sum(value_at_risk)::double precision AS value_at_risk,
    sum(cost::numeric)::double precision AS cost
FROM episodes WHERE opened_month IS NOT NULL AND reason IN ('engagement', 'price')
GROUP BY opened_month, segment, reason, suggested_action, currency;
COMMENT ON VIEW department_marketing IS 'Marketing: customers at risk for price or lack of engagement, and what the suggested actions came to';

CREATE VIEW department_product AS
SELECT date_trunc('month', r.reviewed_on)::date AS month, 'review' AS heard_in, topic, count(*) AS messages,
    round(avg(r.rating), 2)::double precision AS mean_rating, round(avg(r.nps), 2)::double precision AS mean_nps,
    count(*) FILTER (WHERE r.rating <= 2 OR r.nps <= 6) AS unhappy
FROM fact_review r CROSS JOIN LATERAL unnest(string_to_array(coalesce(r.topics, 'none named'), ', ')) AS topic
GROUP BY date_trunc('month', r.reviewed_on)::date, topic
UNION ALL
SELECT date_trunc('month', t.happened_on)::date, 'ticket', coalesce(t.category, 'none named'), count(*), NULL::double precision, NULL::double precision,
    count(*) FILTER (WHERE t.severity = 'high')
FROM fact_ticket t WHERE t.status = 'opened' GROUP BY date_trunc('month', t.happened_on)::date, coalesce(t.category, 'none named')
UNION ALL
SELECT opened_month, 'alert', reason, count(*), NULL::double precision, NULL::double precision, count(*) FILTER (WHERE churned_at IS NOT NULL)
FROM episodes WHERE opened_month IS NOT NULL AND reason IN ('product', 'competition') GROUP BY opened_month, reason;
COMMENT ON VIEW department_product IS 'Product: what reviews, tickets and alerts speak of. unhappy: low ratings, severe tickets, customers who left after the alert';

CREATE VIEW department_sales AS
SELECT opened_month AS month, segment, owner, currency, count(*) AS warned,
    count(*) FILTER (WHERE state = 'open') AS open_now,
    coalesce(sum(value_at_risk) FILTER (WHERE state = 'open'), 0)::double precision AS value_at_risk_now,
    count(*) FILTER (WHERE saved) AS saved,
    coalesce(sum(value_at_risk) FILTER (WHERE saved), 0)::double precision AS value_saved,
    count(*) FILTER (WHERE churned_at IS NOT NULL) AS churned,
    coalesce(sum(value_at_risk) FILTER (WHERE churned_at IS NOT NULL), 0)::double precision AS value_lost,
    count(*) FILTER (WHERE state = 'came back') AS came_back
FROM episodes WHERE opened_month IS NOT NULL GROUP BY opened_month, segment, owner, currency;
COMMENT ON VIEW department_sales IS 'Sales: what is at stake, saved and lost, by segment and by who looks after the customer';

CREATE VIEW department_finance AS
WITH months AS (
    SELECT month, segment, currency FROM revenue_by_month
    UNION
    SELECT opened_month, segment, currency FROM episodes WHERE opened_month IS NOT NULL
), stakes AS (
    SELECT opened_month AS month, segment, currency, sum(value_at_risk) AS value_at_risk,
        sum(value_at_risk) FILTER (WHERE churned_at IS NOT NULL) AS value_lost,
        sum(value_at_risk) FILTER (WHERE saved) AS value_saved, sum(cost::numeric) AS cost_of_actions
    FROM episodes WHERE opened_month IS NOT NULL GROUP BY opened_month, segment, currency
)
SELECT m.month, m.segment, m.currency, coalesce(r.customers, 0) AS paying_customers, coalesce(r.orders, 0) AS orders,
    coalesce(r.revenue, 0)::double precision AS revenue, coalesce(r.taken_back, 0)::double precision AS taken_back, coalesce(s.value_at_risk, 0)::double precision AS value_at_risk,
    coalesce(s.value_lost, 0)::double precision AS value_lost, coalesce(s.value_saved, 0)::double precision AS value_saved, coalesce(s.cost_of_actions, 0)::double precision AS cost_of_actions
FROM months m
LEFT JOIN revenue_by_month r ON r.month = m.month AND r.segment IS NOT DISTINCT FROM m.segment
    AND r.currency IS NOT DISTINCT FROM m.currency
LEFT JOIN stakes s ON s.month = m.month AND s.segment IS NOT DISTINCT FROM m.segment AND s.currency IS NOT DISTINCT FROM m.currency;
COMMENT ON VIEW department_finance IS 'Finance: revenue beside what alerts put at risk, and what of that was saved and lost, by the month of the alert; expected_revenue looks ahead';

CREATE VIEW department_service AS
WITH tickets AS (
    SELECT date_trunc('month', t.happened_on)::date AS month, c.segment,
        count(*) FILTER (WHERE t.status = 'opened') AS tickets_opened,
        count(*) FILTER (WHERE t.status = 'resolved') AS tickets_resolved,
        count(*) FILTER (WHERE t.status = 'reopened') AS tickets_reopened,
        round(avg(t.satisfaction), 2)::double precision AS mean_satisfaction
    FROM fact_ticket t JOIN dim_customer c USING (customer_id)
    GROUP BY date_trunc('month', t.happened_on)::date, c.segment
), warned AS (
    SELECT opened_month AS month, segment, count(*) FILTER (WHERE reason = 'service') AS warned_for_service,
        count(*) FILTER (WHERE reason = 'service' AND churned_at IS NOT NULL) AS churned_for_service,
        count(*) FILTER (WHERE NOT holdout) AS to_be_treated,
        count(*) FILTER (WHERE NOT holdout AND first_report_at IS NOT NULL) AS acted_upon,
        round(avg(hours_to_first_report::numeric) FILTER (WHERE NOT holdout), 2)::double precision AS mean_hours_to_action
    FROM episodes WHERE opened_month IS NOT NULL GROUP BY opened_month, segment
), months AS (
    SELECT month, segment FROM tickets UNION SELECT month, segment FROM warned
)
SELECT m.month, m.segment, coalesce(t.tickets_opened, 0) AS tickets_opened, coalesce(t.tickets_resolved, 0) AS tickets_resolved,
    coalesce(t.tickets_reopened, 0) AS tickets_reopened, t.mean_satisfaction,
    coalesce(w.warned_for_service, 0) AS warned_for_service, coalesce(w.churned_for_service, 0) AS churned_for_service,
    coalesce(w.to_be_treated, 0) AS alerts_to_be_treated, coalesce(w.acted_upon, 0) AS alerts_acted_upon, w.mean_hours_to_action
FROM months m
LEFT JOIN tickets t ON t.month = m.month AND t.segment IS NOT DISTINCT FROM m.segment
LEFT JOIN warned w ON w.month = m.month AND w.segment IS NOT DISTINCT FROM m.segment;
COMMENT ON VIEW department_service IS 'Service: tickets, customers at risk for the service, and how soon alerts are taken up';

CREATE VIEW model_quality AS
SELECT version, learnt_until, learnt_until_day AS day, examples, recipe, verdict, auc, rule_auc, weekly_auc, log_loss, ece AS calibration_error,
    lift_10 AS lift_of_the_riskiest_tenth, alarm_precision, base_rate
FROM fact_model_quality;
COMMENT ON VIEW model_quality IS 'How good the model was, version by version: its risks as they were said, against what came';

CREATE VIEW kpi_by_month AS SELECT * FROM fact_kpi WHERE told_by = 'all';
COMMENT ON VIEW kpi_by_month IS 'Goals and steering, the whole shop, a row a month: what `churnwatch kpi` tells';

CREATE VIEW kpi_by_segment AS
SELECT month, group_name AS segment, stayed, left_count, retention, churn, alerts_opened, alerts_held_out, churned, came_back, value_at_stake,
    value_lost, value_won_back, precision_share, precision_of, lead_days, acted_share, hours_to_action
FROM fact_kpi WHERE told_by = 'segment';
COMMENT ON VIEW kpi_by_segment IS 'The same by segment';

CREATE VIEW churn_reasons_stated AS
SELECT date_trunc('month', x.cancelled_on)::date AS month, coalesce(x.reason, 'none stated') AS reason, c.segment, count(*) AS cancellations
FROM fact_cancellation x JOIN dim_customer c USING (customer_id)
GROUP BY date_trunc('month', x.cancelled_on)::date, coalesce(x.reason, 'none stated'), c.segment;
COMMENT ON VIEW churn_reasons_stated IS 'Why customers say that they leave: cancellations by the reason stated';

CREATE VIEW expected_revenue AS SELECT * FROM fact_expected_revenue;
COMMENT ON VIEW expected_revenue IS 'What active customers are expected to spend, with and without those at risk, as of each weekly look';

CREATE VIEW risk_by_day AS
SELECT d.day, d.segment, d.band, count(*) AS customers, round(avg(d.risk), 4)::double precision AS mean_risk
FROM fact_daily_score d GROUP BY d.day, d.segment, d.band;
COMMENT ON VIEW risk_by_day IS 'Of how many customers something was said a day, by segment and band';

CREATE VIEW sink_freshness AS
SELECT topic, partition, next_offset, passed_over FROM sink_position;
COMMENT ON VIEW sink_freshness IS 'How far each partition of Kafka is loaded';
