"""What E3 and E4 of m04_n02 rest on: offers of a benefit, quantities and payments of a bonus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import Context


def live_months(context: Context) -> pd.DataFrame:
    """Return months with sales and deposits of all merchants, in logs."""
    columns = ["month", "merchant_id", "transaction_amount", "settlement_deposit_average", "star"]
    rows = context.load("merchant_month", columns)
    shop = context.load("merchant", ["merchant_id", "fee_waived"]).set_index("merchant_id")
    rows = rows[(rows["transaction_amount"] > 0) & (rows["settlement_deposit_average"] > 0)].copy()
    rows["free"] = shop["fee_waived"].reindex(rows["merchant_id"]).to_numpy(dtype=bool)
    rows["y"] = np.log(rows["settlement_deposit_average"])
    rows["t"] = np.log(rows["transaction_amount"])
    return rows


# ---------------------------------------------------------------------------- E3 benefits


def _offers(context: Context) -> pd.DataFrame:
    """Return merchants that can get the benefit, with uplift, cost, branch and nearness."""
    from course_utils.analysis import panel, stars

    p = context.parameters
    rows = context.load("merchant_month")
    shop = context.load("merchant").set_index("merchant_id")
    trade = context.load("industry", ["industry_code", "trade_group"])
    group = shop["industry_code"].map(trade.set_index("industry_code")["trade_group"])
    kind = group + np.where(shop["near_school"], "校", "") if "near_school" in shop else group
    last = rows["month"].max()
    rules = stars.StarRules(
        p["WEIGHTS"], tuple(p["EDGES"]), p["GATE_DAYS"], p["GATE_DEPOSIT"], p["GATE_DEPOSIT_5"],
        near_points=p["NEAR_POINTS"], near_gate=p["NEAR_GATE"],
    )  # fmt: skip
    table = stars.facts(rows, last, kind)
    near = stars.critical(table, group, rules).index
    given = context.load("merchant_benefit")
    given = given[given["benefit"].astype(str) == "体检保险"]
    live = live_months(context)
    live["branch_id"] = shop["branch_id"].reindex(live["merchant_id"]).to_numpy()
    first = given.groupby("merchant_id")["date"].min() + pd.offsets.MonthEnd(0)
    live["start"] = live["merchant_id"].map(first)
    steady = live.groupby("merchant_id")["month"].transform("size") == live["month"].nunique()
    live = live[steady]
    low = panel.did(live, "y", "merchant_id", "month", "start", cluster="branch_id")["low"]
    recent = given.loc[given["date"] > last - pd.DateOffset(months=12), "merchant_id"]
    table = table[(table["last_days"] > 0) & ~table.index.isin(recent)].copy()
    table["uplift"] = table["deposit"] * max(float(np.expm1(low)), 0.0)
    table["cost"] = float(given["cost"].mean())
    table["near"] = table.index.isin(near)
    return table.assign(branch_id=shop["branch_id"].reindex(table.index))


def offers(context: Context) -> pd.DataFrame:
    """Return the offers (made once)."""
    return context.remember("offers", lambda: _offers(context))


def best_gifts(context: Context) -> pd.DataFrame:
    """Choose the merchants by an integer programme."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    data, p = offers(context), context.parameters
    codes, names = pd.factorize(data["branch_id"])
    branches = np.zeros((len(names), len(data)))
    branches[codes, np.arange(len(data))] = data["cost"]
    budget = float(p["BENEFIT_BUDGET"])
    solved = milp(
        -data["uplift"].to_numpy(float),
        constraints=[
            LinearConstraint(data["cost"].to_numpy(float)[None, :], 0, budget),
            LinearConstraint(branches, 0, budget * p["BRANCH_SHARE"]),
            LinearConstraint((data["near"] - p["NEAR_SHARE"]).to_numpy(float)[None, :], 0, np.inf),
        ],
        integrality=np.ones(len(data)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 1e-4, "time_limit": 10},
    )
    return data[np.round(solved.x) == 1].reset_index()


