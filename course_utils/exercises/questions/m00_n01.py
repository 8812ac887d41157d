"""Questions of m00_n01: uniqueness, reconciliation, the right daily average, honest limits."""

from __future__ import annotations

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
    Relation,
    behaviour,
    frame,
    invariants,
    number,
    same,
    unique,
    written,
)

MONEY = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
Score = Callable[[pd.DataFrame, str | list[str]], float]

# -------------------------------------------------------------------------------- E1 uniqueness


def uniqueness(context: Context) -> Score:
    """Return the reference function: distinct keys over rows."""

    def score(df: pd.DataFrame, key: str | list[str]) -> float:
        keys = [key] if isinstance(key, str) else list(key)
        return df.groupby(keys, dropna=False).ngroups / len(df) if len(df) else 1.0

    return score


def keep_false(context: Context) -> Score:
    """Count the first appearance as surplus too."""
    return lambda df, key: 1 - df.duplicated(key, keep=False).mean() if len(df) else 1.0


def whole_row(context: Context) -> Score:
    """Compare whole rows instead of the key."""
    return lambda df, key: 1 - df.duplicated().mean() if len(df) else 1.0


def share_of_duplicates(context: Context) -> Score:
    """Give the share of surplus rows."""
    return lambda df, key: df.duplicated(key).mean() if len(df) else 0.0


def customer_rows(context: Context) -> tuple[pd.DataFrame, str]:
    """Return the persons and the hash of their identity."""
    columns = ["customer_id", "customer_type", "id_hash"]
    people = context.load("customer", columns)
    # named here, so that a bank without the column is told so and nobody's answer is blamed
    return people.loc[people["customer_type"] != "企业", columns], "id_hash"


def with_duplicates(context: Context) -> tuple[pd.DataFrame, str]:
    """Return a small table with one key three times and one twice; other columns differ."""
    rows = pd.DataFrame({"编号": ["甲", "乙", "甲", "丙", "乙", "甲", "丁"], "金额": range(7)})
    return rows, "编号"


def doubled(context: Context) -> tuple[pd.DataFrame, str]:
    """Return the persons, every fifth one twice."""
    people, key = customer_rows(context)
    return pd.concat([people, people.iloc[::5]], ignore_index=True), key


# ----------------------------------------------------------------------------- E2 reconciliation


def reconcile(
    context: Context, weigh: bool = True, unit: str = "share", sign: int = 1
) -> pd.DataFrame:
    """Return branch months whose accounts miss the ledger by more than the limit."""
    customer = context.load("customer", ["customer_id", "branch_id", "weight"])
    customer = customer.set_index("customer_id")
    months = context.load("customer_month", ["month", "customer_id", "deposit_end"])
    weight = months["customer_id"].map(customer["weight"]) if weigh else 1.0
    booked = pd.DataFrame(
        {
            "month": months["month"],
            "branch_id": months["customer_id"].map(customer["branch_id"]),
            "booked": months["deposit_end"] * weight,
        }
    )
    booked = booked.groupby(["month", "branch_id"], as_index=False)["booked"].sum()
    ledger = context.load("branch_day")
    ledger = ledger[ledger["is_ledger"]].rename(columns={"date": "month"})
    ledger = ledger.assign(ledger=ledger[MONEY].sum(axis=1))[["month", "branch_id", "ledger"]]
    both = ledger.merge(booked, on=["month", "branch_id"])
    gap = both["ledger"] - both["booked"]
    share = gap / both["ledger"]
    shown = {"yuan": np.abs(gap), "percent": share * 100, "booked": gap / both["booked"]}
    both["gap_share"] = shown.get(unit, share if sign > 0 else -share.abs())
    chosen = share.abs() > context.parameters["GAP_LIMIT"]
    return both.loc[chosen, ["month", "branch_id", "gap_share"]].reset_index(drop=True)


def beyond_limit(answer: pd.DataFrame, context: Context) -> bool:
    """Say whether every listed gap is larger than the limit."""
    return bool((answer["gap_share"].abs() > context.parameters["GAP_LIMIT"]).all())


# ----------------------------------------------------------------------------------- E3 the KPI


def branch_balance(context: Context, branch: str | None) -> pd.Series:
    """Return the daily deposits of one branch, or of the bank."""
    daily = context.load("branch_day")
    if branch is not None:
        daily = daily[daily["branch_id"] == branch]
    return daily.groupby("date")[MONEY].sum().sum(axis=1)


