-- 商户月度收款
-- 口径：一行一个商户一个自然月，只有报送过商户日交易的月份才有行。
-- 输入：merchant_day
-- 分区：无
-- 主键：month, merchant_id
-- 空值：当月没有一天有笔数，最近收款日为空。
-- 单位：元，先转成 DECIMAL(18,2) 再求和。
-- 输出：
--   month               month    月份
--   merchant_id         id       商户号
--   transaction_count   integer  收款笔数
--   transaction_amount  money    收款金额
--   active_days         integer  活跃天数
--   last_active_date    date     最近收款日
--   first_date          date     当月第一条记录的日期
--   last_date           date     当月最后一条记录的日期
SELECT
  LAST_DAY(d.date) AS month,
  d.merchant_id AS merchant_id,
  SUM(d.transaction_count) AS transaction_count,
  SUM(CAST(d.transaction_amount AS DECIMAL(18, 2))) AS transaction_amount,
  SUM(CASE WHEN d.transaction_count > 0 THEN 1 ELSE 0 END) AS active_days,
  MAX(CASE WHEN d.transaction_count > 0 THEN d.date END) AS last_active_date,
  MIN(d.date) AS first_date,
  MAX(d.date) AS last_date
FROM merchant_day AS d
WHERE d.date <= $as_of
GROUP BY LAST_DAY(d.date), d.merchant_id
