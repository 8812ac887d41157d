"""Questions of m00_n02: masking, coarsening with the least loss, hidden numbers, lawful or not."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator
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
    Relation,
    behaviour,
    names,
    plan,
    recall,
    same,
    series,
    written,
)

Recipe = dict[str, int]

# ---------------------------------------------------------------------------------- E1 masking


def masking(context: Context) -> Callable[[Any, Any], list[str]]:
    """Return the reference function for the parameters in force."""
    from course_utils.analysis import privacy

    step, top = context.parameters["AGE_STEP"], context.parameters["TOP_AGE"]

    def mask_person(phone: Any, age: Any) -> list[str]:
        digits = re.sub(r"[^0-9]", "", str(phone))
        masked = privacy.mask_phone(pd.Series([digits])).iloc[0]
        if len(digits) != 11:
            masked = "***"
        return [masked, privacy.age_band(pd.Series([age]), step, top).iloc[0]]

    return mask_person


def odd_numbers_pass(context: Context) -> Callable[[Any, Any], list[str]]:
    """Let through whatever is not a mobile number."""
    right = masking(context)

    def wrong(phone: Any, age: Any) -> list[str]:
        masked, band = right(phone, age)
        return [str(phone) if masked == "***" else masked, band]

    return wrong


def bands_overlap(context: Context) -> Callable[[Any, Any], list[str]]:
    """End a band at the first year of the next one."""
    right = masking(context)

    def wrong(phone: Any, age: Any) -> list[str]:
        masked, band = right(phone, age)
        low, _, high = band.partition("-")
        return [masked, f"{low}-{int(high) + 1}" if high else band]

    return wrong


def last_digits_only(context: Context) -> Callable[[Any, Any], list[str]]:
    """Hide the last four digits instead of the middle ones."""
    right = masking(context)

    def wrong(phone: Any, age: Any) -> list[str]:
        digits = re.sub(r"[^0-9]", "", str(phone))
        return [digits[:7] + "****" if len(digits) == 11 else "***", right(phone, age)[1]]

    return wrong


def _both(phone: Any, age: Any) -> Callable[[Context], tuple[Any, Any]]:
    return lambda context: (phone, age)


def _from_step(steps: float, shift: float = 0.0) -> Callable[[Context], tuple[Any, Any]]:
    """Return an age that lies ``steps`` whole bands above zero, moved by ``shift`` years."""
    return lambda context: ("12912345678", context.parameters["AGE_STEP"] * steps + shift)


def _from_top(shift: float) -> Callable[[Context], tuple[Any, Any]]:
    return lambda context: ("12912345678", context.parameters["TOP_AGE"] + shift)


E1_CHECK = behaviour(
    Case(
        "普通的一个人",
        _both("12912345678", 37),
        "要返回两项的列表 [遮蔽后的号码, 年龄段]，两项都是文字；先拿一个号码和年龄手工对一遍。",
    ),
    Case("号码里夹了空格和横线", _both(" 129-1234 5678", 37), "先去掉不是数字的字符，再数位数。"),
    Case("号码里混了字母", _both("129x12345678", 37), "先去掉不是数字的字符，再数位数。"),
    Case("位数不够的号码", _both("1291234567", 37), "不是 11 位的号码要整个遮住，一位也不能露。"),
    Case("多一位的号码", _both("129123456789", 37), "不是 11 位的号码要整个遮住，一位也不能露。"),
    Case("没有号码", _both(None, 37), "没有号码时写成三个星号。"),
    Case("刚好跨档的年龄", _from_step(7), "一档的第一岁应当归入这一档。"),
    Case("一档的最后一岁", _from_step(8, -1), "一档的最后一岁还在这一档，两档不能重叠。"),
    Case("带小数的年龄", _from_step(8, -0.5), "年龄先取整，再分档。"),
    Case("零岁", _both("12912345678", 0), "零岁也是已知的年龄。"),
    Case("刚到最高一档", _from_top(0), "满 TOP_AGE 岁就进最高一档：用 >= 。"),
    Case("差一岁到最高一档", _from_top(-1)),
    Case("年龄是空的", _both("12912345678", None), "空的年龄写成“未知”。"),
    Case("年龄是负数", _both("12912345678", -1), "负的年龄是错的，写成“未知”。"),
    compare=names(order=True),
    signature=("phone", "age"),
)

# ------------------------------------------------------------------------------------ E2 recipe

_WORK = {
    "农户": (),
    "务农": ("务农",),
    "经营": ("个体经营", "企业主"),
    "上班": ("企业职工", "公职人员", "教师医生", "外出务工"),
}
LEVELS = {"age": 5, "gender": 1, "place": 2, "occupation": 2}
CHINESE = {"age": "年龄", "gender": "性别", "place": "住址", "occupation": "职业"}


def export_of(context: Context) -> pd.DataFrame:
    """Return the export of the lesson (pristine, the stand-in at a bank without one)."""
    from course_utils.analysis import classroom

    return context.remember("export", lambda: classroom.unmasked_export(context.bank))


def levels_of(context: Context) -> dict[str, list[np.ndarray]]:
    """Return, per attribute, the integer codes of all rows at every level."""
    return context.remember("levels", lambda: _levels(context))


def _levels(context: Context) -> dict[str, list[np.ndarray]]:
    export, top = export_of(context), context.parameters["TOP_AGE"]
    year = export["birth_date"].dt.year
    age = context.as_of.year - year
    group = {word: name for name, members in _WORK.items() for word in members}
    work = export["occupation"].map(group).fillna("其他")
    bands = [(age.clip(upper=top) // width).mask(age >= top, -1) for width in (5, 10, 20)]
    nothing = pd.Series(0, index=export.index)
    columns = {
        "age": [export["birth_date"], year, *bands, nothing],
        "gender": [export["gender"], nothing],
        "place": [export["village"], export["town"], nothing],
        "occupation": [export["occupation"], work, nothing],
    }
    return {name: [pd.factorize(c)[0] for c in ladder] for name, ladder in columns.items()}


def hidden_share(recipe: Recipe, context: Context) -> float:
    """Return the share of rows whose group has fewer than ``MIN_GROUP`` people."""
    table = levels_of(context)
    code = np.zeros(len(export_of(context)), dtype=np.int64)
    for name, level in recipe.items():
        part = table[name][level] + 1
        code = np.unique(code * (part.max() + 1) + part, return_inverse=True)[1]
    return float((np.bincount(code)[code] < context.parameters["MIN_GROUP"]).mean())


def lost_information(recipe: Recipe, context: Context) -> float:
    """Return the mean share of yes-no questions that need no longer be asked."""
    table = levels_of(context)
    parts = []
    for name, level in recipe.items():
        full = _entropy(table[name][0])
        parts.append(1 - _entropy(table[name][level]) / full if full else 0.0)
    return float(np.mean(parts))


def _entropy(codes: np.ndarray) -> float:
    share = np.bincount(codes[codes >= 0]) / max((codes >= 0).sum(), 1)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def ceiling(context: Context) -> Recipe:
    """Return the coarsest level of each attribute that the lesson allows."""
    keep = context.parameters["KEEP"]
    return {name: level - (name in keep) for name, level in LEVELS.items()}


def fits(recipe: Recipe, context: Context) -> bool:
    """Tell whether few enough rows must be hidden."""
    return hidden_share(recipe, context) <= context.parameters["MAX_HIDDEN"]


def best_recipe(context: Context) -> Recipe:
    """Try every recipe; of those that fit, take the one that loses least."""
    tops = ceiling(context)
    trials = [
        dict(zip(tops, levels, strict=True))
        for levels in itertools.product(*(range(top + 1) for top in tops.values()))
    ]
    trials.sort(key=lambda trial: lost_information(trial, context))
    return next((trial for trial in trials if fits(trial, context)), tops)


def greedy_recipe(context: Context) -> Recipe:
    """Coarsen step by step where a lost question hides most people, then take back what it can."""
    tops = ceiling(context)
    recipe = dict.fromkeys(tops, 0)
    while not fits(recipe, context) and recipe != tops:
        recipe = max(_coarser(recipe, tops), key=lambda step: _gain(recipe, step, context))
    for name in sorted(tops, key=lambda name: -recipe[name] / LEVELS[name]):
        while recipe[name] and fits(lighter := recipe | {name: recipe[name] - 1}, context):
            recipe = lighter
    return recipe


def _coarser(recipe: Recipe, tops: Recipe) -> Iterator[Recipe]:
    for name, top in tops.items():
        if recipe[name] < top:
            yield recipe | {name: recipe[name] + 1}


def _gain(recipe: Recipe, step: Recipe, context: Context) -> float:
    freed = hidden_share(recipe, context) - hidden_share(step, context)
    cost = lost_information(step, context) - lost_information(recipe, context)
    return freed / max(cost, 1e-6)


def _valid(recipe: Any, context: Context) -> bool | str:
    if not isinstance(recipe, dict) or set(recipe) != set(LEVELS):
        return f"要一个字典，四个键：{'、'.join(LEVELS)}。"
    for name, level in recipe.items():
        whole = isinstance(level, (int, np.integer)) and not isinstance(level, bool)
        if not whole or not 0 <= level <= LEVELS[name]:
            return f"{CHINESE[name]}的级别要是 0 到 {LEVELS[name]} 的整数。"
    return True


def _kept(recipe: Any, context: Context) -> bool | str:
    if _valid(recipe, context) is not True:
        return True
    gone = [CHINESE[n] for n in context.parameters["KEEP"] if recipe[n] >= LEVELS[n]]
    return not gone or f"{'、'.join(gone)}整列不给了，可这堂课要用它。"


def _few_hidden(recipe: Any, context: Context) -> bool | str:
    if _valid(recipe, context) is not True:
        return True
    share, limit = hidden_share(recipe, context), context.parameters["MAX_HIDDEN"]
    if share <= limit + 1e-12:
        return True
    return f"还有 {share:.1%} 的行所在的组太小，超过了允许隐去的 {limit:.0%}：再退一级。"


def _objective(recipe: Any, context: Context) -> float:
    return lost_information(recipe, context)


def _levels_equal(wanted: Recipe) -> Callable[[Any, Context], bool]:
    return lambda answer, context: _valid(answer, context) is True and answer == wanted


def _too_coarse(answer: Any, context: Context) -> bool:
    if _valid(answer, context) is not True or _kept(answer, context) is not True:
        return False
    return answer["place"] == LEVELS["place"] and answer["occupation"] == LEVELS["occupation"]


E2_CHECK = plan(
    Invariant("写法", _valid, "要一个字典。"),
    Invariant("课上要用的项", _kept, "有课上要用的项被整列拿掉了。"),
    Invariant("藏得住", _few_hidden, "小组太多。"),
    objective=_objective,
    baseline=lambda context: lost_information(greedy_recipe(context), context),
    share=0.9,
    maximise=False,
    goal="信息损失",
)

# ------------------------------------------------------------------------------- E3 free text


def phone_finder(context: Context) -> Callable[[pd.Series], pd.Series]:
    """Return the reference function: read each text character by character."""

    def has_phone(texts: pd.Series) -> pd.Series:
        found = [isinstance(text, str) and any(map(_is_phone, _runs(text))) for text in texts]
        return pd.Series(found, index=texts.index, dtype=bool)

    return has_phone


def _runs(text: str) -> Iterator[str]:
    """Yield the runs of digits; one blank or hyphen between two digits does not end a run."""
    run = ""
    for place, letter in enumerate(text):
        if letter in "0123456789":
            run += letter
        elif letter in " -" and run and text[place - 1] in "0123456789":
            continue
        elif run:
            yield run
            run = ""
    if run:
        yield run


def _is_phone(run: str) -> bool:
    return len(run) == 11 and run[0] == "1"


def _by_pattern(pattern: str) -> Callable[[Context], Callable[[pd.Series], pd.Series]]:
    return lambda context: lambda texts: texts.fillna("").str.contains(pattern)


def _texts(*texts: Any) -> Callable[[Context], tuple[pd.Series]]:
    return lambda context: (pd.Series(list(texts), dtype="str"),)


def _notes(context: Context) -> pd.DataFrame:
    if context.bank.has("note"):
        return context.load("note", ["note_id", "text"])
    return pd.DataFrame({"note_id": [], "text": []}, dtype="str")


def _found_notes(answer: Any, context: Context) -> list[str]:
    notes = _notes(context)
    flags = np.asarray(answer(notes["text"]), dtype=bool)
    return notes.loc[flags, "note_id"].tolist()


def _planted_notes(context: Context) -> list[str] | None:
    """Notes into which the generator wrote a new number (it says so in the note)."""
    if "note_phones" not in (context.truth or {}).get("m00_n02", {}):
        return None
    notes = _notes(context)
    return notes.loc[notes["text"].str.contains("新号码", na=False), "note_id"].tolist()


E3_CASES = behaviour(
    Case("一条有、一条没有", _texts("新号码12912345678。", "客户在家，约下季度再访。"),
         "要返回同样长的一列 True/False：有手机号的那条是 True，没有的是 False。"),
    Case(
        "中间夹了空格或横线",
        _texts("新号码129 1234 5678。", "电话 129-1234-5678", "1-2 9-1 2345 6 7 8"),
        "数字之间夹一个空格或横线，也是手机号。",
    ),
    Case(
        "证件号和卡号",
        _texts("证件990104197511237431", "证件990104112912345678X", "卡9900001291234567891"),
        "更长的号码里的一截不是手机号：前后都不能再有数字。",
    ),
    Case(
        "后面还有数字",
        _texts("129123456789", "流水 129 1234 56789", "129-1234-5678-9"),
        "十一位之后不能再有数字，隔着一个空格或横线也不行。",
    ),
    Case("不以 1 开头", _texts("单号 22912345678", "座机 05791234567"), "手机号以 1 开头。"),
    Case("十位", _texts("129 1234 567", "1291234567"), "少一位就不是手机号。"),
    Case("隔了两个空格", _texts("129  1234  5678"), "本课程定义只容许夹一个空格或横线。",
         expect=lambda context: pd.Series([False])),
    Case("空的笔记", _texts(None, "12912345678", ""), "空的那一条算没有，不能报错。"),
    Case(
        "从 Excel 读来的一列，夹着空值",
        lambda context: (pd.Series(["新号码12912345678", None, np.nan], dtype=object),),
        "空的那一条要给出 False，不能是空值：先用 fillna(\"\") 。",
    ),
    Case("一条都没有", lambda context: (pd.Series([], dtype="str"),), "空的一列也要能处理。"),
    Relation(
        "打乱行的顺序",
        lambda context: (_notes(context)["text"].head(400),),
        lambda context: (_notes(context)["text"].head(400).sample(frac=1, random_state=1),),
        same,
        "每一条的结果要跟着自己的行走，索引不要丢。",
    ),
    compare=series(keys="行"),
    signature=("texts",),
)  # fmt: skip

# -------------------------------------------------------------------------------- E4 requests


def attack_table(context: Context) -> pd.DataFrame:
    """Recompute how many known people each version of the sample gives away."""
    from course_utils.analysis import classroom, experiment, privacy

    export = export_of(context)
    known = classroom.neighbours(context.bank, export)
    town = dict(zip(export["village"], export["town"], strict=True))
    step, top = context.parameters["AGE_STEP"], context.parameters["TOP_AGE"]

    def coarse(frame: pd.DataFrame, towns: pd.Series) -> pd.DataFrame:
        age = context.as_of.year - frame["birth_date"].dt.year
        return pd.DataFrame(
            {"town": towns, "age": privacy.age_band(age, step, top), "gender": frame["gender"]}
        )

    keys = ["village", "birth_date", "gender"]
    pairs = [
        (export[keys], known[keys]),
        (coarse(export, export["town"]), coarse(known, known["village"].map(town))),
    ]
    hits = []
    for released, mine in pairs:
        groups = released.groupby(list(released.columns)).size()
        rows = pd.MultiIndex.from_frame(mine)
        hits.append(int((groups.reindex(rows).to_numpy() == 1).sum()))
    rates = experiment.wilson(hits, [len(known)] * 2)
    return rates.assign(named=hits, known=len(known)).reset_index(drop=True)


def _says(mark: str, *patterns: str) -> tuple[str, ...]:
    """Return patterns that must occur between this mark and the next one."""
    gap = r"(?:(?!(?:[甲乙丙丁戊]|依据)[：:]).)*?"
    return tuple(rf"(?s){mark}[：:]{gap}{pattern}" for pattern in patterns)


_NO = r"(?:不可以|不能|不行|不得|不允许|不合法|不合规)"
_YES = r"(?<!不)(?:可以|允许|合规|可行)"
_LAWS = {
    "甲": ("23", "二十三", "29", "二十九"),
    "乙": ("13", "十三", "23", "二十三", "29", "二十九"),
    "丙": ("20", "二十", "18", "十八"),
    "丁": ("29", "二十九", "23", "二十三"),
    "戊": ("21", "二十一", "55", "五十五", "19", "十九"),
}


def _parts() -> Iterator[Part]:
    for mark, articles in _LAWS.items():
        yield Part(f"{mark}的结论", _says(mark, _YES if mark == "戊" else _NO))
        either = "|".join(sorted(articles, key=len, reverse=True))
        yield Part(f"{mark}的条文", _says(mark, rf"第\s*(?:{either})\s*条"))
    yield Part("依据", _says("依据", r"\d"))


def _reads(mark: str, pattern: str) -> Callable[[Any, Context], bool]:
    def matches(answer: Any, context: Context) -> bool:
        text = unicodedata.normalize("NFKC", answer)
        return bool(re.search(_says(mark, pattern)[0], text))

    return matches


def _straight_yes(mark: str) -> Callable[[Any, Context], bool]:
    yes, no = _reads(mark, _YES), _reads(mark, _NO)
    return lambda answer, context: yes(answer, context) and not no(answer, context)


def passing_text(context: Context) -> str:
    """Return a text that passes, with the number recomputed."""
    rate = attack_table(context)["rate"].iloc[0]
    return (
        "甲：不可以，提供给行外要单独同意，第 23 条。\n"
        "乙：不可以，工资不是给同事练习的，第 13 条。\n"
        "丙：不可以，征信报告只能按约定用途，征信业管理条例第 20 条。\n"
        "丁：不可以，为存款人保密，商业银行法第 29 条。\n"
        "戊：可以，协议、评估、删除齐备，第 21 条、第 55 条、第 19 条。\n"
        f"依据：只打星号仍能认出 {rate:.1%} 的人。"
    )


QUESTIONS = [
    Question(
        "E1",
        "mask_person",
        masking,
        checks=(E1_CHECK,),
        hints=(
            "先只做号码：把不是数字的字符去掉，数一数还剩几位。",
            "剩下正好 11 位才拼“前三 + 四个星号 + 后四”，其余一律三个星号；切片用 [:3] 和 [-4:]。",
            "一档的起点是 int(age) // AGE_STEP * AGE_STEP，终点是起点加宽度再减一；"
            "空的、负的、满 TOP_AGE 的三种情况先判断。",
        ),
        misconceptions=(
            Misconception(
                "odd_numbers_pass",
                "位数不对的号码被原样放出去了：录错一位的号码，也足够让人找到他。",
                odd_numbers_pass,
            ),
            Misconception(
                "bands_overlap",
                "相邻两档重叠了：同一个年龄会落进两档，终点要少一岁。",
                bands_overlap,
            ),
            Misconception(
                "last_digits_only",
                "你遮住了最后四位、露出了前七位。要遮的是中间四位，前三后四留给当面核对。",
                last_digits_only,
            ),
        ),
        parameters=("AGE_STEP", "TOP_AGE"),
    ),
    Question(
        "E2",
        "recipe",
        best_recipe,
        checks=(E2_CHECK,),
        hints=(
            "先试 group_sizes 加上 < MIN_GROUP 再 .mean()：看一个配方要隐去多少行。",
            "年龄不是唯一的旋钮：住址、职业退一级，往往比年龄退到底更划算。看看每一级还剩几问。",
            "配方一共一百来个，写三层循环把 age、place、occupation 全试一遍，"
            "记下满足条件而 lost_information 最小的那个。",
        ),
        misconceptions=(
            Misconception(
                "age_band_is_enough",
                "只退年龄不够：性别、村、职业原样放着，加在一起还是把人分得很细。",
                matches=_levels_equal({"age": 2, "gender": 0, "place": 0, "occupation": 0}),
            ),
            Misconception(
                "everything_away",
                "什么都不给当然安全，可课也没法上了：这是“枷锁”，不是脱敏。先把课上要用的项留住。",
                matches=_levels_equal(LEVELS),
            ),
            Misconception(
                "safe_but_useless",
                "安全达标，但退过头了：住址和职业都整列不给。试试只退其中一项。",
                matches=_too_coarse,
            ),
        ),
        parameters=("MIN_GROUP", "MAX_HIDDEN", "KEEP", "TOP_AGE"),
        shape="一个字典：age、gender、place、occupation 各退几级（整数）",
    ),
    Question(
        "E3",
        "has_phone",
        phone_finder,
        checks=(
            E3_CASES,
            recall(_found_notes, _planted_notes, share=1.0, precision=1.0, what="藏着的号码"),
        ),
        hints=(
            '用 texts.str.contains(…)；空的先用 fillna("") 换成空文字。',
            "每一位数字前面容许一个空格或横线：写成 [ -]?\\d；第一位固定是 1，后面再来十个。",
            "前面加 (?<!\\d)，后面加 (?![ -]?\\d)：两头都不能再有数字，证件号里的一截就不算了。",
        ),
        misconceptions=(
            Misconception(
                "plain_digits_only",
                "只认得十一位连着写的。客户经理常写成三段，这几条你漏了。",
                _by_pattern(r"(?<!\d)1\d{10}(?!\d)"),
            ),
            Misconception(
                "part_of_longer_number",
                "你把更长的号码里的一截也当成手机号了：前后都要挡住数字。",
                _by_pattern(r"1(?:[ -]?\d){10}"),
            ),
        ),
    ),
    Question(
        "E4",
        "rulings",
        passing_text,
        checks=(
            written(
                *_parts(),
                grounded_in=(attack_table,),
                least_numbers=1,
                shortest=80,
                longest=700,
            ),
        ),
        hints=(
            "每一句都按“甲：不可以（或可以），第几条，为什么”的样子写，五句都要有。",
            "先问三件事：数据是不是给了别人？用途是不是当初约定的？有没有协议、评估和删除？",
            "最后一句用 f-string 把 starred['rate'] 写进去，例如 {starred['rate']:.1%}。",
        ),
        misconceptions=(
            Misconception(
                "email_is_fine",
                "甲不能放行：没脱敏的名单离开银行，就是“提供给他人”，打不打星号都一样。",
                matches=_straight_yes("甲"),
            ),
            Misconception(
                "ban_everything",
                "戊不该拒绝：该办的手续都办了还不让用，就是把“枷锁”又锁了回去。",
                matches=_reads("戊", _NO),
            ),
        ),
        parameters=("AGE_STEP", "TOP_AGE"),
    ),
]

SURVIVORS = {
    "E4": {
        "L6 “rate”→“low”": "引用区间下限也是本课算出来的数字，文字的意思机器判断不了，由讲师点评",
    }
}

VARIATIONS = [{"MIN_GROUP": 10}, {"MAX_HIDDEN": 0.02, "AGE_STEP": 10}, {"TOP_AGE": 70}]
