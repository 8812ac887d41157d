"""References and wrong answers of m03_n05, rebuilt from the bank's own tables."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import (
    Context,
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


def _counted(
    context: Context, value: str, right: bool = False, rows: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return Σ value by band and gender, of the toll users unless other rows are given."""
    edges, names = context.parameters["TEN_EDGES"], context.parameters["TEN_LABELS"]
    rows = holders(context) if rows is None else rows
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


def shares_not_households(context: Context) -> pd.DataFrame:
    """Write shares of all toll users."""
    table = etc_table(context)
    return table / table.to_numpy().sum()


def all_persons(context: Context) -> pd.DataFrame:
    """Count every person of the bank, toll user or not."""
    rows = _persons(context)
    if context.parameters["BRANCH"] is not None:
        rows = rows[rows["branch_id"] == context.parameters["BRANCH"]]
    return _counted(context, "weight", rows=rows)


def _mixed_in(answer: Any, context: Context) -> bool:
    """Whether nobody stands apart as unknown, though some birth years are missing."""
    if not isinstance(answer, pd.DataFrame) or UNKNOWN not in etc_table(context).index:
        return False
    names = answer["age_band"] if "age_band" in answer.columns else answer.index
    return {str(name) for name in names} <= set(context.parameters["TEN_LABELS"])


def _whole(answer: Any, context: Context) -> bool | str:
    """Whether the cells add up to the customers the sample stands for."""
    found = float(answer[["男", "女"]].to_numpy(dtype=float).sum())
    wanted = float(holders(context)["weight"].sum())
    if abs(found - wanted) < 0.5:
        return True
    return f"各格相加是 {found:,.0f} 户，和车主总户数对不上：有人丢了，或者数的不是户数。"


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


def _hidden(context: Context, columns: list[str], line: str = "MIN_CELL") -> pd.DataFrame:
    """Return the table with some columns of the small towns emptied."""
    table = _by_town(context, hide=False).astype({"n": float})
    table.loc[table["n"] < context.parameters[line], columns] = np.nan
    return table


def _drops_small(answer: Any, context: Context) -> bool:
    """Whether just the small towns are gone."""
    if not isinstance(answer, pd.DataFrame):
        return False
    wanted = truck_town(context)
    towns = set(answer["town_id"] if "town_id" in answer.columns else answer.index)
    return towns == set(wanted.index[wanted["rate"].notna()]) != set(wanted.index)


def _zero_for_empty(answer: Any, context: Context) -> bool:
    """Whether small towns show a coverage of zero."""
    few = answer.loc[answer["n"] < context.parameters["MIN_CELL"], ["rate", "low", "high"]]
    return len(few) > 0 and bool((few == 0).all(axis=None))


def _small_cells(answer: Any, context: Context) -> bool | str:
    few = answer[answer["n"] < context.parameters["MIN_CELL"]]
    shown = int(few["rate"].notna().sum())
    return not shown or f"有 {shown} 个乡镇样本不到 MIN_CELL 行，比例却还写着。"


# ---------------------------------------------------------------------------- E3 points table

BETTER_THAN_LOTTERY = 1.1
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
    """Return the mean lift of cross-fitted trees, less the tolerance; never as low as a lottery.

    A lottery has lift 1: where the trees do no better, a table of zeros must not pass.
    """
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
    return max(float(np.mean(lifts)) - 0.1, BETTER_THAN_LOTTERY)


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


def _same_for_all(answer: Any, context: Context) -> bool:
    """Whether a well-formed table gives the same points on every level."""
    return _well_formed(answer, context) is True and all(
        len(set(points)) == 1 for points in answer.values()
    )


def _leans(answer: Any, name: str) -> int:
    """Return the sign of last minus first points of a factor."""
    points = answer.get(name) if isinstance(answer, dict) else None
    return int(np.sign(points[-1] - points[0])) if points else 0


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


PRESS = "(抽贷|压贷|断贷|压降额度|压缩额度|提前收回|收回贷款|拉黑|黑名单)(?!.{0,2}(会|反而|可能))"
SELL = "(当场|马上|立即|趁机|顺便).{0,6}(营销|推销|推荐|发放|办理)"
NOT = (
    "不[得能要可应许准宜该必因凭据再会是压抽断推把将列]|禁|勿|别[压抽断把将急]|停止|避免|防止|暂缓"
)


def _orders(text: str, deed: str) -> bool:
    """Whether a sentence names a deed with no word of refusal before it.

    Sentences end at 。；！ or a line break, so “核实以前不得压贷、抽贷” refuses both, and a
    refusal that follows the deed (“提前收回贷款，不得新增授信”) does not excuse it.
    """
    for sentence in re.split("[。；;！!\n]", text):
        found = re.search(deed, sentence)
        if found and not re.search(NOT, sentence[: found.start()]):
            return True
    return False


def _presses(answer: Any, context: Context) -> bool:
    return isinstance(answer, str) and _orders(answer, PRESS)


def _sells(answer: Any, context: Context) -> bool:
    return isinstance(answer, str) and _orders(answer, SELL)


def _without_count(answer: Any, context: Context) -> bool:
    """Whether a text leaves out how many trucks have falling tolls."""
    from course_utils.exercises.written import quoted_numbers

    if not isinstance(answer, str):
        return False
    wanted = float(fallen(context).loc["合计", "fell"])
    return all(abs(found.value - wanted) > 1e-9 for found in quoted_numbers(answer))
