"""The statement table: a sample of customers, twelve months, split top-down from customer_month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.behaviour import names as nm
from course_utils.synth.behaviour.month import Context, day_weights, month_rows
from course_utils.synth.behaviour.plan import Panel, draw
from course_utils.synth.tools import ids
from course_utils.synth.trade.draw import coded, systematic_uniform

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

SAMPLE_SHARE = 0.15  # 3 000 of 20 000 persons
MONTHS = 12
PERIODIC_PRECISION = 0.93


def sample_rows(sim: Simulation, customers: int | None = None) -> np.ndarray:
    """Return positions in ``sim.people`` of the customers whose statements are written.

    Parameters
    ----------
    sim : Simulation
        The bank.
    customers : int, optional
        How many; by default 15 % of all.
    """
    total = len(sim.people)
    wanted = round(SAMPLE_SHARE * sim.profile.persons) if customers is None else customers
    chance = min(wanted / total, 1.0)
    return np.flatnonzero(systematic_uniform(sim.rng("transaction.sample"), total) < chance)


class MonthPanel:
    """Wide panels of customer_month for some customers; cells without a row are zero.

    Parameters
    ----------
    sim : Simulation
        The bank.
    rows : numpy.ndarray
        Positions in ``sim.people``.
    months : int
        How many of the latest months.
    """

    def __init__(self, sim: Simulation, rows: np.ndarray, months: int) -> None:
        table = sim.tables["customer_month"]
        last = sim.months(months).to_numpy().astype("datetime64[D]")
        when = np.searchsorted(last, table["month"].to_numpy().astype("datetime64[D]"))
        recent = np.flatnonzero(table["month"].to_numpy().astype("datetime64[D]") >= last[0])
        place = np.full(len(sim.people), -1)
        place[rows] = np.arange(len(rows))
        customer = pd.Index(sim.people["customer_id"])
        where = place[customer.get_indexer(table["customer_id"].to_numpy()[recent])]
        self._rows = recent[where >= 0]
        self._where = where[where >= 0]
        self._when = when[self._rows]
        self._shape = (len(rows), months)
        self._table = table

    def values(self, column: str) -> np.ndarray:
        """Return a column as floats, ``[customers, months]``."""
        panel = np.zeros(self._shape)
        source = self._table[column].to_numpy(dtype=float, na_value=0.0)
        panel[self._where, self._when] = source[self._rows]
        return panel

    def counts(self, column: str) -> np.ndarray:
        """Return a column of whole numbers."""
        return self.values(column).astype(np.int64)

    def cents(self, column: str) -> np.ndarray:
        """Return a money column in integer cents."""
        return np.rint(self.values(column) * 100).astype(np.int64)


def build_panel(sim: Simulation, rows: np.ndarray) -> Panel:
    """Collect the panel of the chosen customers.

    Raises
    ------
    ValueError
        If the money panel has an amount without payments or more payments than cents.
    """

    month = MonthPanel(sim, rows, MONTHS)

    def array(name: str) -> np.ndarray:
        values = sim.arrays.get(name)
        if values is None:
            return np.zeros((len(rows), MONTHS), dtype=np.int64)
        return np.rint(values[rows, -MONTHS:] * 100).astype(np.int64)

    panel = Panel(
        in_cents=month.cents("in_amount"),
        in_count=month.counts("in_count"),
        out_cents=month.cents("out_amount"),
        out_count=month.counts("out_count"),
        payroll=month.cents("payroll_amount"),
        external_in=month.cents("external_bank_in_amount"),
        external_out=month.cents("external_bank_out_amount"),
        third_party=month.cents("third_party_pay_amount"),
        wealth=month.cents("wealth_average"),
        mobile_count=month.counts("mobile_transaction_count"),
        installment=array("loan_installment"),
        acquiring=array("merchant_inflow"),
        passive_in=month.counts("in_count"),
    )
    own = month.counts("customer_transaction_count")
    panel.passive_in += panel.out_count - own - (panel.installment > 0)
    panel.passive_in.clip(0, panel.in_count, out=panel.passive_in)
    for amount, count in (
        (panel.in_cents, panel.in_count),
        (panel.out_cents, panel.out_count),
    ):
        if ((amount < count) | ((amount > 0) & (count == 0))).any():
            raise ValueError("customer_month: an amount and its number of payments do not fit")
    return panel


def transaction_chunks(
    sim: Simulation, customers: int | None = None
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Yield the statements month by month, so that any size fits in memory.

    Parameters
    ----------
    sim : Simulation
        The bank after the money generator.
    customers : int, optional
        Number of customers; by default 15 % of all.

    Yields
    ------
    tuple
        The month's rows of the contract table ``transaction`` and their latent sort (int8 codes
        of `names.TRUTHS`, same order). For each customer, month and direction amounts and numbers
        of payments add up exactly to customer_month.
    """
    rows = sample_rows(sim, customers)
    panel = build_panel(sim, rows)
    plan = draw(sim, rows, panel)
    customer = sim.people["customer_id"].to_numpy()[rows]
    opened = sim.people["open_date"].to_numpy().astype("datetime64[D]")[rows]
    written = 0
    for number, end in enumerate(sim.months(MONTHS)):
        first = end.to_datetime64().astype("datetime64[M]").astype("datetime64[D]")
        dates = first + np.arange(end.day)
        context = Context(
            rng=sim.rng(f"transaction.{number}"),
            month=number,
            days=end.day,
            weights=day_weights(dates),
            calendar_month=end.month,
            panel=panel,
            plan=plan,
            precision=sim.effects.value("m03_n03", "kw_precision"),
            precision_periodic=PERIODIC_PRECISION,
        )
        columns = month_rows(context)
        earliest = ((opened - first).astype(np.int64) + 1).clip(1, end.day)
        columns["day"] = np.maximum(columns["day"], earliest[columns["who"]])
        order = np.lexsort((columns["who"], columns["hour"], columns["day"]))
        columns = {name: values[order] for name, values in columns.items()}
        yield _frame(columns, customer, first, written), columns["truth"]
        written += len(order)


