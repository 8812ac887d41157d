"""References and wrong answers of m01_n01, rebuilt from the bank's own tables."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import (
    Context,
)

Z = 1.959963984540054
STEPS = ("usable", "phone_valid", "called", "reached", "interested", "applied", "approved", "drawn")
NAMES = ("可用", "号码有效", "拨打", "接通", "有意向", "申请", "批准", "提款")
STALE, UNFIT, INDEBTED, IDLE, LOOP = (
    "名单陈旧、号码失效",
    "与需求不匹配",
    "已有贷款或不准入",
    "一线不打、不信",
    "没有反馈闭环",
)
CAUSES = (STALE, UNFIT, INDEBTED, IDLE, LOOP)
OTHER = "五因之外"
COLUMNS = ("issued", *STEPS, *CAUSES, OTHER)

# ------------------------------------------------------------------------------- E1 coverage


def _branch(context: Context) -> str | None:
    return context.parameters["BRANCH"]


def _eligible(context: Context) -> pd.DataFrame:
    """Return eligible persons of the scope with ``loan`` and ``line`` flags."""
    who = context.load("customer")
    keep = (who["customer_type"].astype(str) != "企业") & ~who["do_not_call"].astype(bool)
    if _branch(context) is not None:
        keep &= who["branch_id"] == _branch(context)
    youngest, oldest = context.parameters["AGES"]
    born = pd.to_numeric(who["birth_year"]).astype("float64")
    keep &= born.notna() & (born <= context.as_of.year - youngest)
    keep &= born >= context.as_of.year - oldest
    yes = context.load("consent").query("scope == '营销' and granted")
    expired = yes["expire_date"] <= context.as_of
    keep &= who["customer_id"].isin(set(yes.loc[~expired, "customer_id"]))
    loan, line = context.load("loan"), context.load("credit_line")
    open_loan = loan[loan["settle_date"].isna()]
    worst = open_loan["five_class"].astype(str).isin({"次级", "可疑", "损失"})
    keep &= ~who["customer_id"].isin(set(open_loan.loc[worst, "customer_id"]))
    part = who.loc[keep, ["customer_id", "town_id", "weight"]].copy()
    part["loan"] = part["customer_id"].isin(set(open_loan["customer_id"]))
    usable = line.loc[line["status"].astype(str) == "有效", "customer_id"]
    part["line"] = part["customer_id"].isin(set(usable))
    return part


def _town(context: Context) -> pd.DataFrame:
    """Return the eligible persons of the town in question."""
    everyone = context.remember(
        ("m01_n01 eligible", _branch(context), tuple(context.parameters["AGES"])),
        lambda: _eligible(context),
    )
    town = context.parameters["TOWN"]
    if town is None:
        sizes = everyone.groupby("town_id")["weight"].sum()
        town = min(sizes[sizes == sizes.max()].index)
    return everyone[everyone["town_id"] == town]


def _wilson(share: float, size: float) -> tuple[float, float, float]:
    """Return share and Wilson limits, written out as roots of a quadratic."""
    a, b, c = size + Z**2, -(2 * size * share + Z**2), size * share**2
    root = np.sqrt(b * b - 4 * a * c)
    low = 0.0 if share == 0 else (-b - root) / (2 * a)
    high = 1.0 if share == 1 else (-b + root) / (2 * a)
    return share, float(low), float(high)


def _covered(part: pd.DataFrame) -> np.ndarray:
    return (part["loan"] | part["line"]).to_numpy(dtype=float)


def town_coverage(context: Context) -> tuple[float, float, float]:
    """Return the weighted coverage of the town with its interval."""
    part = _town(context)
    weight = part["weight"].to_numpy(dtype=float)
    share = float(weight @ _covered(part) / weight.sum())
    return _wilson(share, float(weight.sum() ** 2 / (weight @ weight)))


def rows_not_weights(context: Context) -> tuple[float, float, float]:
    """Count sample rows as if every row stood for as many customers."""
    part = _town(context)
    return _wilson(float(_covered(part).mean()), float(len(part)))


def too_narrow(context: Context) -> tuple[float, float, float]:
    """Take the projected customers for independent observations."""
    part = _town(context)
    weight = part["weight"].to_numpy(dtype=float)
    return _wilson(float(weight @ _covered(part) / weight.sum()), float(weight.sum()))


def loans_only(context: Context) -> tuple[float, float, float]:
    """Forget customers with a line and no loan."""
    part = _town(context)
    weight = part["weight"].to_numpy(dtype=float)
    share = float(weight @ part["loan"].to_numpy(dtype=float) / weight.sum())
    return _wilson(share, float(weight.sum() ** 2 / (weight @ weight)))


def rows_for_size(context: Context) -> tuple[float, float, float]:
    """Weigh the share, but take the sample rows for independent observations."""
    part = _town(context)
    weight = part["weight"].to_numpy(dtype=float)
    return _wilson(float(weight @ _covered(part) / weight.sum()), float(len(part)))


def share_for_count(context: Context) -> tuple[float, float, float]:
    """Hand the share to the formula that asks for a number of customers."""
    part = _town(context)
    weight = part["weight"].to_numpy(dtype=float)
    size = float(weight.sum() ** 2 / (weight @ weight))
    return _wilson(town_coverage(context)[0] / size, size)


def whole_bank(context: Context) -> tuple[float, float, float]:
    """Forget to choose the town."""
    part = _eligible(context)
    weight = part["weight"].to_numpy(dtype=float)
    share = float(weight @ _covered(part) / weight.sum())
    return _wilson(share, float(weight.sum() ** 2 / (weight @ weight)))


def other_order(context: Context) -> tuple[float, float, float]:
    """Put the lower limit first."""
    share, low, high = town_coverage(context)
    return low, share, high


# ------------------------------------------------------------------------------- E2 the funnel


def _rows(context: Context) -> pd.DataFrame:
    """Return issued rows of the scope with how far they came and why they ended."""
    table = context.load("white_list").sort_values("list_id", kind="stable")
    first: dict[tuple[Any, Any], Any] = {}
    for called in (True, False):
        part = table[table["called"].astype(bool) == called]
        for row, batch, who in zip(part.index, part["batch"], part["customer_id"], strict=True):
            first.setdefault((batch, who), row)
    table["twice"] = ~table.index.isin(list(first.values()))
    table = table[~table["random_holdout"].astype(bool)]
    if _branch(context) is not None:
        table = table[table["branch_id"] == _branch(context)]
    table = table.sort_values(["batch", "list_id"], kind="stable")
    table["calls"] = table.groupby("customer_id")["call_count"].cumsum()
    table["usable"] = ~(table["twice"] | table["already_borrowing"].astype(bool))
    passed = np.logical_and.accumulate(table[list(STEPS)].to_numpy(dtype=bool), axis=1)
    table["depth"] = passed.sum(axis=1)
    often = context.parameters["REPEAT_CALLS"]
    table["cause"] = [_cause(row, often) for row in table.to_dict("records")]
    return table


def _cause(row: dict[str, Any], often: int) -> str:
    """Return why a row ended, first rule that fits."""
    said = row["reason_code"]
    said = "" if pd.isna(said) else str(said)
    if row["drawn"]:
        return "提款"
    if row["already_borrowing"] or said in ("已有贷款", "不准入"):
        return INDEBTED
    if row["twice"]:
        return LOOP
    if not row["phone_valid"]:
        return STALE
    if not row["called"]:
        return IDLE
    if row["calls"] >= often or said == "重复外呼反感":
        return LOOP
    return UNFIT if said in ("需求不匹配", "价格偏高", "暂不需要") else OTHER


def rows(context: Context) -> pd.DataFrame:
    """Return the issued rows (made once)."""
    key = ("m01_n01 rows", _branch(context), context.parameters["REPEAT_CALLS"])
    return context.remember(key, lambda: _rows(context))


def _batches(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a batch: issued, steps, causes."""
    result = pd.DataFrame(index=pd.Index(sorted(table["batch"].unique()), name="batch"))
    result["issued"] = table["batch"].value_counts()
    for depth, step in enumerate(STEPS, 1):
        hit = table.loc[table["depth"] >= depth, "batch"].value_counts()
        result[step] = hit.reindex(result.index, fill_value=0)
    for name in (*CAUSES, OTHER):
        hit = table.loc[table["cause"] == name, "batch"].value_counts()
        result[name] = hit.reindex(result.index, fill_value=0)
    return result


