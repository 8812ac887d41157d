"""Day-to-day service: contacts, requests and answers, tags, 企业微信, events (lesson m01_n02).

Runs after the money is known. What staff did in the half year before the last quarter is drawn
given whether the customer's money stayed in that quarter, by exponential tilting: if counts are
Poisson with mean λ·exp(δ·Y) and speeds normal with mean δ·Y, the log odds of Y given both are
linear with exactly the slopes δ. So the money, which other lessons need, stays as it is, and the
odds ratios are those planted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.state import Simulation
from course_utils.synth.tools import calibrated, ids, logistic, standardise

QUARTER, WINDOW_DAYS = 3, 182
FLOOR = 1_000.0
KEPT = 0.8
MEAN_CONTACTS = 1.25
#: Log odds of staying per valid tag (course parameter; what makes 企业微信 look better than it is).
TAG_SLOPE = 0.8
_TAGS = ("家庭结构", "到期偏好", "经营情况", "资金用途", "风险偏好", "渠道习惯", "节日关怀",
         "子女教育", "他行关系", "下一步动作")  # fmt: skip


def generate(sim: Simulation) -> None:
    """Append daily contacts and 企业微信 sign-ups; write service_record, customer_tag, events."""
    base, kept, money = outcome(sim)
    count = _contacts(sim, base, kept, money)
    _requests(sim, base, kept, count)
    tags = _tags(sim, base, kept)
    _wechat(sim, base, kept, [money, count, tags])
    _events(sim)


def outcome(sim: Simulation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return who is looked at, whose money stayed in the last quarter, and log money before.

    Returns
    -------
    base : numpy.ndarray of bool, shape (n,)
        Persons with at least 1 000 元 in the quarter before the last.
    kept : numpy.ndarray of bool, shape (n,)
        Money of the last quarter at least 80 % of the quarter before.
    money : numpy.ndarray of float, shape (n,)
        Standardised log money of the quarter before.
    """
    months = sim.months(2 * QUARTER)
    table = sim.tables["customer_month"]
    table = table.loc[table["month"] >= months[0], ["month", "customer_id", "aum_average"]]
    row = pd.Index(sim.people["customer_id"]).get_indexer(table["customer_id"])
    late = (table["month"] >= months[QUARTER]).to_numpy()
    amount = table["aum_average"].to_numpy(dtype=float)
    size = len(sim.people)
    after = np.bincount(row[late], weights=amount[late], minlength=size) / QUARTER
    before = np.bincount(row[~late], weights=amount[~late], minlength=size) / QUARTER
    opened = sim.people["open_date"].to_numpy() <= months[0].to_datetime64()
    person = (sim.people["customer_type"] != "企业").to_numpy()
    return (
        person & opened & (before >= FLOOR),
        after >= KEPT * before,
        standardise(np.log(before + 100)),
    )


def window(sim: Simulation) -> tuple[np.datetime64, np.datetime64]:
    """Return first and last day of the half year before the last quarter."""
    last = np.datetime64(sim.months(QUARTER + 1)[0].date(), "D")
    return last - WINDOW_DAYS + 1, last


