"""Rules between columns and between tables, as a list: one query each, for rows that break it.

A query names tables in braces (``{loan}``) and returns ``_file``, ``_row`` and a text that the
report shows. Amounts are compared to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Relation:
    """One rule.

    Parameters
    ----------
    code : str
        Code of the catalogue.
    table, column : str
        Where a row that breaks it is reported.
    needs : mapping of str to tuple of str
        Table → columns; the rule is passed over if the bank lacks one of them.
    sql : str
        Query; ``$as_of`` stands for the last day that is known.
    """

    code: str
    table: str
    column: str
    sql: str
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _order(table: str, first: str, second: str) -> Relation:
    """`second` must not lie before `first`."""
    sql = (
        f"SELECT _file, _row, {first}::DATE || ' → ' || {second}::DATE AS shown "
        f"FROM {{{table}}} WHERE {second} < {first}"
    )
    return Relation("end_before_start", table, second, sql, {table: (first, second)})


def _opening(table: str, date: str, key: str, parent: str, opening: str) -> Relation:
    """Nothing happens to a thing before it exists."""
    sql = (
        f"SELECT t._file, t._row, t.{date}::DATE || ' < ' || p.{opening}::DATE AS shown "
        f"FROM {{{table}}} t JOIN {{{parent}}} p USING ({key}) WHERE t.{date} < p.{opening}"
    )
    needs = {table: (date, key), parent: (opening, key)}
    return Relation("before_opening", table, date, sql, needs)


def _closing(
    table: str, date: str, key: str, parent: str, closing: str, condition: str, extra: str = ""
) -> Relation:
    """Nothing happens to a thing after the month in which it has ended."""
    sql = (
        f"SELECT t._file, t._row, t.{date}::DATE || ' > ' || p.{closing}::DATE AS shown "
        f"FROM {{{table}}} t JOIN {{{parent}}} p USING ({key}) "
        f"WHERE t.{date} > last_day(p.{closing}) AND {condition}"
    )
    needs = {table: (date, key, *extra.split()), parent: (closing, key)}
    return Relation("after_closing", table, date, sql, needs)


def _settled(table: str, end: str) -> Relation:
    """What has ended has no balance."""
    sql = (
        f"SELECT _file, _row, {end}::DATE || '：' || balance AS shown FROM {{{table}}} "
        f"WHERE {end} <= $as_of AND balance > 0"
    )
    return Relation("closed_with_balance", table, "balance", sql, {table: (end, "balance")})


_DEPOSITS = """
WITH last AS (SELECT max(month) AS month FROM {customer_month} WHERE month <= $as_of),
held AS (SELECT customer_id, sum(balance) AS balance FROM {deposit_account} GROUP BY customer_id)
SELECT m._file, m._row, m.deposit_end || ' ≠ ' || coalesce(h.balance, 0) AS shown
FROM {customer_month} m JOIN last USING (month) LEFT JOIN held h USING (customer_id)
WHERE abs(m.deposit_end - coalesce(h.balance, 0)) >= 0.01"""
_CARRIED = """
WITH ends AS (
    SELECT customer_id, last_day(month + INTERVAL 1 DAY) AS month, deposit_end
    FROM {customer_month})
SELECT m._file, m._row, m.deposit_open || ' ≠ ' || e.deposit_end AS shown
FROM {customer_month} m JOIN ends e USING (customer_id, month)
WHERE abs(m.deposit_open - e.deposit_end) >= 0.01"""
_FLOWS = """
SELECT _file, _row, (deposit_open + in_amount - out_amount) || ' ≠ ' || deposit_end AS shown
FROM {customer_month}
WHERE abs(deposit_open + in_amount - out_amount - deposit_end) >= 0.01"""
_AUM = """
SELECT _file, _row, (demand_deposit_average + term_deposit_average + wealth_average)
    || ' ≠ ' || aum_average AS shown
FROM {customer_month}
WHERE abs(demand_deposit_average + term_deposit_average + wealth_average - aum_average) >= 0.02"""
_LOAN_NOW = """
SELECT l._file, l._row, l.balance || ' ≠ ' || m.balance AS shown
FROM {loan} l JOIN {loan_month} m USING (loan_id)
WHERE m.month = last_day($as_of) AND last_day($as_of) = $as_of
    AND abs(l.balance - m.balance) >= 0.01"""
_LOAN_MONTH = """
WITH owed AS (
    SELECT m.month, l.customer_id, sum(m.balance) AS balance
    FROM {loan_month} m JOIN {loan} l USING (loan_id) GROUP BY ALL),
first AS (SELECT min(month) AS month FROM {loan_month})
SELECT c._file, c._row, c.loan_balance || ' ≠ ' || coalesce(o.balance, 0) AS shown
FROM {customer_month} c CROSS JOIN first f LEFT JOIN owed o
    ON o.month = c.month AND o.customer_id = c.customer_id
WHERE c.month >= f.month AND abs(c.loan_balance - coalesce(o.balance, 0)) >= 0.01"""
_MERCHANT = """
WITH days AS (
    SELECT merchant_id, last_day(date) AS month, sum(transaction_amount) AS amount
    FROM {merchant_day} GROUP BY ALL),
