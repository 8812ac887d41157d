"""Questions of m03_n08: true yearly cost, winnable balances, a lawful list, a compliance reply.

The references rebuild everything from the bank's own tables with plain arrays; nothing is taken
from the notebook but the parameters.
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
    Relation,
    Tolerance,
    behaviour,
    frame,
    number,
    plan,
    same,
    unique,
    written,
)

VARIATIONS = [{"BRANCH": "B01"}, {"OUR_RATE": 4.8, "PENALTY_PERCENT": 0.0}]
CASH_LOANS = {"消费贷": "L_ONLINE", "经营贷": "L_MERCHANT", "农户贷": "L_FARM"}
_SAME_ROOT = "夹逼的上界、步数和刚好相等时往哪边走，都不改变 1e-4 以内的答案"
SURVIVORS = {
    "E1": {
        "L2 <= → <": "合计刚好等于本金时，二分法自己也会夹到零",
        "L4 0.5→1.5": _SAME_ROOT,
        "L5 60→61": _SAME_ROOT,
        "L8 > → >=": _SAME_ROOT,
    }
}
SLACK = 1e-3  # of a probability: two ways of fitting the same logit

# ------------------------------------------------------------------------------- E1 yearly cost


def _monthly(principal: float, payments: Any) -> float:
    """Return the monthly rate by Newton's method."""
    flows = np.asarray(payments, dtype=float)
    times = np.arange(1, len(flows) + 1)
    rate = 0.01
    for _ in range(200):
        worth = flows * (1 + rate) ** -times
        step = (worth.sum() - principal) / (times * worth).sum() * (1 + rate)
        rate = max(rate + step, rate / 2)
        if abs(step) < 1e-14:
            break
    return float(rate)


def cost_reference(context: Context) -> Callable[[float, Any], float]:
    """Return the reference function."""

    def yearly_cost(principal: float, payments: Any) -> float:
        if sum(payments) <= principal:
            return 0.0
        return 100 * ((1 + _monthly(principal, payments)) ** 12 - 1)

    return yearly_cost


def nominal(context: Context) -> Callable[[float, Any], float]:
    """Multiply the monthly rate by twelve."""

    def wrong(principal: float, payments: Any) -> float:
        return 0.0 if sum(payments) <= principal else 1200 * _monthly(principal, payments)

    return wrong


def flat(context: Context) -> Callable[[float, Any], float]:
    """Divide all the interest by the amount first borrowed."""

    def wrong(principal: float, payments: Any) -> float:
        return max(sum(payments) - principal, 0) / principal / len(payments) * 1200

    return wrong


def equal(context: Context) -> Callable[[float, Any], float]:
    """Take every payment for the first one."""

    def wrong(principal: float, payments: Any) -> float:
        if sum(payments) <= principal:
            return 0.0
        same_payments = [payments[0]] * len(payments)
        if sum(same_payments) <= principal:
            return float("nan")
        return 100 * ((1 + _monthly(principal, same_payments)) ** 12 - 1)

    return wrong


def _ten(context: Context) -> tuple[float, list[float]]:
    return 10_000.0, [1_080.0] * 10


COST_CASES = (
    Case("一期还清", lambda c: (1_000.0, [1_010.0])),
    Case("每期一样", _ten),
    Case("最后一期不一样", lambda c: (10_000.0, [2_200.0] * 4 + [1_520.0])),
    Case(
        "前三个月只还利息",
        lambda c: (12_000.0, [90.0] * 3 + [1_450.0] * 9),
        "每个月还多少要按列表里的来，不能都当成第一期。",
    ),
    Case("中间停还两个月", lambda c: (6_000.0, [1_100.0, 0.0, 0.0, 1_800.0, 1_800.0, 1_900.0])),
    Case("到期一次还本", lambda c: (50_000.0, [200.0] * 23 + [50_200.0])),
    Case(
        "免息分期",
        lambda c: (12_000.0, [1_000.0] * 12),
        "还款合计等于本金就是免息，应返回 0。",
        expect=lambda c: 0.0,
    ),
    Case("还不够本金", lambda c: (12_000.0, [900.0] * 12), expect=lambda c: 0.0),
    Case("很贵的短借", lambda c: (1_000.0, [700.0, 700.0])),
    Relation(
        "金额翻倍",
        _ten,
        lambda c: (20_000.0, [2_160.0] * 10),
        same,
        "本金和还款都翻倍，利率不应改变。",
    ),
)

