"""Questions of m02_n01: incremental share, mix and within, festival half-life, one paragraph."""

from __future__ import annotations

import re
from collections.abc import Callable

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
    covers,
    frame,
    invariants,
    number,
    same,
    series,
    written,
)

DEPOSITS = ["个人活期存款", "个人定期存款", "单位活期存款", "单位定期存款", "机关团体存款"]


def balances(context: Context, months_back: int) -> pd.DataFrame:
    """Return own and market balance by deposit item, some months before the last report."""
    report = context.load("market_share", ["month", "bank_label", "item", "balance"])
    month = report["month"].max() - pd.offsets.MonthEnd(months_back)
    report = report[(report["month"] == month) & report["item"].isin(DEPOSITS)]
    own = report[report["bank_label"] == "本行"].groupby("item")["balance"].sum()
    return pd.DataFrame({"own": own, "market": report.groupby("item")["balance"].sum()})


# ------------------------------------------------------------------------------ E1 growth share


def growth_function(context: Context) -> Callable[[pd.DataFrame, pd.DataFrame], pd.Series]:
    """Return the reference function, item by item."""

    def growth(now_table: pd.DataFrame, base_table: pd.DataFrame) -> pd.Series:
        result = {}
        for item, row in now_table.iterrows():
            market = row["market"] - base_table.loc[item, "market"]
            own = row["own"] - base_table.loc[item, "own"]
            result[item] = own / market if market > 0 else np.nan
        return pd.Series(result, dtype=float)

    return growth


def without_guard(context: Context) -> Callable[[pd.DataFrame, pd.DataFrame], pd.Series]:
    """Divide whatever the market did."""
    return lambda now, base: (now["own"] - base["own"]) / (now["market"] - base["market"])


def stock_share(context: Context) -> Callable[[pd.DataFrame, pd.DataFrame], pd.Series]:
    """Give the stock share of the new date."""
    return lambda now, base: now["own"] / now["market"]


def own_growth(context: Context) -> Callable[[pd.DataFrame, pd.DataFrame], pd.Series]:
    """Give the bank's own growth rate."""

    def growth(now: pd.DataFrame, base: pd.DataFrame) -> pd.Series:
        grown = now["market"] - base["market"] > 0
        return ((now["own"] - base["own"]) / base["own"]).where(grown)

    return growth


def zero_filled(context: Context) -> Callable[[pd.DataFrame, pd.DataFrame], pd.Series]:
    """Give zero where the market did not grow."""

    def growth(now: pd.DataFrame, base: pd.DataFrame) -> pd.Series:
        market = now["market"] - base["market"]
        return ((now["own"] - base["own"]) / market).where(market > 0, 0.0)

    return growth


