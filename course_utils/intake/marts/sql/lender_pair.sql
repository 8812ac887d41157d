-- 网贷往来
-- 口径：客户与网络放贷机构之间的往来，一行一个客户一家机构，有还款才出行。
--   机构由户名认出：户名归一（全角转半角，去括号、空白、公司后缀）后含放贷关键词且不含误报词，
--   由程序按关键词表算好，成为名单 lender_names（户名 → 机构、类别），随语句一起送入引擎。
--   还款：转账类支出；放款：转账类收入。有规律：至少三笔还款、间隔中位数 20–40 天、变异系数小于 0.25。
-- 输入：transaction, lender_names
-- 分区：客户
-- 主键：customer_id, lender
-- 空值：只有一笔还款时变异系数、间隔为空，不算有规律；没有看到放款，放款金额与笔数为 0、日期为空。
-- 单位：元；天。均值四舍五入到分，变异系数四舍五入到六位小数后再比门槛。
-- 输出：
--   customer_id  id       客户号
--   lender       text     机构（归一后的户名）
--   lender_kind  code     机构类别
--   payments     integer  还款笔数
--   amount       money    平均还款
--   cv           ratio    变异系数
--   gap          number   间隔天数中位数
--   widest       integer  最长间隔
--   first_date   date     第一笔还款
--   last_date    date     最后一笔还款
--   periodic     flag     是否有规律
--   payout       money    放款金额
--   payouts      integer  放款笔数
--   payout_date  date     最近一次放款
--   evidence     integer  证据数（户名与方向 2，有规律加 1，看到放款加 1）
WITH known AS (
  SELECT
    t.customer_id, n.lender, n.lender_kind, t.date, t.direction,
    CAST(t.amount AS DECIMAL(18, 2)) AS amount
  FROM transaction AS t
  JOIN lender_names AS n ON n.counterparty_name = t.counterparty_name
  WHERE t.kind IN ('转账', '放款', '还款', '自动还款') AND t.date <= $as_of
), paid AS (
  SELECT
    k.customer_id, k.lender, k.lender_kind, k.date, k.amount,
    DATE_DIFF('day', LAG(k.date) OVER (
      PARTITION BY k.customer_id, k.lender ORDER BY k.date
    ), k.date) AS gap
  FROM known AS k
  WHERE k.direction = '支出'
), ranked AS (
  SELECT
    p.customer_id, p.lender, p.lender_kind, p.date, p.amount, p.gap,
    ROW_NUMBER() OVER (
      PARTITION BY p.customer_id, p.lender
      ORDER BY CASE WHEN p.gap IS NULL THEN 1 ELSE 0 END, p.gap
    ) AS place,
    COUNT(p.gap) OVER (PARTITION BY p.customer_id, p.lender) AS gaps
  FROM paid AS p
), streams AS (
  SELECT
    r.customer_id,
    r.lender,
    MIN(r.lender_kind) AS lender_kind,
    COUNT(*) AS payments,
    CAST(AVG(r.amount) AS DECIMAL(18, 2)) AS amount,
    CAST(CAST(STDDEV_SAMP(r.amount) AS DOUBLE) / CAST(AVG(r.amount) AS DOUBLE) AS DECIMAL(18, 6)) AS cv,
    AVG(CASE WHEN r.gap IS NOT NULL AND 2 * r.place BETWEEN r.gaps AND r.gaps + 2
      THEN CAST(r.gap AS DOUBLE) END) AS gap,
    MAX(r.gap) AS widest,
    MIN(r.date) AS first_date,
    MAX(r.date) AS last_date
  FROM ranked AS r
  GROUP BY r.customer_id, r.lender
), payouts AS (
  SELECT
    k.customer_id, k.lender, SUM(k.amount) AS payout, COUNT(*) AS payouts, MAX(k.date) AS payout_date
  FROM known AS k
  WHERE k.direction = '收入'
  GROUP BY k.customer_id, k.lender
), judged AS (
  SELECT
    s.customer_id, s.lender, s.lender_kind, s.payments, s.amount, s.cv, s.gap, s.widest,
    s.first_date, s.last_date,
    CASE WHEN s.payments >= 3 AND s.gap BETWEEN 20 AND 40 AND s.cv < 0.25 THEN 1 ELSE 0 END AS steady
  FROM streams AS s
)
SELECT
  j.customer_id AS customer_id,
  j.lender AS lender,
  j.lender_kind AS lender_kind,
  j.payments AS payments,
  j.amount AS amount,
  CASE WHEN j.payments > 1 THEN j.cv END AS cv,
  j.gap AS gap,
  j.widest AS widest,
  j.first_date AS first_date,
  j.last_date AS last_date,
  CASE WHEN j.steady = 1 THEN TRUE ELSE FALSE END AS periodic,
  COALESCE(o.payout, 0) AS payout,
  COALESCE(o.payouts, 0) AS payouts,
  o.payout_date AS payout_date,
  2 + j.steady + CASE WHEN o.payouts > 0 THEN 1 ELSE 0 END AS evidence
FROM judged AS j
LEFT JOIN payouts AS o ON o.customer_id = j.customer_id AND o.lender = j.lender