# ------------------------------------------------------------------------------- the lawful pool


def lawful(context: Context) -> pd.DataFrame:
    """Return the newest report of each person whose consent covers the list and lasts."""
    p = context.parameters
    table = context.load("bureau_report")
    ends = table["consent_expire_date"].fillna(pd.Timestamp.max.normalize())
    age = (context.as_of - table["query_date"]).dt.days
    fine = table["consent_scope"].astype(str).isin(list(p["ALLOWED_SCOPES"]))
    fine &= (ends - context.as_of).dt.days >= p["LIST_DAYS"]
    fine &= age <= p["FRESH_DAYS"]
    rows = table[fine].sort_values(["query_date", "query_id"])
    return rows.groupby("customer_id").tail(1).set_index("query_id")


def _rates(amount: np.ndarray, payment: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return monthly rates of equal payments by Newton's method on the payment."""
    rate = np.full(len(amount), 0.01)
    for _ in range(60):
        grown = (1 + rate) ** months
        value = amount * rate * grown / (grown - 1)
        slope = (
            amount * (grown * (grown - 1) - months * rate * grown / (1 + rate)) / (grown - 1) ** 2
        )
        rate = np.maximum(rate + (payment - value) / slope, rate / 3)
    return rate


def running(context: Context) -> pd.DataFrame:
    """Return other lenders' loans still running, rolled forward, with the saving."""
    return context.remember("running", lambda: _running(context))


def _running(context: Context) -> pd.DataFrame:
    p = context.parameters
    head = lawful(context)
    rows = context.load("bureau_loan")
    rows = rows[rows["query_id"].isin(head.index)]
    rows = rows[rows["business"].astype(str).isin(list(CASH_LOANS))].copy()
    rows["customer_id"] = rows["query_id"].map(head["customer_id"])
    rows["left"] = rows["remaining_periods"] - (context.as_of - rows["query_date"]).dt.days // 30
    rows = rows[rows["left"] > 0]
    payment, left = rows["month_payment"].to_numpy(float), rows["left"].to_numpy(float)
    months = rows["total_periods"].to_numpy(float)
    monthly = _rates(rows["amount"].to_numpy(float), payment, months)
    rows["owed"] = payment * (1 - (1 + monthly) ** -left) / monthly
    ours = p["OUR_RATE"] / 1200
    rows["old"] = payment * (1 - (1 + ours) ** -left) / ours
    rows["cost"] = rows["owed"] * (1 + p["PENALTY_PERCENT"] / 100)
    rows["ratio"] = 1 - rows["cost"] / rows["old"]
    rows["interest"] = rows["owed"] * (ours / (1 - (1 + ours) ** -left) * left - 1)
    return rows


def by_lender(
    context: Context, floor: float | None = None, money: str = "owed", zeros: bool = True
) -> pd.DataFrame:
    """Return balances and what can be won, by kind of lender."""
    rows = running(context)
    limit = context.parameters["MIN_SAVING"] if floor is None else floor
    kind = rows["lender_type"].astype(str)
    table = pd.DataFrame(
        {
            "owed": rows[money].groupby(kind).sum(),
            "winnable": (rows[money] * (rows["ratio"] >= limit)).groupby(kind).sum(),
        }
    ).rename_axis("lender_type")
    table["share"] = table["winnable"] / table["owed"]
    return table if zeros else table[table["winnable"] > 0]


# ------------------------------------------------------------------------------- E3 the list


def _accept(context: Context) -> pd.Series:
    """Return the acceptance rate of the three groups in the random trial."""
    p = context.parameters
    log = context.load("contact_log")
    log = log[(log["purpose"] == "他行贷款置换") & (log["arm"] == "随机触达")]
    log = log[log["converted"].notna()].sort_values("contact_time")
    table = context.load("bureau_report")
    table = table[table["consent_scope"].astype(str).isin(list(p["ALLOWED_SCOPES"]))]
    table = table.sort_values(["query_date", "query_id"])[["customer_id", "query_date", "query_3m"]]
    rows = pd.merge_asof(
        log, table, left_on="contact_time", right_on="query_date", by="customer_id"
    ).dropna(subset=["query_3m"])
    group = _group(rows["saving_ratio"].astype(float), rows["query_3m"], p)
    return rows["converted"].astype(float).groupby(group).mean()


def _group(saving: pd.Series, queries: pd.Series, p: Any) -> pd.Series:
    big = (saving >= p["BIG_SAVING"]) & (queries <= p["FEW_QUERIES"])
    return big.map({True: "big", False: "other"}).where(queries < p["RISK_QUERIES"], "many")


def _risk_columns(rows: pd.DataFrame, p: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "const": 1.0,
            "many": (rows["query_3m"] >= p["RISK_QUERIES"]).astype(float),
            "crowded": (rows["nonbank_lenders"] >= 4).astype(float),
            "overdue": np.minimum(rows["overdue_months_24"].astype(float), 6),
        }
    )


