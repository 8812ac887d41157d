"""Questions of m01_n02: stages for key customers, five gaps of the grid, 企微 judged fairly, a slide.

The references rebuild everything from the bank's own tables; nothing is taken from the notebook but
the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis.statistics import causal
from course_utils.exercises import (
    Context,
    Invariant,
    Misconception,
    Part,
    Question,
    Quote,
    covers,
    frame,
    invariants,
    written,
)

NOT_SPOKEN = {"未触达", "未接通", "空号"}
RATES = ("managed", "touched", "run")

# ------------------------------------------------------------------------------- E1 stages


def _branch(context: Context) -> str | None:
    return context.parameters["BRANCH"]


def _months(context: Context) -> pd.DataFrame:
    """Return persons and companies × the last six months, mean money of each month."""

    def build() -> pd.DataFrame:
        panel = context.load("customer_month", ["month", "customer_id", "aum_average"])
        last = sorted(panel["month"].unique())[-6:]
        panel = panel[panel["month"].isin(last)]
        table = panel.pivot_table("aum_average", "customer_id", "month", aggfunc="sum")
        return table.reindex(columns=last).fillna(0.0)

    return context.remember("m01_n02 months", build)


def _persons(context: Context) -> pd.DataFrame:
    """Return persons with what the manager did: named, touched, tags written, next step."""
    days = context.parameters["TOUCH_DAYS"]
    return context.remember(("m01_n02 persons", days), lambda: _build_persons(context, days))


def _build_persons(context: Context, days: int) -> pd.DataFrame:
    who = context.load("customer")
    who = who[who["customer_type"].astype(str) != "企业"].set_index("customer_id")
    log = context.load("contact_log")
    hours = (context.as_of - log["contact_time"]) / pd.Timedelta(days=1)
    log = log[(hours < days) & ~log["result"].astype(str).isin(NOT_SPOKEN)]
    pairs = set(zip(log["customer_id"], log["employee_id"].fillna(""), strict=True))
    boss = who["manager_id"].fillna("").astype(str)
    facts = who[["branch_id", "weight"]].copy()
    facts["weight"] = facts["weight"].astype(float)
    facts["managed"] = boss.ne("")
    by_boss = [pair in pairs for pair in zip(who.index, boss, strict=True)]
    facts["met"] = np.array(by_boss) & facts["managed"]
    tag = context.load("customer_tag")
    tag = tag[tag["valid"].astype(bool)]
    facts["tags"] = tag["customer_id"].value_counts().reindex(who.index).fillna(0.0)
    facts["next"] = who.index.isin(
        set(tag.loc[tag["tag"].astype(str) == "下一步动作", "customer_id"])
    )
    return facts


def _quarter(context: Context, months: int = 3) -> pd.Series:
    return _months(context).iloc[:, -months:].mean(axis=1)


def _stages(
    context: Context,
    money: pd.Series | None,
    *,
    weighted: bool = True,
    of_everyone: bool = False,
) -> pd.DataFrame:
    """Return rates and stage of every branch among customers who reach the floor."""
    p, data = context.parameters, _persons(context)
    if money is not None:
        data = data[money.reindex(data.index).fillna(0.0) >= p["KEY_FLOOR"]]
    if _branch(context) is not None:
        data = data[data["branch_id"] == _branch(context)]
    heavy = data["weight"] if weighted else data["weight"] * 0 + 1
    run = data["managed"] & (data["tags"] >= p["TAG_LINE"]) & data["next"]
    result = []
    for branch, rows in data.groupby("branch_id"):
        w = heavy[rows.index].to_numpy()
        named = w[rows["managed"]].sum()
        share = named / w.sum()
        under = w.sum() if of_everyone else named
        parts = [float(w[flag[rows.index]].sum()) for flag in (data["met"], run)]
        touched, running = (part / under if under else np.nan for part in parts)
        if share < p["MANAGED_LINE"] or touched < p["TOUCH_LINE"]:
            stage = 1
        else:
            stage = 3 if running >= p["RUN_LINE"] else 2
        result.append((branch, share, touched, running, stage))
    return pd.DataFrame(result, columns=["branch_id", *RATES, "stage"]).set_index("branch_id")


def key_stages(context: Context) -> pd.DataFrame:
    """Return the stages among key customers."""
    return _stages(context, _quarter(context))


def all_customers(context: Context) -> pd.DataFrame:
    """Forget to keep key customers only."""
    return _stages(context, None)


def last_month(context: Context) -> pd.DataFrame:
    """Take the last month in place of the quarter."""
    return _stages(context, _quarter(context, 1))


def rows_not_weights(context: Context) -> pd.DataFrame:
    """Count rows of the sample."""
    return _stages(context, _quarter(context), weighted=False)


def share_of_everyone(context: Context) -> pd.DataFrame:
    """Divide touched and run by all customers."""
    return _stages(context, _quarter(context), of_everyone=True)


def _stage_known(answer: pd.DataFrame, context: Context) -> bool:
    return bool(pd.to_numeric(answer["stage"], errors="coerce").isin([1, 2, 3]).all())


def _within(answer: pd.DataFrame, context: Context) -> bool | str:
    for name, word in zip(RATES, ("管户率", "本人触达率", "经营率"), strict=True):
        values = pd.to_numeric(answer[name], errors="coerce").dropna()
        if not values.between(0, 1 + 1e-9).all():
            return f"{word}不在 0 到 1 之间：分子要是分母的一部分，用小数、不要乘一百。"
    return True


# ------------------------------------------------------------------------------- E2 five gaps

CLASSES = {"工薪": "居民", "其他": "居民", "企业主": "企业"}


def _sixty(context: Context, residents: bool = False) -> pd.DataFrame:
    """Return the trades of the grid that have enough rows: kind, trade, customers, borrowers."""
    who = context.load("customer")
    if _branch(context) is not None:
        who = who[who["branch_id"] == _branch(context)]
    segment = who["segment"].astype(object)
    who = who.assign(kind=segment.map(lambda s: CLASSES.get(s, s)))
    firm = context.load("enterprise")[["customer_id", "industry_code"]]
    words = context.load("industry")[["industry_code", "trade_group"]]
    line = firm.merge(words, on="industry_code").set_index("customer_id")["trade_group"]
    own = who["trade"].astype(object)
    who["trade"] = own.where(own.notna(), who["customer_id"].map(line.astype(object)))
    who = who[who["trade"].notna() & who["kind"].notna()]
    loan = context.load("loan")
    now = set(loan.loc[loan["settle_date"].isna(), "customer_id"])
    who["w"] = who["weight"].astype(float)
    who["w2"] = who["w"] ** 2
    who["b"] = who["w"] * who["customer_id"].isin(now)
    cells = who.groupby(["kind", "trade"])[["w", "w2", "b"]].sum().reset_index()
    cells["effective"] = cells["w"] ** 2 / cells["w2"]
    cells = cells.sort_values(["w", "trade"], ascending=[False, True])
    cells = cells[cells.groupby("kind").cumcount() < context.parameters["PER_CLASS"]]
    limit = min(context.parameters["SMALL_CELL"], cells["effective"].max())
    cells = cells[cells["effective"] >= limit]
    return cells if residents else cells[cells["kind"] != "居民"]


def _gaps(
    context: Context,
    level: Callable[[pd.DataFrame], float],
    counted: bool = True,
    residents: bool = False,
) -> pd.DataFrame:
    """Return the five largest gaps to a level of the class."""
    cells = _sixty(context, residents)
    kinds = {kind: level(part) for kind, part in cells.groupby("kind")}
    gap = cells["kind"].map(kinds).astype(float) - cells["b"] / cells["w"]
    cells = cells.assign(gap=np.maximum(gap, 0.0) * (cells["w"] if counted else 1.0))
    cells = cells[cells["gap"] > 0].sort_values("gap", ascending=False, kind="stable")
    return cells[["kind", "trade", "gap"]].head(5).reset_index(drop=True)


def _weighted_level(part: pd.DataFrame) -> float:
    return float(part["b"].sum() / part["w"].sum())


def five_gaps(context: Context) -> pd.DataFrame:
    """Return the five trades with most customers to win."""
    return _gaps(context, _weighted_level)


def simple_mean(context: Context) -> pd.DataFrame:
    """Take the plain mean of the trades' rates for the class."""
    return _gaps(context, lambda part: float((part["b"] / part["w"]).mean()))


