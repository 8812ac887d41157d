"""Bureau reports and the loans of other lenders seen in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import Book
from course_utils.synth.credit.borrowers import People
from course_utils.synth.credit.draws import add_months, balanced, clip_day, timestamps
from course_utils.synth.tools import ids

if TYPE_CHECKING:
    from course_utils.synth.marketing.campaigns import Offers
    from course_utils.synth.state import Simulation

REASONS = ("贷款审批", "信用卡审批", "贷后管理", "担保资格审查", "特约商户实名审查", "本人查询")
SCOPES = ("营销", "授信管理", "贷后管理", "未注明")
LENDERS = ("大行", "股份制", "城商行", "农商行", "邮储", "消费金融", "网络小贷")
BUSINESS = ("经营贷", "消费贷", "按揭", "助学贷", "农户贷")
HISTORY_MONTHS = 60
AFTER_SHARE, CARD_SHARE, OWN_SHARE = 0.35, 0.035, 0.01
KNOWN_RATE = 0.06


def build(sim: Simulation, people: People, book: Book, settle: np.ndarray, offers: Offers) -> None:
    """Write ``bureau_report`` and ``bureau_loan``.

    One report for each approval of the last 60 months, one for a third of the running loans
    (贷后管理), some for card applications and own queries, one for each offer to replace another
    bank's loan. Outside the approvals behind offers, `m03_n08.scope_missing` of all reports may
    not be used for marketing.
    """
    rng = sim.rng("bureau")
    head = _heads(sim, people, book, settle, offers, rng)
    n = len(head["person"])
    order = np.lexsort((head["person"], head["date"].astype(np.int64)))
    head = {name: values[order] for name, values in head.items()}
    number = ids("Q", np.arange(1, n + 1), 7)
    detail, totals = _details(sim, people, head, offers, rng)
    detail.insert(0, "query_id", number[detail.pop("_report").to_numpy()])
    sim.tables["bureau_loan"] = detail
    sim.tables["bureau_report"] = _report(sim, people, head, totals, number, rng)
    scope = sim.tables["bureau_report"]["consent_scope"].astype(str)
    missing = float((~scope.isin(["营销", "授信管理"])).mean())
    sim.record("m03_n08", "scope_missing", missing)
    sim.record("m00_n02", "scope_missing", missing)


def _heads(
    sim: Simulation,
    people: People,
    book: Book,
    settle: np.ndarray,
    offers: Offers,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return person, date, reason, queries and offer number (−1) of every report."""
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    start = add_months(clip_day(np.array([as_of])), -HISTORY_MONTHS)[0]
    approval = np.flatnonzero((book.issue >= start) & (book.kind != p.STUDENT))
    gap = np.minimum(rng.integers(1, 12, len(approval)), _age(people, book, approval))
    live = np.flatnonzero(np.isnat(settle) & (rng.random(len(book)) < AFTER_SHARE))
    room = np.maximum((as_of - book.issue[live]).astype(np.int64) - 1, 1)
    after = book.issue[live] + np.maximum(room - rng.integers(1, 330, len(live)), 1)
    adults = np.flatnonzero(~people.company & (people.age >= 22) & (people.age <= 60))
    old = adults[(as_of - people.opened[adults]).astype(np.int64) > 420]
    card = rng.choice(old, int(CARD_SHARE * len(people)), replace=False)
    own = rng.choice(old, int(OWN_SHARE * len(people)), replace=False)
    merchant = np.flatnonzero(people.merchant & (rng.random(len(people)) < 0.12))
    merchant = merchant[(as_of - people.opened[merchant]).astype(np.int64) > 420]
    late = lambda rows: as_of - rng.integers(20, 400, len(rows)).astype("m8[D]")  # noqa: E731
    few = lambda rows: rng.choice((0, 1, 2, 3, 4), len(rows), p=(0.45, 0.3, 0.15, 0.06, 0.04))  # noqa: E731
    parts = [
        (book.person[approval], book.issue[approval] - gap, 0, book.query_3m[approval], -1),
        (book.person[live], after, 2, few(live), -1),
        (card, late(card), 1, few(card), -1),
        (own, late(own), 5, few(own), -1),
        (merchant, late(merchant), 4, few(merchant), -1),
        (offers.person, offers.date, 0, offers.query_3m, np.arange(len(offers.person))),
    ]
    return {
        "person": np.concatenate([part[0] for part in parts]),
        "date": np.concatenate([part[1] for part in parts]),
        "reason": np.concatenate([np.full(len(part[0]), part[2]) for part in parts]),
        "query": np.concatenate([part[3] for part in parts]),
        "offer": np.concatenate([np.broadcast_to(part[4], len(part[0])) for part in parts]),
    }


def _age(people: People, book: Book, rows: np.ndarray) -> np.ndarray:
    """Return days between opening and issue, so that no report is older than the customer."""
    return np.maximum((book.issue[rows] - people.opened[book.person[rows]]).astype(np.int64), 0)