def _risk(context: Context, who: pd.DataFrame) -> np.ndarray:
    """Return the chance of turning bad within a year, learned from past approvals."""
    from course_utils.analysis.statistics.regressions import generalized

    model, families = generalized()

    loan = context.load("loan")
    loan = loan[loan["product_code"].isin(list(CASH_LOANS.values()))]
    loan = loan[loan["issue_date"] + pd.DateOffset(months=12) <= context.as_of]
    loan = loan.sort_values("issue_date")
    month = context.load("loan_month")
    first = month.loc[month["dpd"] > 90].groupby("loan_id", observed=True)["month"].min()
    last = loan["issue_date"] + pd.DateOffset(months=12) + pd.offsets.MonthEnd(0)
    loan = loan.assign(bad=(loan["loan_id"].map(first) <= last).astype(float))
    report = context.load("bureau_report")
    report = report[
        (report["reason"].astype(str) == "贷款审批")
        & (report["consent_scope"].astype(str) == "授信管理")
    ].sort_values("query_date")
    keep = ["customer_id", "query_date", "query_3m", "nonbank_lenders", "overdue_months_24"]
    rows = pd.merge_asof(
        loan[["customer_id", "issue_date", "bad"]], report[keep], left_on="issue_date",
        right_on="query_date", by="customer_id", tolerance=pd.Timedelta(days=15),
    ).dropna(subset=["query_date"])  # fmt: skip
    p = context.parameters
    fit = model(rows["bad"], _risk_columns(rows, p), family=families.Binomial()).fit()
    return fit.predict(_risk_columns(who, p)).to_numpy()


def _fund(context: Context) -> float:
    if not context.bank.has("ftp_curve"):
        return 2.0
    curve = context.load("ftp_curve")
    year = curve[(curve["term_months"] == 12) & (curve["month"] <= context.as_of)]
    return float(year.loc[year["month"].idxmax(), "rate"])


def candidates(context: Context) -> pd.DataFrame:
    """Return every customer who would save, with chance, risk, value and permission."""
    return context.remember("candidates", lambda: _candidates(context))


def _candidates(context: Context) -> pd.DataFrame:
    p = context.parameters
    who = context.load("customer").set_index("customer_id")
    rows = running(context)
    terms = context.load("product").set_index("product_code")
    code = rows["business"].astype(str).map(CASH_LOANS)
    age = context.as_of.year + rows["left"] / 12 - rows["customer_id"].map(who["birth_year"])
    fits = rows["owed"] <= code.map(terms["amount_maximum"])
    fits &= rows["left"] <= code.map(terms["term_maximum_months"]).astype(float)
    fits &= age <= code.map(terms["age_maximum"]).astype(float)
    fits &= rows["customer_id"].map(who["occupation"]).ne("学生")
    part = rows[fits & (rows["ratio"] >= p["MIN_SAVING"])]
    pool = part.groupby("customer_id")[["owed", "old", "cost", "interest"]].sum()
    head = lawful(context).set_index("customer_id")
    pool = pool.join(head[["query_3m", "nonbank_lenders", "overdue_months_24"]])
    pool = pool.join(who[["branch_id", "manager_id", "do_not_call", "phone_valid"]])
    group = _group(1 - pool["cost"] / pool["old"], pool["query_3m"], p)
    pool["chance"] = group.map(_accept(context)).to_numpy(float)
    pool["pd"] = _risk(context, pool)
    net = p["OUR_RATE"] - _fund(context) - p["RUNNING_COST"]
    net = net - 100 * pool["pd"] * p["LOSS_GIVEN_DEFAULT"]
    value = pool["chance"] * pool["interest"] / p["OUR_RATE"] * net
    pool["expected"] = value - p["CALL_COST"]
    yes = context.load("consent")
    until = context.as_of + pd.Timedelta(days=p["LIST_DAYS"])
    yes = yes[(yes["scope"] == "营销") & yes["granted"].astype(bool)]
    yes = yes[yes["expire_date"].isna() | (yes["expire_date"] >= until)]
    pool["may_call"] = pool.index.isin(set(yes["customer_id"]))
    pool["may_call"] &= ~pool["do_not_call"].astype(bool) & pool["phone_valid"].astype(bool)
    branch = p["BRANCH"]
    return pool if branch is None else pool[pool["branch_id"] == branch]