def kpi_growth(context: Context) -> float:
    """Return this year's daily average minus last year's."""
    return _yearly(branch_balance(context, context.parameters["BRANCH"]), context)


def _yearly(balance: pd.Series, context: Context) -> float:
    end, start = context.as_of, pd.Timestamp(context.as_of.year, 1, 1)
    before = pd.Timestamp(context.as_of.year - 1, 1, 1)
    now = balance.loc[start:end].mean()
    return float(now - balance.loc[before : start - pd.Timedelta(days=1)].mean())


def point_in_time(context: Context) -> float:
    """Compare balances of two days."""
    balance = branch_balance(context, context.parameters["BRANCH"])
    return float(balance.iloc[-1] - balance.loc[: f"{context.as_of.year - 1}-12-31"].iloc[-1])


def month_average(context: Context) -> float:
    """Compare the averages of two Decembers."""
    balance = branch_balance(context, context.parameters["BRANCH"])
    monthly = balance.resample("ME").mean()
    return float(monthly.iloc[-1] - monthly.iloc[-13])


def average_less_point(context: Context) -> float:
    """Take the balance of the last day of the year before from this year's daily average."""
    balance = branch_balance(context, context.parameters["BRANCH"])
    start = pd.Timestamp(context.as_of.year, 1, 1)
    before = balance.loc[: start - pd.Timedelta(days=1)]
    return float(balance.loc[start : context.as_of].mean() - before.iloc[-1])


def whole_bank(context: Context) -> float:
    """Forget to choose the branch."""
    return _yearly(branch_balance(context, None), context)


# ---------------------------------------------------------------------------------- E4 the limits


def defects(context: Context) -> pd.DataFrame:
    """Return the shares a trainee may quote."""
    people = context.load(
        "customer", ["customer_type", "id_hash", "birth_year", "phone_valid"]
    ).query("customer_type != '企业'")
    return pd.DataFrame(
        {
            "share": {
                "birth": people["birth_year"].isna().mean(),
                "phone": (~people["phone_valid"]).mean(),
                "twice": people["id_hash"].duplicated().mean(),
            }
        }
    )


def three_limits(context: Context) -> str:
    """Return three sentences that pass."""
    share = defects(context).loc["birth", "share"]
    return (
        f"本数据不能回答各年龄段的存款偏好，因为缺少 {share:.1%} 个人客户的出生年。"
        "本数据不能回答客户在他行有多少存款，因为缺少他行的账户信息。"
        "本数据不能回答客户为什么离开，因为缺少客户自己说的原因。"
    )


def gives_no_reason(answer: str, context: Context) -> bool:
    """Say whether the text states limits without a reason."""
    return "不能" in answer and "因为" not in answer


