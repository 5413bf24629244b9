-- The tables of the star schema. Written by `python -m bi.ddl` from bi/tables*.py: change those.
-- Names stand without their schema: whoever runs this sets search_path first, as `churnwatch bi schema` does.

CREATE TABLE dim_customer (
    customer_id text NOT NULL,
    plan text,
    owner text,
    country text,
    profile_segment text,
    annual_value numeric(18, 4),
    do_not_contact boolean,
    signed_up_at timestamptz(3),
    profile_offset bigint,
    segment text,
    band text,
    risk numeric(18, 4),
    scored_at timestamptz(3),
    model_version text,
    score_offset bigint,
    first_order_at timestamptz(3),
    last_order_at timestamptz(3),
    PRIMARY KEY (customer_id)
);
COMMENT ON TABLE dim_customer IS 'One row a customer: the latest profile, the latest score, first and latest order';
COMMENT ON COLUMN dim_customer.customer_id IS 'The id that producers use';
COMMENT ON COLUMN dim_customer.plan IS 'Plan, from the latest profile';
COMMENT ON COLUMN dim_customer.owner IS 'Who looks after them, from the latest profile';
COMMENT ON COLUMN dim_customer.country IS 'Country, from the latest profile';
COMMENT ON COLUMN dim_customer.profile_segment IS 'Segment that the profile sets; null: it is computed';
COMMENT ON COLUMN dim_customer.annual_value IS 'What the profile says they are worth a year';
COMMENT ON COLUMN dim_customer.do_not_contact IS 'Whether the profile asks not to contact them';
COMMENT ON COLUMN dim_customer.signed_up_at IS 'When they signed up, from the latest profile';
COMMENT ON COLUMN dim_customer.profile_offset IS 'Which message of the profiles'' topic that was';
COMMENT ON COLUMN dim_customer.segment IS 'Segment at the latest score: dim_segment';
COMMENT ON COLUMN dim_customer.band IS 'Band of risk at the latest score: low, watch, high, critical';
COMMENT ON COLUMN dim_customer.risk IS 'Risk of leaving, 0 to 1, when the band last changed';
COMMENT ON COLUMN dim_customer.scored_at IS 'When that was, on the customer''s clock';
COMMENT ON COLUMN dim_customer.model_version IS 'Which model said so';
COMMENT ON COLUMN dim_customer.score_offset IS 'Which message of the scores'' topic that was';
COMMENT ON COLUMN dim_customer.first_order_at IS 'First order placed';
COMMENT ON COLUMN dim_customer.last_order_at IS 'Latest order placed';

CREATE TABLE dim_segment (
    segment text NOT NULL,
    title text,
    computed boolean,
    PRIMARY KEY (segment)
);
COMMENT ON TABLE dim_segment IS 'One row a segment: those that Churnwatch computes, and those that profiles or scores name';
COMMENT ON COLUMN dim_segment.segment IS 'The segment''s name in alerts and scores';
COMMENT ON COLUMN dim_segment.title IS 'The same for headings';
COMMENT ON COLUMN dim_segment.computed IS 'Whether Churnwatch gives it to customers by itself';

CREATE TABLE dim_date (
    day date NOT NULL,
    week date,
    month date,
    quarter date,
    year bigint,
    month_number bigint,
    day_of_month bigint,
    weekday bigint,
    weekend boolean,
    PRIMARY KEY (day)
);
COMMENT ON TABLE dim_date IS 'One row a day, without gaps';
COMMENT ON COLUMN dim_date.day IS 'The UTC day';
COMMENT ON COLUMN dim_date.week IS 'Monday of its week';
COMMENT ON COLUMN dim_date.month IS 'First day of its month';
COMMENT ON COLUMN dim_date.quarter IS 'First day of its quarter';
COMMENT ON COLUMN dim_date.year IS 'Calendar year';
COMMENT ON COLUMN dim_date.month_number IS '1 to 12';
COMMENT ON COLUMN dim_date.day_of_month IS '1 to 31';
COMMENT ON COLUMN dim_date.weekday IS '1 (Monday) to 7';
COMMENT ON COLUMN dim_date.weekend IS 'Whether it is a Saturday or a Sunday';

