"""Questions of m02_n05: balance needed at year end, allocation, term plan, one branch's defence."""

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
    behaviour,
    number,
    partition,
    plan,
    scaled,
    written,
)

MONEY = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
TERMS = {"1 年及以内": 12, "2 年": 24, "3 年": 36, "5 年": 60}
Needed = Callable[[float, float, Any], float]

# ---------------------------------------------------------------------- E1 balance at year end


def needed_function(context: Context) -> Needed:
    """Return the reference: solve average = start + growth x mean(cumulated share)."""

    def needed_end(average: float, start: float, flow_share: Any) -> float:
        path = np.cumsum(np.asarray(flow_share, dtype=float))
        return float(start + (average - start) * len(path) / path.sum())

    return needed_end


def average_as_end(context: Context) -> Needed:
    """Take the average for the balance at the end."""
    return lambda average, start, flow_share: average


def always_half(context: Context) -> Needed:
    """Assume that the money comes evenly."""
    return lambda average, start, flow_share: start + 2 * (average - start)


def next_day(context: Context) -> Needed:
    """Let money count from the day after it came."""

    def wrong(average: float, start: float, flow_share: Any) -> float:
        share = np.asarray(flow_share, dtype=float)
        late = np.cumsum(share).sum() - share.sum()
        return start + (average - start) * len(share) / late if late else float("inf")

    return wrong


def only_growth(context: Context) -> Needed:
    """Give the growth and forget the balance at the start."""
    right = needed_function(context)
    return lambda average, start, flow_share: right(average, start, flow_share) - start


def one_flow(day: int, days: int) -> np.ndarray:
    """Return the shares when all money comes on one day (1 = the first)."""
    return np.bincount([day - 1], minlength=days).astype(float)


def _single(day: int, days: int = 365) -> Callable[[Context], tuple[float, float, np.ndarray]]:
    return lambda context: (110.0, 100.0, one_flow(day, days))


def real_bank(context: Context) -> tuple[float, float, np.ndarray]:
    """Return the whole bank's goal, balance and personal season, month by month."""
    daily, year = ledger(context), base_year(context)
    total = daily.groupby("date")["deposits"].sum()
    total = total[total.index.year == year]
    lengths = pd.period_range(f"{year}-01", f"{year}-12", freq="M").days_in_month.to_numpy()
    season = np.asarray(context.parameters["PERSONAL_SEASON"], dtype=float)
    goal = total.mean() * (1 + context.parameters["GROWTH"])
    return goal, total.iloc[-1], np.repeat(season / lengths, lengths.astype(np.intp))


def one_day_later(before: float, after: float) -> bool:
    """Worth falls by exactly 1/365: growth = 10 / worth for a goal 10 above the start."""
    return bool(np.isclose(10 / (before - 100), 10 / (after - 100) + 1 / 365, rtol=1e-9))


E1_CHECK = behaviour(
    Case("全部在第一天到账", _single(1), "第一天到账的钱全年都在，一块钱就顶一块。"),
    Case("全部在年中一天到账", _single(100)),
    Case("全部在最后一天到账", _single(365), "最后一天到账的钱只算一天，不是零天。"),
    Case("均匀到账", lambda context: (110.0, 100.0, np.full(365, 1 / 365))),
    Case("闰年", _single(200, 366), "天数看 flow_share 有几个数，不要写死。"),
    Case("只有四天的一年", lambda context: (10.0, 8.0, [0.5, 0.0, 0.25, 0.25])),
    Case("目标等于年初", lambda context: (100.0, 100.0, one_flow(7, 365))),
    Case(
        "目标低于年初", lambda context: (90.0, 100.0, one_flow(30, 365)), "目标也可以低于年初余额。"
    ),
    Case("有流出的月份", lambda context: (105.0, 100.0, [0.9, 0.4, -0.5, 0.2])),
    Case("本行全年", real_bank),
    Relation(
        "晚到一天",
        _single(50),
        _single(51),
        one_day_later,
        "同一笔钱晚到一天，一块钱应少顶 1/D 块。",
    ),
    Relation(
        "换成万元",
        lambda context: (110.0, 100.0, one_flow(9, 365)),
        lambda context: (1_100_000.0, 1_000_000.0, one_flow(9, 365)),
        scaled(10_000),
        "金额单位放大一万倍，结果也应放大一万倍。",
    ),
    compare=number(unit="元", relative=1e-9),
    signature=("average", "start", "flow_share"),
)