QUESTIONS = [
    Question(
        "E1",
        "dq_uniqueness",
        uniqueness,
        checks=(
            behaviour(
                Case("本行个人客户", customer_rows),
                Case("人为重复几行", with_duplicates, "只有第二次及以后出现的行才算多余。"),
                Case("再混进重复行", doubled),
                Case(
                    "两列合起来才是主键",
                    lambda context: (
                        pd.DataFrame({"月": [1, 1, 2, 2], "号": ["甲", "乙", "甲", "甲"]}),
                        ["月", "号"],
                    ),
                    "key 也可能是几列的列表。",
                ),
                Case(
                    "空表",
                    lambda context: (with_duplicates(context)[0].head(0), "编号"),
                    "空表要返回 1：没有行，就没有重复。",
                ),
                Relation(
                    "打乱行序",
                    with_duplicates,
                    lambda context: (with_duplicates(context)[0].iloc[::-1], "编号"),
                    same,
                    "行的先后不应影响结果。",
                ),
                compare=number(),
                signature=("df", "key"),
            ),
        ),
        hints=(
            "df.duplicated(key) 会把第二次及以后出现的行标成 True。",
            "True 的平均值就是多余行的比例，用一减去它。",
            "先判断空表：len(df) == 0 时直接返回 1。",
        ),
        misconceptions=(
            Misconception(
                "keep_false",
                "你把第一次出现的那一行也算成多余了：三行重复，只有两行是多余的。",
                keep_false,
            ),
            Misconception(
                "whole_row",
                "你比较的是整行。同一个主键、别的列不同，也是重复：要按 key 判断。",
                whole_row,
            ),
            Misconception(
                "share_of_duplicates",
                "你返回的是重复的比例，题目要的是不重复的比例。",
                share_of_duplicates,
            ),
        ),
        shape="一个函数，返回零到一之间的数",
    ),
    Question(
        "E2",
        "gaps",
        reconcile,
        frame(["month", "branch_id"], ["gap_share"]),
        checks=(
            invariants(
                unique(["month", "branch_id"]),
                Invariant("都超过限度", beyond_limit, "名单里有差额没有超过 GAP_LIMIT 的网点月。"),
                columns=("month", "branch_id", "gap_share"),
            ),
        ),
        hints=(
            "账户合计＝月末存款 × 抽样权数，再按月份和网点加总。",
            "总账只取 is_ledger 为真的那些天，四类存款已经加在 deposit 列里。",
            "两边的索引都设成（月份，网点号），就能直接相减；再用 .abs() > GAP_LIMIT 筛选。",
        ),
        misconceptions=(
            Misconception(
                "no_weight",
                "几乎每个网点都“对不上”，多半是忘了乘抽样权数：一行客户代表全行若干户。",
                lambda context: reconcile(context, weigh=False),
            ),
            Misconception(
                "sign",
                "正负号反了：题目定义的是（总账 − 账户合计）÷ 总账。",
                lambda context: reconcile(context, sign=-1),
            ),
            Misconception(
                "yuan",
                "gap_share 写成了差额（元）。题目要的是差额占总账的比例。",
                lambda context: reconcile(context, unit="yuan"),
            ),
            Misconception(
                "percent",
                "gap_share 放大了一百倍：题目要的是比例（小数），不是百分数。",
                lambda context: reconcile(context, unit="percent"),
            ),
            Misconception(
                "booked",
                "分母用成了账户合计。题目定义的分母是总账：账要向总账看齐。",
                lambda context: reconcile(context, unit="booked"),
            ),
        ),
        inputs={
            "months": lambda context: context.load(
                "customer_month", ["month", "customer_id", "deposit_end", "aum_average"]
            ),
            "customers": "customer",
        },
        parameters=("GAP_LIMIT",),
    ),
    Question(
        "E3",
        "kpi_growth",
        kpi_growth,
        number(unit="元", relative=1e-6),
        hints=(
            "“日均比年初”比的是两个年日均，不是两天的余额。",
            '先筛出本网点：daily[daily["branch_id"] == BRANCH]。',
            "今年的平均减去上一年全年的平均，按日期的年份筛选。",
        ),
        misconceptions=(
            Misconception(
                "point_in_time",
                "你用的是两个时点余额之差。考核写的是日均：要对每天取平均。",
                point_in_time,
            ),
            Misconception(
                "month_average",
                "你比的是两个月日均。题目要的是年日均：从一月一日起的每一天。",
                month_average,
            ),
            Misconception(
                "average_less_point",
                "你用今年的年日均减了上年末那一天的时点：两边要用同一种余额。",
                average_less_point,
            ),
            Misconception("whole_bank", "这是全行的数，请先筛出你的网点 BRANCH。", whole_bank),
        ),
        parameters=("BRANCH",),
    ),
    Question(
        "E4",
        "limits",
        three_limits,
        checks=(
            written(
                Part("三句“不能”", (r"不能[\s\S]*不能[\s\S]*不能",)),
                Part("原因（因为……）", ("因为",)),
                Part("缺少什么", ("缺少", "没有", "看不到")),
                grounded_in=(defects,),
                least_numbers=1,
                shortest=60,
                longest=300,
            ),
        ),
        hints=(
            "照“本数据不能回答……，因为缺少……”的样子写三句。",
            "想想客户在别处的事、客户心里的事、以后的事，表里有没有。",
            '缺陷比例在上面的小表里，用 f"{missing:.1%}" 填进句子。',
        ),
        misconceptions=(
            Misconception(
                "no_reason",
                "只说了不能，没有说因为缺什么：写出原因，别人才知道该补哪一份数据。",
                matches=gives_no_reason,
            ),
        ),
    ),
]

VARIATIONS = [{"BRANCH": "B05"}, {"GAP_LIMIT": 0.0005}]
