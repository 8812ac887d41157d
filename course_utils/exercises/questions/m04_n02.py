"""Questions of m04_n02: stars with gates, the within-merchant effect, benefits, a bonus scheme.

The references start from the bank's own tables: ranks by counting, fixed effects by alternating
projections, the benefits by an integer programme, the bonus on plain arrays.
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
    covers,
    numbers,
    plan,
    same,
    series,
    unique,
)

RANKED = ("amount", "count", "days", "deposit")

# ------------------------------------------------------------------------------ E1 stars


def _share_below(values: np.ndarray) -> np.ndarray:
    """Return the mid-rank share by counting: (number smaller + half of the equals) / n."""
    smaller = (values[:, None] > values[None, :]).sum(axis=1)
    equal = (values[:, None] == values[None, :]).sum(axis=1)
    return (smaller + equal / 2) / len(values)


def star_reference(
    context: Context, *, gates: bool = True, trades: bool = True, to_one: bool = False
) -> Callable[[pd.DataFrame], pd.Series]:
    """Return the reference function (or a version with one mistake)."""
    p = context.parameters
    weights, edges = p["WEIGHTS"], p["EDGES"]

    def star_of(table: pd.DataFrame) -> pd.Series:
        shares = {name: np.zeros(len(table)) for name in RANKED}
        group = table["group"].to_numpy(dtype=object) if trades else np.zeros(len(table))
        for value in pd.unique(pd.Series(group)):
            here = np.flatnonzero(group == value)
            for name in RANKED:
                shares[name][here] = _share_below(table[name].to_numpy(dtype=float)[here])
        shares["stability"] = table["stability"].to_numpy(dtype=float)
        shares["products"] = np.minimum(table["products"].to_numpy(dtype=float) / 5, 1)
        score = sum(weights[name] * shares[name] for name in weights)
        star = np.ones(len(table), dtype=int)
        for edge in edges:
            star = star + (np.round(score, 9) >= edge)
        money = table["deposit"].to_numpy(dtype=float)
        few = table["last_days"].to_numpy(dtype=float) < p["GATE_DAYS"]
        closed = few | (money < p["GATE_DEPOSIT"])
        if to_one:
            star = np.where(closed, 1, star)
        elif gates:
            star = np.where(closed, np.minimum(star, 3), star)
            star = np.where(money < p["GATE_DEPOSIT_5"], np.minimum(star, 4), star)
        return pd.Series(star, index=table.index)

    return star_of


def _shops(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return shops: group, amount, count, days, deposit, stability, products, last_days."""
    names = ["group", *RANKED, "stability", "products", "last_days"]
    ids = pd.Index([f"M{i}" for i in range(len(rows))], name="merchant_id")
    table = pd.DataFrame(rows, columns=names, index=ids)
    return table.astype(dict.fromkeys(names[1:], float) | {"group": "str"})


def on_the_gates(context: Context) -> tuple[pd.DataFrame]:
    """Return the best shops of nine trades, exactly on, just above and just below each gate."""
    p = context.parameters
    days, four, five = p["GATE_DAYS"], p["GATE_DEPOSIT"], p["GATE_DEPOSIT_5"]
    tops = [
        (days, five), (days - 1, five), (days, five - 1), (days, four), (days, four - 1),
        (days + 1, four), (days - 1, four - 1), (30, 3 * five), (0, 3 * five),
    ]  # fmt: skip
    rows = []
    for number, (last, money) in enumerate(tops):
        rows.append((f"行业{number}", 9e5, 900, 30, money, 1.0, 9, last))
        rows += [(f"行业{number}", 10.0 + k, 5 + k, 3 + k, 1.0 + k, 0.3, 1, 30) for k in range(9)]
    return (_shops(rows),)


def on_the_edges(context: Context) -> tuple[pd.DataFrame]:
    """Return single shops (every rank is one half) whose score is exactly on an edge and around.

    The stability is chosen so that the score hits the edge; with other weights some are out of
    reach and simply stand for themselves.
    """
    p = context.parameters
    weights = p["WEIGHTS"]
    fixed = sum(weights[name] for name in RANKED) / 2
    rows = []
    for edge in p["EDGES"]:
        for products in range(6):
            need = (edge - fixed - weights["products"] * products / 5) / weights["stability"]
            if 0 <= need <= 1:
                steady = round(need, 6)
                rows.append((f"行业{len(rows)}", 1e5, 300, 25, 1e6, steady, products, 30))
                if steady >= 0.01:
                    rows.append(
                        (f"行业{len(rows)}", 1e5, 300, 25, 1e6, steady - 0.01, products, 30)
                    )
    rows.append(("行业甲", 1e5, 300, 25, 1e6, 0.5, 12, 30))
    rows.append(("行业乙", 1e5, 300, 25, 1e6, 0.0, 0, 30))
    return (_shops(rows),)