def real_pair(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of now and a year ago."""
    return balances(context, 0), balances(context, 12)


def crafted_pair(market_now: float, own_now: float = 40.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two tables of two items; the second item grows plainly."""
    items = ["甲项目", "乙项目"]
    now = pd.DataFrame({"own": [own_now, 60.0], "market": [market_now, 220.0]}, index=items)
    base = pd.DataFrame({"own": [30.0, 50.0], "market": [100.0, 200.0]}, index=items)
    return now, base


def shuffled_pair(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the real tables, the second one in another row order."""
    now, base = real_pair(context)
    return now, base.iloc[::-1]


# ----------------------------------------------------------------------------- E2 mix and within


def year_parts(context: Context) -> pd.DataFrame:
    """Return mix and within effect of the last twelve months by the shared method."""
    from course_utils.analysis.deposits.share import mix_within

    return mix_within(balances(context, 12), balances(context, 0))[["mix", "within"]]


def window_parts(context: Context) -> pd.DataFrame:
    """Return the effects of the demonstration's window instead of a year."""
    from course_utils.analysis.deposits.share import mix_within

    months = context.parameters["COMPARE_MONTHS"]
    return mix_within(balances(context, months), balances(context, 0))[["mix", "within"]]


def start_weights(context: Context) -> pd.DataFrame:
    """Weigh with the first date only, which leaves a rest."""
    old, new = balances(context, 12), balances(context, 0)
    weight_old, weight_new = (
        old["market"] / old["market"].sum(),
        new["market"] / new["market"].sum(),
    )
    share_old, share_new = old["own"] / old["market"], new["own"] / new["market"]
    return pd.DataFrame(
        {
            "mix": (weight_new - weight_old) * share_old,
            "within": weight_old * (share_new - share_old),
        }
    )


def swapped(context: Context) -> pd.DataFrame:
    """Exchange the two columns."""
    return year_parts(context).rename(columns={"mix": "within", "within": "mix"})


def adds_up(answer: pd.DataFrame, context: Context) -> bool:
    """Say whether the parts add up to the change of the total share."""
    old, new = balances(context, 12), balances(context, 0)
    change = new["own"].sum() / new["market"].sum() - old["own"].sum() / old["market"].sum()
    return bool(abs(answer["mix"].sum() + answer["within"].sum() - change) < 1e-9)


# ------------------------------------------------------------------------------- E3 half-life


def festival_curve(context: Context) -> pd.Series:
    """Return the mean inflow of personal demand money around the Spring Festival, smoothed."""
    daily = context.load("branch_day", ["date", "personal_demand"])
    daily = daily.groupby("date")["personal_demand"].sum()
    calendar = context.load("calendar", ["date", "days_to_cny"])
    before, after = context.parameters["DAYS_BEFORE"], context.parameters["DAYS_AFTER"]
    days = np.arange(-before, after + 1)
    windows = []
    for festival in calendar.loc[calendar["days_to_cny"] == 0, "date"]:
        window = daily.reindex(festival + pd.to_timedelta(days, unit="D")).to_numpy()
        if np.isfinite(window).all():
            windows.append(window - window[0])
    return pd.Series(np.mean(windows, axis=0), index=days).rolling(3, center=True).mean()


def half_life_days(context: Context) -> float:
    """Return days from 正月初八 until half of the peak is left."""
    curve = festival_curve(context).dropna()
    peak = int(curve.to_numpy().argmax())
    tail = curve.iloc[peak:]
    return float(np.flatnonzero(tail.to_numpy() <= curve.iloc[peak] / 2)[0] + tail.index[0] - 7)


def from_new_year(context: Context) -> float:
    """Count from the first day of the year instead of the eighth."""
    return half_life_days(context) + 7


def before_peak(context: Context) -> float:
    """Find the day on which half of the money had come in."""
    curve = festival_curve(context)
    return float(abs(curve.index[curve >= curve.max() / 2][0]) + 7)


# --------------------------------------------------------------------------------- E4 paragraph


def headline(context: Context) -> pd.DataFrame:
    """Return the numbers the paragraph may use."""
    from course_utils.analysis.deposits.share import mix_within

    months = context.parameters["COMPARE_MONTHS"]
    old, new = balances(context, months), balances(context, 0)
    effects = mix_within(old, new)[["mix", "within"]].sum()
    now = new["own"].sum() / new["market"].sum()
    then = old["own"].sum() / old["market"].sum()
    values = {"total_share": now, "total_change": now - then}
    values |= {"mix": effects["mix"], "within": effects["within"]}
    return pd.DataFrame({"value": values})


def paragraph(context: Context) -> str:
    """Return a paragraph that passes."""
    value = headline(context)["value"]
    return (
        f"我行存款总份额 {value['total_share']:.1%}，变化 {value['total_change'] * 100:+.2f} 个百分点，"
        f"其中市场结构贡献 {value['mix'] * 100:+.2f} 个百分点，"
        f"自身份额贡献 {value['within'] * 100:+.2f} 个百分点。"
        "建议对公部逐户走访单位活期客户，查清流向。"
    )


def _credited(answer: str, word: str) -> float | None:
    """Return the first number after a word in the same clause, without its sign."""
    found = re.search(rf"(?:{word})[^\d，。；,;]*?(\d+(?:\.\d+)?)", answer)
    return float(found.group(1)) if found else None


def credits_in_place(answer: str, context: Context) -> bool:
    """Say whether the parts of mix and within are not exchanged in the text."""
    value = headline(context)["value"]
    mix, within = abs(value["mix"]) * 100, abs(value["within"]) * 100
    if abs(mix - within) < 0.02:
        return True
    for word, own, other in (("结构", mix, within), ("自身|自己", within, mix)):
        number = _credited(answer, word)
        if number is not None and abs(number - other) < 0.006 < abs(number - own):
            return False
    return True


def change_in_points(answer: str, context: Context) -> bool:
    """Say whether no effect is written with a per cent sign."""
    effects = headline(context)["value"][["mix", "within"]].abs() * 100
    shown = [float(n) for n in re.findall(r"(\d+\.\d\d)\s*[%％]", answer)]
    return not any((abs(effects - number) < 0.006).any() for number in shown)


def praises(answer: str, context: Context) -> bool:
    """Say whether the text takes a change of the total share for strength."""
    return "竞争力" in answer and "自身" not in answer


QUESTIONS = [
    Question(
        "E1",
        "growth_share",
        growth_function,
        checks=(
            behaviour(
                Case("本行最近一年", real_pair),
                Case(
                    "市场缩小的项目",
                    lambda context: crafted_pair(80.0),
                    "市场不增反降的项目要返回空值：此时的比值没有意义。",
                ),
                Case(
                    "市场原地不动的项目",
                    lambda context: crafted_pair(100.0),
                    "市场增加额正好是零，也不能算增量份额：用 > 0 判断。",
                ),
                Case("本行下降的项目", lambda context: crafted_pair(150.0, own_now=20.0)),
                Case("市场只增长一点", lambda context: crafted_pair(100.5)),
                Relation(
                    "打乱行序",
                    real_pair,
                    shuffled_pair,
                    same,
                    "两张表的行序不同，结果不应改变：要按项目对齐，不能按位置。",
                ),
                compare=series(keys="项目"),
                signature=("now_table", "base_table"),
            ),
        ),
        hints=(
            "增量份额 ＝ 本行增加额 ÷ 市场增加额：先各算一次减法。",
            "两张表的索引都是项目，直接相减会自动按项目对齐。",
            "最后用 .where(市场增加额 > 0)：条件不成立的地方会变成空值。",
        ),
        misconceptions=(
            Misconception(
                "no_guard",
                "市场下降或没动的项目也给了数：分母为负或为零时，增量份额没有意义，应返回空值。",
                without_guard,
            ),
            Misconception(
                "stock_share",
                "你算的是存量份额（余额比余额）。增量份额要用增加额比增加额。",
                stock_share,
            ),
            Misconception(
                "zero_filled",
                "市场没有增长的项目填成了零。零会被读成“一点没拿到”，题目要的是空值（不适用）。",
                zero_filled,
            ),
            Misconception(
                "own_growth",
                "你算的是本行自己的增速。增量份额的分母是整个市场的增加额。",
                own_growth,
            ),
        ),
        shape="一个函数，返回一列数：索引是项目，值是增量份额（小数）",
    ),
    Question(
        "E2",
        "year_parts",
        year_parts,
        frame(["item"], ["mix", "within"]),
        checks=(
            invariants(
                Invariant(
                    "两部分之和等于总变化",
                    adds_up,
                    "结构效应与份额效应加起来，要正好等于总份额的变化：检查权数和份额是不是都用了两期平均。",
                ),
                columns=("mix", "within"),
            ),
        ),
        hints=(
            "照演示三做，只把起点换成一年前的那张表。",
            "一年前的月份是 now - pd.offsets.MonthEnd(12)。",
            "结构效应用两期平均的份额，份额效应用两期平均的比重。",
        ),
        misconceptions=(
            Misconception(
                "same_window",
                "时间窗口还是演示里的那一段，题目要的是最近一年。",
                window_parts,
            ),
            Misconception("swapped", "两列的名字放反了：结构效应是比重在变。", swapped),
            Misconception(
                "start_weights",
                "你只用了期初的比重和份额，两部分加起来会剩下一截：请改用两期的平均。",
                start_weights,
            ),
        ),
        inputs={"report": "market_share"},
    ),
    Question(
        "E3",
        "half_life_days",
        half_life_days,
        number(unit="天", absolute=3),
        checks=(
            covers(
                lambda context: context.truth["m02_n01"]["cny_half_life_days"]["realised"],
                interval=lambda answer: (float(answer) - 4, float(answer) + 4),
                margin=2,
            ),
        ),
        hints=(
            "峰值是曲线的最大值，.idxmax() 给出它在哪一天。",
            "只看峰值以后的部分：.loc[峰值那天:]。",
            "找到第一个不超过峰值一半的那天，再减去七。",
        ),
        misconceptions=(
            Misconception(
                "from_new_year",
                "你是从正月初一数起的，题目要从正月初八（第七天）数起。",
                from_new_year,
            ),
            Misconception(
                "before_peak",
                "你找到的是涨到一半的那天，题目要的是见顶以后跌到一半的那天。",
                before_peak,
            ),
        ),
        parameters=("DAYS_BEFORE", "DAYS_AFTER"),
    ),
    Question(
        "E4",
        "note",
        paragraph,
        checks=(
            written(
                Part("总份额", ("总份额",)),
                Part(
                    "变化来自哪里（结构、自身）",
                    ("结构.*自身", "自身.*结构", "结构.*自己", "自己.*结构"),
                ),
                Part("一条建议", ("建议", "下一步", "应当", "应由", "需要")),
                grounded_in=(headline,),
                quotes=(
                    Quote("总份额", lambda context: headline(context)["value"]["total_share"]),
                    Quote(
                        "总份额的变化", lambda context: headline(context)["value"]["total_change"]
                    ),
                    Quote("结构的贡献", lambda context: headline(context)["value"]["mix"]),
                    Quote("自身的贡献", lambda context: headline(context)["value"]["within"]),
                ),
                least_numbers=3,
                shortest=50,
                longest=120,
                forbidden=(("一定", "不能写“一定”：报表只能说明此消彼长，不能保证结果。"),),
            ),
            invariants(
                Invariant(
                    "结构与自身没有写反",
                    credits_in_place,
                    "结构和自身的两个数写反了：对照演示三，市场结构是 mix，自身份额是 within。",
                ),
                Invariant(
                    "变化写成百分点",
                    change_in_points,
                    "份额的变化要写“个百分点”：写成百分号，会被读成相对原来增减了百分之几。",
                ),
            ),
        ),
        hints=(
            "先写总份额和它的变化，再写结构与自身各占多少，最后写一条建议。",
            '数字只能从小表里来，用 f"{数值:.1%}" 这样的写法填进去。',
            "份额的变化写成“个百分点”，要乘以一百。",
        ),
        misconceptions=(
            Misconception(
                "praise",
                "总份额变化不等于竞争力变化：先写清楚结构贡献多少、自身贡献多少，再下判断。",
                matches=praises,
            ),
        ),
        parameters=("COMPARE_MONTHS",),
    ),
]

VARIATIONS = [{"COMPARE_MONTHS": 24, "DAYS_AFTER": 70}]

_NEAR = "曲线上差一天在题目允许的三天误差之内"
SURVIVORS = {
    "E3": {
        "L1 3→4": _NEAR,
        "L1 True→False": _NEAR,
        "L3 0→1": _NEAR,
        "L3 7→8": _NEAR,
    }
}
