"""Table ``deposit_account``: demand accounts, corporate openings, time deposits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.balances import Balances
from course_utils.synth.money.book import FIRST, OPEN, PANEL, Book, Deposits, as_dates
from course_utils.synth.money.rates import RateBook
from course_utils.synth.tools import ids

KIND = np.array(["活期", "定期", "大额存单", "通知"], dtype=object)
CHANNEL = np.array(["柜面", "手机银行", "自动转存", "未处理"], dtype=object)
#: Part of the corporate accounts opened in two years that are second accounts.
SECOND_SHARE = 0.45
#: Part of the dead accounts that two branches opened near a quarter end.
DEAD_FOCUS = 0.75


def corporate_openings(book: Book) -> dict[str, np.ndarray]:
    """Plan the corporate demand accounts: first accounts, second accounts, dead ones.

    Returns
    -------
    dict of str to numpy.ndarray
        ``customer``, ``open`` (day), ``second`` and ``dead`` marks, one entry an account.
    """
    rng = book.sim.rng("money.corporate")
    firm = np.flatnonzero(~book.person)
    since = book.month_end[-1] - 730
    young = firm[book.opened[firm] > since]
    count = max(int(len(young) * SECOND_SHARE / (1 - SECOND_SHARE)), int(0.14 * len(firm)))
    old = firm[book.opened[firm] <= since]
    if not len(firm):
        empty = np.zeros(0, dtype=np.int64)
        return {"customer": empty, "open": empty, "second": empty > 0, "dead": empty > 0}
    sizes = np.bincount(book.branch[old], minlength=book.branches)
    focus = np.argsort(-sizes, kind="stable")[:2]
    second, quick = _choose_second(book, rng, old, focus, min(count, len(old)), len(young))
    opened = since + 1 + rng.integers(0, 728, len(second))
    quarter = [
        end
        for end, month in zip(book.month_end[FIRST + 1 :], book.months[FIRST:].month, strict=True)
        if month % 3 == 0
    ]
    quarter = np.asarray([end for end in quarter if end < book.month_end[-1] - 95])
    late = quarter[rng.integers(0, len(quarter), len(second))] - rng.integers(0, 10, len(second))
    opened = np.where(quick, late, opened)
    customer = np.concatenate([firm, second])
    day = np.concatenate([book.opened[firm], opened])
    extra = np.arange(len(customer)) >= len(firm)
    dead = _choose_dead(
        book, rng, customer, day, extra, np.concatenate([np.zeros(len(firm), bool), quick]), since
    )
    return {"customer": customer, "open": day, "second": extra, "dead": dead}


def _choose_second(book, rng, old, focus, count, young) -> tuple[np.ndarray, np.ndarray]:
    """Choose who opens a second account; the two focus branches do it at quarter ends."""
    dead_wish = book.sim.effects.value("m02_n05", "dead_accounts") * (count + young) * 0.87
    at_focus = rng.permutation(old[np.isin(book.branch[old], focus)])
    quick = at_focus[: min(int(dead_wish * DEAD_FOCUS), len(at_focus), count)]
    others = rng.permutation(np.setdiff1d(old, quick))[: count - len(quick)]
    second = np.concatenate([quick, others])
    return second, np.arange(len(second)) < len(quick)


def _choose_dead(book, rng, customer, day, extra, quick, since) -> np.ndarray:
    """Mark the planted part of the judgeable new accounts as dead after ninety days."""
    last = book.month_end[-1]
    new = (day > since) & (day <= last - 90)
    wanted = round(book.sim.effects.value("m02_n05", "dead_accounts") * new.sum())
    order = np.argsort(
        -(2.0 * quick + 0.6 * extra + rng.random(len(day))) - 9.0 * new, kind="stable"
    )
    dead = np.zeros(len(day), dtype=bool)
    dead[order[:wanted]] = True
    return dead & new


def demand_accounts(book: Book, balances: Balances, own: RateBook) -> pd.DataFrame:
    """Return the demand accounts; a customer's accounts add up to his demand money to the cent."""
    rng = book.sim.rng("money.demand")
    firm = corporate_openings(book)
    person = np.flatnonzero(book.person)
    customer = np.concatenate([person, firm["customer"]])
    opened = np.concatenate([book.opened[person], firm["open"]])
    second = np.concatenate([np.zeros(len(person), bool), firm["second"]])
    dead = np.concatenate([np.zeros(len(person), bool), firm["dead"]])
    share = np.where(second, np.where(dead, 0.0, rng.uniform(0.02, 0.3, len(customer))), 0.0)
    money = balances.demand_end[customer, -1]
    balance = (money * share).astype(np.int64)
    given = np.bincount(customer[second], balance[second], minlength=book.n).astype(np.int64)
    balance = np.where(second, balance, money - given[customer])
    corporate = ~book.person[customer]
    recent = corporate & (opened > book.month_end[-1] - 731)
    known = recent & (opened <= book.month_end[-1] - 90)
    rate = book.arrays["activity"].mean(axis=1)[customer].clip(min=2.0)
    count = np.where(dead, rng.integers(0, 2, len(customer)), 2 + rng.poisson(2.2 * rate))
    average = np.where(
        dead,
        rng.uniform(0, 300_00, len(customer)),
        _average_90d(book, balances, customer, opened, rng),
    )
    average = np.where(second & ~dead, average * share, average)
    first = np.where(dead, 100_00, rng.choice([10, 100, 1000, 5000, 10000], len(customer)) * 100)
    kinds = np.where(
        second, rng.choice(["一般户", "专用户"], len(customer), p=[0.85, 0.15]), "基本户"
    )
    frame = _frame(len(customer))
    frame["customer"], frame["open"], frame["amount"] = customer, opened, first
    frame["balance"], frame["kind"] = balance, 0
    frame["rate"] = own.one("活期", 0, np.full(1, book.month_end[-1]))[0]
    frame["corporate_account_kind"] = np.where(corporate, kinds, None)
    frame["transaction_count_90d"] = np.where(known, count, -1)
    frame["balance_average_90d"] = np.where(known, np.rint(average), -1)
    return frame


