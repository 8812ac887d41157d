"""Questions of m03_n04: stability and trend, a limit, standardised rates, a week of visits.

The references rebuild levels, stars, gates and limits from the bank's tables with plain arrays;
nothing is taken from the notebook but the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
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
    frame,
    invariants,
    number,
    numbers,
    plan,
    unique,
)

# --------------------------------------------------------------------------- E1 stability, trend

Pair = Callable[[Any, Any], tuple[float, float]]


def _pair(even: list[float], base: int = 5, ddof: int = 1) -> tuple[float, float]:
    """Return (S, r) of six even months; ``base`` months are the yardstick of r."""
    total = sum(even)
    if total == 0:
        return 0.0, 0.0
    mean = total / 6
    spread = (sum((x - mean) ** 2 for x in even) / (6 - ddof)) ** 0.5
    before = sum(even[:base]) / base
    return max(0.0, 1 - spread / mean), even[5] / before if before > 0 else 0.0


def steady(context: Context) -> Pair:
    """Return the reference function."""

    def reference(amounts: Any, season: Any) -> tuple[float, float]:
        scale = [1.0] * 6 if season is None else list(season)
        return _pair([a / s for a, s in zip(amounts, scale, strict=True)])

    return reference


def multiplied(context: Context) -> Pair:
    """Multiply by the season instead of dividing."""
    return lambda amounts, season: _pair(
        [a * s for a, s in zip(amounts, [1] * 6 if season is None else season, strict=True)]
    )


def _divided(amounts: Any, season: Any) -> list[float]:
    scale = [1.0] * 6 if season is None else list(season)
    return [a / s for a, s in zip(amounts, scale, strict=True)]


def population_sd(context: Context) -> Pair:
    """Use the population formula of the standard deviation."""
    return lambda amounts, season: _pair(_divided(amounts, season), ddof=0)


def six_in_base(context: Context) -> Pair:
    """Compare the latest month with a mean that contains it."""
    return lambda amounts, season: _pair(_divided(amounts, season), base=6)


_HOLIDAY = [1.1, 1.2, 1.2, 1.1, 0.9, 0.5]


def _months(values: list[float], season: list[float] | None = None) -> Callable[[Context], Any]:
    return lambda context: (list(values), None if season is None else list(season))


E1 = Question(
    "E1",
    "steady",
    steady,
    checks=(
        behaviour(
            Case("每月一样", _months([8000.0] * 6)),
            Case("有高有低", _months([9000, 11000, 10000, 12000, 8000, 7000])),
            Case("最后一个月掉了一半", _months([10000, 10000, 10000, 10000, 10000, 5000])),
            Case("最后一个月翻倍", _months([10000, 10000, 10000, 10000, 10000, 20000])),
            Case("只有一个月有钱", _months([0, 0, 0, 0, 0, 60000]), "S 最低是零；前五个月全是零，r 记零。"),
            Case("中间断过", _months([10000, 0, 0, 0, 9000, 8000]), "S 最低是零，不能是负数。"),
            Case("全是零", _months([0] * 6), "六个月全是零，返回 (0, 0)，别去做除法。"),
            Case("几乎没有收款", _months([0.5, 0, 0, 0, 0, 0.5]), "少也不是零：照样算。"),
            Case("最后一个月是零", _months([10000, 9000, 11000, 10000, 10000, 0])),
            Case("放假月份，季节正好解释", _months([11000, 12000, 12000, 11000, 9000, 5000], _HOLIDAY),
                 "先把每个月的收款除以当月的季节指数。"),
            Case("放假月份，还真掉了", _months([11000, 12000, 12000, 11000, 9000, 2000], _HOLIDAY),
                 "先把每个月的收款除以当月的季节指数。"),
            Case("全是零，也给了季节", _months([0] * 6, _HOLIDAY)),
            Relation("金额都翻倍", _months([9000, 11000, 10000, 12000, 8000, 7000]),
                     _months([18000, 22000, 20000, 24000, 16000, 14000]), lambda a, b: _close(a, b),
                     "金额都翻倍，比值没变，S 和 r 都不该变。"),
            compare=numbers("S", "r", relative=1e-6, absolute=1e-9),
            signature=("amounts", "season"),
        ),
    ),
    hints=(
        "先去季节（有季节才去），再算平均和标准差；两个特殊情况先挡掉。",
        "np.array(amounts) / np.array(season) 逐月相除；标准差用 ddof=1；r 的分母是前五个数的平均。",
        "S = max(0, 1 - even.std(ddof=1) / even.mean())，r = even[5] / even[:5].mean()；"
        "even.sum() == 0 先返回 (0, 0)，前五个月平均是零时 r 记零。",
    ),
    misconceptions=(
        Misconception(
            "multiplied",
            "你把收款乘了季节指数，放假的月份就更低了。指数小说明本来就淡，要用除法还回去。",
            multiplied,
        ),
        Misconception(
            "population_sd",
            "标准差用了总体公式。六个月只是样本，要除以个数减一：std(ddof=1)。",
            population_sd,
        ),
        Misconception(
            "six_in_base",
            "r 的分母把最近一个月也算进去了，掉多少都被它自己拉近。分母只用前五个月。",
            six_in_base,
        ),
    ),
)  # fmt: skip


def _close(first: Any, second: Any) -> bool:
    """Whether two pairs agree."""
    a, b = (np.asarray(list(v), dtype=float) for v in (first, second))
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-9))


# --------------------------------------------------------------------------------- E2 one limit

Limit = Callable[[float, float, float, float], float]


def limit_of(context: Context) -> Limit:
    """Return the reference function for the parameters in force."""
    p = context.parameters
    cap, least, part = float(p["PRODUCT_CAP"]), float(p["PRODUCT_MIN"]), float(p["INCOME_SHARE"])
    months, floor = float(p["MONTHS_CAP"]), float(p["SHARE_FLOOR"])

    def reference(monthly: float, margin: float, share: float, debt: float) -> float:
        full = monthly / (share if share > floor else floor)
        left = sorted((cap, 12 * part * margin * full, months * monthly))[0] - debt
        return 0.0 if left < least else left

    return reference


def debt_before_min(context: Context) -> Limit:
    """Subtract the debt from one of the three caps only."""
    p = context.parameters

    def wrong(monthly: float, margin: float, share: float, debt: float) -> float:
        full = monthly / max(share, p["SHARE_FLOOR"])
        caps = (p["PRODUCT_CAP"], full * margin * 12 * p["INCOME_SHARE"] - debt)
        top = min(*caps, monthly * p["MONTHS_CAP"])
        return top if top >= p["PRODUCT_MIN"] else 0

    return wrong


def visible_only(context: Context) -> Limit:
    """Forget that our code sees only a part of the sales."""
    right = limit_of(context)
    return lambda monthly, margin, share, debt: right(monthly, margin, 1.0, debt)


def turnover_is_income(context: Context) -> Limit:
    """Leave the margin out: turnover as if it were income."""
    right = limit_of(context)
    return lambda monthly, margin, share, debt: right(monthly, 1e9, share, debt)


def _case(
    scale: float = 1.0, margin: float = 0.08, share: float = 0.5, debt: float = 0.0
) -> Callable[[Context], Any]:
    """Return a merchant; ``scale`` counts the monthly takings in shares of the product cap."""
    return lambda c: (c.parameters["PRODUCT_CAP"] * scale / 10, margin, share, debt)


def _below_floor(context: Context) -> Any:
    return (context.parameters["PRODUCT_CAP"] / 20, 0.03, context.parameters["SHARE_FLOOR"] / 2, 0)


def _left(extra: float) -> Callable[[Context], Any]:
    """Return a merchant at the product cap whose debt leaves the minimum and ``extra`` yuan."""

    def arguments(context: Context) -> Any:
        p = context.parameters
        return p["PRODUCT_CAP"], 9.0, 0.8, p["PRODUCT_CAP"] - p["PRODUCT_MIN"] - extra

    return arguments


_THREE = "三个上限取最小，取完再减负债。"
E2 = Question(
    "E2",
    "limit_of",
    limit_of,
    checks=(
        behaviour(
            Case("利润薄，还得起是瓶颈", _case(0.6, margin=0.03, share=0.8)),
            Case("利润厚，看得见是瓶颈", _case(0.6, margin=0.3, share=0.5), _THREE),
            Case("流水特别大，产品封顶", _case(30, margin=0.3), _THREE),
            Case("产品封顶，还有负债", _case(30, margin=0.3, debt=60_000.0), _THREE),
            Case("看得见是瓶颈，还有负债", _case(0.6, margin=0.3, debt=20_000.0), _THREE),
            Case("占比很小", _below_floor, "占比低于 SHARE_FLOOR 的，按 SHARE_FLOOR 算。"),
            Case("占比刚好在底线", lambda c: (20_000.0, 0.05, c.parameters["SHARE_FLOOR"], 0)),
            Case("占比是一", _case(0.5, margin=0.05, share=1.0)),
            Case("没有流水", lambda c: (0.0, 0.1, 0.5, 0.0)),
            Case("负债比额度还大", _case(0.3, debt=9e6), "减完不够起点的，额度是零，不能是负数。"),
            Case("减完刚好够起点", _left(0), "刚好到起点的给额度。"),
            Case("减完差一点到起点", _left(-1), "不到 PRODUCT_MIN 的记作零。"),
            Relation("流水和负债都翻倍", _case(2, margin=0.05, share=0.8, debt=4_000.0),
                     _case(4, margin=0.05, share=0.8, debt=8_000.0),
                     lambda a, b: abs(2 * a - b) <= 1e-6 * max(abs(b), 1),
                     "没碰到封顶时，流水和负债都翻倍，额度也该翻倍。"),
            compare=number(unit="元", relative=1e-6, absolute=0.005),
            signature=("monthly", "margin", "share", "debt"),
        ),
    ),
    hints=(
        "先算三个上限，再取最小，最后减负债。",
        "全部月收款 = 月均 ÷ 占比，占比太小时用 SHARE_FLOOR；还得起 = 全部月收款 × 净利率 × 12 × INCOME_SHARE。",
        "top = min(PRODUCT_CAP, 还得起, monthly * MONTHS_CAP) - debt，"
        "再用 top if top >= PRODUCT_MIN else 0。",
    ),
    misconceptions=(
        Misconception(
            "debt_before_min",
            "负债只从“还得起”里减了，封顶和看得见那两条没减。先取最小，再减负债。",
            debt_before_min,
        ),
        Misconception(
            "visible_only",
            "你拿本行码的流水当成了全部收款。他别家码上还有生意，要先除以本行码占比。",
            visible_only,
        ),
        Misconception(
            "turnover_is_income",
            "你漏了“还得起”这一条：流水不是利润，要乘净利率再看拿多大一块还债。",
            turnover_is_income,
        ),
    ),
    parameters=("PRODUCT_CAP", "PRODUCT_MIN", "INCOME_SHARE", "MONTHS_CAP", "SHARE_FLOOR"),
)  # fmt: skip

# -------------------------------------------------------------------------- E3 standardised rates


def peers(context: Context) -> pd.DataFrame:
    """Return the peers, or the own branches by type where the bank has no peer table."""
    return context.remember("peers", lambda: _peers(context))


def _peers(context: Context) -> pd.DataFrame:
    if context.bank.has("merchant_peer"):
        return context.load("merchant_peer")
    state, line = states(context), context.load("credit_line")
    line = line[line["product_code"] == context.parameters["PRODUCT"]]
    drew = set(line.loc[line["first_draw_date"].notna(), "customer_id"])
    kind = context.load("branch").set_index("branch_id")["branch_type"]
    rows = state.assign(area=state["branch_id"].map(kind), drew=state["customer_id"].isin(drew))
    table = rows.groupby(["area", "star"]).agg(merchants=("drew", "size"), draws=("drew", "sum"))
    return table.reset_index()


def _rates(context: Context, weights: Callable[[pd.DataFrame], pd.Series]) -> pd.DataFrame:
    """Return raw rates and rates weighted star by star with the given weights of an area."""
    table = {}
    for area, rows in peers(context).groupby("area"):
        cell = rows.groupby("star")[["draws", "merchants"]].sum()
        rate = cell["draws"] / cell["merchants"]
        weight = weights(cell).reindex(rate.index)
        raw = cell["draws"].sum() / cell["merchants"].sum()
        table[area] = (raw, float((rate * weight).sum()))
    result = pd.DataFrame.from_dict(table, orient="index", columns=["raw", "adjusted"])
    return result.rename_axis("area")


def _standard(context: Context) -> pd.Series:
    stars = peers(context).groupby("star")["merchants"].sum()
    return stars / stars.sum()


def fair_rates(context: Context) -> pd.DataFrame:
    """Return the reference rates."""
    standard = _standard(context)
    return _rates(context, lambda cell: standard)


def own_mix(context: Context) -> pd.DataFrame:
    """Weight with the area's own mix: the raw rate again."""
    return _rates(context, lambda cell: cell["merchants"] / cell["merchants"].sum())