# ------------------------------------------------------------------------- shared: the branches


def ledger(context: Context) -> pd.DataFrame:
    """Return the daily balances with their sum."""
    return context.remember("ledger", lambda: _ledger(context))


def _ledger(context: Context) -> pd.DataFrame:
    rows = context.load("branch_day", ["date", "branch_id", *MONEY])
    return rows.assign(deposits=rows[MONEY].sum(axis=1))


def base_year(context: Context) -> int:
    """Return the last whole year of the ledger."""
    last = ledger(context)["date"].max()
    return int(last.year if last.strftime("%m-%d") == "12-31" else last.year - 1)


def branches(context: Context) -> pd.DataFrame:
    """Return base, draft growth, potential and staff of every branch."""
    return context.remember("branches", lambda: _branches(context))


def _branches(context: Context) -> pd.DataFrame:
    from course_utils.analysis.deposits.potential import branch_potential

    daily, year = ledger(context), base_year(context)
    daily = daily[daily["date"].dt.year == year]
    base = daily.groupby("branch_id")["deposits"].sum() / daily.groupby("branch_id").size()
    index = context.load("branch", ["branch_id", "branch_name"]).set_index("branch_id")
    base = base.reindex(index.index)
    table = pd.DataFrame({"base": base[base > 0]})
    staff = context.load("employee", ["branch_id", "active"]).query("active")
    table["capacity"] = staff["branch_id"].value_counts().reindex(table.index).fillna(1)
    target = context.load("target")
    plan_rows = target[
        (target["metric"] == "存款年日均")
        & (target["period_start"].dt.year == year + 1)
        & target["employee_id"].isna()
    ]
    draft = plan_rows.set_index("branch_id")["target"].reindex(table.index)
    draft = draft.fillna(table["base"] * (1 + context.parameters["GROWTH"]))
    table["draft_growth"] = draft - table["base"]
    table["potential"] = branch_potential(context.bank, table["base"])["used"]
    return table