def batch_table(context: Context) -> pd.DataFrame:
    """Return the check-up of every batch."""
    return _batches(rows(context))


def not_nested(context: Context) -> pd.DataFrame:
    """Count every flag on its own, whatever happened before."""
    table, result = rows(context), _batches(rows(context))
    for step in STEPS:
        hit = table.loc[table[step].astype(bool), "batch"].value_counts()
        result[step] = hit.reindex(result.index, fill_value=0)
    return result


def people_not_rows(context: Context) -> pd.DataFrame:
    """Count every customer once a batch, the row that stands first in the list."""
    table = rows(context).sort_values("list_id", kind="stable")
    return _batches(table.drop_duplicates(["batch", "customer_id"]))


def clean_rows_only(context: Context) -> pd.DataFrame:
    """Leave out doubled rows and borrowers before counting what was issued."""
    table = rows(context)
    return _batches(table[table["usable"]])


def rates_not_rows(context: Context) -> pd.DataFrame:
    """Write shares of the issued rows in place of counts."""
    table = batch_table(context)
    return table.div(table["issued"], axis=0).assign(issued=table["issued"])


def counted_flags(context: Context) -> pd.DataFrame:
    """Count flags, true or false, where the true ones are asked for."""
    table = batch_table(context)
    return table.assign(**{step: table["issued"] for step in STEPS})


