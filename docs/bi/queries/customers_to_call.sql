-- Whom should we talk to first? Table: the fifty customers with the most at stake whom nobody has taken yet. Those held out of treatment are left alone.
SELECT customer_id, segment, band, risk, reason, value_at_risk, currency, owner, suggested_action, opened_at
FROM alerts_open
WHERE NOT holdout AND (latest_report IS NULL OR latest_report = 'snoozed')
ORDER BY value_at_risk DESC NULLS LAST, customer_id
LIMIT 50
