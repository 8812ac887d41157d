"""Questions of m03_n09: kinds of loss, shrunk loss rates, offers under a budget, a call's opening.

The references rebuild everything from the bank's own tables with plain arrays; nothing is taken
from the notebook but the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import model
from course_utils.exercises import (
    Case,
    Context,
    Invariant,
    Misconception,
    Part,
    Question,
    Relation,
    behaviour,
    invariants,
    plan,
    same,
    series,
    unique,
    within,
    written,
)

VARIATIONS = [{"BRANCH": "B01"}, {"YEARS": [2023, 2024], "CUT_BUDGET": 1500}]
NOT_COUNTED = ("按揭", "助学贷")
EQUAL = ("等额本息", "等额本金")

# ------------------------------------------------------------------------------- E1 kinds of loss


def _kind(row: Any, as_of: pd.Timestamp, p: Any) -> str:
    wait = pd.Timedelta(days=p["LOST_DAYS"])
    if row.settle_type == "核销" or bool(row.ever_bad):
        return "不算"
    if as_of - row.settle_date < wait:
        return "未满观察期"
    again = pd.notna(row.next_issue) and row.next_issue - row.settle_date <= wait
    open_line = pd.notna(row.line_until) and row.line_until - row.settle_date > wait
    if again or open_line:
        return "没流失"
    if pd.notna(row.age) and row.age >= p["AGE_LIMIT"]:
        return "政策性"
    if row.settle_type == "提前结清":
        return "提前结清"
    return "额度到期未续" if row.repay_method == "随借随还" else "到期结清未续"


def kinds_reference(context: Context) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
    """Return the reference function."""

    def loss_kinds(loans: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
        kinds = [_kind(row, as_of, context.parameters) for row in loans.itertuples()]
        return pd.Series(kinds, index=loans.index, dtype="object")

    return loss_kinds


def _changed(change: Callable[[pd.DataFrame, pd.Series, Any], pd.Series]) -> Callable[..., Any]:
    """Return a wrong function made of the right labels changed by a rule."""

    def value(context: Context) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
        right = kinds_reference(context)

        def wrong(loans: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
            later = right(loans, pd.Timestamp("2200-01-01"))
            return change(loans, right(loans, as_of), later)

        return wrong

    return value


def _too_soon(loans: pd.DataFrame, kind: pd.Series, later: pd.Series) -> pd.Series:
    return later


def _ever_again(loans: pd.DataFrame, kind: pd.Series, later: pd.Series) -> pd.Series:
    return kind.mask(loans["next_issue"].notna() & ~kind.isin(["不算", "未满观察期"]), "没流失")


def _policy_last(loans: pd.DataFrame, kind: pd.Series, later: pd.Series) -> pd.Series:
    old = kind == "政策性"
    kind = kind.mask(old & (loans["repay_method"] == "随借随还"), "额度到期未续")
    return kind.mask(old & (loans["settle_type"] == "提前结清"), "提前结清")


_COLUMNS = ["settle_date", "settle_type", "repay_method", "next_issue", "line_until", "age",
            "ever_bad"]  # fmt: skip


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=_COLUMNS, index=[f"L{i:07d}" for i in range(len(rows))])
    for column in ("settle_date", "next_issue", "line_until"):
        table[column] = pd.to_datetime(table[column])
    return table.assign(age=table["age"].astype(float), ever_bad=table["ever_bad"].astype(bool))


def crafted(context: Context) -> pd.DataFrame:
    """Return loans on and beside every line of the definition."""
    p = context.parameters
    day = pd.Timestamp("2024-03-01")
    wait = pd.Timedelta(days=p["LOST_DAYS"])
    one, old = pd.Timedelta(days=1), p["AGE_LIMIT"]
    due, early, often = "到期结清", "提前结清", "随借随还"
    edge = context.as_of - wait
    plain = "等额本息"
    return _frame(
        [
            (day, due, plain, day + wait, None, 40, False),
            (day, due, plain, day + wait + one, None, 40, False),
            (day, due, plain, None, day + wait, 40, False),
            (day, due, plain, None, day + wait + one, 40, False),
            (day, due, often, None, day, 40, False),
            (day, early, often, None, day, 40, False),
            (day, early, plain, None, None, 40, False),
            (day, early, plain, None, None, old, False),
            (day, due, often, None, None, old + 3, False),
            (day, due, plain, None, None, old - 1, False),
            (day, due, plain, None, None, None, False),
            (day, due, plain, day, None, old + 1, False),
            (day, "核销", plain, None, None, 40, False),
            (day, due, plain, day + one, None, 40, True),
            (edge, due, plain, None, None, 50, False),
            (edge + one, due, plain, None, None, 50, False),
            (edge + one, due, plain, edge + 2 * one, None, 50, False),
            (edge + one, "核销", plain, None, None, 50, False),
            (day, early, often, day + 3 * wait, None, 30, False),
        ]
    )


def settled_sample(context: Context) -> pd.DataFrame:
    """Return some of the bank's own settled loans in the columns of the question."""
    rows = closed(context).tail(400)
    return rows.set_index("loan_id")[[*_COLUMNS[:6], "ever_bad"]]


