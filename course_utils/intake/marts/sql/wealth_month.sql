-- 客户理财月日均
-- 口径：每笔理财的购买金额按当月持有天数加权；购买日算在内，赎回日不算。只反映购买本金，不含浮动盈亏。
-- 输入：wealth_holding
-- 分区：无
-- 主键：month, customer_id
-- 空值：赎回日为空视为仍然持有；当月没有理财的客户没有行，使用时当作 0。
-- 单位：元，四舍五入到分。
-- 输出：
--   month           month  月末日
--   customer_id     id     客户号
--   wealth_average  money  理财月日均
SELECT
  m.month AS month,
  w.customer_id AS customer_id,
  CAST(SUM(
    CAST(w.amount AS DECIMAL(18, 2)) * (
      DATE_DIFF(
        'day',
        CASE WHEN w.start_date > m.month_start THEN w.start_date ELSE m.month_start END,
        CASE WHEN w.end_date <= m.month THEN w.end_date ELSE m.next_start END
      )
    )
  ) / MAX(m.days) AS DECIMAL(18, 2)) AS wealth_average
FROM wealth_holding AS w
JOIN months AS m ON w.start_date <= m.month AND (w.end_date IS NULL OR w.end_date > m.month_start)
GROUP BY m.month, w.customer_id