def with_ties(context: Context) -> tuple[pd.DataFrame]:
    """Return a trade full of equal shops beside another trade with far larger ones."""
    equal = [("小吃", 2e4, 300, 25, 2e4, 0.9, 5, 28)] * 3
    mixed = [("小吃", 1e4 * k, 100 * k, 5 * k, 6e3 * k, 0.2 * k, k, 6 * k) for k in range(6)]
    large = [("建材", 1e6 * k, 30 * k, 4 * k, 9e4 * k, 0.8, 4, 25) for k in range(1, 6)]
    return (_shops([*equal, *mixed, *large]),)


def spread(context: Context) -> tuple[pd.DataFrame]:
    """Return the bank's merchants with their own trade groups (three last months)."""
    rows = context.load("merchant_month")
    shop = context.load("merchant", ["merchant_id", "industry_code"]).set_index("merchant_id")
    trade = context.load("industry", ["industry_code", "trade_group"])
    trade = trade.set_index("industry_code")["trade_group"]
    last = rows["month"].max()
    recent = rows[rows["month"] > last - pd.DateOffset(months=3)]
    means = recent.groupby("merchant_id")[
        ["transaction_amount", "transaction_count", "active_days", "settlement_deposit_average"]
    ].mean()
    table = means.set_axis(list(RANKED), axis=1)
    end = recent[recent["month"] == last].set_index("merchant_id")
    held = end["product_count"] if "product_count" in end else pd.Series(2, index=end.index)
    table["stability"] = np.random.default_rng(20251231).uniform(0.3, 1, len(table)).round(3)
    table["products"] = held.reindex(table.index).fillna(1).astype(float)
    table["last_days"] = end["active_days"].reindex(table.index).fillna(0).astype(float)
    table["group"] = shop["industry_code"].reindex(table.index).map(trade)
    return (table,)


STAR_CASES = behaviour(
    Case(
        "门槛边上",
        on_the_gates,
        "门槛没处理好：正好到线算过；四星门槛不过停在三星，只差五星门槛停在四星。",
    ),
    Case("分数线边上", on_the_edges, "正好到分数线算上一星（>=）；产品数超过五个不再加分。"),
    Case("并列与行业", with_ties, "名次要在同行业里排，并列取平均名次。"),
    Case("全行商户", spread),
    Case("空表", lambda context: (_shops([]),)),
    Relation(
        "打乱行序",
        with_ties,
        lambda context: (with_ties(context)[0].sample(frac=1, random_state=4),),
        same,
        "结果不应随行的顺序改变。",
    ),
    compare=series(keys="商户号"),
    signature=("table",),
)

# ------------------------------------------------------------------ E2 within one merchant


def _live(context: Context) -> pd.DataFrame:
    """Return months with sales and deposits of all merchants, in logs."""
    columns = ["month", "merchant_id", "transaction_amount", "settlement_deposit_average", "star"]
    rows = context.load("merchant_month", columns)
    shop = context.load("merchant", ["merchant_id", "fee_waived"]).set_index("merchant_id")
    rows = rows[(rows["transaction_amount"] > 0) & (rows["settlement_deposit_average"] > 0)].copy()
    rows["free"] = shop["fee_waived"].reindex(rows["merchant_id"]).to_numpy(dtype=bool)
    rows["y"] = np.log(rows["settlement_deposit_average"])
    rows["t"] = np.log(rows["transaction_amount"])
    return rows


def _swept(rows: pd.DataFrame) -> np.ndarray:
    """Remove merchant and month means from y, star and t by turns until nothing changes."""
    values = rows[["y", "star", "t"]].to_numpy(dtype=float)
    keys = [pd.factorize(rows[name])[0] for name in ("merchant_id", "month")]
    for _ in range(500):
        old = values.copy()
        for key in keys:
            size = np.bincount(key)[:, None]
            sums = np.column_stack([np.bincount(key, weights=column) for column in values.T])
            values = values - (sums / size)[key]
        if np.abs(values - old).max() < 1e-12:
            break
    return values


