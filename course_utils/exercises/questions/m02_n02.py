"""Questions of m02_n02: ladder of a branch, crowded days, effect of a call, a plan of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import (
    Case,
    Context,
    Invariant,
    Misconception,
    Question,
    Relation,
    behaviour,
    covers,
    invariants,
    number,
    plan,
    same,
    series,
    unique,
)
from course_utils.exercises.values import as_number, labels

TERM_KINDS = ("定期", "大额存单")
CALLED, HELD = "随机触达", "随机保留"
Crowded = Callable[[pd.DataFrame, pd.Timestamp, float], pd.Series]

# ------------------------------------------------------------------------------- common tables


def branch_of(context: Context) -> str:
    """Return the branch of the exercises."""
    return context.parameters["BRANCH"] or context.parameters["PRACTICE_BRANCH"]


def _columns(context: Context, wanted: list[str]) -> list[str]:
    return [name for name in wanted if context.bank.has(f"deposit_account.{name}")]


def term_deposits(context: Context) -> pd.DataFrame:
    """Return all time deposits with the customer's columns."""
    return context.remember("term", lambda: _term_deposits(context))


def _term_deposits(context: Context) -> pd.DataFrame:
    wanted = ["account_id", "customer_id", "branch_id", "kind", "term_months", "open_date"]
    wanted += ["maturity_date", "close_date", "amount", "renewed_from", "kept_amount_30d"]
    wanted += ["settle_channel"]
    account = context.load("deposit_account", _columns(context, wanted))
    person = ["customer_id", "birth_year", "do_not_call", "phone_valid", "weight"]
    customer = context.load("customer", person).set_index("customer_id")
    rows = account.loc[account["kind"].isin(TERM_KINDS)]
    return rows.join(customer, on="customer_id")


def open_deposits(context: Context) -> pd.DataFrame:
    """Return the deposits that are open and not yet due."""
    from course_utils.analysis import maturity

    return maturity.open_term(term_deposits(context), context.as_of)


def matured_deposits(context: Context) -> pd.DataFrame:
    """Return deposits with a known renewal: arm of the trial, called, tier of the month before."""
    return context.remember("matured", lambda: _matured_deposits(context))


def _matured_deposits(context: Context) -> pd.DataFrame:
    from course_utils.analysis import maturity, tiers

    rows = term_deposits(context)
    rows = rows.assign(kept=maturity.kept_amount(rows, context.as_of)).dropna(subset=["kept"])
    share = context.parameters["RENEWED_SHARE"]
    rows["renewed"] = rows["kept"].to_numpy() >= share * rows["amount"].to_numpy()
    money = _money_by_month(context)
    month = rows["maturity_date"].dt.to_period("M") - 1
    keys = pd.MultiIndex.from_arrays([rows["customer_id"], month])
    rows["money"] = money.reindex(keys).to_numpy()
    rows = rows.dropna(subset=["money"])
    rows["tier"] = tiers.aum_tier(rows["money"])
    log = context.load("contact_log", ["account_id", "contact_time", "channel", "purpose", "arm"])
    log = log[(log["purpose"] == "到期") & log["account_id"].notna()].sort_values("contact_time")
    log = log.drop_duplicates("account_id").set_index("account_id")
    rows["arm"] = rows["account_id"].map(log["arm"])
    rows["called"] = rows["account_id"].isin(log.index[log["channel"].notna()])
    return rows


def _money_by_month(context: Context) -> pd.Series:
    panel = context.load("customer_month", ["month", "customer_id", "aum_average"])
    keys = [panel["customer_id"], panel["month"].dt.to_period("M")]
    return pd.Series(panel["aum_average"].to_numpy(), index=pd.MultiIndex.from_arrays(keys))


# -------------------------------------------------------------------------------- E1 the ladder


