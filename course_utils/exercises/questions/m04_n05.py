"""Questions of m04_n05: take-home pay, both sides, hidden wealth, a table that names nobody.

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
    frame,
    number,
    numbers,
    plan,
    recall,
    same,
    series,
    unique,
)

VARIATIONS = [{"BRANCH": "B03"}, {"EMP": "E0026", "MIN_CELL": 9}]
STEPS = ((36_000, 0.03), (144_000, 0.10), (300_000, 0.20), (420_000, 0.25), (660_000, 0.30),
         (960_000, 0.35), (np.inf, 0.45))  # fmt: skip
Z95 = 1.959963984540054

# --------------------------------------------------------------------------- E1 take-home pay


def tax_of(taxable: float) -> float:
    """Sum the tax bracket by bracket."""
    due, floor = 0.0, 0.0
    for top, rate in STEPS:
        due += rate * max(min(taxable, top) - floor, 0.0)
        floor = top
    return round(due, 2)


def pay_reference(
    context: Context,
    *,
    alone: bool = False,
    restart: bool = True,
    refund: bool = False,
    special: bool = True,
) -> Callable[[pd.DataFrame], pd.Series]:
    """Return the reference function, or one with a named mistake."""

    def net_pay(slips: pd.DataFrame) -> pd.Series:
        result: dict[Any, float] = {}
        year, income, paid = None, 0.0, 0.0
        for label in slips["month"].sort_values(kind="stable").index:
            row = slips.loc[label]
            if alone or (restart and row["month"].year != year):
                income, paid = 0.0, 0.0
            year = row["month"].year
            less = row["special"] if special and pd.notna(row["special"]) else 0.0
            income += row["gross"] - row["personal"] - less - 5_000
            tax = tax_of(round(income, 2)) - paid
            tax = tax if refund else max(tax, 0.0)
            paid += tax
            result[label] = round(row["gross"] - row["personal"] - tax, 2)
        return pd.Series(result, dtype=float).reindex(slips.index)

    return net_pay


def _slips(
    gross: list[float], start: str = "2025-01-31", special: Any = 0.0, personal: float = 2_500.0
) -> pd.DataFrame:
    months = pd.date_range(start, periods=len(gross), freq="ME")
    index = [f"S{i:02d}" for i in range(len(gross))]
    table = pd.DataFrame({"month": months, "gross": gross}, index=index)
    table["personal"], table["special"] = personal, special
    return table.astype({"gross": float, "personal": float, "special": float})


def _edge(context: Context) -> tuple[pd.DataFrame]:
    """Taxable income reaches exactly 36 000, passes it, then 144 000."""
    return (_slips([25_500.0, 25_500.0, 7_501.0, 115_499.0, 7_600.0]),)


def _drop(context: Context) -> tuple[pd.DataFrame]:
    return (_slips([40_000, 3_000, 3_000, 40_000, 9_000], special=1_500.0),)


def _two_years(context: Context) -> tuple[pd.DataFrame]:
    return (_slips([30_000.0] * 14, "2024-07-31", 1_000.0),)


def _holes(context: Context) -> tuple[pd.DataFrame]:
    table = _slips([28_000.0] * 6, special=2_000.0)
    table.loc[["S01", "S04"], "special"] = np.nan
    return (table,)


def _shuffled(context: Context) -> tuple[pd.DataFrame]:
    return (_two_years(context)[0].sample(frac=1, random_state=3),)


def _real_slips(context: Context) -> tuple[pd.DataFrame]:
    """The two years of somebody else, without name or number."""
    wages = context.load("payroll")
    sizes = wages.groupby("employee_id").size()
    who = sorted(sizes.index[sizes == sizes.max()])[7]
    rows = wages[wages["employee_id"] == who].sort_values("month", ignore_index=True)
    parts = rows[[c for c in rows.columns if c.endswith("_personal")]].sum(axis=1).round(2)
    return (
        pd.DataFrame(
            {"month": rows["month"], "gross": rows["gross"], "personal": parts, "special": np.nan}
        ),
    )


CENT = series(keys="工资条", absolute=0.011)
PAY_CASES = behaviour(
    Case("月入三万", lambda context: (_slips([30_000.0] * 12, special=2_000.0),),
         "个税要从一月累计：第二个月跨过 36000 元以后，税会变多。"),
    Case("跨年", _two_years, "每年一月要重新累计。"),
    Case("收入忽高忽低", _drop, "算出来比已扣的少时，当月不扣也不退。"),
    Case("刚好到一档", _edge, "累计应税正好 36000 元仍按低一档的税率。"),
    Case("专项附加扣除", _holes, "专项附加扣除要减掉，空的按零。"),
    Case("低于起征点", lambda context: (_slips([6_000.0, 5_000.0, 6_500.0]),)),
    Case("一张真实样子的工资条", _real_slips),
    Case("空表", lambda context: (_slips([30_000.0]).head(0),)),
    Relation("打乱行序", _two_years, _shuffled, same, "行的次序乱了，结果也要按月份算、按索引放回去。"),
    compare=CENT,
    signature=("slips",),
)  # fmt: skip

# ------------------------------------------------------------------------------ E2 two sides


def _own_year(context: Context) -> pd.DataFrame:
    wages = context.load("payroll")
    mine = wages[wages["employee_id"] == context.parameters["EMP"]]
    return mine[mine["month"] > context.as_of - pd.DateOffset(months=12)]


def both_sides(
    context: Context, *, welfare: bool = True, over: str = "net", months: int = 12
) -> tuple[float, float, float]:
    """Return the three numbers, or those of a named mistake."""
    rows = _own_year(context).sort_values("month").tail(months)
    company = sum(float(rows[c].sum()) for c in rows.columns if c.endswith("_company"))
    company += float(rows["welfare"].sum()) if welfare else 0.0
    personal = sum(float(rows[c].sum()) for c in rows.columns if c.endswith("_personal"))
    return company, personal, (float(rows["gross"].sum()) + company) / float(rows[over].sum())


# --------------------------------------------------------------------------------- E3 wealth


def wealth_reference(context: Context, mistake: str = "") -> Callable[..., float]:
    """Return the closed sum, or the one of a named mistake."""

    def future_wealth(monthly: float, years: int, rate: float, growth: float) -> float:
        steps = np.arange(years)
        paid = 12.0 * monthly * (1 + (0.0 if mistake == "flat" else growth)) ** steps
        waits = years - 1 - steps + (1 if mistake == "early" else 0)
        factor = 1 + rate * waits if mistake == "simple" else (1 + rate) ** waits
        return float((paid * factor).sum())

    return future_wealth


WEALTH_CASES = behaviour(
    Case("存一年", lambda context: (1_000.0, 1, 0.03, 0.02), "一年的钱算在年末进账，第一年没有收益。"),
    Case("存三年", lambda context: (1_000.0, 3, 0.10, 0.05), "每年多存一点，收益要利滚利。"),
    Case("没有收益", lambda context: (800.0, 5, 0.0, 0.02), "第二年起，每年存的要比上一年多。"),
    Case("不涨工资", lambda context: (800.0, 5, 0.025, 0.0)),
    Case("三十年", lambda context: (3_000.0, 30, context.parameters["RETURN_HIGH"],
                                 context.parameters["WAGE_GROWTH"])),
    Case("零年", lambda context: (1_000.0, 0, 0.03, 0.02), "一年也没存，余额是零。"),
    Relation("收益更高", lambda context: (2_000.0, 20, context.parameters["RETURN_LOW"], 0.02),
             lambda context: (2_000.0, 20, context.parameters["RETURN_LOW"] + 0.01, 0.02),
             lambda before, after: after > before, "收益更高，余额应当更多。"),
    Relation("多存一年", lambda context: (2_000.0, 20, 0.02, 0.02),
             lambda context: (2_000.0, 21, 0.02, 0.02),
             lambda before, after: after > before, "多存一年，余额应当更多。"),
    Relation("存款翻倍", lambda context: (2_000.0, 20, 0.02, 0.02),
             lambda context: (4_000.0, 20, 0.02, 0.02),
             lambda before, after: bool(np.isclose(after, 2 * before)), "每月多存一倍，余额也多一倍。"),
    compare=number(unit="元"),
    signature=("monthly", "years", "rate", "growth"),
)  # fmt: skip

# ------------------------------------------------------------------------------- E4 HR table


def _people(context: Context) -> pd.DataFrame:
    """Active employees paid in each of the last twelve months, with what their pay leaves over."""
    wages, today = context.load("payroll"), context.as_of
    wages = wages[wages["month"] > today - pd.DateOffset(months=12)]
    by = wages.groupby("employee_id")
    table = pd.DataFrame({"pay": by["gross"].mean(), "score": by["kpi_score"].mean()})
    table = table[by.size() == 12]
    staff = context.load("employee").set_index("employee_id").reindex(table.index)
    table[["branch_id", "post"]] = staff[["branch_id", "post"]]
    age = (today - staff["hire_date"]) / pd.Timedelta(days=1)
    table["years"] = np.floor(age).div(365.25).clip(0, 20)
    table = table[staff["active"].astype(bool) & table["score"].notna()]
    table["log"] = np.log(table["pay"])
    dummies = pd.get_dummies(table["post"].astype(str)).to_numpy(dtype=float)
    x = np.column_stack([dummies, table[["years", "score"]].to_numpy(dtype=float)])
    q, _ = np.linalg.qr(x)
    y = table["log"].to_numpy()
    table["left"] = y - q @ (q.T @ y)
    return table


def people(context: Context) -> pd.DataFrame:
    """Return the people of the fairness table (made once)."""
    return context.remember("people", lambda: _people(context))


def branch_table(context: Context, mistake: str = "") -> pd.DataFrame:
    """Return the table of branches, or that of a named mistake."""
    data = people(context)
    values = data["log"] - data["log"].mean() if mistake == "raw" else data["left"]
    spread = float(values.std())
    rows = []
    for branch, part in values.groupby(data["branch_id"]):
        size, gap = len(part), float(part.mean())
        if size < context.parameters["MIN_CELL"]:
            continue
        limit = Z95 * spread / (1 if mistake == "wide" else np.sqrt(size))
        flag = gap < 0 if mistake == "zero" else abs(gap) > limit
        rows.append((branch, size, gap, bool(flag)))
    return pd.DataFrame(rows, columns=["branch_id", "people", "gap", "flag"])


def _large_enough(table: pd.DataFrame, context: Context) -> bool | str:
    least = context.parameters["MIN_CELL"]
    small = int((table["people"] < least).sum())
    return not small or f"有 {small} 行不到 {least} 人：小格子会露出个人，不能出现。"


def _nobody_named(table: pd.DataFrame, context: Context) -> bool | str:
    extra = {"employee_id", "post", "gender", "masked_name"} & {str(c) for c in table.columns}
    return not extra or f"表里有“{'、'.join(sorted(extra))}”这样的列：只到网点，不到岗位和个人。"


def _underpaid(context: Context) -> list[str] | None:
    entry = (context.truth or {}).get("m04_n05", {}).get("underpaid", {})
    planted = entry.get("planted")
    known = set(branch_table(context)["branch_id"])
    return [b for b in planted if b in known] if isinstance(planted, dict) else None


def _by_post(answer: Any, context: Context) -> bool:
    return isinstance(answer, pd.DataFrame) and "post" in answer.columns


# -------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "net_pay",
        pay_reference,
        checks=(PAY_CASES,),
        hints=(
            "先按月份排好，再把每个月的应税（应发减缴费减专项减五千）按年累计。",
            "payroll.tax_due(累计应税) 是“到这个月为止一共该扣的”；本月扣的 ＝ 它减去前面已扣的。",
            "已扣的不会变少：先对累计税额按年取 cummax()，再减去上一个月的（shift）。最后 reindex 回原来的索引。",
        ),
        misconceptions=(
            Misconception(
                "each_month_alone",
                "每个月单独算税了：工资的个税要从一月起累计。",
                lambda c: pay_reference(c, alone=True),
            ),
            Misconception(
                "never_restarts",
                "跨年没有重新累计：每年一月从零开始。",
                lambda c: pay_reference(c, restart=False),
            ),
            Misconception(
                "refunds",
                "有的月份算出了负的税：当月不退，等第二年汇算。",
                lambda c: pay_reference(c, refund=True),
            ),
            Misconception(
                "forgot_special",
                "没有减专项附加扣除。",
                lambda c: pay_reference(c, special=False),
            ),
        ),
    ),
    Question(
        "E2",
        "two_sides",
        both_sides,
        numbers("单位缴费加福利", "个人缴费", "每到手一元单位付出", relative=1e-6),
        hints=(
            "单位缴费的列都以 _company 结尾，个人缴费的列都以 _personal 结尾。",
            'year.filter(like="_company") 取出这些列；两次 sum() 得到合计。福利是另一列。',
            "单位总付出 ＝ 应发 ＋ 单位缴费 ＋ 福利；除以到手（net），不是除以应发。",
        ),
        misconceptions=(
            Misconception(
                "forgot_welfare",
                "漏了福利费：餐费、体检也是单位付的。",
                lambda c: both_sides(c, welfare=False),
            ),
            Misconception(
                "over_gross",
                "第三个数除以了应发：问的是每到手一元。",
                lambda c: both_sides(c, over="gross"),
            ),
            Misconception(
                "last_month",
                "只算了最后一个月：要用最近十二个月。",
                lambda c: both_sides(c, months=1),
            ),
        ),
        parameters=("EMP",),
    ),
    Question(
        "E3",
        "future_wealth",
        wealth_reference,
        checks=(WEALTH_CASES,),
        hints=(
            "从零开始，一年一年往前走：先让原有的钱增值，再把这一年存的加进去。",
            "第 k 年（从零数）存的是 monthly * 12 * (1 + growth) ** k。",
            "循环里一句：balance = balance * (1 + rate) + 这一年存的。",
        ),
        misconceptions=(
            Misconception(
                "paid_at_start",
                "把一年存的当成年初进账了，多算了一年收益。",
                lambda c: wealth_reference(c, "early"),
            ),
            Misconception(
                "no_growth", "每年存的一样多：忘了工资会涨。", lambda c: wealth_reference(c, "flat")
            ),
            Misconception(
                "simple_interest",
                "收益没有利滚利。",
                lambda c: wealth_reference(c, "simple"),
            ),
        ),
    ),
    Question(
        "E4",
        "hr_table",
        branch_table,
        frame(["branch_id"], ["people", "gap", "flag"]),
        checks=(
            plan(
                unique("branch_id", name="一家网点一行"),
                Invariant("不到五人不出现", _large_enough, "有人数太少的格子。"),
                Invariant("不露出个人", _nobody_named, "表里有能认出个人的列。"),
                columns=("branch_id", "people", "gap", "flag"),
            ),
            recall(
                found=lambda table, c: table.loc[table["flag"].astype(bool), "branch_id"],
                planted=_underpaid,
                share=1.0,
                what="偏低网点",
            ),
        ),
        hints=(
            '先把 left 按网点分组：people["branch_id"] 要 reindex 成 left 的索引。',
            "界限 ＝ 1.96 × 全部残差的标准差 ÷ 人数的平方根，每家网点不一样宽。",
            '也可以用 payroll.group_gaps(left, people["branch_id"], MIN_CELL)，再改列名。',
        ),
        misconceptions=(
            Misconception(
                "branch_and_post",
                "切到了网点 × 岗位：大多数格子不到五人，小网点的行长一眼就认出来了。",
                matches=_by_post,
            ),
            Misconception(
                "raw_average",
                "比的是工资的平均，不是残差：岗位、年限、绩效不同的人混在一起了。",
                lambda c: branch_table(c, "raw"),
            ),
            Misconception(
                "below_zero",
                "只要平均小于零就标出来了：小网点凭运气也会小于零。",
                lambda c: branch_table(c, "zero"),
            ),
            Misconception(
                "same_limit",
                "所有网点用了同一条界限：人数不同，界限宽窄不同，要除以人数的平方根。",
                lambda c: branch_table(c, "wide"),
            ),
        ),
        parameters=("MIN_CELL",),
    ),
]
