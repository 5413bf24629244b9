-- Can the scores be trusted? Lines over day: auc beside rule_auc (what silence alone would tell), calibration_error; lift_of_the_riskiest_tenth as a figure.
SELECT day, version, examples, verdict, auc, rule_auc, weekly_auc, log_loss, calibration_error, lift_of_the_riskiest_tenth, alarm_precision, base_rate
FROM model_quality
WHERE day IS NOT NULL
ORDER BY version