def lowest_rate(context: Context) -> pd.DataFrame:
    """Rank by the distance of rates and forget how many customers there are."""
    return _gaps(context, _weighted_level, counted=False)


def with_residents(context: Context) -> pd.DataFrame:
    """Let residents in, pensioners among them."""
    return _gaps(context, _weighted_level, residents=True)


def whole_bank_level(context: Context) -> pd.DataFrame:
    """Compare every trade with all classes together."""
    level = _weighted_level(_sixty(context))
    return _gaps(context, lambda part: level)


# ------------------------------------------------------------------------------- E3 企微

BASIC = ("money", "money2", "age", "tenure")
KNOWN = ("contacts", "tags", "has_manager", "branch_id")


def _stayers(context: Context) -> pd.DataFrame:
    """Return one row a person who can be judged: kept, 企微 and what was known before."""
    p, table = context.parameters, _months(context)
    who = context.load("customer").set_index("customer_id")
    before, after = table.iloc[:, :3].mean(axis=1), table.iloc[:, 3:].mean(axis=1)
    data = who[who["customer_type"].astype(str) != "企业"].copy()
    data["old"] = before.reindex(data.index).fillna(0.0)
    data = data[(data["old"] >= p["BASE_FLOOR"]) & (data["open_date"] <= table.columns[0])]
    now = after.reindex(data.index).fillna(0.0)
    data["kept"] = (now >= p["KEPT_LINE"] * data["old"]).astype(float)
    end = table.columns[2]
    log = context.load("contact_log")
    log = log[log["purpose"].astype(str) == "日常"]
    ago = (end - log["contact_time"].dt.normalize()).dt.days
    calls = log.loc[ago.between(0, 181), "customer_id"].value_counts()
    data["contacts"] = calls.reindex(data.index).fillna(0.0)
    history = context.load("customer_product_history")
    history = history[(history["item"].astype(str) == "企业微信") & (history["from_date"] <= end)]
    data["wechat"] = data.index.isin(set(history["customer_id"])).astype(float)
    data["tags"] = _persons(context)["tags"].reindex(data.index)
    data["has_manager"] = data["manager_id"].notna().astype(float)
    data["money"] = np.log(data["old"] + 100)
    data["money2"] = (data["money"] - data["money"].mean()) ** 2
    years = context.as_of.year - data["birth_year"].astype("float64")
    data["age"] = years.fillna(years.median())
    data["tenure"] = (context.as_of - data["open_date"]).dt.days / 365.25
    return data[["kept", "wechat", *BASIC, *KNOWN]]


