"""Recall contacts of the random trial (归巢) as rows of ``contact_log``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit.book import Book
from course_utils.synth.credit.draws import timestamps
from course_utils.synth.credit.loss import Recall, changed_manager, price_gap
from course_utils.synth.marketing.staff import active_managers, assign_managers

if TYPE_CHECKING:
    from course_utils.synth.credit.borrowers import People
    from course_utils.synth.state import Simulation

NO_REASON = 0.45


def append_recalls(
    sim: Simulation, people: People, book: Book, recalls: list[Recall], names: np.ndarray
) -> None:
    """Append every recall contact with its random price, and record what really happened."""
    rng = sim.rng("recall")
    join = lambda field: np.concatenate([getattr(r, field) for r in recalls])  # noqa: E731
    person, loan, date = join("person"), join("loan"), join("date")
    held, back, early = join("held"), join("returned"), join("early")
    n = len(person)
    managers = active_managers(sim)
    staff = managers.employee_id[assign_managers(sim, managers, person, rng, date)].astype(object)
    clock = (8.6 * 3600 + rng.random(n) * 9.5 * 3600).astype(np.int64).astype("m8[s]")
    soft = rng.choice(["未接通", "拒绝", "暂不需要", "有意向"], n, p=[0.36, 0.16, 0.34, 0.14])
    result = np.where(held, "未触达", np.where(back, "已办理", soft))
    reason = _reasons(sim, people, book, loan, person, join("settled"), rng)
    order = np.argsort(book.chain * 64 + book.slot)
    key = (book.chain * 64 + book.slot)[order]
    after = order[
        np.minimum(np.searchsorted(key, (book.chain * 64 + book.slot)[loan] + 1), len(key) - 1)
    ]
    talked = ~np.isin(result, ["未触达", "未接通"])
    nat = np.datetime64("NaT")
    sim.append(
        "contact_log",
        pd.DataFrame(
            {
                "customer_id": sim.people["customer_id"].to_numpy()[person],
                "employee_id": np.where(held, None, staff),
                "contact_time": timestamps(date) + clock,
                "channel": np.where(held, None, "电话"),
                "purpose": "归巢",
                "script": np.where(held, None, "标准"),
                "result": result,
                "minutes": np.where(
                    held, np.nan, np.round(0.5 + talked * rng.gamma(2.0, 1.8, n), 1)
                ),
                "arm": np.where(held, "随机保留", "随机触达"),
                "loan_id": names[loan],
                "offered_rate": join("rate"),
                "reason_code": np.where(talked & (rng.random(n) > NO_REASON), reason, None),
                "converted": back,
                "converted_date": timestamps(np.where(back, join("done"), nat)),
                "converted_amount": np.where(back, book.amount[after].astype(float), np.nan),
            }
        ),
    )
    called = ~held
    if (called & early).any() and back[called & ~early].any():
        ratio = back[called & early].mean() / back[called & ~early].mean()
        sim.record("m03_n09", "early_recall", float(ratio))
    sim.record("m03_n09", "price_sensitive", float(join("sensitive").mean()))


def _reasons(
    sim: Simulation,
    people: People,
    book: Book,
    loan: np.ndarray,
    person: np.ndarray,
    settled: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the reason a lost borrower gives, close to the real cause."""
    dear = price_gap(sim, book.kind[loan], book.rate[loan], settled) > 150
    moved = changed_manager(sim, people, person, settled)
    other = rng.choice(["额度不够", "手续麻烦", "不再需要", "转向他行", "其他"], len(loan),
                       p=[0.2, 0.2, 0.3, 0.2, 0.1])  # fmt: skip
    u = rng.random(len(loan))
    return np.where(dear & (u < 0.6), "利率高", np.where(moved & (u < 0.7), "经理更换", other))
