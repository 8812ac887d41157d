-- 客户定期存款月日均
-- 口径：定期、大额存单、通知存款的本金，按当月存续天数加权；起息日算在内，支取日不算。
-- 输入：deposit_account
-- 分区：无
-- 主键：month, customer_id
-- 空值：销户日为空视为仍然存续；当月没有定期的客户没有行，使用时当作 0。
-- 单位：元，四舍五入到分。
-- 输出：
--   month                 month  月末日
--   customer_id           id     客户号
--   term_deposit_average  money  定期月日均
SELECT
  m.month AS month,
  a.customer_id AS customer_id,
  CAST(SUM(
    CAST(a.amount AS DECIMAL(18, 2)) * (
      DATE_DIFF(
        'day',
        CASE WHEN a.open_date > m.month_start THEN a.open_date ELSE m.month_start END,
        CASE WHEN a.close_date <= m.month THEN a.close_date ELSE m.next_start END
      )
    )
  ) / MAX(m.days) AS DECIMAL(18, 2)) AS term_deposit_average
FROM deposit_account AS a
JOIN months AS m ON a.open_date <= m.month AND (a.close_date IS NULL OR a.close_date > m.month_start)
WHERE a.kind IN ('定期', '大额存单', '通知')
GROUP BY m.month, a.customer_id