def _average_90d(book, balances, customer, opened, rng) -> np.ndarray:
    month = (np.searchsorted(book.panel_end, opened) + 1).clip(0, PANEL - 1)
    seen = balances.demand_average[customer, month].astype(float)
    return seen * rng.uniform(0.5, 1.0, len(customer))


def _frame(n: int) -> pd.DataFrame:
    """Return an empty frame of account rows with the defaults of a demand account."""
    return pd.DataFrame(
        {
            "term": np.zeros(n, dtype=np.int64),
            "maturity": OPEN,
            "close": OPEN,
            "auto": -1,
            "source": -1,
            "kept": -1,
            "channel": -1,
        }
    )


def time_accounts(book: Book, deposits: Deposits) -> pd.DataFrame:
    """Return the time deposits in the internal form of `_frame`."""
    frame = _frame(len(deposits))
    for name in (
        "customer",
        "open",
        "amount",
        "kind",
        "term",
        "maturity",
        "close",
        "rate",
        "source",
        "channel",
    ):
        frame[name] = deposits.columns[name]
    frame["auto"] = deposits.auto.astype(np.int64)
    known = deposits.maturity <= book.month_end[-1] - 30
    frame["kept"] = np.where(known & (deposits.close <= deposits.maturity), deposits.kept, -1)
    frame["channel"] = np.where(known, deposits.channel, -1)
    frame["balance"] = np.where(deposits.close == OPEN, deposits.amount, 0)
    frame["corporate_account_kind"] = None
    frame["transaction_count_90d"] = -1
    frame["balance_average_90d"] = -1.0
    return frame


def account_table(
    book: Book, demand: pd.DataFrame, term: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the contract table ordered by opening, and the account id of each time deposit."""
    both = pd.concat([demand, term], ignore_index=True)
    order = np.argsort(both["open"].to_numpy(), kind="stable")
    number = np.empty(len(both), dtype=np.int64)
    number[order] = np.arange(1, len(both) + 1)
    name = ids("A", number, 8)
    term_id = name[len(demand) :]
    source = both["source"].to_numpy()
    kind, term_months = both["kind"].to_numpy(), both["term"].to_numpy()
    table = pd.DataFrame(
        {
            "account_id": name,
            "customer_id": book.people["customer_id"].to_numpy(dtype=object)[both["customer"]],
            "branch_id": book.people["branch_id"].to_numpy(dtype=object)[both["customer"]],
            "kind": KIND[kind],
            "term_months": _nullable(term_months, term_months == 0),
            "open_date": as_dates(both["open"].to_numpy()),
            "maturity_date": as_dates(
                both["maturity"].to_numpy(), both["maturity"].to_numpy() == OPEN
            ),
            "close_date": as_dates(both["close"].to_numpy(), both["close"].to_numpy() == OPEN),
            "amount": both["amount"].to_numpy() / 100,
            "balance": both["balance"].to_numpy() / 100,
            "rate": both["rate"].to_numpy(dtype=float),
            "auto_renew": pd.array(
                np.where(kind == 0, None, both["auto"].to_numpy() == 1), "boolean"
            ),
            "renewed_from": np.where(
                source >= 0, term_id[source.clip(min=0)] if len(term_id) else "", None
            ),
            "kept_amount_30d": _money(both["kept"].to_numpy()),
            "settle_channel": np.where(
                both["channel"] < 0, None, CHANNEL[both["channel"].clip(lower=0)]
            ),
            "corporate_account_kind": both["corporate_account_kind"].to_numpy(dtype=object),
            "transaction_count_90d": _nullable(
                both["transaction_count_90d"].to_numpy(),
                both["transaction_count_90d"].to_numpy() < 0,
            ),
            "balance_average_90d": _money(both["balance_average_90d"].to_numpy()),
        }
    )
    return table.iloc[order].reset_index(drop=True), term_id


def _nullable(values: np.ndarray, missing: np.ndarray) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(
        np.where(missing, 0, values).astype(np.int64), np.asarray(missing)
    )


def _money(cents: np.ndarray) -> np.ndarray:
    return np.where(cents < 0, np.nan, cents / 100)