CREATE TABLE fact_daily_score (
    customer_id text NOT NULL,
    day date NOT NULL,
    band text,
    risk numeric(18, 4),
    segment text,
    model_version text,
    scored_at timestamptz(3),
    from_score bigint,
    source_offset bigint,
    PRIMARY KEY (customer_id, day)
);
CREATE INDEX fact_daily_score_by_day ON fact_daily_score (day);
COMMENT ON TABLE fact_daily_score IS 'One row a customer and day on which something was said of their risk: the last that was said that day. Between two rows nothing changed';
COMMENT ON COLUMN fact_daily_score.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_daily_score.day IS 'The UTC day, on the customer''s clock: dim_date';
COMMENT ON COLUMN fact_daily_score.band IS 'Band of risk: low, watch, high, critical';
COMMENT ON COLUMN fact_daily_score.risk IS 'Risk of leaving, 0 to 1';
COMMENT ON COLUMN fact_daily_score.segment IS 'Segment: dim_segment';
COMMENT ON COLUMN fact_daily_score.model_version IS 'Which model said so: fact_model_quality, or a rule';
COMMENT ON COLUMN fact_daily_score.scored_at IS 'When, on the customer''s clock';
COMMENT ON COLUMN fact_daily_score.from_score IS '1: said by a score; 0: by an alert';
COMMENT ON COLUMN fact_daily_score.source_offset IS 'Which message of its topic that was';

CREATE TABLE fact_alert (
    alert_id text NOT NULL,
    episode_id text,
    customer_id text,
    kind text,
    raised_at timestamptz(3),
    raised_on date,
    segment text,
    band text,
    risk numeric(18, 4),
    threshold numeric(18, 4),
    reason text,
    evidence text,
    value_at_risk numeric(18, 4),
    currency text,
    horizon_days bigint,
    action text,
    action_title text,
    holdout boolean,
    owner text,
    plan text,
    model_version text,
    model_examples bigint,
    trigger_kind text,
    trigger_topic text,
    PRIMARY KEY (alert_id)
);
CREATE INDEX fact_alert_by_episode_id ON fact_alert (episode_id);
CREATE INDEX fact_alert_by_customer_id ON fact_alert (customer_id);
CREATE INDEX fact_alert_by_raised_on ON fact_alert (raised_on);
COMMENT ON TABLE fact_alert IS 'One row an alert message, as it was raised';
COMMENT ON COLUMN fact_alert.alert_id IS 'The alert''s id; a message that comes again has the same';
COMMENT ON COLUMN fact_alert.episode_id IS 'The episode that it belongs to: fact_episode';
COMMENT ON COLUMN fact_alert.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_alert.kind IS 'opened, escalated, resolved or churned';
COMMENT ON COLUMN fact_alert.raised_at IS 'When, on the customer''s clock';
COMMENT ON COLUMN fact_alert.raised_on IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_alert.segment IS 'Segment then: dim_segment';
COMMENT ON COLUMN fact_alert.band IS 'Highest band that the episode had reached: watch, high, critical';
COMMENT ON COLUMN fact_alert.risk IS 'Risk of leaving, 0 to 1';
COMMENT ON COLUMN fact_alert.threshold IS 'Risk from which on the episode was opened';
COMMENT ON COLUMN fact_alert.reason IS 'Code of the first reason; null where there is none';
COMMENT ON COLUMN fact_alert.evidence IS 'The first reason in words';
COMMENT ON COLUMN fact_alert.value_at_risk IS 'Spend of horizon_days that is expected to be lost';
COMMENT ON COLUMN fact_alert.currency IS 'Of value_at_risk; null where no order stated one';
COMMENT ON COLUMN fact_alert.horizon_days IS 'Over how many days value_at_risk is reckoned';
COMMENT ON COLUMN fact_alert.action IS 'Code of the first action suggested; null where there is none';
COMMENT ON COLUMN fact_alert.action_title IS 'The same in words';
COMMENT ON COLUMN fact_alert.holdout IS 'Whether the customer is held out of treatment, for comparison';
COMMENT ON COLUMN fact_alert.owner IS 'Who looked after the customer then, from the profile';
COMMENT ON COLUMN fact_alert.plan IS 'The customer''s plan then, from the profile';
COMMENT ON COLUMN fact_alert.model_version IS 'Which model said so: fact_model_quality, or a rule';
COMMENT ON COLUMN fact_alert.model_examples IS 'From how many examples it had learnt';
COMMENT ON COLUMN fact_alert.trigger_kind IS 'event or silence';
COMMENT ON COLUMN fact_alert.trigger_topic IS 'The topic of the event that set it off; null for silence';