def _estimates(context: Context) -> dict[str, dict[str, float]]:
    """Return raw, basic and doubly robust comparison (made once)."""
    p = context.parameters
    key = ("m01_n02 wechat", tuple(p["TRIM"]), p["KEPT_LINE"], p["BASE_FLOOR"])

    def build() -> dict[str, dict[str, float]]:
        rows, trim = _stayers(context), tuple(p["TRIM"])
        robust = causal.doubly_robust
        few = {"cluster": "branch_id", "trim": trim}
        return {
            "raw": causal.regression_effect(rows, "kept", "wechat", cluster="branch_id"),
            "basic": robust(rows, "kept", "wechat", BASIC, **few),
            "no_tags": robust(rows, "kept", "wechat", [*BASIC, "contacts", "branch_id"], **few),
            "full": robust(rows, "kept", "wechat", [*BASIC, *KNOWN], **few),
        }

    return context.remember(key, build)


def wechat_effect(context: Context) -> tuple[float, float, float]:
    """Return the doubly robust estimate with its interval."""
    full = _estimates(context)["full"]
    return full["estimate"], full["low"], full["high"]


def _three(answer: Any) -> list[float] | None:
    values = list(answer.values()) if isinstance(answer, dict) else answer
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == 3 and np.isfinite(numbers).all() else None


