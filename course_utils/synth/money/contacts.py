"""Calls before a maturity: a random trial beside the staff's own choice, and what a call does."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from course_utils.synth.money.book import FIRST, HISTORY, Book, as_dates

#: The trial runs over the last so many months.
TRIAL_MONTHS = 20
#: Part of the customers who may be called that is in the trial.
TRIAL_SHARE = 0.36
#: Mean renewal without a call, and how much the doubtful renew less (course parameters, set so
#: that the naive comparison comes out near −0.03 while the true effect is +0.09).
RENEWAL = 0.645
DOUBT_SLOPE = 0.105
#: Effect of calls outside the window of 7-15 days, as a part of the planted effect.
OUTSIDE = {"1-6": 0.45, "16-30": 0.55}
ARMS = ("自选", "随机触达", "随机保留")


@dataclass
class Contacts:
    """Who is in which arm, and the log rows so far."""

    book: Book
    rng: np.random.Generator
    doubt: np.ndarray
    arm: np.ndarray
    reachable: np.ndarray
    rows: list[dict[str, np.ndarray]] = field(default_factory=list)

    def decide(self, t: int, customer: np.ndarray, maturity: np.ndarray) -> dict[str, np.ndarray]:
        """Decide for each maturing deposit whether and when its holder is called.

        Parameters
        ----------
        t : int
            History month of the maturities.
        customer, maturity : numpy.ndarray of int64, shape (n,)
            Row of the customer, day number of the maturity.

        Returns
        -------
        dict of str to numpy.ndarray
            ``lead`` days between call and maturity (0 not called), ``arm`` 0 own choice,
            1 random call, 2 random hold-out.
        """
        rng, n = self.rng, len(customer)
        arm = self.arm[customer] if t >= HISTORY - TRIAL_MONTHS else np.zeros(n, dtype=np.int64)
        if t < FIRST:
            return {"lead": np.zeros(n, dtype=np.int64), "arm": np.zeros(n, dtype=np.int64)}
        holders, inverse = np.unique(customer, return_inverse=True)
        wish = self.doubt[holders] + rng.normal(0, 0.7, len(holders)) > 0.35
        chosen = (wish & self.reachable[holders])[inverse]
        called = np.where(arm == 0, chosen, arm == 1)
        kind = rng.choice(3, n, p=[0.30, 0.45, 0.25])
        lead = np.select(
            [(kind == 1) | (arm == 1), kind == 0],
            [rng.integers(7, 16, n), rng.integers(1, 7, n)],
            rng.integers(16, 31, n),
        )
        lead = _on_workday(lead, maturity)
        return {"lead": np.where(called, lead, 0), "arm": arm}

    def effect(self, lead: np.ndarray) -> np.ndarray:
        """Return the change of the renewal probability by a call `lead` days ahead (0 no call)."""
        full = self.book.sim.effects.value("m02_n02", "contact_effect")
        return full * np.select(
            [lead == 0, lead < 7, lead < 16], [0.0, OUTSIDE["1-6"], 1.0], OUTSIDE["16-30"]
        )

    def log(
        self,
        deposit: np.ndarray,
        customer: np.ndarray,
        maturity: np.ndarray,
        plan: dict,
        renewed,
        amount,
    ) -> None:
        """Keep the log rows of one month: every call and every random hold-out."""
        keep = (plan["lead"] > 0) | (plan["arm"] == 2)
        self.rows.append(
            {
                "deposit": deposit[keep],
                "customer": customer[keep],
                "due": maturity[keep],
                "lead": plan["lead"][keep],
                "arm": plan["arm"][keep],
                "renewed": renewed[keep],
                "amount": amount[keep],
            }
        )


def _on_workday(lead: np.ndarray, maturity: np.ndarray) -> np.ndarray:
    """Move calls from weekends to a weekday without leaving their window of days."""
    weekday = (maturity - lead + 3) % 7
    window_end = np.where(lead >= 16, 30, np.where(lead >= 7, 15, 6))
    window_start = np.where(lead >= 16, 16, np.where(lead >= 7, 7, 1))
    friday = np.where(weekday == 5, 1, np.where(weekday == 6, 2, 0))
    monday = np.where(weekday == 5, -2, np.where(weekday == 6, -1, 0))
    earlier = lead + friday
    later = lead + monday
    return np.where(earlier <= window_end, earlier, np.where(later >= window_start, later, lead))


def start_contacts(book: Book) -> Contacts:
    """Draw doubt and trial arms of all customers."""
    rng = book.sim.rng("money.contacts")
    doubt = 0.7 * book.column("price_sensitivity") - 0.4 * book.column("loyalty")
    doubt = doubt + rng.normal(0, 0.6, book.n)
    doubt = ((doubt - doubt.mean()) / doubt.std()).clip(-2.3, 2.3)
    reachable = ~book.people["do_not_call"].to_numpy(dtype=bool)
    arm = np.zeros(book.n, dtype=np.int64)
    pool = np.flatnonzero(reachable & book.active)
    pool = pool[np.argsort(doubt[pool] + rng.normal(0, 0.05, len(pool)))]
    block = rng.permuted(np.tile(np.arange(100), (len(pool) // 100 + 1, 1)), axis=1).ravel()
    half = int(TRIAL_SHARE * 50)
    draw = block[: len(pool)]
    arm[pool] = np.where(draw < half, 1, np.where(draw < 2 * half, 2, 0))
    return Contacts(book, rng, doubt, arm, reachable)


def contact_rows(contacts: Contacts, account_id: np.ndarray) -> pd.DataFrame:
    """Return the maturity rows of table ``contact_log`` (B1's assembly gives them their ids).

    Parameters
    ----------
    contacts : Contacts
        Decisions of all months.
    account_id : numpy.ndarray of object
        Account id of each deposit.
    """
    book, rng = contacts.book, contacts.rng
    if not contacts.rows:
        return pd.DataFrame()
    part = {key: np.concatenate([row[key] for row in contacts.rows]) for key in contacts.rows[0]}
    n = len(part["due"])
    held = part["arm"] == 2
    lead = np.where(held, _on_workday(rng.integers(7, 16, n), part["due"]), part["lead"])
    minute = rng.integers(8 * 60 + 30, 17 * 60, n)
    day = part["due"] - lead
    time = day.astype("datetime64[D]").astype("datetime64[s]") + minute.astype("timedelta64[m]")
    channel = rng.choice(["电话", "网点", "上门", "企微"], n, p=[0.7, 0.14, 0.08, 0.08])
    renewed = part["renewed"]
    good = rng.choice(["已办理", "有意向", "已预约"], n, p=[0.2, 0.4, 0.4])
    poor = rng.choice(["暂不需要", "拒绝", "已触达"], n, p=[0.4, 0.2, 0.4])
    clear = rng.random(n) < 0.7
    result = np.where(renewed, np.where(clear, good, "已触达"), np.where(clear, poor, "有意向"))
    employee = book.people["manager_id"].to_numpy(dtype=object)[part["customer"]]
    employee = np.where(held | pd.isna(employee), None, employee)
    frame = pd.DataFrame(
        {
            "customer_id": book.people["customer_id"].to_numpy()[part["customer"]],
            "employee_id": employee,
            "contact_time": time,
            "channel": np.where(held, None, channel),
            "purpose": "到期",
            "campaign_id": None,
            "wave": pd.array(np.full(n, None), dtype="Int64"),
            "script": np.where(held, None, "标准"),
            "result": np.where(held, "未触达", result),
            "minutes": np.where(held, np.nan, np.round(rng.gamma(3.0, 1.6, n), 1)),
            "arm": np.asarray(ARMS, dtype=object)[part["arm"]],
            "account_id": account_id[part["deposit"]],
            "due_date": as_dates(part["due"]),
        }
    )
    return _outcome(frame, part, book)


def _outcome(frame: pd.DataFrame, part: dict[str, np.ndarray], book: Book) -> pd.DataFrame:
    """Add what came of each row; ``已成交`` is known ninety days after the contact."""
    as_of = np.datetime64(book.sim.as_of.to_datetime64(), "s")
    known = frame["contact_time"].to_numpy() + np.timedelta64(90, "D") <= as_of
    renewed = part["renewed"]
    frame["converted"] = pd.array(np.where(known, renewed, None), dtype="boolean")
    closed = known & renewed
    frame["converted_date"] = as_dates(part["due"], ~closed)
    frame["converted_amount"] = np.where(closed, part["amount"] / 100, np.nan)
    return frame[frame["contact_time"].to_numpy() <= as_of]
