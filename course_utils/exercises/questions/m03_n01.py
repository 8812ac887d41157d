"""Questions of m03_n01: counts of a dirty list, two age bands, a ranking, a fair deal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import glm, model, whitelist
from course_utils.exercises import (
    Context,
    Invariant,
    Misconception,
    Question,
    Tolerance,
    frame,
    invariants,
    plan,
    predictions,
    unique,
)

STATUS = ["重复", "已有贷款", "不准入", "号码无效", "谢绝或无授权", "能打"]
LEAKING = (
    "called", "call_date", "call_count", "reached", "interested", "applied", "approved", "drawn",
    "drawn_date", "drawn_amount", "reason_code",
)  # fmt: skip

# ------------------------------------------------------------------------------ shared: the list


def people(context: Context) -> pd.DataFrame:
    """Return birth year and do-not-call by customer."""

    def made() -> pd.DataFrame:
        columns = ["customer_id", "birth_year", "do_not_call"]
        return context.load("customer", columns).set_index("customer_id")

    return context.remember("people", made)


def agreed(context: Context) -> set[str]:
    """Return the customers whose consent to marketing holds today."""

    def made() -> set[str]:
        rows = context.load("consent")
        rows = rows[(rows["scope"] == "营销") & rows["granted"].eq(True)]
        valid = rows["expire_date"].isna() | (rows["expire_date"] >= context.as_of)
        return set(rows.loc[valid, "customer_id"])

    return context.remember("agreed", made)


def limits(context: Context) -> pd.DataFrame:
    """Return the age limits of products as floats."""
    rows = context.load("product", ["product_code", "age_minimum", "age_maximum"])
    return rows.set_index("product_code").astype(float)


def fits(context: Context, rows: pd.DataFrame, age: pd.Series) -> pd.Series:
    """Return whom the offered product admits: by age, and no students."""
    lines = limits(context).reindex(rows["product_code"])
    values = age.to_numpy(dtype=float)
    allowed = (values >= lines["age_minimum"].to_numpy()) & (
        values <= lines["age_maximum"].to_numpy()
    )
    work = context.load("customer", ["customer_id", "occupation"]).set_index("customer_id")
    student = work["occupation"].reindex(rows["customer_id"]).eq("学生").to_numpy(dtype=bool)
    return pd.Series(allowed & ~student, index=rows.index)


def white_list(context: Context) -> pd.DataFrame:
    """Return all rows, the worked row of a customer before its idle doubles."""

    def made() -> pd.DataFrame:
        rows = context.load("white_list")
        order = np.lexsort((rows["list_id"], ~rows["called"].to_numpy(dtype=bool)))
        rows = rows.iloc[order].copy()
        person = people(context).reindex(rows["customer_id"])
        rows["age"] = rows["list_date"].dt.year - person["birth_year"].to_numpy(dtype=float)
        refused = person["do_not_call"].eq(True).to_numpy()
        rows["may_call"] = rows["customer_id"].isin(agreed(context)) & ~refused
        rows["refused"] = refused
        rows["age_fits"] = fits(context, rows, rows["age"])
        rows["again"] = rows.groupby(["batch", "customer_id"]).cumcount() > 0
        return rows

    return context.remember("white_list", made)


def fresh(context: Context) -> pd.DataFrame:
    """Return rows neither doubled nor already borrowing, with the features of the lesson."""

    def made() -> pd.DataFrame:
        rows = white_list(context)
        rows = rows[~rows["again"] & ~rows["already_borrowing"].astype(bool)].sort_values("list_id")
        bands = whitelist.wave(rows["age"], context.parameters["AGE_EDGES"])
        return rows.assign(online=rows["online_loan_flag"].astype(int)).join(bands)

    return context.remember("fresh", made)


def simple(context: Context) -> list[str]:
    """Return the features of the lesson's model."""
    edges = context.parameters["AGE_EDGES"]
    return ["online", *[f"age_{low:g}" for low in edges[1:-1]]]


# ------------------------------------------------------------------------------------ E1 hygiene