@dataclass(frozen=True)
class WideTable:
    """Compare a pivot table (month × term) cell by cell; an empty cell counts as zero."""

    shape: str = "一张透视表（DataFrame）：行是到期月份，列是存期月数，值是金额"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Bring both to one value a cell and compare."""
        if isinstance(answer, pd.Series) and answer.index.nlevels == 2:
            answer = answer.unstack()  # noqa: PD010
        if not isinstance(answer, pd.DataFrame):
            return f"需要{self.shape}。"
        if answer.columns.nlevels > 1:
            return "列名有两层：pivot_table 里的 values 写成一个列名，不要写成列表。"
        if not all(pd.api.types.is_numeric_dtype(kind) for kind in answer.dtypes):
            return "表里有不是数的列：月份放在行上（index），不要放在列里。"
        rows, columns = set(labels(answer.index)), set(labels(answer.columns))
        if {"All", "合计"} & (rows | columns):
            return "多了合计的一行或一列：不要 margins，合计会让总数翻倍。"
        if rows <= set(labels(expected.columns)):
            return "行和列放反了：行是到期月份，列是存期。"
        return series(fill=0.0, keys="（月份, 存期）")(_cells(answer), _cells(expected))


def _cells(table: pd.DataFrame) -> pd.Series:
    """Return one value a cell; cells of zero are dropped, as many a way leaves them out."""
    flat = table.stack()  # noqa: PD013
    return flat[flat.fillna(0) != 0]


def ladder(rows: pd.DataFrame, value: pd.Series) -> pd.DataFrame:
    """Return money by month of maturity and term, added up on codes."""
    month, months = pd.factorize(rows["maturity_date"].dt.to_period("M"), sort=True)
    term, terms = pd.factorize(rows["term_months"].astype(int), sort=True)
    table = np.zeros((len(months), len(terms)))
    np.add.at(table, (month, term), value.to_numpy(dtype=float))
    return pd.DataFrame(
        table,
        index=pd.Index(months.to_timestamp("M").normalize(), name="month"),
        columns=pd.Index(terms, name="term_months"),
    )


def branch_ladder(context: Context) -> pd.DataFrame:
    """Return the expected ladder of the branch."""
    rows = open_deposits(context)
    rows = rows[rows["branch_id"] == branch_of(context)]
    return ladder(rows, rows["amount"] * rows["weight"])


def _one_year(context: Context) -> pd.DataFrame:
    last = context.as_of + pd.offsets.MonthEnd(context.parameters["HORIZON_MONTHS"])
    table = branch_ladder(context)
    return table[table.index <= last]


def _sample(context: Context) -> pd.DataFrame:
    rows = open_deposits(context)
    rows = rows[rows["branch_id"] == branch_of(context)]
    return ladder(rows, rows["amount"])


def _averages(context: Context) -> pd.DataFrame:
    rows = open_deposits(context)
    rows = rows[rows["branch_id"] == branch_of(context)]
    count = ladder(rows, pd.Series(1.0, index=rows.index))
    return (branch_ladder(context) / count).fillna(0.0)


def _with_closed(context: Context) -> pd.DataFrame:
    rows = term_deposits(context)
    rows = rows[rows["branch_id"] == branch_of(context)]
    return ladder(rows, rows["amount"] * rows["weight"])


def _whole_bank(context: Context) -> pd.DataFrame:
    rows = open_deposits(context)
    return ladder(rows, rows["amount"] * rows["weight"])


def _branch_total(context: Context) -> float:
    """Return the open time deposits of the branch from balances, not from the ladder's column."""
    account = context.load(
        "deposit_account", ["customer_id", "branch_id", "kind", "balance", "close_date"]
    )
    weight = context.load("customer", ["customer_id", "weight"]).set_index("customer_id")["weight"]
    mine = account["branch_id"].eq(branch_of(context)) & account["kind"].isin(TERM_KINDS)
    mine &= account["close_date"].isna() | (account["close_date"] > context.as_of)
    rows = account[mine]
    return float((rows["balance"] * rows["customer_id"].map(weight)).sum())