CREATE TABLE fact_alert_reason (
    alert_id text NOT NULL,
    rank bigint NOT NULL,
    customer_id text,
    raised_on date,
    reason text,
    weight numeric(18, 4),
    evidence text,
    PRIMARY KEY (alert_id, rank)
);
CREATE INDEX fact_alert_reason_by_customer_id ON fact_alert_reason (customer_id);
COMMENT ON TABLE fact_alert_reason IS 'One row a reason of an alert';
COMMENT ON COLUMN fact_alert_reason.alert_id IS 'The alert: fact_alert';
COMMENT ON COLUMN fact_alert_reason.rank IS '1 is the first reason';
COMMENT ON COLUMN fact_alert_reason.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_alert_reason.raised_on IS 'The UTC day of the alert: dim_date';
COMMENT ON COLUMN fact_alert_reason.reason IS 'engagement, price, service, product or competition';
COMMENT ON COLUMN fact_alert_reason.weight IS 'Its share of what raises the risk, 0 to 1';
COMMENT ON COLUMN fact_alert_reason.evidence IS 'In words';

CREATE TABLE fact_episode (
    episode_id text NOT NULL,
    customer_id text,
    state text,
    band text,
    risk numeric(18, 4),
    changed_at timestamptz(3),
    last_alert_id text,
    alert_offset bigint,
    opened_at timestamptz(3),
    opened_on date,
    escalated_at timestamptz(3),
    resolved_at timestamptz(3),
    churned_at timestamptz(3),
    segment text,
    reason text,
    action text,
    opening_risk numeric(18, 4),
    value_at_risk numeric(18, 4),
    currency text,
    holdout boolean,
    owner text,
    PRIMARY KEY (episode_id)
);
CREATE INDEX fact_episode_by_customer_id ON fact_episode (customer_id);
CREATE INDEX fact_episode_by_opened_on ON fact_episode (opened_on);
COMMENT ON TABLE fact_episode IS 'One row an episode: from the alert that opened it to the one that closed it';
COMMENT ON COLUMN fact_episode.episode_id IS 'The episode''s id';
COMMENT ON COLUMN fact_episode.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_episode.state IS 'open, resolved or churned, after its latest alert';
COMMENT ON COLUMN fact_episode.band IS 'Highest band reached: watch, high, critical';
COMMENT ON COLUMN fact_episode.risk IS 'Risk at its latest alert';
COMMENT ON COLUMN fact_episode.changed_at IS 'When its latest alert was raised';
COMMENT ON COLUMN fact_episode.last_alert_id IS 'Its latest alert: fact_alert';
COMMENT ON COLUMN fact_episode.alert_offset IS 'Which message of the alerts'' topic that was';
COMMENT ON COLUMN fact_episode.opened_at IS 'When it was opened; null where that alert was gone from Kafka';
COMMENT ON COLUMN fact_episode.opened_on IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_episode.escalated_at IS 'When it first escalated, or was reminded of';
COMMENT ON COLUMN fact_episode.resolved_at IS 'When it was resolved; after churned_at: the customer came back';
COMMENT ON COLUMN fact_episode.churned_at IS 'When the customer was given up';
COMMENT ON COLUMN fact_episode.segment IS 'Segment when it was opened: dim_segment';
COMMENT ON COLUMN fact_episode.reason IS 'Code of the first reason of the alert that opened it';
COMMENT ON COLUMN fact_episode.action IS 'Code of the first action that this alert suggested';
COMMENT ON COLUMN fact_episode.opening_risk IS 'Risk at that alert';
COMMENT ON COLUMN fact_episode.value_at_risk IS 'Spend of a year that was expected to be lost, at that alert';
COMMENT ON COLUMN fact_episode.currency IS 'Of value_at_risk';
COMMENT ON COLUMN fact_episode.holdout IS 'Whether the customer is held out of treatment';
COMMENT ON COLUMN fact_episode.owner IS 'Who looked after the customer then';

