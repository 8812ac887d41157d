"""Questions of m03_n05: toll users by age, coverage of trucks, a points table, falling tolls.

The references walk through the bank's own tables with plain arrays and dictionaries; nothing is
taken from the notebook but the parameters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import (
    Context,
    Invariant,
    Misconception,
    Part,
    Question,
    Quote,
    frame,
    invariants,
    plan,
    written,
)

UNKNOWN = "未知"
Z95 = 1.959963984540054

# ------------------------------------------------------------------------------ shared tables


def holders(context: Context) -> pd.DataFrame:
    """Return toll users (persons, open files) of the branch with loan flag and falling toll."""
    return context.remember("holders", lambda: _holders(context))


def _persons(context: Context) -> pd.DataFrame:
    table = context.load("customer")
    keep = (table["customer_type"].astype(str) != "企业") & (table["status"].astype(str) == "正常")
    return table[keep]


def _holders(context: Context) -> pd.DataFrame:
    users = context.load("etc_user").set_index("customer_id")
    rows = _persons(context)
    rows = rows[rows["customer_id"].isin(users.index)]
    if context.parameters["BRANCH"] is not None:
        rows = rows[rows["branch_id"] == context.parameters["BRANCH"]]
    rows = rows.set_index("customer_id")
    loan = context.load("loan")
    open_loan = loan.loc[loan["settle_date"].isna(), "customer_id"]
    year, quarter = (users[c].reindex(rows.index) for c in ("toll_12m", "toll_3m"))
    truck = users["vehicle_kind"].astype(str).reindex(rows.index) == "货车"
    late = _late_customers(context)
    return rows.assign(
        truck=truck,
        has_loan=rows.index.isin(open_loan),
        fell=quarter * 4 < context.parameters["FALL_LINE"] * year,
        late=rows.index.isin(late),
    )


def _late_customers(context: Context) -> set[str]:
    """Return customers overdue at a month end of the last six months."""
    month = context.load("loan_month", ["month", "loan_id", "dpd"])
    month = month[(month["month"] > context.as_of - pd.offsets.MonthEnd(6)) & (month["dpd"] > 0)]
    owner = context.load("loan").set_index("loan_id")["customer_id"]
    return set(owner.reindex(month["loan_id"].unique()).dropna())


# -------------------------------------------------------------------------- E1 age and gender


def band_of(age: float, edges: list[float], names: list[str]) -> str:
    """Return the name of the band that holds an age, lower edges included."""
    if math.isnan(age):
        return UNKNOWN
    for low, high, name in zip(edges[:-1], edges[1:], names, strict=True):
        if low <= age < high:
            return name
    return UNKNOWN


def _counted(context: Context, value: str, right: bool = False) -> pd.DataFrame:
    """Return Σ value by band and gender."""
    edges, names = context.parameters["TEN_EDGES"], context.parameters["TEN_LABELS"]
    rows = holders(context)
    result: dict[tuple[str, str], float] = {}
    for born, gender, weight in zip(
        rows["birth_year"].astype(float), rows["gender"], rows["weight"], strict=True
    ):
        age = context.as_of.year - born
        key = (band_of(age - 0.5 if right else age, edges, names), str(gender))
        result[key] = result.get(key, 0.0) + (float(weight) if value == "weight" else 1.0)
    bands = list(dict.fromkeys(band for band, _ in result))
    rows_of = {g: [result.get((band, g), 0.0) for band in bands] for g in ("男", "女")}
    return pd.DataFrame(rows_of, index=pd.Index(bands, name="age_band"))


def etc_table(context: Context) -> pd.DataFrame:
    """Return households by band and gender, unknown birth years kept."""
    return _counted(context, "weight")


def dropped_unknown(context: Context) -> pd.DataFrame:
    """Leave out customers without a birth year."""
    return etc_table(context).drop(index=UNKNOWN, errors="ignore")


def _whole(answer: Any, context: Context) -> bool | str:
    """Whether the cells add up to the customers the sample stands for."""
    found = float(answer[["男", "女"]].to_numpy(dtype=float).sum())
    wanted = float(holders(context)["weight"].sum())
    if abs(found - wanted) < 0.5:
        return True
    return f"各格相加是 {found:,.0f} 户，和车主总户数对不上：有人丢了，或者数的不是户数。"


E1 = Question(
    "E1",
    "etc_table",
    etc_table,
    frame(["age_band"], ["男", "女"]),
    checks=(
        invariants(
            Invariant("总数对账", _whole, "合计和总户数对不上。"),
            Invariant(
                "没有负数",
                lambda answer, context: bool((answer[["男", "女"]].fillna(-1) >= 0).all(axis=None)),
                "户数不能是负数或空值：没有人的格子写零。",
            ),
            columns=("age_band", "男", "女"),
        ),
    ),
    hints=(
        "先给每一行起一个年龄段的名字，缺出生年的也要有名字；再做透视表。",
        'pd.cut(..., right=False) 表示左边界算在内；.astype("object").fillna("未知") 补上缺的。',
        'band.rename("age_band")，然后 holders.pivot_table(index=band, columns="gender", '
        'values="weight", aggfunc="sum", fill_value=0)。',
    ),
    misconceptions=(
        Misconception(
            "dropped_unknown",
            "缺出生年的人被悄悄丢掉了：合计比车主总户数少。给他们一行“未知”。",
            dropped_unknown,
        ),
        Misconception(
            "counted_rows",
            "你数的是样本行数。一行代表几户到几十户，要把 weight 加起来。",
            lambda context: _counted(context, "rows"),
        ),
        Misconception(
            "right_edges",
            "边界上的人归错了段：31 岁该在“31-40”里。pd.cut 要加 right=False。",
            lambda context: _counted(context, "weight", right=True),
        ),
    ),
    parameters=("BRANCH", "TEN_EDGES", "TEN_LABELS"),
)

# ------------------------------------------------------------------------ E2 coverage of trucks


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Return the Wilson limits of a share seen in n cases."""
    middle = share + Z95**2 / (2 * n)
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + Z95**2 / n) for sign in (-1, 1))
    return (0.0 if share == 0 else low), (1.0 if share == 1 else high)


