-- 流水里出现过的客户
-- 口径：没有客户表的银行，以第一笔交易日当作建档日，只用来确定月度表从哪个月开始有行。
-- 输入：transaction
-- 分区：无
-- 主键：customer_id
-- 空值：没有。
-- 单位：日。
-- 输出：
--   customer_id  id    客户号
--   open_date    date  第一笔交易日
SELECT t.customer_id AS customer_id, MIN(t.date) AS open_date
FROM transaction AS t
GROUP BY t.customer_id
