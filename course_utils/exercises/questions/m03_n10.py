"""Questions of m03_n10: four keys, three caps, the cut for guaranteed loans, a tight plan.

The references rebuild everything from the bank's own tables with plain arrays; nothing is taken
from the notebook but the parameters.
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
    plan,
    same,
    series,
    unique,
)
from course_utils.exercises.questions._m03_n10_base import limit_of, lines, past_raises, pool

VARIATIONS = [
    {"BRANCH": "B03"},
    {"DSR_MAX": 0.45, "TIGHT_CALLS": 2, "LGD": {"信用": 0.6, "保证": 0.5}},
]
SURVIVORS = {
    "E2": {
        "L5 0→1": "每月多一元折不出一万元，取整以后相同",
        "L5 去掉 .clip()": "负的收入上限最后也被现额度托住，结果相同",
    }
}
KEYS = ("还款记录", "用信率", "负债收入比", "流入趋势")

# ------------------------------------------------------------------------------ E1 four keys


def keys_reference(
    context: Context, *, strict: bool = False, lenient: bool = False, first: bool = False
) -> Callable[[pd.DataFrame], pd.Series]:
    """Return the reference function, or one with a named mistake."""
    p = context.parameters
    rules = (
        ("clean_months", p["CLEAN_MONTHS"], 1),
        ("high_use_months", p["HIGH_MONTHS"], 1),
        ("dsr_after", p["DSR_MAX"], -1),
        ("trend", p["TREND_MIN"], 1),
    )

    def passes(value: float, line: float, sign: int) -> bool:
        if pd.isna(value):
            return lenient
        return bool(sign * value > sign * line if strict else sign * value >= sign * line)

    def four_keys(table: pd.DataFrame) -> pd.Series:
        words = []
        for row in table.to_dict("records"):
            failed = [
                key
                for key, (column, line, sign) in zip(KEYS, rules, strict=True)
                if not passes(row[column], line, sign)
            ]
            words.append("、".join(failed[:1] if first else failed) or "通过")
        return pd.Series(words, index=table.index, dtype="str")

    return four_keys


def _keys_table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = ["clean_months", "high_use_months", "dsr_after", "trend"]
    index = [f"K{i}" for i in range(1, len(rows) + 1)]
    return pd.DataFrame(rows, columns=columns, index=index, dtype=float)


def _edges(context: Context) -> tuple[pd.DataFrame]:
    """Exactly on all four lines, then just beyond each."""
    p = context.parameters
    line = (p["CLEAN_MONTHS"], p["HIGH_MONTHS"], p["DSR_MAX"], p["TREND_MIN"])
    steps = ((-1, 0, 0, 0), (0, -1, 0, 0), (0, 0, 0.001, 0), (0, 0, 0, -0.001))
    rows = [line, *(tuple(a + b for a, b in zip(line, step, strict=True)) for step in steps)]
    rows += [tuple(a + b for a, b in zip(line, (9, 1, -0.1, 0.5), strict=True))]
    return (_keys_table(rows),)


def _holes(context: Context) -> tuple[pd.DataFrame]:
    good = (40.0, 6.0, 0.2, 0.3)
    rows = [tuple(np.nan if i == j else good[j] for j in range(4)) for i in range(4)]
    return (_keys_table([*rows, (np.nan, np.nan, np.nan, np.nan), good]),)


def _many(context: Context) -> tuple[pd.DataFrame]:
    return (_keys_table([(0, 0, 2, -1), (40, 0, 2, -1), (0, 6, 0.1, -1), (40, 6, 2, -1)]),)


def _real_keys(context: Context) -> tuple[pd.DataFrame]:
    columns = ["clean_months", "high_use_months", "dsr_after", "trend"]
    return (lines(context)[columns].sort_index().head(400).astype(float),)


KEY_CASES = behaviour(
    Case("空值", _holes, "看不见不等于达标：空值要算没过。"),
    Case("刚好在线上", _edges, "正好在线上算过：三个用 >=，负债收入比用 <=。"),
    Case("几关没过", _many, "没过的关都要写，按规定的次序用顿号连起来。"),
    Case("本行的额度", _real_keys),
    Case("空表", lambda context: (_keys_table([]),)),
    Relation(
        "打乱行序",
        _many,
        lambda context: (_many(context)[0].iloc[::-1],),
        lambda before, after: same(before.sort_index(), after.sort_index()),
        "结果不应随行的顺序改变，索引要保留。",
    ),
    compare=series(keys="额度号"),
    signature=("table",),
)

# -------------------------------------------------------------------------------- E2 new limit


def limit_reference(context: Context, **mistake: bool) -> Callable[[pd.DataFrame], pd.Series]:
    """Return the reference function, or one with a named mistake."""
    return lambda table: limit_of(context, table, **mistake)


LIMIT_COLUMNS = ["limit", "peak_use", "grade", "net_income", "other_due", "rate"]


def _limit_table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    index = [f"K{i}" for i in range(1, len(rows) + 1)]
    table = pd.DataFrame(rows, columns=LIMIT_COLUMNS, index=index)
    numbers = [name for name in LIMIT_COLUMNS if name != "grade"]
    return table.astype(dict.fromkeys(numbers, float) | {"grade": "str"})


def _binding(context: Context) -> tuple[pd.DataFrame]:
    """Each cap binds once; the fourth line must not be cut below what it has."""
    rows = [
        (100_000, 100_000, "A", 90_000, 0, 5.0),  # need
        (100_000, 500_000, "B", 90_000, 0, 5.0),  # risk
        (100_000, 500_000, "A", 4_000, 600, 5.0),  # income
        (100_000, 500_000, "A", 4_000, 1_200, 5.0),  # income less other debt
        (75_000, 20_000, "E", 1_000, 5_000, 5.0),  # everything below the old limit
    ]
    return (_limit_table(rows),)


def _missing(context: Context) -> tuple[pd.DataFrame]:
    rows = [
        (200_000, 400_000, None, 90_000, 0, 5.0),
        (200_000, 400_000, "A", 9_000, None, 5.0),
        (200_000, 200_000, "A", 900_000, None, 0.0),
    ]
    return (_limit_table(rows),)


def _one_yuan(context: Context) -> tuple[pd.DataFrame]:
    """Income pays exactly 150 000 back: one 元 of other debt would cost ten thousand."""
    p = context.parameters
    income = 150_000 / (p["DISPOSABLE_SHARE"] * p["REPAY_MONTHS"])
    rows = [(100_000, 400_000, "A", income + 1e-9, None, 0.0), (1_000, 400_000, "A", 1.0, 9.0, 0.0)]
    return (_limit_table(rows),)


def _rounding(context: Context) -> tuple[pd.DataFrame]:
    """Down, not to the nearest; exactly on ten thousand; a hair of float noise below it."""
    buffer = context.parameters["NEED_BUFFER"]
    wanted = (129_999.99, 129_999.996, 130_000, 139_000, 135_000)
    peaks = [value / buffer for value in wanted]
    return (_limit_table([(100_000, peak, "A", 900_000, 0, 5.0) for peak in peaks]),)


def _real_limits(context: Context) -> tuple[pd.DataFrame]:
    return (lines(context)[LIMIT_COLUMNS].sort_index().head(400),)


LIMIT_CASES = behaviour(
    Case(
        "三个上限各卡一次",
        _binding,
        "三上限取最小；收入上限要扣他行月还款；算出来更低时保持现额度。",
    ),
    Case("缺等级、缺征信", _missing, "没有等级的倍数按一，他行月还款为空按零。"),
    Case("刚好还得起", _one_yuan, "他行月还款为空按零，不是按一元。"),
    Case("取整", _rounding, "先四舍五入到分，再向下取整到一万。"),
    Case("本行的额度", _real_limits),
    compare=series(keys="额度号"),
    signature=("table",),
)

# ----------------------------------------------------------------------------------- E3 cut


def pledged(context: Context) -> pd.DataFrame:
    """Return past raises with a guarantor, safest first (made once)."""

    def made() -> pd.DataFrame:
        table = past_raises(context)
        return table[table["kind_of"] == "保证"].sort_values(["pd_estimate", "change_id"])

    return context.remember("pledged", made)


def value_at(cut: Any, context: Context) -> float:
    """Return the expected value of all raises up to a PD, 元 (per share taken up)."""
    table = pledged(context)
    return float(table.loc[table["pd_estimate"] <= float(cut), "value"].sum())


def best_cut(context: Context) -> float:
    """Return the PD with the largest total value."""
    table = pledged(context)
    by = table.groupby("pd_estimate")["value"].sum().cumsum()
    return float(by.idxmax())


def unsecured_cut(context: Context) -> float:
    """Return the cut from the average margin with the loss of unsecured loans."""
    return float(pledged(context)["margin"].mean() / context.parameters["LGD"]["信用"])


def best_single(context: Context) -> float:
    """Return the PD of the one deal with the largest value."""
    table = pledged(context)
    return float(table.loc[table["value"].idxmax(), "pd_estimate"])


def is_share(answer: Any, context: Context) -> bool:
    """Hold for a number between 0 and 1."""
    try:
        return 0 <= float(answer) <= 1
    except (TypeError, ValueError):
        return False


# ---------------------------------------------------------------------------------- E4 plan


def budget_of(context: Context) -> float:
    """Return the money of the tight plan, 元."""
    return float(context.parameters["TIGHT_BUDGET"] * pool(context)["raise_amount"].sum())


def best_plan(context: Context) -> pd.DataFrame:
    """Solve the tight plan as an integer programme, written out row by row."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    data, p = pool(context), context.parameters
    if data.empty:
        return data.reset_index()[["line_id"]]
    size = data["raise_amount"].to_numpy(float)
    names = sorted(set(data["branch_id"]))
    rows = [size, size * data["farming"].to_numpy()]
    rows += [(data["branch_id"] == name).to_numpy(float) for name in names]
    money = budget_of(context)
    most = [money, p["INDUSTRY_CAP"] * money, *[p["TIGHT_CALLS"]] * len(names)]
    solved = milp(
        -data["value"].to_numpy(float),
        constraints=LinearConstraint(np.vstack(rows), -np.inf, most),
        integrality=np.ones(len(data)),
        bounds=Bounds(0, 1),
    )
    return data[np.round(solved.x) == 1].reset_index()[["line_id"]]


