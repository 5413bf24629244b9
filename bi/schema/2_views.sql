-- The views that analysts ask. None looks at the clock: the same messages give the same rows, whenever they are read.
-- Sums, shares and means are double precision: every tool takes it for a number, and none can overflow. Shares and means are rounded; money is a year's worth where nothing else is said.

CREATE VIEW episodes AS
WITH heard AS (
    SELECT DISTINCT ON (a.episode_id)
        a.episode_id, o.status, o.reported_at, o.action, o.snoozed_until
    FROM fact_outcome o
    JOIN fact_alert a ON a.alert_id = o.alert_id AND a.customer_id = o.customer_id
    ORDER BY a.episode_id, o.reported_at DESC, o.status_rank DESC, o.event_id
), told AS (
    SELECT a.episode_id,
        min(o.reported_at) AS first_report_at,
        bool_or(o.status IN ('contacted', 'accepted', 'declined')) AS contacted,
        bool_or(o.status = 'accepted') AS accepted,
        bool_or(o.status = 'declined') AS declined,
        bool_or(o.status = 'false_alarm') AS false_alarm,
        sum(o.cost) AS cost
    FROM fact_outcome o
    JOIN fact_alert a ON a.alert_id = o.alert_id AND a.customer_id = o.customer_id
    GROUP BY a.episode_id
)
SELECT e.episode_id, e.customer_id, e.opened_at, e.opened_on, date_trunc('month', e.opened_on)::date AS opened_month,
    CASE WHEN e.state = 'resolved' AND e.churned_at IS NOT NULL THEN 'came back' ELSE e.state END AS state,
    e.band, coalesce(e.segment, c.segment) AS segment, coalesce(e.reason, 'none') AS reason, e.action AS suggested_action,
    e.opening_risk, e.risk, e.value_at_risk, e.currency, e.holdout, e.owner, e.escalated_at, e.resolved_at, e.churned_at, e.changed_at,
    e.last_alert_id, heard.status AS latest_report, heard.reported_at AS latest_report_at, heard.action AS action_taken,
    heard.snoozed_until, told.first_report_at, told.cost::double precision AS cost,
    coalesce(told.contacted, false) AS contacted, coalesce(told.accepted, false) AS accepted,
    coalesce(told.declined, false) AS declined, coalesce(told.false_alarm, false) AS false_alarm,
    e.state = 'resolved' AND e.churned_at IS NULL AND NOT coalesce(told.false_alarm, false) AS saved,
    round(extract(epoch FROM told.first_report_at - e.opened_at) / 3600, 2)::double precision AS hours_to_first_report
FROM fact_episode e
LEFT JOIN dim_customer c USING (customer_id)
LEFT JOIN heard USING (episode_id)
LEFT JOIN told USING (episode_id);
COMMENT ON VIEW episodes IS 'One row an episode: how it began, what the team did, how it ended. saved: resolved, never given up, and no false alarm';

CREATE VIEW alerts_open AS
SELECT episode_id, last_alert_id AS alert_id, customer_id, opened_at, band, risk, segment, reason, value_at_risk, currency, owner, holdout,
    suggested_action, latest_report, latest_report_at, action_taken, snoozed_until
FROM episodes WHERE state = 'open';
COMMENT ON VIEW alerts_open IS 'Which customers are warned about now, and what has been done: one row an open episode';

CREATE VIEW customers_now AS
WITH spent AS (
    SELECT customer_id, count(*) FILTER (WHERE status = 'placed') AS orders,
        coalesce(sum(amount) FILTER (WHERE status = 'placed'), 0) AS spent_in_all
    FROM fact_order GROUP BY customer_id
), risky AS (
    SELECT DISTINCT ON (customer_id) customer_id, episode_id, reason, value_at_risk, currency
    FROM episodes WHERE state = 'open' ORDER BY customer_id, opened_at DESC NULLS LAST, episode_id
)
SELECT c.customer_id, c.segment, c.plan, c.owner, c.country, c.band, c.risk, c.scored_at, c.signed_up_at, c.first_order_at, c.last_order_at,
    coalesce(s.orders, 0) AS orders, coalesce(s.spent_in_all, 0)::double precision AS spent_in_all, c.annual_value, c.do_not_contact,
    r.episode_id AS open_episode_id, r.reason AS open_reason, r.value_at_risk, r.currency
FROM dim_customer c LEFT JOIN spent s USING (customer_id) LEFT JOIN risky r USING (customer_id);
COMMENT ON VIEW customers_now IS 'One row a customer: who they are, how they stand now, what they spent, and the open episode if there is one';

CREATE VIEW value_at_risk_now AS
SELECT segment, reason, band, owner, currency, holdout, count(*) AS customers, sum(value_at_risk)::double precision AS value_at_risk,
    round(avg(risk), 4)::double precision AS mean_risk
FROM episodes WHERE state = 'open' GROUP BY segment, reason, band, owner, currency, holdout;
COMMENT ON VIEW value_at_risk_now IS 'How much is at stake now: open episodes by segment, reason, band and owner; a year''s spend that is expected to be lost';

CREATE VIEW churn_by_reason_and_segment AS
SELECT opened_month AS month, reason, segment, currency, count(*) AS warned,
    count(*) FILTER (WHERE state = 'open') AS still_open,
    count(*) FILTER (WHERE saved) AS saved,
    count(*) FILTER (WHERE churned_at IS NOT NULL) AS churned,
    round(count(*) FILTER (WHERE churned_at IS NOT NULL)::numeric / count(*), 4)::double precision AS churned_share,
    sum(value_at_risk)::double precision AS value_at_risk,
    coalesce(sum(value_at_risk) FILTER (WHERE churned_at IS NOT NULL), 0)::double precision AS value_lost,
    coalesce(sum(value_at_risk) FILTER (WHERE saved), 0)::double precision AS value_saved
