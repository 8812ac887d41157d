"""Questions of m04_n03: three kinds of activity, a detrended effect, gamed branches, a plan."""

from __future__ import annotations

from typing import Any

import pandas as pd

from course_utils.exercises import (
    Context,
    Invariant,
    Misconception,
    Question,
    covers,
    frame,
    invariants,
    names,
    numbers,
    plan,
    recall,
    unique,
    within,
)
from course_utils.exercises.questions._m04_n03_base import (
    GIFT,
    KINDS,
    activity_rates,
    best_plan,
    budget_holds,
    flagged,
    from_pool,
    limits,
    login_effect,
    not_audited,
    online_share,
    plan_value,
    right_action,
    weeks_hold,
)


def nested(answer: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the three circles lie inside each other."""
    inside = (answer["login"] >= answer["trade"]) & (answer["trade"] >= answer["value"])
    return bool(inside.all()) or "价值活跃不能多于交易活跃，交易活跃不能多于登录活跃。"


def top_three(context: Context) -> list[str]:
    """Return the three branches with the largest ratio."""
    from course_utils.exercises.questions._m04_n03_base import month_end_counts

    both = month_end_counts(context).groupby(level=0)[["late", "expected"]].sum()
    return sorted((both["late"] / both["expected"]).nlargest(3).index)


def _only(action: str) -> Any:
    def matches(answer: Any, context: Context) -> bool:
        known = isinstance(answer, pd.DataFrame) and "action" in answer.columns
        return known and len(answer) > 0 and bool((answer["action"].astype(str) == action).all())

    return matches


def _one_week(answer: Any, context: Context) -> bool:
    known = isinstance(answer, pd.DataFrame) and {"week", "action"} <= set(answer.columns)
    return known and len(answer) > 10 and len(set(answer["week"])) == 1


def _with_audited(answer: Any, context: Context) -> bool:
    known = isinstance(answer, pd.DataFrame) and {"customer_id"} <= set(answer.columns)
    return known and isinstance(not_audited(answer, context), str)


QUESTIONS = [
    Question(
        "E1",
        "my_rates",
        activity_rates,
        frame(["branch_id"], list(KINDS)),
        checks=(
            invariants(
                Invariant("一个套一个", nested, "三个圈要一个套一个。"),
                *(within(name, 0, 1) for name in KINDS),
                columns=KINDS,
            ),
        ),
        hints=(
            "演示一已经有一个函数能算任意月份的三种活跃，先把月份换掉。",
            "加权的比率 ＝ 活跃的人的权数之和 ÷ 全部手机银行客户的权数之和，按网点分组。",
            'table[列].mul(table["weight"], axis=0).groupby(table["branch_id"]).sum()，再除以各网点权数之和。',
        ),
        misconceptions=(
            Misconception(
                "unweighted",
                "没有按抽样权数：一个样本代表的人数不一样。",
                lambda c: activity_rates(c, weighted=False),
            ),
            Misconception(
                "this_month",
                "用的是最后一个月：题目要上一季末（months[-4]）。",
                lambda c: activity_rates(c, back=1),
            ),
            Misconception(
                "among_active",
                "分母只算了登录的人：分母应是全部开通手机银行的客户。",
                lambda c: activity_rates(c, among_active=True),
            ),
        ),
        parameters=("VALUE_DEPOSIT", "VALUE_PRODUCTS"),
    ),
    Question(
        "E2",
        "steady_effect",
        login_effect,
        numbers("估计", "下限", "上限", relative=1e-4),
        checks=(
            covers(
                lambda c: c.truth["m04_n03"]["active_true"]["planted"],
                interval=limits,
                margin=0.009,
            ),
        ),
        hints=(
            "每个人各自的直线：先减平均，再减“斜率 × 月份序号”。",
            "斜率 ＝ 减过平均的行和 time 的乘积之和 ÷ time 的平方和，用 @ 一次算完所有人。",
            "存款和登录两张表都要扣直线、再扣每个月的平均，最后 effect(…) 的三个数用 np.expm1 换成比例。",
        ),
        misconceptions=(
            Misconception(
                "no_trend",
                "还没有扣各人自己的趋势：这是演示二的结果。",
                lambda c: login_effect(c, 0, 0),
            ),
            Misconception(
                "only_money_detrended",
                "只有存款扣了趋势，登录没有扣：两边要扣得一样。",
                lambda c: login_effect(c, 1, 0),
            ),
        ),
        parameters=("CALM",),
    ),
    Question(
        "E3",
        "audit_branches",
        flagged,
        names(),
        checks=(
            recall(
                found=lambda a, c: list(a),
                planted=lambda c: c.truth["m04_n03"]["spike_branches"]["planted"],
                share=0.9,
                precision=0.5,
                what="刷登录的网点",
            ),
        ),
        hints=(
            "两件事要改：正常波动要乘离散程度，几十家一起检验要控制错误发现率。",
            "experiment.excess 的第三个参数就是离散程度；它返回的表里有 p。",
            "experiment.false_discovery(p, FDR) 返回真假，取真的网点号，再排序成列表。",
        ),
        misconceptions=(
            Misconception(
                "poisson",
                "正常波动还是按泊松算的：推算出来的次数波动要大得多，会冤枉好几家。",
                lambda c: flagged(c, scatter=False, control=False),
            ),
            Misconception("top_three", "取前几名不是检验：总有前三名，哪怕谁都没刷。", top_three),
        ),
        parameters=("FDR",),
    ),
    Question(
        "E4",
        "my_plan",
        best_plan,
        checks=(
            plan(
                unique("customer_id", name="一户一次"),
                Invariant("可联系", from_pool, "有客户不能联系。"),
                Invariant("待核查网点", not_audited, "有客户属于待核查的网点。"),
                Invariant("动作", right_action, "动作和 pool 不一样。"),
                Invariant("每周电话", weeks_hold, "有一周电话太多。"),
                Invariant("预算", budget_holds, "总成本超过预算。"),
                Invariant("线上额度", online_share, "电话名单里能线上提款的太少。"),
                objective=plan_value,
                share=0.95,
                maximise=True,
                columns=("customer_id", "week", "action"),
                goal="预期新增活跃户",
            ),
        ),
        hints=(
            "先去掉待核查网点的客户，再比一比：同样一块钱，电话和积分各换来多少活跃户？",
            "make_plan 已经排好了次序和周次，换一张客户表就能用。",
            'make_plan(pool[~pool["branch_id"].isin(audit_branches)])，再把索引变成 customer_id 列。',
        ),
        misconceptions=(
            Misconception(
                "points_for_all",
                "只发积分、不打电话：每一元换来的活跃户少得多。",
                matches=_only(GIFT),
            ),
            Misconception(
                "all_in_first_week",
                "所有人都排在同一周：每周的电话有上限，要分到四周。",
                matches=_one_week,
            ),
            Misconception(
                "forgot_audit", "待核查的网点也排进来了：先核查，再培育。", matches=_with_audited
            ),
        ),
        parameters=("PLAN_BUDGET", "CALLS_PER_WEEK", "ONLINE_SHARE", "FDR", "GIFT"),
    ),
]

VARIATIONS = [{"BRANCH": "B03"}, {"CALLS_PER_WEEK": 25, "VALUE_DEPOSIT": 20_000, "CALM": 0.2}]