def _cost_in(table: pd.DataFrame, context: Context) -> pd.Series:
    return offers(context)["cost"].reindex(table["merchant_id"]).fillna(0.0)


def in_budget(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the gifts cost no more than the budget."""
    spent, limit = float(_cost_in(table, context).sum()), context.parameters["BENEFIT_BUDGET"]
    return spent <= limit + 1e-6 or f"总成本 {spent:,.0f} 元，超过预算 {limit:,.0f} 元。"


def branches_in_share(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if no branch gets more than its share."""
    p = context.parameters
    branch = offers(context)["branch_id"].reindex(table["merchant_id"]).astype(str).to_numpy()
    spent = pd.Series(_cost_in(table, context).to_numpy()).groupby(branch).sum()
    limit = p["BENEFIT_BUDGET"] * p["BRANCH_SHARE"]
    over = spent[spent > limit + 1e-6]
    return over.empty or f"网点 {over.idxmax()} 用了 {over.max():,.0f} 元，超过了一家网点的上限。"


def enough_near(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if enough of the merchants are close to four stars."""
    near = offers(context)["near"].reindex(table["merchant_id"]).fillna(False).astype(bool)
    share = context.parameters["NEAR_SHARE"]
    return near.mean() >= share - 1e-9 or (
        f"临界客户只占 {near.mean():.0%}，要求不低于 {share:.0%}。"
    )


def gift_value(table: pd.DataFrame, context: Context) -> float:
    """Return the expected deposits of a choice, 元."""
    return float(offers(context)["uplift"].reindex(table["merchant_id"]).sum())


def near_ratio(answer: Any, context: Context) -> float:
    if not isinstance(answer, pd.DataFrame) or "merchant_id" not in answer or answer.empty:
        return float("nan")
    near = offers(context)["near"].reindex(answer["merchant_id"])
    return float(near.fillna(False).astype(float).mean())


def is_richest(answer: Any, context: Context) -> bool:
    """Return whether an answer is simply the merchants with the largest uplift."""
    if not isinstance(answer, pd.DataFrame) or "merchant_id" not in answer or answer.empty:
        return False
    best = offers(context).sort_values("uplift", ascending=False, kind="stable")
    return set(answer["merchant_id"]) == set(best.head(len(answer)).index)


# ---------------------------------------------------------------------- E4 the bonus scheme

METRICS = ("新增商户数", "交易笔数", "交易金额", "四星以上净增", "结算户日均")
RULES = ("按存量", "按增量", "按达标", "按留存")
GAMES = {
    "铺空码": ((20, 20, 0, 0, 0), 300),
    "自刷流水": ((0, 2000, 60, 0, 0), 600),
    "年末冲存款": ((0, 0, 0, 0, 100 * 10 / 365), 1370),
    "刷星": ((0, 0, 0, 3, 0.5), 205),
}
USUAL_PRICE = (30, 0.02, 2, 60, 15)


def _quantities(context: Context) -> dict[str, np.ndarray]:
    """Return ``level``, ``rise`` and ``kept``, each ``[employee, metric]``."""
    rows = context.load("merchant_month")
    shop = context.load("merchant").set_index("merchant_id")
    staff = np.sort(shop["employee_id"].dropna().unique())
    months = np.sort(rows["month"].unique())
    m = np.searchsorted(months, rows["month"].to_numpy())
    who = shop.index.get_indexer(rows["merchant_id"])
    person = pd.Index(staff).get_indexer(shop["employee_id"])  # -1: nobody
    late = months > np.datetime64(pd.Timestamp(months[-1]) - pd.DateOffset(months=12))
    middle = pd.DatetimeIndex(months).month % 3 != 0

    def wide(column: str) -> np.ndarray:
        panel = np.zeros((len(shop), len(months)))
        panel[who, m] = pd.to_numeric(rows[column]).fillna(0).to_numpy(dtype=float)
        return panel

    def to_staff(values: np.ndarray) -> np.ndarray:
        known = person >= 0
        return np.bincount(person[known], weights=values[known], minlength=len(staff))

    marks = rows.groupby("merchant_id")[["round_amount_share", "night_share"]].mean()
    odd = marks.index[(marks["round_amount_share"] > 0.3) & (marks["night_share"] > 0.12)]
    clean = ~shop.index.isin(odd)
    level, rise, kept = (np.zeros((len(staff), 5)) for _ in range(3))
    for k, (column, unit) in enumerate(
        (("transaction_count", 1.0), ("transaction_amount", 1e4)), start=1
    ):
        panel = wide(column) / unit
        change = panel[:, late].sum(axis=1) - panel[:, ~late].sum(axis=1)
        level[:, k], rise[:, k] = to_staff(panel[:, late].sum(axis=1)), to_staff(change)
        kept[:, k] = to_staff(change * clean)
    money = wide("settlement_deposit_average")
    level[:, 4] = to_staff(money[:, late].sum(axis=1)) / 12e4
    rise[:, 4] = level[:, 4] - to_staff(money[:, ~late].sum(axis=1)) / 12e4
    calm = money[:, late & middle].sum(axis=1) - money[:, ~late & middle].sum(axis=1)
    kept[:, 4] = to_staff(calm) / 8e4
    four = wide("star") >= 4
    now, was, then = (four[:, t].astype(float) for t in (-1, -4, -13))
    level[:, 3], rise[:, 3], kept[:, 3] = (to_staff(x) for x in (now, now - then, now * was - then))
    cut = pd.Timestamp(months[-1]) - pd.DateOffset(months=12)
    fresh = (shop["open_date"] > cut).to_numpy(dtype=float)
    open_now = (wide("active_days")[:, -1] >= context.parameters["GATE_DAYS"]).astype(float)
    level[:, 0], rise[:, 0], kept[:, 0] = (
        to_staff(x) for x in (np.ones(len(shop)), fresh, fresh * open_now)
    )
    return {"level": level, "rise": rise, "kept": kept}


def quantities(context: Context) -> dict[str, np.ndarray]:
    """Return the quantities (made once)."""
    return context.remember("quantities", lambda: _quantities(context))


def _prices(context: Context) -> np.ndarray:
    if not context.bank.has("assessment_scheme"):
        return np.array(USUAL_PRICE, dtype=float)
    table = context.load("assessment_scheme")
    first = table.groupby(table["metric"].astype(str))["unit_price"].first()
    return first.reindex(list(METRICS)).to_numpy(dtype=float)


def _paid(scheme: pd.DataFrame, context: Context, game: str | None = None) -> np.ndarray:
    """Return the bonus of each employee before scaling."""
    q, prices = quantities(context), _prices(context)
    paid = np.zeros(len(q["level"]))
    for metric, weight, rule in zip(
        scheme["metric"].astype(str), scheme["weight"].astype(float),
        scheme["payout_rule"].astype(str), strict=True,
    ):  # fmt: skip
        k = METRICS.index(metric)
        more = 0.0 if game is None or rule == "按留存" else GAMES[game][0][k]
        source = {"按存量": "level", "按增量": "rise", "按达标": "level", "按留存": "kept"}[rule]
        amount = np.maximum(q[source][:, k] + more, 0.0)
        if rule == "按达标":
            amount = amount * (q["rise"][:, k] + more >= np.median(q["rise"][:, k]))
        paid = paid + weight * prices[k] * amount
    return paid


def gains(scheme: pd.DataFrame, context: Context) -> dict[str, float]:
    """Return what each game earns in a year after its cost, 元 a person."""
    honest = _paid(scheme, context)
    pot = context.parameters["BONUS_POT"] * len(honest)
    scale = pot / max(honest.sum(), 1e-9)
    return {
        name: float(scale * (_paid(scheme, context, name) - honest).mean() - price)
        for name, (_, price) in GAMES.items()
    }


def agreement(scheme: pd.DataFrame, context: Context) -> float:
    """Return the rank correlation of the bonus with the deposits that stayed."""
    from scipy.stats import rankdata

    paid, real = _paid(scheme, context), quantities(context)["kept"][:, 4]
    if np.ptp(paid) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(paid), rankdata(real))[0, 1])


def good_scheme(context: Context) -> pd.DataFrame:
    """Return the reference: verified stars, verified deposits and a little for new merchants."""
    rules = ("按留存", "按增量", "按增量", "按留存", "按留存")
    return pd.DataFrame(
        {"metric": METRICS, "weight": (0.1, 0.0, 0.0, 0.25, 0.65), "payout_rule": rules}
    )


def well_formed(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if each metric has one row and a rule that exists."""
    if sorted(table["metric"].astype(str)) != sorted(METRICS):
        return f"五项指标各要一行：{'、'.join(METRICS)}。"
    odd = set(table["payout_rule"].astype(str)) - set(RULES)
    return not odd or f"计酬规则只有四种：{'、'.join(RULES)}。"


def _of(table: pd.DataFrame, column: str) -> pd.Series:
    return table.set_index(table["metric"].astype(str))[column].reindex(list(METRICS))


def weights_hold(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if weights are shares and broad enough."""
    weight = _of(table, "weight").astype(float)
    if (weight < 0).any() or abs(weight.sum() - 1) > 1e-6:
        return "权重不能小于零，合计要等于一。"
    if (weight >= 0.1 - 1e-9).sum() < 3:
        return "至少三项指标的权重不低于 0.1，别把鸡蛋放在一个篮子里。"
    return weight["四星以上净增"] >= 0.2 - 1e-9 or "四星以上净增的权重不能低于 0.2。"


def hours_hold(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if checking takes no more than the hours."""
    p = context.parameters
    checked = (_of(table, "payout_rule").astype(str) == "按留存") & (
        _of(table, "weight").astype(float) > 0
    )
    used = sum(p["VERIFY_HOURS"][metric] for metric in checked.index[checked])
    limit = p["HOURS_LIMIT"]
    return used <= limit or f"核验工时每人每年 {used:g} 小时，超过了 {limit:g} 小时。"


def _sound(table: pd.DataFrame, context: Context) -> bool:
    return well_formed(table, context) is True and np.isfinite(table["weight"].astype(float)).all()


def no_game_pays(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if no game earns money."""
    if not _sound(table, context):
        return False
    winners = [name for name, gain in gains(table, context).items() if gain > 1e-6]
    return not winners or f"这些刷法还划得来：{'、'.join(winners)}。"


def most_are_paid(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if three in five employees get something."""
    if not _sound(table, context):
        return False
    share = float((_paid(table, context) > 0).mean())
    return share >= 0.6 or f"只有 {share:.0%} 的员工拿得到钱，要求不低于 60%。"


def scheme_value(table: pd.DataFrame, context: Context) -> float:
    """Return the agreement, or nothing for a table that is no scheme."""
    return agreement(table, context) if _sound(table, context) else 0.0


def pays_codes(answer: Any, context: Context) -> bool:
    if not isinstance(answer, pd.DataFrame) or not {"metric", "weight"} <= set(answer.columns):
        return False
    top = answer.sort_values("weight", ascending=False)["metric"].astype(str)
    return len(top) > 0 and top.iloc[0] == "新增商户数"


def uses_only(rule: str) -> Callable[[Any, Context], bool]:
    def matches(answer: Any, context: Context) -> bool:
        known = isinstance(answer, pd.DataFrame) and "payout_rule" in answer.columns
        return known and len(answer) > 0 and bool((answer["payout_rule"].astype(str) == rule).all())

    return matches