def best_list(context: Context) -> pd.DataFrame:
    """Return the reference list: the dearest expected profits of each manager."""
    p = context.parameters
    pool = candidates(context)
    pool = pool[pool["may_call"] & (pool["query_3m"] < p["RISK_QUERIES"])]
    pool = pool[(pool["pd"] <= p["PD_LIMIT"]) & (pool["expected"] > 0) & pool["manager_id"].notna()]
    place = pool.groupby("manager_id")["expected"].rank(method="first", ascending=False)
    return pool[place <= p["CALLS_PER_MANAGER"]].reset_index()[["customer_id", "manager_id"]]


def profit(table: pd.DataFrame, context: Context) -> float:
    """Return the expected profit of a list."""
    value = candidates(context)["expected"]
    return float(table["customer_id"].map(value).sum())


def in_pool(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if every customer passed the purpose gate and would save enough."""
    ids = set(table["customer_id"])
    strange = ids - set(candidates(context).index)
    if not strange:
        return True
    scope = ids - set(lawful(context)["customer_id"])
    if scope:
        return f"名单里有 {len(scope)} 位客户没有范围放行、仍然有效的报告：用途闸门没过，一位也不能进。"
    return f"名单里有 {len(strange)} 位客户不在候选人里：换过来省不够，或者不属于要看的支行。"


def _fact(column: str, table: pd.DataFrame, context: Context) -> pd.Series:
    return table["customer_id"].map(candidates(context)[column])


def willing(table: pd.DataFrame, context: Context) -> bool:
    """Hold if nobody in the list refused, lacks consent or has no valid phone."""
    return bool(_fact("may_call", table, context).eq(True).all())


def sound(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if nobody in the list has many queries or a high chance of default."""
    p = context.parameters
    if (_fact("query_3m", table, context) >= p["RISK_QUERIES"]).any():
        return "名单里有近三个月查询次数太多的客户：这些人转人工，不主动营销。"
    return (
        not (_fact("pd", table, context) > p["PD_LIMIT"] + SLACK).any()
        or "名单里有预计违约概率高于上限的客户。"
    )


def own_manager(table: pd.DataFrame, context: Context) -> bool:
    """Hold if every customer stands with the own manager."""
    return bool((_fact("manager_id", table, context) == table["manager_id"]).all())


def capacity(table: pd.DataFrame, context: Context) -> bool:
    """Hold if no manager has too many customers."""
    sizes = table.groupby("manager_id").size()
    return bool((sizes <= context.parameters["CALLS_PER_MANAGER"]).all())


def true_value(table: pd.DataFrame, context: Context) -> bool:
    """Hold if the list earns most of what the planted acceptance lets a list earn (CK6)."""
    truth = (context.truth or {}).get("m03_n08")
    if not truth or not isinstance(truth.get("accept_good"), dict):
        return True
    p = context.parameters
    pool = candidates(context)
    group = _group(1 - pool["cost"] / pool["old"], pool["query_3m"], p)
    good = float(truth["accept_good"]["planted"])
    chance = group.map({"big": good, "other": 0.05, "many": 0.10})
    value = (pool["expected"] + p["CALL_COST"]) / pool["chance"] * chance - p["CALL_COST"]
    got = float(table["customer_id"].map(value).sum())
    best = float(best_list(context)["customer_id"].map(value).sum())
    return best <= 0 or got >= 0.8 * best


# ------------------------------------------------------------------------------- E4 the reply


def scopes(context: Context) -> pd.DataFrame:
    """Return the reports by scope of consent."""
    table = context.load("bureau_report", ["query_id", "consent_scope"])
    count = table["consent_scope"].astype(str).value_counts().to_frame("reports")
    return count.assign(share=count["reports"] / len(table))


def model_reply(context: Context) -> str:
    """Return a text that passes."""
    return (
        "不得使用。《征信业管理条例》第二十条要求按与信息主体约定的用途使用征信信息，授权只写了贷后管理的，"
        f"不能用来营销。全行这样的报告有 {scopes(context).loc['贷后管理', 'reports']} 份，都不进名单。"
        "请先征得客户同意，另签写明营销用途的授权书，再谈置换。"
    )


def says_yes(answer: str, context: Context) -> bool:
    """Tell whether the reply allows the call."""
    return "可以" in answer[:12] and "不可以" not in answer[:12]


def hides_names(answer: str, context: Context) -> bool:
    """Tell whether the reply thinks that masking cures the purpose."""
    return "脱敏" in answer or "去掉姓名" in answer or "匿名" in answer


QUESTIONS = [
    Question(
        "E1",
        "yearly_cost",
        cost_reference,
        checks=(
            behaviour(
                *COST_CASES, compare=number(absolute=1e-4), signature=("principal", "payments")
            ),
        ),
        hints=(
            "先处理合计不超过本金的情况，再去找月利率，最后一步才是换成年化。",
            "演示三里折现用的是 month_payment 一个数；这里每个月的钱不同，用 enumerate(payments, start=1) 一边取月份一边取金额。",
            "二分六十次足够；猜的月利率折出来的钱比本金多，就把下界抬到它；最后返回 ((1 + 月利率) ** 12 - 1) * 100。",
        ),
        misconceptions=(
            Misconception(
                "nominal_only",
                "你返回的是名义利率（月利率乘十二）：题目要的是实际年化，月利率要按复利滚十二个月。",
                nominal,
            ),
            Misconception(
                "flat_rate",
                "你用总利息除以最初的本金：本金每月都在还，实际占用的钱越来越少，真实利率要高得多。",
                flat,
            ),
            Misconception(
                "equal_payments",
                "你把每一期都当成第一期的金额：停还、最后一期不同的计划就算错了。",
                equal,
            ),
        ),
    ),
    Question(
        "E2",
        "by_lender",
        by_lender,
        compare=frame(
            ["lender_type"],
            ["owed", "winnable", "share"],
            tolerances={
                "owed": Tolerance(relative=1e-6, absolute=0.02),
                "winnable": Tolerance(relative=1e-6, absolute=0.02),
                "share": Tolerance(absolute=1e-6),
            },
        ),
        hints=(
            "两次分组：一次对全部贷款，一次只对够省的贷款；再把两张表对齐。",
            "够省看 saving_ratio 和 MIN_SAVING，刚好在线上也算；金额用推到今天的 owed。",
            "对齐以后没有够省贷款的机构会是空值，用 fillna(0) 补成零，再算 share。",
        ),
        misconceptions=(
            Misconception(
                "any_saving",
                "你把省一点点的也算进来了：节省比例达到 MIN_SAVING 才值得客户跑一趟。",
                lambda c: by_lender(c, floor=1e-12),
            ),
            Misconception(
                "old_balance",
                "你用的是报告当时的 balance：过去的几个月客户一直在还，要用推到今天的 owed。",
                lambda c: by_lender(c, money="balance"),
            ),
            Misconception(
                "dropped_zeros",
                "一笔够省的也没有的机构从表里消失了：零也是答案，它说明价格抢不动。",
                lambda c: by_lender(c, zeros=False),
            ),
        ),
        parameters=("OUR_RATE", "PENALTY_PERCENT", "MIN_SAVING", "FRESH_DAYS", "LIST_DAYS"),
    ),
    Question(
        "E3",
        "refinance_plan",
        best_list,
        checks=(
            plan(
                unique("customer_id", name="一户一次"),
                Invariant("用途闸门", in_pool, "名单里有没过用途闸门的客户。"),
                Invariant("本人意愿", willing, "名单里有没有营销授权、谢绝来电或号码无效的客户。"),
                Invariant("风险闸门", sound, "名单里有没过风险闸门的客户。"),
                Invariant("自己管的客户", own_manager, "有客户排给了不是他的客户经理。"),
                Invariant("每人容量", capacity, "有客户经理超过了 CALLS_PER_MANAGER 户。"),
                Invariant(
                    "按埋下的接受率验算",
                    true_value,
                    "换成生成器埋下的真实接受率重算，这张名单只赚到理想名单的一小部分：看看是不是没按期望利润排。",
                ),
                objective=profit,
                share=0.95,
                columns=("customer_id", "manager_id"),
                goal="期望利润合计（元）",
            ),
        ),
        hints=(
            "先筛后排：筛掉不愿意的、风险高的、不够本的，再在每位客户经理名下取前几名。",
            "意愿看 consent、do_not_call、phone_valid 三列；风险看 query_3m 和 pd 两列；没有客户经理的先放一放。",
            '按 expected 从大到小排好，groupby("manager_id").head(CALLS_PER_MANAGER)，reset_index() 以后取两列。',
        ),
        misconceptions=(
            Misconception(
                "forgot_wishes",
                "名单里有不愿意接电话的客户：营销授权、谢绝来电、号码有效三样都要看。",
                matches=lambda answer, c: (
                    isinstance(answer, pd.DataFrame)
                    and {"customer_id", "manager_id"} <= set(answer.columns)
                    and in_pool(answer, c) is True
                    and not willing(answer, c)
                ),
            ),
            Misconception(
                "forgot_risk",
                "名单里有没过风险闸门的客户：最爱点头的人里混着最还不上的人。",
                matches=lambda answer, c: (
                    isinstance(answer, pd.DataFrame)
                    and {"customer_id", "manager_id"} <= set(answer.columns)
                    and in_pool(answer, c) is True
                    and sound(answer, c) is not True
                ),
            ),
            Misconception(
                "no_scope",
                "名单里有授权范围盖不住营销的客户：这一条没有商量，先回到演示一。",
                matches=lambda answer, c: (
                    isinstance(answer, pd.DataFrame)
                    and "customer_id" in answer.columns
                    and bool(set(answer["customer_id"]) - set(lawful(c)["customer_id"]))
                ),
            ),
        ),
        parameters=("BRANCH", "RISK_QUERIES", "PD_LIMIT", "CALLS_PER_MANAGER"),
    ),
    Question(
        "E4",
        "reply",
        model_reply,
        checks=(
            written(
                Part("结论", ("不能", "不得", "不可以", "不允许")),
                Part(
                    "依据", (r"征信业管理条例》?\s*第\s*(二十|20)\s*条", "条例第二十条", "第二十条")
                ),
                Part("正确做法", ("授权", "同意")),
                grounded_in=(scopes,),
                quotes=(
                    Quote("贷后管理范围的报告份数", lambda c: scopes(c).loc["贷后管理", "reports"]),
                ),
                least_numbers=1,
                shortest=60,
                longest=220,
                allowed=(18, 20),
                forbidden=(
                    ("^可以", "结论反了：授权范围只写了贷后管理，不能用于营销。"),
                    (
                        "脱敏|匿名|去掉姓名",
                        "脱敏治不了用途：名单最后还是要联系到本人，用途不对就是不对。",
                    ),
                ),
            ),
        ),
        hints=(
            "看的是授权书写的用途，不是信息准不准、客户会不会高兴。",
            "第十八条讲查询要书面同意并约定用途，第二十条讲只能按约定的用途使用：这里问的是“用”。",
            "三句话：不能；依据《征信业管理条例》第几条和 by_scope 里“贷后管理”那一行的份数；请客户另签写明营销用途的授权。",
        ),
        misconceptions=(
            Misconception(
                "yes_we_can",
                "结论反了：同意查询不等于同意营销，第二十条管的是怎么用。",
                matches=says_yes,
            ),
            Misconception(
                "hide_the_name",
                "脱敏治不了用途：名单最后还是要联系到本人，用途不对，脱敏以后也不能用。",
                matches=hides_names,
            ),
        ),
    ),
]
