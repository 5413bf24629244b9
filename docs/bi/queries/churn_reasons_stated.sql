-- What do customers themselves say when they cancel? Pie or bar chart: reason, cancellations. Empty for a business without contracts.
SELECT reason, segment, sum(cancellations)::bigint AS cancellations
FROM churn_reasons_stated
GROUP BY reason, segment
ORDER BY cancellations DESC, reason, segment