def _by_town(
    context: Context, trucks_only: bool = True, weigh: bool = True, hide: bool = True
) -> pd.DataFrame:
    rows = holders(context)
    rows = rows[rows["truck"]] if trucks_only else rows
    result = {}
    for town, part in rows.groupby("town_id"):
        w = part["weight"].to_numpy(dtype=float) if weigh else np.ones(len(part))
        share = float(w @ part["has_loan"].to_numpy(dtype=float) / w.sum())
        low, high = _wilson(share, float(w.sum() ** 2 / (w @ w)))
        if hide and len(part) < context.parameters["MIN_CELL"]:
            share = low = high = np.nan
        result[town] = {"n": len(part), "rate": share, "low": low, "high": high}
    table = pd.DataFrame.from_dict(result, orient="index", columns=["n", "rate", "low", "high"])
    table.index.name = "town_id"
    return table


def truck_town(context: Context) -> pd.DataFrame:
    """Return the loan coverage of trucks by town, small cells empty."""
    return _by_town(context)


def _small_cells(answer: Any, context: Context) -> bool | str:
    few = answer[answer["n"] < context.parameters["MIN_CELL"]]
    shown = int(few["rate"].notna().sum())
    return not shown or f"有 {shown} 个乡镇样本不到 MIN_CELL 行，比例却还写着。"


E2 = Question(
    "E2",
    "truck_town",
    truck_town,
    frame(["town_id"], ["n", "rate", "low", "high"]),
    checks=(
        invariants(
            Invariant("小格子", _small_cells, "样本太少的乡镇要写空值。"),
            columns=("town_id", "n", "rate", "low", "high"),
        ),
    ),
    hints=(
        "三步：只留货车；按乡镇算覆盖率；把样本太少的乡镇抹掉。",
        'weighted.rates(是不是有贷款, 权数, 乡镇) 三个参数都取自货车那几行，如 lorry["has_loan"]。',
        '抹掉：truck_town.loc[truck_town["n"] < MIN_CELL, ["rate", "low", "high"]] = np.nan。',
    ),
    misconceptions=(
        Misconception(
            "forgot_small_cells",
            "样本不到 MIN_CELL 行的乡镇还写着比例：几个人的比例会被当真。写成空值。",
            lambda context: _by_town(context, hide=False),
        ),
        Misconception(
            "every_row_alike",
            "你把每一行当成一户，没有乘权数：借款的人抽得密，覆盖率被抬高了。",
            lambda context: _by_town(context, weigh=False),
        ),
        Misconception(
            "all_vehicles",
            "这是全部车主的覆盖率。题目只问货车：先按 vehicle_kind 筛选。",
            lambda context: _by_town(context, trucks_only=False),
        ),
    ),
    parameters=("BRANCH", "MIN_CELL"),
)

