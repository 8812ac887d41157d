-- 商户月度
-- 口径：一行一个商户一个月，从签约当月到解约当月。手续费收入 = 收款金额 × 取数日费率（历史费率没有留痕）。
--   未交易天数 = 月末日 − 最近一个有收款的日子；日交易表开始之前的收款看不到，那时为空。
--   退款、整数金额占比、夜间占比、结算户日均、成本、星级、权益成本不能由日交易推出，不出这些列。
-- 输入：merchant, merchant_day
-- 分区：无
-- 主键：month, merchant_id
-- 空值：当月没有收款，金额、笔数、天数为 0。
-- 单位：元，四舍五入到分；费率为 %。
-- 输出：
--   month               month    月份
--   merchant_id         id       商户号
--   transaction_count   integer  交易笔数
--   transaction_amount  money    交易金额
--   active_days         integer  活跃天数
--   gap_days            integer  未交易天数
--   fee_income          money    手续费收入
SELECT
  m.month AS month,
  h.merchant_id AS merchant_id,
  SUM(CASE WHEN d.date >= m.month_start THEN d.transaction_count ELSE 0 END) AS transaction_count,
  SUM(CASE WHEN d.date >= m.month_start
    THEN CAST(d.transaction_amount AS DECIMAL(18, 2)) ELSE 0 END) AS transaction_amount,
  SUM(CASE WHEN d.date >= m.month_start AND d.transaction_count > 0 THEN 1 ELSE 0 END) AS active_days,
  DATE_DIFF('day', MAX(CASE WHEN d.transaction_count > 0 THEN d.date END), m.month) AS gap_days,
  CAST(SUM(CASE WHEN d.date >= m.month_start
    THEN CAST(d.transaction_amount AS DECIMAL(18, 2)) ELSE 0 END)
    * MAX(CAST(h.fee_rate AS DECIMAL(9, 4))) / 100 AS DECIMAL(18, 2)) AS fee_income
FROM merchant AS h
JOIN months AS m
  ON h.open_date <= m.month AND (h.close_date IS NULL OR h.close_date >= m.month_start)
LEFT JOIN merchant_day AS d ON d.merchant_id = h.merchant_id AND d.date <= m.month
GROUP BY m.month, h.merchant_id
