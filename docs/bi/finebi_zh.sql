-- 当前有多少价值面临流失？按分群、原因、等级统计。字段名和取值都是中文，可直接拖入仪表板。
SELECT coalesce(s.title, v.segment) AS "客户分群", coalesce(r.title, v.reason) AS "流失原因", coalesce(b.title, v.band) AS "风险等级",
    v.currency AS "币种", v.customers AS "客户数", v.value_at_risk AS "风险金额"
FROM value_at_risk_now v
LEFT JOIN (VALUES ('new', '新客户'), ('standard', '普通客户'), ('loyal', '忠诚客户'), ('high_value', '高价值客户')) AS s (code, title)
    ON s.code = v.segment
LEFT JOIN (VALUES ('engagement', '活跃度'), ('price', '价格'), ('service', '服务'), ('product', '产品'), ('competition', '竞争对手')) AS r (code, title)
    ON r.code = v.reason
LEFT JOIN (VALUES ('watch', '关注'), ('high', '高'), ('critical', '紧急')) AS b (code, title)
    ON b.code = v.band
ORDER BY "风险金额" DESC
