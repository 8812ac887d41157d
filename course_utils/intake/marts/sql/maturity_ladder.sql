-- 定期存款到期阶梯
-- 口径：取数日存续的定期与大额存单（到期日晚于取数日），按剩余天数分八档，档内按网点汇总。
-- 输入：deposit_account
-- 分区：无
-- 主键：branch_id, bucket
-- 空值：到期日为空的不计；没有到期金额的档没有行。
-- 单位：元；笔；户。
-- 输出：
--   branch_id  id       网点号
--   bucket     integer  档位（1：30天内，2：31–90天，3：91–180天，4：181–365天，5：1–2年，6：2–3年，7：3–5年，8：5年以上）
--   amount     money    到期本金
--   accounts   integer  笔数
--   customers  integer  户数
WITH alive AS (
  SELECT
    a.branch_id,
    a.customer_id,
    CAST(a.amount AS DECIMAL(18, 2)) AS amount,
    DATE_DIFF('day', $as_of, a.maturity_date) AS days_left
  FROM deposit_account AS a
  WHERE a.kind IN ('定期', '大额存单')
    AND a.open_date <= $as_of
    AND (a.close_date IS NULL OR a.close_date > $as_of)
    AND a.maturity_date > $as_of
), placed AS (
  SELECT
    v.branch_id, v.customer_id, v.amount,
    CASE WHEN v.days_left <= 30 THEN 1 WHEN v.days_left <= 90 THEN 2 WHEN v.days_left <= 180 THEN 3
      WHEN v.days_left <= 365 THEN 4 WHEN v.days_left <= 730 THEN 5 WHEN v.days_left <= 1095 THEN 6
      WHEN v.days_left <= 1826 THEN 7 ELSE 8 END AS bucket
  FROM alive AS v
)
SELECT
  p.branch_id AS branch_id,
  p.bucket AS bucket,
  SUM(p.amount) AS amount,
  COUNT(*) AS accounts,
  COUNT(DISTINCT p.customer_id) AS customers
FROM placed AS p
GROUP BY p.branch_id, p.bucket