CREATE TABLE fact_outcome (
    customer_id text NOT NULL,
    event_id text NOT NULL,
    alert_id text,
    status text,
    status_rank bigint,
    reported_at timestamptz(3),
    reported_on date,
    action text,
    cost numeric(18, 4),
    snoozed_until timestamptz(3),
    PRIMARY KEY (customer_id, event_id)
);
CREATE INDEX fact_outcome_by_alert_id ON fact_outcome (alert_id);
COMMENT ON TABLE fact_outcome IS 'One row a report of the retention team on an alert (without the note: free text stays in Kafka)';
COMMENT ON COLUMN fact_outcome.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_outcome.event_id IS 'The report''s id';
COMMENT ON COLUMN fact_outcome.alert_id IS 'The alert that it is about: fact_alert';
COMMENT ON COLUMN fact_outcome.status IS 'acknowledged, contacted, accepted, declined, false_alarm or snoozed';
COMMENT ON COLUMN fact_outcome.status_rank IS 'Of two reports at the same instant the higher one counts';
COMMENT ON COLUMN fact_outcome.reported_at IS 'When, by the report itself';
COMMENT ON COLUMN fact_outcome.reported_on IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_outcome.action IS 'What was done';
COMMENT ON COLUMN fact_outcome.cost IS 'What it cost';
COMMENT ON COLUMN fact_outcome.snoozed_until IS 'Until when the customer is left alone';

CREATE TABLE fact_order (
    customer_id text NOT NULL,
    event_id text NOT NULL,
    order_id text,
    ordered_at timestamptz(3),
    ordered_on date,
    status text,
    amount numeric(18, 4),
    discount numeric(18, 4),
    items numeric(18, 4),
    currency text,
    PRIMARY KEY (customer_id, event_id)
);
CREATE INDEX fact_order_by_ordered_on ON fact_order (ordered_on);
COMMENT ON TABLE fact_order IS 'One row an order event; a cancellation or return of an order is an event of its own';
COMMENT ON COLUMN fact_order.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_order.event_id IS 'The event''s id; one that comes again is the same event';
COMMENT ON COLUMN fact_order.order_id IS 'The order''s id';
COMMENT ON COLUMN fact_order.ordered_at IS 'When it happened';
COMMENT ON COLUMN fact_order.ordered_on IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_order.status IS 'placed, cancelled or returned';
COMMENT ON COLUMN fact_order.amount IS 'Its amount';
COMMENT ON COLUMN fact_order.discount IS 'Discount given';
COMMENT ON COLUMN fact_order.items IS 'How many items';
COMMENT ON COLUMN fact_order.currency IS 'ISO 4217; null where the event does not say';

CREATE TABLE fact_cancellation (
    customer_id text NOT NULL,
    event_id text NOT NULL,
    cancelled_at timestamptz(3),
    cancelled_on date,
    reason text,
    effective_at timestamptz(3),
    PRIMARY KEY (customer_id, event_id)
);
COMMENT ON TABLE fact_cancellation IS 'One row a cancellation of the contract';
COMMENT ON COLUMN fact_cancellation.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_cancellation.event_id IS 'The event''s id; one that comes again is the same event';
COMMENT ON COLUMN fact_cancellation.cancelled_at IS 'When it was said';
COMMENT ON COLUMN fact_cancellation.cancelled_on IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_cancellation.reason IS 'price, service, product, competition or other, as stated';
COMMENT ON COLUMN fact_cancellation.effective_at IS 'From when on';

CREATE TABLE fact_ticket (
    customer_id text NOT NULL,
    event_id text NOT NULL,
    ticket_id text,
    happened_at timestamptz(3),
    happened_on date,
    status text,
    category text,
    severity text,
    satisfaction numeric(18, 4),
    PRIMARY KEY (customer_id, event_id)
);
COMMENT ON TABLE fact_ticket IS 'One row a step in the life of a support ticket';
COMMENT ON COLUMN fact_ticket.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_ticket.event_id IS 'The event''s id; one that comes again is the same event';
COMMENT ON COLUMN fact_ticket.ticket_id IS 'The ticket''s id';
COMMENT ON COLUMN fact_ticket.happened_at IS 'When';
COMMENT ON COLUMN fact_ticket.happened_on IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_ticket.status IS 'opened, updated, resolved or reopened';
COMMENT ON COLUMN fact_ticket.category IS 'billing, delivery, product, service, account, return, cancellation, other';
COMMENT ON COLUMN fact_ticket.severity IS 'low, normal or high';
COMMENT ON COLUMN fact_ticket.satisfaction IS '1 to 5';

