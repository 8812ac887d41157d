"""Questions of m03_n03: rules B and C, precision by keyword kind, tiers of leads, an opening.

The references read the bank's own tables; the rhythm, the keyword and the interval are computed
here with plain arrays, not with the functions that the lesson uses.
"""

from __future__ import annotations

import re
import unicodedata
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
    flag,
    frame,
    invariants,
    partition,
    same,
    written,
)

Rule = Callable[[pd.DataFrame], bool]
ONLINE = ("消费金融", "网络小贷", "平台")

# ------------------------------------------------------------------------------- statement lines


def plain(name: str) -> str:
    """Return a counterparty's name without brackets, blanks and legal form."""
    text = unicodedata.normalize("NFKC", str(name))
    text = re.sub(r"\(.*?\)|\[.*?\]|【.*?】", "", text)
    text = re.sub(r"[\s·.,。*_\-]", "", text)
    for tail in ("股份有限公司", "有限责任公司", "有限公司", "公司"):
        if text.endswith(tail):
            return text.removesuffix(tail)
    return text


def kind_of(name: str, words: pd.DataFrame) -> str | None:
    """Return the kind of the longest online keyword inside a plain name."""
    best = ""
    for word, kind in zip(words["keyword"], words["lender_kind"], strict=True):
        if kind in ONLINE and word in name and len(word) > len(best):
            best = word
    return None if not best else str(words.set_index("keyword")["lender_kind"][best])


def lines(context: Context) -> pd.DataFrame:
    """Return the statements with ``payee`` and ``kind_hit`` (made once)."""
    return context.remember("lines", lambda: _lines(context))


def _lines(context: Context) -> pd.DataFrame:
    fields = ["customer_id", "date", "amount", "direction", "kind"]
    fields += ["counterparty_name", "counterparty_type", "memo"]
    table = context.load("transaction", ["transaction_id", *fields])
    words = context.load("lender_keyword").astype(str)
    names = table["counterparty_name"].dropna().unique()
    payee = {name: plain(name) for name in names}
    kind = {name: kind_of(payee[name], words) for name in names}
    return table.assign(
        payee=table["counterparty_name"].map(payee), kind_hit=table["counterparty_name"].map(kind)
    )


