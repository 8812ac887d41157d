-- 经常收款人
-- 口径：同一客户向同一对手户名的转账类支出（转账、放款、还款、自动还款）为一条付款流，至少三笔才出行。
--   有规律：间隔中位数在 20–40 天之间（含），且金额变异系数（样本标准差 ÷ 均值）小于 0.25。
-- 输入：transaction
-- 分区：客户
-- 主键：customer_id, counterparty_name
-- 空值：对手户名为空的不计。
-- 单位：元；天。均值四舍五入到分，变异系数四舍五入到六位小数后再比门槛。
-- 输出：
--   customer_id        id       客户号
--   counterparty_name  text     对手户名
--   payments           integer  笔数
--   amount             money    平均金额
--   cv                 ratio    变异系数
--   gap                number   间隔天数中位数
--   widest             integer  最长间隔
--   first_date         date     第一笔
--   last_date          date     最后一笔
--   periodic           flag     是否有规律
WITH paid AS (
  SELECT
    t.customer_id,
    t.counterparty_name,
    t.date,
    CAST(t.amount AS DECIMAL(18, 2)) AS amount,
    DATE_DIFF('day', LAG(t.date) OVER (
      PARTITION BY t.customer_id, t.counterparty_name ORDER BY t.date
    ), t.date) AS gap
  FROM transaction AS t
  WHERE t.direction = '支出'
    AND t.kind IN ('转账', '放款', '还款', '自动还款')
    AND t.counterparty_name IS NOT NULL
    AND t.date <= $as_of
), ranked AS (
  SELECT
    p.customer_id, p.counterparty_name, p.date, p.amount, p.gap,
    ROW_NUMBER() OVER (
      PARTITION BY p.customer_id, p.counterparty_name
      ORDER BY CASE WHEN p.gap IS NULL THEN 1 ELSE 0 END, p.gap
    ) AS place,
    COUNT(p.gap) OVER (PARTITION BY p.customer_id, p.counterparty_name) AS gaps
  FROM paid AS p
), streams AS (
  SELECT
    r.customer_id,
    r.counterparty_name,
    COUNT(*) AS payments,
    CAST(AVG(r.amount) AS DECIMAL(18, 2)) AS amount,
    CAST(CAST(STDDEV_SAMP(r.amount) AS DOUBLE) / CAST(AVG(r.amount) AS DOUBLE) AS DECIMAL(18, 6)) AS cv,
    AVG(CASE WHEN r.gap IS NOT NULL AND 2 * r.place BETWEEN r.gaps AND r.gaps + 2
      THEN CAST(r.gap AS DOUBLE) END) AS gap,
    MAX(r.gap) AS widest,
    MIN(r.date) AS first_date,
    MAX(r.date) AS last_date
  FROM ranked AS r
  GROUP BY r.customer_id, r.counterparty_name
)
SELECT
  s.customer_id AS customer_id,
  s.counterparty_name AS counterparty_name,
  s.payments AS payments,
  s.amount AS amount,
  s.cv AS cv,
  s.gap AS gap,
  s.widest AS widest,
  s.first_date AS first_date,
  s.last_date AS last_date,
  CASE WHEN s.gap BETWEEN 20 AND 40 AND s.cv < 0.25 THEN TRUE ELSE FALSE END AS periodic
FROM streams AS s
WHERE s.payments >= 3
