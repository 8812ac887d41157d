-- 商户月度
-- 口径：一行一个商户一个月，从签约当月到解约当月。手续费收入 = 收款金额 × 取数日费率（历史费率没有留痕）。
--   未交易天数 = 月末日 − 最近一个有收款的日子；日交易表开始之前的收款看不到，那时为空。
--   退款、整数金额占比、夜间占比、结算户日均、成本、星级、权益成本不能由日交易推出，不出这些列。
-- 输入：merchant, merchant_flow
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
WITH bounds AS (
  SELECT MIN(m.month) AS first_month FROM months AS m
), flows AS (
  SELECT
    f.merchant_id,
    CASE WHEN f.month < b.first_month THEN b.first_month ELSE f.month END AS month,
    CASE WHEN f.month >= b.first_month THEN f.transaction_count ELSE 0 END AS transaction_count,
    CASE WHEN f.month >= b.first_month THEN f.transaction_amount ELSE 0 END AS transaction_amount,
    CASE WHEN f.month >= b.first_month THEN f.active_days ELSE 0 END AS active_days,
    f.last_active_date
  FROM merchant_flow AS f
  CROSS JOIN bounds AS b
), taken AS (
  SELECT
    y.merchant_id,
    y.month,
    SUM(y.transaction_count) AS transaction_count,
    SUM(y.transaction_amount) AS transaction_amount,
    SUM(y.active_days) AS active_days,
    MAX(y.last_active_date) AS last_date
  FROM flows AS y
  GROUP BY y.merchant_id, y.month
), signed AS (
  SELECT
    m.month, h.merchant_id, h.open_date, CAST(h.fee_rate AS DECIMAL(9, 4)) AS fee_rate
  FROM merchant AS h
  JOIN months AS m ON h.close_date IS NULL OR h.close_date >= m.month_start
), running AS (
  SELECT
    s.month, s.merchant_id, s.open_date, s.fee_rate,
    COALESCE(t.transaction_count, 0) AS transaction_count,
    COALESCE(t.transaction_amount, 0) AS transaction_amount,
    COALESCE(t.active_days, 0) AS active_days,
    MAX(t.last_date) OVER (
      PARTITION BY s.merchant_id ORDER BY s.month
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_date
  FROM signed AS s
  LEFT JOIN taken AS t ON t.merchant_id = s.merchant_id AND t.month = s.month
)
SELECT
  r.month AS month,
  r.merchant_id AS merchant_id,
  r.transaction_count AS transaction_count,
  r.transaction_amount AS transaction_amount,
  r.active_days AS active_days,
  DATE_DIFF('day', r.last_date, r.month) AS gap_days,
  CAST(r.transaction_amount * r.fee_rate / 100 AS DECIMAL(18, 2)) AS fee_income
FROM running AS r
WHERE r.open_date <= r.month
