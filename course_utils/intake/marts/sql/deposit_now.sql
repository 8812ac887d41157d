-- 客户存款余额（取数日）
-- 口径：该客户全部存款账户取数日余额之和；月末存款由它和流水倒推。
-- 输入：deposit_account
-- 分区：无
-- 主键：customer_id
-- 空值：没有存款账户的客户没有行，使用时当作 0。
-- 单位：元。
-- 输出：
--   customer_id      id     客户号
--   deposit_balance  money  取数日存款余额
SELECT a.customer_id AS customer_id, SUM(CAST(a.balance AS DECIMAL(18, 2))) AS deposit_balance
FROM deposit_account AS a
GROUP BY a.customer_id