def _adds_up(answer: Any, context: Context) -> bool:
    """Compare with the balances; away from the data's last day balances are not of that day."""
    target = _branch_total(context)
    if not np.isclose(target, branch_ladder(context).to_numpy().sum(), rtol=1e-6):
        return True
    return bool(np.isclose(np.nansum(np.asarray(answer, dtype=float)), target, rtol=1e-6))


# ----------------------------------------------------------------------------- E2 crowded days


def crowded(context: Context) -> Crowded:
    """Return the reference function: walk through the days of the window."""
    horizon = context.parameters["PLAN_DAYS"]

    def crowded_days(rows: pd.DataFrame, as_of: pd.Timestamp, capacity: float) -> pd.Series:
        day = (rows["visit_date"] - as_of).dt.days.to_numpy(dtype=float)
        inside = (day >= 1) & (day <= horizon)
        places = day[inside].astype(int)
        sums = np.bincount(
            places, weights=rows["visits"].to_numpy(float)[inside], minlength=horizon + 1
        )
        hit = np.flatnonzero(sums > capacity)
        return pd.Series(sums[hit], index=as_of + pd.to_timedelta(hit, unit="D"))

    return crowded_days


def _by_column(date: str, value: str | None) -> Callable[[Context], Crowded]:
    def make(context: Context) -> Crowded:
        horizon = pd.Timedelta(days=context.parameters["PLAN_DAYS"])

        def wrong(rows: pd.DataFrame, as_of: pd.Timestamp, capacity: float) -> pd.Series:
            kept = rows[(rows[date] > as_of) & (rows[date] <= as_of + horizon)]
            groups = kept.groupby(date)
            sums = groups[value].sum() if value else groups.size()
            return sums[sums > capacity]

        return wrong

    return make


def _no_window(context: Context) -> Crowded:
    def wrong(rows: pd.DataFrame, as_of: pd.Timestamp, capacity: float) -> pd.Series:
        sums = rows.groupby("visit_date")["visits"].sum()
        return sums[sums > capacity]

    return wrong


def _at_capacity(context: Context) -> Crowded:
    right = crowded(context)
    return lambda rows, as_of, capacity: right(rows, as_of, np.nextafter(capacity, -np.inf))


def _single_rows(context: Context) -> Crowded:
    right = crowded(context)
    return lambda rows, as_of, capacity: right(rows[rows["visits"] > capacity], as_of, capacity)


def crafted(*rows: tuple[int, int, float]) -> pd.DataFrame:
    """Return deposits: maturity and visit as days after 2026-02-14, and expected visits."""
    table = pd.DataFrame(list(rows), columns=["due", "come", "visits"])
    start = pd.Timestamp("2026-02-14")
    return pd.DataFrame(
        {
            "maturity_date": start + pd.to_timedelta(table["due"], unit="D"),
            "visit_date": start + pd.to_timedelta(table["come"], unit="D"),
            "visits": table["visits"].astype(float),
        }
    )


START = pd.Timestamp("2026-02-14")
MIXED = [(1, 10, 30.0), (3, 10, 25.0), (8, 10, 4.5), (11, 11, 20.0), (12, 12, 60.0), (30, 30, 55.0)]


def _edge(shift: int) -> Callable[[Context], tuple[Any, ...]]:
    """Return a case with one visit day `shift` days from the end of the window."""

    def make(context: Context) -> tuple[Any, ...]:
        day = context.parameters["PLAN_DAYS"] + shift
        return crafted((day - 1, day, 70.0), (4, 5, 70.0)), START, 50.0

    return make


def real_rows(context: Context) -> pd.DataFrame:
    """Return the open deposits of the branch with day and expected visits."""
    return context.remember("visits", lambda: _real_rows(context))