def _halves(context: Context) -> tuple[pd.DataFrame, pd.Timestamp]:
    return settled_sample(context).iloc[::-1], context.as_of


KIND_CASES = (
    Case(
        "贴着线的几笔",
        lambda c: (crafted(c), c.as_of),
        "想想贴着线的：第 LOST_DAYS 天当天又借了算没流失，刚满 LOST_DAYS 天就进观察，刚满 AGE_LIMIT 岁就是政策性。",
    ),
    Case("本行的四百笔", lambda c: (settled_sample(c), c.as_of)),
    Case("企业没有岁数", lambda c: (crafted(c).iloc[[10]], c.as_of)),
    Case("早一年看", lambda c: (settled_sample(c), c.as_of - pd.DateOffset(months=3))),
    Case("空表", lambda c: (crafted(c).head(0), c.as_of)),
    Relation(
        "颠倒行序",
        lambda c: (settled_sample(c), c.as_of),
        _halves,
        lambda before, after: same(before.sort_index(), after.sort_index()),
        "行的次序变了，每笔的类别不应改变；结果的索引要和 loans 一样。",
    ),
)

# ------------------------------------------------------------------------------- settled loans


def closed(context: Context) -> pd.DataFrame:
    """Return every settled loan with the next one, its line, its borrower and ``lost``."""
    return context.remember("closed", lambda: _closed(context))


def _closed(context: Context) -> pd.DataFrame:
    loan = context.load("loan")
    line = context.load("product").set_index("product_code")["line"].astype(str)
    loan = loan.assign(line=loan["product_code"].map(line))
    loan = loan[~loan["line"].isin(NOT_COUNTED)].sort_values(["customer_id", "issue_date"])
    month = context.load("loan_month")
    late = set(month.loc[month["dpd"] > 90, "loan_id"].astype(str))
    rows = loan[loan["settle_date"].notna() & (loan["maturity_date"] >= loan["issue_date"])].copy()
    starts = {who: part.to_numpy() for who, part in loan.groupby("customer_id")["issue_date"]}
    found = []
    for who, day in zip(rows["customer_id"], rows["settle_date"].to_numpy(), strict=True):
        place = np.searchsorted(starts[who], day)
        found.append(starts[who][place] if place < len(starts[who]) else np.datetime64("NaT"))
    rows["next_issue"] = np.array(found, dtype="M8[ns]")
    until = context.load("credit_line").set_index("line_id")["expire_date"]
    rows["line_until"] = rows["line_id"].map(until)
    who = context.load("customer").set_index("customer_id")
    rows["age"] = rows["settle_date"].dt.year - rows["customer_id"].map(who["birth_year"]).astype(
        float
    )
    rows["ever_bad"] = rows["loan_id"].astype(str).isin(late)
    rows["kind"] = kinds_reference(context)(rows, pd.Timestamp("2200-01-01"))
    kinds = context.load("branch").set_index("branch_id")["branch_type"].astype(str)
    rows["town"] = rows["branch_id"].map(kinds).isin(["营业部", "城区"])
    rows = rows.sort_values(["settle_date", "loan_id"])
    rows[["settle_type", "repay_method"]] = rows[["settle_type", "repay_method"]].astype(object)
    return rows