def _frame(
    columns: dict[str, np.ndarray], customer: np.ndarray, first: np.datetime64, written: int
) -> pd.DataFrame:
    """Return the public columns of one month."""
    count = len(columns["who"])
    passive = np.array([kind in nm.PASSIVE_KINDS for kind in nm.KINDS])
    settled = (columns["channel"] == nm.CHANNEL["收单"]) & (columns["out"] == 0)
    date = first + (columns["day"] - 1).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "transaction_id": ids("X", np.arange(written + 1, written + count + 1), 9),
            "customer_id": customer[columns["who"]],
            "date": date.astype("datetime64[s]"),
            "hour": columns["hour"].astype(np.int64),
            "amount": columns["cents"] / 100,
            "direction": coded(columns["out"], ("收入", "支出")),
            "kind": coded(columns["kind"], nm.KINDS),
            "channel": coded(columns["channel"], nm.CHANNELS),
            "counterparty_name": coded(columns["name"], nm.ALL_NAMES),
            "counterparty_type": coded(columns["party"], nm.PARTIES),
            "memo": coded(columns["memo"], nm.MEMOS),
            "customer_initiated": ~(passive[columns["kind"]] | settled),
        }
    )


def generate(sim: Simulation) -> None:
    """Write ``transaction`` and, for later generators, ``sim.arrays["transaction_truth"]``.

    The latent frame has the columns transaction_id and truth (one of `names.TRUTHS`), row by row
    as the table.
    """
    frames, truths = [], []
    for frame, truth in transaction_chunks(sim):
        frames.append(frame)
        truths.append(truth)
    table = pd.concat(frames, ignore_index=True)
    truth = np.concatenate(truths)
    sim.tables["transaction"] = table
    sim.arrays["transaction_truth"] = pd.DataFrame(
        {"transaction_id": table["transaction_id"], "truth": coded(truth, nm.TRUTHS)}
    )
    record(sim, table, truth)


def keyword_hits(table: pd.DataFrame) -> np.ndarray:
    """Return which outgoing payments have a lender keyword in the payee's name."""
    words = [word for word, kind, _ in nm.LENDER_KEYWORDS if kind in nm.ONLINE_KINDS]
    names = table["counterparty_name"].astype("category")
    found = names.cat.categories.str.contains("|".join(words), regex=True)
    codes = names.cat.codes.to_numpy()
    return (
        np.where(codes >= 0, np.asarray(found)[codes], False)
        & (table["direction"] == "支出").to_numpy()
    )


def record(sim: Simulation, table: pd.DataFrame, truth: np.ndarray) -> None:
    """Write the realised truths of the statements."""
    hit = keyword_hits(table)
    repay = truth == nm.TRUTH["网贷还款"]
    sim.record(
        "m03_n03",
        "kw_precision",
        {
            "keyword": float(repay[hit].mean()) if hit.any() else float("nan"),
            "recall": float(hit[repay].mean()) if repay.any() else float("nan"),
            "repayments": int(repay.sum()),
        },
        "只用关键词判断网贷还款的准确率与召回率",
    )
    false_friend = (table["counterparty_name"] == nm.FALSE_FRIEND).to_numpy()
    sim.record(
        "m03_n03",
        "false_friend",
        int(false_friend.any()),
        f"对手名称“{nm.FALSE_FRIEND}”不是放贷机构",
    )
    people = sim.people
    active = (
        people["active"].to_numpy(dtype=bool)
        & (people["customer_type"].astype(str) != "企业").to_numpy()
    )
    share = people["uses_online_loan"].to_numpy(dtype=bool)[active].mean()
    sim.record("m03_n03", "online_users", float(share), "活跃个人中使用网贷的比例（潜在）")
