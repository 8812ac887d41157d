-- 客户月末贷款余额
-- 口径：该客户全部借据月末余额之和。
-- 输入：loan_month, loan
-- 分区：无
-- 主键：month, customer_id
-- 空值：没有借据的客户没有行，使用时当作 0。
-- 单位：元。
-- 输出：
--   month         month  月末日
--   customer_id   id     客户号
--   loan_balance  money  月末贷款
SELECT
  m.month AS month,
  l.customer_id AS customer_id,
  SUM(CAST(b.balance AS DECIMAL(18, 2))) AS loan_balance
FROM loan_month AS b
JOIN loan AS l ON l.loan_id = b.loan_id
JOIN months AS m ON m.month = b.month
GROUP BY m.month, l.customer_id