# ---------------------------------------------------------------------------- E3 points table

LEVELS = {
    "truck": 2,
    "toll_level": 3,
    "aum_level": 4,
    "inflow_level": 4,
    "young": 3,
    "late": 2,
}


def past(context: Context) -> pd.DataFrame:
    """Return toll users without a loan a year ago, what was known then, and who drew since."""
    return context.remember("past", lambda: _past(context))


def _window_mean(context: Context, when: pd.Timestamp, column: str) -> pd.Series:
    panel = context.load("customer_month", ["month", "customer_id", column])
    window = panel["month"].between(when - pd.offsets.MonthEnd(2), when)
    return panel[window].groupby("customer_id")[column].mean()


def _toll_thirds(context: Context, rows: pd.DataFrame, when: pd.Timestamp) -> np.ndarray:
    """Return 0, 1, 2 by the rank of the year's toll among vehicles of the same kind."""
    if not context.bank.has("etc_month"):
        return np.zeros(len(rows), dtype=int)
    table = context.load("etc_month", ["month", "customer_id", "toll"])
    window = table["month"].between(when - pd.offsets.MonthEnd(11), when)
    paid = table[window].groupby("customer_id")["toll"].sum().reindex(rows.index).fillna(0.0)
    level = np.zeros(len(rows), dtype=int)
    for truck in (0, 1):
        mine = (rows["truck"] == truck).to_numpy()
        share = paid[mine].rank().to_numpy() / max(mine.sum(), 1)
        level[mine] = np.where(share <= 1 / 3, 0, np.where(share <= 2 / 3, 1, 2))
    return level


def _past(context: Context) -> pd.DataFrame:
    when = context.as_of - pd.offsets.MonthEnd(12)
    users = context.load("etc_user")
    users = users[users["open_date"] <= when].set_index("customer_id")["vehicle_kind"].astype(str)
    loan = context.load("loan")
    running = (loan["issue_date"] <= when) & (
        loan["settle_date"].isna() | (loan["settle_date"] > when)
    )
    rows = _persons(context).set_index("customer_id")
    rows = rows[rows.index.isin(users.index) & ~rows.index.isin(loan.loc[running, "customer_id"])]
    rows = rows[["birth_year", "weight"]].assign(
        truck=(users.reindex(rows.index) == "货车").astype(int)
    )
    for column, name, cuts in (
        ("aum_average", "aum_level", context.parameters["AUM_CUTS"]),
        ("in_amount", "inflow_level", context.parameters["INFLOW_CUTS"]),
    ):
        value = _window_mean(context, when, column).reindex(rows.index).fillna(0.0)
        rows[name] = sum((value >= cut).astype(int) for cut in cuts)
    rows["toll_level"] = _toll_thirds(context, rows, when)
    age = when.year - rows["birth_year"].astype(float)
    rows["young"] = np.select([age <= 30, age <= 40], [2, 1], default=0)
    month = context.load("loan_month", ["month", "loan_id", "dpd"])
    bad = month[(month["month"] <= when) & (month["dpd"] > 0)]["loan_id"].unique()
    owner = loan.set_index("loan_id")["customer_id"]
    rows["late"] = rows.index.isin(owner.reindex(bad).dropna()).astype(int)
    rows["drew"] = rows.index.isin(loan.loc[loan["issue_date"] > when, "customer_id"]).astype(int)
    return rows


def lift_of(table: dict[str, list[float]], context: Context) -> float:
    """Return the lift of a points table: rate in the first share of customers over the mean."""
    rows = past(context)
    score = np.zeros(len(rows))
    for name, points in table.items():
        score += np.asarray(points, dtype=float)[rows[name].to_numpy(dtype=int)]
    return _lift(score, rows, context.parameters["FIRST_SHARE"])