def seen(context: Context) -> pd.DataFrame:
    """Return settled loans of the chosen years whose outcome is known."""
    rows = closed(context)
    rows = rows[rows["kind"] != "不算"]
    p = context.parameters
    rows = rows[(context.as_of - rows["settle_date"]).dt.days >= p["LOST_DAYS"]]
    return rows[rows["settle_date"].dt.year.isin(list(p["YEARS"]))]


# ------------------------------------------------------------------------------- E2 fair rates


def _counts(context: Context) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    rows = seen(context)
    table = (rows["kind"] != "没流失").groupby(rows["branch_id"]).agg(["sum", "size"])
    table = table[table["size"] >= 10]
    return table["sum"].to_numpy(float), table["size"].to_numpy(float), table.index


def _pull(s: np.ndarray, n: np.ndarray) -> float:
    """Return κ: solve Σn(p−p̄)² = p̄(1−p̄)[(k−1) + ρ(N − Σn²/N − (k−1))], κ = 1/ρ − 1."""
    mean, k, total = s.sum() / n.sum(), len(n), n.sum()
    spread = (n * (s / n - mean) ** 2).sum() / (mean * (1 - mean))
    rho = (spread - (k - 1)) / (total - (n**2).sum() / total - (k - 1))
    return float(1 / rho - 1) if rho > 0 else np.inf


def fair_rates(context: Context, how: str = "right") -> pd.Series:
    """Return shrunk loss rates of the branches."""
    s, n, names = _counts(context)
    pull = _pull(s, n)
    mean = (s / n).mean() if how == "mean_of_rates" else s.sum() / n.sum()
    weight = 1.0 if how == "raw" else (0.0 if np.isinf(pull) else n / (n + pull))
    if how == "pulled_the_large":
        weight = 1 - weight
    return pd.Series(weight * s / n + (1 - weight) * mean, index=names)


# ------------------------------------------------------------------------------- E3 the offers


def _answers(context: Context) -> pd.DataFrame:
    """Return the called rows of the trial with ``cut``, ``early`` and ``back``."""
    log = context.load("contact_log")
    log = log[log["purpose"] == "归巢"]
    loan = context.load("loan").set_index("loan_id")
    lpr = context.load("lpr_rate").sort_values("effective_date")["effective_date"].to_numpy()
    key = [
        log["loan_id"].map(loan["product_code"]).astype(str), log["contact_time"].dt.year,
        pd.Series(np.searchsorted(lpr, log["contact_time"].to_numpy(), side="right"), log.index),
    ]  # fmt: skip
    price = log["offered_rate"].astype(float)
    top, low = price.groupby(key).transform("max"), price.groupby(key).transform("min")
    days = (log["contact_time"] - log["loan_id"].map(loan["settle_date"])).dt.days
    table = pd.DataFrame(
        {
            "cut": (top - price).round(1).where(top - low > 0.75),
            "early": (days <= context.parameters["EARLY_DAYS"]).astype(int),
            "back": log["converted"].astype("boolean").fillna(False).astype(int),
            "arm": log["arm"].astype(str),
            "time": log["contact_time"],
            "loan_id": log["loan_id"],
        }
    )
    table = table[(table["arm"] == "随机触达") & table["cut"].notna()]
    return table.sort_values(["time", "loan_id"])


