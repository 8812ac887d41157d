-- 客户流失状态
-- 口径：留存比 = 最近三个月月日均资产均值 ÷ 再往前六个月的均值；≥0.8 稳定，0.5–0.8 预警，0.2–0.5 半流失，<0.2 流失；
--   稳定或预警、但 180 天没有主动交易（或从未有过）的为沉默。往前六个月均值不足一万元的客户不出行。
-- 输入：customer_month
-- 分区：客户
-- 主键：customer_id
-- 空值：九个月里没有行的月份资产按 0 计。
-- 单位：元，均值四舍五入到分、留存比四舍五入到六位小数后再比门槛。
-- 输出：
--   customer_id  id     客户号
--   recent       money  最近三个月均值
--   before       money  再往前六个月均值
--   ratio        ratio  留存比
--   state        code   流失状态
WITH placed AS (
  SELECT
    c.customer_id,
    CAST(c.aum_average AS DECIMAL(18, 2)) AS aum,
    c.days_since_customer_transaction AS idle,
    m.place
  FROM customer_month AS c
  JOIN months AS m ON m.month = c.month
  WHERE m.place BETWEEN 1 AND 9
), totals AS (
  SELECT
    p.customer_id,
    CAST(SUM(CASE WHEN p.place <= 3 THEN p.aum ELSE 0 END) / 3 AS DECIMAL(18, 2)) AS recent,
    CAST(SUM(CASE WHEN p.place > 3 THEN p.aum ELSE 0 END) / 6 AS DECIMAL(18, 2)) AS before,
    MAX(CASE WHEN p.place = 1 THEN p.idle END) AS idle
  FROM placed AS p
  GROUP BY p.customer_id
), ratios AS (
  SELECT
    t.customer_id, t.recent, t.before, t.idle,
    CAST(CAST(t.recent AS DOUBLE) / CAST(t.before AS DOUBLE) AS DECIMAL(18, 6)) AS ratio
  FROM totals AS t
  WHERE t.before >= 10000
)
SELECT
  r.customer_id AS customer_id,
  r.recent AS recent,
  r.before AS before,
  r.ratio AS ratio,
  CASE
    WHEN r.ratio >= 0.5 AND (r.idle IS NULL OR r.idle >= 180) THEN '沉默'
    WHEN r.ratio >= 0.8 THEN '稳定'
    WHEN r.ratio >= 0.5 THEN '预警'
    WHEN r.ratio >= 0.2 THEN '半流失'
    ELSE '流失'
  END AS state
FROM ratios AS r
