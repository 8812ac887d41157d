"""Questions of m02_n04: wallet map, five-year cohort, ten customers under constraints, six lines.

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
    Question,
    Relation,
    behaviour,
    frame,
    invariants,
    plan,
    same,
    unique,
    within,
)

CUTS = (1e4, 5e4, 2e5, 5e5, 1e6)
STATES = ("升档", "同档", "降档", "流失")
MIDDLE = (5e4, 5e5)

# ------------------------------------------------------------------------------- what is known


def _tiers(values: Any) -> np.ndarray:
    """Return how many limits each amount reaches (on the limit counts as reached)."""
    amounts = np.asarray(values, dtype=float)
    return (amounts[:, None] >= np.asarray(CUTS)).sum(axis=1)


def _build(context: Context) -> pd.DataFrame:
    """Return one row a person: quarter average, half year before, money outside, permission."""
    who = context.load("customer").set_index("customer_id")
    who = who[who["customer_type"].astype(str) != "企业"]
    rows = context.load("customer_month")
    months = np.sort(rows["month"].unique())

    def total(column: str, chosen: Any) -> pd.Series:
        part = rows[rows["month"].isin(chosen)]
        return part.groupby("customer_id")[column].sum().reindex(who.index, fill_value=0.0)

    last_year = months[months > np.datetime64(context.as_of - pd.DateOffset(months=12))]
    facts = pd.DataFrame(
        {
            "aum": total("aum_average", months[-3:]) / 3,
            "point": total("aum_average", months[-1:]),
            "before": total("aum_average", months[-9:-3]) / len(months[-9:-3]),
            "out": total("external_bank_out_amount", last_year),
            "back": total("external_bank_in_amount", last_year),
        }
    )
    facts["outside"] = np.maximum(facts["out"] - facts["back"], 0.0)
    facts["manager_id"] = who["manager_id"]
    yes = context.load("consent")
    fresh = yes["expire_date"].isna() | (yes["expire_date"] > context.as_of)
    yes = yes[(yes["scope"] == "营销") & yes["granted"].astype(bool) & fresh]
    facts["may_call"] = who.index.isin(set(yes["customer_id"])) & ~who["do_not_call"].astype(bool)
    return facts


def people(context: Context) -> pd.DataFrame:
    """Return the table of persons (made once)."""
    return context.remember("people", lambda: _build(context))


# ------------------------------------------------------------------------------- E1 wallet map


def _map(context: Context, own: str = "aum", away: str = "outside") -> pd.DataFrame:
    data = people(context)
    data = data[(data[own] >= MIDDLE[0]) & (data[own] < MIDDLE[1])]
    share = data[own] / (data[own] + data[away])
    big = data[own] >= context.parameters["BIG_LINE"]
    out = share < context.parameters["WALLET_LINE"]
    words = {(True, True): "大户外流", (True, False): "大户主办", (False, True): "中户外流"}
    cell = [words.get(pair, "中户主办") for pair in zip(big, out, strict=True)]
    return pd.DataFrame({"wallet_share": share, "cell": cell}, index=data.index)


def gross_out(context: Context) -> pd.DataFrame:
    """Forget what came back from other banks."""
    return _map(context, away="out")


def not_clipped(context: Context) -> pd.DataFrame:
    """Let a net inflow make the wallet smaller than the customer's own money."""
    table = people(context)
    signed = table.assign(outside=table["out"] - table["back"])
    data = signed[(signed["aum"] >= MIDDLE[0]) & (signed["aum"] < MIDDLE[1])]
    share = data["aum"] / (data["aum"] + data["outside"])
    big = data["aum"] >= context.parameters["BIG_LINE"]
    out = share < context.parameters["WALLET_LINE"]
    cell = big.map({True: "大户", False: "中户"}) + out.map({True: "外流", False: "主办"})
    return pd.DataFrame({"wallet_share": share, "cell": cell})


def last_month(context: Context) -> pd.DataFrame:
    """Use the last month instead of the mean of three."""
    return _map(context, own="point")