def waiting(context: Context) -> pd.DataFrame:
    """Return who may be called back, one row a customer."""
    p, as_of = context.parameters, context.as_of
    rows = closed(context)
    rows = rows[~rows["kind"].isin(["不算", "没流失", "政策性"]) & rows["next_issue"].isna()]
    who = context.load("customer").set_index("customer_id")
    kind = rows["customer_id"].map(who["customer_type"].astype(str))
    alive = rows["customer_id"].map(who["status"].astype(str)) == "正常"
    student = rows["customer_id"].map(who["occupation"]).eq("学生")
    rows = rows[(kind != "企业") & alive & ~student]
    days = (as_of - rows["settle_date"]).dt.days
    rows = rows[days <= p["RECALL_DAYS"]].groupby("customer_id").tail(1).set_index("customer_id")
    days = (as_of - rows["settle_date"]).dt.days
    rows = rows[(days <= p["EARLY_DAYS"]) | (days >= p["LOST_DAYS"])]
    log = context.load("contact_log")
    rows = rows[~rows["loan_id"].isin(log.loc[log["purpose"] == "归巢", "loan_id"])]
    loan = context.load("loan")
    rows = rows[~rows.index.isin(loan.loc[loan["settle_date"].isna(), "customer_id"])]
    yes = context.load("consent")
    yes = yes[(yes["scope"] == "营销") & yes["granted"].astype(bool)]
    yes = yes[yes["expire_date"].isna() | (yes["expire_date"] >= as_of)]
    fine = rows.index.isin(set(yes["customer_id"]))
    mine = who.loc[rows.index]
    fine &= ~mine["do_not_call"].to_numpy(bool) & mine["phone_valid"].to_numpy(bool)
    rows = rows.assign(home=mine["branch_id"], early=(as_of - rows["settle_date"]).dt.days)[fine]
    rows["early"] = (rows["early"] <= p["EARLY_DAYS"]).astype(int)
    return rows


def options(context: Context) -> pd.DataFrame:
    """Return every customer and cut with value and expected concession."""
    return context.remember("options", lambda: _options(context))


def _fund(context: Context) -> float:
    if not context.bank.has("ftp_curve"):
        return 2.0
    curve = context.load("ftp_curve")
    curve = curve[curve["term_months"] == 12]
    return float(curve.loc[curve["month"].idxmax(), "rate"])


def _usual(context: Context) -> float:
    known = closed(context)
    known = known[known["kind"] != "不算"]
    known = known[(context.as_of - known["settle_date"]).dt.days >= context.parameters["LOST_DAYS"]]
    return float((known["kind"] != "没流失").mean())


def _options(context: Context) -> pd.DataFrame:
    p = context.parameters
    rows = waiting(context)
    past = seen(context)
    wait = pd.Timedelta(days=p["LOST_DAYS"])
    past = past[~(past["line_until"] - past["settle_date"] > wait)]
    leave = (past["kind"] != "没流失").groupby(past["town"]).mean()
    away = rows["town"].map(leave).fillna(_usual(context))
    rows["away"] = np.where(rows["early"] == 1, away, 1.0)
    loan = context.load("loan")
    new = loan[loan["issue_date"] > context.as_of - pd.DateOffset(months=6)]
    price = rows["product_code"].map(new.groupby("product_code")["rate"].median())
    lgd = rows["guarantee"].astype(str).map(p["LOSS_GIVEN_DEFAULT"])
    risk = rows["pd_estimate"].fillna(0.03) * lgd * 100
    rows["margin"] = price - _fund(context) - p["RUNNING_COST"] - risk
    years = np.clip((rows["maturity_date"] - rows["issue_date"]).dt.days / 365, 0.25, 3)
    rows["money"] = rows["amount"] * years * np.where(rows["repay_method"].isin(EQUAL), 0.55, 1)
    fit = model.fit_logit(_answers(context), ["cut", "early"], "back")
    parts = []
    for cut in p["PRICE_CUTS"]:
        part = rows[["home", "early", "margin", "money", "away"]].assign(cut=float(cut))
        part["chance"] = part["away"] * fit.predict(part)
        part["give"] = part["chance"] * cut / 100 * part["money"]
        part["value"] = part["chance"] * part["margin"] / 100 * part["money"]
        part["value"] -= part["give"] + p["CALL_COST"]
        parts.append(part.reset_index())
    table = pd.concat(parts, ignore_index=True)
    return table if p["BRANCH"] is None else table[table["home"] == p["BRANCH"]]


