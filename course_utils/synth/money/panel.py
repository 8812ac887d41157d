"""The customer month: flows that add up to the cent, numbers of transactions, products, fees."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.balances import Balances
from course_utils.synth.money.book import FIRST, PANEL, Book, Deposits
from course_utils.synth.money.churn import Churn
from course_utils.synth.tools import logistic

#: Middle tier of the gold list, 元: T2 and T3.
MIDDLE = (50_000.0, 500_000.0)
#: Wallet shares below this are gold.
GOLD_SHARE = 0.25
Panel = dict[str, np.ndarray]


def _term_interest(book: Book, deposits: Deposits, rate_demand: np.ndarray) -> np.ndarray:
    """Return interest paid when time deposits close, cents (n, PANEL)."""
    interest = np.zeros((book.n, PANEL))
    days = np.minimum(deposits.close, deposits.maturity) - deposits.open
    month = np.searchsorted(book.panel_end, deposits.close) - 1
    inside = (month >= 0) & (month < PANEL)
    broken = deposits.close < deposits.maturity
    demand = rate_demand[month.clip(0, PANEL - 1)]
    rate = np.where(broken, demand, deposits.rate)
    paid = np.floor(deposits.amount * rate * days / 36500.0)
    np.add.at(interest, (deposits.customer[inside], month[inside]), paid[inside])
    return interest.astype(np.int64)


def _demand_interest(book: Book, balances: Balances, rate_demand: np.ndarray) -> np.ndarray:
    """Return interest on demand money, paid in the last month of a quarter, cents (n, PANEL)."""
    interest = np.zeros((book.n, PANEL), dtype=np.int64)
    for t in np.flatnonzero(book.months[FIRST:].month % 3 == 0):
        first = max(t - 2, 0)
        average = balances.demand_average[:, first : t + 1].mean(axis=1)
        interest[:, t] = np.floor(average * rate_demand[t] / 400.0)
    return interest


def _everyday(book: Book, rng: np.random.Generator, balances: Balances) -> np.ndarray:
    """Return everyday turnover (as much in as out), cents (n, PANEL), heavy across customers."""
    income = np.log(book.column("income_month", 6000.0).clip(min=500.0))
    size = book.column("business_size", 0.0)
    rate = book.arrays["activity"].mean(axis=1)
    habit = np.log(rate.clip(min=0.05))
    mean = np.log(330.0) + 0.6 * (income - 8.6) + 0.55 * (habit - habit.mean())
    mean = np.where(book.person, mean, np.log(6500.0) + 0.25 * (habit - habit.mean()))
    mean = mean + np.where(size > 0, 0.35 * (size - 10.9) + 0.9, 0.0)
    mean = mean + rng.normal(0, np.where(book.person, 0.7, 0.4))
    shock = np.zeros((book.n, PANEL))
    state = rng.normal(0, 1, book.n)
    for t in range(PANEL):
        state = 0.75 * state + np.sqrt(1 - 0.75**2) * rng.normal(0, 1, book.n)
        shock[:, t] = 1.3 * state + rng.normal(0, 0.35, book.n)
    count = book.arrays["everyday_count"]
    per_deal = np.exp(mean[:, None] + shock - 0.5 * np.log(rate.clip(min=1.0))[:, None])
    amount = per_deal * np.sqrt(count) * np.sqrt(rate.clip(min=1.0))[:, None] * 100
    return np.where((count > 0) & balances.busy, amount, 0.0).astype(np.int64)


def _wallet(book: Book, balances: Balances) -> tuple[np.ndarray, np.ndarray]:
    """Return yearly net money to own accounts elsewhere (cents, (n,)) and the gold marks.

    The gold customers are those of the middle tier with the smallest latent wallet share, so many
    that they are the planted part of the tier by weight; everyone else stays clearly above 25 %.
    """
    money = (balances.demand_average + balances.term_average + balances.wealth_average)[:, -3:]
    money = money.mean(axis=1)
    share = book.column("wallet_share", 0.6).clip(0.05, 0.99)
    lively = book.person & book.active & (balances.busy[:, -12:].sum(axis=1) >= 6)
    middle = book.person & (money >= MIDDLE[0] * 100) & (money < MIDDLE[1] * 100)
    wanted = book.sim.effects.value("m02_n04", "gold_wallet") * book.weight[middle].sum()
    pool = np.flatnonzero(middle & lively)
    pool = pool[np.argsort(share[pool], kind="stable")]
    taken = np.cumsum(book.weight[pool]) - book.weight[pool] / 2 <= wanted
    gold = np.zeros(book.n, dtype=bool)
    gold[pool[taken]] = True
    share = np.where(gold, np.minimum(share, 0.205), np.maximum(share, 0.26))
    odds = np.where(gold, 1.0 / share - 1.0, 0.45 * (1.0 / share - 1.0))
    return np.where(lively & (money >= 1_000_000), money * odds, 0.0), gold


def make_flows(
    book: Book, deposits: Deposits, balances: Balances, churn: Churn, demand_rate
) -> Panel:
    """Build all flow columns; every identity holds in whole cents.

    Returns
    -------
    dict of str to numpy.ndarray
        Arrays (n, PANEL) in cents or counts, by the column names of ``customer_month``.
    """
    rng = book.sim.rng("money.flows")
    on_demand = _demand_interest(book, balances, demand_rate)
    interest = on_demand + _term_interest(book, deposits, demand_rate)
    _credit_idle(book, balances, on_demand)
    total = balances.demand_end + balances.term_end
    change = np.diff(total, axis=1)
    wealth = np.diff(balances.wealth_end, axis=1)
    inflow = churn.payroll + interest + book.given("merchant_inflow") * book.exists()
    inflow += (-wealth).clip(min=0)
    instalment = book.given("loan_installment") * book.exists()
    outflow = wealth.clip(min=0) + instalment
    rest = change - inflow + outflow
    everyday = _everyday(book, rng, balances)
    yearly, gold = _wallet(book, balances)
    book.sim.arrays["gold_wallet"] = gold
    extra = _spread_over_year(rng, yearly, balances.busy)
    ext_in, ext_out, third = _outside(book, rng, everyday, rest, change, extra)
    more_in = everyday + rest.clip(min=0) + extra
    more_out = everyday + (-rest).clip(min=0) + extra
    in_amount, out_amount = inflow + more_in, outflow + more_out
    counts = _counts(
        book, rng, more_in, more_out, in_amount, out_amount, churn, interest, instalment
    )
    return {
        "deposit_open": total[:, :-1],
        "deposit_end": total[:, 1:],
        "in_amount": in_amount,
        "out_amount": out_amount,
        "external_bank_out_amount": ext_out,
        "external_bank_in_amount": ext_in,
        "third_party_pay_amount": third,
        "consumption_amount": _consumption(rng, everyday, third),
        "payroll_amount": churn.payroll,
        "interest": interest,
        **counts,
    }


def _credit_idle(book: Book, balances: Balances, interest: np.ndarray) -> None:
    """Leave interest on the accounts of customers who never come; all balances change in place."""
    stays = np.where(book.active[:, None] | balances.busy, 0, interest)
    gathered = np.cumsum(stays, axis=1)
    length = np.diff(book.panel_end)
    before = gathered - stays
    balances.demand_end[:, 1:] += gathered
    balances.smooth_end[:, 1:] += gathered
    balances.demand_average += before + (stays * ((length + 1) / (2 * length))).astype(np.int64)


def _spread_over_year(rng: np.random.Generator, yearly: np.ndarray, busy: np.ndarray) -> np.ndarray:
    """Spread yearly amounts over the busy months of each of the two years."""
    parts = rng.uniform(0.6, 1.4, busy.shape) * busy
    result = np.zeros(busy.shape, dtype=np.int64)
    for first in range(0, PANEL, 12):
        block = parts[:, first : first + 12]
        scale = yearly / block.sum(axis=1).clip(min=1e-9)
        result[:, first : first + 12] = np.rint(block * scale[:, None])
    return result


def _outside(book, rng, everyday, rest, change, extra) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return money from and to own accounts elsewhere and third-party payments, cents.

    A part of what really leaves or joins the balance goes to or comes from own accounts at other
    banks; wages and takings that are spent do not.
    """
    share = rng.beta(1.2, 7, book.n)[:, None] * rng.uniform(0.7, 1.3, everyday.shape)
    level = book.arrays["level"][:, FIRST + 1 :] * 100
    usual = np.minimum(share.clip(max=0.4) * everyday, 0.2 * level).astype(np.int64)
    leaving = np.minimum(-rest, -change).clip(min=0)
    coming = np.minimum(rest, change).clip(min=0)
    ext_out = usual + extra + (leaving * rng.uniform(0.3, 0.7, rest.shape)).astype(np.int64)
    ext_in = usual + (coming * rng.uniform(0.2, 0.6, rest.shape)).astype(np.int64)
    phone = logistic(-0.8 + 0.9 * book.column("digital")) * 0.55
    third = (everyday - usual) * phone[:, None] * rng.uniform(0.8, 1.2, everyday.shape)
    return ext_in, ext_out, third.astype(np.int64)