span AS (SELECT min(date) AS first, max(date) AS last FROM {merchant_day})
SELECT m._file, m._row, m.transaction_amount || ' ≠ ' || d.amount AS shown
FROM {merchant_month} m JOIN days d USING (merchant_id, month) CROSS JOIN span
WHERE date_trunc('month', month) >= span.first AND month <= span.last
    AND abs(m.transaction_amount - d.amount) >= 0.01"""
_DRAWN = """
SELECT _file, _row, balance || ' > ' || amount AS shown FROM {loan} WHERE balance > amount"""
_AFTER_SETTLE = """
SELECT r._file, r._row, r.paid_date::DATE || ' > ' || l.settle_date::DATE AS shown
FROM {repayment} r JOIN {loan} l USING (loan_id)
WHERE r.paid_date > l.settle_date AND r.paid_amount > 0"""

_FLOW_COLUMNS = ("deposit_open", "in_amount", "out_amount", "deposit_end")
_AVERAGES = ("demand_deposit_average", "term_deposit_average", "wealth_average", "aum_average")

RELATIONS: tuple[Relation, ...] = (
    _order("employee", "hire_date", "leave_date"),
    _order("customer_manager_history", "from_date", "to_date"),
    _order("customer_product_history", "from_date", "to_date"),
    _order("consent", "date", "expire_date"),
    _order("deposit_account", "open_date", "maturity_date"),
    _order("deposit_account", "open_date", "close_date"),
    _order("wealth_holding", "start_date", "end_date"),
    _order("loan", "issue_date", "maturity_date"),
    _order("loan", "issue_date", "settle_date"),
    _order("loan_application", "start_time", "end_time"),
    _order("merchant", "open_date", "close_date"),
    _order("campaign", "start_date", "end_date"),
    _order("target", "period_start", "period_end"),
    _opening("deposit_account", "open_date", "customer_id", "customer", "open_date"),
    _opening("loan", "issue_date", "customer_id", "customer", "open_date"),
    _opening("transaction", "date", "customer_id", "customer", "open_date"),
    _opening("loan_month", "month", "loan_id", "loan", "issue_date"),
    _opening("repayment", "due_date", "loan_id", "loan", "issue_date"),
    _opening("merchant_month", "month", "merchant_id", "merchant", "open_date"),
    _opening("merchant_day", "date", "merchant_id", "merchant", "open_date"),
    _closing("loan_month", "month", "loan_id", "loan", "settle_date", "t.balance > 0", "balance"),
    _closing("merchant_day", "date", "merchant_id", "merchant", "close_date",
             "t.transaction_amount > 0", "transaction_amount"),
    _settled("deposit_account", "close_date"),
    _settled("loan", "settle_date"),
    Relation("balance_over_amount", "loan", "balance", _DRAWN, {"loan": ("balance", "amount")}),
    Relation("paid_after_settled", "repayment", "paid_date", _AFTER_SETTLE,
             {"repayment": ("loan_id", "paid_date", "paid_amount"),
              "loan": ("loan_id", "settle_date")}),
    Relation("deposit_balance", "customer_month", "deposit_end", _DEPOSITS,
             {"customer_month": ("month", "customer_id", "deposit_end"),
              "deposit_account": ("customer_id", "balance")}),
    Relation("deposit_carried", "customer_month", "deposit_open", _CARRIED,
             {"customer_month": ("month", "customer_id", "deposit_open", "deposit_end")}),
    Relation("deposit_flow", "customer_month", "deposit_end", _FLOWS,
             {"customer_month": _FLOW_COLUMNS}),
    Relation("aum_sum", "customer_month", "aum_average", _AUM, {"customer_month": _AVERAGES}),
    Relation("loan_balance", "loan", "balance", _LOAN_NOW,
             {"loan": ("loan_id", "balance"), "loan_month": ("loan_id", "month", "balance")}),
    Relation("customer_loan_balance", "customer_month", "loan_balance", _LOAN_MONTH,
             {"customer_month": ("month", "customer_id", "loan_balance"),
              "loan_month": ("month", "loan_id", "balance"), "loan": ("loan_id", "customer_id")}),
    Relation("merchant_amount", "merchant_month", "transaction_amount", _MERCHANT,
             {"merchant_month": ("month", "merchant_id", "transaction_amount"),
              "merchant_day": ("date", "merchant_id", "transaction_amount")}),
)  # fmt: skip

#: Code → Chinese name, problem, how to mend.
SENTENCES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "end_before_start": ("结束早于开始", "结束日期早于同一行的开始日期", "核对这两个日期"),
        "before_opening": ("早于开户", "早于所属客户、借据或商户的建档（发放、签约）日",
                           "核对日期和编号；系统迁移造成的可以不改"),
        "after_closing": ("晚于结清或解约", "结清或解约之后仍有发生额或余额", "核对日期和状态"),
        "closed_with_balance": ("销户仍有余额", "已经销户或结清，余额却不是零", "核对状态和余额"),
        "balance_over_amount": ("余额大于金额", "贷款余额大于发放金额", "核对单位和串列"),
        "paid_after_settled": ("结清后还款", "还款日晚于借据的结清日", "核对结清日和还款日"),
        "deposit_balance": ("存款余额对不上", "月末存款不等于名下各账户余额之和",
                            "核对两张表的取数日和口径"),
        "deposit_carried": ("月初月末接不上", "月初存款不等于上月月末存款", "核对两个月的取数口径"),
        "deposit_flow": ("收支与余额对不上", "月初存款加流入减流出不等于月末存款",
                         "核对流入、流出是否漏了交易类型"),
        "aum_sum": ("日均合计对不上", "活期、定期、理财三项日均之和不等于月日均资产",
                    "核对三项的口径"),
        "loan_balance": ("贷款余额对不上", "借据余额不等于同一天贷款月度表的余额",
                         "核对两张表的取数日"),
        "customer_loan_balance": ("客户贷款对不上", "客户月末贷款不等于名下借据月末余额之和",
                                  "核对两张表的取数范围"),
        "merchant_amount": ("商户流水对不上", "商户月度交易额不等于各日交易额之和",
                            "核对两张表的口径和取数范围"),
    }
)  # fmt: skip