def best_plan(context: Context) -> pd.DataFrame:
    """Return the reference plan (made once)."""
    return context.remember("best plan", lambda: _best_plan(context))


def _best_plan(context: Context) -> pd.DataFrame:
    """Solve an integer programme over customers and cuts."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_matrix, vstack

    p = context.parameters
    table = options(context).query("value > 0").reset_index(drop=True)
    if table.empty:
        return table[["customer_id", "cut"]]
    place = np.arange(len(table))

    def groups(column: str) -> csr_matrix:
        code, _ = pd.factorize(table[column])
        return csr_matrix((np.ones(len(table)), (code, place)))

    once, branch = groups("customer_id"), groups("home")
    money = csr_matrix(table["give"].to_numpy()[None, :])
    upper = np.r_[
        np.ones(once.shape[0]), np.full(branch.shape[0], p["CALLS_PER_BRANCH"]), p["CUT_BUDGET"]
    ]
    limits = LinearConstraint(vstack([once, branch, money]), -np.inf, upper)
    solved = milp(
        -table["value"].to_numpy(), constraints=limits, bounds=Bounds(0, 1),
        integrality=np.ones(len(table)), options={"mip_rel_gap": 1e-4, "time_limit": 20},
    )  # fmt: skip
    return table.loc[np.round(solved.x) == 1, ["customer_id", "cut"]].reset_index(drop=True)


def _matched(table: pd.DataFrame, context: Context) -> pd.DataFrame:
    wanted = table[["customer_id", "cut"]].copy()
    wanted["cut"] = pd.to_numeric(wanted["cut"], errors="coerce").round(2)
    return wanted.merge(options(context).round({"cut": 2}), on=["customer_id", "cut"], how="left")


def known_offer(table: pd.DataFrame, context: Context) -> bool:
    """Hold if every row is one of the offers."""
    return bool(_matched(table, context)["value"].notna().all())


def in_budget(table: pd.DataFrame, context: Context) -> bool:
    """Hold if the expected concessions fit."""
    return bool(_matched(table, context)["give"].sum() <= context.parameters["CUT_BUDGET"] + 0.01)


def capacity(table: pd.DataFrame, context: Context) -> bool:
    """Hold if no branch has too many calls."""
    sizes = _matched(table, context).groupby("home").size()
    return bool((sizes <= context.parameters["CALLS_PER_BRANCH"]).all())


def value_of(table: pd.DataFrame, context: Context) -> float:
    """Return the expected value of a plan."""
    return float(_matched(table, context)["value"].sum())


def true_value(table: pd.DataFrame, context: Context) -> bool:
    """Hold if the plan earns most of what the planted response lets a plan earn (CK6)."""
    truth = (context.truth or {}).get("m03_n09", {})
    if not {"early_recall", "price_sensitive"} <= set(truth):
        return True
    ratio, share = truth["early_recall"]["planted"], truth["price_sensitive"]["planted"]
    cost = context.parameters["CALL_COST"]

    def worth(rows: pd.DataFrame) -> float:
        top = max(context.parameters["PRICE_CUTS"])
        response = 1 - share + share * rows["cut"] / top
        chance = 2 * 0.18 / (1 + ratio) * np.where(rows["early"] == 1, ratio, 1.0) * response
        gain = rows["away"] * chance * (rows["margin"] - rows["cut"]) / 100 * rows["money"]
        return float((gain - cost).sum())

    got, best = (worth(_matched(t, context)) for t in (table, best_plan(context)))
    return best <= 0 or got >= 0.8 * best


def _plan_table(answer: Any) -> bool:
    return isinstance(answer, pd.DataFrame) and {"customer_id", "cut"} <= set(answer.columns)


# ------------------------------------------------------------------------------- E4 the opening


def trial_rates(context: Context) -> pd.DataFrame:
    """Return the return rates of the two arms."""
    log = context.load("contact_log")
    log = log[log["purpose"] == "归巢"]
    back = log["converted"].astype("boolean").fillna(False).astype(float)
    return back.groupby(log["arm"].astype(str)).agg(["mean", "size"])


OPENING = (
    "您好，我是农商行的客户经理，姓陈，您上一笔贷款按时还清了，谢谢您。打这个电话是想了解您近期有没有用款的打算。"
    "您现在方便吗？不方便没关系，我改天再联系；要是不想接这类电话，您说一声，以后就不打了。"
)
PRESSURE = "名额|最后一天|马上决定|赶紧|错过|限时"
BUREAU = "征信|别家|他行|网贷"
OPT_OUT = (
    "不再打扰",
    "不再联系",
    "以后不打",
    "以后就不打",
    "不打了",
    "不再打",
    "取消登记",
    "登记不",
)

QUESTIONS = [
    Question(
        "E1",
        "loss_kinds",
        kinds_reference,
        checks=(behaviour(*KIND_CASES, compare=series(order=False), signature=("loans", "as_of")),),
        hints=(
            "七个标签，从前往后判断，前面的占了，后面的就不再看：np.select 正好是这个次序。",
            "先算 deadline = settle_date + LOST_DAYS 天；又借了是 next_issue <= deadline，额度还能用是 line_until > deadline。",
            "空日期、空岁数和别的比，结果是假，不用另外处理；最后把 np.select 的结果包成 index=loans.index 的 Series。",
        ),
        misconceptions=(
            Misconception(
                "too_soon",
                "结清还不满 LOST_DAYS 天的，还没到揭晓的时候：它们要单独标“未满观察期”，不能当流失。",
                _changed(_too_soon),
            ),
            Misconception(
                "policy_last",
                "政策性要最先判断：到岁数的人就算提前结清，也是政策把他送走的。",
                _changed(_policy_last),
            ),
            Misconception(
                "ever_again",
                "后来又借了不等于没流失：要看是不是在 LOST_DAYS 天以内借的。",
                _changed(_ever_again),
            ),
        ),
    ),
    Question(
        "E2",
        "fair_rate",
        fair_rates,
        compare=series(keys="支行编号"),
        checks=(invariants(within(None, 0, 1)),),
        hints=(
            "三样东西：每家支行的流失笔数和总笔数、合在一起的平均流失率、κ。",
            "平均流失率是流失笔数合计除以总笔数合计，不是各支行流失率的平均。",
            "(lost + κ × 平均) ÷ (n + κ)，Series 之间的加减乘除会自己按支行对齐。",
        ),
        misconceptions=(
            Misconception(
                "raw_rate",
                "这是没收缩的流失率：小支行的名次全凭运气。",
                lambda c: fair_rates(c, "raw"),
            ),
            Misconception(
                "mean_of_rates",
                "你往“各支行流失率的平均”上拉了：那样三十笔和七百笔一样重。要用合计笔数算平均。",
                lambda c: fair_rates(c, "mean_of_rates"),
            ),
            Misconception(
                "pulled_the_large",
                "权重反了：笔数越多越该相信它自己，你却把大支行拉得最狠。",
                lambda c: fair_rates(c, "pulled_the_large"),
            ),
        ),
        parameters=("YEARS", "LOST_DAYS"),
    ),
    Question(
        "E3",
        "recall_plan",
        best_plan,
        checks=(
            plan(
                unique("customer_id", name="每人最多一档"),
                Invariant(
                    "候选里的档", known_offer, "有客户或让利档不在 offers 里，请不要自己造。"
                ),
                Invariant("支行容量", capacity, "有支行超过了 CALLS_PER_BRANCH 户。"),
                Invariant(
                    "让利预算",
                    in_budget,
                    "预期让利（give）合计超过了 CUT_BUDGET：先让给每让一元多赚得最多的人。",
                ),
                Invariant(
                    "按埋下的反应验算",
                    true_value,
                    "换成生成器埋下的真实反应重算，这份名单只赚到理想名单的一小部分：看看是不是按回来的概率、而不是按价值挑的。",
                ),
                objective=value_of,
                share=0.99,
                columns=("customer_id", "cut"),
                goal="预期价值合计（元）",
            ),
        ),
        hints=(
            "先不管预算：每人挑 value 最大的一档，value 不为正的不打；每家支行留 value 最大的几户。",
            "再看预算：超了就抬门槛价 price，用 value - price * give 重新挑档；没轮到让利的人不是不打，而是退回原价那一档。",
            "写成循环：price 从 0 起每次加一点，按新分数排序、每人留第一档、每家支行 head(CALLS_PER_BRANCH)，give 合计不超过 CUT_BUDGET 就 break。",
        ),
        misconceptions=(
            Misconception(
                "no_budget",
                "预期让利超过了 CUT_BUDGET：每人都挑最划算的一档，加起来预算不够。",
                matches=lambda answer, c: (
                    _plan_table(answer)
                    and answer["customer_id"].is_unique
                    and known_offer(answer, c)
                    and not in_budget(answer, c)
                ),
            ),
            Misconception(
                "two_options",
                "有客户出现了两档：一个人只能报一个价。",
                matches=lambda answer, c: (
                    _plan_table(answer) and answer["customer_id"].duplicated().any()
                ),
            ),
            Misconception(
                "most_likely",
                "你按回来的概率排的：最容易回来的人不一定赚钱，利差薄的回来越多亏越多。",
                matches=lambda answer, c: (
                    _plan_table(answer)
                    and known_offer(answer, c)
                    and answer["customer_id"].is_unique
                    and bool((_matched(answer, c)["value"] < 0).any())
                ),
            ),
        ),
        parameters=("BRANCH", "CUT_BUDGET", "CALLS_PER_BRANCH", "PRICE_CUTS"),
    ),
    Question(
        "E4",
        "opening",
        lambda context: OPENING,
        checks=(
            written(
                Part(
                    "我是谁", ("我是.{0,12}(行|社)", "(银行|农商行|农信).{0,10}(经理|信贷员|员工)")
                ),
                Part("为什么打", ("想问", "想了解", "想听", "来电", "打来", "打这个电话", "回访")),
                Part("给退路", ("方便", "在忙", "不着急", "不急", "没关系")),
                Part("可以拒绝", OPT_OUT),
                grounded_in=(trial_rates,),
                least_numbers=0,
                shortest=60,
                longest=200,
                forbidden=(
                    (PRESSURE, "里面有催促的话：头三十秒催人，只会换来挂断和投诉。"),
                    (
                        "保证|肯定能批|一定批|最低价",
                        "不能许诺审批结果或最低价：还没受理，谁也不能打包票。",
                    ),
                    (BUREAU, "不能提征信和别家的贷款：身份还没核实，旁边可能是家人。"),
                ),
            ),
        ),
        hints=(
            "四句话就够：我是谁、为什么打、现在方便吗、不想接以后不打。",
            "不说优惠，不说征信，不说“最后一天”；先谢他上次还得准时。",
            "拒绝的话要说得具体：“您说一声，我们以后不再打扰。”说了就要登记。",
        ),
        misconceptions=(
            Misconception(
                "pressure",
                "里面有催促的话（名额、最后一天、马上决定）：催来的不是归巢，是投诉。",
                matches=lambda answer, c: any(word in answer for word in PRESSURE.split("|")),
            ),
            Misconception(
                "bureau",
                "你提到了征信或别家的贷款：电话里身份没核实，旁边可能是家人，这是客户的隐私。",
                matches=lambda answer, c: any(word in answer for word in BUREAU.split("|")),
            ),
            Misconception(
                "no_way_out",
                "没有告诉客户可以拒绝：反复打到接通为止，就是骚扰。",
                matches=lambda answer, c: not any(word in answer for word in OPT_OUT),
            ),
        ),
    ),
]