def steady_streams(context: Context, rows: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the (customer, payee) of rows, all outgoing, that pass rule C."""
    rule = rhythm(context)
    good = set()
    for key, part in rows.groupby(["customer_id", "payee"]):
        if len(part) >= 2 and rule(part):
            good.add(key)
    return good


# ------------------------------------------------------------------------------------ E1 the rules


def rhythm(context: Context) -> Rule:
    """Return the reference function for the parameters in force."""
    least, (low, high) = context.parameters["MIN_TIMES"], context.parameters["GAP_DAYS"]
    most = context.parameters["MAX_CV"]

    def is_repaying(stream: pd.DataFrame) -> bool:
        out = stream.loc[stream["direction"].astype(str) == "支出"]
        if len(out) < max(least, 2):
            return False
        days = np.sort(out["date"].to_numpy().astype("datetime64[D]").astype(np.int64))
        money = out["amount"].to_numpy(dtype=float)
        spread = float(np.sqrt(((money - money.mean()) ** 2).sum() / (len(money) - 1)))
        return bool(low <= np.median(np.diff(days)) <= high and spread / money.mean() < most)

    return is_repaying


def both_directions(context: Context) -> Rule:
    """Count payouts as if they were repayments."""
    rule = rhythm(context)
    return lambda stream: rule(stream.assign(direction="支出"))


def every_gap(context: Context) -> Rule:
    """Ask that every single gap is a month."""
    rule, (low, high) = rhythm(context), context.parameters["GAP_DAYS"]

    def wrong(stream: pd.DataFrame) -> bool:
        out = stream[stream["direction"] == "支出"].sort_values("date")
        gaps = out["date"].diff().dt.days.dropna()
        return rule(stream) and bool(gaps.between(low, high).all())

    return wrong


def as_they_come(context: Context) -> Rule:
    """Take the rows in the order in which they stand."""
    least, (low, high) = context.parameters["MIN_TIMES"], context.parameters["GAP_DAYS"]
    most = context.parameters["MAX_CV"]

    def wrong(stream: pd.DataFrame) -> bool:
        out = stream[stream["direction"] == "支出"]
        if len(out) < least:
            return False
        gap = out["date"].diff().dt.days.median()
        return bool(low <= gap <= high and out["amount"].std() / out["amount"].mean() < most)

    return wrong


def _stream(
    gaps: list[float], amounts: list[float] | float = 600.0, direction: str = "支出"
) -> pd.DataFrame:
    """Return a stream that starts on 2025-01-08 and goes on with the given gaps."""
    days = np.cumsum([0, *gaps])
    date = pd.Timestamp("2025-01-08") + pd.to_timedelta(days, unit="D")
    return pd.DataFrame(
        {"date": date, "amount": np.broadcast_to(amounts, len(days)), "direction": direction}
    )


def _given(gaps: list[float], amounts: Any = 600.0) -> Callable[[Context], Any]:
    return lambda context: (_stream(gaps, amounts),)


def _at_gap(which: int, more: int = 0) -> Callable[[Context], Any]:
    """Return payments spaced at a limit of GAP_DAYS."""
    return lambda context: (
        _stream([context.parameters["GAP_DAYS"][which] + more] * context.parameters["MIN_TIMES"]),
    )


def _times(more: int) -> Callable[[Context], Any]:
    """Return MIN_TIMES + more monthly payments."""
    return lambda context: (_stream([30] * (context.parameters["MIN_TIMES"] + more - 1)),)


def _spread(share: float) -> Callable[[Context], Any]:
    """Return three payments whose cv is the given multiple of MAX_CV."""

    def arguments(context: Context) -> tuple[pd.DataFrame]:
        step = 100 * context.parameters["MAX_CV"] * share
        return (_stream([30, 30], [100 - step, 100.0, 100 + step]),)

    return arguments


def _with_payouts(context: Context) -> tuple[pd.DataFrame]:
    paid = _stream([30] * 5)
    got = _stream([60, 60], 5000.0, "收入")
    got["date"] += pd.Timedelta(days=3)
    return (pd.concat([paid, got], ignore_index=True).sort_values("date", ignore_index=True),)


def _shuffled(context: Context) -> tuple[pd.DataFrame]:
    return (_stream([31, 29, 30, 31, 30]).iloc[[3, 0, 5, 1, 4, 2]],)


_CV = "变异系数用 std() 除以 mean()，要严格小于 MAX_CV。"
_GAP = "间隔的中位数落在 GAP_DAYS 之间，两端都算。"
E1_CASES = behaviour(
    Case("每月一次，金额一样", _given([30] * 5)),
    Case("刚好够次数", _times(0), "刚好 MIN_TIMES 次的算够。"),
    Case("差一次", _times(-1), "不到 MIN_TIMES 次的不算。"),
    Case("一行也没有", lambda context: (_stream([30]).head(0),), "一行也没有，返回 False。"),
    Case("间隔刚好在下限", _at_gap(0), _GAP),
    Case("间隔比下限少一天", _at_gap(0, -1), _GAP),
    Case("间隔刚好在上限", _at_gap(1), _GAP),
    Case("间隔比上限多一天", _at_gap(1, 1), _GAP),
    Case("漏了一个月", _given([30, 61, 30, 31]), "漏一个月不要紧：看间隔的中位数。"),
    Case("停了半年又还", _given([30, 30, 180, 30]), "看中位数，不看平均数。"),
    Case("大半间隔不对", _given([7, 30, 7, 8]), "看中位数：多数间隔不像按月还。"),
    Case("金额刚好到线", _spread(1.0), _CV),
    Case("金额差一点到线", _spread(0.96), _CV),
    Case("金额刚过线", _spread(1.04), _CV),
    Case("金额忽大忽小", _given([30] * 3, [100.0, 900.0, 50.0, 400.0]), _CV),
    Case("全是收到的钱", lambda c: (_stream([30] * 5, 600.0, "收入"),), "收到的钱不是还款。"),
    Case("中间夹着放款", _with_payouts, "放款是收入，先去掉，再看还款的节拍。"),
    Case("行的顺序是乱的", _shuffled, "流水的顺序随意，先按日期排好。"),
    Relation("金额都翻倍", _given([30] * 4, [90.0, 100, 110, 95, 105]),
             _given([30] * 4, [180.0, 200, 220, 190, 210]), same, "金额都翻倍，节拍不变。"),
    compare=flag(),
    signature=("stream",),
)  # fmt: skip


def _real_streams(context: Context) -> list[tuple[pd.DataFrame, bool]]:
    """Return some real streams of keyword payees, with what the rule says."""
    rows = lines(context)
    hits = rows[rows["kind_hit"].notna()][["customer_id", "payee", "date", "amount", "direction"]]
    rule = rhythm(context)
    parts = [part for _, part in hits.groupby(["customer_id", "payee"]) if len(part) >= 2]
    return [(part, rule(part)) for part in parts[:: max(1, len(parts) // 120)]]


def _found_again(answer: Any, context: Context) -> bool | str:
    """Find nine tenths of the reference's streams and be right nine times out of ten."""
    real = context.remember("real streams", lambda: _real_streams(context))
    try:
        said = [bool(answer(part.copy())) for part, _ in real]
    except Exception:
        return "有真实的流水让函数出错了，检查行数不够的情况。"
    truth = np.array([right for _, right in real])
    mine = np.array(said)
    hit = int((mine & truth).sum())
    if truth.any() and hit < 0.9 * truth.sum():
        return f"抽查的 {len(real)} 条真实流水里，像还款的你只认出了 {hit / truth.sum():.0%}。"
    if mine.any() and hit < 0.9 * mine.sum():
        return (
            f"抽查的 {len(real)} 条真实流水里，你认出来的有 {1 - hit / mine.sum():.0%} 不像还款。"
        )
    return True


E1 = Question(
    "E1",
    "is_repaying",
    rhythm,
    checks=(
        E1_CASES,
        invariants(Invariant("真实流水", _found_again, "真实流水里认错了不少。")),
    ),
    hints=(
        "按规则的顺序写：先留下支出，再数次数，再看间隔，最后看金额。",
        "间隔：先按 date 排序，再用 diff().dt.days 得到天数，取 median()。",
        '次数不够先 return False；最后 return bool(GAP_DAYS[0] <= gap <= GAP_DAYS[1] and cv < MAX_CV)，'
        "cv 是 std() 除以 mean()。",
    ),
    misconceptions=(
        Misconception(
            "as_they_come",
            "你没有先按日期排序：行的顺序一乱，间隔就成了负数或大得离谱。",
            as_they_come,
        ),
        Misconception(
            "both_directions",
            "放款也被你算进来了：规则 B 只看支出，放款会把间隔和金额都搅乱。",
            both_directions,
        ),
        Misconception(
            "every_gap",
            "你要求每个间隔都合格：客户漏一个月就认不出来了。看间隔的中位数。",
            every_gap,
        ),
    ),
    parameters=("MIN_TIMES", "GAP_DAYS", "MAX_CV"),
    shape="一个函数 is_repaying(stream)，返回 True 或 False",
)  # fmt: skip

# ------------------------------------------------------------------- E2 precision by keyword kind


def labelled(context: Context) -> pd.DataFrame:
    """Return the labelled lines that a keyword hits, with ``half`` (0 to learn, 1 to check)."""
    sample = context.load("label_sample")
    sample = sample[sample["task"].astype(str) == "网贷识别"].sort_values("sample_id")
    sample = sample.assign(half=np.arange(len(sample)) % 2)
    table = sample.set_index("left_id").join(lines(context).set_index("transaction_id"))
    return table[table["kind_hit"].notna()]


def _precision(rows: pd.DataFrame, method: str = "wilson") -> pd.DataFrame:
    """Return n, rate and interval by keyword kind."""
    from course_utils.libraries import need

    proportion_confint = need("statsmodels.stats.proportion").proportion_confint

    result = {}
    for kind, part in rows.groupby("kind_hit"):
        right, n = int(part["true_label"].astype(bool).sum()), len(part)
        low, high = proportion_confint(right, n, method=method)
        result[kind] = {"n": n, "rate": right / n, "low": low, "high": high}
    return pd.DataFrame(result).T.rename_axis("lender_kind")


def kind_precision(context: Context) -> pd.DataFrame:
    """Return the reference table."""
    return _precision(labelled(context))


def rhythm_too(context: Context) -> pd.DataFrame:
    """Measure keyword and rhythm together."""
    rows = lines(context)
    paid = rows[rows["kind_hit"].notna() & (rows["direction"] == "支出")]
    steady = steady_streams(context, paid)
    table = labelled(context)
    keys = zip(table["customer_id"], table["payee"], strict=True)
    return _precision(table[[key in steady for key in keys]])


def plain_interval(context: Context) -> pd.DataFrame:
    """Use the normal interval, which leaves 0-1 and is too narrow near 1."""
    table = _precision(labelled(context))
    error = 1.96 * np.sqrt(table["rate"] * (1 - table["rate"]) / table["n"])
    return table.assign(low=table["rate"] - error, high=table["rate"] + error)


def one_half_only(context: Context) -> pd.DataFrame:
    """Use only the half that was kept for the check."""
    table = labelled(context)
    return _precision(table[table["half"] == 1])


E2 = Question(
    "E2",
    "kind_precision",
    kind_precision,
    compare=frame(["lender_kind"], ["n", "rate", "low", "high"]),
    hints=(
        "先留下只用关键词命中的样本，再按 lender_kind 分组，数一数有几个、对几个。",
        'audit[audit["hit"]] 按 lender_kind 分组，对 true_label 用 agg(["sum", "size"])。',
        "experiment.wilson(对的个数, 总个数) 直接给出 rate、low、high；再把总个数放进 n 列。",
    ),
    misconceptions=(
        Misconception(
            "rhythm_too",
            "你把周期规则也用上了。这道题问的是只用关键词时哪一类最容易误伤。",
            rhythm_too,
        ),
        Misconception(
            "one_half_only",
            "你只用了验收的一半。这道题两半都用，样本多一倍，区间更窄。",
            one_half_only,
        ),
        Misconception(
            "plain_interval",
            "区间用的是正态近似：准确率接近一时它会超出范围，也偏窄。用 experiment.wilson。",
            plain_interval,
        ),
    ),
)

# --------------------------------------------------------------------------- E3 tiers of the leads


def confirmed(context: Context) -> list[str]:
    """Return the payees without a keyword whose payments look like repayments."""
    rows = lines(context)
    firms = rows[
        rows["kind_hit"].isna() & (rows["direction"] == "支出")
        & (rows["counterparty_type"] == "企业") & rows["kind"].isin(["转账", "放款", "还款", "自动还款"])
    ]  # fmt: skip
    steady = steady_streams(context, firms)
    keys = zip(firms["customer_id"], firms["payee"], strict=True)
    kept = firms[[key in steady for key in keys]]
    like = kept["memo"].astype(object).fillna("").astype(str).str.contains("还款|代扣|扣款")
    share = like.groupby(kept["payee"]).mean()
    return list(share.index[share > 0.5])


def people(context: Context) -> pd.DataFrame:
    """Return who uses online loans now, with what the tiers need (made once)."""
    return context.remember("people", lambda: _people(context))


def _people(context: Context) -> pd.DataFrame:
    from course_utils.analysis import leads

    setting = context.parameters
    rows, words = lines(context), context.load("lender_keyword")
    extra = confirmed(context)
    pairs = leads.lender_pairs(
        rows, words, extra, least=setting["MIN_TIMES"], days=tuple(setting["GAP_DAYS"]),
        most_cv=setting["MAX_CV"],
    )  # fmt: skip
    table = leads.lender_features(
        rows, words, context.as_of, extra, setting["RECENT_DAYS"], pairs=pairs
    )
    table = table[table["online_lenders"] >= 1]
    who = context.load("customer").set_index("customer_id")
    who = who[who["customer_type"] != "企业"]
    table = table[table.index.isin(who.index)].join(who)
    low, high = setting["AGE_RANGE"]
    consent = context.load("consent")
    valid = consent["expire_date"].isna() | (consent["expire_date"] >= context.as_of)
    yes = set(consent.loc[(consent["scope"] == "营销") & consent["granted"].astype(bool) & valid,
                          "customer_id"])  # fmt: skip
    age = (context.as_of.year - table["birth_year"]).astype(float)
    table["may_call"] = [
        a >= low and a <= high and s == "正常" and o != "学生" and bool(p) and not bool(d) and c in yes
        for a, s, o, p, d, c in zip(age, table["status"], table["occupation"], table["phone_valid"],
                                    table["do_not_call"], table.index, strict=True)
    ]  # fmt: skip
    loan = context.load("loan")
    late = loan[(loan["overdue_days"] >= 1) | ~loan["five_class"].isin(["正常", "关注"])]
    table["late"] = table.index.isin(set(late["customer_id"]))
    return table


def _tiers(
    context: Context, burden: str = "total_burden", wishes: bool = True, everybody: bool = True
) -> pd.DataFrame:
    """Give every lead a tier, one after the other."""
    setting = context.parameters
    result = []
    for who, row in people(context).iterrows():
        if not row["may_call"] and not everybody:
            continue
        if wishes and not row["may_call"]:
            tier = "不联系"
        elif row["online_lenders"] >= setting["REFUSE_LENDERS"] or row["late"]:
            tier = "不做"
        elif row["online_lenders"] >= setting["CAUTION_LENDERS"]:
            tier = "谨慎"
        else:
            tier = "优先" if row[burden] < setting["MAX_BURDEN"] else "谨慎"
        result.append((who, tier))
    return pd.DataFrame(result, columns=["customer_id", "tier"])


E3 = Question(
    "E3",
    "tier_list",
    _tiers,
    compare=frame(["customer_id"], ["tier"]),
    checks=(
        invariants(
            partition("customer_id", lambda context: people(context).index),
            Invariant(
                "层级名称",
                lambda answer, context: answer["tier"].isin(["优先", "谨慎", "不做", "不联系"]).all(),
                "层级只能是优先、谨慎、不做、不联系。",
            ),
            Invariant(
                "禁止联系",
                lambda answer, context: not answer.loc[
                    answer["customer_id"].isin(
                        people(context).index[~people(context)["may_call"].to_numpy(dtype=bool)]
                    ),
                    "tier",
                ].isin(["优先", "谨慎"]).any(),
                "名单里有不能联系的人：谢绝来电、没有授权、号码无效、在校学生或年龄不合。",
            ),
            columns=("customer_id", "tier"),
        ),
    ),
    hints=(
        "四个条件有先后：能不能联系、做不做、慎重不慎重，前面中了就不看后面。",
        "np.select([条件一, 条件二, 条件三], [名称一, 名称二, 名称三], default=...) 按顺序取第一个成立的。",
        '算不出负担的也归谨慎：写成 ~(users["total_burden"] < MAX_BURDEN)，空值比较得到假，取反就成立。',
    ),
    misconceptions=(
        Misconception(
            "online_burden_only",
            "你用的是 burden，只含网贷：还着他行月供的人被你放松了。要用 total_burden。",
            lambda context: _tiers(context, burden="burden"),
        ),
        Misconception(
            "forgot_wishes",
            "不能联系的人没有单独标出来：先看 contactable，再谈层级。",
            lambda context: _tiers(context, wishes=False),
        ),
        Misconception(
            "dropped_people",
            "名单少了人：不能联系的也要留在表里，写“不联系”，免得别的部门又去打。",
            lambda context: _tiers(context, everybody=False),
        ),
    ),
    parameters=(
        "MIN_TIMES", "GAP_DAYS", "MAX_CV", "RECENT_DAYS", "AGE_RANGE", "MAX_BURDEN",
        "CAUTION_LENDERS", "REFUSE_LENDERS",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------- E4 the opening

REVEALS = (
    r"流水|网贷|交易记录|还款记录|小额贷款|小贷|借款平台|平台借|消费金融|别家|其他银行|他行|他家|多家"
    r"|(看到|发现|注意到|了解到|查到|监测到|知道)您"
)
STORIES = r"随机|抽中|抽到|幸运|中奖|恭喜|名额|内部|国家(补贴|政策)|最后一天|最低"
PROMISES = r"保证|一定能|肯定能|包过|百分之百|100%|必过|当场放款|秒批|无需审|不看征信"


def _says(pattern: str) -> Callable[[Any, Context], bool]:
    return lambda answer, context: isinstance(answer, str) and bool(re.search(pattern, answer))


def opening(context: Context) -> str:
    """Return an opening that passes."""
    return (
        f"您好，这里是{context.bank.name}。您同意过我们向您介绍产品，所以给您打这个电话："
        f"我行个人消费贷款现在的年利率是 {context.parameters['OFFER_RATE']:g}%，能否办理以审批为准。"
        "您愿意了解就约个时间，不需要的话告诉我，以后不再联系。"
    )


E4 = Question(
    "E4",
    "opening",
    opening,
    checks=(
        written(
            Part("你是哪家银行", ("银行", "农商", "支行", "信用社", "信用合作", "联社", "这里是")),
            Part("介绍贷款", ("贷款",)),
            Part("报价是年利率", ("年利率", "年化")),
            Part("以审批为准", ("审批为准", "审核为准", "以审批", "以审核", "经审批", "经过审批")),
            Part("可以拒绝", ("不再联系", "不打扰", "不再打扰", "不再来电", "不再打")),
            grounded_in=(lambda context: [context.parameters["OFFER_RATE"]],),
            quotes=(Quote("报价利率", lambda c: float(c.parameters["OFFER_RATE"])),),
            shortest=60,
            longest=180,
            forbidden=(
                (REVEALS, "这句话露了底：客户会听出你看过他的交易或借款。只说介绍产品，不提他的情况。"),
                (STORIES, "来由是编的：没有抽奖、名额和限时，就不能这么说。说他同意过接收产品信息。"),
                (PROMISES, "不能承诺结果：能不能办、办多少，以审批为准。"),
            ),
        ),
    ),
    hints=(
        "五件事，一件一句：我是谁，为什么能打给您，介绍什么，多少利率，不需要怎么办。",
        "真实的来由就是客户给过营销授权：“您同意过接收我行的产品信息”。",
        "用 f 字符串写利率：f\"……年利率 {OFFER_RATE:g}%，以审批为准……\"；最后说不需要就不再联系。",
    ),
    misconceptions=(
        Misconception(
            "reveals",
            "这句话露了底：客户会听出你看过他的交易或借款。只说介绍产品，不提他的情况。",
            matches=_says(REVEALS),
        ),
        Misconception(
            "false_story",
            "来由是编的。不露底不等于可以撒谎，真实的来由是客户给过营销授权。",
            matches=_says(STORIES),
        ),
        Misconception(
            "promise",
            "你承诺了结果。审批还没做，谁也不能保证通过。",
            matches=_says(PROMISES),
        ),
    ),
    parameters=("OFFER_RATE",),
)  # fmt: skip

QUESTIONS = [E1, E2, E3, E4]

VARIATIONS = [
    {"BRANCH": "B03", "OFFER_RATE": 6.8},
    {"MIN_TIMES": 4, "GAP_DAYS": [25, 35], "MAX_BURDEN": 0.2, "CAUTION_LENDERS": 2},
]