def _real_rows(context: Context) -> pd.DataFrame:
    from course_utils.analysis import maturity

    rows = open_deposits(context)
    rows = rows[rows["branch_id"] == branch_of(context)]
    calendar = context.load("calendar", ["date", "workday"])
    return pd.DataFrame(
        {
            "maturity_date": rows["maturity_date"],
            "visit_date": maturity.next_workday(rows["maturity_date"], calendar),
            "visits": rows["weight"].astype(float) * context.parameters["WALK_IN"],
        }
    )


def _really(days: int, times: float) -> Callable[[Context], tuple[Any, ...]]:
    def make(context: Context) -> tuple[Any, ...]:
        rows = real_rows(context)
        mean = rows.groupby("visit_date")["visits"].sum().mean()
        return rows, context.as_of + pd.Timedelta(days=days), float(times * mean)

    return make


E2_CHECK = behaviour(
    Case("这家支行的到期表", _really(0, 2.0)),
    Case("几笔叠在同一天", lambda context: (crafted(*MIXED), START, 50.0), "同一天的要先加总，再和余力比。"),
    Case("刚好等于余力", lambda context: (crafted((1, 2, 20.0), (2, 2, 30.0)), START, 50.0),
         "刚好等于余力还接得住，要“超过”才算。"),
    Case("到期日在假期里，客户节后才来", lambda context: (crafted((1, 10, 60.0), (9, 10, 1.0)), START, 50.0),
         "看的是 visit_date，不是 maturity_date。"),
    Case("到期已过、客户明天才来",
         lambda context: (crafted((0, 1, 60.0), (-1, 1, 5.0)), START, 50.0),
         "昨天是休息日到期的，客户明天才来：窗口要按 visit_date 来切。"),
    Case("当天和更早的不算", lambda context: (crafted((0, 0, 70.0), (-3, -3, 70.0), (1, 1, 70.0)), START, 50.0),
         "只看 as_of 之后的日子，当天和过去的不算。"),
    Case("窗口的最后一天", _edge(0), "第 PLAN_DAYS 天当天还在窗口里。"),
    Case("窗口之外一天", _edge(1), "超过 PLAN_DAYS 天的不看。"),
    Case("换一个数据日期", _really(45, 2.0), "换了 as_of，窗口的两头都要跟着走。"),
    Case("一笔都没有", lambda context: (crafted((1, 1, 1.0)).head(0), START, 50.0), "空表要得到空的结果。"),
    Relation("打乱行的顺序", _really(0, 2.0),
             lambda context: (real_rows(context).sample(frac=1, random_state=2), *_really(0, 2.0)(context)[1:]),
             same, "结果不应随行的顺序改变。"),
    compare=series(keys="日期"),
    signature=("rows", "as_of", "capacity"),
)  # fmt: skip

# ------------------------------------------------------------------------ E3 effect of a call

KEYS = ("difference", "low", "high", "why")
WORDS = {"difference": "差", "low": "下限", "high": "上限"}
SELECTION = ("挑", "选", "抽签", "随机", "不可比", "犹豫", "本来", "不放心", "更要走", "要走")
HARM = ("打扰", "反而走", "少打", "别打", "有害", "适得其反")


@dataclass(frozen=True)
class EffectReport:
    """Compare the estimate tightly and its interval loosely: another sound interval passes."""

    shape: str = "一个字典，四个键：difference、low、high、why"

    def __call__(self, answer: Any, expected: Mapping[str, Any]) -> str | None:
        """Compare the three numbers."""
        if not isinstance(answer, Mapping) or set(KEYS) - set(answer):
            return f"需要{self.shape}。"
        values = [as_number(answer[key])[0] for key in WORDS]
        if np.isfinite(values).all() and max(map(abs, values)) > 1:
            return "三个数要用小数：高出一个百分点写成 0.01，不是 1。"
        for key, word in WORDS.items():
            loose = 1e-6 if key == "difference" else 0.008
            if reason := number(absolute=loose)(answer[key], expected[key]):
                return f"“{word}”：{reason}"
        if not answer["low"] < answer["difference"] < answer["high"]:
            return "下限应当小于差、上限应当大于差：检查三个数的位置。"
        return None


