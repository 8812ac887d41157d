"""Questions of m03_n06: bad rates by vintage, the grade rule, a prepayment warning, branch goals.

The references rebuild everything from the bank's own tables, loan by loan where that is short.
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
    behaviour,
    frame,
    invariants,
    plan,
    predictions,
    unique,
)
from course_utils.exercises.questions._m03_n06_base import (
    Grade,
    grade_rule,
    last_month,
    month_number,
    months,
    mortgages,
    pool,
    took,
    total_goal,
)

AGES = {"late24": 24, "late36": 36}
# ---------------------------------------------------------------------------- E1 bad rates


def _bad_table(context: Context, days: int = 90, unknown: float = np.nan) -> pd.DataFrame:
    """Return, by year of issue, the share ever late by more than ``days`` at each age."""
    loan, end = mortgages(context), month_number(last_month(context))
    rows = months(context)
    first = rows[rows["dpd"] > days].groupby("loan_id")["month"].min()
    result: dict[int, dict[int, float]] = {}
    for year, part in loan.groupby(loan["issue_date"].dt.year):
        start = [month_number(date) for date in part["issue_date"]]
        when = [first.get(name) for name in part["loan_id"]]
        waits = [
            np.inf if w is None or pd.isna(w) else month_number(w) - s
            for w, s in zip(when, start, strict=True)
        ]
        youngest = end - max(start)
        result[int(year)] = {
            name: float(np.mean([wait <= age for wait in waits])) if youngest >= age else unknown
            for name, age in AGES.items()
        }
    table = pd.DataFrame.from_dict(result, orient="index", columns=list(AGES))
    table.index.name = "issue_year"
    return table


def _late_today(context: Context) -> pd.DataFrame:
    """Return the share more than 90 days late today, at whatever age."""
    loan, rows = mortgages(context), months(context)
    now = rows[rows["month"] == last_month(context)].set_index("loan_id")["dpd"]
    late = loan["loan_id"].map(now).fillna(0) > 90
    share = late.groupby(loan["issue_date"].dt.year).mean()
    return pd.DataFrame(dict.fromkeys(AGES, share)).rename_axis("issue_year")


def _rising(answer: Any, context: Context) -> bool:
    both = answer.dropna(subset=list(AGES))
    return bool((both["late24"] <= both["late36"] + 1e-12).all())


E1 = Question(
    "E1",
    "bad_table",
    _bad_table,
    frame(["issue_year"], ["late24", "late36"]),
    checks=(
        invariants(
            Invariant("曲线不回头", _rising, "到第 36 个月的比例不会低于到第 24 个月的。"),
            columns=("issue_year", *AGES),
        ),
    ),
    hints=(
        "先想清楚分母：这一年放的每一笔都算，提前还清的也算；再想分子：到那个月为止“曾经”。",
        "cohorts.vintage(history, mortgages, today, days=...) 给出每个月龄的曲线，默认按放款年份分批。",
        "取两行再转置：.loc[[24, 36]].T，天数用 90；再用 set_axis 给列起名、rename_axis 给索引起名。空值别填成零。",
    ),
    misconceptions=(
        Misconception(
            "thirty_days",
            "你算的是逾期超过三十天的比例。题目要的是超过九十天：days=90。",
            lambda context: _bad_table(context, days=30),
        ),
        Misconception(
            "unknown_is_zero",
            "还没走到那个月的批次被你写成了零：“还不知道”和“没有坏”是两回事。",
            lambda context: _bad_table(context, unknown=0.0),
        ),
        Misconception(
            "late_today",
            "你看的是今天还在逾期的。已经核销、还清的坏账不在今天的名单上，老批次会显得特别好。",
            _late_today,
        ),
    ),
)

# ---------------------------------------------------------------------------- E2 grade rule


def _any_line(context: Context) -> Grade:
    lines = context.parameters["GRADE_LINES"]

    def wrong(streak: Any, ltv: Any, dsr: Any) -> str:
        for name, (least, top_ltv, top_dsr) in lines.items():
            one = (ltv is not None and ltv <= top_ltv) or (dsr is not None and dsr <= top_dsr)
            if streak >= least or one:
                return name
        return "C"

    return wrong


def _income_free(context: Context) -> Grade:
    right = grade_rule(context)
    return lambda streak, ltv, dsr: right(streak, ltv, -1.0 if dsr is None else dsr)


def _strict(context: Context) -> Grade:
    lines = context.parameters["GRADE_LINES"]

    def wrong(streak: Any, ltv: Any, dsr: Any) -> str:
        for name, (least, top_ltv, top_dsr) in lines.items():
            burden = dsr < top_dsr if dsr is not None else name == "B"
            if ltv is not None and streak > least and ltv < top_ltv and burden:
                return name
        return "C"

    return wrong


def _same_grade(mine: Any, theirs: Any) -> str | None:
    if mine not in ("A", "B", "C"):
        return "返回值应该是“A”“B”“C”之一。"
    return None if mine == theirs else "级别不对：三条线要同时过，先比 A 线，再比 B 线。"


def _at(
    name: str, streak: int = 0, ltv: float = 0.0, dsr: float | None = 0.0
) -> Callable[[Context], tuple[Any, Any, Any]]:
    """Return arguments on the lines of a grade, moved by the given amounts."""

    def arguments(context: Context) -> tuple[Any, Any, Any]:
        least, top_ltv, top_dsr = context.parameters["GRADE_LINES"][name]
        return least + streak, top_ltv + ltv, None if dsr is None else top_dsr + dsr

    return arguments


_ON = "刚好在线上算过线：用 >= 和 <= 。"
E2 = Question(
    "E2",
    "grade_of",
    grade_rule,
    checks=(
        behaviour(
            Case("样样都好", lambda c: (60, 0.2, 0.1)),
            Case("样样都差", lambda c: (0, 1.2, 2.0)),
            Case("刚好在 A 线上", _at("A"), _ON),
            Case("A 线差一期", _at("A", streak=-1)),
            Case("A 线抵押率高一点", _at("A", ltv=0.001)),
            Case("A 线负担高一点", _at("A", dsr=0.001)),
            Case("刚好在 B 线上", _at("B"), _ON),
            Case("B 线差一期", _at("B", streak=-1)),
            Case("B 线抵押率高一点", _at("B", ltv=0.001)),
            Case("B 线负担高一点", _at("B", dsr=0.001)),
            Case("一把尺子很好、另两把很差", lambda c: (60, 1.5, 2.0), "三条线要同时过。"),
            Case("抵押率很低但刚断过", lambda c: (0, 0.1, 0.1), "三条线要同时过。"),
            Case("收入不知道，别的够 A", _at("A", dsr=None), "收入不知道的最高只能到 B。"),
            Case("收入不知道，别的够 B", _at("B", dsr=None)),
            Case("收入不知道，别的不够", _at("B", streak=-1, dsr=None)),
            Case("没有估值", lambda c: (60, None, 0.1), "没有估值的归 C。"),
            Case("估值收入都没有", lambda c: (60, None, None), "没有估值的归 C。"),
            Case("余额是零", lambda c: (60, 0.0, 0.0), "零是“没有”，不是“不知道”。"),
            compare=_same_grade,
            signature=("streak", "ltv", "dsr"),
        ),
    ),
    hints=(
        "先处理“不知道”，再依次问：过 A 线吗？过 B 线吗？都不过就是 C。",
        '一条线是一个列表：least, most_ltv, most_dsr = GRADE_LINES["A"]；三个条件用 and 连。',
        '收入不知道时，A 线不让过、B 线放过：dsr <= most_dsr if dsr is not None else name == "B"。',
    ),
    misconceptions=(
        Misconception(
            "any_line_is_enough",
            "你用的是“过一条线就行”（or）。三条线要同时过（and），不然还款很差的人也成了 A。",
            _any_line,
        ),
        Misconception(
            "unknown_income_is_fine",
            "收入不知道的人被你当成没有负担，升到了 A。不知道不等于没有，最高只能到 B。",
            _income_free,
        ),
        Misconception(
            "on_the_line_fails",
            "刚好在线上的被你挡在外面。线上算过线：用 >= 和 <= 。",
            _strict,
        ),
    ),
    parameters=("GRADE_LINES",),
)

# --------------------------------------------------------------------- E3 prepayment warning

LEAKS = ("balance_next", "prepaid", "settle_date", "settle_type")


def _going(context: Context) -> pd.Series:
    """Return the usual rate of new mortgages at each month end."""
    loan = mortgages(context)
    result, known = {}, np.nan
    for when in sorted(months(context)["month"].unique()):
        start = pd.Timestamp(when) - pd.offsets.MonthEnd(4)
        inside = (loan["issue_date"] > start) & (loan["issue_date"] <= when)
        known = loan.loc[inside, "rate"].median() if inside.any() else known
        result[when] = known
    return pd.Series(result)


def loan_months(context: Context) -> pd.DataFrame:
    """Return the loan-months at risk with what is known at their end and what came next."""
    return context.remember("loan_months", lambda: _loan_months(context))


def _loan_months(context: Context) -> pd.DataFrame:
    loan = mortgages(context).set_index("loan_id")
    rows = months(context).copy()
    rows["loan_id"] = rows["loan_id"].astype(object)
    at = rows["month"].dt.year * 12 + rows["month"].dt.month
    start = rows["loan_id"].map(loan["issue_date"])
    stop = rows["loan_id"].map(loan["settle_date"])
    gone = stop.dt.year * 12 + stop.dt.month
    early = rows["loan_id"].map(loan["settle_type"].astype(object)) == "提前结清"
    rows["gap"] = (rows["rate"] - rows["month"].map(_going(context))) * 100
    rows["wide"] = (rows["gap"] > context.parameters["WIDE_GAP"]).astype(float)
    rows["age"] = at - (start.dt.year * 12 + start.dt.month)
    rows["prepaid"] = (early & (gone == at + 1) & (rows["dpd"] <= 30)).astype(int)
    alive = ~(gone <= at) & (rows["age"] >= 7) & (rows["month"] < last_month(context))
    rows = rows[alive]
    return rows.set_axis(rows["loan_id"] + "@" + rows["month"].dt.strftime("%Y-%m"))


def _halves(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = loan_months(context)
    early = rows["month"] <= pd.Timestamp(context.parameters["SPLIT"])
    return rows[early], rows[~early]


def expected_warning(context: Context) -> pd.Series:
    """Return the chances of a logit on the gap, trained now."""
    from course_utils.analysis import model

    def fitted() -> pd.Series:
        learn, test = _halves(context)
        return model.fit_logit(learn, ["wide", "gap"], "prepaid").predict(test)

    return context.remember("warning", fitted)


def _floats(answer: Any) -> np.ndarray:
    try:
        return np.asarray(answer, dtype=float).ravel()
    except (TypeError, ValueError):
        return np.zeros(1)


def _level(answer: Any, context: Context) -> bool:
    rate = _halves(context)[0]["prepaid"].mean()
    return bool(rate / 3 <= float(np.mean(_floats(answer))) <= rate * 3)


E3 = Question(
    "E3",
    "warning",
    expected_warning,
    checks=(
        predictions(
            actual=lambda context: _halves(context)[1]["prepaid"],
            baseline=expected_warning,
            metric="auc",
            tolerance=0.01,
            calibration=(0.7, 1.3),
            forbidden=LEAKS,
            features="feature_columns",
            rows="贷款月编号，与 test 的索引相同",
        ),
        invariants(
            Invariant(
                "平均水平",
                _level,
                "打出的概率平均起来，和学习期每月的提前结清率差得太远。",
            ),
        ),
    ),
    hints=(
        "逐列问：站在月底，看得到吗？balance_next 是下个月的余额。再问：提前还款跟什么有关？看演示七。",
        "利差是主角。gap 是连续的，wide 是超没超过线，两列一起用，概率才准。",
        'cu.analysis.model.fit_logit(learn, feature_columns, "prepaid").predict(test)。',
    ),
    misconceptions=(
        Misconception(
            "reversed",
            "你给的是“不会提前还”的概率：越高越安全。要的是会提前还的概率。",
            matches=lambda answer, context: float(np.mean(_floats(answer))) > 0.5,
        ),
        Misconception(
            "age_only",
            "你没有用利差。放款多久、余额多大，说不清谁会提前还：演示七里动的是利差。",
            matches=lambda answer, context: _no_gap(context),
        ),
    ),
    parameters=("WIDE_GAP", "SPLIT"),
)


def _no_gap(context: Context) -> bool:
    """Whether the named columns leave out everything about the rate."""
    used = context.variables.get("feature_columns")
    return isinstance(used, list) and bool(used) and not {"gap", "wide", "rate"} & set(used)


# ------------------------------------------------------------------------- E4 branch goals


def _one_by_one(context: Context) -> pd.Series:
    """Give every contact to the branch that is furthest behind and still has room."""
    import heapq

    table = pool(context)
    room = np.floor(table["room"].to_numpy())
    size = table["customers"].to_numpy()
    count = np.zeros(len(table), dtype=int)
    queue = [(1 / size[k], k) for k in range(len(table)) if room[k] >= 1]
    heapq.heapify(queue)
    for _ in range(total_goal(context)):
        if not queue:
            break
        _, k = heapq.heappop(queue)
        count[k] += 1
        if count[k] + 1 <= room[k]:
            heapq.heappush(queue, ((count[k] + 1) / size[k], k))
    return pd.Series(count, index=table.index)


def _as_plan(context: Context, contacts: pd.Series) -> pd.DataFrame:
    low, high = took(context)
    return pd.DataFrame(
        {
            "branch_id": contacts.index,
            "contacts": contacts.to_numpy(dtype=int),
            "low": contacts.to_numpy() * low,
            "high": contacts.to_numpy() * high,
        }
    )


def reference_goal(context: Context) -> pd.DataFrame:
    """Return the even plan."""
    return _as_plan(context, _one_by_one(context))


def _unevenness(table: pd.DataFrame, context: Context) -> float:
    """Return the weighted squared deviation of each branch's share from the bank's."""
    size = pool(context)["customers"]
    mine = table.set_index("branch_id")["contacts"].reindex(size.index).fillna(0).astype(float)
    whole = total_goal(context) / size.sum()
    return float((size * (mine / size - whole) ** 2).sum())


def _numbers_of(table: pd.DataFrame) -> pd.Series:
    return pd.to_numeric(table["contacts"], errors="coerce")


def _known(table: pd.DataFrame, context: Context) -> bool | str:
    strange = int((~table["branch_id"].isin(pool(context).index)).sum())
    absent = int((~pool(context).index.isin(table["branch_id"])).sum())
    if strange or absent:
        return f"多了 {strange} 家、缺了 {absent} 家支行：pool 里的每家支行都要有一行。"
    return True


def _whole_numbers(table: pd.DataFrame, context: Context) -> bool:
    values = _numbers_of(table)
    return bool(values.notna().all() and (values >= 0).all() and (values == values.round()).all())


def _sums(table: pd.DataFrame, context: Context) -> bool | str:
    gap = float(_numbers_of(table).sum()) - total_goal(context)
    return abs(gap) < 0.5 or f"合计比 total_goal {'多' if gap > 0 else '少'}了 {abs(gap):.0f} 户。"


def _within_room(table: pd.DataFrame, context: Context) -> bool | str:
    room = pool(context)["room"].reindex(table["branch_id"]).to_numpy()
    over = int((_numbers_of(table).to_numpy() > room + 1e-9).sum())
    return not over or f"有 {over} 家支行超过了可联系户数或联系能力。"


def _limits(table: pd.DataFrame, context: Context) -> bool:
    want = _numbers_of(table).to_numpy()[:, None] * np.array(took(context))[None, :]
    have = table[["low", "high"]].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    return bool(np.allclose(have, want, rtol=1e-4, atol=0.02))


def _bank_wide(answer: Any, context: Context) -> bool:
    """Whether every branch carries the same limits although their contacts differ."""
    if not isinstance(answer, pd.DataFrame) or not {"low", "contacts"} <= set(answer.columns):
        return False
    return bool(np.ptp(_floats(answer["low"])) == 0 and np.ptp(_floats(answer["contacts"])) > 0)


def _equal(context: Context) -> pd.DataFrame:
    index, total = pool(context).index, total_goal(context)
    each = total // len(index)
    count = np.full(len(index), each) + (np.arange(len(index)) < total - each * len(index))
    return _as_plan(context, pd.Series(count, index=index))


def _uncapped(answer: Any, context: Context) -> bool:
    """Whether contacts follow the customers of the branch whatever its managers can do."""
    if not isinstance(answer, pd.DataFrame) or not {"branch_id", "contacts"} <= set(answer.columns):
        return False
    table = pool(context)
    share = table["customers"] / table["customers"].sum() * total_goal(context)
    mine = answer.set_index("branch_id")["contacts"].reindex(table.index)
    over = bool((mine > table["room"] + 1e-9).any())
    return over and bool(((mine - share).abs() <= 1.0).all())


E4 = Question(
    "E4",
    "branch_goal",
    reference_goal,
    checks=(
        plan(
            unique("branch_id", name="一家一行"),
            Invariant("支行齐全", _known, "支行不齐。"),
            Invariant("整数", _whole_numbers, "联系户数要是不小于零的整数。"),
            Invariant("合计", _sums, "合计不对。"),
            Invariant("容量", _within_room, "有支行超过了容量。"),
            Invariant(
                "区间", _limits, "low、high 要等于这家支行的 contacts 乘 took 的下限、上限。"
            ),
            objective=_unevenness,
            maximise=False,
            share=0.9,
            columns=("branch_id", "contacts", "low", "high"),
            goal="联系比例的偏差",
        ),
    ),
    hints=(
        "先按可联系户数的比例分；超过容量的压到容量，多出来的再分给还有余力的支行。",
        'cu.analysis.allocate.water_fill(total_goal, pool["customers"], 0, pool["room"]) 会一直分到合计正好。',
        "取整会差几户：先 np.floor，再把差的几户一户一户补给小数部分最大、还有余力的支行。",
    ),
    misconceptions=(
        Misconception(
            "equal_shares",
            "你让每家支行平摊。客户多的支行轻松，客户少的支行连人都不够：要按可联系户数来分。",
            _equal,
        ),
        Misconception(
            "forgot_capacity",
            "按比例分对了一半，可是有的支行人手不够：超过容量的要压下来，再分给有余力的。",
            matches=_uncapped,
        ),
        Misconception(
            "one_number_for_the_bank",
            "每家支行写的是同一个区间：那是全行的。各家的区间要用各家的联系户数来算。",
            matches=_bank_wide,
        ),
    ),
    parameters=("CONTACT_SHARE", "CONTACTS_PER_MANAGER", "APPRAISAL_LIMIT", "GRADE_LINES"),
)

QUESTIONS = [E1, E2, E3, E4]

VARIATIONS = [
    {"BRANCH": "B03"},
    {"GRADE_LINES": {"A": [18, 0.6, 0.35], "B": [9, 0.8, 0.5]}, "CONTACTS_PER_MANAGER": 12},
]