def _chosen(table: pd.DataFrame, context: Context) -> pd.DataFrame:
    return pool(context).reindex(table["line_id"].astype(str))


def within_money(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the raises fit into the money."""
    used, most = float(_chosen(table, context)["raise_amount"].sum()), budget_of(context)
    return (
        used <= most + 1e-6
        or f"新增额度合计 {used / 1e4:,.0f} 万元，超过了 {most / 1e4:,.1f} 万元。"
    )


def within_industry(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if farming stays below its share."""
    chosen = _chosen(table, context)
    used = float(chosen.loc[chosen["farming"].eq(True), "raise_amount"].sum())
    most = context.parameters["INDUSTRY_CAP"] * budget_of(context)
    return (
        used <= most + 1e-6 or f"农林牧渔业 {used / 1e4:,.0f} 万元，超过了 {most / 1e4:,.1f} 万元。"
    )


def within_calls(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if no branch has too many customers."""
    load = _chosen(table, context).groupby("branch_id").size()
    over = load[load > context.parameters["TIGHT_CALLS"]]
    return over.empty or f"{over.index[0]} 要谈 {over.iloc[0]} 户，超过了人手。"


def value_of(table: pd.DataFrame, context: Context) -> float:
    """Return the expected value of a plan."""
    return float(_chosen(table, context)["value"].sum())


def _known(answer: Any, context: Context) -> set[str] | None:
    if not isinstance(answer, pd.DataFrame) or "line_id" not in answer.columns:
        return None
    ids = set(answer["line_id"].astype(str))
    return ids if ids <= set(pool(context).index) else None


def each_for_itself(answer: Any, context: Context) -> bool:
    """Match the plan in which every branch takes its best customers."""
    data = pool(context).sort_values("value", ascending=False, kind="stable")
    best = data.groupby("branch_id").head(context.parameters["TIGHT_CALLS"])
    return _known(answer, context) == set(best.index)


def one_branch(answer: Any, context: Context) -> bool:
    """Match a plan that gives one branch alone more customers than it can call on."""
    ids = _known(answer, context)
    if not ids or len(ids) <= context.parameters["TIGHT_CALLS"]:
        return False
    return len(set(pool(context).loc[sorted(ids), "branch_id"])) == 1


# -------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "four_keys",
        keys_reference,
        checks=(KEY_CASES,),
        hints=(
            "先给每一关做一列“没过”的布尔值，再把没过的关名连起来。",
            "空值和任何数比较都是“否”：写“过 ＝ 大于等于”，再取反，空值自然算没过。",
            '对每一行：reasons = [关名 for 关名, 没过 in …]，然后 "、".join(reasons) 或者“通过”。',
        ),
        misconceptions=(
            Misconception(
                "missing_passes",
                "空值被当成了达标：用“小于”判断没过时，空值会漏过去。",
                lambda c: keys_reference(c, lenient=True),
            ),
            Misconception(
                "strict_line",
                "正好在线上的也被拦下了：规定是正好在线上算过。",
                lambda c: keys_reference(c, strict=True),
            ),
            Misconception(
                "first_reason_only",
                "只写了第一条没过的关：客户有权知道全部理由。",
                lambda c: keys_reference(c, first=True),
            ),
        ),
        parameters=("CLEAN_MONTHS", "HIGH_MONTHS", "DSR_MAX", "TREND_MIN"),
    ),
    Question(
        "E2",
        "new_limit",
        limit_reference,
        checks=(LIMIT_CASES,),
        hints=(
            "三个上限各写一行，最后按行取最小。",
            "收入上限：先算每月能还多少（扣他行月还款，不小于零），再用 loan_math.annuity_value 折成本金。",
            "取整：cap.round(2) // 10_000 * 10_000；最后 clip(lower=现额度)。",
        ),
        misconceptions=(
            Misconception(
                "largest_cap",
                "你取了三个上限里最大的：上限要取最小，任何一条都不能突破。",
                lambda c: limit_reference(c, largest=True),
            ),
            Misconception(
                "forgot_other_debt",
                "没有扣他行月还款：他的钱要先还别家的。",
                lambda c: limit_reference(c, other_debt=False),
            ),
            Misconception(
                "no_interest",
                "把每月还款直接乘月数，漏了利息：要按等额本息折成本金。",
                lambda c: limit_reference(c, interest=False),
            ),
            Misconception(
                "cuts_limit",
                "把一些客户的额度降低了：这个函数只管提额，算出来更低时保持现额度。",
                lambda c: limit_reference(c, floor=False),
            ),
        ),
        parameters=("DISPOSABLE_SHARE", "GRADE_MULTIPLE", "NEED_BUFFER", "REPAY_MONTHS"),
    ),
    Question(
        "E3",
        "cutoff",
        best_cut,
        checks=(
            plan(
                Invariant(
                    "写成小数", is_share, "切点要是 0 到 1 之间的小数，例如百分之三写 0.03。"
                ),
                objective=value_at,
                share=0.98,
                goal="预计 EVA 合计",
            ),
        ),
        hints=(
            "先从 deals 里取出担保方式是“保证”的，再按违约概率从低到高看累计的 eva。",
            '同一个违约概率的要一起进：groupby("pd_estimate")["eva"].sum()，再 cumsum()。',
            "累计最高的那个违约概率就是切点：.idxmax()。",
        ),
        misconceptions=(
            Misconception(
                "best_single_deal",
                "你停在了单笔 EVA 最高的地方：再往后只要还是正的，就还在挣，要看累计。",
                best_single,
            ),
            Misconception(
                "unsecured_loss",
                "你用了信用方式的违约损失率：保证方式收得回来的更多。",
                unsecured_cut,
            ),
            Misconception("everyone", "全部都提：切点以上的每一笔都在亏。", lambda c: 1.0),
        ),
        shape="一个 0 到 1 之间的小数",
        parameters=("OPEX", "RISK_WEIGHT", "CAPITAL_RATIO", "CAPITAL_RETURN", "TAX", "LGD"),
    ),
    Question(
        "E4",
        "tight_plan",
        best_plan,
        checks=(
            plan(
                unique("line_id", name="一条额度一次"),
                Invariant(
                    "在上报名单里",
                    lambda t, c: t["line_id"].astype(str).isin(pool(c).index).all(),
                    "名单里有没过关、没有营销授权或放了就亏的客户，只能从 pool 里选。",
                ),
                Invariant("规模", within_money, "新增额度超过了规模。"),
                Invariant("人手", within_calls, "有网点超过了人手。"),
                Invariant("行业", within_industry, "农林牧渔业超过了上限。"),
                objective=value_of,
                share=0.95,
                columns=("line_id",),
                goal="预计 EVA 合计",
            ),
        ),
        hints=(
            "second_plan 已经写好了三类上限，换一个规模、换一个户数就能用。",
            "规模 ＝ TIGHT_BUDGET × pool 里 raise_amount 的合计。",
            "second_plan 返回额度号；pool.loc[…].reset_index() 变成带 line_id 的表。",
        ),
        misconceptions=(
            Misconception(
                "each_for_itself",
                "你让各家支行各顾各：没有看总规模和行业上限。",
                matches=each_for_itself,
            ),
            Misconception(
                "one_branch", "名额都给了一家网点：它谈不过来，别家一户也没有。", matches=one_branch
            ),
        ),
        parameters=("TIGHT_BUDGET", "TIGHT_CALLS", "INDUSTRY_CAP"),
    ),
]