def difference(context: Context, treated: pd.Series, control: pd.Series) -> dict[str, Any]:
    """Return the difference of two groups of matured deposits with Newcombe's interval."""
    from course_utils.analysis import experiment

    rows = matured_deposits(context)
    hits, totals = [], []
    for mask in (treated, control):
        hits.append(int(rows.loc[mask, "renewed"].sum()))
        totals.append(int(mask.sum()))
    result = experiment.diff_ci(hits[0], totals[0], hits[1], totals[1])
    found = {key: result[key] for key in ("difference", "low", "high")}
    return found | {"why": "打给谁是客户经理自己挑的，挑的是更可能走的客户，两组本来不可比。"}


def trial_effect(context: Context) -> dict[str, Any]:
    """Compare the two drawn groups."""
    rows = matured_deposits(context)
    return difference(context, rows["arm"].eq(CALLED), rows["arm"].eq(HELD))


def _naive(context: Context) -> dict[str, Any]:
    rows = matured_deposits(context)
    return difference(context, rows["called"], ~rows["called"])


def _self_chosen(context: Context) -> dict[str, Any]:
    rows = matured_deposits(context)
    return difference(context, rows["arm"].eq("自选"), rows["arm"].eq(HELD))


def _against_rest(context: Context) -> dict[str, Any]:
    rows = matured_deposits(context)
    return difference(context, rows["arm"].eq(CALLED), rows["arm"].isna())


def _says_why(answer: Any, context: Context) -> bool | str:
    text = str(answer["why"]).strip()
    if len(text) < 15:
        return "这一句太短：写清楚是谁决定打给谁、两组客户哪里不一样。"
    if any(word in text for word in HARM):
        return "抽签的两组说明电话是有用的，直接比的负数不能怪电话：想想是谁决定打给谁。"
    return any(word in text for word in SELECTION)


def _planted_effect(context: Context) -> float | None:
    entry = (context.truth or {}).get("m02_n02", {}).get("contact_effect")
    return None if entry is None else float(entry["planted"])


# ------------------------------------------------------------------------------ E4 the plan


def candidates(context: Context) -> pd.DataFrame:
    """Return the deposits due soon at the branch: money at risk, who may be called."""
    return context.remember("candidates", lambda: _candidates(context))


def _candidates(context: Context) -> pd.DataFrame:
    from course_utils.analysis import tiers

    p = context.parameters
    rows = open_deposits(context)
    soon = rows["days_left"] <= p["PLAN_DAYS"] + p["CALL_EARLY"]
    rows = rows[soon & (rows["branch_id"] == branch_of(context))]
    panel = context.load("customer_month", ["month", "customer_id", "aum_average"])
    latest = panel[panel["month"] == panel["month"].max()].set_index("customer_id")["aum_average"]
    tier = tiers.aum_tier(rows["customer_id"].map(latest))
    chance, overall = _leaving(context)
    leave = tier.astype(object).map(chance).astype(float).fillna(overall)
    return rows.assign(
        at_risk=rows["amount"] * leave, can_call=~rows["do_not_call"] & rows["phone_valid"]
    )


def _leaving(context: Context) -> tuple[dict[str, float], float]:
    """Return the shrunken share that leaves by tier, and the share of all."""
    rows = matured_deposits(context)
    held = rows[rows["arm"] == HELD]
    if held.empty or not rows["arm"].eq(CALLED).any():
        held = rows[~rows["called"]]
    overall = float(1 - held["renewed"].mean())
    extra = context.parameters["SHRINK_COUNT"]
    chance = {}
    for tier, part in held.groupby("tier", observed=True):
        gone = len(part) - int(part["renewed"].sum())
        chance[str(tier)] = (gone + extra * overall) / (len(part) + extra)
    return chance, overall


