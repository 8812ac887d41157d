-- 客户月度
-- 口径：一行一个客户一个月，从建档当月起每月都有行。月末存款由取数日余额减去其后各月净流入倒推，
--   故恒有 月末存款 = 月初存款 + 流入 − 流出；流水不全的银行会倒推出负数，负数的行数写在说明里。
--   存款总日均 = 月初存款 + 每笔净流入 × 留存天数 ÷ 当月天数；活期日均 = 存款总日均 − 定期日均，不低于 0。
--   手机银行登录天数、产品数、手续费收入不能由流水和账户推出，不出这几列。
-- 输入：customer, customer_flow, deposit_now, term_month, wealth_month, loan_balance_month
-- 分区：客户
-- 主键：month, customer_id
-- 空值：左连接没有匹配的金额与笔数为 0；从未有主动交易的客户，距上次主动交易天数为空
--   （流水开始之前的交易看不到，也为空）。
-- 单位：金额为元，四舍五入到分；天数为自然日。
-- 输出：
--   month                         month    月份
--   customer_id                   id       客户号
--   demand_deposit_average        money    活期月日均
--   term_deposit_average          money    定期月日均
--   deposit_open                  money    月初存款
--   deposit_end                   money    月末存款
--   wealth_average                money    理财月日均
--   aum_average                   money    月日均资产
--   loan_balance                  money    月末贷款
--   in_amount                     money    流入金额
--   in_count                      integer  流入笔数
--   out_amount                    money    流出金额
--   out_count                     integer  流出笔数
--   external_bank_out_amount      money    转往他行本人金额
--   external_bank_in_amount       money    他行本人转入金额
--   third_party_pay_amount        money    第三方支付金额
--   consumption_amount            money    消费支出
--   payroll_amount                money    代发工资额
--   mobile_transaction_count      integer  手机银行交易笔数
--   customer_transaction_count    integer  主动交易笔数
--   days_since_customer_transaction integer 距上次主动交易天数
SELECT
  m.month AS month,
  c.customer_id AS customer_id,
  GREATEST(0, CAST(
    COALESCE(d.deposit_balance, 0)
    - SUM(COALESCE(f.in_amount, 0) - COALESCE(f.out_amount, 0)) OVER (
      PARTITION BY c.customer_id ORDER BY m.month DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
    + COALESCE(f.weighted_net, 0) / m.days - COALESCE(e.term_deposit_average, 0) AS DECIMAL(18, 2))) AS demand_deposit_average,
  COALESCE(e.term_deposit_average, 0) AS term_deposit_average,
  COALESCE(d.deposit_balance, 0)
    - SUM(COALESCE(f.in_amount, 0) - COALESCE(f.out_amount, 0)) OVER (
      PARTITION BY c.customer_id ORDER BY m.month DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS deposit_open,
  COALESCE(d.deposit_balance, 0)
    - SUM(COALESCE(f.in_amount, 0) - COALESCE(f.out_amount, 0)) OVER (
      PARTITION BY c.customer_id ORDER BY m.month DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
    + COALESCE(f.in_amount, 0) - COALESCE(f.out_amount, 0) AS deposit_end,
  COALESCE(w.wealth_average, 0) AS wealth_average,
  GREATEST(COALESCE(e.term_deposit_average, 0), CAST(
    COALESCE(d.deposit_balance, 0)
    - SUM(COALESCE(f.in_amount, 0) - COALESCE(f.out_amount, 0)) OVER (
      PARTITION BY c.customer_id ORDER BY m.month DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
    + COALESCE(f.weighted_net, 0) / m.days AS DECIMAL(18, 2))) + COALESCE(w.wealth_average, 0) AS aum_average,
  COALESCE(l.loan_balance, 0) AS loan_balance,
  COALESCE(f.in_amount, 0) AS in_amount,
  COALESCE(f.in_count, 0) AS in_count,
  COALESCE(f.out_amount, 0) AS out_amount,
  COALESCE(f.out_count, 0) AS out_count,
  COALESCE(f.external_bank_out_amount, 0) AS external_bank_out_amount,
  COALESCE(f.external_bank_in_amount, 0) AS external_bank_in_amount,
  COALESCE(f.third_party_pay_amount, 0) AS third_party_pay_amount,
  COALESCE(f.consumption_amount, 0) AS consumption_amount,
  COALESCE(f.payroll_amount, 0) AS payroll_amount,
  COALESCE(f.mobile_transaction_count, 0) AS mobile_transaction_count,
  COALESCE(f.customer_transaction_count, 0) AS customer_transaction_count,
  DATE_DIFF('day', MAX(f.last_customer_date) OVER (
    PARTITION BY c.customer_id ORDER BY m.month
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), m.month) AS days_since_customer_transaction
FROM customer AS c
JOIN months AS m ON m.month >= c.open_date
LEFT JOIN customer_flow AS f ON f.customer_id = c.customer_id AND f.month = m.month
LEFT JOIN deposit_now AS d ON d.customer_id = c.customer_id
LEFT JOIN term_month AS e ON e.customer_id = c.customer_id AND e.month = m.month
LEFT JOIN wealth_month AS w ON w.customer_id = c.customer_id AND w.month = m.month
LEFT JOIN loan_balance_month AS l ON l.customer_id = c.customer_id AND l.month = m.month