def _lift(score: np.ndarray, rows: pd.DataFrame, share: float) -> float:
    """Fill the room with one group of equal scores after the other."""
    weight = rows["weight"].to_numpy(dtype=float)
    drew = rows["drew"].to_numpy(dtype=float)
    room, found = share * weight.sum(), 0.0
    left = room
    for value in np.unique(score)[::-1]:
        group = score == value
        size = weight[group].sum()
        part = min(left, size) / size
        found += part * (weight[group] @ drew[group])
        left -= part * size
        if left <= 0:
            break
    return float(found / room / (weight @ drew / weight.sum()))


def tree_baseline(context: Context) -> float:
    """Return the mean lift of cross-fitted trees with four leaves, less the tolerance."""
    from course_utils.analysis import trees

    rows = past(context)
    lifts = [
        _lift(
            trees.cross_fitted(rows, list(LEVELS), "drew", "weight", seed=seed).to_numpy(),
            rows,
            context.parameters["FIRST_SHARE"],
        )
        for seed in range(5)
    ]
    return float(np.mean(lifts)) - 0.1


def reference_points(context: Context) -> dict[str, list[int]]:
    """Return a points table a desk could have written."""
    return {
        "truck": [0, 5],
        "young": [0, 2, 2],
        "aum_level": [1, 1, 1, 0],
        "inflow_level": [0, 0, 0, 1],
        "late": [0, -2],
    }


def _well_formed(answer: Any, context: Context) -> bool | str:
    if not isinstance(answer, dict) or not answer:
        return "要一个字典：键是条件的列名，值是每一档的分数列表。"
    for name, points in answer.items():
        if name not in LEVELS:
            return f"没有“{name}”这个条件；可用的是：{'、'.join(LEVELS)}。"
        if not isinstance(points, (list, tuple)) or len(points) != LEVELS[name]:
            return f"“{name}”有 {LEVELS[name]} 档，分数列表要正好这么长。"
        for point in points:
            if isinstance(point, bool) or not isinstance(point, (int, np.integer)):
                return f"“{name}”里有不是整数的分数。"
            if not -5 <= point <= 5:
                return f"“{name}”里有超出 −5 到 5 的分数。"
    return True


def _late_is_no_merit(answer: Any, context: Context) -> bool:
    late = answer.get("late", [0, 0]) if isinstance(answer, dict) else [0, 0]
    return bool(late[1] <= late[0]) if len(late) == 2 else True


def _reached(answer: Any, context: Context) -> float:
    return lift_of(answer, context) if _well_formed(answer, context) is True else float("nan")


def _leans(answer: Any, name: str) -> int:
    """Return the sign of last minus first points of a factor."""
    points = answer.get(name) if isinstance(answer, dict) else None
    return int(np.sign(points[-1] - points[0])) if points else 0


E3 = Question(
    "E3",
    "point_table",
    reference_points,
    checks=(
        plan(
            Invariant("写法", _well_formed, "积分表的写法不对。"),
            Invariant("逾期不加分", _late_is_no_merit, "逾期过的人，分数不能比没逾期的高。"),
            objective=_reached,
            baseline=tree_baseline,
            goal="前几成名单的提升",
        ),
    ),
    hints=(
        "看演示四的横条：哪些条件的档和档之间真的拉开了距离？分差大的地方，分数也该差得大。",
        "货车和客车差得最远，给最大的分差；年轻的、流入高的略高一点；资产最高的别加分。",
        '形状是 {"truck": [0, 分], "young": [0, 分, 分], ...}；'
        "改一个数，就用 lift_of(total_points(past, point_table)) 看提升往哪边动。",
    ),
    misconceptions=(
        Misconception(
            "rich_first",
            "你按资产从高到低加分。去年的事实是：资产最高的人最少借第一笔，这样排等于先打给不借钱的人。",
            matches=lambda a, c: _leans(a, "aum_level") > 0 and _leans(a, "truck") == 0,
        ),
        Misconception(
            "upside_down",
            "分数给反了：货车比客车更常借，却排在了后面。档从低到高，第一个数是客车。",
            matches=lambda a, c: _leans(a, "truck") < 0,
        ),
        Misconception(
            "rewards_lateness",
            "逾期过的人反而加了分。排序再灵，也不能把风险当优点。",
            matches=lambda a, c: _leans(a, "late") > 0,
        ),
    ),
    parameters=("AUM_CUTS", "INFLOW_CUTS", "FIRST_SHARE"),
    shape="一个字典，键是条件的列名，值是每一档几分的列表",
)