def whole_partition(answer: pd.DataFrame, context: Context) -> bool | str:
    """Hold if every customer of the middle tier stands in the map exactly once."""
    got, want = list(answer["customer_id"]), set(_map(context).index)
    if len(got) != len(set(got)):
        return "有客户出现了不止一次：一户只能有一行。"
    return (
        set(got) == want
        or "地图里的客户不对：应是季日均资产从 5 万（含）到 50 万（不含）的个人客户。"
    )


# ------------------------------------------------------------------------------- E2 the cohort


def flow_reference(context: Context) -> Callable[..., pd.DataFrame]:
    """Return the reference function."""

    def cohort_flow(yearly: pd.DataFrame, floor: float, first: int, last: int) -> pd.DataFrame:
        opening, closing = yearly[yearly["year"] == first], yearly[yearly["year"] == last]
        opening = opening[opening["term_deposit_average"] >= floor]
        end = opening["customer_id"].map(closing.set_index("customer_id")["aum_average"])
        now, then = end.fillna(0.0).to_numpy(float), opening["aum_average"].to_numpy(float)
        step = np.sign(_tiers(now) - _tiers(then))
        lost = now < 0.2 * then
        counts = [int((~lost & (step == s)).sum()) for s in (1, 0, -1)] + [int(lost.sum())]
        table = pd.DataFrame({"customers": counts}, index=list(STATES))
        return table.assign(share=table["customers"] / max(len(opening), 1))

    return cohort_flow


def late_joiners(context: Context) -> Callable[..., pd.DataFrame]:
    """Take everyone who reached the line in any year."""

    def wrong(yearly: pd.DataFrame, floor: float, first: int, last: int) -> pd.DataFrame:
        ever = set(yearly.loc[yearly["term_deposit_average"] >= floor, "customer_id"])
        rows = yearly[yearly["customer_id"].isin(ever)]
        wide = rows.pivot_table(index="customer_id", columns="year", values="aum_average")
        wide = wide.fillna(0.0).reindex(columns=[first, last], fill_value=0.0)
        stacked = wide.reset_index().melt("customer_id", value_name="aum_average")
        stacked["term_deposit_average"] = floor
        return flow_reference(context)(stacked, floor, first, last)

    return wrong


def only_survivors(context: Context) -> Callable[..., pd.DataFrame]:
    """Leave out those without a record in the last year."""

    def wrong(yearly: pd.DataFrame, floor: float, first: int, last: int) -> pd.DataFrame:
        known = yearly.loc[yearly["year"] == last, "customer_id"]
        rows = yearly[yearly["customer_id"].isin(known)]
        return flow_reference(context)(rows, floor, first, last)

    return wrong


def loss_is_downgrade(context: Context) -> Callable[..., pd.DataFrame]:
    """Never call anybody lost."""

    def wrong(yearly: pd.DataFrame, floor: float, first: int, last: int) -> pd.DataFrame:
        opening = yearly[(yearly["year"] == first) & (yearly["term_deposit_average"] >= floor)]
        closing = yearly[yearly["year"] == last].set_index("customer_id")["aum_average"]
        now = opening["customer_id"].map(closing).fillna(0.0)
        step = np.sign(_tiers(now) - _tiers(opening["aum_average"]))
        counts = [int((step == s).sum()) for s in (1, 0, -1)] + [0]
        table = pd.DataFrame({"customers": counts}, index=list(STATES))
        return table.assign(share=table["customers"] / max(len(opening), 1))

    return wrong