CREATE TABLE fact_review (
    customer_id text NOT NULL,
    event_id text NOT NULL,
    reviewed_at timestamptz(3),
    reviewed_on date,
    kind text,
    rating numeric(18, 4),
    nps numeric(18, 4),
    topics text,
    PRIMARY KEY (customer_id, event_id)
);
COMMENT ON TABLE fact_review IS 'One row a review or survey answer (without its text)';
COMMENT ON COLUMN fact_review.customer_id IS 'Whom it is about: dim_customer';
COMMENT ON COLUMN fact_review.event_id IS 'The event''s id; one that comes again is the same event';
COMMENT ON COLUMN fact_review.reviewed_at IS 'When';
COMMENT ON COLUMN fact_review.reviewed_on IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_review.kind IS 'review or survey';
COMMENT ON COLUMN fact_review.rating IS '1 to 5';
COMMENT ON COLUMN fact_review.nps IS '0 to 10';
COMMENT ON COLUMN fact_review.topics IS 'What it speaks of, each once and in alphabetical order, separated by commas';

CREATE TABLE fact_kpi (
    month date NOT NULL,
    told_by text NOT NULL,
    group_name text NOT NULL,
    stayed bigint,
    left_count bigint,
    retention numeric(18, 4),
    churn numeric(18, 4),
    alerts_opened bigint,
    alerts_held_out bigint,
    escalated bigint,
    resolved bigint,
    false_alarms bigint,
    churned bigint,
    came_back bigint,
    value_at_stake numeric(18, 4),
    value_lost numeric(18, 4),
    value_won_back numeric(18, 4),
    precision_share numeric(18, 4),
    precision_of text,
    lead_days numeric(18, 4),
    acted_share numeric(18, 4),
    hours_to_action numeric(18, 4),
    PRIMARY KEY (month, told_by, group_name)
);
COMMENT ON TABLE fact_kpi IS 'One row a month and group: the counts behind `churnwatch kpi`, and its figures. Months change while their labels come in';
COMMENT ON COLUMN fact_kpi.month IS 'First day of the month';
COMMENT ON COLUMN fact_kpi.told_by IS 'all, segment, reason or cohort';
COMMENT ON COLUMN fact_kpi.group_name IS 'Which segment, reason or cohort (month, quarter or year of the first order)';
COMMENT ON COLUMN fact_kpi.stayed IS 'Answers to the model''s question that were: stayed';
COMMENT ON COLUMN fact_kpi.left_count IS 'Answers that were: left';
COMMENT ON COLUMN fact_kpi.retention IS 'Share that stayed; null where fewer than 30 are known';
COMMENT ON COLUMN fact_kpi.churn IS 'Share that left; null where fewer than 30 are known';
COMMENT ON COLUMN fact_kpi.alerts_opened IS 'Alerts that opened an episode';
COMMENT ON COLUMN fact_kpi.alerts_held_out IS 'Of them, of customers held out of treatment';
COMMENT ON COLUMN fact_kpi.escalated IS 'Alerts that escalated';
COMMENT ON COLUMN fact_kpi.resolved IS 'Alerts that resolved';
COMMENT ON COLUMN fact_kpi.false_alarms IS 'Of them, because the team said: false alarm';
COMMENT ON COLUMN fact_kpi.churned IS 'Customers given up after a warning';
COMMENT ON COLUMN fact_kpi.came_back IS 'Customers given up who came back';
COMMENT ON COLUMN fact_kpi.value_at_stake IS 'At risk a year, of the alerts that opened';
COMMENT ON COLUMN fact_kpi.value_lost IS 'Worth a year, of those given up';
COMMENT ON COLUMN fact_kpi.value_won_back IS 'Worth a year, of those who came back';
COMMENT ON COLUMN fact_kpi.precision_share IS 'Share of the alerted who left within the horizon; null: too few known';
COMMENT ON COLUMN fact_kpi.precision_of IS 'Of whom that is told: held out, or all';
COMMENT ON COLUMN fact_kpi.lead_days IS 'Mean days from the alert to the leaving; null: too few known';
COMMENT ON COLUMN fact_kpi.acted_share IS 'Share of the alerts to be treated that were acted upon; null: too few';
COMMENT ON COLUMN fact_kpi.hours_to_action IS 'Mean hours from the alert to the first report; null: none';