def fill(total: float, claim: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    """Share out round by round: fix whoever breaks a limit, share the rest again."""
    fixed = pd.Series(np.nan, index=claim.index)
    for _ in range(2 * len(claim) + 2):
        free = fixed.isna()
        if not free.any():
            break
        part = claim[free] / claim[free].sum() * (total - fixed.sum())
        under, over = (low - part).clip(lower=0).sum(), (part - high).clip(lower=0).sum()
        if under + over <= 1e-6:
            fixed[free] = part
            break
        hit = part.index[(part < low[free]) if under >= over else (part > high[free])]
        fixed[hit] = (low if under >= over else high)[hit]
    return fixed


def spread(growth: pd.Series, context: Context) -> float:
    """Return the coefficient of variation of growth / potential."""
    difficulty = growth / branches(context)["potential"]
    return float(np.std(difficulty) / np.mean(difficulty))


# ---------------------------------------------------------------------------------- E2 plan


def goal_sum(context: Context) -> float:
    """Return the growth that the president asks for."""
    return float(branches(context)["draft_growth"].sum() * context.parameters["EXERCISE_STRETCH"])


def limit(context: Context, name: str) -> pd.Series:
    """Return a limit of the growth of every branch in yuan."""
    return branches(context)["base"] * context.parameters[name]


def potential_plan(context: Context) -> pd.DataFrame:
    """Share by potential within the limits."""
    low, high = limit(context, "EXERCISE_FLOOR"), limit(context, "EXERCISE_CAP")
    return _rows(fill(goal_sum(context), branches(context)["potential"], low, high))


def _rows(growth: pd.Series) -> pd.DataFrame:
    return growth.rename("growth").rename_axis("branch_id").reset_index()


def base_plan(context: Context) -> pd.DataFrame:
    """Give every branch the same rate."""
    base = branches(context)["base"]
    return _rows(base / base.sum() * goal_sum(context))


def clipped_plan(context: Context) -> pd.DataFrame:
    """Cut at the limits and leave it at that."""
    room = branches(context)["potential"]
    share = room / room.sum() * goal_sum(context)
    return _rows(share.clip(limit(context, "EXERCISE_FLOOR"), limit(context, "EXERCISE_CAP")))


def level_plan(context: Context) -> pd.DataFrame:
    """Give the level instead of the growth."""
    right = potential_plan(context).set_index("branch_id")["growth"]
    return _rows(right + branches(context)["base"])


def unlimited_plan(context: Context) -> pd.DataFrame:
    """Share by potential without limits."""
    room = branches(context)["potential"]
    return _rows(room / room.sum() * goal_sum(context))


def _growth(answer: pd.DataFrame, context: Context) -> pd.Series:
    return answer.set_index("branch_id")["growth"].reindex(branches(context).index)


def sum_fits(answer: pd.DataFrame, context: Context) -> bool:
    """Say whether the growth adds up to the total (to ten yuan a branch)."""
    allowed = 10.0 * len(branches(context))
    return bool(abs(answer["growth"].sum() - goal_sum(context)) <= allowed)


def beyond(answer: pd.DataFrame, context: Context, name: str, sign: int) -> bool | str:
    """Count the branches beyond a limit."""
    gap = sign * (_growth(answer, context) - limit(context, name))
    count = int((gap.fillna(np.inf) > 10.0).sum())
    word = "上限" if sign > 0 else "下限"
    return not count or f"有 {count} 家网点越过了增幅{word}（{name}）。"


def follows_potential(answer: pd.DataFrame, context: Context) -> bool:
    """Say whether growth goes with potential at least as closely as under the base method."""
    room = branches(context)["potential"]
    mine, usual = _growth(answer, context), _growth(base_plan(context), context)
    if np.ptp(mine) < 1.0:  # the same amount for all goes with nothing
        return False
    return bool(np.corrcoef(mine, room)[0, 1] >= np.corrcoef(usual, room)[0, 1] - 1e-9)


E2_CHECK = plan(
    partition("branch_id", lambda context: branches(context).index, name="每家网点一行"),
    Invariant("合计", sum_fits, "各网点增量相加，不等于 total_growth 的 EXERCISE_STRETCH 倍。"),
    Invariant("下限", lambda a, c: beyond(a, c, "EXERCISE_FLOOR", -1), "有网点低于下限。"),
    Invariant("上限", lambda a, c: beyond(a, c, "EXERCISE_CAP", 1), "有网点高于上限。"),
    Invariant(
        "跟着潜力走", follows_potential, "增量与潜力的相关还不如基数法：潜力大的网点没有多分到。"
    ),
    objective=lambda answer, context: spread(_growth(answer, context), context),
    baseline=lambda context: (
        spread(_growth(base_plan(context), context), context)
        * context.parameters["EXERCISE_FAIRER"]
    ),
    maximise=False,
    columns=("branch_id", "growth"),
    goal="难度差异",
)

# ---------------------------------------------------------------------------- E3 term plan


def offers(context: Context) -> pd.DataFrame:
    """Return the six ways out with their limit (share), retention, cost and the money due."""
    return context.remember("offers", lambda: _offers(context))


def term_label(months: pd.Series) -> pd.Series:
    """Return the term class of each account (NaN for demand money)."""
    edges = list(TERMS.values())
    place = np.searchsorted(edges, months.fillna(0).to_numpy(dtype=float))
    label = np.array([*TERMS, ""], dtype=object)[place]
    return pd.Series(label, index=months.index).where(months.notna())


def _offers(context: Context) -> pd.DataFrame:
    due, kept = due_money(context), kept_shares(context)
    usual = sum(kept[t] * due[t] for t in TERMS) / due.sum()
    rate, replace = posted_rates(context), replace_rate(context)
    rows = [(f"{t}·照旧", rate[m], kept[t], due[t] / due.sum()) for t, m in TERMS.items()]
    for term, loss in context.parameters["STEER_LOSS"].items():
        limit_share = context.parameters["GUIDE_LIMIT"]
        rows.append((f"{term}·引导", rate[TERMS[term]], usual * (1 - loss), limit_share))
    table = pd.DataFrame(rows, columns=["option", "rate", "keep", "limit"]).set_index("option")
    table["price"] = (table["rate"] * table["keep"] + replace * (1 - table["keep"])) / 100
    table["limit"] *= due.sum()
    return table


def accounts(context: Context) -> pd.DataFrame:
    """Return time deposits with their class and weight."""
    rows = context.load("deposit_account")
    rows = rows[rows["term_months"].notna()].assign(term=lambda f: term_label(f["term_months"]))
    weight = context.load("customer", ["customer_id", "weight"]).set_index("customer_id")["weight"]
    return rows.assign(weight=rows["customer_id"].map(weight))


def due_money(context: Context) -> pd.Series:
    """Return the money that matures within a year by term class, 元."""
    rows = accounts(context)
    rows = rows[rows["kind"].isin(["定期", "大额存单"]) & ~(rows["close_date"] <= context.as_of)]
    rows = rows[rows["open_date"] <= context.as_of]
    left = (rows["maturity_date"] - context.as_of).dt.days
    rows = rows[(left > 0) & (left <= 365)]
    return (rows["amount"] * rows["weight"]).groupby(rows["term"]).sum().reindex(TERMS).fillna(0.0)


def kept_shares(context: Context) -> dict[str, float]:
    """Return the share of matured money kept, by class (the bank's where chance decides)."""
    given = context.parameters["RETENTION"]
    if not context.bank.has("deposit_account.kept_amount_30d"):
        return dict.fromkeys(TERMS, given)
    from course_utils.analysis.statistics.experiment import wilson

    rows = accounts(context)
    after = context.as_of - pd.DateOffset(years=1)
    rows = rows[(rows["maturity_date"] > after) & rows["kept_amount_30d"].notna()]
    stays = np.minimum(rows["kept_amount_30d"], rows["amount"]) * rows["weight"]
    money = rows["amount"] * rows["weight"]
    whole = float(stays.sum() / money.sum())
    hit = rows["kept_amount_30d"] >= 0.8 * rows["amount"] - 1e-9
    result = {}
    for term in TERMS:
        mine = rows["term"] == term
        interval = wilson(int(hit[mine].sum()), int(mine.sum())).iloc[0]
        apart = interval["low"] > hit.mean() or interval["high"] < hit.mean()
        own = mine.sum() >= context.parameters["MIN_ROWS"] and apart
        result[term] = float(stays[mine].sum() / money[mine].sum()) if own else whole
    return result


def posted_rates(context: Context) -> dict[int, float]:
    """Return today's own posted rates by term in months."""
    rows = context.load("deposit_rate")
    rows = rows[(rows["who"] == "本行") & (rows["kind"] == "定期")].sort_values("effective_date")
    rate = rows.drop_duplicates("term_months", keep="last").set_index("term_months")["rate"]
    return {m: float(rate.get(m, rate[36])) for m in TERMS.values()}


def replace_rate(context: Context) -> float:
    """Return the transfer price of one year in force."""
    if not context.bank.has("ftp_curve"):
        return float(context.parameters["REPLACE_RATE"])
    curve = context.load("ftp_curve")
    curve = curve[curve["term_months"] == 12].sort_values("month")
    return float(curve["rate"].iloc[-1])


def as_before(context: Context) -> pd.Series:
    """Leave everything as it is."""
    table = offers(context)
    return table["limit"].where(table.index.str.endswith("照旧"), 0.0)


def least_kept(context: Context, name: str = "EXERCISE_LOSS") -> float:
    """Return the money that must be kept, 元."""
    natural = float((as_before(context) * offers(context)["keep"]).sum())
    return natural * (1 - context.parameters[name])


def cheapest(context: Context, loss: str = "EXERCISE_LOSS") -> pd.Series:
    """Solve the plan as a linear programme of moves away from what is."""
    from scipy.optimize import linprog

    table, total = offers(context), as_before(context).sum()
    solved = linprog(
        table["price"],
        A_ub=-table[["keep"]].T,
        b_ub=[-least_kept(context, loss) / total],
        A_eq=np.ones((1, len(table))),
        b_eq=[1.0],
        bounds=[(0, most / total) for most in table["limit"]],
    )
    return pd.Series(solved.x * total, index=table.index)


def _money(answer: Any, context: Context) -> pd.Series:
    table = offers(context)
    if isinstance(answer, pd.DataFrame):
        answer = answer.squeeze()
    if isinstance(answer, dict):
        answer = pd.Series(answer, dtype=float)
    if not isinstance(answer, pd.Series):
        return pd.Series(np.nan, index=table.index)
    return pd.to_numeric(answer, errors="coerce").reindex(table.index)


def six_ways(answer: Any, context: Context) -> bool | str:
    """Say whether the answer names the six ways with numbers."""
    missing = int(_money(answer, context).isna().sum())
    return not missing or f"有 {missing} 个去处没有金额：索引要和 options 一样。"


def all_placed(answer: Any, context: Context) -> bool:
    """Say whether all money has a way."""
    placed, due = _money(answer, context).sum(), as_before(context).sum()
    return bool(abs(placed - due) <= 1e-6 * due)


def within_limits(answer: Any, context: Context) -> bool:
    """Say whether every way stays between zero and its limit."""
    value, most = _money(answer, context), offers(context)["limit"]
    slack = 1e-6 * most.sum()
    return bool(((value >= -slack) & (value <= most + slack)).all())


def enough_kept(answer: Any, context: Context) -> bool:
    """Say whether enough money is kept."""
    kept = (_money(answer, context) * offers(context)["keep"]).sum()
    return bool(kept >= least_kept(context) * (1 - 1e-6))


def saving(answer: Any, context: Context) -> float:
    """Return what a plan saves against leaving everything as it is, 元 a year."""
    price = offers(context)["price"]
    return float(((as_before(context) - _money(answer, context)) * price).sum())


E3_CHECK = plan(
    Invariant("六个去处", six_ways, "要一个 Series，索引是六个去处。"),
    Invariant(
        "全部安排", all_placed, "六个去处的金额相加，不等于 due_money（单位是元，不是占比）。"
    ),
    Invariant("占比上限", within_limits, "有去处超过了 options 里的占比上限，或者是负数。"),
    Invariant("留住", enough_kept, "留住的钱少于要求：多流失超过了 EXERCISE_LOSS。"),
    objective=saving,
    share=0.98,
    goal="比照旧节省的综合成本",
)

# ---------------------------------------------------------------------------- E4 defence


def season_of(context: Context, personal: float) -> np.ndarray:
    """Return the month weights of a branch."""
    first, second = (
        np.asarray(context.parameters[name], dtype=float)
        for name in ("PERSONAL_SEASON", "CORPORATE_SEASON")
    )
    return personal * first + (1 - personal) * second


def my_numbers(context: Context) -> pd.DataFrame:
    """Return the numbers of the branch in question, recomputed."""
    return context.remember("my_numbers", lambda: _my_numbers(context))


def _my_numbers(context: Context) -> pd.DataFrame:
    table, parameters = branches(context), context.parameters
    weights = parameters["WEIGHTS"]
    total = float(table["draft_growth"].sum())
    claim = sum(w * table[n] / table[n].sum() for n, w in weights.items()) / sum(weights.values())
    low, high = table["base"] * parameters["FLOOR_GROWTH"], table["base"] * parameters["CAP_GROWTH"]
    growth = fill(total, claim, low, high)
    by_base = fill(total, table["base"], low, high)
    # rounded: two branches at the upper limit change by the same, apart from the last digits
    change = ((growth - by_base) / table["base"]).abs().round(6)
    mine = parameters["BRANCH"] or change.idxmax()
    row = table.loc[mine]
    goal = row["base"] + growth[mine]
    start, end = _year_end(context, growth, mine, goal)
    return pd.DataFrame(
        {
            "base": row["base"],
            "goal": goal,
            "growth": growth[mine],
            "growth_rate": growth[mine] / row["base"],
            "draft_growth": row["draft_growth"],
            "potential": row["potential"],
            "difficulty": growth[mine] / row["potential"],
            "draft_difficulty": row["draft_growth"] / row["potential"],
            "start": start,
            "year_end": end,
        },
        index=[mine],
    )


def _year_end(context: Context, growth: pd.Series, mine: str, goal: float) -> tuple[float, float]:
    from course_utils.analysis.operations.allocate import ipf

    daily, year = ledger(context), base_year(context)
    shape = daily[daily["date"].dt.year == year].groupby("branch_id")[MONEY].mean()
    mix = pd.Series(context.parameters["PRODUCT_MIX"])[MONEY]
    split = ipf(shape.reindex(growth.index), growth, mix / mix.sum() * growth.sum())
    personal = split.loc[mine, MONEY[:2]].sum() / growth[mine]
    last = daily[(daily["branch_id"] == mine) & (daily["date"] == pd.Timestamp(year, 12, 31))]
    start = float(last["deposits"].iloc[0])
    months = pd.period_range(f"{year + 1}-01", f"{year + 1}-12", freq="M").days_in_month.to_numpy()
    daily_share = np.repeat(season_of(context, personal) / months, months.astype(np.intp))
    return start, needed_function(context)(goal, start, daily_share)


def defence(context: Context) -> str:
    """Return a text that passes."""
    row = my_numbers(context).iloc[0]
    return (
        f"接受目标：年日均增量 {row['growth'] / 1e4:.0f} 万元，增幅 {row['growth_rate']:.1%}。"
        f"依据是难度 {row['difficulty']:.1%}，初稿难度 {row['draft_difficulty']:.1%}；"
        "做法是一季度先走访商户和返乡客户，把到期的钱续上，"
        f"年末余额到 {row['year_end'] / 1e8:.2f} 亿元，不靠冲时点。"
    )


QUOTED = {
    "growth": "目标增量",
    "difficulty": "难度",
    "draft_difficulty": "初稿难度",
    "year_end": "年末要到的余额",
}


def quote(column: str) -> Quote:
    """Ask for one number of the branch."""
    return Quote(QUOTED[column], lambda context: float(my_numbers(context)[column].iloc[0]))


E4_CHECK = written(
    Part("态度（接受还是申请调整）", ("接受", "申请", "调整", "同意")),
    Part("依据（潜力、难度或和初稿的比较）", ("潜力", "难度", "初稿")),
    Part("做法（下一步找谁、何时到账）", ("走访", "商户", "续", "客户", "代发", "一季度")),
    grounded_in=("my_numbers", my_numbers),
    quotes=tuple(quote(column) for column in QUOTED),
    least_numbers=4,
    shortest=60,
    longest=180,
    forbidden=(("保证", "不要写“保证”：目标是努力的方向，结果取决于客户。"),),
)

# ---------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "needed_end",
        needed_function,
        checks=(E1_CHECK,),
        hints=(
            "先想：第 d 天到账的一块钱，在一年里躺了几天？除以全年天数，就是它顶几块。",
            "把每天的占比乘以那天“一块钱顶几块”，加起来叫 worth；年日均 = 年初 + 全年净增量 × worth。",
            "第 d 天（d 从 1 数）顶 (D − d + 1) / D 块；用 len(flow_share) 得到 D，"
            "倒推净增量 = (average − start) ÷ worth，再加上年初余额。",
        ),
        misconceptions=(
            Misconception(
                "average_as_end",
                "你把年日均当成了年末余额：钱是陆续到的，平均要到目标，年末必须更高（或更低）。",
                average_as_end,
            ),
            Misconception(
                "always_half",
                "你假设钱均匀到账，一块钱总顶半块：开门红早到的钱顶得多，要按 flow_share 算。",
                always_half,
            ),
            Misconception(
                "next_day",
                "你让到账当天不算：当天日终余额已经包含这笔钱，第一天到账的钱应算满全年。",
                next_day,
            ),
            Misconception("only_growth", "你算出的是全年净增量：别忘了加上年初余额。", only_growth),
        ),
        parameters=("PERSONAL_SEASON", "GROWTH"),
        shape="一个函数 needed_end(average, start, flow_share)，返回一个数",
    ),
    Question(
        "E2",
        "my_plan",
        potential_plan,
        checks=(E2_CHECK,),
        hints=(
            "演示三的 water_fill 一次就能满足合计和上下限，你要换的是总数、上下限和占比。",
            "占比用什么？难度 = 增量 ÷ 潜力，占比越接近潜力，难度越整齐。",
            'allocate.water_fill(总增量, branches["potential"], 基数乘下限, 基数乘上限)，'
            '再用 rename("growth").reset_index() 变成一张表。',
        ),
        misconceptions=(
            Misconception(
                "base_method",
                "你用的还是基数法：合计和上下限都对，但难度差异一点没降，潜力大的网点又被放过了。",
                base_plan,
            ),
            Misconception(
                "clipped_only",
                "你只把越线的削齐补平，没有把差额再分给没碰线的网点，合计就对不上了。",
                clipped_plan,
            ),
            Misconception(
                "level_not_growth",
                "你给的是目标日均（基数加增量），这里要的是增量。",
                level_plan,
            ),
            Misconception(
                "no_limits",
                "你按潜力分了，却没套上下限：有的网点会被压垮，有的几乎没有任务。",
                unlimited_plan,
            ),
        ),
        parameters=(
            "EXERCISE_STRETCH",
            "EXERCISE_FLOOR",
            "EXERCISE_CAP",
            "EXERCISE_FAIRER",
            "GROWTH",
        ),
        shape="一张表，列有 branch_id、growth（元），每家网点一行",
    ),
    Question(
        "E3",
        "my_terms",
        cheapest,
        checks=(E3_CHECK,),
        hints=(
            "和演示六是同一个规划，只有“至少留住多少”变了。",
            "至少留住 = natural_kept × (1 − EXERCISE_LOSS)；其余参数照抄演示里的 term_plan。",
            'allocate.term_plan(options[["cost", "retention"]], due_money, 至少留住, limits) 返回一个字典，'
            '方案在 ["plan"] 里，单位是元。',
        ),
        misconceptions=(
            Misconception(
                "as_before",
                "你什么都没挪：没有违反任何约束，但一分钱也没省。",
                as_before,
            ),
            Misconception(
                "demo_loss",
                "你交的是演示里的方案：它按 MAX_LOSS 放行，流失超过了新的口子 EXERCISE_LOSS。",
                lambda context: cheapest(context, "MAX_LOSS"),
            ),
            Misconception(
                "shares_not_money",
                "你给的是占比，题目要金额（元）：六个数相加应等于 due_money。",
                lambda context: cheapest(context) / as_before(context).sum(),
            ),
        ),
        parameters=("EXERCISE_LOSS", "STEER_LOSS", "GUIDE_LIMIT", "RETENTION", "REPLACE_RATE"),
        shape="一个 Series，索引是 options 的六个去处，值是金额（元）",
    ),
    Question(
        "E4",
        "defence",
        defence,
        checks=(E4_CHECK,),
        hints=(
            "三句话：态度、依据、做法。四个数都在演示四最后那张表里。",
            "依据这一句：难度比初稿高了还是低了？说得出为什么，才站得住。",
            "用 f\"…{my_numbers['growth'].iloc[0] / 1e4:.0f} 万元…\" 把数字填进去，比手抄不易错。",
        ),
        misconceptions=(
            Misconception(
                "promise",
                "不要写“保证”：目标是努力的方向，客户来不来不由你一个人定。",
                matches=lambda answer, context: "保证" in str(answer),
            ),
            Misconception(
                "no_reason",
                "你只表了态、说了做法，没有说凭什么：拿难度、潜力或和初稿的比较当依据。",
                matches=lambda answer, context: (
                    "接受" in str(answer)
                    and not any(word in str(answer) for word in ("潜力", "难度", "初稿"))
                ),
            ),
        ),
        parameters=("BRANCH", "WEIGHTS", "FLOOR_GROWTH", "CAP_GROWTH", "PRODUCT_MIX"),
        shape="一段文字，约一百字",
    ),
]

VARIATIONS = [{"BRANCH": "B05"}, {"EXERCISE_STRETCH": 1.05, "GUIDE_LIMIT": 0.1}]
