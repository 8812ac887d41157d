"""Questions of m05_n01: base, list, schedule and pitch of a team's model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import workshop
from course_utils.exercises import (
    Context,
    Invariant,
    Misconception,
    Part,
    Question,
    Quote,
    plan,
    unique,
    written,
)
from course_utils.exercises.values import labels

FLOOR = 1_000.0  # 元, average assets of E1
RICH = 10_000.0  # 元, the wrong reading of E1
FAIR_SIZE = 100  # shorter lists are not compared by benefit

# ---------------------------------------------------------------------------------- base


def _gates(context: Context) -> dict[str, set[str]]:
    """Return, for each rule of the base, the customers who break it."""
    return context.remember("gates", lambda: _count_gates(context))


def _count_gates(context: Context) -> dict[str, set[str]]:
    p, day = context.parameters, context.as_of
    people = context.load("customer")
    age = day.year - people["birth_year"].astype(float)  # unknown: fails the rule
    low, high = p["AGE_RANGE"]
    consent = context.load("consent")
    valid = consent["expire_date"].isna() | (consent["expire_date"] > day)
    agreed = consent.loc[(consent["scope"] == "营销") & consent["granted"] & valid, "customer_id"]
    loan = context.load("loan", ["customer_id", "settle_date", "five_class"])
    bad = loan["settle_date"].isna() & loan["five_class"].isin(["次级", "可疑", "损失"])
    log = context.load("contact_log", ["customer_id", "contact_time", "result"])
    fresh = log["contact_time"] > day - pd.Timedelta(days=p["COOL_DAYS"])
    spoken = log.loc[fresh & (log["result"] != "未触达"), "customer_id"]
    breaks = {
        "企业户不在这张名单里": people["customer_type"] == "企业",
        "销户或身故": people["status"] != "正常",
        "年龄不合适或在校": ~((age >= low) & (age <= high)) | (people["occupation"] == "学生"),
        "谢绝来电": people["do_not_call"].astype(bool),
        "没有有效的营销授权": ~people["customer_id"].isin(agreed),
        "号码无效": ~people["phone_valid"].astype(bool),
        "有不良贷款": people["customer_id"].isin(loan.loc[bad, "customer_id"]),
        "近期联系过": people["customer_id"].isin(spoken),
    }
    if p["BRANCH"]:
        breaks["不是这家网点的客户"] = people["branch_id"] != p["BRANCH"]
    return {name: set(people.loc[rows, "customer_id"]) for name, rows in breaks.items()}


def _open_customers(context: Context, without: str = "") -> pd.Series:
    """Return the ids that pass every rule (but one), in order of the customer table."""
    ids = context.load("customer", ["customer_id"])["customer_id"]
    blocked = set().union(*(rows for name, rows in _gates(context).items() if name != without))
    return ids[~ids.isin(blocked)]


def _assets(context: Context) -> pd.Series:
    """Return the average assets of the last three months by customer, 元."""
    return context.remember("assets", lambda: _average_assets(context))


def _average_assets(context: Context) -> pd.Series:
    table = context.load("customer_month", ["month", "customer_id", "aum_average"])
    recent = table[table["month"] > context.as_of - pd.DateOffset(months=3)]
    return recent.groupby("customer_id")["aum_average"].mean()


def _with_assets(context: Context, ids: pd.Series, floor: float) -> pd.Index:
    money = ids.map(_assets(context)).fillna(0)
    return pd.Index(ids[money >= floor])


def my_base(context: Context) -> pd.Index:
    """Return customers who may be called and have assets."""
    return _with_assets(context, _open_customers(context), FLOOR)


def no_gate(context: Context) -> pd.Index:
    """Forget the rules altogether."""
    ids = context.load("customer", ["customer_id", "branch_id"])
    if context.parameters["BRANCH"]:
        ids = ids[ids["branch_id"] == context.parameters["BRANCH"]]
    return _with_assets(context, ids["customer_id"], FLOOR)


def no_consent(context: Context) -> pd.Index:
    """Forget the consent."""
    return _with_assets(context, _open_customers(context, "没有有效的营销授权"), FLOOR)


def strictly_richer(context: Context) -> pd.Index:
    """Take a line ten times as high."""
    return _with_assets(context, _open_customers(context), RICH)


def _ids(answer: Any) -> set[str]:
    """Return the customer ids of an answer in any of the accepted forms."""
    if isinstance(answer, pd.DataFrame):
        answer = answer.get("customer_id", answer.index)
    return {str(item) for item in labels(answer)}


def _obeys(name: str) -> Invariant:
    def holds(answer: Any, context: Context) -> bool | str:
        wrong = len(_ids(answer) & _gates(context).get(name, set()))
        return not wrong or f"有 {wrong} 户不该在底盘里：{name}。"

    return Invariant(name, holds, f"底盘里有不能打的客户：{name}。")


def _has_assets(answer: Any, context: Context) -> bool | str:
    money = _assets(context)
    poor = sum(money.get(item, 0.0) < FLOOR for item in _ids(answer))
    return not poor or f"有 {poor} 户的季日均资产不到一千元。"


def _no_loss(answer: Any, context: Context) -> bool | str:
    lost = len(set(my_base(context)) - _ids(answer))
    return not lost or f"丢了 {lost} 户能打的客户：每一关只去掉该去掉的人，资产线是一千元。"


GATES = (
    "企业户不在这张名单里",
    "销户或身故",
    "年龄不合适",
    "谢绝来电",
    "没有有效的营销授权",
    "号码无效",
    "有不良贷款",
    "近期联系过",
    "不是这家网点的客户",
)

# ---------------------------------------------------------------------------------- list


def list_size(context: Context) -> int:
    """Return how many names the list holds."""
    return min(context.parameters["LIST_SIZE"], len(_open_customers(context)) // 4)


def _traits(context: Context) -> pd.DataFrame:
    """Return what the reference list looks at, for customers who may be called."""
    return context.remember("traits", lambda: _read_traits(context))


def _read_traits(context: Context) -> pd.DataFrame:
    day = context.as_of
    people = context.load("customer").set_index("customer_id")
    table = people.loc[_open_customers(context), ["birth_year", "credit_grade"]].copy()
    age = day.year - table["birth_year"].astype(float)
    table["aum"] = _assets(context).reindex(table.index).fillna(0)
    held = context.load("customer_product_history")
    alive = (held["from_date"] <= day) & ~(held["to_date"] <= day)
    shops = held.loc[alive & (held["item"] == "收单"), "customer_id"]
    loan = context.load("loan", ["customer_id", "settle_date"])
    running = loan.loc[~(loan["settle_date"] <= day), "customer_id"]
    table["shop"] = table.index.isin(shops) & ~table.index.isin(running)
    back = people["is_returnee"] if "is_returnee" in people else pd.Series(False, people.index)
    table["back"] = back.reindex(table.index).astype(bool) & (age <= 35)
    table["safe"] = ~table["credit_grade"].isin(["D", "E"])
    return table


def team_list(context: Context) -> pd.DataFrame:
    """Return returned young people and merchants without a loan first, safe grades only."""
    table = _traits(context)
    table = table[table["safe"]]
    pilots = workshop.pilot(
        context.bank,
        {
            "back": table.index[table["back"]],
            "shop": table.index[table["shop"]],
            "rest": table.index[~table["back"] & ~table["shop"]],
        },
        context.parameters["PILOT_SIZE"],
        seed=5,
    )["net_benefit"].fillna(0)
    worth = np.select([table["back"], table["shop"]], [pilots["back"], pilots["shop"]])
    table = table.assign(expected_benefit=np.where(worth == 0, pilots["rest"], worth))
    table = table.sort_values(["expected_benefit", "aum"], ascending=False)
    return table.head(list_size(context))[["expected_benefit"]].reset_index(names="customer_id")


def richest(context: Context) -> pd.DataFrame:
    """Return the list to beat: most assets first."""
    table = _traits(context).sort_values("aum", ascending=False, kind="stable")
    table = table.head(list_size(context))
    return pd.DataFrame({"customer_id": table.index, "expected_benefit": table["aum"] / 1_000})


def public_benefit(answer: pd.DataFrame, context: Context) -> float:
    """Return the net benefit (元) of the public half of a list."""
    return workshop.list_benefit(workshop.outcomes(context.bank), answer["customer_id"])


def to_beat(context: Context) -> float:
    """Return the benefit that a list must reach; nothing where luck would decide."""
    if list_size(context) < FAIR_SIZE:
        return -1e9
    own = public_benefit(richest(context), context)
    return max(own, 0.0) * context.parameters["LIST_BEAT"]


def _right_size(answer: Any, context: Context) -> bool | str:
    wanted = list_size(context)
    return len(answer) == wanted or f"名单有 {len(answer)} 户，应为 {wanted} 户。"


def _inside(answer: Any, context: Context) -> bool | str:
    allowed = set(_open_customers(context))
    strange = int((~answer["customer_id"].astype(str).isin(allowed)).sum())
    return not strange or f"有 {strange} 户不在能打的底盘里。"


def _ordered(answer: Any, context: Context) -> bool:
    value = pd.to_numeric(answer["expected_benefit"], errors="coerce")
    return bool(value.notna().all() and value.is_monotonic_decreasing)


def _mostly(context: Context, answer: Any, trait: pd.Series) -> bool:
    """Say whether most names of a list have a trait."""
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    return bool(answer["customer_id"].isin(trait.index[trait]).mean() > 0.5)


def is_richest(answer: Any, context: Context) -> bool:
    """Recognise the list of the richest."""
    return _mostly(context, answer, pd.Series(True, pd.Index(richest(context)["customer_id"])))


def is_risky(answer: Any, context: Context) -> bool:
    """Recognise a list of the riskiest that stays inside the base."""
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    table = _traits(context)
    share = (~table["safe"]).reindex(answer["customer_id"]).fillna(False)
    return bool(share.mean() > 0.2) and not is_richest(answer, context)


def is_outside(answer: Any, context: Context) -> bool:
    """Recognise a list that was not taken from the base."""
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    return bool((~answer["customer_id"].astype(str).isin(_open_customers(context))).mean() > 0.5)


LIST_CHECK = plan(
    unique("customer_id", name="一户一次"),
    Invariant("户数", _right_size, "名单的户数不对。"),
    Invariant("都在底盘里", _inside, "名单里有不能打的客户。"),
    Invariant("从高到低", _ordered, "预期净收益要是数字，并且从高到低排。"),
    objective=public_benefit,
    baseline=to_beat,
    columns=("customer_id", "expected_benefit"),
    goal="公榜净收益（元）",
)

# ---------------------------------------------------------------------------------- schedule


def _names(context: Context) -> pd.DataFrame:
    """Return the trainee's list, or the reference if there is none."""
    answer = context.variables.get("team_list")
    right = isinstance(answer, pd.DataFrame) and {"customer_id", "expected_benefit"} <= set(answer)
    return answer if right else team_list(context)


