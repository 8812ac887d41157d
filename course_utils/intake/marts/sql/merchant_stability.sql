-- 商户稳定性
-- 口径：最近六个月（含最后一个月）的月收款额。稳定度 = max(0, 1 − 样本标准差 ÷ 均值)，没有做季节调整；
--   趋势 = 最后一个月 ÷ 前五个月均值。不满六个月的商户不出行。
-- 输入：merchant_month
-- 分区：无
-- 主键：merchant_id
-- 空值：均值为 0 时稳定度为空；前五个月均值为 0 时趋势为空。
-- 单位：元；稳定度与趋势为比值，四舍五入到六位小数后再比门槛。
-- 输出：
--   merchant_id  id      商户号
--   average      money   六个月平均月收款
--   stability    ratio   稳定度
--   trend        ratio   趋势
WITH recent AS (
  SELECT
    b.merchant_id,
    CAST(b.transaction_amount AS DECIMAL(18, 2)) AS amount,
    ROW_NUMBER() OVER (PARTITION BY b.merchant_id ORDER BY b.month DESC) AS place
  FROM merchant_month AS b
  WHERE b.month <= $as_of
), six AS (
  SELECT
    r.merchant_id,
    COUNT(*) AS months,
    AVG(r.amount) AS average,
    STDDEV_SAMP(r.amount) AS deviation,
    SUM(CASE WHEN r.place = 1 THEN r.amount ELSE 0 END) AS latest,
    SUM(CASE WHEN r.place > 1 THEN r.amount ELSE 0 END) AS earlier
  FROM recent AS r
  WHERE r.place <= 6
  GROUP BY r.merchant_id
)
SELECT
  s.merchant_id AS merchant_id,
  CAST(s.average AS DECIMAL(18, 2)) AS average,
  CASE WHEN s.average > 0 THEN
    CASE WHEN s.deviation > s.average THEN 0
      ELSE CAST(1 - CAST(s.deviation AS DOUBLE) / CAST(s.average AS DOUBLE) AS DECIMAL(18, 6)) END END AS stability,
  CASE WHEN s.earlier > 0
    THEN CAST(CAST(s.latest AS DOUBLE) / (CAST(s.earlier AS DOUBLE) / 5) AS DECIMAL(18, 6)) END AS trend
FROM six AS s
WHERE s.months = 6