def _has_total(answer: Any, context: Context) -> bool:
    """Whether a batch table has a row of totals."""
    if not isinstance(answer, pd.DataFrame):
        return False
    names = answer["batch"] if "batch" in answer.columns else answer.index
    return bool({"合计", "总计", "All"} & {str(name) for name in names})


def _steps_fall(answer: pd.DataFrame, context: Context) -> bool | str:
    values = answer[["issued", *STEPS]].to_numpy(dtype=float)
    rising = np.argwhere(np.diff(values, axis=1) > 0)
    if not len(rising):
        return True
    return f"“{NAMES[rising[0][1]]}”比上一步还多：要走完前面的步骤，才算走到这一步。"


def _losses_add_up(answer: pd.DataFrame, context: Context) -> bool | str:
    lost = answer["issued"].to_numpy(float) - answer["drawn"].to_numpy(float)
    told = answer[[*CAUSES, OTHER]].to_numpy(float).sum(axis=1)
    wrong = np.flatnonzero(np.abs(lost - told) > 1e-9)
    if not len(wrong):
        return True
    k = wrong[0]
    return f"有一批下发减提款是 {lost[k]:g} 行，六个原因之和是 {told[k]:g} 行：对不上账。"


# ------------------------------------------------------------------------------- E3 the repair


def _rates(counts: list[float], reference: dict[str, float]) -> np.ndarray:
    """Return step rates; where nobody was left the reference stands in."""
    pairs = zip(counts, counts[1:], NAMES, strict=False)
    return np.array([b / a if a else reference[name] for a, b, name in pairs])


def _gains(own: np.ndarray, reference: dict[str, float], start: float) -> pd.DataFrame:
    """Return alone and Shapley gains by walking through all orders, with memory of sets."""
    best = np.array([reference[name] for name in NAMES])
    count = len(own)
    sums = np.zeros(count)
    orders = np.array(list(permutations(range(count))))
    ratio = np.ones(len(orders))
    safe = np.where(own > 0, own, 1e-12)
    for place in range(count):
        step = orders[:, place]
        grown = ratio * (best / safe)[step]
        np.add.at(sums, step, grown - ratio)
        ratio = grown
    base = start * safe.prod()
    alone = base * (best / safe - 1)
    table = pd.DataFrame({"alone": alone, "shapley": base * sums / len(orders)}, index=list(NAMES))
    return table.sort_values("shapley", ascending=False).rename_axis("step")


def _newest(context: Context) -> list[float]:
    table = rows(context)
    depth = table.loc[table["batch"] == table["batch"].max(), "depth"].to_numpy()
    return [float((depth >= k).sum()) for k in range(len(STEPS) + 1)]


def best_repair(context: Context) -> pd.DataFrame:
    """Return what repairing each step of the newest batch is worth."""
    counts, reference = _newest(context), dict(context.parameters["REFERENCE"])
    return _gains(_rates(counts, reference), reference, counts[0])