def _centred(base: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return kept minus its mean over the base; 0 outside the base."""
    return np.where(base, kept - kept[base].mean(), 0.0)


def _contacts(sim: Simulation, base, kept, money) -> np.ndarray:
    """Draw daily contacts; returns the number in the half year before the last quarter."""
    rng, people = sim.rng("daily_contact"), sim.people
    rate = MEAN_CONTACTS * np.exp(0.25 * money + 0.15 * people["loyalty"].to_numpy(float))
    rate = rate * np.where(people["manager_id"].notna(), 1.0, 0.5)
    rate = rate * np.where(people["do_not_call"], 0.2, 1.0)
    paper = sim.arrays["paper_branch"][people["branch_pos"].to_numpy(int)]
    rate = rate * np.where(paper, 0.10, 1.0)
    slope = _slope(sim.effects.value("m01_n02", "or_contact"), rate[base], money[base])
    count = rng.poisson(rate * np.exp(slope * _centred(base, kept)))
    first, last = window(sim)
    today = np.datetime64(sim.as_of, "D")
    parts = [
        _contact_rows(sim, rng, count, first, last),
        _contact_rows(sim, rng, rng.poisson(0.5 * rate), last + 1, today),
    ]
    sim.append("contact_log", pd.concat(parts, ignore_index=True))
    sim.record(
        "m01_n02", "or_contact", sim.effects.value("m01_n02", "or_contact"),
        f"每标准差（{count[base].std():.2f} 次）的几率比，由条件分布精确埋设",
    )  # fmt: skip
    near = (count > 0)[people["manager_id"].notna().to_numpy()]
    at = people["branch_pos"].to_numpy(int)[people["manager_id"].notna()]
    touched = np.bincount(at, weights=near) / np.maximum(np.bincount(at), 1)
    names = sim.tables["branch"]["branch_id"].to_numpy(object)[sim.arrays["paper_branch"]]
    note = (
        "有管户无触达的网点："
        + "、".join(names)
        + f"；触达率最高 {touched[sim.arrays['paper_branch']].max():.2f}"
    )
    sim.record("m01_n02", "stage1_branches", len(names), note)
    return count


def _slope(odds_ratio: float, rate: np.ndarray, money: np.ndarray) -> float:
    """Return δ per contact that gives `odds_ratio` per standard deviation of the count.

    Customers differ in their usual rate λ for reasons that have nothing to do with staying; a
    class that holds money constant but not λ finds δ·E[λ] ÷ (E[λ] + Var[λ | money]), so δ is
    raised by the inverse.
    """
    design = np.column_stack([np.ones_like(money), money, money**2])
    other = rate - design @ np.linalg.lstsq(design, rate, rcond=None)[0]
    spread = np.sqrt(rate.mean() + rate.var())
    return np.log(odds_ratio) / spread * (rate.mean() + other.var()) / rate.mean()


def _contact_rows(sim: Simulation, rng, count, first, last) -> pd.DataFrame:
    """Return one contact_log row for each of `count` contacts between two days."""
    people = sim.people
    opened = people["open_date"].to_numpy().astype("datetime64[D]")
    count = np.where(opened <= last, count, 0)
    row = np.repeat(np.arange(len(people)), count)
    start = np.maximum(opened[row], first)
    span = (last - start).astype(int) + 1
    day = start + np.floor(span * rng.random(len(row))).astype(int)
    minute = rng.integers(8 * 60 + 30, 17 * 60 + 30, len(row)).astype("timedelta64[m]")
    time = day.astype("datetime64[s]") + minute
    channel = np.array(["电话", "上门", "企微", "网点", "短信"], dtype=object)
    drawn = channel[rng.choice(5, len(row), p=[0.46, 0.14, 0.18, 0.17, 0.05])]
    quiet = people["do_not_call"].to_numpy(bool)[row]
    result = np.array(["已触达", "暂不需要", "有意向", "未接通"], dtype=object)
    drawn = np.where(quiet, "网点", drawn)
    said = result[rng.choice(4, len(row), p=[0.52, 0.22, 0.09, 0.17])]
    said = np.where((said == "未接通") & (drawn != "电话"), "已触达", said)
    minutes = np.where(
        np.isin(said, ("未接通",)), np.nan, np.round(rng.gamma(2.2, 3.0, len(row)), 1)
    )
    return pd.DataFrame(
        {
            "customer_id": people["customer_id"].to_numpy(object)[row],
            "employee_id": manager_at(sim, row, day, rng),
            "contact_time": time,
            "channel": drawn,
            "purpose": "日常",
            "result": said,
            "minutes": minutes,
        }
    )


def manager_at(sim: Simulation, row: np.ndarray, day: np.ndarray, rng) -> np.ndarray:
    """Return the account manager of each customer on a day; a colleague if there was none.

    Parameters
    ----------
    sim : Simulation
        Needs customer_manager_history.
    row : numpy.ndarray of int, shape (k,)
        Positions in ``sim.people``.
    day : numpy.ndarray of datetime64[D], shape (k,)
        Days.
    rng : numpy.random.Generator
        Random stream for the colleague.

    Returns
    -------
    numpy.ndarray of object, shape (k,)
        Employee ids.
    """
    history = sim.tables["customer_manager_history"]
    owner = pd.Index(sim.people["customer_id"]).get_indexer(history["customer_id"])
    since = history["from_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    key = owner.astype(np.int64) * 100_000 + since
    order = np.argsort(key, kind="stable")
    wanted = row.astype(np.int64) * 100_000 + day.astype(np.int64)
    at = order[np.searchsorted(key[order], wanted, side="right") - 1]
    known = owner[at] == row
    staff = history["manager_id"].to_numpy(object)[at]
    return np.where(known, staff, colleague(sim, row, day, rng))


def colleague(sim: Simulation, row: np.ndarray, day: np.ndarray, rng) -> np.ndarray:
    """Return an account manager of the customer's branch who was there that day, else any."""
    desk = sim.tables["employee"]
    desk = desk[(desk["post"] == "客户经理") & desk["active"].astype(bool)].sort_values("hire_date")
    hired = desk["hire_date"].to_numpy().astype("datetime64[D]")
    branch = pd.Index(sim.tables["branch"]["branch_id"]).get_indexer(desk["branch_id"])
    names = desk["employee_id"].to_numpy(object)
    out = np.empty(len(row), dtype=object)
    at = sim.people["branch_pos"].to_numpy(int)[row]
    draw = rng.random(len(row))
    for b in range(len(sim.tables["branch"])):
        here = np.flatnonzero(at == b)
        own = np.flatnonzero(branch == b)
        present = np.searchsorted(hired[own], day[here], side="right")
        if not len(own) or (present == 0).any():
            own = np.arange(len(names))
            present = np.searchsorted(hired, day[here], side="right")
        out[here] = names[own[np.floor(draw[here] * present).astype(int)]]
    return out


def _requests(sim: Simulation, base, kept, count) -> None:
    """Write service_record: one request in the half year for most, answered fast or slowly."""
    rng, people = sim.rng("service_record"), sim.people
    size = len(people)
    slope = np.log(sim.effects.value("m01_n02", "or_response"))
    speed = rng.standard_normal(size) + slope * _centred(base, kept)
    asked = np.flatnonzero(base & (rng.random(size) < 0.85))
    first, last = window(sim)
    opened = people["open_date"].to_numpy().astype("datetime64[D]")[asked]
    start = np.maximum(opened, first)
    day = start + np.floor(((last - start).astype(int) + 1) * rng.random(len(asked))).astype(int)
    minute = rng.integers(8 * 60, 20 * 60, len(asked)).astype("timedelta64[m]")
    touch = standardise(np.sqrt(count.astype(float)))
    nps = np.round(6.6 + 1.1 * speed + 0.6 * touch + 1.2 * rng.standard_normal(size)).clip(0, 10)
    kinds = np.array(["咨询", "业务申请", "投诉"], dtype=object)
    days = np.exp(0.35 - 0.75 * speed[asked])
    asked_back = rng.random(len(asked)) < 0.7
    sim.tables["service_record"] = pd.DataFrame(
        {
            "record_id": ids("S", np.arange(1, len(asked) + 1), 7),
            "customer_id": people["customer_id"].to_numpy(object)[asked],
            "branch_id": people["branch_id"].to_numpy(object)[asked],
            "request_time": day.astype("datetime64[s]") + minute,
            "kind": kinds[rng.choice(3, len(asked), p=[0.55, 0.40, 0.05])],
            "response_days": np.round(days, 2).clip(0.02),
            "nps": pd.array(np.where(asked_back, nps[asked], np.nan), dtype="Float64").astype(
                "Int64"
            ),
        }
    )
    planted = sim.effects.value("m01_n02", "or_response")
    sim.record("m01_n02", "or_response", planted, "每标准差响应速度（对数天数取负）的几率比")
    sim.record("m01_n02", "nps_effect", 0.0, "推荐意愿只随响应与触达变动，控制后为零")


def _wechat(sim: Simulation, base, kept, known: list[np.ndarray]) -> None:
    """Sign up to 企业微信: customers with money, contacts and tags do; its own effect is small."""
    rng, people = sim.rng("wechat_work"), sim.people
    money, count, tags = (standardise(values.astype(float)) for values in known)
    # the chance of staying as a class sees it that knows contacts and tags
    score = np.log(sim.effects.value("m01_n02", "or_contact")) * count + TAG_SLOPE * known[2]
    chance_kept = _smoothed(score, kept, base)
    room = (chance_kept * (1 - chance_kept))[base].mean()
    slope = sim.effects.value("m01_n02", "wechat_true") / room
    wish = 0.5 * money + 0.8 * count + 1.7 * tags + slope * _centred(base, kept)
    wish = wish + np.where(people["manager_id"].notna(), 0.6, -1.0)
    wish = wish - np.where((people["customer_type"] == "企业").to_numpy(), 0.5, 0.0)
    joined = rng.random(len(people)) < calibrated(wish, 0.27)
    last = window(sim)[1]
    opened = people["open_date"].to_numpy().astype("datetime64[D]")
    start = np.maximum(opened, last - 1000)
    joined &= start <= last
    row = np.flatnonzero(joined)
    span = (last - start[row]).astype(int) + 1
    day = start[row] + np.floor(span * rng.random(len(row))).astype(int)
    sim.append(
        "customer_product_history",
        pd.DataFrame(
            {
                "customer_id": people["customer_id"].to_numpy(object)[row],
                "item": "企业微信",
                "from_date": day.astype("datetime64[s]"),
                "to_date": np.full(len(row), np.datetime64("NaT"), dtype="datetime64[s]"),
            }
        ),
    )
    odds = logistic(np.log(chance_kept / (1 - chance_kept)) + slope * (1 - joined[base].mean()))
    lower = logistic(np.log(chance_kept / (1 - chance_kept)) - slope * joined[base].mean())
    realised = float((odds - lower)[base].mean())
    gap = kept[base & joined].mean() - kept[base & ~joined].mean()
    sim.record("m01_n02", "wechat_true", realised, f"不作控制的差距 {gap:.3f}")


def _smoothed(score: np.ndarray, kept: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return the chance of staying by a score: means of twenty bins, joined by straight lines."""
    # customers without tags share one score: bins that would be empty are left out
    edges = np.unique(np.quantile(score[base], np.linspace(0, 1, 21)))
    bins = len(edges) - 1
    bin_of = np.digitize(score, edges[1:-1])
    number = np.bincount(bin_of[base], minlength=bins)
    stayed = np.bincount(bin_of[base], weights=kept[base], minlength=bins)
    share = (stayed + 1) / (number + 2)
    middle = (edges[1:] + edges[:-1]) / 2
    return np.interp(score, middle, share)


def _tags(sim: Simulation, base, kept) -> np.ndarray:
    """Write customer_tag and return the number of valid tags of each customer.

    Those whom staff know well stay more often and are also the ones who join 企业微信: what
    confounds the naive comparison. Few tags in the branches whose managers exist on paper only.
    """
    rng, people = sim.rng("customer_tag"), sim.people
    managed = people["manager_id"].notna().to_numpy()
    paper = sim.arrays["paper_branch"][people["branch_pos"].to_numpy(int)]
    chance = logistic(np.where(paper, -2.6, -0.2) + TAG_SLOPE * _centred(base, kept)) * managed
    known = rng.random((len(people), len(_TAGS))) < chance[:, None]
    stale = (rng.random(known.shape) < 0.08) & ~known & managed[:, None]
    row, tag = np.nonzero(known | stale)
    opened = people["open_date"].to_numpy().astype("datetime64[D]")[row]
    last = window(sim)[1]
    start = np.maximum(opened, last - 900)
    span = np.maximum((last - start).astype(int), 0)
    day = start + np.floor(span * rng.random(len(row))).astype(int)
    sim.tables["customer_tag"] = pd.DataFrame(
        {
            "customer_id": people["customer_id"].to_numpy(object)[row],
            "tag": np.array(_TAGS, dtype=object)[tag],
            "valid": known[row, tag],
            "updated_date": day.astype("datetime64[s]"),
        }
    )
    return known.sum(axis=1)


def _events(sim: Simulation) -> None:
    """Write event and event_attendance: small gatherings of each branch over two years."""
    rng, people, branch = sim.rng("event"), sim.people, sim.tables["branch"]
    calendar = sim.tables["calendar"]
    dates = pd.to_datetime(calendar["date"])
    usable = dates[calendar["holiday"].isna() & (dates > sim.months(24)[0]) & (dates <= sim.as_of)]
    days = usable.to_numpy().astype("datetime64[D]")
    per_branch = 9
    at = np.repeat(np.arange(len(branch)), per_branch)
    held = days[rng.integers(0, len(days), len(at))]
    order = np.lexsort((at, held))
    at, held = at[order], held[order]
    kinds = np.array(["红马甲", "公益", "夜校", "沙龙", "权益"], dtype=object)
    codes = ids("EV", np.arange(1, len(at) + 1), 4)
    opened = people["open_date"].to_numpy().astype("datetime64[D]")
    place = people["branch_pos"].to_numpy(int)
    person = (people["customer_type"] != "企业").to_numpy()
    liking = logistic(
        -3.4
        + 0.5 * people["loyalty"].to_numpy(float)
        + 0.03 * (people["age"].fillna(45).to_numpy() - 45)
    )
    locals_of = [np.flatnonzero(person & (place == b)) for b in range(len(branch))]
    came = []
    for b, day in zip(at, held, strict=True):
        near = locals_of[b][opened[locals_of[b]] < day]
        came.append(near[rng.random(len(near)) < liking[near]])
    size = np.array([len(rows) for rows in came])
    event = np.repeat(np.arange(len(at)), size)
    sim.tables["event_attendance"] = pd.DataFrame(
        {
            "event_id": codes[event],
            "customer_id": people["customer_id"].to_numpy(object)[np.concatenate(came)],
            "date": held[event].astype("datetime64[s]"),
        }
    )
    attendees = size + rng.poisson(4, len(at))
    sim.tables["event"] = pd.DataFrame(
        {
            "event_id": codes,
            "kind": kinds[rng.choice(5, len(at), p=[0.25, 0.15, 0.25, 0.2, 0.15])],
            "date": held.astype("datetime64[s]"),
            "branch_id": branch["branch_id"].to_numpy(object)[at],
            "cost": np.round(200 + 22.0 * attendees + rng.gamma(2, 150, len(at)), 2),
            "staff_hours": np.round(4 + rng.gamma(3, 2.5, len(at)), 1),
            "attendees": attendees,
        }
    )