def work_days(context: Context) -> pd.DatetimeIndex:
    """Return the working days of the plan."""
    calendar = context.load("calendar", ["date", "workday"])
    last = context.as_of + pd.Timedelta(days=context.parameters["PLAN_DAYS"])
    kept = calendar["workday"] & (calendar["date"] > context.as_of) & (calendar["date"] <= last)
    return pd.DatetimeIndex(calendar.loc[kept, "date"])


def greedy_plan(context: Context) -> pd.DataFrame:
    """Take the deposits with most money at risk first; give each the emptiest day that fits."""
    p = context.parameters
    rows = candidates(context)
    rows = rows[rows["can_call"]].sort_values("at_risk", ascending=False, kind="stable")
    days = work_days(context)
    left = np.full(len(days), p["CALLS_PER_DAY"])
    lead = (rows["maturity_date"].to_numpy()[:, None] - days.to_numpy()[None, :]).astype(
        "timedelta64[D]"
    )
    fits = (lead.astype(int) >= p["CALL_LATE"]) & (lead.astype(int) <= p["CALL_EARLY"])
    done: set[str] = set()
    chosen = []
    for place, (account, customer) in enumerate(
        zip(rows["account_id"], rows["customer_id"], strict=True)
    ):
        room = np.where(fits[place], left, 0)
        if customer not in done and room.max(initial=0) > 0:
            day = int(room.argmax())
            left[day] -= 1
            done.add(customer)
            chosen.append((account, days[day]))
    return pd.DataFrame(chosen, columns=["account_id", "call_date"])


def _looked_up(answer: pd.DataFrame, context: Context) -> pd.DataFrame:
    columns = ["account_id", "customer_id", "maturity_date", "at_risk", "can_call"]
    table = answer[["account_id", "call_date"]].merge(
        candidates(context)[columns], on="account_id", how="left"
    )
    table["call_date"] = pd.to_datetime(table["call_date"], errors="coerce").dt.normalize()
    return table


def _known(answer: Any, context: Context) -> bool | str:
    strange = int(_looked_up(answer, context)["at_risk"].isna().sum())
    return not strange or f"有 {strange} 笔不是这家支行近期到期的账户。"


def _once(answer: Any, context: Context) -> bool | str:
    customers = _looked_up(answer, context)["customer_id"].dropna()
    again = int(customers.duplicated().sum())
    return not again or f"有 {again} 个电话打给了已经打过的客户：一位客户只打一次。"


def _willing(answer: Any, context: Context) -> bool | str:
    refused = int((_looked_up(answer, context)["can_call"] == False).sum())  # noqa: E712
    return not refused or f"名单里有 {refused} 笔的客户谢绝来电或号码无效，不能打。"


def _working(answer: Any, context: Context) -> bool | str:
    off = int((~_looked_up(answer, context)["call_date"].isin(work_days(context))).sum())
    return not off or f"有 {off} 个电话不在 work_days 的日子里。"


def _in_time(answer: Any, context: Context) -> bool | str:
    p = context.parameters
    table = _looked_up(answer, context)
    lead = (table["maturity_date"] - table["call_date"]).dt.days
    wrong = int((~lead.between(p["CALL_LATE"], p["CALL_EARLY"])).sum())
    return not wrong or f"有 {wrong} 个电话离到期日太近或太远。"


def _capacity(answer: Any, context: Context) -> bool | str:
    limit = context.parameters["CALLS_PER_DAY"]
    full = int((_looked_up(answer, context)["call_date"].value_counts() > limit).sum())
    return not full or f"有 {full} 天超过了每天 {limit} 个。"


def _retained(answer: Any, context: Context) -> float:
    return float(_looked_up(answer, context)["at_risk"].sum())


def _breaks(rule: Callable[[Any, Context], bool | str]) -> Callable[[Any, Context], bool]:
    def matches(answer: Any, context: Context) -> bool:
        if not isinstance(answer, pd.DataFrame) or {"account_id", "call_date"} - set(answer):
            return False
        return rule(answer, context) is not True

    return matches