def all_batches(context: Context) -> pd.DataFrame:
    """Use all batches together."""
    depth = rows(context)["depth"].to_numpy()
    counts = [float((depth >= k).sum()) for k in range(len(STEPS) + 1)]
    reference = dict(context.parameters["REFERENCE"])
    return _gains(_rates(counts, reference), reference, counts[0])


def rate_of_all(context: Context) -> pd.DataFrame:
    """Use shares of all rows in place of step rates."""
    counts, reference = _newest(context), dict(context.parameters["REFERENCE"])
    return _gains(np.array(counts[1:]) / counts[0], reference, counts[0])


def one_row_only(context: Context) -> pd.DataFrame:
    """Forget to multiply by the number of rows."""
    return best_repair(context) / _newest(context)[0]


def first_batch(context: Context) -> pd.DataFrame:
    """Take the oldest batch for the newest."""
    table, reference = rows(context), dict(context.parameters["REFERENCE"])
    depth = table.loc[table["batch"] == table["batch"].min(), "depth"].to_numpy()
    counts = [float((depth >= k).sum()) for k in range(len(STEPS) + 1)]
    return _gains(_rates(counts, reference), reference, counts[0])


def all_rows_start(context: Context) -> pd.DataFrame:
    """Multiply the newest batch's rates by the rows of all batches."""
    return best_repair(context) / _newest(context)[0] * len(rows(context))


def flags_alone(context: Context) -> pd.DataFrame:
    """Count every flag of the newest batch on its own."""
    table, reference = rows(context), dict(context.parameters["REFERENCE"])
    last = table[table["batch"] == table["batch"].max()]
    counts = [float(len(last)), *(float(last[step].astype(bool).sum()) for step in STEPS)]
    return _gains(_rates(counts, reference), reference, counts[0])


def _first_step_lost(answer: Any, context: Context) -> bool:
    """Whether the first step is missing, because the row of issued was not put in front."""
    if not isinstance(answer, pd.DataFrame):
        return False
    names = set(answer["step"] if "step" in answer.columns else answer.index)
    return NAMES[0] not in names and set(NAMES[1:]) <= names


# ------------------------------------------------------------------------------- E4 the advice


def _told(context: Context) -> dict[str, float]:
    """Return the numbers that an advice may quote: shares of causes and of steps."""
    table, reference = rows(context), dict(context.parameters["REFERENCE"])
    lost = table[table["cause"] != "提款"]
    shares = {name: float((lost["cause"] == name).mean()) for name in (*CAUSES, OTHER)}
    depth = table["depth"].to_numpy()
    counts = [float((depth >= k).sum()) for k in range(len(STEPS) + 1)]
    gains = _gains(_rates(counts, reference), reference, counts[0])["shapley"]
    part = (gains / gains.sum()).to_dict()
    return {**shares, **part, "two": part["号码有效"] + part["拨打"]}


def told(context: Context) -> dict[str, float]:
    """Return the numbers an advice may quote (made once)."""
    return context.remember(
        ("m01_n01 told", _branch(context), str(context.parameters["REFERENCE"])),
        lambda: _told(context),
    )


def _first_cause(context: Context) -> tuple[str, float]:
    shares = told(context)
    name = max(CAUSES, key=lambda cause: shares[cause])
    return name, shares[name]


def advice(context: Context) -> str:
    """Return an advice that passes."""
    name, share = _first_cause(context)
    return (
        f"没成的名单里，五因中最多的是“{name}”，占 {share:.1%}；号码有效和拨打两步合计解释了差距的 "
        f"{told(context)['two']:.1%}。要求下一批取数时剔除在贷、重复和没有营销授权的客户，号码先核后发；"
        "支行七天内打完并逐条登记原因，月末一起复盘，据此调整口径。"
    )


def _names_first(answer: str, context: Context) -> bool:
    return any(word in answer for word in _first_cause(context)[0].split("、"))


def _blames_script(answer: Any, context: Context) -> bool:
    return isinstance(answer, str) and "话术" in answer and "授权" not in answer


def _outside_cause(answer: Any, context: Context) -> bool:
    return isinstance(answer, str) and OTHER in answer and not _names_first(answer, context)


def _no_consent(answer: Any, context: Context) -> bool:
    return isinstance(answer, str) and not any(word in answer for word in ("授权", "勿扰"))


# ---------------------------------------------------------------------------------- questions