def _is_interval(answer: Any, context: Context) -> bool | str:
    numbers = _three(answer)
    if numbers is None:
        return "要三个数，依次是差距、下限、上限。"
    middle, low, high = numbers
    if not low < middle < high:
        return "下限要小于差距，差距要小于上限：检查三个数的次序。"
    return max(abs(low), abs(high)) < 1 or "要小数，不要乘一百：两个百分点写成 0.02。"


def _covers_ours(answer: Any, context: Context) -> bool | str:
    numbers = _three(answer)
    full = _estimates(context)["full"]
    if not numbers[1] <= full["estimate"] <= numbers[2]:
        return "区间盖不住检查时重算的双重稳健结果：还有条件没有校正，看演示四的平衡表。"
    width = (numbers[2] - numbers[1]) / (full["high"] - full["low"])
    if width < 0.6:
        return "区间太窄：同一家网点的客户不是互不相干的，误差要按网点聚类。"
    return width <= 1.8 or "区间太宽，说明不了什么：检查置信水平和截尾。"


def _near_other(name: str) -> Callable[[Any, Context], bool]:
    """Return whether an answer is the comparison that leaves just these conditions out."""

    def matches(answer: Any, context: Context) -> bool:
        numbers = _three(answer)
        if numbers is None:
            return False
        apart = {}
        for key, found in _estimates(context).items():
            wanted = [found["estimate"], found["low"], found["high"]]
            apart[key] = float(np.abs(np.subtract(numbers, wanted)).max())
        return apart[name] < 0.002 and apart[name] == min(apart.values())

    return matches


def _planted(context: Context) -> float:
    """Return the effect that the generator realised in this bank."""
    return float(context.truth["m01_n02"]["wechat_true"]["realised"])


def _percent(answer: Any, context: Context) -> bool:
    numbers = _three(answer)
    return numbers is not None and max(abs(number) for number in numbers) >= 1


# ------------------------------------------------------------------------------- E4 the slide


def _numbers(context: Context) -> dict[str, float]:
    """Return the numbers an honest slide may quote."""
    found = _estimates(context)
    full = {name: found["full"][name] for name in ("estimate", "low", "high")}
    return {"raw": found["raw"]["estimate"], **full}


def _points(context: Context) -> dict[str, float]:
    """Return the same numbers and the trainee's own in percentage points, for lists of numbers."""
    own = _three(context.variables.get("wechat_effect", ())) or []
    mine = {f"own_{place}": number * 100 for place, number in enumerate(own)}
    return {name: number * 100 for name, number in _numbers(context).items()} | mine


def honest(context: Context) -> str:
    """Return a text that passes."""
    n = {name: value * 100 for name, value in _numbers(context).items()}
    return (
        f"加企微的客户留存率直接比高 {n['raw']:.1f} 个百分点；在资产、年龄、联系、标签和网点都相像的客户之间比，"
        f"高 {n['estimate']:.1f} 个百分点（区间 {n['low']:.1f} 到 {n['high']:.1f}）。钱多的人本来就更容易加企微，"
        "所以不能说存款是企微带来的。下一步随机抽签决定先后邀请，留出对照组，半年后再比。"
    )


def _quotes_effect(answer: str, context: Context) -> bool | str:
    """Accept the checker's adjusted gap or the trainee's own from E3."""
    from course_utils.exercises.written import quoted_numbers

    own = _three(context.variables.get("wechat_effect", ()))
    wanted = [_numbers(context)["estimate"], *([own[0]] if own else [])]
    for number in quoted_numbers(answer):
        for scale in number.scales:
            if any(
                abs(abs(value) / scale - number.value) <= number.half_step + 1e-9
                for value in wanted
            ):
                return True
    return "没有写出补齐条件以后的差距：用练习三的 wechat_effect。"


