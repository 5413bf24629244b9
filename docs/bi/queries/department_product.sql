-- Product: what do customers complain of? Stacked bars: month on the axis, topic as colour, messages or unhappy as height; filter by heard_in.
SELECT month, heard_in, topic, messages, unhappy, round(unhappy::numeric / messages, 4)::double precision AS unhappy_share, mean_rating, mean_nps
FROM department_product
ORDER BY month, heard_in, topic
