-- 贷款月度
-- 口径：一行一笔借据一个月，从发放当月到结清当月（未结清到最后一个月）。
--   月末余额 = 发放金额 − 到月末为止已还清各期的应还本金；结清（含核销）当月为 0。
--   逾期天数 = 月末日 − 最早一期“已到期、月末尚未还清”的应还日；没有则为 0。
--   月末五级分类、当月执行年利率不能由借据和还款推出（历史分类、重定价没有留痕），不出这两列。
-- 输入：loan, repayment
-- 分区：无
-- 主键：month, loan_id
-- 空值：实还日为空视为未还；没有任何还款记录的借据，余额等于发放金额，逾期天数为 0。
-- 单位：元；天。
-- 输出：
--   month    month    月份
--   loan_id  id       借据号
--   balance  money    余额
--   dpd      integer  逾期天数
WITH bounds AS (
  SELECT MIN(m.month) AS first_month FROM months AS m
), paid AS (
  SELECT
    r.loan_id,
    CAST(CASE WHEN LAST_DAY(r.paid_date) < b.first_month THEN b.first_month
      ELSE LAST_DAY(r.paid_date) END AS DATE) AS month,
    CAST(r.due_principal AS DECIMAL(18, 2)) AS principal
  FROM repayment AS r
  CROSS JOIN bounds AS b
  WHERE r.paid_date IS NOT NULL
), repaid AS (
  SELECT i.loan_id, i.month, SUM(i.principal) AS principal
  FROM paid AS i
  GROUP BY i.loan_id, i.month
), late AS (
  SELECT r.loan_id, r.due_date, r.paid_date
  FROM repayment AS r
  WHERE r.paid_date IS NULL OR r.paid_date > LAST_DAY(r.due_date)
), overdue AS (
  SELECT e.loan_id, m.month, MIN(e.due_date) AS oldest
  FROM late AS e
  JOIN months AS m ON e.due_date <= m.month AND (e.paid_date IS NULL OR e.paid_date > m.month)
  GROUP BY e.loan_id, m.month
), alive AS (
  SELECT
    m.month, l.loan_id, l.issue_date, l.settle_date, CAST(l.amount AS DECIMAL(18, 2)) AS amount
  FROM loan AS l
  JOIN months AS m ON l.settle_date IS NULL OR l.settle_date >= m.month_start
), running AS (
  SELECT
    a.month, a.loan_id, a.issue_date, a.settle_date, a.amount,
    SUM(COALESCE(p.principal, 0)) OVER (
      PARTITION BY a.loan_id ORDER BY a.month ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS principal
  FROM alive AS a
  LEFT JOIN repaid AS p ON p.loan_id = a.loan_id AND p.month = a.month
)
SELECT
  n.month AS month,
  n.loan_id AS loan_id,
  CASE WHEN n.settle_date <= n.month THEN 0 ELSE n.amount - n.principal END AS balance,
  CASE WHEN n.settle_date <= n.month THEN 0
    ELSE COALESCE(DATE_DIFF('day', o.oldest, n.month), 0) END AS dpd
FROM running AS n
LEFT JOIN overdue AS o ON o.loan_id = n.loan_id AND o.month = n.month
WHERE n.issue_date <= n.month