def _desks(context: Context) -> dict[str, list[str]]:
    staff = context.load("employee")
    at_work = staff[(staff["post"] == "客户经理") & staff["active"].astype(bool)]
    return (
        at_work.sort_values("employee_id").groupby("branch_id")["employee_id"].agg(list).to_dict()
    )


def _days(context: Context) -> list[pd.Timestamp]:
    table = context.load("calendar", ["date", "workday"])
    ahead = table.loc[table["workday"] & (table["date"] > context.as_of), "date"].sort_values()
    return list(ahead.head(context.parameters["PLAN_DAYS"]))


def _branch(context: Context) -> pd.Series:
    return context.load("customer", ["customer_id", "branch_id"]).set_index("customer_id")[
        "branch_id"
    ]


def team_plan(context: Context) -> pd.DataFrame:
    """Hold a random part back; fill each manager's days one after the other."""
    names, p = _names(context), context.parameters
    keep = np.random.default_rng(3).permutation(len(names))[round(p["HOLDOUT"] * len(names)) :]
    desks, days, branch = _desks(context), _days(context), _branch(context)
    most = p["CAPACITY"] * len(days)
    used: dict[str, int] = {}
    rows = []
    for customer in names["customer_id"].iloc[np.sort(keep)]:
        room = [m for m in desks.get(branch[customer], []) if used.get(m, 0) < most]
        if room:
            manager = min(room, key=lambda m: used.get(m, 0))
            rows.append((customer, manager, days[used.get(manager, 0) // p["CAPACITY"]]))
            used[manager] = used.get(manager, 0) + 1
    return pd.DataFrame(rows, columns=["customer_id", "manager_id", "call_date"])


def _most(context: Context) -> int:
    return context.parameters["CAPACITY"] * len(_days(context))


def _on_list(answer: Any, context: Context) -> bool | str:
    strange = int((~answer["customer_id"].isin(_names(context)["customer_id"])).sum())
    return not strange or f"有 {strange} 户不在 team_list 里。"


def _own_manager(answer: Any, context: Context) -> bool | str:
    desks, branch = _desks(context), _branch(context)
    wrong = sum(
        manager not in desks.get(branch.get(customer, ""), [])
        for customer, manager in zip(answer["customer_id"], answer["manager_id"], strict=True)
    )
    return not wrong or f"有 {wrong} 户派给了别的网点的人，或者不是在职客户经理。"


def _within_days(answer: Any, context: Context) -> bool | str:
    day = pd.to_datetime(answer["call_date"], errors="coerce").dt.normalize()
    wrong = int((~day.isin(_days(context))).sum())
    return not wrong or f"有 {wrong} 户不在计划的工作日里。"


def _capacity(answer: Any, context: Context) -> bool | str:
    load = answer.groupby(["manager_id", "call_date"]).size()
    limit = context.parameters["CAPACITY"]
    return load.max() <= limit or f"有经理一天排了 {load.max()} 户，上限是 {limit} 户。"


def _held_out(answer: Any, context: Context) -> bool | str:
    names, share = _names(context), context.parameters["HOLDOUT"]
    out = int((~names["customer_id"].isin(answer["customer_id"])).sum())
    least = int(np.floor(share * len(names)))
    return out >= least or f"只留出 {out} 户，至少要随机留出 {least} 户不打，不然没法检验。"


def _random_holdout(answer: Any, context: Context) -> bool:
    """Say whether those left out are spread over the list, not its tail."""
    names = _names(context)
    out = ~names["customer_id"].isin(answer["customer_id"]).to_numpy()
    desks, branch = _desks(context), _branch(context)
    staffed = names["customer_id"].map(lambda c: bool(desks.get(branch.get(c, ""))))
    place = np.flatnonzero(out & staffed.to_numpy()) / max(len(names) - 1, 1)
    if len(place) < 10:
        return True
    return bool(abs(place.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(place)) + 0.1)


def _scheduled(answer: pd.DataFrame, context: Context) -> float:
    value = _names(context).drop_duplicates("customer_id").set_index("customer_id")
    return float(value["expected_benefit"].reindex(answer["customer_id"]).clip(lower=1.0).sum())


def is_full(answer: Any, context: Context) -> bool:
    """Recognise a schedule that holds nobody back."""
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    names = _names(context)
    least = int(np.floor(context.parameters["HOLDOUT"] * len(names)))
    return int((~names["customer_id"].isin(answer["customer_id"])).sum()) < least


def is_one_manager(answer: Any, context: Context) -> bool:
    """Recognise a schedule in which one person does everything."""
    return (
        isinstance(answer, pd.DataFrame)
        and "manager_id" in answer
        and len(answer) > _most(context)
        and answer["manager_id"].drop_duplicates().size == 1
    )


PLAN_CHECK = plan(
    unique("customer_id", name="一户一次"),
    Invariant("只排名单", _on_list, "排期里有名单以外的客户。"),
    Invariant("本网点经理", _own_manager, "客户要由本网点的在职客户经理联系。"),
    Invariant("工作日", _within_days, "有的日期不在计划的工作日里。"),
    Invariant("每天容量", _capacity, "有经理一天排得太满。"),
    Invariant("留出", _held_out, "没有留出足够的客户。"),
    Invariant(
        "随机留出", _random_holdout, "留出的人集中在名单的一头：要随机留，不能只留排在后面的。"
    ),
    objective=_scheduled,
    share=0.95,
    columns=("customer_id", "manager_id", "call_date"),
    goal="排期覆盖的预期净收益（元）",
)

# ---------------------------------------------------------------------------------- pitch


def _pilot(context: Context) -> pd.Series:
    """Return net benefit by cell of the demonstration's second pilot."""
    table = context.variables.get("second")
    right = isinstance(table, pd.DataFrame) and "net_benefit" in table
    return table["net_benefit"].dropna() if right else pd.Series(dtype=float)


def pitch(context: Context) -> str:
    """Return a passing pitch built from the pilots of the demonstration."""
    value = _pilot(context)
    if value.empty:
        return "?"
    return (
        f"建议先联系“{value.idxmax()}”，试点平均每户净收益 {value.max():.0f} 元；"
        f"“{value.idxmin()}”是 {value.min():.0f} 元，先不打。"
        "下一步由各网点的客户经理分档拨打，随机留出一部分客户作对照，打完再比较差别。"
    )


# ---------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "my_base",
        my_base,
        checks=(
            plan(
                *(_obeys(name) for name in GATES),
                Invariant("资产线", _has_assets, "有客户的季日均资产不到一千元。"),
                Invariant("一个不丢", _no_loss, "丢了能打的客户。"),
            ),
        ),
        hints=(
            "演示二的 `base` 已经过了八关，只差资产这一条。",
            '从 `base` 里挑 `base["aum"]` 不低于一千元的行；客户号在索引里。',
            'base.index[base["aum"] >= 1_000]',
        ),
        misconceptions=(
            Misconception(
                "no_gate",
                "你从全部客户里挑的：八关还没有过，谢绝来电、没有授权的人都在里面。",
                matches=lambda a, c: _ids(a) == set(no_gate(c)),
            ),
            Misconception(
                "no_consent",
                "少了一关：没有有效营销授权的客户不能打。",
                matches=lambda a, c: _ids(a) == set(no_consent(c)),
            ),
            Misconception(
                "strictly_richer",
                "资产线看错了一个零：是一千元，不是一万元，你丢了能打的客户。",
                matches=lambda a, c: _ids(a) == set(strictly_richer(c)),
            ),
        ),
        parameters=("BRANCH", "AGE_RANGE", "COOL_DAYS"),
        shape="一串客户号（列表、Series 或索引）",
    ),
    Question(
        "E2",
        "team_list",
        team_list,
        checks=(LIST_CHECK,),
        hints=(
            "先看演示三：哪一格的平均净收益高、区间在零以上？等级差的那一格呢？",
            "给每个客群做一次试点，把试点的平均净收益当成这群人的 expected_benefit，再从高到低排。",
            "除了商户，还可以试试返乡青年（`returnee_young`）、信用等级 A 和 B 的客户；等级 D、E 的先去掉；最后 `head(size)`。",
        ),
        misconceptions=(
            Misconception(
                "richest",
                "这张名单就是资产最高的那些人：他们本来就好，电话带不来多少。要的是打了才来的人。",
                matches=is_richest,
            ),
            Misconception(
                "neediest",
                "名单里很多人信用等级是 D 或 E：最缺钱的人最爱点头，也最容易变坏，净收益是负的。",
                matches=is_risky,
            ),
            Misconception(
                "outside_base",
                "名单里的人没有过底盘那八关：先从 base 里挑。",
                matches=is_outside,
            ),
        ),
        parameters=("BRANCH", "LIST_SIZE", "PILOT_SIZE", "LIST_BEAT", "AGE_RANGE", "COOL_DAYS"),
        shape="一张表，列 customer_id、expected_benefit",
    ),
    Question(
        "E3",
        "team_plan",
        team_plan,
        checks=(PLAN_CHECK,),
        hints=(
            "演示六已经排过一遍“示范规则卡”，换成 `team_list`，再先随机去掉一部分。",
            "`team_list.sample(frac=HOLDOUT, random_state=7)` 是要留出的人，把他们从名单里去掉再排。",
            "每个网点的经理轮流分：第几户除以经理数的余数决定给谁，每位经理的第几户整除 `CAPACITY` 决定第几天。",
        ),
        misconceptions=(
            Misconception(
                "no_holdout",
                "名单里的人全排上了：要随机留出 HOLDOUT 比例不打，否则打完也说不清有没有用。",
                matches=is_full,
            ),
            Misconception(
                "one_manager",
                "全派给了一位经理，还挤在一起：客户只归本网点的经理，一人一天有上限。",
                matches=is_one_manager,
            ),
        ),
        parameters=("CAPACITY", "PLAN_DAYS", "HOLDOUT"),
        shape="一张表，列 customer_id、manager_id、call_date",
    ),
    Question(
        "E4",
        "pitch",
        pitch,
        checks=(
            written(
                Part("打谁", ("打", "联系", "拨")),
                Part("凭什么", ("试点", "净收益")),
                Part("下一步", ("下一步", "安排", "下周", "先打", "工作日")),
                Part("怎么检验", ("留出", "对照", "保留", "不打")),
                grounded_in=("first", "second"),
                quotes=(
                    Quote("试点最好一格的净收益", lambda c: _pilot(c).max()),
                    Quote("试点最差一格的净收益", lambda c: _pilot(c).min()),
                ),
                least_numbers=2,
                shortest=40,
                longest=260,
                forbidden=(
                    ("保证", "不能写“保证”：试点只是估计，还有区间。"),
                    ("一定能|肯定|必然", "不要把话说满：试点的结果有区间，换一批人会变。"),
                ),
            ),
        ),
        hints=(
            "四句话：打谁、凭什么、下一步做什么、怎么检验。",
            "数字从 `first` 或 `second` 的 net_benefit 列里取，用 f-string 写进去，取整到元。",
            "检验那句写明：随机留出一部分客户不打，打完和他们比。",
        ),
        misconceptions=(
            Misconception(
                "promise", "不能向行长打包票：试点只是估计。", matches=lambda a, c: "保证" in str(a)
            ),
            Misconception(
                "no_test",
                "没有说怎么检验：要写明随机留出一部分客户作对照。",
                matches=lambda a, c: not any(w in str(a) for w in ("留出", "对照", "保留", "不打")),
            ),
        ),
        shape="一段文字",
    ),
]


VARIATIONS = [{"LIST_SIZE": 200}, {"BRANCH": "B03"}]
