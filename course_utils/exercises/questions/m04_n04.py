"""Questions of m04_n04: a grading function, shrunk recoveries, a week of work-out, a lawful script.

The references rebuild means, willingness and history from the bank's own tables with plain
arrays; the family number of a case is never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import (
    Case,
    Context,
    Invariant,
    Misconception,
    Part,
    Question,
    Quote,
    Relation,
    behaviour,
    invariants,
    plan,
    same,
    series,
    unique,
    written,
)

LETTERS = "ABCDE"
Grade = Callable[[float, float, float], str]
TALKS = ("结清方案", "分期", "重组")
MATRIX = {
    "高": ("结清方案", "分期", "分期", "重组", "重组"),
    "中": ("结清方案", "分期", "重组", "重组", "核销材料"),
    "低": ("诉讼", "诉讼", "诉讼", "核销材料", "核销材料"),
}
LOGGED = {"结清方案": "上门", "分期": "分期协议", "重组": "重组", "诉讼": "诉讼",
          "核销材料": "信函"}  # fmt: skip

# ----------------------------------------------------------------------------------- money panels


class World:
    """Arrays ``[debtor, month]`` of what every personal debtor has and earns."""

    def __init__(self, context: Context) -> None:
        setting = context.parameters
        kind = context.load("customer").set_index("customer_id")["customer_type"].astype(str)
        case = context.load("npl_case")
        self.case = case[case["customer_id"].map(kind) != "企业"].drop(columns="household_id")
        money = ["deposit_end", "wealth_average", "in_amount", "external_bank_in_amount"]
        table = context.load("customer_month", ["customer_id", "month", *money])
        table = table[table["customer_id"].isin(self.case["customer_id"])]
        self.ids = pd.Index(np.unique(table["customer_id"]))
        self.months = pd.DatetimeIndex(np.unique(table["month"]))
        row = self.ids.get_indexer(table["customer_id"])
        at = self.months.get_indexer(pd.DatetimeIndex(table["month"]))

        def panel(*columns: str) -> np.ndarray:
            result = np.zeros((len(self.ids), len(self.months)))
            for column in columns:
                result[row, at] += table[column].fillna(0).to_numpy(dtype=float)
            return result

        self.money = panel("deposit_end", "wealth_average")
        income = panel("in_amount") - panel("external_bank_in_amount")
        shop = context.load("merchant").set_index("merchant_id")["customer_id"]
        sale = context.load("merchant_month", ["merchant_id", "month", "transaction_amount"])
        owner = self.ids.get_indexer(sale["merchant_id"].map(shop).astype(object))
        when = self.months.get_indexer(pd.DatetimeIndex(sale["month"]))
        inside = (owner >= 0) & (when >= 0)
        amount = sale["transaction_amount"].to_numpy(dtype=float)[inside]
        np.subtract.at(income, (owner[inside], when[inside]), (1 - setting["MARGIN"]) * amount)
        self.income = np.maximum(income, 0)

    def means(self, context: Context, customers: pd.Series, at: int) -> np.ndarray:
        """Return what the customers can find within a year, seen at month ``at``."""
        setting = context.parameters
        row = self.ids.get_indexer(customers)
        usual = np.median(self.income[row, max(0, at - 11) : at + 1], axis=1)
        free = self.money[row, at] - setting["RESERVE_MONTHS"] * setting["LIVING_FLOOR"]
        future = 12 * setting["USABLE"] * (usual - setting["LIVING_FLOOR"])
        return np.maximum(free, 0) + np.maximum(future, 0)


def world(context: Context) -> World:
    """Return the panels (made once for the parameters in force)."""
    return context.remember("world", lambda: World(context))


def letter(context: Context, ratio: float) -> str:
    """Return the grade of an ability ratio."""
    for name, cut in zip("ABC", context.parameters["GRADE_CUTS"], strict=True):
        if ratio >= cut:
            return name
    return "D" if ratio > 0 else "E"


# ----------------------------------------------------------------------------------- E1 the grade


def grader(context: Context) -> Grade:
    """Return the reference function for the parameters in force."""
    setting = context.parameters
    floor, reserve = setting["LIVING_FLOOR"], setting["RESERVE_MONTHS"]

    def grade_of(money: float, income: float, debt: float) -> str:
        left = max(0.0, money - reserve * floor)
        spare = max(0.0, income - floor)
        return letter(context, (left + 12 * setting["USABLE"] * spare) / debt)

    return grade_of


def no_living(context: Context) -> Grade:
    """Leave the debtor nothing to live on."""
    usable = context.parameters["USABLE"]
    return lambda money, income, debt: letter(context, (money + 12 * usable * income) / debt)


def netted(context: Context) -> Grade:
    """Let a lack of money be made up by income and the other way round."""
    setting = context.parameters

    def wrong(money: float, income: float, debt: float) -> str:
        free = money - setting["RESERVE_MONTHS"] * setting["LIVING_FLOOR"]
        future = 12 * setting["USABLE"] * (income - setting["LIVING_FLOOR"])
        return letter(context, (free + future) / debt)

    return wrong


def one_month(context: Context) -> Grade:
    """Count one month of income instead of twelve."""
    setting = context.parameters

    def wrong(money: float, income: float, debt: float) -> str:
        free = max(0.0, money - setting["RESERVE_MONTHS"] * setting["LIVING_FLOOR"])
        spare = setting["USABLE"] * max(0.0, income - setting["LIVING_FLOOR"])
        return letter(context, (free + spare) / debt)

    return wrong


def _from_money(ratio: Callable[[Any], float]) -> Callable[[Context], Any]:
    """Return a debtor without spare income whose free money gives the ratio."""

    def arguments(context: Context) -> tuple[float, float, float]:
        setting = context.parameters
        reserve = setting["RESERVE_MONTHS"] * setting["LIVING_FLOOR"]
        return reserve + ratio(setting) * 64_000.0, setting["LIVING_FLOOR"] * 0.5, 64_000.0

    return arguments


def _from_income(ratio: Callable[[Any], float]) -> Callable[[Context], Any]:
    """Return a debtor without free money whose spare income gives the ratio."""

    def arguments(context: Context) -> tuple[float, float, float]:
        setting = context.parameters
        spare = ratio(setting) * 96_000.0 / (12 * setting["USABLE"])
        return 10.0, setting["LIVING_FLOOR"] + spare, 96_000.0

    return arguments


def _cut(which: int, share: float = 1.0) -> Callable[[Any], float]:
    return lambda setting: setting["GRADE_CUTS"][which] * share


def _edges(money: float, income: float) -> Callable[[Context], Any]:
    """Return a debtor whose money and income are multiples of what he needs to live."""

    def arguments(context: Context) -> tuple[float, float, float]:
        setting = context.parameters
        reserve = setting["RESERVE_MONTHS"] * setting["LIVING_FLOOR"]
        return money * reserve, income * setting["LIVING_FLOOR"], 50_000.0

    return arguments


def same_grade(mine: Any, theirs: Any) -> str | None:
    """Compare two grades without giving the right one away."""
    if not isinstance(mine, str) or mine not in LETTERS or len(mine) != 1:
        return "返回值应该是“A”“B”“C”“D”“E”之一。"
    return None if mine == theirs else "归错了级：先各自扣生活费，再相加，再除以欠款。"


_LINE = "刚好在线上的归上一级：用 >= 。"
_ZERO = "不够扣生活费的一项是零，不能拿另一项去补。"
E1_CASES = behaviour(
    Case("钱够还清还有余", _from_money(lambda s: 1.5)),
    Case("手里的钱刚好够还清", _from_money(_cut(0)), _LINE),
    Case("差一点够还清", _from_money(_cut(0, 0.99))),
    Case("刚好在 B 线上", _from_money(_cut(1)), _LINE),
    Case("B 线下一点", _from_money(_cut(1, 0.99))),
    Case("刚好在 C 线上", _from_money(_cut(2)), _LINE),
    Case("C 线下一点", _from_money(_cut(2, 0.99))),
    Case("只靠进账就够还清", _from_income(lambda s: 1.2)),
    Case("只靠进账，B 级", _from_income(_cut(1, 1.1))),
    Case("只靠进账，差一点够还清", _from_income(_cut(0, 0.97)), "进账按十二个月算。"),
    Case("只靠进账，差一点到 B", _from_income(_cut(1, 0.97)), "进账按十二个月算。"),
    Case("只靠进账，刚过 B 线", _from_income(_cut(1, 1.03)), "进账按十二个月算。"),
    Case("只靠进账，C 级", _from_income(_cut(2, 1.2))),
    Case("只靠进账，有一点", _from_income(_cut(2, 0.4)), "进账按十二个月、USABLE 的比例算。"),
    Case("钱和进账刚够生活", _edges(1.0, 1.0), "留完生活费一点不剩，是 E 级。"),
    Case("什么都没有", _edges(0.0, 0.0), "一点没有，是 E 级。"),
    Case("没有存款，进账宽裕", _edges(0.0, 6.0), _ZERO),
    Case("存款宽裕，没有进账", _edges(8.0, 0.0), _ZERO),
    Case("存款不够留，进账也不够", _edges(0.9, 0.9), "留生活费以后没有剩的，是 E 级。"),
    Case("只多出一点点", _edges(1.001, 0.5), "有一点就不是 E 级。"),
    Relation("都翻倍", lambda c: (0.0, 3 * c.parameters["LIVING_FLOOR"], 40_000.0),
             lambda c: (0.0, 5 * c.parameters["LIVING_FLOOR"], 80_000.0), same,
             "可用的进账和欠款都翻倍，等级不变。"),
    compare=same_grade,
    signature=("money", "income", "debt"),
)  # fmt: skip


def _everybody(answer: Any, context: Context) -> bool | str:
    """Grade the real debtors: each in exactly one of five grades, as counted."""
    cases = open_cases(context)
    panels = world(context)
    row = panels.ids.get_indexer(cases["customer_id"])
    right = grader(context)
    wrong = strange = 0
    for place, owed in zip(row, cases["owed"], strict=True):
        money = float(panels.money[place, -1])
        income = float(np.median(panels.income[place, -12:]))
        try:
            got = answer(money, income, float(owed))
        except Exception:
            return "有真实的债务人让函数出错了，检查零和小数。"
        strange += got not in list(LETTERS)
        wrong += got != right(money, income, float(owed))
    if strange:
        return f"{len(row)} 笔真实案件里有 {strange} 笔没有归入五级中的任何一级。"
    return not wrong or f"{len(row)} 笔真实案件里有 {wrong} 笔归错了级。"


E1 = Question(
    "E1",
    "grade_of",
    grader,
    checks=(
        E1_CASES,
        invariants(Invariant("不重不漏", _everybody, "有案件没有归级。")),
    ),
    hints=(
        "三步：手里能动的，一年能挤出的，加起来除以欠款；前两步都不能小于零。",
        "max(数, 0) 把负数变成零；月流入先减生活费，再乘 USABLE，再乘十二。",
        "按 A、B、C 的顺序用 >= 比 GRADE_CUTS；都不到的，比值大于零是 D，等于零是 E。",
    ),
    misconceptions=(
        Misconception(
            "no_living",
            "你没有给债务人留生活费：算出来人人都还得起，法院也不会这样执行。",
            no_living,
        ),
        Misconception(
            "netted",
            "你让两项互相抵了：存款不够留生活费，不等于要从将来的进账里补回来。各自不够就是零。",
            netted,
        ),
        Misconception(
            "one_month",
            "你只算了一个月的进账。定义是一年能挤出的，要乘十二。",
            one_month,
        ),
    ),
    parameters=("LIVING_FLOOR", "RESERVE_MONTHS", "USABLE", "GRADE_CUTS"),
    shape="一个函数 grade_of(money, income, debt)，返回一个字母",
)

# ------------------------------------------------------------------------------ E2 shrunk recovery


def history(context: Context) -> pd.DataFrame:
    """Return graded old cases with the share recovered (made once)."""
    return context.remember("history", lambda: _history(context))


def old_cases(context: Context) -> pd.DataFrame:
    """Return personal cases a year old with the principal owed and the share recovered."""
    past = world(context).case
    past = past[past["recovered_12m"].notna()]
    month = context.load("loan_month")
    month = month[month["loan_id"].isin(past["loan_id"])].sort_values("month")
    start = past.set_index("loan_id")["npl_date"]
    month = month[month["month"] < month["loan_id"].astype(object).map(start)]
    owed = month.drop_duplicates("loan_id", keep="last").set_index("loan_id")["balance"]
    past = past.assign(owed=past["loan_id"].map(owed.rename(index=str)))
    past = past[past["owed"] > 0]
    return past.assign(share=(past["recovered_12m"] / past["owed"]).clip(0, 1))


def _history(context: Context) -> pd.DataFrame:
    panels = world(context)
    past = old_cases(context)
    before = (past["npl_date"].dt.to_period("M") - 1).dt.to_timestamp(how="end").dt.normalize()
    place = panels.months.get_indexer(pd.DatetimeIndex(before))
    known = panels.ids.get_indexer(past["customer_id"]) >= 0
    past = past.assign(place=place)[(place >= 2) & known]
    grades = []
    for row in past.itertuples():
        means = panels.means(context, pd.Series([row.customer_id]), row.place)[0]
        grades.append(letter(context, means / row.owed))
    return past.assign(grade=grades)


def _shrunk(context: Context, kappa: float | None = None, middle: float | None = None) -> pd.Series:
    """Return the shrunk share of each grade."""
    rows = history(context)
    weight = context.parameters["KAPPA"] if kappa is None else kappa
    center = rows["share"].mean() if middle is None else middle
    result = {}
    for name in LETTERS:
        share = rows.loc[rows["grade"] == name, "share"]
        size = len(share) + weight
        result[name] = (share.sum() + weight * center) / size if size else center
    return pd.Series(result)


def towards_zero(context: Context) -> pd.Series:
    """Forget the mean that is mixed in."""
    return _shrunk(context, middle=0.0)


def mean_of_means(context: Context) -> pd.Series:
    """Use the mean of the five means as the overall mean."""
    return _shrunk(context, middle=history(context).groupby("grade")["share"].mean().mean())


E2 = Question(
    "E2",
    "grade_recovery",
    lambda context: _shrunk(context),
    compare=series(keys="等级"),
    hints=(
        "每一级要三个数：回收比例之和、笔数、总体平均。",
        '按 grade 分组，对 share 用 agg(["sum", "size"])，再 reindex(list("ABCDE"), fill_value=0)。',
        '(和 + KAPPA * 总体平均) / (笔数 + KAPPA)，总体平均是 history["share"].mean()。',
    ),
    misconceptions=(
        Misconception(
            "raw_mean",
            "这是没有收缩的平均数：案子少的一级，一两笔就能把它带偏。",
            lambda context: _shrunk(context, kappa=0),
        ),
        Misconception(
            "towards_zero",
            "你掺进去的案子没有带上总体平均，等于往零收缩，回收全被算低了。",
            towards_zero,
        ),
        Misconception(
            "mean_of_means",
            "总体平均要用全部案子算，不是五个等级平均数的平均：那样案子少的一级说话太重。",
            mean_of_means,
        ),
    ),
    parameters=(
        "KAPPA", "LIVING_FLOOR", "RESERVE_MONTHS", "USABLE", "GRADE_CUTS", "MARGIN",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------- E3 a week of work


def open_cases(context: Context) -> pd.DataFrame:
    """Return open personal cases with debt, means, grade, will, action, minutes and worth."""
    return context.remember("open", lambda: _open_cases(context))


def _will(context: Context) -> dict[str, tuple[float, float]]:
    """Return the amount paid and the share of due promises kept by loan, of late."""
    log = context.load("npl_action")
    since = context.as_of - pd.Timedelta(days=context.parameters["RECENT_DAYS"])
    log = log[log["action_date"] > since]
    result = {}
    for loan, part in log.groupby("loan_id"):
        kept = [bool(value) for value in part["promise_kept"] if not pd.isna(value)]
        ratio = sum(kept) / len(kept) if kept else np.nan
        result[str(loan)] = (float(part["paid_amount"].sum()), ratio)
    return result


def _open_cases(context: Context) -> pd.DataFrame:
    setting, panels = context.parameters, world(context)
    table = panels.case.assign(
        debt=panels.case[["principal", "interest", "penalty", "fees"]].to_numpy().sum(axis=1)
    )
    loan = context.load("loan").set_index("loan_id")
    table = table[table["loan_id"].map(loan["settle_date"]).isna() & (table["debt"] > 0)]
    table = table.assign(branch_id=table["loan_id"].map(loan["branch_id"]))
    total = table.groupby("customer_id")["debt"].sum()
    table["owed"] = table["customer_id"].map(total)
    means = panels.means(context, table["customer_id"], len(panels.months) - 1)
    table["grade"] = [letter(context, m / o) for m, o in zip(means, table["owed"], strict=True)]
    table["means"] = means * table["debt"] / table["owed"]
    log = context.load("npl_action")
    pledge = context.load("collateral")
    net = (pledge["appraised"] * setting["HAIRCUT"] - pledge["other_claims"]).clip(lower=0)
    table["pledge"] = table["loan_id"].map(net.groupby(pledge["loan_id"]).sum()).fillna(0.0)
    table["action"] = _actions(table, _will(context))
    logged = table["action"].map(LOGGED)
    kind = log["kind"].astype(str)
    table["minutes"] = logged.map(log["minutes"].groupby(kind).mean()).round()
    table["cost"] = logged.map(log["cost"].groupby(kind).mean())
    talk = log[kind.isin(["电话", "上门"])].groupby("loan_id")["action_date"].max()
    table["last_talk"] = table["loan_id"].map(talk)
    return table


def _actions(table: pd.DataFrame, signals: dict[str, tuple[float, float]]) -> list[str]:
    """Return the action of each case by grade, will and pledge."""
    actions = []
    for row in table.itertuples():
        paid, kept = signals.get(row.loan_id, (0.0, np.nan))
        will = "中"
        if paid > 0 or kept >= 0.5:
            will = "高"
        elif not row.contactable or kept == 0:
            will = "低"
        action = MATRIX[will][LETTERS.index(row.grade)]
        if action == "核销材料" and row.pledge >= 0.1 * row.debt:
            action = "诉讼"
        actions.append(action)
    return actions


def week(context: Context) -> pd.DataFrame:
    """Return the cases of the branch with ``worth``, ``calm``, ``reach`` and ``free``, by loan."""
    return context.remember("week", lambda: _week(context))


def _week(context: Context) -> pd.DataFrame:
    setting = context.parameters
    table = open_cases(context).set_index("loan_id")
    if setting["BRANCH"] is not None:
        table = table[table["branch_id"] == setting["BRANCH"]]
    expected = table["grade"].map(_shrunk(context)) * table["debt"]
    cap = table["means"] + table["pledge"]
    table["worth"] = expected.where(expected < cap, cap) - table["cost"]
    table.loc[table["action"] == "核销材料", "worth"] = 0.0
    rested = (context.as_of - table["last_talk"]).dt.days >= setting["COOL_DAYS"]
    calm = table["last_talk"].isna() | rested
    talks = table["action"].isin(TALKS)
    table["calm"] = ~talks | calm
    table["reach"] = ~talks | table["contactable"].astype(bool)
    table["free"] = (table["action"] != "诉讼") | (table["legal_stage"].astype(str) == "未诉")
    return table


def _fill(table: pd.DataFrame, order: pd.Series, minutes: float) -> pd.DataFrame:
    """Take cases in the given order as long as there is time."""
    chosen, used = [], 0.0
    needed = table["minutes"].to_dict()
    for loan in order.sort_values(ascending=False, kind="stable").index:
        if used + needed[loan] <= minutes:
            chosen.append(loan)
            used += needed[loan]
    return pd.DataFrame({"loan_id": pd.Series(chosen, dtype=object)})


def best_week(context: Context) -> pd.DataFrame:
    """Return the cases of the highest worth a minute that may be worked on."""
    table = week(context)
    table = table[table["calm"] & table["reach"] & table["free"] & (table["worth"] > 0)]
    rate = table["worth"] / table["minutes"]
    return _fill(table, rate, context.parameters["WEEK_MINUTES"])


def _worth(table: pd.DataFrame, context: Context) -> float:
    return float(week(context)["worth"].reindex(table["loan_id"]).sum())


def _known(table: pd.DataFrame, context: Context) -> bool | str:
    unknown = int((~table["loan_id"].isin(week(context).index)).sum())
    return not unknown or f"有 {unknown} 笔不在 week 里：只能从还开着的个人不良里选。"


def _in_time(table: pd.DataFrame, context: Context) -> bool | str:
    used = week(context)["minutes"].reindex(table["loan_id"]).sum()
    spare = context.parameters["WEEK_MINUTES"] - used
    return bool(spare >= 0) or f"超出这一周的时间 {-spare:.0f} 分钟。"


def _none_without(column: str, text: str) -> Callable[[pd.DataFrame, Context], bool | str]:
    def holds(table: pd.DataFrame, context: Context) -> bool | str:
        flag = week(context)[column].reindex(table["loan_id"])
        count = int((flag == False).sum())  # noqa: E712
        return not count or f"有 {count} 笔{text}。"

    return holds


def _no_family(table: pd.DataFrame, context: Context) -> bool:
    return not any("household" in str(name) or "家庭" in str(name) for name in table.columns)


def _largest(answer: Any, context: Context) -> bool:
    """Whether the plan holds the debts that come first by size."""
    if not isinstance(answer, pd.DataFrame) or "loan_id" not in answer or not len(answer):
        return False
    table = week(context)
    table = table[table["calm"] & table["reach"] & table["free"]]
    debt = table["debt"].sort_values(ascending=False)
    chosen = debt.reindex(answer["loan_id"]).dropna()
    return bool(len(chosen) and chosen.sum() >= 0.9 * debt.head(len(chosen)).sum())


def _breaks_rules(answer: Any, context: Context) -> bool:
    """Whether a case is planned that cannot be talked about now or is in court already."""
    if not isinstance(answer, pd.DataFrame) or "loan_id" not in answer:
        return False
    table = week(context)
    return bool(
        answer["loan_id"].isin(table.index[~(table["reach"] & table["calm"] & table["free"])]).any()
    )


E3 = Question(
    "E3",
    "week_plan",
    best_week,
    checks=(
        plan(
            Invariant(
                "只看本人", _no_family, "答案里带了家庭号：契约锁定了这一列，不得用于评估或催收。"
            ),
            unique("loan_id", name="一笔一次"),
            Invariant("在册案件", _known, "有不在册的案件。"),
            Invariant("时间够用", _in_time, "超时了。"),
            Invariant(
                "联系得上", _none_without("reach", "要协商却联系不上本人"), "有联系不上的。"
            ),
            Invariant("未诉才诉", _none_without("free", "已经起诉，又排了诉讼"), "有已起诉的。"),
            Invariant("间隔够长", _none_without("calm", "刚联系过，又排了协商"), "有刚联系过的。"),
            objective=_worth,
            share=0.95,
            columns=("loan_id",),
            goal="预计净收回",
        ),
    ),
    hints=(
        "先筛掉不能做的，再按“每分钟值多少”从大到小排，最后加到时间用完。",
        "协商类（结清方案、分期、重组）才看能不能联系、最近联系过没有；诉讼类不看这两条。",
        'rate = worth / minutes，排好序以后用 minutes.cumsum() <= WEEK_MINUTES 取前面几笔，只留 loan_id 一列。',
    ),
    misconceptions=(
        Misconception(
            "carried_household",
            "答案里带了家庭号。这一列锁着：家里人没有替他还债的义务，不得用于评估或催收。",
            matches=lambda answer, context: (
                isinstance(answer, pd.DataFrame) and not _no_family(answer, context)
            ),
        ),
        Misconception(
            "forgot_rules",
            "有联系不上的、刚联系过的被排进了协商，或者已经起诉的又排了诉讼。先筛，再排。",
            matches=_breaks_rules,
        ),
        Misconception(
            "largest_debt",
            "你按欠款从大到小排：欠得最多的往往拿不出钱，时间先花光了。按每分钟值多少排。",
            matches=_largest,
        ),
    ),
    parameters=(
        "BRANCH", "WEEK_MINUTES", "COOL_DAYS", "HAIRCUT", "RECENT_DAYS", "KAPPA", "LIVING_FLOOR",
        "RESERVE_MONTHS", "USABLE", "GRADE_CUTS", "MARGIN",
    ),
)  # fmt: skip

# ----------------------------------------------------------------------------- E4 a lawful script


def script_case(context: Context) -> pd.Series:
    """Return debt, principal and monthly instalment of the case in the middle."""
    table = open_cases(context)
    chosen = table[table["grade"].isin(["C", "D"]) & (table["means"] >= 1200)]
    chosen = (chosen if len(chosen) else table).sort_values(["debt", "loan_id"])
    row = chosen.iloc[len(chosen) // 2]
    monthly = max(round(row["means"] / 12, -2), 100.0)
    return pd.Series({"debt": round(row["debt"], 2), "principal": row["principal"], "pay": monthly})


FAMILY = r"父母|爱人|老婆|老公|妻子|丈夫|配偶|孩子|子女|儿子|女儿|家人|家里|亲戚|亲属|单位|同事|村里|村口|村干部|村委|乡亲"
THREATS = r"坐牢|抓|派出所|公安|诈骗|曝光|公布|公示|张贴|贴到|上门堵|拘留|后果自负|黑名单|刑"
WAIVERS = r"(全|都|一定|保证)[^。，]{0,6}(免|消|删)|减免|免除|免掉|消掉征信|删除逾期"


def _says(pattern: str) -> Callable[[Any, Context], bool]:
    return lambda answer, context: isinstance(answer, str) and bool(re.search(pattern, answer))


def lawful(context: Context) -> str:
    """Return a script that passes."""
    row = script_case(context)
    return (
        f"您好，这里是{context.bank.name}，为保护您的信息，先核对身份，确认您是借款本人。"
        f"您的贷款目前欠款 {row['debt']:.2f} 元，一次还清有压力的话，可以商量分期，每月 {row['pay']:.0f} 元。"
        "您对金额有异议，或者生活有困难，请告诉我，可以申请复核并提供证明。"
    )


E4 = Question(
    "E4",
    "script",
    lawful,
    checks=(
        written(
            Part("核对身份", ("核对", "核验", "确认.{0,6}身份", "是您本人")),
            Part("分期方案", ("分期", "按月还", "每月")),
            Part("异议或困难怎么办", ("异议", "复核", "困难")),
            grounded_in=("script_case", lambda context: script_case(context).to_frame().T),
            quotes=(
                Quote("欠款", lambda c: float(script_case(c)["debt"])),
                Quote("月供方案", lambda c: float(script_case(c)["pay"])),
            ),
            least_numbers=2,
            shortest=60,
            longest=200,
            forbidden=(
                (FAMILY, "提到了家人、单位或村里：欠款只能对本人说，别人没有替他还的义务。"),
                (THREATS, "这是威胁或公开羞辱：清收只能讲事实、后果和办法。"),
                (WAIVERS, "不能许诺减免：减免要按权限审批，话说出去就收不回来。"),
            ),
        ),
    ),
    hints=(
        "四句话：您是本人吗；您欠多少；可以怎么还；有异议或有困难怎么办。",
        '数字从 script_case 里取：script_case["欠款"].iloc[0]、script_case["月供方案"].iloc[0]。',
        'f"……欠款 {欠款:.2f} 元，可以申请分期，每月 {月供:.0f} 元……有异议可以申请复核……"',
    ),
    misconceptions=(
        Misconception(
            "family",
            "提到了家人、单位或村里：欠款只能对本人说，别人没有替他还的义务。",
            matches=_says(FAMILY),
        ),
        Misconception(
            "threat",
            "这是威胁或公开羞辱：清收只能讲事实、后果和办法。",
            matches=_says(THREATS),
        ),
        Misconception(
            "waiver",
            "你许诺了减免或改征信。减免要按权限审批，征信不能随便改。",
            matches=_says(WAIVERS),
        ),
    ),
    parameters=("LIVING_FLOOR", "RESERVE_MONTHS", "USABLE", "GRADE_CUTS", "MARGIN"),
)

QUESTIONS = [E1, E2, E3, E4]

VARIATIONS = [
    {"BRANCH": "B03", "WEEK_MINUTES": 300},
    {"LIVING_FLOOR": 2000, "KAPPA": 10, "COOL_DAYS": 14, "GRADE_CUTS": [1.2, 0.6, 0.3]},
]
