-- 客户月度资金流
-- 口径：一行一个客户一个自然月，只有发生过交易的月份才有行。收入、支出按“对本行账户而言的方向”。
--   转往（来自）他行本人：对手类型为“本人他行”。第三方支付：渠道为“第三方支付”的支出。
--   消费支出：类型为“消费”的支出，只算流水里认得出来的，不含现金消费，故为下限。
--   主动交易：流水里标明“客户自己发起”的笔数；没有这个标记的银行不出这两列，不去猜。
-- 输入：transaction
-- 分区：月
-- 主键：month, customer_id
-- 空值：没有符合条件的交易，金额与笔数记 0；当月没有主动交易，最近主动交易日为空。
-- 单位：金额为元，先转成 DECIMAL(18,2) 再求和，任何引擎上分毫不差；加权净额为元×天。
-- 输出：
--   month                      month    月末日
--   customer_id                id       客户号
--   in_amount                  money    流入金额
--   in_count                   integer  流入笔数
--   out_amount                 money    流出金额
--   out_count                  integer  流出笔数
--   external_bank_out_amount   money    转往他行本人金额
--   external_bank_in_amount    money    他行本人转入金额
--   third_party_pay_amount     money    第三方支付金额
--   consumption_amount         money    消费支出
--   payroll_amount             money    代发工资额
--   mobile_transaction_count   integer  手机银行交易笔数
--   customer_transaction_count integer  主动交易笔数
--   last_customer_date         date     当月最近一次主动交易日
--   weighted_net               money    净流入乘以当月留存天数（含当天）之和
SELECT
  m.month AS month,
  t.customer_id AS customer_id,
  SUM(CASE WHEN t.direction = '收入' THEN CAST(t.amount AS DECIMAL(18, 2)) ELSE 0 END) AS in_amount,
  SUM(CASE WHEN t.direction = '收入' THEN 1 ELSE 0 END) AS in_count,
  SUM(CASE WHEN t.direction = '支出' THEN CAST(t.amount AS DECIMAL(18, 2)) ELSE 0 END) AS out_amount,
  SUM(CASE WHEN t.direction = '支出' THEN 1 ELSE 0 END) AS out_count,
  SUM(CASE WHEN t.direction = '支出' AND t.counterparty_type = '本人他行'
    THEN CAST(t.amount AS DECIMAL(18, 2)) ELSE 0 END) AS external_bank_out_amount,
  SUM(CASE WHEN t.direction = '收入' AND t.counterparty_type = '本人他行'
    THEN CAST(t.amount AS DECIMAL(18, 2)) ELSE 0 END) AS external_bank_in_amount,
  SUM(CASE WHEN t.direction = '支出' AND t.channel = '第三方支付'
    THEN CAST(t.amount AS DECIMAL(18, 2)) ELSE 0 END) AS third_party_pay_amount,
  SUM(CASE WHEN t.direction = '支出' AND t.kind = '消费'
    THEN CAST(t.amount AS DECIMAL(18, 2)) ELSE 0 END) AS consumption_amount,
  SUM(CASE WHEN t.direction = '收入' AND t.kind = '代发工资'
    THEN CAST(t.amount AS DECIMAL(18, 2)) ELSE 0 END) AS payroll_amount,
  SUM(CASE WHEN t.channel = '手机银行' THEN 1 ELSE 0 END) AS mobile_transaction_count,
  SUM(CASE WHEN t.customer_initiated THEN 1 ELSE 0 END) AS customer_transaction_count,
  MAX(CASE WHEN t.customer_initiated THEN t.date END) AS last_customer_date,
  SUM(
    CASE WHEN t.direction = '收入' THEN CAST(t.amount AS DECIMAL(18, 2))
      ELSE -CAST(t.amount AS DECIMAL(18, 2)) END
    * (m.days - EXTRACT(DAY FROM t.date) + 1)
  ) AS weighted_net
FROM transaction AS t
JOIN months AS m ON m.month = LAST_DAY(t.date)
GROUP BY m.month, t.customer_id
