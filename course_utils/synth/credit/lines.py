"""Credit lines, their months and their changes (limit increases with outcomes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import BAD, Book
from course_utils.synth.credit.borrowers import People
from course_utils.synth.credit.draws import add_months, month_end, month_number, timestamps
from course_utils.synth.credit.months import LoanMonths
from course_utils.synth.tools import ids

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

STATUSES = ("有效", "到期", "终止", "冻结")
CHANGES = ("主动提额", "申请提额", "未提额", "降额")
MIN_AGE, MAX_AGE = 18, 65


@dataclass
class Lines:
    """Lines that carry loans; `of_loan` gives the line of each loan (−1 = none)."""

    of_loan: np.ndarray
    person: np.ndarray
    kind: np.ndarray
    first: np.ndarray
    last: np.ndarray
    count: int


def number_lines(book: Book) -> Lines:
    """Give every uninterrupted run of loans of a chain one line."""
    in_chain = np.flatnonzero(book.chain >= 0)
    key = book.chain[in_chain] * 64 + book.episode[in_chain]
    names, inverse = np.unique(key, return_inverse=True)
    of_loan = np.full(len(book), -1, dtype=np.int64)
    of_loan[in_chain] = inverse
    order = np.lexsort((book.slot[in_chain], inverse))
    sorted_line = inverse[order]
    first = np.searchsorted(sorted_line, np.arange(len(names)), side="left")
    last = np.searchsorted(sorted_line, np.arange(len(names)), side="right") - 1
    rows = in_chain[order]
    return Lines(
        of_loan, book.person[rows[first]], book.kind[rows[first]], rows[first], rows[last],
        len(names),
    )  # fmt: skip


def build_lines(
    sim: Simulation, people: People, book: Book, settle: np.ndarray, balance: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray, Lines]:
    """Write ``credit_line`` and return it with the line id of each loan.

    A line lives while its last loan runs (and a while longer for borrowers who renew); it ends on
    the day a borrower settles and leaves. Lines that were never used are added: the planted share
    `m03_n10.unused_lines` of live lines, and as many of them outside the borrowers as
    `m01_n01.uncovered_ratio` asks.

    Parameters
    ----------
    sim, people : Simulation, People
        The bank and its customers.
    book : Book
        The loans.
    settle : ndarray of datetime64[D]
        End of each loan, NaT if running.
    balance : ndarray of int
        Balance of each loan at the as-of date, cents.
    """
    rng = sim.rng("lines")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    lines = number_lines(book)
    n = lines.count
    loan = lines.last
    used = np.zeros(n, dtype=np.int64)
    hit = lines.of_loan >= 0
    np.add.at(used, lines.of_loan[hit], balance[hit])
    peak = np.zeros(n, dtype=np.int64)
    np.maximum.at(peak, lines.of_loan[hit], book.amount[hit])
    running = np.isnat(settle[loan])
    step = np.array([k.step for k in p.KINDS])[lines.kind]
    share = np.clip(rng.beta(1.6, 1.2, n) * 0.75 + 0.28, 0.28, 1.0)
    cap = np.array([k.cap for k in p.KINDS])[lines.kind]
    room = np.minimum(np.ceil(book.amount[loan] / share / step) * step, np.maximum(cap, peak))
    limit = np.maximum(room, book.amount[loan])
    maturity = add_months(book.issue[loan], book.term[loan])
    expire = np.where(running, maturity, settle[loan])
    bad = book.ending[loan] == BAD
    live = running & (maturity > as_of)
    status = np.where(
        live, np.where(bad, 3, 0), np.where(running | (settle[loan] >= maturity), 1, 2)
    )
    frame = pd.DataFrame(
        {
            "person": lines.person,
            "kind": lines.kind,
            "limit": limit.astype(float),
            "used": used / 100,
            "rate": book.rate[loan],
            "approve_date": book.issue[lines.first] - rng.integers(1, 9, n).astype("m8[D]"),
            "expire_date": expire,
            "guarantee": book.guarantee[loan],
            "status": status,
            "first_draw_date": book.issue[lines.first],
            "pd_estimate": noisy_pd(book.pd[loan], 0.3, rng),
        }
    )
    opened = people.opened[frame["person"].to_numpy()]
    frame["approve_date"] = np.maximum(frame["approve_date"].to_numpy().astype("M8[D]"), opened)
    unused = _unused_lines(sim, people, frame, book, settle, rng)
    table = pd.concat([frame, unused], ignore_index=True)
    names = ids("K", np.arange(1, len(table) + 1), 7)
    out = _contract(sim, table, names)
    idle = out.loc[out["status"] == "有效", "first_draw_date"].isna()
    sim.record("m03_n10", "unused_lines", float(idle.mean()), "有效额度中从未用信的比例")
    line_id = np.where(lines.of_loan >= 0, names[np.maximum(lines.of_loan, 0)], None)
    return out, line_id, lines


def noisy_pd(chance: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Return the bank's estimate of true chances: log-normal noise, within 0.05 %-60 %."""
    return np.clip(chance * np.exp(noise * rng.standard_normal(len(chance))), 0.0005, 0.6).round(4)