def _years(rows: list[tuple[str, int, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(
        rows, columns=["customer_id", "year", "term_deposit_average", "aum_average"]
    )


def crafted_years() -> pd.DataFrame:
    """Return customers on every border: entry, tier, a fifth, gone, late, in between."""
    first = [
        ("A", 2e5, 3e5),  # exactly on the entry line; later exactly on the next tier
        ("B", 199_999.0, 3e5),  # just below the line: not in the cohort
        ("C", 3e5, 1e6),  # keeps exactly a fifth: not lost, lower tier
        ("D", 3e5, 4e5),  # no record at the end
        ("E", 2.5e5, 6e5),  # stays in its tier
        ("F", 4e5, 4e5),  # keeps a little less than a fifth
        ("H", 3e5, 2e6),  # top tier, stays
        ("I", 3e5, 3e5),  # rises, and was nearly gone in between
    ]
    rows = [(c, 2020, term, aum) for c, term, aum in first]
    rows += [(c, 2022, 1.0, 10.0) for c in "ADI"] + [("G", 2022, 9e5, 9e5), ("B", 2022, 5e5, 6e5)]
    last = {"A": 5e5, "B": 9e5, "C": 2e5, "E": 5.5e5, "F": 79_999.0, "G": 9e5, "H": 1e6, "I": 1.2e6}
    return _years(rows + [(c, 2025, 0.0, aum) for c, aum in last.items()])


def real_years(context: Context) -> pd.DataFrame:
    """Return the bank's yearly table of persons."""
    rows = context.load("customer_year")
    return rows[rows["customer_id"].isin(people(context).index)]


def _ends(context: Context) -> tuple[int, int]:
    years = context.load("customer_year", ["year"])["year"]
    return int(years.min()), int(years.max())


def same_flow(mine: Any, theirs: pd.DataFrame) -> str | None:
    """Compare two cohort tables; the name of the index does not matter."""
    if not isinstance(mine, pd.DataFrame):
        return "要返回一张表（DataFrame），不是一个数或一列。"
    lacking = [name for name in theirs.columns if name not in mine.columns]
    if lacking:
        return f"返回的表缺少列：{'、'.join(lacking)}。"
    if [str(label) for label in mine.index] != list(STATES):
        return "索引要依次是升档、同档、降档、流失，一行都不能少。"
    for name, word in (("customers", "户数"), ("share", "占比")):
        values = pd.to_numeric(mine[name], errors="coerce").to_numpy(float)
        if not np.allclose(values, theirs[name].to_numpy(float), atol=1e-9):
            return f"{word}不对。"
    return None


FLOW_CASES = behaviour(
    Case(
        "后来才达标的人",
        lambda context: (
            _years(
                [
                    ("A", 2020, 3e5, 3e5),
                    ("B", 2020, 1e4, 2e4),
                    ("A", 2025, 3e5, 3e5),
                    ("B", 2025, 9e5, 9e5),
                    ("C", 2025, 8e5, 9e5),
                ]
            ),
            2e5,
            2020,
            2025,
        ),
        "队列只看第一年：后来才达到门槛、后来才开户的人都不能算进来。",
    ),
    Case(
        "最后一年没有记录",
        lambda context: (_years([("A", 2020, 3e5, 3e5), ("B", 2021, 3e5, 3e5)]), 2e5, 2020, 2025),
        "最后一年没有记录的客户不能丢掉：按零算，是流失。",
    ),
    Case(
        "各种边界",
        lambda context: (crafted_years(), 2e5, 2020, 2025),
        "边界没处理好：达到门槛用 >= ，正好剩两成不算流失，正好在档位线上算上一档。",
    ),
    Case("全行", lambda context: (real_years(context), 2e5, *_ends(context))),
    Case("零头客户", lambda context: (_years([("A", 2020, 4.0, 4.0)]), 1.0, 2020, 2025)),
    Case("换一道门槛", lambda context: (real_years(context), 5e4, *_ends(context))),
    Case("换两个年份", lambda context: (crafted_years(), 3e5, 2022, 2025)),
    Case("没有人达标", lambda context: (crafted_years(), 1e9, 2020, 2025)),
    Relation(
        "打乱行序",
        lambda context: (crafted_years(), 2e5, 2020, 2025),
        lambda context: (crafted_years().sample(frac=1, random_state=5), 2e5, 2020, 2025),
        same,
        "结果不应随行的顺序改变。",
    ),
    compare=same_flow,
    signature=("yearly", "floor", "first", "last"),
)


# --------------------------------------------------------------------------- E3 ten customers


def _pool(context: Context) -> pd.DataFrame:
    """Return the customers of the manager in question, with uplift, hours and flags."""
    p, data = context.parameters, people(context)
    floor = p["CORE_FLOOR"]
    cut = data.loc[data["aum"] >= floor, "outside"].quantile(p["POTENTIAL_RANK"])
    wide = (data["aum"] >= floor) | (data["before"] >= floor)
    ready = data[wide & data["may_call"] & data["manager_id"].notna()].copy()
    sizes = ready["manager_id"].value_counts()
    ranked = sorted(sizes.index, key=lambda m: (-sizes[m], m))
    ready = ready[ready["manager_id"] == ranked[1]]
    lost = np.maximum(ready["before"] - ready["aum"], 0.0)
    ready["uplift"] = ready["outside"] * p["CAPTURE_RATE"] + lost * p["SAVE_RATE"]
    ready["hours"] = [p["PLAN_HOURS"][f"T{t}"] for t in _tiers(ready["aum"])]
    ready["potential"] = ready["outside"] >= cut
    ready["at_risk"] = ready["aum"] < p["RISK_LINE"] * ready["before"]
    return ready


def pool(context: Context) -> pd.DataFrame:
    """Return the manager's customers (made once)."""
    return context.remember("pool", lambda: _pool(context))


def best_ten(context: Context) -> pd.DataFrame:
    """Solve the choice as an integer programme, written out row by row."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    data = pool(context)
    rows = np.vstack(
        [data["hours"], np.ones(len(data)), data["potential"], data["at_risk"]]
    ).astype(float)
    least = [0, 10, min(3, data["potential"].sum()), min(2, data["at_risk"].sum())]
    most = [context.parameters["HOURS_BUDGET"], 10, 10, 10]
    solved = milp(
        -data["uplift"].to_numpy(float),
        constraints=LinearConstraint(rows, least, most),
        integrality=np.ones(len(data)),
        bounds=Bounds(0, 1),
    )
    return data[np.round(solved.x) == 1].reset_index()


def _marked(name: str, least: int) -> Callable[[pd.DataFrame, Context], bool | str]:
    def holds(table: pd.DataFrame, context: Context) -> bool | str:
        flags = pool(context)[name]
        need = min(least, int(flags.sum()))
        got = int(flags.reindex(table["customer_id"]).fillna(False).astype(bool).sum())
        word = "高潜力" if name == "potential" else "正在下滑"
        return got >= need or f"{word}的客户只有 {got} 位，要求 {need} 位。"

    return holds


def within_hours(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the ten fit into the hours."""
    used = float(pool(context)["hours"].reindex(table["customer_id"]).sum())
    limit = context.parameters["HOURS_BUDGET"]
    return used <= limit or f"总工时 {used:g} 小时，超过了 {limit:g} 小时。"


def uplift_of(table: pd.DataFrame, context: Context) -> float:
    """Return the expected uplift of a choice, 元."""
    return float(pool(context)["uplift"].reindex(table["customer_id"]).sum())


def _is_largest(column: str) -> Callable[[Any, Context], bool]:
    """Return whether an answer is simply the ten largest by a column."""

    def matches(answer: Any, context: Context) -> bool:
        if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer.columns:
            return False
        ten = pool(context).sort_values(column, ascending=False, kind="stable").head(10)
        return set(answer["customer_id"]) == set(ten.index)

    return matches


# ------------------------------------------------------------------------------- E4 six lines

WHO = ("customer_id", "aum", "before", "birth_month", "last_met", "kin_id", "do_not_call")


def lines_reference(
    context: Context,
    *,
    days: int = 7,
    forget_never: bool = False,
    everyone: bool = False,
    monthly: bool = True,
) -> Callable[..., pd.DataFrame]:
    """Return the reference function, or one with a named mistake."""
    big, risk = context.parameters["BIG_LINE"], context.parameters["RISK_LINE"]

    def week_tasks(
        customers: pd.DataFrame, deposits: pd.DataFrame, start: pd.Timestamp
    ) -> pd.DataFrame:
        week = [start + pd.Timedelta(days=i) for i in range(days)]
        due = {c for c, d in deposits[["customer_id", "maturity_date"]].values if d in week}
        months = {d.month for d in week if d.day == 1} if monthly else {start.month}
        found: list[tuple[str, str]] = []
        for who in customers.to_dict("records"):
            if bool(who["do_not_call"]) and not everyone:
                continue
            never = pd.isna(who["last_met"])
            idle = not forget_never if never else (start - who["last_met"]).days > 90
            now, then = _tiers([who["aum"], who["before"]])
            hits = (
                ("到期线", who["customer_id"] in due),
                ("异动线", who["aum"] < risk * who["before"]),
                ("生日节日线", who["birth_month"] in months),
                ("权益线", now > then),
                ("家庭链线", who["kin_id"] in due),
                ("走访线", who["aum"] >= big and idle),
            )
            found += [(who["customer_id"], line) for line, hit in hits if hit]
        return pd.DataFrame(sorted(set(found)), columns=["customer_id", "line"])

    return week_tasks


START = pd.Timestamp("2026-03-30")


def _customers(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(WHO))
    table["last_met"] = pd.to_datetime(table["last_met"])
    table["kin_id"] = table["kin_id"].astype("str").where(table["kin_id"].notna())
    table["birth_month"] = table["birth_month"].astype("float64")
    return table


def _deposits(rows: list[tuple[str, str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["customer_id", "maturity_date"])
    table["customer_id"] = table["customer_id"].astype("str")
    return table.assign(maturity_date=pd.to_datetime(table["maturity_date"]))


def birthdays(context: Context) -> tuple[Any, ...]:
    """Week with the first of April in it: April is due, March was done weeks ago."""
    rows = [(f"C{m}", 6e4, 6e4, m, "2026-03-20", None, False) for m in (3, 4, 5)]
    rows.append(("C0", 6e4, 6e4, None, "2026-03-20", None, False))
    return _customers(rows), _deposits([]), START


def no_first(context: Context) -> tuple[Any, ...]:
    """Week without the first of a month: the next day would be one."""
    rows = [(f"C{m}", 6e4, 6e4, m, "2026-03-20", None, False) for m in (3, 4)]
    return _customers(rows), _deposits([]), pd.Timestamp("2026-03-25")


def last_day_first(context: Context) -> tuple[Any, ...]:
    """Week whose seventh day is the first of April."""
    rows = [(f"C{m}", 6e4, 6e4, m, "2026-03-20", None, False) for m in (3, 4)]
    return _customers(rows), _deposits([]), pd.Timestamp("2026-03-26")


def maturities(context: Context) -> tuple[Any, ...]:
    """Deposits the day before, on the first, on the last day and the day after; two of one."""
    who = [(f"C{i}", 6e4, 6e4, 1, "2026-03-20", None, False) for i in range(4)]
    days = ["2026-03-29", "2026-03-30", "2026-04-05", "2026-04-06"]
    rows = [(f"C{i}", day) for i, day in enumerate(days)] + [("C2", "2026-04-02")]
    return _customers(who), _deposits(rows), START


def visits(context: Context) -> tuple[Any, ...]:
    """Large customers met 90 and 91 days ago, never, and one just below the line."""
    big = float(context.parameters["BIG_LINE"])
    rows = [
        ("C1", big, big, 1, START - pd.Timedelta(days=90), None, False),
        ("C2", big, big, 1, START - pd.Timedelta(days=91), None, False),
        ("C3", big, big, 1, None, None, False),
        ("C4", big - 1, big - 1, 1, None, None, False),
    ]
    return _customers(rows), _deposits([]), START


def moves(context: Context) -> tuple[Any, ...]:
    """Exactly on the risk line, below it, exactly on a tier limit, inside a tier, new money."""
    risk = float(context.parameters["RISK_LINE"])
    met = "2026-03-20"
    rows = [
        ("C1", risk * 100_000, 100_000.0, 1, met, None, False),
        ("C2", risk * 100_000 - 1, 100_000.0, 1, met, None, False),
        ("C3", 50_000.0, 49_999.0, 1, met, None, False),
        ("C4", 190_000.0, 60_000.0, 1, met, None, False),
        ("C5", 60_000.0, 0.0, 1, met, None, False),
        ("C6", 50_000.0, 50_000.0, 1, met, None, False),
    ]
    return _customers(rows), _deposits([]), START


def kin_and_refusal(context: Context) -> tuple[Any, ...]:
    """A relative with a maturity, one without, nobody registered, and a do-not-call customer."""
    rows = [
        ("C1", 6e4, 6e4, 1, "2026-03-20", "C9", False),
        ("C2", 6e4, 6e4, 1, "2026-03-20", "C8", False),
        ("C3", 6e4, 6e4, 1, "2026-03-20", None, False),
        ("C4", 9e5, 1e4, 4, None, "C9", True),
        ("C4", 9e5, 1e4, 4, None, "C9", True),
        ("C5", 9e5, 1e4, 4, None, "C9", False),
        ("C5", 9e5, 1e4, 4, None, "C9", False),
    ]
    return _customers(rows), _deposits([("C9", "2026-04-01"), ("C8", "2026-05-01")]), START


LINE_CASES = behaviour(
    Case(
        "家人与勿扰",
        kin_and_refusal,
        "勿扰客户一条都不派；家人到期也要派给客户；同一人同一条线只派一次。",
    ),
    Case("生日", birthdays, "生日月的第一天落在这一周才派，一个月只派一次。"),
    Case("一号是最后一天", last_day_first, "一周的第七天正好是一号，也算落在这一周。"),
    Case("没有一号的一周", no_first, "这一周里没有哪个月的第一天，不应派生日任务；一周只有七天。"),
    Case("到期日", maturities, "一周是从 start 当天算起的七天，第八天不算；一人几笔到期只派一次。"),
    Case("走访", visits, "从没见过面的大户也要走访；正好 90 天不算超过；正好到线算大户。"),
    Case("异动与权益", moves, "正好在线上不算下滑；资产正好在档位线上算上一档。"),
    Case(
        "空表", lambda context: (_customers([]).astype({"do_not_call": bool}), _deposits([]), START)
    ),
    Relation(
        "打乱行序",
        kin_and_refusal,
        lambda context: (
            kin_and_refusal(context)[0].sample(frac=1, random_state=3),
            *kin_and_refusal(context)[1:],
        ),
        same,
        "结果不应随行的顺序改变。",
    ),
    compare=frame(["customer_id", "line"], []),
    signature=("customers", "deposits", "start"),
)

# ---------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "wallet_map",
        _map,
        frame(["customer_id"], ["wallet_share", "cell"]),
        checks=(
            invariants(
                Invariant("每户一格", whole_partition, "一户只能有一行。"),
                within("wallet_share", 0, 1),
                columns=("customer_id", "wallet_share", "cell"),
            ),
        ),
        hints=(
            "先圈人，再算份额，最后分格，三步各写一行。",
            "外面的钱 ＝ 转出到他行 − 从他行转回，小于零的按零算（clip）。",
            "两个 np.where 各给一半的字，再用加号接起来。",
        ),
        misconceptions=(
            Misconception(
                "gross_out", "只减了转出，没有算转回来的钱：来回倒账的人会被当成金矿。", gross_out
            ),
            Misconception(
                "not_clipped",
                "净流入的客户，外面的钱变成了负数，份额超过百分之百：按零算。",
                not_clipped,
            ),
            Misconception(
                "last_month", "用了最后一个月的余额：资产要用近三个月的平均。", last_month
            ),
        ),
        parameters=("BIG_LINE", "WALLET_LINE"),
    ),
    Question(
        "E2",
        "cohort_flow",
        flow_reference,
        checks=(FLOW_CASES,),
        hints=(
            "队列先定人、后看结果：用 first 年的表圈人，名单从此不动。",
            "用 reindex 把 last 年的资产接到名单上，没有记录的填零。",
            "np.select 的第一个条件写流失，再写升档、降档；最后 reindex 成四行。",
        ),
        misconceptions=(
            Misconception("late_joiners", "把后来才达标的人也算进了队列。", late_joiners),
            Misconception(
                "only_survivors", "把最后一年没有记录的人丢掉了：只剩活下来的人。", only_survivors
            ),
            Misconception(
                "loss_is_downgrade", "没有单独分出流失：走掉的人被算成降档。", loss_is_downgrade
            ),
        ),
    ),
    Question(
        "E3",
        "my_ten",
        best_ten,
        checks=(
            plan(
                Invariant("恰好十位", lambda t, c: len(t) == 10, "要恰好十位客户。"),
                unique("customer_id", name="一户一次"),
                Invariant(
                    "自己的客户",
                    lambda t, c: t["customer_id"].isin(pool(c).index).all(),
                    "名单里有不是这位经理名下、或没有营销授权的客户。",
                ),
                Invariant("工时", within_hours, "总工时超过了预算。"),
                Invariant("高潜力", _marked("potential", 3), "高潜力客户不够。"),
                Invariant("下滑", _marked("at_risk", 2), "正在下滑的客户不够。"),
                objective=uplift_of,
                share=0.95,
                maximise=True,
                columns=("customer_id",),
                goal="预期增量之和",
            ),
        ),
        hints=(
            "先看每位客户一小时能换多少预期增量，再看搭配够不够。",
            "演示八的 choose_ten 已经写好了三个约束，换一张客户表就能用。",
            "choose_ten(choices) 返回选中的客户号；用 .loc 取行，再 reset_index()。",
        ),
        misconceptions=(
            Misconception(
                "largest_aum",
                "你选的是资产最大的十位：已经在我们这里的钱不是增量。",
                matches=_is_largest("aum"),
            ),
            Misconception(
                "forgot_hours",
                "你选的是增量最大的十位，没有看工时和搭配。",
                matches=_is_largest("uplift"),
                degenerate={"western": "该行这位经理增量最大的十位，工时和搭配恰好都合要求"},
            ),
        ),
        parameters=("HOURS_BUDGET", "CAPTURE_RATE", "SAVE_RATE", "RISK_LINE", "PLAN_HOURS"),
    ),
    Question(
        "E4",
        "week_tasks",
        lines_reference,
        checks=(LINE_CASES,),
        hints=(
            "先去掉勿扰和重复的客户，再一条线一条线地写布尔条件。",
            "一周：maturity_date >= start 且 < start + 七天；生日看这七天里有没有某月一号。",
            "把六个条件放进字典，逐条取 customer_id 并写上 line，最后 pd.concat。",
        ),
        misconceptions=(
            Misconception(
                "eight_days",
                "一周算成了八天：最后一天要用小于号。",
                lambda c: lines_reference(c, days=8),
            ),
            Misconception(
                "never_met_forgotten",
                "从没见过面的大户漏掉了：空日期和 90 比较得到“否”。",
                lambda c: lines_reference(c, forget_never=True),
            ),
            Misconception(
                "calls_everyone",
                "勿扰客户也派了任务。",
                lambda c: lines_reference(c, everyone=True),
            ),
            Misconception(
                "every_week_birthday",
                "生日任务每周都派：只在生日月的第一天那一周派一次。",
                lambda c: lines_reference(c, monthly=False),
            ),
        ),
        parameters=("BIG_LINE", "RISK_LINE"),
    ),
]

VARIATIONS = [{"HOURS_BUDGET": 34, "WALLET_LINE": 0.4}]
