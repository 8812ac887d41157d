"""Questions of m03_n07: stages of a student borrower, staying after settlement, ages, a clean list.

The references rebuild the cohort from the bank's own tables; parameters alone come from the
notebook.
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
    Part,
    Question,
    Quote,
    behaviour,
    numbers,
    plan,
    unique,
    written,
)
from course_utils.exercises.questions._m03_n07_base import (
    eligible,
    likeness,
    rated,
    spells,
)

Stage = Callable[[Any, Any, Any, Any], str]
STAGES = ("未知", "在校", "宽限", "还款中", "刚结清", "结清更久")


# --------------------------------------------------------------------------------- E1 stages


def stage_rule(context: Context) -> Stage:
    """Return the reference rule."""
    span = pd.DateOffset(months=context.parameters["SETTLED_MONTHS"])

    def stage_of(graduation: Any, first_due: Any, settle: Any, when: Any) -> str:
        if graduation is None:
            return "未知"
        if when < graduation:
            return "在校"
        if settle is None or when < settle:
            return "还款中" if first_due <= when else "宽限"
        return "结清更久" if settle < when - span else "刚结清"

    return stage_of


def settled_first(context: Context) -> Stage:
    """Look at settlement before school."""
    right = stage_rule(context)

    def wrong(graduation: Any, first_due: Any, settle: Any, when: Any) -> str:
        paid = graduation is not None and settle is not None and settle <= when
        return right(when if paid else graduation, first_due, settle, when)

    return wrong


def knows_the_future(context: Context) -> Stage:
    """Count a settlement that has not happened yet."""
    right, span = stage_rule(context), context.parameters["SETTLED_MONTHS"]

    def wrong(graduation: Any, first_due: Any, settle: Any, when: Any) -> str:
        stage = right(graduation, first_due, settle, when)
        if stage in ("未知", "在校") or settle is None:
            return stage
        return "刚结清" if settle >= when - pd.DateOffset(months=span) else "结清更久"

    return wrong


def unknown_is_graduate(context: Context) -> Stage:
    """Treat a missing graduation date as graduated."""
    right = stage_rule(context)
    return lambda graduation, first_due, settle, when: right(
        when if graduation is None else graduation, first_due, settle, when
    )


def _same_stage(mine: Any, theirs: Any) -> str | None:
    if mine not in STAGES:
        return f"返回值应该是“{'”“'.join(STAGES)}”之一。"
    return (
        None if mine == theirs else "阶段不对：按演示一的次序，先未知和在校，再结清，最后看还本。"
    )


def _dates(
    graduation: int | None, first_due: int, settle: int | None
) -> Callable[[Context], tuple[Any, ...]]:
    """Return arguments in days from the data date."""

    def arguments(context: Context) -> tuple[Any, ...]:
        day = lambda n: None if n is None else context.as_of + pd.Timedelta(days=n)  # noqa: E731
        return day(graduation), day(first_due), day(settle), context.as_of

    return arguments


def _settled(days: int) -> Callable[[Context], tuple[Any, ...]]:
    """Return a graduate who settled SETTLED_MONTHS ago, moved by some days."""

    def arguments(context: Context) -> tuple[Any, ...]:
        border = context.as_of - pd.DateOffset(months=context.parameters["SETTLED_MONTHS"])
        old = context.as_of - pd.DateOffset(years=9)
        return old, old + pd.DateOffset(months=5), border + pd.Timedelta(days=days), context.as_of

    return arguments


_SCHOOL = "毕业日没到的就是在校生，贷款还清了也一样：在校要排在结清前面。"
E1 = Question(
    "E1",
    "stage_of",
    stage_rule,
    checks=(
        behaviour(
            Case("还有一年毕业", _dates(365, 520, None)),
            Case("在校就还清了", _dates(200, 350, -30), _SCHOOL),
            Case("明天毕业", _dates(1, 160, None)),
            Case("今天毕业", _dates(0, 160, None), "刚好在毕业日的算已毕业。"),
            Case("毕业了，还没到还本日", _dates(-60, 90, None)),
            Case("今天第一次还本", _dates(-160, 0, None), "还本日当天算还款中。"),
            Case("明天第一次还本", _dates(-160, 1, None)),
            Case("还了两年", _dates(-900, -720, None)),
            Case("昨天结清", _dates(-900, -720, -1)),
            Case("今天结清", _dates(-900, -720, 0)),
            Case("明天才结清", _dates(-900, -720, 1), "站在今天，明天的结清还没发生。"),
            Case("宽限期里，以后会结清", _dates(-60, 90, 400), "站在今天，以后的结清还没发生。"),
            Case("宽限期里提前还清", _dates(-60, 90, -10)),
            Case("刚好在界限那天结清", _settled(0), "刚好满月数的算“刚结清”：用 >= 。"),
            Case("界限前一天结清", _settled(-1)),
            Case("界限后一天结清", _settled(1)),
            Case("没有毕业日", _dates(None, -300, None), "没有毕业日的归“未知”，不能当成已毕业。"),
            Case("没有毕业日，已结清", _dates(None, -300, -100), "没有毕业日的归“未知”。"),
            compare=_same_stage,
            signature=("graduation", "first_due", "settle", "when"),
        ),
    ),
    hints=(
        "把五个问题按次序问：知道毕业日吗？毕业了吗？还清了吗（站在那天看）？还清多久了？该还本了吗？",
        "两处要防：settle 可能是 None，也可能在 when 之后；graduation 可能是 None。",
        "界限是 when - pd.DateOffset(months=SETTLED_MONTHS)，settle >= 界限 算“刚结清”。",
    ),
    misconceptions=(
        Misconception(
            "settled_first",
            "你先看了结清：在校期间提前还清的学生会被当成毕业客户，混进营销名单。在校永远排在前面。",
            settled_first,
        ),
        Misconception(
            "knows_the_future",
            "你用到了以后才发生的结清。站在 when 那天，结清日在后面的人还没有结清。",
            knows_the_future,
        ),
        Misconception(
            "unknown_is_graduate",
            "没有毕业日的人被当成了已毕业。不知道就归“未知”，不能进名单。",
            unknown_is_graduate,
        ),
    ),
    parameters=("SETTLED_MONTHS",),
)

# -------------------------------------------------------------------------- E2 staying 12 months


def _curve_at(rows: pd.DataFrame, until: float) -> tuple[float, float, float]:
    """Return S and its log-log interval by hand (Kaplan–Meier, Greenwood)."""
    stay, variance = 1.0, 0.0
    for time in np.sort(rows.loc[rows["event"], "months"].unique()):
        if time > until:
            break
        risk = int((rows["months"] >= time).sum())
        hit = int((rows["event"] & (rows["months"] == time)).sum())
        stay *= 1 - hit / risk
        variance += hit / (risk * (risk - hit)) if risk > hit else np.inf
    if not 0 < stay < 1 or not np.isfinite(variance):
        return stay, stay, stay
    half = 1.959963984540054 * np.sqrt(variance) / abs(np.log(stay))
    return stay, float(stay ** np.exp(half)), float(stay ** np.exp(-half))


def _without_payroll(context: Context) -> pd.DataFrame:
    rows = spells(context)
    return rows[~rows["payroll"].astype(bool)]


def kept12(context: Context) -> tuple[float, float, float]:
    """Return staying of those without payroll and its limits."""
    return _curve_at(_without_payroll(context), context.parameters["WATCH_MONTHS"])


def everybody(context: Context) -> tuple[float, float, float]:
    """Take those with payroll along."""
    return _curve_at(spells(context), context.parameters["WATCH_MONTHS"])


def share_that_left(context: Context) -> tuple[float, float, float]:
    """Answer how many fell asleep."""
    stay, low, high = kept12(context)
    return 1 - stay, 1 - high, 1 - low


E2 = Question(
    "E2",
    "kept12",
    kept12,
    numbers("留存", "下限", "上限", absolute=1e-6),
    hints=(
        "先筛出没有代发工资的人，再做一条曲线，最后读一个点。",
        '~spells["payroll"] 是没有代发的；survival.kaplan_meier(月数, 是否发生) 给出一张表。',
        'curve[curve["time"] <= WATCH_MONTHS].iloc[-1] 是要读的那一行，取 survival、low、high。',
    ),
    misconceptions=(
        Misconception(
            "everybody",
            "你用了全部的人，有代发工资的也在里面。先筛出没有代发的。",
            everybody,
        ),
        Misconception(
            "share_that_left",
            "你给的是沉默的比例。题目问的是还在用卡的比例，不要用一去减。",
            share_that_left,
        ),
        Misconception(
            "before_the_step",
            "你读的是曲线的起点，那时人人都在。要读到 WATCH_MONTHS 那一行。",
            lambda context: (1.0, 1.0, 1.0),
        ),
    ),
    parameters=("QUIET_MOVES", "WATCH_MONTHS"),
)

# ---------------------------------------------------------------------------- E3 ages of graduates


def likeness_table(context: Context) -> pd.DataFrame:
    """Return the two numbers that a statement may quote."""
    return pd.DataFrame([likeness(context)], columns=["overlap", "ks"])


def reference_statement(context: Context) -> str:
    """Return a passing statement."""
    same, far = likeness(context)
    return (
        f"已经毕业的客户和网贷客户，年龄的重叠系数是 {same:.3f}，KS 是 {far:.3f}。岁数像不像，不能证明"
        "缺不缺钱，更不能证明该不该借。下一步要先回访，问清用途和收入，再决定联系谁。"
    )


def _quotes_all_students(answer: Any, context: Context) -> bool:
    """Whether a text quotes the numbers of everybody, students in school included."""
    from course_utils.exercises.written import quoted_numbers

    if not isinstance(answer, str):
        return False
    found = [quoted.value for quoted in quoted_numbers(answer)]
    near = lambda value: any(abs(value - one) < 0.006 for one in found)  # noqa: E731
    mine, wrong = likeness(context), likeness(context, graduates_only=False)
    return all(map(near, wrong)) and not all(map(near, mine))


E3 = Question(
    "E3",
    "statement",
    reference_statement,
    checks=(
        written(
            Part("不能证明什么", ("不能证明", "不能说明", "证明不了", "不等于")),
            Part("下一步", ("下一步", "先问", "回访", "再看", "还要看")),
            grounded_in=(likeness_table,),
            quotes=(
                Quote("重叠系数", lambda context: likeness(context)[0]),
                Quote("KS", lambda context: likeness(context)[1]),
            ),
            least_numbers=2,
            shortest=60,
            longest=200,
            forbidden=(
                (
                    "(?<!不能)说明(他们|客户)就是|需求一样|需求相同，",
                    "年龄像不等于需求像：这句话把岁数当成了需求。",
                ),
                (
                    "全员推|立即推|应当推消费贷|都推",
                    "不能因为年龄像就推消费贷：先问本人有没有需求和还款来源。",
                ),
            ),
        ),
    ),
    hints=(
        "先把人筛对：已经毕业的那些，缺年龄的去掉。再想：两群人岁数一样，能推出什么？",
        'graduates[["age", "weight"]].astype(float).dropna() 是要比的人；likeness(它, crowd) 给两个数。',
        "三句话：两个数是多少；它不能证明什么；下一步看什么（用途、收入、意愿）。用 f 字符串写进去。",
    ),
    misconceptions=(
        Misconception(
            "same_age_same_need",
            "你从“年龄像”跳到了“需求一样、该推贷款”。岁数像的人有的是，缺不缺钱要问本人。",
            matches=lambda answer, context: (
                isinstance(answer, str) and ("需求一样" in answer or "就是网贷客户" in answer)
            ),
        ),
        Misconception(
            "students_too",
            "你用的是全体助学贷款客户的数，在校生也在里面。题目只问已经毕业的。",
            matches=_quotes_all_students,
        ),
    ),
    parameters=("AGE_STEP",),
)

# ------------------------------------------------------------------------------ E4 the clean list


def reference_list(context: Context) -> pd.DataFrame:
    """Return the most likely eligible customers."""
    rows = eligible(context)
    order = np.argsort(-rows["chance"].to_numpy(), kind="stable")
    rows = rows.iloc[order[: context.parameters["LIST_SIZE"]]]
    return rows["touch"].reset_index()


def _none(bad: Callable[[pd.DataFrame, Context], pd.Series], text: str) -> Any:
    """Return a rule: nobody on the list for whom ``bad`` holds."""

    def holds(table: pd.DataFrame, context: Context) -> bool | str:
        rows = rated(context).reindex(table["customer_id"])
        count = int(bad(rows, context).sum())
        return not count or f"有 {count} 位{text}。"

    return holds


def _size(table: pd.DataFrame, context: Context) -> bool | str:
    wanted = min(context.parameters["LIST_SIZE"], len(eligible(context)))
    return (
        len(table) == wanted
        or f"名单有 {len(table)} 位，应当{'少' if len(table) > wanted else '多'}一些：放满 LIST_SIZE 位，不够就全选。"
    )


def _known(table: pd.DataFrame, context: Context) -> bool | str:
    strange = int((~table["customer_id"].isin(rated(context).index)).sum())
    return not strange or f"有 {strange} 位不是本次范围里的助学贷款客户。"


def _touch(table: pd.DataFrame, context: Context) -> bool | str:
    right = rated(context)["touch"].reindex(table["customer_id"]).to_numpy(dtype=object)
    wrong = int((right != table["touch"].to_numpy(dtype=object)).sum())
    return not wrong or f"有 {wrong} 位的由头和演示八的规则不一致。"


def _chance(table: pd.DataFrame, context: Context) -> float:
    return float(rated(context)["chance"].reindex(table["customer_id"]).sum())


def _holds_students(answer: Any, context: Context) -> bool:
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    rows = rated(context).reindex(answer["customer_id"])
    return bool((rows["graduation_date"] > context.as_of).any())


def _without_consent(answer: Any, context: Context) -> bool:
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    rows = rated(context).reindex(answer["customer_id"])
    return bool(((rows["consent"] == False) | (rows["do_not_call"] == True)).any())  # noqa: E712


def _is_bottom(answer: Any, context: Context) -> bool:
    """Whether the list holds the least likely of the eligible."""
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    rows = eligible(context)["chance"].sort_values()
    least = rows.head(len(answer)).sum()
    reached = rows.reindex(answer["customer_id"]).sum()
    return bool(len(rows) > len(answer) and reached <= least * 1.0001)


E4 = Question(
    "E4",
    "keep_list",
    reference_list,
    checks=(
        plan(
            unique("customer_id", name="一人一次"),
            Invariant("范围", _known, "名单里有不该出现的客户。"),
            Invariant(
                "在校",
                _none(lambda rows, c: ~(rows["graduation_date"] <= c.as_of), "在校或毕业日不明"),
                "名单里有在校生。",
            ),
            Invariant(
                "年龄",
                _none(
                    lambda rows, c: ~(rows["age"] >= c.parameters["LEAST_AGE"]),
                    "不满 LEAST_AGE 岁或年龄不明",
                ),
                "名单里有不满年龄的。",
            ),
            Invariant(
                "营销授权",
                _none(lambda rows, c: rows["consent"] != True, "没有营销授权"),  # noqa: E712
                "有没授权的。",
            ),
            Invariant(
                "谢绝来电",
                _none(lambda rows, c: rows["do_not_call"] != False, "谢绝来电"),  # noqa: E712
                "有谢绝来电的。",
            ),
            Invariant(
                "号码有效",
                _none(lambda rows, c: rows["phone_valid"] != True, "号码无效"),  # noqa: E712
                "有号码无效的。",
            ),
            Invariant(
                "没有逾期",
                _none(lambda rows, c: ~(rows["overdue_days"] == 0), "还有逾期"),
                "有逾期的。",
            ),
            Invariant("人数", _size, "人数不对。"),
            Invariant("由头", _touch, "由头不对。"),
            objective=_chance,
            share=0.98,
            columns=("customer_id", "touch"),
            goal="chance 合计",
        ),
    ),
    hints=(
        "先把不能进名单的请出去，再排队，再取前几位。最先请出去的是谁？",
        "六个条件用 & 连起来，取反用 ~ ；年龄不知道的人，age >= LEAST_AGE 自然不成立。",
        'sort_values("chance", ascending=False).head(LIST_SIZE)，再 reset_index() 取两列。',
    ),
    misconceptions=(
        Misconception(
            "students_inside",
            "名单里有在校生。这不是排序问题，是合规问题：一位都不行。",
            matches=_holds_students,
        ),
        Misconception(
            "forgot_consent",
            "名单里有人没有营销授权或谢绝来电：先过门槛，再谈可能性。",
            matches=_without_consent,
        ),
        Misconception(
            "least_likely",
            "你从可能性最小的排起。ascending=False 才是从大到小。",
            matches=_is_bottom,
        ),
    ),
    parameters=("BRANCH", "LEAST_AGE", "LIST_SIZE", "SETTLED_MONTHS"),
)


QUESTIONS = [E1, E2, E3, E4]

VARIATIONS = [{"BRANCH": "B01"}, {"SETTLED_MONTHS": 36, "QUIET_MOVES": 6, "LIST_SIZE": 25}]