def plain_mean(context: Context) -> pd.DataFrame:
    """Average the stars' rates without weights."""
    return _rates(context, lambda cell: pd.Series(1 / len(cell), index=cell.index))


def mean_of_rates(context: Context) -> pd.DataFrame:
    """Average the rates of the peers, small and large alike."""
    rows = peers(context).assign(rate=lambda t: t["draws"] / t["merchants"])
    standard = _standard(context)
    table = {}
    for area, part in rows.groupby("area"):
        by_star = part.groupby("star")["rate"].mean()
        table[area] = (part["rate"].mean(), float((by_star * standard).sum()))
    result = pd.DataFrame.from_dict(table, orient="index", columns=["raw", "adjusted"])
    return result.rename_axis("area")


def _gap_vanishes(answer: Any, context: Context) -> bool:
    """Whether the gap of the areas shrinks as planted (only where the bank has a truth)."""
    truth = (context.truth or {}).get("m03_n04", {}).get("simpson_area")
    if not truth or not context.bank.has("merchant_peer"):
        return True
    return bool(np.ptp(answer["adjusted"]) < np.ptp(answer["raw"]) / 3)


E3 = Question(
    "E3",
    "fair_rates",
    fair_rates,
    compare=frame(["area"], ["raw", "adjusted"]),
    checks=(
        invariants(
            Invariant(
                "差距缩小",
                _gap_vanishes,
                "标准化以后，地区差距应该小得多：检查标准构成是不是所有地区合起来的那一套。",
            ),
            columns=("area", "raw", "adjusted"),
        ),
    ),
    hints=(
        "先算每个“地区 × 星级”格子的提款率，再给每个星级一个统一的权重。",
        "权重是所有地区合起来的各星级商户占比：peers.groupby(\"star\")[\"merchants\"].sum() 再除以合计。",
        "用 pivot_table 得到 draws 和 merchants 两张“地区 × 星级”表，相除后乘权重，"
        "sum(axis=1) 就是 adjusted。",
    ),
    misconceptions=(
        Misconception(
            "own_mix",
            "你用了各地区自己的星级构成，加权回来还是原始提款率。标准化要用同一套构成。",
            own_mix,
        ),
        Misconception(
            "plain_mean",
            "五个星级一样重，五星就被高看了：各星级的商户数差得很远。要用合起来的商户占比做权重。",
            plain_mean,
        ),
        Misconception(
            "mean_of_rates",
            "你把各家机构的比率直接平均了，大小机构一样重。先把提款数、商户数加起来，再相除。",
            mean_of_rates,
        ),
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------- shared: the gate


def states(context: Context) -> pd.DataFrame:
    """Return every merchant with level, star, monthly takings and the marks of the gate."""
    return context.remember("states", lambda: _states(context))


def _classes(context: Context) -> pd.DataFrame:
    merchant = context.load("merchant")
    industry = context.load("industry").set_index("industry_code")
    group = merchant["industry_code"].map(industry["trade_group"]).astype(str)
    near = (
        merchant["near_school"] if "near_school" in merchant else pd.Series(False, merchant.index)
    )
    merchant["group"] = group
    merchant["kind"] = group + near.astype(bool).map({True: "#", False: ""})
    merchant["net_margin"] = merchant["industry_code"].map(industry["net_margin"]).astype(float)
    return merchant.set_index("merchant_id")


def _states(context: Context) -> pd.DataFrame:
    from course_utils.analysis import stars, warning

    table = _classes(context)
    rows = context.load("merchant_month")
    panel = rows.pivot_table(
        index="merchant_id", columns="month", values="transaction_amount", aggfunc="sum"
    )
    last = rows[rows["month"] == rows["month"].max()].set_index("merchant_id")
    marks = warning.indicators(panel, last["active_days"], last["gap_days"], table["kind"])
    marks["level"] = warning.levels(marks).astype(str)
    facts = stars.facts(rows, rows["month"].max(), table["kind"])
    marks["star"] = stars.rate(facts, table["group"])["star"]
    six = panel.iloc[:, -6:]
    marks["full"] = (six > 0).sum(axis=1) == 6
    marks["monthly"] = six.mean(axis=1)
    recent = rows[rows["month"].isin(panel.columns[-6:])]
    for name, line in (("round_amount_share", "ROUND_LINE"), ("night_share", "NIGHT_LINE")):
        if name in recent:
            high = recent.groupby("merchant_id")[name].mean() > context.parameters[line]
        else:
            high = pd.Series(False, index=marks.index)
        marks[f"high_{name}"] = high.reindex(marks.index).fillna(False)
    marks["fake"] = marks["high_round_amount_share"] & marks["high_night_share"]
    return table.join(marks, how="inner")


def candidates(context: Context) -> pd.DataFrame:
    """Return who passed every gate, with the expected draw and whether a visit is allowed."""
    return context.remember("candidates", lambda: _candidates(context))


def _trouble(context: Context) -> tuple[set[str], pd.Series]:
    """Return the customers with a bad or late loan, and the open balances."""
    loan = context.load("loan")
    late = loan["overdue_days"].fillna(0)
    bad = loan["five_class"].isin(["次级", "可疑", "损失"]) | (late >= 90)
    late_now = loan["settle_date"].isna() & (late > 0)
    owed = loan[loan["settle_date"].isna()].groupby("customer_id")["balance"].sum()
    return set(loan.loc[bad | late_now, "customer_id"]), owed


def _candidates(context: Context) -> pd.DataFrame:
    p, table = context.parameters, states(context)
    line = context.load("credit_line")
    active = line[line["status"] == "有效"]
    kinds = ["L_BUSINESS_MORTGAGE", "L_SME", p["PRODUCT"]]
    busy = set(active.loc[active["product_code"].isin(kinds), "customer_id"])
    trouble, owed = _trouble(context)
    who = context.load("customer").set_index("customer_id")
    passed = (table["status"] == "有效") & table["level"].isin(["绿", "蓝"]) & table["full"]
    passed &= (table["star"] >= p["STAR_FLOOR"]) & ~table["fake"]
    passed &= ~table["customer_id"].isin(busy | trouble)
    passed &= table["customer_id"].map(who["customer_type"]).astype(str) != "企业"
    passed &= table["customer_id"].map(who["occupation"]).ne("学生")
    if p["BRANCH"] is not None:
        passed &= table["branch_id"] == p["BRANCH"]
    table = table[passed].copy()
    limit = limit_of(context)
    debt = table["customer_id"].map(owed).fillna(0)
    share = table["own_code_share"] if "own_code_share" in table else pd.Series(1.0, table.index)
    rows = zip(table["monthly"], table["net_margin"], share.fillna(1.0), debt, strict=True)
    table["limit"] = [limit(*row) for row in rows]
    table["expected"] = table["limit"] * table["star"].map(_conversion(context))
    table["expected"] *= _use_rate(context)
    table["refused"] = table["customer_id"].map(who["do_not_call"]).astype(bool)
    table["agreed"] = table["customer_id"].isin(_agreed(context))
    return table


def _conversion(context: Context) -> pd.Series:
    cell = peers(context).groupby("star")[["draws", "merchants"]].sum()
    return cell["draws"] / cell["merchants"]


def _use_rate(context: Context) -> float:
    line = context.load("credit_line")
    line = line[
        (line["product_code"] == context.parameters["PRODUCT"]) & (line["status"] == "有效")
    ]
    return float(line["used"].sum() / line["limit"].sum()) if len(line) else 0.4


def _agreed(context: Context) -> set[str]:
    consent = context.load("consent")
    valid = consent["expire_date"].isna() | (consent["expire_date"] >= context.as_of)
    good = consent[(consent["scope"] == "营销") & (consent["granted"] == True) & valid]  # noqa: E712
    return set(good["customer_id"])


# ------------------------------------------------------------------------------ E4 a week of visits


def _fill(context: Context, table: pd.DataFrame, order: str, staff: bool = True) -> pd.DataFrame:
    """Take merchants in the order of a column while branch and staff have places."""
    p, chosen = context.parameters, []
    at_branch: dict[str, int] = {}
    at_staff: dict[str, int] = {}
    rows = table.rename_axis("merchant_id").reset_index()
    for row in rows.sort_values([order, "merchant_id"], ascending=[False, True]).itertuples():
        full = at_branch.get(row.branch_id, 0) >= p["VISITS_PER_BRANCH"]
        busy = staff and at_staff.get(row.employee_id, 0) >= p["VISITS_PER_STAFF"]
        if full or busy or (staff and pd.isna(row.employee_id)):
            continue
        at_branch[row.branch_id] = at_branch.get(row.branch_id, 0) + 1
        at_staff[row.employee_id] = at_staff.get(row.employee_id, 0) + 1
        chosen.append((row.merchant_id, row.branch_id))
    return pd.DataFrame(chosen, columns=["merchant_id", "branch_id"])


def _open(context: Context) -> pd.DataFrame:
    table = candidates(context)
    return table[(table["limit"] > 0) & ~table["refused"] & table["agreed"]]


def best_week(context: Context) -> pd.DataFrame:
    """Return the visits with the largest expected draw within the capacities."""
    return _fill(context, _open(context), "expected")


def stars_first(context: Context) -> pd.DataFrame:
    """Visit the highest stars first, whatever their limit."""
    return _fill(context, _open(context), "star")


def forgot_wishes(context: Context) -> pd.DataFrame:
    """Visit whoever promises most, refused or not."""
    table = candidates(context)
    return _fill(context, table[table["limit"] > 0], "expected")


def branch_only(context: Context) -> pd.DataFrame:
    """Mind the branch's capacity but not the one of its staff."""
    return _fill(context, _open(context), "expected", staff=False)


def _value(table: pd.DataFrame, context: Context) -> float:
    return float(candidates(context)["expected"].reindex(table["merchant_id"]).fillna(0).sum())


def _counted(
    wrong: Callable[[pd.DataFrame, Context], int], text: str
) -> Callable[[pd.DataFrame, Context], bool | str]:
    """Return a rule that tells how many rows break it."""

    def holds(table: pd.DataFrame, context: Context) -> bool | str:
        count = int(wrong(table, context))
        return not count or f"有 {count} {text}。"

    return holds


def _strangers(table: pd.DataFrame, context: Context) -> int:
    known = candidates(context)
    return int((~table["merchant_id"].isin(known.index[known["limit"] > 0])).sum())


def _misplaced(table: pd.DataFrame, context: Context) -> int:
    home = candidates(context)["branch_id"].reindex(table["merchant_id"]).to_numpy(dtype=object)
    return int((home != table["branch_id"].to_numpy(dtype=object)).sum())


def _full_branches(table: pd.DataFrame, context: Context) -> int:
    return int((table.groupby("branch_id").size() > context.parameters["VISITS_PER_BRANCH"]).sum())


def _busy_staff(table: pd.DataFrame, context: Context) -> int:
    staff = candidates(context)["employee_id"].reindex(table["merchant_id"])
    return int((staff.value_counts() > context.parameters["VISITS_PER_STAFF"]).sum())


def _flagged(column: str, bad: bool) -> Callable[[pd.DataFrame, Context], int]:
    def count(table: pd.DataFrame, context: Context) -> int:
        return int((candidates(context)[column].reindex(table["merchant_id"]) == bad).sum())

    return count


E4 = Question(
    "E4",
    "visit_plan",
    best_week,
    checks=(
        plan(
            unique("merchant_id", name="一家一次"),
            Invariant("过了门槛", _counted(_strangers, "家没过门槛，或者测算额度是零"), "有不在名单里的。"),
            Invariant("各归各行", _counted(_misplaced, "家不归这家支行"), "有支行写错的。"),
            Invariant("支行容量", _counted(_full_branches, "家支行超过了一周的容量"), "支行超容量。"),
            Invariant("维护人容量", _counted(_busy_staff, "位维护人超过了一周的容量"), "维护人超容量。"),
            Invariant("谢绝来电", _counted(_flagged("refused", True), "家谢绝来电"), "有谢绝来电的。"),
            Invariant("营销授权", _counted(_flagged("agreed", False), "家没有营销授权"), "有没授权的。"),
            objective=_value,
            share=0.95,
            columns=("merchant_id", "branch_id"),
            goal="预期用信合计",
        ),
    ),
    hints=(
        "先筛掉不能去的，按预期用信从大到小排，再一层层取。",
        "先按维护人取前若干家，再按支行取前若干家：groupby(...).head(n) 会保持排好的次序。",
        'sort_values("expected", ascending=False) 之后 groupby("employee_id").head(VISITS_PER_STAFF)，'
        '再 groupby("branch_id").head(VISITS_PER_BRANCH)。',
    ),
    misconceptions=(
        Misconception(
            "forgot_wishes",
            "名单里有谢绝来电或没有营销授权的商户。先筛，再排。",
            forgot_wishes,
        ),
        Misconception(
            "branch_only",
            "支行的容量守住了，可是有的维护人一周要跑的超过了他的上限。两层都要管。",
            branch_only,
        ),
        Misconception(
            "stars_first",
            "你按星级排，没有乘额度：同样是四星，额度差好几倍。按预期用信排。",
            stars_first,
        ),
    ),
    parameters=("BRANCH", "VISITS_PER_BRANCH", "VISITS_PER_STAFF", "STAR_FLOOR", "ROUND_LINE",
                "NIGHT_LINE", "PRODUCT", "PRODUCT_CAP", "PRODUCT_MIN", "INCOME_SHARE", "MONTHS_CAP",
                "SHARE_FLOOR"),
)  # fmt: skip

QUESTIONS = [E1, E2, E3, E4]

SURVIVORS = {"E1": {"L5 .sum→.mean": "合计是零和平均是零是一回事"}}

VARIATIONS = [
    {"BRANCH": "B03", "VISITS_PER_BRANCH": 4},
    {"STAR_FLOOR": 3, "INCOME_SHARE": 0.3, "MONTHS_CAP": 2},
]