def hygiene(
    context: Context,
    *,
    across: bool = False,
    overlapping: bool = False,
    refusal_only: bool = False,
) -> pd.DataFrame:
    """Return rows by batch and first reason, counted reason by reason."""
    rows = white_list(context)
    again = rows.groupby("customer_id").cumcount() > 0 if across else rows["again"]
    allowed = ~rows["refused"] if refusal_only else rows["may_call"]
    reasons = [
        again,
        rows["already_borrowing"].astype(bool),
        ~rows["age_fits"],
        ~rows["phone_valid"].astype(bool),
        ~allowed,
    ]
    counted, table = pd.Series(False, rows.index), {}
    for name, reason in zip(STATUS, reasons, strict=False):
        hit = reason if overlapping else reason & ~counted
        table[name] = hit.groupby(rows["batch"]).sum()
        counted = counted | reason
    table[STATUS[-1]] = (~counted).groupby(rows["batch"]).sum()
    return pd.DataFrame(table).rename_axis("batch")


def adds_up(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the columns of each batch add up to its rows."""
    rows = white_list(context).groupby("batch").size()
    total = table.set_index("batch")[STATUS].sum(axis=1)
    off = [str(b) for b in rows.index if b not in total.index or total[b] != rows[b]]
    return not off or f"第 {'、'.join(off)} 批六列之和不等于这一批的行数：一行只能算一次。"


# ----------------------------------------------------------------------------- E2 two age bands


def ratios(context: Context) -> pd.DataFrame:
    """Return spending over income and age of the persons on the list."""

    def made() -> pd.DataFrame:
        columns = ["month", "customer_id", "in_amount", "out_amount"]
        rows = context.load("customer_month", columns)
        listed = fresh(context)["customer_id"].unique()
        rows = rows[
            (rows["month"] > context.as_of - pd.DateOffset(months=12))
            & rows["customer_id"].isin(listed)
        ]
        mean = rows.groupby("customer_id")[["in_amount", "out_amount"]].mean()
        mean = mean[mean["in_amount"] > 500]
        born = people(context)["birth_year"].reindex(mean.index).to_numpy(dtype=float)
        return mean.assign(age=context.as_of.year - born)

    return context.remember("ratios", made)


def two_bands(context: Context, *, spread: bool = False, of_medians: bool = False) -> pd.DataFrame:
    """Return the median ratio of each band with a bootstrap interval, or a named mistake."""
    rows, result = ratios(context), {}
    for name, (low, high) in context.parameters["TWO_BANDS"].items():
        part = rows[(rows["age"] >= low) & (rows["age"] < high)]
        out, into = part["out_amount"].to_numpy(), part["in_amount"].to_numpy()
        share = out / into
        pick = np.random.default_rng(99).integers(0, len(part), (1000, len(part)))
        draws = np.sort(share[pick], axis=1)
        medians = (draws[:, (len(part) - 1) // 2] + draws[:, len(part) // 2]) / 2
        middle = float(np.median(share))
        if of_medians:
            medians = np.median(out[pick], axis=1) / np.median(into[pick], axis=1)
            middle = float(np.median(out) / np.median(into))
        if spread:
            medians = share
        result[name] = [middle, *np.percentile(medians, [2.5, 97.5])]
    table = pd.DataFrame.from_dict(result, orient="index", columns=["median", "low", "high"])
    return table.rename_axis("band")


# ---------------------------------------------------------------------------------- E3 ranking


def callable_rows(context: Context) -> pd.DataFrame:
    """Return the rows that could have been called."""
    rows = fresh(context)
    return rows[rows["phone_valid"].astype(bool) & rows["assigned_employee_id"].notna()]


def halves(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the called rows to learn from and those to judge by."""
    rows = callable_rows(context)
    rows = rows[rows["called"].astype(bool)]
    last = context.parameters["TEST_BATCH"]
    return rows[rows["batch"] < last], rows[rows["batch"] == last]


def weights(context: Context) -> pd.Series:
    """Return one over the manager's call rate."""
    return whitelist.call_weights(callable_rows(context), "assigned_employee_id")


def outcomes(context: Context) -> pd.Series:
    """Return who drew in the batch that judges."""
    return halves(context)[1].set_index("list_id")["drawn"].astype(int)


def old_score_line(context: Context) -> float:
    """Return the AUC to reach: that of the score on the list plus 0.05."""
    test = halves(context)[1]
    return model.auc(test["drawn"], test["prior_score"]) + 0.05


def reference_score(context: Context) -> pd.Series:
    """Return the weighted logit's scores of the judging rows."""
    train, test = halves(context)
    fitted = model.fit_logit(train, simple(context), "drawn", weight=weights(context))
    return fitted.predict(test).set_axis(test["list_id"])


def _is_old_score(answer: Any, context: Context) -> bool:
    if not isinstance(answer, pd.Series):
        return False
    own = halves(context)[1].set_index("list_id")["prior_score"].astype(float)
    mine = pd.to_numeric(answer, errors="coerce").reindex(own.index)
    return bool(mine.notna().all()) and bool(mine.rank().equals(own.rank()))


def _upside_down(answer: Any, context: Context) -> bool:
    if not isinstance(answer, pd.Series):
        return False
    actual = outcomes(context)
    mine = pd.to_numeric(answer, errors="coerce").reindex(actual.index)
    reverse = 1 - model.auc(actual, mine) if mine.notna().all() else 0.0
    return reverse >= old_score_line(context)


# -------------------------------------------------------------------------------- E4 fair deal


def pool(context: Context) -> pd.DataFrame:
    """Return today's persons with priority, tier and hold-out."""
    return context.remember("pool", lambda: _pool(context))


def _pool(context: Context) -> pd.DataFrame:
    p, rows = context.parameters, white_list(context)
    order = rows.sort_values(
        ["batch", "called", "list_id"], ascending=[False, False, True], kind="stable"
    )
    now = order.drop_duplicates("customer_id")
    loans = context.load("loan", ["customer_id", "balance"])
    taken = set(loans.loc[loans["balance"] > 0, "customer_id"])
    taken |= set(rows.loc[rows["drawn"] | rows["already_borrowing"], "customer_id"])
    tired = now["reason_code"].isin(["重复外呼反感", "不准入"])
    now = now[~now["customer_id"].isin(taken) & ~tired & now["phone_valid"] & now["may_call"]]
    now = now[now["age_fits"]]
    now = now.sort_values("customer_id").copy()
    born = people(context)["birth_year"].reindex(now["customer_id"]).to_numpy(dtype=float)
    now["age"] = context.as_of.year - born
    now = now[fits(context, now, now["age"])]
    now = now.assign(online=now["online_loan_flag"].astype(int))
    now = now.join(whitelist.wave(now["age"], p["AGE_EDGES"]))
    now["priority"] = _gain(context, now) - p["CALL_COST"]
    rng = np.random.default_rng(p["SEED"])
    now["holdout"] = rng.random(len(now)) < p["HOLDOUT_SHARE"]
    return now.set_index("customer_id")


def _gain(context: Context, now: pd.DataFrame) -> pd.Series:
    p = context.parameters
    called = callable_rows(context)
    called = called[called["called"].astype(bool)]
    fitted = model.fit_logit(called, simple(context), "drawn", weight=weights(context))
    drawn = called[called["drawn"].astype(bool)]
    drawn = drawn.assign(log_limit=np.log(drawn["offered_limit"]))
    amount = glm.fit_amount(drawn, "drawn_amount", ["log_limit"])
    sums = called.assign(e=fitted.predict(called)).groupby("branch_id")[["drawn", "e"]].sum()
    factor = whitelist.branch_factor(sums["drawn"], sums["e"], p["BRANCH_PRIOR"])
    rows = now.assign(log_limit=np.log(now["offered_limit"]))
    money = fitted.predict(rows) * amount.predict(rows) * p["MARGIN"]
    return money * rows["branch_id"].map(factor).fillna(1.0)


def team(context: Context) -> pd.Series:
    """Return the branch of every active manager."""

    def made() -> pd.Series:
        staff = context.load("employee")
        staff = staff[staff["active"].eq(True) & (staff["post"] == "客户经理")]
        return staff.set_index("employee_id")["branch_id"]

    return context.remember("team", made)


def deal(context: Context) -> pd.DataFrame:
    """Return a plan: best first, each to the manager of the branch with the least so far."""
    ready = pool(context)
    ready = ready[~ready["holdout"] & (ready["priority"] > 0)]
    limit, rows = context.parameters["CALLS_PER_WEEK"], []
    for branch, group in ready.groupby("branch_id"):
        own = {e: [0.0, 0] for e in sorted(team(context).index[team(context) == branch])}
        ranked = group.sort_values("priority", ascending=False, kind="stable")
        for customer, value in ranked["priority"].items():
            free = [e for e in own if own[e][1] < limit]
            if not free:
                break
            chosen = min(free, key=lambda e: (own[e][0], e))
            own[chosen] = [own[chosen][0] + value, own[chosen][1] + 1]
            rows.append((customer, chosen))
    return pd.DataFrame(rows, columns=["customer_id", "employee_id"])


def in_pool(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if everybody in the plan may and should be called."""
    ready = pool(context)
    strange = ~table["customer_id"].isin(ready.index)
    if strange.any():
        return f"有 {int(strange.sum())} 人不在今天能打的名单里。"
    rows = ready.loc[table["customer_id"]]
    if rows["holdout"].any():
        return f"有 {int(rows['holdout'].sum())} 位随机留出的客户被分了下去：留出的不打。"
    poor = int((rows["priority"] <= 0).sum())
    return not poor or f"有 {poor} 位“不打”的客户：打了不够电话费。"


def own_branch(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if every owner is an active manager of the customer's branch."""
    home = table["employee_id"].map(team(context))
    if home.isna().any():
        return f"有 {int(home.isna().sum())} 行的员工不是在职的客户经理。"
    customer = table["customer_id"].map(pool(context)["branch_id"])
    other = int((home.to_numpy() != customer.to_numpy()).sum())
    return not other or f"有 {other} 位客户分给了别的网点的经理。"


def within_week(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if nobody gets more than a week's calls."""
    most, limit = table.groupby("employee_id").size().max(), context.parameters["CALLS_PER_WEEK"]
    return most <= limit or f"有经理分到 {most} 个，一周最多 {limit} 个。"


def fair(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the lists of a branch's managers are worth about the same."""
    home = team(context)
    worth = table["customer_id"].map(pool(context)["priority"]).groupby(table["employee_id"]).sum()
    bad = []
    for branch in sorted(home.unique()):
        own = worth.reindex(home.index[home == branch]).fillna(0.0)
        ready = pool(context)
        ready = ready[(ready["branch_id"] == branch) & ~ready["holdout"] & (ready["priority"] > 0)]
        if len(own) > 1 and len(ready) >= 8 * len(own) and own.max() > 2 * max(own.min(), 0):
            bad.append(branch)
    return not bad or f"{'、'.join(bad[:3])} 等 {len(bad)} 家网点里，经理之间的名单价值相差太大。"


def value(table: pd.DataFrame, context: Context) -> float:
    """Return the sum of priorities."""
    return float(table["customer_id"].map(pool(context)["priority"]).sum())


def _breaks(
    rule: Callable[[pd.DataFrame, Context], bool | str], word: str = ""
) -> Callable[..., bool]:
    def matches(answer: Any, context: Context) -> bool:
        if not isinstance(answer, pd.DataFrame) or not {"customer_id", "employee_id"} <= set(
            answer
        ):
            return False
        found = rule(answer, context)
        return isinstance(found, str) and word in found

    return matches


# ----------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "hygiene",
        hygiene,
        frame(["batch"], STATUS),
        checks=(
            invariants(
                Invariant("六列加得起来", adds_up, "六列之和不对。"), columns=("batch", *STATUS)
            ),
        ),
        hints=(
            "先给每一行定一个状态，再按批次数状态：一行只能有一个状态。",
            "`np.select(条件列表, 名称列表, 默认)` 取第一个符合的条件；条件的先后就是题目里的先后。",
            '重复要先把打过的排前面（`worked` 已排好），再 `duplicated(["batch", "customer_id"])`；最后 `pd.crosstab`。',
        ),
        misconceptions=(
            Misconception(
                "across_batches",
                "你把不同批次里的同一个人也算成重复了：重复只看同一批。",
                lambda c: hygiene(c, across=True),
            ),
            Misconception(
                "each_on_its_own",
                "每个原因各数各的，一行被数了几次：只算在最先符合的那一列。",
                lambda c: hygiene(c, overlapping=True),
            ),
            Misconception(
                "consent_forgotten",
                "只去掉了谢绝来电的，没有有效营销授权的也不能打。",
                lambda c: hygiene(c, refusal_only=True),
            ),
        ),
    ),
    Question(
        "E2",
        "two_bands",
        two_bands,
        frame(
            ["band"],
            ["median", "low", "high"],
            tolerances={
                "median": Tolerance(relative=1e-6),
                "low": Tolerance(absolute=0.006),
                "high": Tolerance(absolute=0.006),
            },
        ),
        hints=(
            "先给每个人算一个比值，再取中位数；不是两个中位数相除。",
            "重抽的是人：每次抽和原来一样多的人、有放回，再取这一次的中位数。",
            "`rng.choice(share, size=(1000, len(share)))` 一次抽好一千遍，`np.median(..., axis=1)` 得一千个中位数。",
        ),
        misconceptions=(
            Misconception(
                "spread_of_people",
                "你给的是人与人之间的差距，不是中位数的区间：要重抽，再看中位数怎么晃。",
                lambda c: two_bands(c, spread=True),
            ),
            Misconception(
                "ratio_of_medians",
                "你用两个中位数相除：中位数要在每个人的比值上取。",
                lambda c: two_bands(c, of_medians=True),
            ),
        ),
        parameters=("TWO_BANDS",),
    ),
    Question(
        "E3",
        "my_score",
        reference_score,
        checks=(
            predictions(
                actual=outcomes,
                baseline=old_score_line,
                metric="auc",
                tolerance=0.0,
                calibration=None,
                forbidden=LEAKING,
                features="my_features",
                rows="名单行号 list_id",
            ),
        ),
        hints=(
            "下发那天知道什么？网贷标识、年龄、额度、利率、原始评分；打了以后才知道的都不能用。",
            "演示五的标签模型就是一种答案：网贷标识加年龄段。",
            '`model_tools.fit_logit(train, 列名, "drawn").predict(test)`，再把索引换成 `test["list_id"]`。',
        ),
        misconceptions=(
            Misconception(
                "old_score",
                "这就是名单自带的原始评分：它和提款几乎没有关系。",
                matches=_is_old_score,
            ),
            Misconception(
                "upside_down", "分数的方向反了：越可能提款的，分数要越大。", matches=_upside_down
            ),
        ),
        parameters=("TEST_BATCH", "AGE_EDGES"),
    ),
    Question(
        "E4",
        "my_plan",
        deal,
        checks=(
            plan(
                unique("customer_id", name="一人一位经理"),
                Invariant("该打的人", in_pool, "有不该打的人。"),
                Invariant("本网点在职经理", own_branch, "经理不对。"),
                Invariant("一周容量", within_week, "超过一周的容量。"),
                Invariant("公平", fair, "同一网点里分得不公平。"),
                objective=value,
                share=0.98,
                goal="优先级之和",
                columns=("customer_id", "employee_id"),
            ),
        ),
        hints=(
            "一个网点一个网点地分：先按优先级排好，再决定给谁。",
            "演示七的 `callable_now` 已经去掉了留出的和不打的；每家网点最多打“经理人数乘容量”个。",
            "`whitelist.snake(排好的客户, 经理, CALLS_PER_WEEK)` 来回发牌：一二三三二一，名单就差不多。",
        ),
        misconceptions=(
            Misconception(
                "calls_the_holdout",
                "随机留出的客户也分下去了：没有他们，下一批就量不出打了有没有用。",
                matches=_breaks(in_pool, "留出"),
            ),
            Misconception(
                "no_limit",
                "有经理分到的比一周能打的还多：名单发下去也是压箱底。",
                matches=_breaks(within_week),
            ),
            Misconception(
                "best_to_the_first",
                "好名单都给了第一位经理：同一网点里要来回发，价值才差不多。",
                matches=_breaks(fair),
            ),
        ),
        parameters=(
            "CALLS_PER_WEEK",
            "HOLDOUT_SHARE",
            "SEED",
            "MARGIN",
            "CALL_COST",
            "AGE_EDGES",
            "BRANCH_PRIOR",
        ),
    ),
]

SURVIVORS = {
    "E2": {"L6 1000→1001": "多抽一遍，区间只在随机误差之内变动"},
}
VARIATIONS = [{"BRANCH": "B03"}, {"CALLS_PER_WEEK": 25, "CALL_COST": 15}]