CREATE TABLE fact_expected_revenue (
    day date NOT NULL,
    segment text NOT NULL,
    customers bigint,
    customers_at_risk bigint,
    revenue_90_days numeric(18, 4),
    revenue_90_days_without numeric(18, 4),
    revenue_365_days numeric(18, 4),
    revenue_365_days_without numeric(18, 4),
    PRIMARY KEY (day, segment)
);
COMMENT ON TABLE fact_expected_revenue IS 'One row a weekly look and segment: what active customers are expected to spend, with and without those at risk';
COMMENT ON COLUMN fact_expected_revenue.day IS 'Day of the look: dim_date';
COMMENT ON COLUMN fact_expected_revenue.segment IS 'Segment: dim_segment';
COMMENT ON COLUMN fact_expected_revenue.customers IS 'Active customers';
COMMENT ON COLUMN fact_expected_revenue.customers_at_risk IS 'Of them, with an open episode';
COMMENT ON COLUMN fact_expected_revenue.revenue_90_days IS 'Expected spend of the next 90 days';
COMMENT ON COLUMN fact_expected_revenue.revenue_90_days_without IS 'The same without the customers at risk';
COMMENT ON COLUMN fact_expected_revenue.revenue_365_days IS 'Expected spend of the next 365 days';
COMMENT ON COLUMN fact_expected_revenue.revenue_365_days_without IS 'The same without the customers at risk';

CREATE TABLE fact_model_quality (
    version bigint NOT NULL,
    learnt_until timestamptz(3),
    learnt_until_day date,
    examples bigint,
    recipe text,
    verdict text,
    auc double precision,
    rule_auc double precision,
    weekly_auc double precision,
    log_loss double precision,
    ece double precision,
    lift_10 double precision,
    alarm_precision double precision,
    base_rate double precision,
    PRIMARY KEY (version)
);
COMMENT ON TABLE fact_model_quality IS 'One row a version of the model';
COMMENT ON COLUMN fact_model_quality.version IS 'The model''s version, as in alerts';
COMMENT ON COLUMN fact_model_quality.learnt_until IS 'Up to which instant it has learnt, on the customers'' clock';
COMMENT ON COLUMN fact_model_quality.learnt_until_day IS 'The UTC day of that: dim_date';
COMMENT ON COLUMN fact_model_quality.examples IS 'Examples that it has learnt from';
COMMENT ON COLUMN fact_model_quality.recipe IS 'Which recipe speaks';
COMMENT ON COLUMN fact_model_quality.verdict IS 'What its quality comes to, in a word';
COMMENT ON COLUMN fact_model_quality.auc IS 'Area under the ROC curve of what it said, against what came: 0.5 is chance';
COMMENT ON COLUMN fact_model_quality.rule_auc IS 'The same of the rule of silence, to compare with';
COMMENT ON COLUMN fact_model_quality.weekly_auc IS 'Mean of the AUC within each week';
COMMENT ON COLUMN fact_model_quality.log_loss IS 'Mean log loss, nats: lower is better';
COMMENT ON COLUMN fact_model_quality.ece IS 'Expected calibration error: how far shares said are from shares that came';
COMMENT ON COLUMN fact_model_quality.lift_10 IS 'How many times more often the riskiest tenth left than all';
COMMENT ON COLUMN fact_model_quality.alarm_precision IS 'Share of those who would have been warned about that left';
COMMENT ON COLUMN fact_model_quality.base_rate IS 'Share of all that left';

CREATE TABLE sink_position (
    topic text NOT NULL,
    partition bigint NOT NULL,
    next_offset bigint NOT NULL,
    passed_over bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE sink_position IS 'How far each partition of Kafka is loaded: changed in one transaction with the rows';
COMMENT ON COLUMN sink_position.topic IS 'The topic';
COMMENT ON COLUMN sink_position.partition IS 'Its partition';
COMMENT ON COLUMN sink_position.next_offset IS 'The first offset that is not loaded yet';
COMMENT ON COLUMN sink_position.passed_over IS 'Messages that could not be read and were passed over';

CREATE TABLE sink_erased (
    customer_hash text NOT NULL,
    erased_at timestamptz(3) NOT NULL,
    PRIMARY KEY (customer_hash)
);
COMMENT ON TABLE sink_erased IS 'Customers who were erased, by a hash of their id: what Kafka says of them from before that instant is not loaded again';
COMMENT ON COLUMN sink_erased.customer_hash IS 'SHA-256 of the customer_id';
COMMENT ON COLUMN sink_erased.erased_at IS 'When, on Kafka''s clock';