def _still_causal(answer: Any, context: Context) -> bool:
    words = ("带来了", "使客户", "导致", "提升了")
    return (
        isinstance(answer, str) and any(word in answer for word in words) and "不能" not in answer
    )


def _no_test(answer: Any, context: Context) -> bool:
    return isinstance(answer, str) and not any(word in answer for word in ("随机", "抽签", "对照"))


# ---------------------------------------------------------------------------------- questions

E1_RULES = invariants(
    Invariant("比率在 0 到 1 之间", _within, "比率要在 0 到 1 之间。"),
    Invariant("阶段只有三种", _stage_known, "阶段只能是 1、2、3。"),
    columns=("branch_id", *RATES, "stage"),
)
E3_RULES = invariants(
    Invariant("三个数", _is_interval, "要三个数，依次是差距、下限、上限。"),
    Invariant("盖住重算的结果", _covers_ours, "区间盖不住检查时重算的结果。"),
)
E4_RULES = written(
    Part("直接比的差距", ("直接比", "直接差", "没校正", "不校正", "未校正", "两组客户")),
    Part("校正以后", ("校正", "相像", "可比", "补齐")),
    Part("不能说什么", ("不能", "不等于", "不代表")),
    Part("怎么证明（随机或对照）", ("随机", "抽签", "对照")),
    grounded_in=("effects", "wechat_effect", _numbers, _points),
    quotes=(Quote("直接比的差距", lambda context: _numbers(context)["raw"]),),
    least_numbers=3,
    shortest=80,
    longest=220,
    forbidden=(("保证", "不能写“保证”：这是同时出现，不是带来。"),),
)