def _small_first(answer: Any, context: Context) -> bool:
    """Tell whether a lawful plan took small sums although large ones were left."""
    if not isinstance(answer, pd.DataFrame) or {"account_id", "call_date"} - set(answer):
        return False
    rules = (_known, _once, _willing, _working, _in_time, _capacity)
    if any(rule(answer, context) is not True for rule in rules):
        return False
    rows = candidates(context)
    inside = rows["account_id"].isin(answer["account_id"])
    left = rows.loc[~inside & rows["can_call"], "at_risk"]
    chosen = rows.loc[inside, "at_risk"]
    return bool(len(left) and len(chosen) and left.max() > chosen.median())


E4_CHECK = plan(
    Invariant("账户", _known, "名单里有不认得的账户。"),
    unique("account_id", name="一笔一次"),
    Invariant("一户一次", _once, "有客户被打了不止一次。"),
    Invariant("谢绝来电", _willing, "名单里有不能打的客户。"),
    Invariant("工作日", _working, "有电话不在工作日。"),
    Invariant("提前天数", _in_time, "有电话离到期日太近或太远。"),
    Invariant("每天容量", _capacity, "有的日子排得太满。"),
    objective=_retained,
    share=0.95,
    columns=("account_id", "call_date"),
    goal="预计留住的金额",
)

