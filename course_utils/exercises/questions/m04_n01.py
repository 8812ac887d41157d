"""Questions of m04_n01: four levels, the raw levels tested, tuned limits, a plan of checks.

The references rebuild every panel from ``merchant_month`` with plain arrays and an own median
season; nothing is taken from the notebook but the parameters.
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
    invariants,
    plan,
    predictions,
    same,
)

LEVELS = ("绿", "蓝", "黄", "橙", "红")
WINDOW, KNOWN, CLASS_SIZE = 6, 3, 5
Level = Callable[[Any, Any, Any, Any], str]

# ------------------------------------------------------------------------------- E1 the function


def _limits(context: Context) -> dict[str, float]:
    names = ("RED_GAP", "ORANGE_GAP", "ORANGE_TREND", "YELLOW_TREND", "YELLOW_DAYS", "BLUE_TREND")
    return {name: float(context.parameters[name]) for name in (*names, "BLUE_STABILITY")}


def grades(context: Context) -> Level:
    """Return the reference function for the limits in force."""
    p = _limits(context)

    def level_of(stability: Any, trend: Any, active_days: Any, gap_days: Any) -> str:
        worst = 0
        if stability is not None and stability < p["BLUE_STABILITY"]:
            worst = 1
        if trend is not None:
            lines = (p["BLUE_TREND"], p["YELLOW_TREND"], p["ORANGE_TREND"])
            worst = max(worst, sum(trend < line for line in lines))
        if active_days < p["YELLOW_DAYS"]:
            worst = max(worst, 2)
        worst = max(worst, 3 * (gap_days >= p["ORANGE_GAP"]), 4 * (gap_days >= p["RED_GAP"]))
        return LEVELS[worst]

    return level_of


def mildest_first(context: Context) -> Level:
    """Stop at the first rule from the mild end."""
    p, right = _limits(context), grades(context)

    def wrong(stability: Any, trend: Any, active_days: Any, gap_days: Any) -> str:
        weak = stability is not None and stability < p["BLUE_STABILITY"]
        if weak or (trend is not None and trend < p["BLUE_TREND"]):
            return "蓝"
        if active_days < p["YELLOW_DAYS"]:
            return "黄"
        return right(None, None, active_days, gap_days)

    return wrong


def after_the_line(context: Context) -> Level:
    """Take every line the other way round: on it is not yet, or already, a hit."""
    p = _limits(context)

    def wrong(stability: Any, trend: Any, active_days: Any, gap_days: Any) -> str:
        ratio = 1 if trend is None else trend
        steady = 1 if stability is None else stability
        hits = (
            ("红", gap_days > p["RED_GAP"]),
            ("橙", gap_days > p["ORANGE_GAP"] or ratio <= p["ORANGE_TREND"]),
            ("黄", ratio <= p["YELLOW_TREND"] or active_days <= p["YELLOW_DAYS"]),
            ("蓝", ratio <= p["BLUE_TREND"] or steady <= p["BLUE_STABILITY"]),
        )
        return next((name for name, hit in hits if hit), "绿")

    return wrong


def new_is_bad(context: Context) -> Level:
    """Read an unknown stability or trend as zero."""
    right = grades(context)
    return lambda s, t, days, gap: right(s or 0, t or 0, days, gap)


def same_level(mine: Any, theirs: Any) -> str | None:
    """Compare two levels without giving the right one away."""
    if not isinstance(mine, str) or mine not in LEVELS:
        return f"返回值应该是“{'”“'.join(LEVELS)}”之一。"
    return None if mine == theirs else "定错了级：四个数逐条对照演示一的线，再看最坏的是哪一条。"


def shop(**changes: Any) -> Callable[[Context], Any]:
    """Return a healthy merchant with changes; a text names a parameter, a pair adds to it."""

    def value(context: Context, given: Any) -> Any:
        if isinstance(given, str):
            return context.parameters[given]
        if isinstance(given, tuple):
            return context.parameters[given[0]] + given[1]
        return given

    def arguments(context: Context) -> tuple[Any, ...]:
        row = {"stability": 0.95, "trend": 1.1, "active_days": 27, "gap_days": 0, **changes}
        return tuple(value(context, row[name]) for name in row)

    return arguments


_ON = "刚好在线上：天数“满”用 >= ，比例“不到”用 < 。"
_WORST = "几条同时命中，听最坏的那一条。"
_NEW = "None 是“还算不出”，不是零：那一条不问。"
CASES = (
    Case("样样都好", shop()),
    Case("刚好满红线", shop(gap_days="RED_GAP"), _ON),
    Case("差一天满红线", shop(gap_days=("RED_GAP", -1)), _ON),
    Case("刚好满橙线", shop(gap_days="ORANGE_GAP"), _ON),
    Case("差一天满橙线", shop(gap_days=("ORANGE_GAP", -1)), _ON),
    Case("趋势刚好在橙线", shop(trend="ORANGE_TREND"), _ON),
    Case("趋势在橙线下一点", shop(trend=("ORANGE_TREND", -0.001))),
    Case("趋势刚好在黄线", shop(trend="YELLOW_TREND"), _ON),
    Case("趋势在黄线下一点", shop(trend=("YELLOW_TREND", -0.001))),
    Case("趋势刚好在蓝线", shop(trend="BLUE_TREND"), _ON),
    Case("趋势在蓝线下一点", shop(trend=("BLUE_TREND", -0.001))),
    Case("稳定度刚好在线上", shop(stability="BLUE_STABILITY"), _ON),
    Case("稳定度在线下一点", shop(stability=("BLUE_STABILITY", -0.001))),
    Case("活跃天数刚好够", shop(active_days="YELLOW_DAYS"), _ON),
    Case("活跃天数差一天", shop(active_days=("YELLOW_DAYS", -1))),
    Case("一个月没有一笔", shop(trend=0, active_days=0, stability=0.2), _WORST),
    Case("断了很久，样样都差", shop(gap_days=400, trend=0, active_days=0, stability=0), _WORST),
    Case("断了很久，算不出趋势", shop(gap_days=400, trend=None, active_days=0, stability=None)),
    Case("稳定但在下滑", shop(trend=0.5, stability=0.9), _WORST),
    Case("下滑又天数少", shop(trend=0.7, active_days=3), _WORST),
    Case("忽高忽低但在涨", shop(trend=1.8, stability=0.3)),
    Case("新商户，算不出趋势和稳定度", shop(trend=None, stability=None), _NEW),
    Case("新商户，天数少", shop(trend=None, stability=None, active_days=2), _NEW),
    Case("新商户，断了一阵", shop(trend=None, stability=None, gap_days=("ORANGE_GAP", 5)), _NEW),
    Case("稳定度是零", shop(stability=0), "零是“最不稳”，不是“没有数据”：别用 or 补缺。"),
    Case("趋势是零", shop(trend=0), "零是“一分钱没有”，不是“没有数据”：别用 or 补缺。"),
)


def _everybody(answer: Any, context: Context) -> bool | str:
    """Run the function on the bank's own merchants: each in exactly one of the five levels."""
    table, right = indicators_at(context, len(shops(context).months) - 1), grades(context)
    wrong = strange = 0
    rows = table.iloc[:: max(1, len(table) // 600)]
    for row in rows.itertuples():
        given = [None if np.isnan(v) else float(v) for v in (row.stability, row.trend)]
        try:
            got = answer(*given, row.active_days, row.gap_days)
        except Exception:
            return "有真实商户让函数出错了，检查 None 和零。"
        strange += got not in LEVELS
        wrong += got != right(*given, row.active_days, row.gap_days)
    if strange:
        return f"抽查的 {len(rows)} 家真实商户里有 {strange} 家没有归入五色中的任何一色。"
    return not wrong or f"抽查的 {len(rows)} 家真实商户里有 {wrong} 家定错了级。"


E1 = Question(
    "E1",
    "level_of",
    grades,
    checks=(
        behaviour(
            *CASES,
            Relation("稳定度变好", shop(trend=0.7), shop(trend=0.7, stability=0.99), same,
                     "稳定度已经够高，再高一点不该改变级别。"),
            compare=same_level,
            signature=("stability", "trend", "active_days", "gap_days"),
        ),
        invariants(Invariant("不重不漏", _everybody, "有商户没有归档。")),
    ),
    hints=(
        "从最坏的一条问起，问到就 return，后面的就不用再问了。",
        "先处理 None：算不出的那一条当作“没命中”，例如 ratio = 1 if trend is None else trend。",
        "if gap_days >= RED_GAP → 红；elif gap_days >= ORANGE_GAP or ratio < ORANGE_TREND → 橙；"
        "黄看 YELLOW_TREND 和 YELLOW_DAYS，蓝看 BLUE_TREND 和 BLUE_STABILITY，剩下是绿。",
    ),
    misconceptions=(
        Misconception(
            "mildest_first",
            "你从最轻的一条问起，命中就返回了，重的没机会问：濒失的商户被叫成了蓝色。要从最坏的问起。",
            mildest_first,
        ),
        Misconception(
            "after_the_line",
            "刚好在线上的都归错了边：天数是“满”多少天（>=），趋势、稳定度、活跃天数是“不到”（<）。",
            after_the_line,
        ),
        Misconception(
            "new_is_bad",
            "你把算不出的趋势和稳定度当成了零，新签约的商户全成了橙色。None 的那一条不问。",
            new_is_bad,
        ),
    ),
    parameters=("RED_GAP", "ORANGE_GAP", "ORANGE_TREND", "YELLOW_TREND", "YELLOW_DAYS",
                "BLUE_TREND", "BLUE_STABILITY"),
)  # fmt: skip

# ------------------------------------------------------------------------------- shared panels


class Shops:
    """Arrays ``[merchant, month]`` of the bank; NaN before the signing."""

    def __init__(self, context: Context) -> None:
        rows = context.load("merchant_month")
        self.ids = pd.Index(np.sort(rows["merchant_id"].unique()))
        self.months = pd.DatetimeIndex(np.sort(rows["month"].unique()))
        self._row = self.ids.get_indexer(rows["merchant_id"])
        self._at = self.months.get_indexer(pd.DatetimeIndex(rows["month"]))
        self.rows = rows
        self.amount = self.panel("transaction_amount")
        self.active = self.panel("active_days")
        self.gap = self.panel("gap_days")
        self.kind = self._classes(context)

    def panel(self, column: str) -> np.ndarray:
        """Return one column as an array, NaN where there is no row."""
        result = np.full((len(self.ids), len(self.months)), np.nan)
        result[self._row, self._at] = self.rows[column].to_numpy(dtype=float)
        return result

    def _classes(self, context: Context) -> np.ndarray:
        merchant = context.load("merchant").set_index("merchant_id").reindex(self.ids)
        industry = context.load("industry").set_index("industry_code")["trade_group"]
        group = industry.reindex(merchant["industry_code"]).astype(str).to_numpy()
        near = np.zeros(len(group), dtype=bool)
        if context.bank.has("merchant.near_school"):
            near = merchant["near_school"].to_numpy(dtype=bool)
        return np.array([f"{g}|{int(n)}" for g, n in zip(group, near, strict=True)])

    def indicators(self, at: int, season: bool = True) -> pd.DataFrame:
        """Return stability, trend, active and idle days at one month end."""
        window = self.amount[:, at - WINDOW + 1 : at + 1].copy()
        if season:
            whole = (window > 0).all(axis=1)
            for name in np.unique(self.kind):
                steady = whole & (self.kind == name)
                if steady.sum() >= CLASS_SIZE:
                    parts = window[steady] / window[steady].mean(axis=1)[:, None]
                    window[self.kind == name] /= np.median(parts, axis=0)
        early, last = window[:, :-1], window[:, -1]
        count = (~np.isnan(early)).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            base = np.nansum(early, axis=1) / count
            ratio = np.where((count >= KNOWN) & (base > 0), last / base, np.nan)
            mean = window.mean(axis=1)
            steady = np.where(mean > 0, 1 - window.std(axis=1, ddof=1) / mean, np.nan)
        table = {"stability": np.maximum(steady, 0), "trend": ratio}
        table |= {"active_days": self.active[:, at], "gap_days": self.gap[:, at]}
        return pd.DataFrame(table, index=self.ids).dropna(subset=["gap_days"])


def shops(context: Context) -> Shops:
    """Return the panels (made once)."""
    return context.remember("shops", lambda: Shops(context))


def indicators_at(context: Context, at: int, season: bool = True) -> pd.DataFrame:
    """Return the indicators of one month end (made once)."""
    return context.remember(("at", at, season), lambda: shops(context).indicators(at, season))


def graded(context: Context, at: int, season: bool = True) -> pd.Series:
    """Return the level of every merchant at one month end."""
    p, table = _limits(context), indicators_at(context, at, season)
    worst = np.zeros(len(table), dtype=int)
    for step, column, name in (
        (1, "trend", "BLUE"),
        (2, "trend", "YELLOW"),
        (3, "trend", "ORANGE"),
    ):
        worst = np.where(table[column] < p[f"{name}_TREND"], step, worst)
    worst = np.maximum(worst, 1 * (table["stability"] < p["BLUE_STABILITY"]))
    worst = np.maximum(worst, 2 * (table["active_days"] < p["YELLOW_DAYS"]))
    worst = np.maximum(worst, 3 * (table["gap_days"] >= p["ORANGE_GAP"]))
    worst = np.maximum(worst, 4 * (table["gap_days"] >= p["RED_GAP"]))
    return pd.Series(np.array(LEVELS)[worst], index=table.index)


# ------------------------------------------------------------------------- E2 the levels tested


def outcomes(context: Context) -> pd.DataFrame:
    """Return one row a merchant and month end whose outcome is known."""
    return context.remember("outcomes", lambda: _outcomes(context))


def _outcomes(context: Context) -> pd.DataFrame:
    data, ahead = shops(context), int(context.parameters["LOOK_AHEAD"])
    pieces = []
    for at in range(WINDOW - 1, len(data.months) - ahead):
        raw, fair = graded(context, at, False), graded(context, at)
        then = pd.Series(data.gap[:, at + ahead], index=data.ids).reindex(raw.index)
        days = (data.months[at + ahead] - data.months[at]).days
        pieces.append(
            pd.DataFrame({"raw": raw, "fair": fair, "then": then, "days": days, "at": at})
        )
    rows = pd.concat(pieces).dropna()
    limit = float(context.parameters["RED_GAP"])
    rows["lost"] = rows["then"] >= limit
    rows["lead"] = (rows["days"] - rows["then"] + limit).where(rows["lost"])
    return rows


def _test(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    parts = {
        level: (part["lost"].mean(), part.loc[part["lost"], "lead"].mean())
        for level, part in rows[rows[column] != "红"].groupby(column)
    }
    table = pd.DataFrame.from_dict(parts, orient="index", columns=["rate", "lead"])
    return table.rename_axis("raw_level")


def raw_test(context: Context) -> pd.DataFrame:
    """Return loss rate and days left by level without season."""
    return _test(outcomes(context), "raw")


def with_season(context: Context) -> pd.DataFrame:
    """Test the levels of the demonstration once more."""
    return _test(outcomes(context), "fair")


def share_of_losses(context: Context) -> pd.DataFrame:
    """Divide the losses of a level by all losses instead of by its merchants."""
    rows = outcomes(context)
    rows = rows[rows["raw"] != "红"]
    table = raw_test(context)
    counts = rows.groupby("raw")["lost"].sum()
    return table.assign(rate=(counts / counts.sum()).reindex(table.index))


def lead_of_everybody(context: Context) -> pd.DataFrame:
    """Average the days left over those that stayed, too."""
    rows = outcomes(context)
    rows = rows[rows["raw"] != "红"]
    filled = rows["lead"].fillna(0).groupby(rows["raw"]).mean()
    table = raw_test(context)
    return table.assign(lead=filled.reindex(table.index))


E2 = Question(
    "E2",
    "raw_test",
    raw_test,
    compare=frame(["raw_level"], ["rate", "lead"]),
    hints=(
        "先去掉已经红的，再按 raw_level 分组，两列都是平均。",
        "lost 是真假值，平均就是流失率；lead 只有流失的行才有值，平均时空值自动跳过。",
        'rows[rows["raw_level"] != "红"].groupby("raw_level")'
        '.agg(rate=("lost", "mean"), lead=("lead", "mean"))',
    ),
    misconceptions=(
        Misconception(
            "with_season",
            "这是去掉季节以后的级别，演示三已经考过了。换成 raw_level 再考。",
            with_season,
        ),
        Misconception(
            "share_of_losses",
            "你除的是全部流失户，得到的是“流失的人里各色占多少”。要除这一级自己的户次：这一级里有多少走了。",
            share_of_losses,
        ),
        Misconception(
            "lead_of_everybody",
            "没走的也被当成“还剩零天”算进了平均。只在后来流失的行里平均。",
            lead_of_everybody,
        ),
    ),
    parameters=("LOOK_AHEAD", "RED_GAP", "ORANGE_GAP", "ORANGE_TREND", "YELLOW_TREND",
                "YELLOW_DAYS", "BLUE_TREND", "BLUE_STABILITY"),
)  # fmt: skip

# --------------------------------------------------------------------------- E3 tuned elsewhere


def _month(context: Context, at: int) -> pd.DataFrame:
    """Return the rows of one month end that are not red, named merchant@month."""
    data, ahead = shops(context), int(context.parameters["LOOK_AHEAD"])
    table = indicators_at(context, at).copy()
    then = pd.Series(data.gap[:, at + ahead], index=data.ids).reindex(table.index)
    limit = float(context.parameters["RED_GAP"])
    table["lost"] = (then >= limit).astype(int)
    table = table[(table["gap_days"] < limit) & then.notna()]
    return table.set_axis(table.index + f"@{data.months[at]:%Y-%m}")


def _split(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    months, ahead = len(shops(context).months), int(context.parameters["LOOK_AHEAD"])
    older = range(WINDOW - 1, months - 2 - 2 * ahead)
    later = range(months - ahead - 3, months - ahead)
    join = lambda places: pd.concat([_month(context, at) for at in places])  # noqa: E731
    return join(older), join(later)


def split(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the older rows and the rows of the last three months that can be judged."""
    return context.remember("split", lambda: _split(context))


def hidden(context: Context) -> pd.Series:
    """Return who was lost among the later rows."""
    return split(context)[1]["lost"]


def _fires(table: pd.DataFrame, gap: float, trend: float) -> pd.Series:
    return ((table["gap_days"] >= gap) | (table["trend"] < trend)).astype(int)


def default_alarm(context: Context) -> pd.Series:
    """Return the alarms of the limits in force."""
    p = _limits(context)
    return _fires(split(context)[1], p["ORANGE_GAP"], p["ORANGE_TREND"])


def _f1(alarm: pd.Series, lost: pd.Series) -> float:
    return float(2 * (alarm * lost).sum() / max((alarm + lost).sum(), 1))


def tuned_alarm(context: Context) -> pd.Series:
    """Return the alarms of the best limits on the older months, never worse than the default."""
    older, later = split(context)
    p = _limits(context)
    pairs = [(g, r) for g in (5, 7, 10, 14, 20) for r in (0.0, 0.15, 0.3)]
    pairs.append((p["ORANGE_GAP"], p["ORANGE_TREND"]))
    gap, trend = max(pairs, key=lambda pair: _f1(_fires(older, *pair), older["lost"]))
    return _fires(later, gap, trend)


def _flags(answer: Any) -> pd.Series:
    """Return an answer as 0/1 numbers; nothing if it holds none."""
    try:
        return pd.Series(np.asarray(answer, dtype=float).ravel())
    except (TypeError, ValueError):
        return pd.Series([0.5])


def _rates(answer: Any, context: Context) -> tuple[float, float]:
    """Return precision and recall of an answer; zeros if it does not fit."""
    lost = hidden(context).to_numpy()
    flag = _flags(answer).to_numpy()
    if len(flag) != len(lost):
        return 0.0, 0.0
    if isinstance(answer, pd.Series) and answer.index.is_unique:
        flag = answer.reindex(hidden(context).index).fillna(0).to_numpy(dtype=float)
    hits = float((flag * lost).sum())
    return hits / max(flag.sum(), 1), hits / max(lost.sum(), 1)


def _too_wide(answer: Any, context: Context) -> bool:
    default = _rates(default_alarm(context), context)
    mine = _rates(answer, context)
    return mine[1] > default[1] and mine[0] < 0.75 * default[0]


def _too_narrow(answer: Any, context: Context) -> bool:
    default = _rates(default_alarm(context), context)
    mine = _rates(answer, context)
    return 0 < mine[1] < default[1] and mine[0] >= 0.9 * default[0]


E3 = Question(
    "E3",
    "alarm_later",
    tuned_alarm,
    checks=(
        invariants(
            Invariant(
                "报或不报",
                lambda answer, context: set(np.unique(_flags(answer))) <= {0.0, 1.0},
                "每行只能是 1（报）或 0（不报）。",
            )
        ),
        predictions(
            actual=hidden,
            baseline=default_alarm,
            metric="f1",
            tolerance=0.0,
            calibration=None,
            rows="户次编号，与 later 的索引相同",
        ),
    ),
    hints=(
        "先写一个“给两条线，算 older 上的 F1”的函数，再把几组线都试一遍。",
        "报 = (gap_days >= 天数线) | (trend < 趋势线)；抓对的 = 报了而且 lost；天数线试比三十天小的。",
        "max(字典, key=字典.get) 取 F1 最高的一组线，再把同样的式子用在 later 上，"
        "最后 .astype(int)。",
    ),
    misconceptions=(
        Misconception(
            "nobody",
            "一户都没报。抓对的是零，F1 也是零：不报当然不会报错，可是也没有用。",
            matches=lambda answer, context: float(_flags(answer).sum()) == 0.0,
        ),
        Misconception(
            "everything_yellow",
            "报得太滥：多抓到几家，白跑的更多，又准又全的 F1 反而低了。换几组线在 older 上比一比。",
            matches=_too_wide,
        ),
        Misconception(
            "most_precise",
            "报得太紧：报的差不多都对，可是大半流失没报到。F1 要准和全一起看。",
            matches=_too_narrow,
        ),
    ),
    parameters=("LOOK_AHEAD", "RED_GAP", "ORANGE_GAP", "ORANGE_TREND"),
)

# ---------------------------------------------------------------------------- E4 a plan of checks


def _lift(context: Context) -> float:
    """Return what visits save in the random pilot, or the parameter."""
    if not context.bank.has("contact_log.merchant_id"):
        return float(context.parameters["UNKNOWN_LIFT"])
    log = context.load("contact_log")
    log = log[(log["purpose"] == "收单走访") & log["merchant_id"].notna()]
    log = log[log["converted"].notna()]
    back = {arm: part["converted"].astype(bool) for arm, part in log.groupby("arm")}
    arms = [back.get(name, pd.Series(dtype=bool)) for name in ("随机触达", "随机保留")]
    if min(len(arm) for arm in arms) < 20:
        return float(context.parameters["UNKNOWN_LIFT"])
    a, b = arms
    return max(float(a.mean() - b.mean()), 0.0)


def _worse(context: Context) -> dict[str, float]:
    """Return the monthly chance of each level to get so bad that somebody should go."""
    data = shops(context)
    hits, size = dict.fromkeys(LEVELS[:4], 0), dict.fromkeys(LEVELS[:4], 0)
    for at in range(WINDOW - 1, len(data.months) - 1):
        now = graded(context, at)
        following = graded(context, at + 1).reindex(now.index)
        for level in LEVELS[:4]:
            here = following[(now == level) & following.notna()]
            bad = ["红"] if level == "橙" else ["橙", "红"]
            size[level] += len(here)
            hits[level] += int(here.isin(bad).sum())
    return {level: hits[level] / max(size[level], 1) for level in size}


def cells_of(context: Context) -> pd.DataFrame:
    """Return the cells of the plan with the money that is saved per merchant at no delay."""
    return context.remember("cells", lambda: _cells(context))


def _cells(context: Context) -> pd.DataFrame:
    data, p = shops(context), context.parameters
    merchant = context.load("merchant").set_index("merchant_id")
    level = graded(context, len(data.months) - 1)
    held = pd.DataFrame(data.panel("settlement_deposit_average")[:, -3:], index=data.ids)
    table = merchant[merchant["status"] != "解约"].join(level.rename("level"), how="inner")
    table["deposit"] = held.mean(axis=1)
    if p["BRANCH"] is not None:
        table = table[table["branch_id"] == p["BRANCH"]]
    context.remember("branches", lambda: int(table["branch_id"].nunique()))
    table = table[table["level"] != "红"]
    rich = table["deposit"] >= p["VALUE_CUT"]
    table["value"] = np.where(rich, "高价值", "普通")
    chance, lift = _worse(context), _lift(context)
    cells = table.groupby(["level", "value"]).agg(n=("weight", "sum"), held=("deposit", "mean"))
    cells["saved"] = cells["n"] * cells["held"] * p["MARGIN"] * p["VALUE_YEARS"] * lift
    cells["saved"] *= [chance[level] for level, _ in cells.index]
    return cells


def kept_share(context: Context, days: Any) -> np.ndarray:
    """Return the share of what can be saved that is left when looking every `days` days."""
    k, limit = np.asarray(days, dtype=float), float(context.parameters["SAVE_DAYS"])
    return np.where(k <= limit, 1 - k / (2 * limit), limit / (2 * np.maximum(k, 1e-9)))


def _minutes(context: Context) -> float:
    """Return the minutes of a week; at least those that the slowest plan needs."""
    cells, p = cells_of(context), context.parameters
    branches = context.remember("branches", lambda: 1)
    slowest = float(cells["n"].sum() * 7 / max(p["CHOICES"]) * p["CHECK_MINUTES"])
    return max(branches * float(p["HOURS_PER_WEEK"]) * 60, slowest)


def best_plan(context: Context) -> pd.DataFrame:
    """Return the plan that saves most within the hours, from all combinations."""
    cells, choices = cells_of(context), list(context.parameters["CHOICES"])
    saved, used = np.zeros(1), np.zeros(1)
    plans = np.zeros((1, 0))
    for row in cells.itertuples():
        gain = row.saved * kept_share(context, choices)
        time = row.n * 7 / np.array(choices) * context.parameters["CHECK_MINUTES"]
        saved = (saved[:, None] + gain[None, :]).ravel()
        used = (used[:, None] + time[None, :]).ravel()
        tiled = np.tile(choices, len(plans))[:, None]
        plans = np.hstack([np.repeat(plans, len(choices), axis=0), tiled])
    best = np.where(used <= _minutes(context), saved, -1.0).argmax()
    table = cells.index.to_frame(index=False)
    return table.assign(days=plans[best].astype(int))


def _own(table: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Join the plan with the cells; unknown cells drop out."""
    keys = ["level", "value"]
    texts = table.assign(**{key: table[key].astype(str) for key in keys})
    return texts.merge(cells_of(context).reset_index(), on=keys)


def _each_cell(table: pd.DataFrame, context: Context) -> bool | str:
    have = sorted(zip(table["level"].astype(str), table["value"].astype(str), strict=True))
    need = sorted(cells_of(context).index.to_list())
    return have == need or f"应该有 {len(need)} 格，每格一行，不多不少；现在有 {len(have)} 行。"


def _allowed(table: pd.DataFrame, context: Context) -> bool | str:
    days = pd.to_numeric(table["days"], errors="coerce")
    strange = int((~days.isin(context.parameters["CHOICES"])).sum())
    return not strange or f"有 {strange} 格的间隔不在 CHOICES 里。"


def _hours(table: pd.DataFrame, context: Context) -> bool | str:
    own = _own(table, context)
    used = (own["n"] * 7 / own["days"].astype(float)).sum() * context.parameters["CHECK_MINUTES"]
    limit = _minutes(context)
    if used <= limit * (1 + 1e-9):
        return True
    return f"每周要花 {used / 60:,.0f} 小时，只有 {limit / 60:,.0f} 小时。"


def money_saved(table: pd.DataFrame, context: Context) -> float:
    """Return the money a plan saves in a month."""
    own = _own(table, context)
    return float((own["saved"] * kept_share(context, own["days"].astype(float))).sum())


def _days_are(check: Callable[[pd.DataFrame], bool]) -> Callable[[Any, Context], bool]:
    def matches(answer: Any, context: Context) -> bool:
        needed = {"level", "value", "days"}
        return isinstance(answer, pd.DataFrame) and needed <= set(answer) and check(answer)

    return matches


USUAL = {"橙": 1, "黄": 7, "蓝": 30, "绿": 90}
E4 = Question(
    "E4",
    "frequency",
    best_plan,
    checks=(
        plan(
            Invariant("每格一行", _each_cell, "格子不全或重复。"),
            Invariant("间隔可选", _allowed, "有间隔不在可选范围里。"),
            Invariant("每周工时", _hours, "超过了每周的工时。"),
            objective=money_saved,
            share=0.95,
            columns=("level", "value", "days"),
            goal="每月保住的金额",
        ),
    ),
    hints=(
        "先让每一格都取最稀的间隔，再看哪一格改勤一步，每分钟多保住的钱最多。",
        "做一张“格 × 间隔”的长表，算出 saved 和 used；同一格里相邻两个间隔之差，就是改勤一步的得与失。",
        "按“多保住的 ÷ 多花的分钟”从大到小一步步加，加不下的格就停住，直到时间用完；"
        "也可以把所有组合都列出来挑。",
    ),
    misconceptions=(
        Misconception(
            "everyone_daily",
            "每家每天都看，工时差得太远。时间是硬约束：先花在一分钟保住最多钱的地方。",
            matches=_days_are(lambda t: bool((t["days"] == 1).all())),
        ),
        Misconception(
            "usual",
            "你照搬了“橙每天、黄每周、蓝每月、绿每季”，只看颜色没看价值：普通商户占去了高价值商户的时间。",
            matches=_days_are(
                lambda t: bool((t["days"] == t["level"].astype(str).map(USUAL)).all())
            ),
        ),
        Misconception(
            "everyone_quarterly",
            "每格都最稀，工时用不完，钱也没保住。把省下的时间加给橙色和高价值的。",
            matches=_days_are(lambda t: bool((t["days"] == t["days"].max()).all())),
        ),
    ),
    parameters=("BRANCH", "HOURS_PER_WEEK", "CHECK_MINUTES", "CHOICES", "SAVE_DAYS", "MARGIN",
                "VALUE_YEARS", "VALUE_CUT", "RED_GAP", "ORANGE_GAP", "ORANGE_TREND"),
)  # fmt: skip

QUESTIONS = [E1, E2, E3, E4]

_UNKNOWN = "算不出的那一条当作没命中：任何不低于线的数都一样"
SURVIVORS = {"E1": {"L2 1→2": _UNKNOWN, "L3 1→2": _UNKNOWN}}

VARIATIONS = [{"BRANCH": "B03", "HOURS_PER_WEEK": 2}, {"LOOK_AHEAD": 2, "YELLOW_DAYS": 10}]