# --------------------------------------------------------------------------- E4 falling tolls


def fallen(context: Context) -> pd.DataFrame:
    """Return trucks, falling tolls and overdue ones with and without a loan, and in all."""
    rows = holders(context)
    rows = rows[rows["truck"]]
    parts = {flag: rows[rows["has_loan"] == flag] for flag in (False, True)} | {"合计": rows}
    return pd.DataFrame(
        {
            name: {"trucks": len(p), "fell": int(p["fell"].sum()), "late": int(p["late"].sum())}
            for name, p in parts.items()
        }
    ).T


def reference_text(context: Context) -> str:
    """Return a passing instruction."""
    total = fallen(context).loc["合计"]
    return (
        f"货车车主共 {total['trucks']} 位，通行费大降的 {total['fell']} 位。先由客户经理上门核实车辆"
        "是停了、卖了还是换了卡。核实以前不得据此压贷抽贷，也不能推销贷款；恢复跑车以后再重新评估。"
    )


def _without_count(answer: Any, context: Context) -> bool:
    """Whether a text leaves out how many trucks have falling tolls."""
    from course_utils.exercises.written import quoted_numbers

    if not isinstance(answer, str):
        return False
    wanted = float(fallen(context).loc["合计", "fell"])
    return all(abs(found.value - wanted) > 1e-9 for found in quoted_numbers(answer))


E4 = Question(
    "E4",
    "instruction",
    reference_text,
    checks=(
        written(
            Part("先核实", ("核实", "核对", "了解", "确认")),
            Part("怎么去", ("上门", "走访", "电话", "联系", "拜访")),
            Part("不能做什么", ("不得", "不能", "不要", "不可", "不推", "禁止")),
            Part("什么时候再谈", ("恢复", "再评估", "重新评估", "再谈")),
            grounded_in=(fallen,),
            quotes=(Quote("大降的货车车主有几位", lambda c: float(fallen(c).loc["合计", "fell"])),),
            least_numbers=2,
            shortest=50,
            longest=200,
            forbidden=(
                (
                    "黑名单",
                    "不能只凭通行费把人列入黑名单：大降有许多原因，样本也小得说不清。",
                ),
                (
                    "(?<!不得)(?<!不能)(?<!不要)(?<!不可)(?<!禁止)(立即|一律|马上).{0,8}(抽贷|压贷|断贷)",
                    "不能下令抽贷：通行费大降只是提醒，没有核实就压贷，会把缺钱变成违约。",
                ),
            ),
        ),
    ),
    hints=(
        "想想大降有哪些可能：停运、卖车、换卡。没核实以前，你知道是哪一种吗？",
        "三句话：先核实（谁去、怎么问）；核实前不做什么；满足什么条件再谈贷款。",
        'fallen.loc["合计", "fell"] 是大降的货车车主数，fallen.loc["合计", "trucks"] 是货车车主数，'
        "用 f 字符串写进去。",
    ),
    misconceptions=(
        Misconception(
            "pull_the_loans",
            "你把提醒当成了定案：抽贷、拉黑名单。单看货车样本太小，大降也可能只是换了卡，要先核实。",
            matches=lambda answer, context: (
                isinstance(answer, str) and ("黑名单" in answer or "并抽贷" in answer)
            ),
        ),
        Misconception(
            "no_count",
            "没有写大降的货车车主有几位：支行不知道要跑几家。",
            matches=_without_count,
        ),
    ),
    parameters=("BRANCH", "FALL_LINE"),
)


QUESTIONS = [E1, E2, E3, E4]

VARIATIONS = [{"BRANCH": "B03"}, {"MIN_CELL": 20, "AUM_CUTS": [20000, 80000, 300000]}]