QUESTIONS = [
    Question(
        "E1",
        "key_stages",
        key_stages,
        frame(["branch_id"], [*RATES, "stage"]),
        checks=(E1_RULES,),
        hints=(
            "先把重点客户筛出来，再按网点数三个比率，最后套阶段的规则。",
            "近三个月的平均用 wide 的最后三列；管户率的分母是全部重点客户，另两个的分母是有管户的。",
            "stage_rates 可以直接用：把 scope 里资产达到 KEY_FLOOR 的行交给它。",
        ),
        misconceptions=(
            Misconception(
                "all_customers", "没有筛重点客户：题目只看季日均资产达线的。", all_customers
            ),
            Misconception("last_month", "用了最后一个月：资产要用近三个月的平均。", last_month),
            Misconception(
                "rows_not_weights", "数了样本行：每一行代表若干户，要按权数加总。", rows_not_weights
            ),
            Misconception(
                "share_of_everyone",
                "触达率和经营率的分母用了全部客户：应当除以有管户的客户。",
                share_of_everyone,
            ),
        ),
        parameters=(
            "BRANCH",
            "KEY_FLOOR",
            "TOUCH_DAYS",
            "TAG_LINE",
            "MANAGED_LINE",
            "TOUCH_LINE",
            "RUN_LINE",
        ),
    ),
    Question(
        "E2",
        "five_gaps",
        five_gaps,
        frame(["trade"], ["kind", "gap"], order=True),
        hints=(
            "分三步：本类渗透、本业差多少、乘户数。",
            "本类渗透要加权：本类的借款户数之和 ÷ 户数之和，用 groupby('kind').transform('sum') 接回每一行。",
            "gap = customers * (本类渗透 - rate).clip(lower=0)，去掉零，nlargest(5, 'gap')。",
        ),
        misconceptions=(
            Misconception(
                "simple_mean",
                "本类渗透用了简单平均：小业态和大业态一样重，要按户数加权。",
                simple_mean,
            ),
            Misconception(
                "lowest_rate", "没有乘户数：比率差得多而人很少的业态，做不出几户。", lowest_rate
            ),
            Misconception(
                "with_residents",
                "居民类也算进来了：退休、在校的业态渗透低是应当的，只看农户、商户、企业。",
                with_residents,
            ),
            Misconception(
                "whole_bank_level",
                "和全部业态的平均比了：农户和商户本来就不同，要和同一类比。",
                whole_bank_level,
            ),
        ),
        parameters=("BRANCH", "SMALL_CELL", "PER_CLASS"),
    ),
    Question(
        "E3",
        "wechat_effect",
        wechat_effect,
        checks=(E3_RULES, covers(_planted, interval=lambda answer: (answer[1], answer[2]))),
        hints=(
            "漏掉的条件有四样：联系次数、有效标签数、有没有管户、在哪家网点，base 里都有。",
            "causal.doubly_robust(表, 结果, 分组, 条件的列表, cluster=..., trim=...)，返回字典。",
            "条件是 [*CONTROLS, 'contacts', 'tags', 'has_manager', 'branch_id']，取 estimate、low、high。",
        ),
        misconceptions=(
            Misconception(
                "in_percent", "乘了一百：要小数，两个百分点写成 0.02。", matches=_percent
            ),
            Misconception(
                "raw_gap",
                "这是没有校正的差距：加企微的人本来就钱多、和经理熟。",
                matches=_near_other("raw"),
            ),
            Misconception(
                "money_and_age_only",
                "只校正了钱、年龄和户龄：联系、标签、管户和网点还没有放进去。",
                matches=_near_other("basic"),
            ),
            Misconception(
                "contacts_without_tags",
                "放了联系次数和网点，漏了有效标签数和有没有管户：经理熟不熟没有校正。",
                matches=_near_other("no_tags"),
            ),
        ),
        parameters=("TRIM", "KEPT_LINE", "BASE_FLOOR"),
        shape="三个数，依次是：差距、下限、上限",
    ),
    Question(
        "E4",
        "honest",
        honest,
        checks=(
            E4_RULES,
            invariants(
                Invariant("写出校正后的差距", _quotes_effect, "没有写出补齐条件以后的差距。")
            ),
        ),
        hints=(
            "四句话：直接比差多少；相像的人比差多少；不能说什么；怎么证明。",
            "直接比的差距在 effects 的第一行，乘一百写成个百分点；校正后的用 wechat_effect。",
            "“……直接比高 x 个百分点；校正以后高 y 个百分点（区间 a 到 b）。……不能说……。下一步随机……对照……”",
        ),
        misconceptions=(
            Misconception(
                "still_causal",
                "还在写“带来”“使”：数据只说明同时出现，请写清楚什么不能说。",
                matches=_still_causal,
            ),
            Misconception(
                "no_test",
                "没有写怎么证明：要有随机分组或者对照组。",
                matches=_no_test,
            ),
        ),
        parameters=("TRIM", "KEPT_LINE", "BASE_FLOOR", "CLAIM"),
    ),
]

VARIATIONS = [{"BRANCH": "B03"}, {"KEY_FLOOR": 200_000, "RUN_LINE": 0.25}, {"SMALL_CELL": 60}]

_ALSO = "题目收下任何盖得住重算结果的稳妥算法："
SURVIVORS = {
    "E3": {
        "L1 “contacts”→“speed”": _ALSO + "标签数已经带走了联系次数的大部分差别",
        "L1 “has_manager”→“weight”": _ALSO + "有没有管户大半已由标签数和网点说明",
        "L1 “branch_id”→“manager_id”": _ALSO + "管户经理比网点分得更细",
        "L1 列表少最后一项": _ALSO + "网点之间的差别大半已由标签数和管户说明",
        "L1 列表少第一项": _ALSO + "资产的平方还在，两组资产仍然相近",
        "L2 “branch_id”→“manager_id”": _ALSO + "按经理聚类也是一种站得住的误差",
        "提前四舍五入": _ALSO + "差距和区间四舍五入以后仍盖得住",
    }
}