def eligible(sim: Simulation, people: People) -> np.ndarray:
    """Return which persons a lesson counts as eligible: 18-65, consent, callable, nothing bad."""
    frame = people.frame
    year = sim.as_of.year
    born = pd.to_datetime(frame["birth_date"]).dt.year
    age = (year - born).fillna(-1).to_numpy()
    return (
        ~people.company & (age >= MIN_AGE) & (age <= MAX_AGE)
        & frame["marketing_consent"].to_numpy(dtype=bool)
        & ~frame["do_not_call"].to_numpy(dtype=bool)
    )  # fmt: skip


def _unused_lines(
    sim: Simulation,
    people: People,
    frame: pd.DataFrame,
    book: Book,
    settle: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw lines that were granted and never used."""
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    live_lines = int((frame["status"] == 0).sum())
    share = float(sim.effects.value("m03_n10", "unused_lines"))
    count = round(share / (1 - share) * live_lines)
    fits = eligible(sim, people)
    covered = np.zeros(len(people), dtype=bool)
    covered[book.person[np.isnat(settle)]] = True
    covered[frame.loc[frame["status"] == 0, "person"].to_numpy()] = True
    bad = np.zeros(len(people), dtype=bool)
    bad[book.person[(book.ending == BAD) & np.isnat(settle)]] = True
    fits &= ~bad
    total = people.weight[fits].sum()
    wanted = total / (1 + float(sim.effects.value("m01_n01", "uncovered_ratio")))
    missing = max(wanted - people.weight[fits & covered].sum(), 0.0)
    ever = np.zeros(len(people), dtype=bool)
    ever[book.person] = True
    old_customer = (as_of - people.opened).astype(np.int64) > 250
    pool = np.flatnonzero(fits & ~covered & ~ever & old_customer & (people.age >= 22))
    pool = pool[np.argsort(-(0.4 * people.need[pool] + rng.gumbel(size=len(pool))))]
    outside = pool[: int(np.searchsorted(np.cumsum(people.weight[pool]), missing))][:count]
    again = np.flatnonzero(covered & ~bad & ~people.company & old_customer)
    inside = rng.choice(again, min(count - len(outside), len(again)), replace=False)
    person = np.concatenate([outside, inside])
    n = len(person)
    farmer = np.isin(people.segment[person], ["农户", "务工"])
    kind = np.where(farmer, p.FARM, np.where(people.business[person], p.TRADER, p.ONLINE))
    approve = as_of - rng.integers(40, 640, n).astype("m8[D]")
    approve = np.maximum(approve, people.opened[person] + 5)
    one, _ = p.lpr_at(sim, approve)
    return pd.DataFrame(
        {
            "person": person,
            "kind": kind,
            "limit": p.draw_amounts(rng, kind, np.zeros(n)).astype(float),
            "used": 0.0,
            "rate": np.round((one + p.grid_spread(kind, approve) / 100) * 20) / 20,
            "approve_date": approve,
            "expire_date": as_of + rng.integers(60, 700, n).astype("m8[D]"),
            "guarantee": 0,
            "status": 0,
            "first_draw_date": np.full(n, np.datetime64("NaT", "D")),
            "pd_estimate": noisy_pd(people.pd[person], 0.3, rng),
        }
    )


def _contract(sim: Simulation, table: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    """Return the contract columns of ``credit_line``."""
    kind = table["kind"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "line_id": names,
            "customer_id": sim.people["customer_id"].to_numpy()[table["person"].to_numpy()],
            "product_code": p.product_codes(sim)[kind],
            "limit": table["limit"].to_numpy(),
            "used": table["used"].to_numpy(),
            "rate": table["rate"].to_numpy().round(4),
            "approve_date": timestamps(table["approve_date"].to_numpy().astype("M8[D]")),
            "expire_date": timestamps(table["expire_date"].to_numpy().astype("M8[D]")),
            "guarantee": p.code_of(table["guarantee"].to_numpy(), p.GUARANTEES),
            "status": p.code_of(table["status"].to_numpy(), STATUSES),
            "first_draw_date": timestamps(table["first_draw_date"].to_numpy().astype("M8[D]")),
            "online": kind == p.ONLINE,
            "pd_estimate": table["pd_estimate"].to_numpy().round(4),
        }
    )


def line_months(
    sim: Simulation, book: Book, lines: Lines, months: LoanMonths, table: pd.DataFrame
) -> pd.DataFrame:
    """Return ``credit_line_month``: limit and use at 24 month ends while the line lives."""
    last = int(month_number(np.array([sim.as_of.to_datetime64()]))[0])
    used = np.zeros((len(table), 24), dtype=np.int64)
    line = lines.of_loan[months.loan]
    hit = (line >= 0) & (months.month > last - 24)
    np.add.at(used, (line[hit], months.month[hit] - last + 23), months.balance[hit])
    begin = month_number(table["approve_date"].to_numpy().astype("M8[D]"))
    end = month_number(table["expire_date"].to_numpy().astype("M8[D]"))
    grid = np.arange(last - 23, last + 1)
    alive = (grid[None, :] >= begin[:, None]) & ((grid[None, :] <= end[:, None]) | (used > 0))
    row, column = np.nonzero(alive)
    limit = table["limit"].to_numpy()[:, None] * np.ones(24)
    limit = np.maximum(limit, used / 100)
    return pd.DataFrame(
        {
            "month": timestamps(month_end(grid[column])),
            "line_id": pd.Categorical.from_codes(row, table["line_id"].to_numpy()),
            "limit": limit[row, column],
            "used": used[row, column] / 100,
        }
    )


def line_changes(
    sim: Simulation,
    book: Book,
    lines: Lines,
    months: LoanMonths,
    names: np.ndarray,
    bad_date: np.ndarray,
) -> pd.DataFrame:
    """Return ``credit_line_change``: raises at renewal with their outcomes, and controls.

    Parameters
    ----------
    sim : Simulation
        The bank.
    book : Book
        The loans.
    lines : Lines
        Which line carries which loan.
    months : LoanMonths
        Month ends of the loans.
    names : ndarray of str
        Line ids.
    bad_date : ndarray of datetime64[D], shape (loans,)
        Day on which each loan became more than 90 days overdue; NaT if never (so far).
    """
    rng = sim.rng("line_changes")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    renewal = np.flatnonzero((book.chain >= 0) & (book.slot > 0))
    key = book.chain * 64 + book.slot
    order = np.argsort(key)
    before = order[np.searchsorted(key[order], key[renewal] - 1)]
    same = book.episode[before] == book.episode[renewal]
    rows, before = renewal[same], before[same]
    raised = book.raised[rows]
    n = len(rows)
    high = rng.binomial(6, np.where(raised, 0.82, 0.6), n)
    trend = np.where(book.falling[rows], -0.42 + 0.38 * rng.random(n), 0.02 + 0.4 * rng.random(n))
    unraised_fall = ~raised & (rng.random(n) < 0.28)
    trend = np.where(unraised_fall, -0.42 + 0.38 * rng.random(n), trend)
    old = np.where(raised, book.amount[before], book.amount[rows]).astype(float)
    new = np.maximum(book.amount[rows].astype(float), old)
    date = book.issue[rows]
    half = np.minimum(months.first[rows] + 6, len(months.loan) - 1)
    same_loan = months.loan[half] == rows
    after = np.where(same_loan, months.balance[half] / 100, 0.0)
    known6 = (as_of - date).astype(np.int64) >= 183
    known12 = (as_of - date).astype(np.int64) >= 365
    within = ~np.isnat(bad_date[rows]) & ((bad_date[rows] - date).astype(np.int64) <= 365)
    kind = np.where(raised, np.where(rng.random(n) < 0.6, 0, 1), 2)
    bad12 = pd.array(within, dtype="boolean")
    bad12[~known12] = pd.NA
    _record_raises(sim, raised & known12, book.falling[rows], within)
    return pd.DataFrame(
        {
            "change_id": ids("G", np.arange(1, n + 1), 6),
            "line_id": names[lines.of_loan[rows]],
            "customer_id": sim.people["customer_id"].to_numpy()[book.person[rows]],
            "branch_id": sim.people["branch_id"].astype(str).to_numpy()[book.person[rows]],
            "change_date": timestamps(date),
            "kind": p.code_of(kind, CHANGES),
            "old_limit": old,
            "new_limit": np.where(raised, new, old),
            "use_rate_before": np.clip(high / 6 * 0.55 + 0.35 + 0.1 * rng.random(n), 0, 1).round(3),
            "high_use_months": high,
            "inflow_trend_before": trend.round(3),
            "debt_service_ratio": np.clip(0.16 + 0.5 * rng.beta(2, 2.6, n), 0, 1.5).round(3),
            "clean_months": rng.integers(12, 60, n),
            "pd_estimate": noisy_pd(book.pd[rows], 0.25, rng),
            "balance_change_6m": np.where(known6, after - book.amount[before], np.nan),
            "bad_12m": bad12,
        }
    )


def _record_raises(
    sim: Simulation, counted: np.ndarray, falling: np.ndarray, bad: np.ndarray
) -> None:
    """Record the truths of `m03_n10` that past raises carry."""
    down, up = bad[counted & falling], bad[counted & ~falling]
    ratio = float(down.mean() / up.mean()) if len(down) and len(up) and up.any() else None
    sim.record("m03_n10", "falling_inflow", ratio, "提额后一年变坏：流入下降与上升之比")