def _consumption(rng: np.random.Generator, everyday: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Return everyday spending that can be recognised (most third-party payments, some cards)."""
    card = (everyday - third).clip(min=0) * rng.uniform(0.05, 0.35, everyday.shape)
    return (0.8 * third + card).astype(np.int64)


def _counts(
    book, rng, more_in, more_out, in_amount, out_amount, churn, interest, instalment
) -> Panel:
    """Return numbers of transactions consistent with the amounts (none without money)."""
    count = book.arrays["everyday_count"]
    own_in = rng.binomial(count, 0.36)
    own_out = count - own_in
    own_in = np.where(more_in > 0, np.maximum(own_in, 1), 0)
    own_out = np.where(more_out > 0, np.maximum(own_out, 1), 0)
    merchant = book.given("merchant_inflow")
    settle = np.where(merchant > 0, rng.integers(18, 31, count.shape), 0)
    system_in = (churn.payroll > 0).astype(np.int64) + (interest > 0) + settle * book.exists()
    system_out = (instalment > 0).astype(np.int64) * book.exists()
    system_in = np.where(in_amount - more_in > 0, np.maximum(system_in, 1), 0)
    system_out = np.where(out_amount - more_out > 0, np.maximum(system_out, 1), 0)
    own_in = np.minimum(own_in, more_in)
    own_out = np.minimum(own_out, more_out)
    system_in = np.minimum(system_in, in_amount - more_in)
    own = own_in + own_out
    phone = (book.column("digital") * 0.9 - 0.3)[:, None] + rng.normal(0, 0.3, count.shape)
    mobile = rng.binomial(own, 0.75 * logistic(phone))
    mobile = np.where(churn.login_days > 0, mobile, 0)
    return {
        "in_count": own_in + system_in,
        "out_count": own_out + system_out,
        "customer_transaction_count": own,
        "days_since_customer_transaction": _days_since(book, rng, own),
        "mobile_login_days": churn.login_days,
        "mobile_transaction_count": mobile,
    }


def _days_since(book: Book, rng: np.random.Generator, own: np.ndarray) -> np.ndarray:
    """Return days from the last customer transaction to each month end (−1: never seen)."""
    length = np.diff(book.panel_end)
    age = (book.panel_end[0] - book.opened).clip(min=0)
    before = rng.uniform(200, 1500, book.n)
    since = np.where(book.active, rng.uniform(0, 60, book.n), before)
    since = np.where(age > 0, np.minimum(since, age), -1).astype(np.int64)
    result = np.zeros(own.shape, dtype=np.int64)
    for t in range(PANEL):
        gap = np.floor(length[t] * (1 - rng.random(book.n) ** (1.0 / own[:, t].clip(min=1))))
        age = book.panel_end[t + 1] - book.opened
        new = np.minimum(gap.astype(np.int64), age)
        since = np.where(own[:, t] > 0, new, np.where(since >= 0, since + length[t], -1))
        result[:, t] = since
    return result


def products(book: Book, balances: Balances, flows: Panel) -> np.ndarray:
    """Return the number of kinds of products held at each month end (n, PANEL)."""
    people = book.people
    fixed = people["uses_mobile"].to_numpy(dtype=np.int64) + people["is_merchant"].to_numpy(
        np.int64
    )
    fixed = fixed + people["has_vehicle"].to_numpy(dtype=np.int64) * (book.column("digital") > 0.3)
    count = 1 + fixed[:, None] + (balances.term_end[:, 1:] > 0) + (balances.wealth_end[:, 1:] > 0)
    count = count + (flows["payroll_amount"] > 0) + (book.given("loan_balance") > 0)
    return np.where(book.exists(), count, 0)


def fees(book: Book, balances: Balances, flows: Panel) -> np.ndarray:
    """Return fee income in cents: wealth products, merchants, transfers, safe keeping."""
    rng = book.sim.rng("money.fees")
    wealth = balances.wealth_average * 0.004 / 12
    merchant = book.given("merchant_inflow") * 0.0012
    transfer = np.minimum(flows["external_bank_out_amount"] * 0.0002, 5_000)
    card = np.minimum(flows["third_party_pay_amount"] * 0.0006, 8_000)
    small = rng.uniform(0.7, 1.3, wealth.shape)
    return np.rint((wealth + merchant + transfer + card) * small).astype(np.int64) * book.exists()


def month_table(book: Book, balances: Balances, flows: Panel) -> pd.DataFrame:
    """Return table ``customer_month``: one row a customer a month since he came."""
    keep = book.exists().T.ravel()
    customer = book.people["customer_id"].to_numpy(dtype=object)
    months = np.asarray(book.months[FIRST:].values, dtype="datetime64[s]")

    def long(values: np.ndarray) -> np.ndarray:
        return values.T.ravel()[keep]

    def yuan(values: np.ndarray) -> np.ndarray:
        return long(values) / 100

    since = long(flows["days_since_customer_transaction"])
    columns: dict[str, object] = {
        "month": np.repeat(months, book.n)[keep],
        "customer_id": np.tile(customer, PANEL)[keep],
        "demand_deposit_average": yuan(balances.demand_average),
        "term_deposit_average": yuan(balances.term_average),
        "deposit_open": yuan(flows["deposit_open"]),
        "deposit_end": yuan(flows["deposit_end"]),
        "wealth_average": yuan(balances.wealth_average),
        "aum_average": yuan(
            balances.demand_average + balances.term_average + balances.wealth_average
        ),
        "loan_balance": yuan(book.given("loan_balance")),
    }
    for name in ("in", "out"):
        columns[f"{name}_amount"] = yuan(flows[f"{name}_amount"])
        columns[f"{name}_count"] = long(flows[f"{name}_count"])
    for name in (
        "external_bank_out_amount",
        "external_bank_in_amount",
        "third_party_pay_amount",
        "consumption_amount",
        "payroll_amount",
    ):
        columns[name] = yuan(flows[name])
    columns["mobile_login_days"] = long(flows["mobile_login_days"])
    columns["mobile_transaction_count"] = long(flows["mobile_transaction_count"])
    columns["product_count"] = long(flows["product_count"])
    columns["fee_income"] = yuan(flows["fee_income"])
    columns["customer_transaction_count"] = long(flows["customer_transaction_count"])
    columns["days_since_customer_transaction"] = pd.array(
        np.where(since < 0, 0, since), dtype="Int64"
    )
    frame = pd.DataFrame(columns, copy=False)
    frame.loc[since < 0, "days_since_customer_transaction"] = pd.NA
    return frame