# ---------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "my_ladder",
        branch_ladder,
        WideTable(),
        checks=(invariants(Invariant("合计对账", _adds_up, "各格相加和这家支行的定期余额对不上。")),),
        hints=(
            "演示一的透视表几乎就是答案，只要换两处：看哪些行、看多远。",
            "`next_year` 只有一年；全部没到期的在 `open_term` 里。先用 `branch_id == my_branch` 留下一家支行。",
            "`index`、`columns`、`values` 依次是 `month`、`term_months`、`full_amount`，`aggfunc=\"sum\"`，`fill_value=0`。",
        ),
        misconceptions=(
            Misconception("one_year_only", "你只看了一年以内：两年、三年期还没到期的也在这张表里。", _one_year),
            Misconception("sample_amount", "你加的是样本里的金额，没有乘 weight：要用 full_amount。", _sample),
            Misconception("averages", "格子里是平均每笔的金额：pivot_table 不写 aggfunc 就取平均，要写 aggfunc=\"sum\"。", _averages),
            Misconception(
                "closed_accounts",
                "你把早就到期、已经销户的也算进去了：它们不会再到期。",
                _with_closed,
            ),
            Misconception("whole_bank", "这是全行的视图：题目只要 my_branch 一家。", _whole_bank),
        ),
        parameters=("BRANCH", "PRACTICE_BRANCH"),
    ),
    Question(
        "E2",
        "crowded_days",
        crowded,
        checks=(E2_CHECK,),
        hints=(
            "三步：切窗口，按天加总，留下超过余力的。次序不能换。",
            "窗口：`rows[\"visit_date\"] > as_of`，并且 `<= as_of + pd.Timedelta(days=PLAN_DAYS)`。不要用 `bank.as_of`。",
            "按天加总：`groupby(\"visit_date\")[\"visits\"].sum()`，再用 `per_day[per_day > capacity]` 筛选，最后 `return`。",
        ),
        misconceptions=(
            Misconception(
                "deposits_not_visits",
                "你数的是笔数。一笔代表多少人次，写在 visits 里，要加总。",
                _by_column("visit_date", None),
            ),
            Misconception(
                "maturity_day",
                "你按到期日数的。休息日到期的客户，下一个工作日才来：看 visit_date。",
                _by_column("maturity_date", "visits"),
            ),
            Misconception("no_window", "你没有切窗口：as_of 当天及以前的、太远的都不看。", _no_window),
            Misconception(
                "single_rows",
                "你先拿单笔去和余力比了。一天来的人是许多笔加起来的：先加总，再比。",
                _single_rows,
            ),
            Misconception("at_capacity", "刚好等于余力还接得住，要“超过”才算。", _at_capacity),
        ),
        parameters=("PLAN_DAYS",),
    ),
    Question(
        "E3",
        "effect",
        trial_effect,
        EffectReport(),
        checks=(
            invariants(
                Invariant(
                    "为什么",
                    _says_why,
                    "没有说到要害：直接比的两组，是谁、按什么分出来的？",
                )
            ),
            covers(_planted_effect, interval=lambda answer: (answer["low"], answer["high"])),
        ),
        hints=(
            "先想清楚拿谁和谁比：哪两组在打电话之前是一样的？",
            "抽签的两组已经在 `trial` 里，列 `arm` 的两个值是“随机触达”和“随机保留”。",
            "`experiment.compare_arms(trial, \"renewed\", \"arm\", \"随机触达\", \"随机保留\").iloc[0]` 给出三个数；"
            "`why` 里写清：平时打给谁，是谁挑的，挑的是什么样的客户。",
        ),
        misconceptions=(
            Misconception(
                "calls_do_harm",
                "三个数是一回事，解释反了：抽签的两组说明电话有用，直接比的负数来自挑选。",
                matches=lambda answer, context: (
                    isinstance(answer, Mapping)
                    and any(word in str(answer.get("why", "")) for word in HARM)
                ),
            ),
            Misconception(
                "naive",
                "这是直接比的数：联系过的客户是挑出来的，和没联系的本来就不一样。",
                matches=lambda answer, context: _same_numbers(answer, _naive(context)),
            ),
            Misconception(
                "self_chosen",
                "“自选”是客户经理挑的，不能和抽签不打的一组比：要比抽签打的一组。",
                matches=lambda answer, context: _same_numbers(answer, _self_chosen(context)),
            ),
            Misconception(
                "random_against_rest",
                "打的一组对了，对照不对：没联系的客户里少了被挑走的犹豫客户，比抽签不打的更稳。",
                matches=lambda answer, context: _same_numbers(answer, _against_rest(context)),
            ),
        ),
        parameters=("RENEWED_SHARE",),
    ),
    Question(
        "E4",
        "plan",
        greedy_plan,
        checks=(E4_CHECK,),
        hints=(
            "先排最值钱的：把 `mine` 里能打的按 `at_risk` 从大到小排，一笔一笔找日子。",
            "给每个工作日记一个“还剩几个”，`dict.fromkeys(work_days, CALLS_PER_DAY)`；打过的客户放进一个集合 `set()`。",
            "对每一笔，在 `work_days` 里找 `CALL_LATE <= (row.maturity_date - day).days <= CALL_EARLY` 且还有名额的日子，"
            "找到就记下、名额减一；找不到就跳过。",
        ),
        misconceptions=(
            Misconception(
                "ignores_refusals",
                "谢绝来电和号码无效的客户不能进电话名单：先用 can_call 筛一遍。",
                matches=_breaks(_willing),
            ),
            Misconception(
                "no_daily_limit",
                "总数没超，可有的日子排爆了：每个工作日都要守住 CALLS_PER_DAY。",
                matches=_breaks(_capacity),
            ),
            Misconception(
                "first_come",
                "规矩都守住了，可名额给了金额小的：先给 at_risk 大的找日子。",
                matches=_small_first,
            ),
        ),
        parameters=("BRANCH", "PRACTICE_BRANCH", "PLAN_DAYS", "CALLS_PER_DAY", "CALL_EARLY",
                    "CALL_LATE", "SHRINK_COUNT", "RENEWED_SHARE"),
    ),
]  # fmt: skip

VARIATIONS = [{"BRANCH": "B05"}, {"PLAN_DAYS": 60, "CALLS_PER_DAY": 3}]


def _same_numbers(answer: Any, other: Mapping[str, Any]) -> bool:
    """Tell whether an answer carries the three numbers of a named mistake."""
    if not isinstance(answer, Mapping) or set(WORDS) - set(answer):
        return False
    return all(abs(float(answer[key]) - other[key]) < 0.008 for key in WORDS)
