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
from course_utils.exercises.questions._m04_n02_base import (
    best_gifts,
    branches_in_share,
    enough_near,
    gift_value,
    good_scheme,
    hours_hold,
    in_budget,
    is_richest,
    live_months,
    most_are_paid,
    near_ratio,
    no_game_pays,
    offers,
    pays_codes,
    scheme_value,
    uses_only,
    weights_hold,
    well_formed,
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
        rows = live_months(context)
        return tuple(np.expm1(_one_star(rows[rows["free"]])))

    return context.remember("one_star", made)


def left_in_logs(context: Context) -> tuple[float, ...]:
    """Forget to turn logs into ratios."""
    return tuple(np.log1p(one_star(context)))


def all_merchants(context: Context) -> tuple[float, ...]:
    """Take those that pay the fee, too."""
    return tuple(np.expm1(_one_star(live_months(context))))


def across_merchants(context: Context) -> tuple[float, ...]:
    """Compare different merchants in the last month."""
    from course_utils.analysis import experiment

    rows = live_months(context)
    rows = rows[rows["free"] & (rows["month"] == rows["month"].max())]
    row = experiment.linear(rows, "y", ["star"]).loc["star", ["coefficient", "low", "high"]]
    return tuple(np.expm1(row))


def planted_effect(context: Context) -> float:
    """Return the planted effect of one star as a ratio."""
    return float(np.expm1(context.truth["m04_n02"]["within_effect"]["planted"]))


def _limits(answer: Any) -> list[float]:
    """Return lower and upper limit of an answer given as tuple, list, dict or Series."""
    values = list(answer.values()) if isinstance(answer, dict) else list(answer)
    return [float(values[1]), float(values[2])]


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
                matches=is_richest,
            ),
            Misconception(
                "near_only",
                "送出去的几乎都是临界客户：要求只是至少占两成半，其余应给效果更大的商户。",
                matches=lambda a, c: near_ratio(a, c) > 0.9,
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
                matches=pays_codes,
            ),
            Misconception(
                "never_verified",
                "全部按增量、不核验：铺空码和刷星照样划得来。",
                matches=uses_only("按增量"),
            ),
            Misconception(
                "pay_for_size",
                "全部按存量：刷不动，可是躺着也拿钱，奖金和新增的存款对不上。",
                matches=uses_only("按存量"),
            ),
        ),
        parameters=("BONUS_POT", "VERIFY_HOURS", "HOURS_LIMIT", "GATE_DAYS"),
    ),
]


VARIATIONS = [{"BRANCH": "B03"}, {"GATE_DEPOSIT": 8_000, "BENEFIT_BUDGET": 6_000}]