FROM episodes WHERE opened_month IS NOT NULL GROUP BY opened_month, reason, segment, currency;
COMMENT ON VIEW churn_by_reason_and_segment IS 'Why customers leave: episodes by the month in which they opened, first reason and segment, and what became of them';

CREATE VIEW alert_funnel AS
SELECT opened_month AS month, segment, reason, holdout, currency, count(*) AS alerted,
    count(*) FILTER (WHERE latest_report IS NOT NULL) AS reported,
    count(*) FILTER (WHERE contacted) AS contacted,
    count(*) FILTER (WHERE accepted) AS accepted,
    count(*) FILTER (WHERE accepted AND saved) AS accepted_and_saved,
    count(*) FILTER (WHERE saved) AS saved,
    count(*) FILTER (WHERE churned_at IS NOT NULL) AS churned,
    count(*) FILTER (WHERE false_alarm) AS false_alarms,
    coalesce(sum(value_at_risk) FILTER (WHERE saved), 0)::double precision AS value_saved,
    sum(cost::numeric)::double precision AS cost
FROM episodes WHERE opened_month IS NOT NULL GROUP BY opened_month, segment, reason, holdout, currency;
COMMENT ON VIEW alert_funnel IS 'From alert to saved, a column a stage. holdout: customers left alone for comparison; what they show would have come without acting';

CREATE VIEW alert_funnel_stages AS
SELECT f.month, f.segment, f.reason, s.stage_number, s.stage, sum(s.episodes)::bigint AS episodes
FROM alert_funnel f
CROSS JOIN LATERAL (VALUES (1, 'alerted', f.alerted), (2, 'reported on', f.reported), (3, 'contacted', f.contacted),
    (4, 'accepted', f.accepted), (5, 'saved', f.accepted_and_saved)) AS s (stage_number, stage, episodes)
WHERE NOT f.holdout GROUP BY f.month, f.segment, f.reason, s.stage_number, s.stage;
COMMENT ON VIEW alert_funnel_stages IS 'The same funnel, a row a stage, as funnel charts want it; without those held out. Each stage is part of the one before';

CREATE VIEW daily_spend AS
SELECT o.ordered_on AS day, o.customer_id, o.currency, count(*) FILTER (WHERE o.status = 'placed') AS orders,
    coalesce(sum(o.amount) FILTER (WHERE o.status = 'placed'), 0)::double precision AS ordered,
    coalesce(sum(o.amount) FILTER (WHERE o.status <> 'placed'), 0)::double precision AS taken_back
FROM fact_order o GROUP BY o.ordered_on, o.customer_id, o.currency;
COMMENT ON VIEW daily_spend IS 'What each customer ordered a day; taken_back: cancelled and returned orders';

CREATE VIEW revenue_by_month AS
SELECT date_trunc('month', s.day)::date AS month, c.segment, s.currency, count(DISTINCT s.customer_id) AS customers,
    sum(s.orders)::bigint AS orders, sum(s.ordered::numeric)::double precision AS revenue, sum(s.taken_back::numeric)::double precision AS taken_back
FROM daily_spend s JOIN dim_customer c USING (customer_id)
GROUP BY date_trunc('month', s.day)::date, c.segment, s.currency;
COMMENT ON VIEW revenue_by_month IS 'Revenue by month and the segment that customers are in now';

CREATE VIEW cohort_retention AS
WITH bought AS (
    SELECT DISTINCT o.customer_id, date_trunc('month', o.ordered_on)::date AS month FROM fact_order o WHERE o.status = 'placed'
), spent AS (
    SELECT o.customer_id, date_trunc('month', o.ordered_on)::date AS month, sum(o.amount) AS revenue
    FROM fact_order o WHERE o.status = 'placed' GROUP BY o.customer_id, date_trunc('month', o.ordered_on)::date
), cohorts AS (
    SELECT customer_id, min(month) AS cohort_month FROM bought GROUP BY customer_id
), sizes AS (
    SELECT cohort_month, count(*) AS customers FROM cohorts GROUP BY cohort_month
), months AS (
    SELECT z.cohort_month, z.customers, m::date AS month
    FROM sizes z CROSS JOIN LATERAL generate_series(z.cohort_month, (SELECT max(month) FROM bought), interval '1 month') AS m
), active AS (
    SELECT h.cohort_month, s.month, count(*) AS active, sum(s.revenue) AS revenue
    FROM cohorts h JOIN spent s USING (customer_id) GROUP BY h.cohort_month, s.month
)
SELECT m.cohort_month, m.month,
    ((extract(year FROM m.month) - extract(year FROM m.cohort_month)) * 12
        + extract(month FROM m.month) - extract(month FROM m.cohort_month))::integer AS months_since,
    m.customers, coalesce(a.active, 0) AS active, round(coalesce(a.active, 0)::numeric / m.customers, 4)::double precision AS retention,
    coalesce(a.revenue, 0)::double precision AS revenue
FROM months m LEFT JOIN active a ON a.cohort_month = m.cohort_month AND a.month = m.month;
COMMENT ON VIEW cohort_retention IS 'Of the customers who first ordered in a month: how many ordered again in each later month, and for how much. The latest month is not over';