def _details(
    sim: Simulation,
    people: People,
    head: dict[str, np.ndarray],
    offers: Offers,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Draw the other lenders' loans of each report and their totals."""
    n = len(head["person"])
    nonbank = np.minimum(people.lenders[head["person"]], 8)
    offered = head["offer"] >= 0
    bank = rng.poisson(np.where(offered, 0.2, 0.45), n)
    nonbank = np.where(offered, np.maximum(nonbank, 1), nonbank)
    counts = nonbank + bank
    report = np.repeat(np.arange(n), counts)
    line = np.arange(len(report)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    outside = line <= nonbank[report]
    m = len(report)
    rate = np.where(outside, 8.0 + 15.0 * rng.beta(1.7, 1.9, m), 3.1 + 3.2 * rng.random(m))
    periods = np.where(
        outside, rng.choice((6, 12, 18, 24, 36), m, p=(0.1, 0.4, 0.2, 0.2, 0.1)),
        rng.choice((12, 36, 60, 240), m, p=(0.3, 0.35, 0.2, 0.15)),
    )  # fmt: skip
    amount = np.where(outside, 18.0, 160.0) * np.exp(0.7 * rng.standard_normal(m))
    amount = np.where(periods == 240, amount * 3, amount).round().clip(2) * 1000
    remaining = np.maximum(np.ceil(periods * (0.08 + 0.9 * rng.random(m))), 1).astype(np.int64)
    first = np.flatnonzero((line == 1) & offered[report])
    source = head["offer"][report[first]]
    for mine, theirs in (
        (rate, offers.rate), (periods, offers.periods), (amount, offers.amount),
        (remaining, offers.remaining),
    ):  # fmt: skip
        mine[first] = theirs[source]
    outside = np.where((line == 1) & offered[report], rate > 7.5, outside)
    i = rate / 1200
    payment = np.round(amount * i / (1 - (1 + i) ** -periods.astype(float)), 2)
    left = np.round(payment * (1 - (1 + i) ** -remaining.astype(float)) / i, 2)
    kind = np.where(periods == 240, 2, np.where(outside, 1, rng.choice((0, 1, 4), m)))
    lender = np.where(
        outside, rng.choice((5, 6), m), rng.choice(5, m, p=(0.5, 0.16, 0.1, 0.06, 0.18))
    )
    date = head["date"][report]
    issue = add_months(clip_day(date), remaining - periods) - 9
    issue = np.minimum(clip_day(issue), date)
    frame = pd.DataFrame(
        {
            "_report": report,
            "query_date": timestamps(date),
            "line_number": line,
            "lender_type": pd.Categorical.from_codes(lender, list(LENDERS)),
            "business": pd.Categorical.from_codes(kind, list(BUSINESS)),
            "issue_date": timestamps(issue),
            "maturity_date": timestamps(add_months(issue, periods)),
            "amount": amount,
            "balance": np.minimum(left, amount),
            "total_periods": periods,
            "remaining_periods": remaining,
            "month_payment": payment,
            "guarantee": p.code_of(np.where(kind == 2, 2, 0), p.GUARANTEES),
            "known_rate": np.where(rng.random(m) < KNOWN_RATE, rate.round(2), np.nan),
        }
    )
    totals = {
        "lenders": counts,
        "nonbank": np.bincount(report, weights=outside, minlength=n).astype(np.int64),
        "balance": np.bincount(report, weights=frame["balance"], minlength=n).round(2),
        "due": np.bincount(report, weights=payment, minlength=n).round(2),
    }
    return frame, totals


def _report(
    sim: Simulation,
    people: People,
    head: dict[str, np.ndarray],
    totals: dict[str, np.ndarray],
    number: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the contract columns of ``bureau_report``."""
    n = len(number)
    offered = head["offer"] >= 0
    share = float(sim.effects.value("m03_n08", "scope_missing"))
    outside = balanced(
        rng, np.where(offered, 0.0, share * n / max((~offered).sum(), 1)), offered, head["reason"]
    )
    scope = np.where(
        outside, rng.choice((2, 3), n, p=(0.6, 0.4)), rng.choice((0, 1), n, p=(0.3, 0.7))
    )
    expires = (rng.random(n) < 0.4) & ~outside
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    last = np.maximum(head["date"] + 730, as_of + 30)
    risk = people.pd[head["person"]]
    months = rng.poisson(np.clip(12 * risk, 0.02, 4))
    cards = rng.poisson(0.9, n)
    limit = np.round(cards * np.exp(9.4 + 0.6 * rng.standard_normal(n)) / 1000) * 1000
    used = np.round(limit * rng.beta(1.3, 1.8, n), 2)
    return pd.DataFrame(
        {
            "query_id": number,
            "customer_id": sim.people["customer_id"].to_numpy()[head["person"]],
            "query_date": timestamps(head["date"]),
            "reason": pd.Categorical.from_codes(head["reason"], list(REASONS)),
            "consent_scope": pd.Categorical.from_codes(scope, list(SCOPES)),
            "consent_expire_date": timestamps(np.where(expires, last, np.datetime64("NaT"))),
            "lenders": totals["lenders"],
            "nonbank_lenders": totals["nonbank"],
            "balance_unsettled": totals["balance"],
            "month_due": totals["due"],
            "card_limit": limit,
            "card_used": used,
            "card_used_6m": np.round(np.minimum(used * (0.7 + 0.5 * rng.random(n)), limit), 2),
            "overdue_months_24": np.minimum(months, 24),
            "overdue_maximum": np.minimum(months, rng.poisson(0.6, n) + (months > 0)),
            "query_3m": head["query"],
            "guarantee_balance": np.where(
                rng.random(n) < 0.06, np.round(np.exp(11.5 + 0.7 * rng.standard_normal(n)), -3), 0.0
            ),
        }
    )