def _one_star(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Return estimate and 95 % limits in logs, clustered by merchant."""
    from scipy.stats import t as student

    y, *columns = _swept(rows).T
    design = np.column_stack(columns)
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ y
    who = pd.factorize(rows["merchant_id"])[0]
    scores = design * (y - design @ beta)[:, None]
    sums = np.column_stack([np.bincount(who, weights=column) for column in scores.T])
    clusters, n = who.max() + 1, len(y)
    free = n - design.shape[1] - (rows["month"].nunique() - 1)
    factor = clusters / (clusters - 1) * (n - 1) / free
    error = float(np.sqrt((bread @ sums.T @ sums @ bread)[0, 0] * factor))
    half = float(student.ppf(0.975, clusters - 1)) * error
    return float(beta[0]), float(beta[0] - half), float(beta[0] + half)


def one_star(context: Context) -> tuple[float, ...]:
    """Return what one star more goes with, merchants without fee, as ratios."""

    def made() -> tuple[float, ...]:
        rows = _live(context)
        return tuple(np.expm1(_one_star(rows[rows["free"]])))

    return context.remember("one_star", made)


def left_in_logs(context: Context) -> tuple[float, ...]:
    """Forget to turn logs into ratios."""
    return tuple(np.log1p(one_star(context)))


def all_merchants(context: Context) -> tuple[float, ...]:
    """Take those that pay the fee, too."""
    return tuple(np.expm1(_one_star(_live(context))))


def across_merchants(context: Context) -> tuple[float, ...]:
    """Compare different merchants in the last month."""
    from course_utils.analysis import experiment

    rows = _live(context)
    rows = rows[rows["free"] & (rows["month"] == rows["month"].max())]
    row = experiment.linear(rows, "y", ["star"]).loc["star", ["estimate", "low", "high"]]
    return tuple(np.expm1(row))


def planted_effect(context: Context) -> float:
    """Return the planted effect of one star as a ratio."""
    return float(np.expm1(context.truth["m04_n02"]["within_effect"]["planted"]))


def _limits(answer: Any) -> list[float]:
    """Return lower and upper limit of an answer given as tuple, list, dict or Series."""
    values = list(answer.values()) if isinstance(answer, dict) else list(answer)
    return [float(values[1]), float(values[2])]


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
    live = _live(context)
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


def _near_ratio(answer: Any, context: Context) -> float:
    if not isinstance(answer, pd.DataFrame) or "merchant_id" not in answer or answer.empty:
        return float("nan")
    near = offers(context)["near"].reindex(answer["merchant_id"])
    return float(near.fillna(False).astype(float).mean())


def _is_richest(answer: Any, context: Context) -> bool:
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


def _pays_codes(answer: Any, context: Context) -> bool:
    if not isinstance(answer, pd.DataFrame) or not {"metric", "weight"} <= set(answer.columns):
        return False
    top = answer.sort_values("weight", ascending=False)["metric"].astype(str)
    return len(top) > 0 and top.iloc[0] == "新增商户数"


def _uses_only(rule: str) -> Callable[[Any, Context], bool]:
    def matches(answer: Any, context: Context) -> bool:
        known = isinstance(answer, pd.DataFrame) and "payout_rule" in answer.columns
        return known and len(answer) > 0 and bool((answer["payout_rule"].astype(str) == rule).all())

    return matches


# ---------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "star_of",
        star_reference,
        checks=(STAR_CASES,),
        hints=(
            "分三步写：先算名次，再加总分，最后让门槛“往下压”。",
            '同行业的名次：table.groupby("group")[列名].rank(method="average")，户数用 transform("size")。',
            "星级 ＝ 1 ＋ 过了几条线；门槛不过时用 star.clip(upper=3)，只差五星门槛时用 clip(upper=4)。",
        ),
        misconceptions=(
            Misconception(
                "no_gates",
                "没有用门槛：分数够了还要看天数和日均。",
                lambda c: star_reference(c, gates=False),
            ),
            Misconception(
                "all_trades_together",
                "名次是在全体商户里排的：要和同行业比，不然小吃店永远排在建材后面。",
                lambda c: star_reference(c, trades=False),
            ),
            Misconception(
                "gate_drops_to_one",
                "门槛不过不是一星：最多停在三星，低于三星的照旧。",
                lambda c: star_reference(c, to_one=True),
            ),
        ),
        parameters=("WEIGHTS", "EDGES", "GATE_DAYS", "GATE_DEPOSIT", "GATE_DEPOSIT_5"),
    ),
    Question(
        "E2",
        "one_star",
        one_star,
        numbers("估计", "下限", "上限", relative=1e-4),
        checks=(covers(planted_effect, interval=_limits, margin=0.03),),
        hints=(
            "先从 live 里挑出减免手续费的商户，再照演示三做一遍。",
            'panel.two_way(挑出的行, "log_deposit", ["star", "log_turnover"], "merchant_id", "month")。',
            "取 star 那一行的 estimate、low、high，用 np.expm1 从对数换成比例。",
        ),
        misconceptions=(
            Misconception(
                "across_merchants",
                "这是横着看的系数：比的是不同商户，不是同一个商户升星。",
                across_merchants,
            ),
            Misconception("left_in_logs", "还停在对数上：要用 np.expm1 换成比例。", left_in_logs),
            Misconception("all_merchants", "用了全部商户：题目只看减免手续费的。", all_merchants),
        ),
    ),
    Question(
        "E3",
        "my_gifts",
        best_gifts,
        checks=(
            plan(
                unique("merchant_id", name="一户一份"),
                Invariant(
                    "可送名单",
                    lambda t, c: t["merchant_id"].isin(offers(c).index).all(),
                    "有商户不在可送名单里：停业的、近一年领过的都不能再送。",
                ),
                Invariant("预算", in_budget, "总成本超过预算。"),
                Invariant("网点上限", branches_in_share, "有一家网点用得太多。"),
                Invariant("临界客户", enough_near, "临界客户不够。"),
                objective=gift_value,
                share=0.95,
                maximise=True,
                columns=("merchant_id",),
                goal="预期新增日均之和",
            ),
        ),
        hints=(
            "每户成本一样，预算其实就是户数；先算能送几户、一家网点最多几户、临界客户至少几户。",
            "先从临界客户里挑 uplift 最大的几户，再用其余商户按 uplift 补满。",
            '按 uplift 排好以后，groupby("branch_id").head(每家上限) 就能管住网点上限。',
        ),
        misconceptions=(
            Misconception(
                "richest_only",
                "你选的是预期新增最多的商户，没有管临界客户和网点上限。",
                matches=_is_richest,
            ),
            Misconception(
                "near_only",
                "送出去的几乎都是临界客户：要求只是至少占两成半，其余应给效果更大的商户。",
                matches=lambda a, c: _near_ratio(a, c) > 0.9,
            ),
        ),
        parameters=("BENEFIT_BUDGET", "BRANCH_SHARE", "NEAR_SHARE", "NEAR_POINTS", "NEAR_GATE"),
    ),
    Question(
        "E4",
        "my_scheme",
        good_scheme,
        checks=(
            plan(
                Invariant("五项指标", well_formed, "指标或计酬规则写得不对。"),
                Invariant("权重", weights_hold, "权重不合要求。"),
                Invariant("核验工时", hours_hold, "核验工时超了。"),
                Invariant("刷不划算", no_game_pays, "还有刷法划得来。"),
                Invariant("拿得到钱", most_are_paid, "拿到钱的人太少。"),
                objective=scheme_value,
                share=0.9,
                maximise=True,
                columns=("metric", "weight", "payout_rule"),
                goal="奖金和真实存款的秩相关",
            ),
        ),
        hints=(
            "先看热力图：哪几项按增量发钱时，刷法划得来？这几项要么不给权重，要么核验。",
            "六小时的核验工时正好够核三项；交易笔数和金额核验最贵，可以不考。",
            "权重往结算户日均上放，四星以上净增留 0.2 以上，新增商户数 0.1，三项都用按留存；用 judge 看结果。",
        ),
        misconceptions=(
            Misconception(
                "count_new_codes",
                "权重最大的还是新增商户数：空码最好铺，也最没用。",
                matches=_pays_codes,
            ),
            Misconception(
                "never_verified",
                "全部按增量、不核验：铺空码和刷星照样划得来。",
                matches=_uses_only("按增量"),
            ),
            Misconception(
                "pay_for_size",
                "全部按存量：刷不动，可是躺着也拿钱，奖金和新增的存款对不上。",
                matches=_uses_only("按存量"),
            ),
        ),
        parameters=("BONUS_POT", "VERIFY_HOURS", "HOURS_LIMIT", "GATE_DAYS"),
    ),
]


VARIATIONS = [{"BRANCH": "B03"}, {"GATE_DEPOSIT": 8_000, "BENEFIT_BUDGET": 6_000}]
