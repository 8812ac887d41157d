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
SELECT
  m.month AS month,
  l.loan_id AS loan_id,
  CASE WHEN MAX(l.settle_date) <= m.month THEN 0
    ELSE MAX(CAST(l.amount AS DECIMAL(18, 2))) - SUM(
      CASE WHEN r.paid_date <= m.month THEN CAST(r.due_principal AS DECIMAL(18, 2)) ELSE 0 END
    ) END AS balance,
  CASE WHEN MAX(l.settle_date) <= m.month THEN 0
    ELSE COALESCE(DATE_DIFF('day', MIN(
      CASE WHEN r.due_date <= m.month AND (r.paid_date IS NULL OR r.paid_date > m.month)
        THEN r.due_date END
    ), m.month), 0) END AS dpd
FROM loan AS l
JOIN months AS m
  ON l.issue_date <= m.month AND (l.settle_date IS NULL OR l.settle_date >= m.month_start)
LEFT JOIN repayment AS r ON r.loan_id = l.loan_id
GROUP BY m.month, l.loan_id
