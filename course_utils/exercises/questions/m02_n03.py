"""Questions of m02_n03: loss states, destinations, a warning model without leaks, a week of calls.

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
    invariants,
    plan,
    predictions,
    same,
    series,
    unique,
)

STATES = ("不评", "流失", "半流失", "沉默", "预警", "稳定")
State = Callable[[Any, Any], str]

# -------------------------------------------------------------------------------- shared panels


class World:
    """Monthly arrays ``[customer, month]`` of all persons of the bank."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.table = context.load("customer_month")
        if context.bank.has("customer.customer_type"):
            who = context.load("customer", ["customer_id", "customer_type"])
            persons = set(who.loc[who["customer_type"].astype(str) != "企业", "customer_id"])
            self.table = self.table[self.table["customer_id"].isin(persons)]
        self.ids = pd.Index(np.sort(self.table["customer_id"].unique()))
        self.months = pd.DatetimeIndex(np.sort(self.table["month"].unique()))
        self.shape = (len(self.ids), len(self.months))
        self._row = self.ids.get_indexer(self.table["customer_id"])
        self._at = self.months.get_indexer(pd.DatetimeIndex(self.table["month"]))

    def panel(self, column: str) -> np.ndarray:
        """Return one column, absent months as 0."""
        result = np.zeros(self.shape)
        result[self._row, self._at] = self.table[column].fillna(0).to_numpy(dtype=float)
        return result

    def marks(self, customers: pd.Series, dates: pd.Series) -> np.ndarray:
        """Count the given events by customer and calendar month."""
        result = np.zeros(self.shape)
        row = self.ids.get_indexer(customers)
        ends = dates.dt.to_period("M").dt.to_timestamp(how="end").dt.normalize()
        at = self.months.get_indexer(pd.DatetimeIndex(ends))
        inside = (row >= 0) & (at >= 0)
        np.add.at(result, (row[inside], at[inside]), 1)
        return result


def world(context: Context) -> World:
    """Return the panels (made once)."""
    return context.remember("world", lambda: World(context))


def first_lost(context: Context, money: np.ndarray) -> dict[int, tuple[int, float, float]]:
    """Return row -> (first judged month with r below the last cut, mean before, mean recent)."""
    floor, cut = context.parameters["FLOOR"], context.parameters["STATE_CUTS"][-1]
    lost: dict[int, tuple[int, float, float]] = {}
    for end in range(9, money.shape[1] + 1):
        early = money[:, end - 9 : end - 3].mean(axis=1)
        late = money[:, end - 3 : end].mean(axis=1)
        for row in np.flatnonzero((early >= floor) & (late < cut * early)):
            lost.setdefault(int(row), (end - 1, float(early[row]), float(late[row])))
    return lost


# --------------------------------------------------------------------------------- E1 the ruler


def ruler(context: Context) -> State:
    """Return the reference function for the parameters in force."""
    steady, warning, half = context.parameters["STATE_CUTS"]
    floor, silent = context.parameters["FLOOR"], context.parameters["SILENT_DAYS"]

    def state_of(values: Any, idle_days: Any) -> str:
        early, late = float(np.mean(values[:6])), float(np.mean(values[6:9]))
        if early < floor:
            return "不评"
        for limit, name in ((half, "流失"), (warning, "半流失")):
            if late / early < limit:
                return name
        if idle_days is None or idle_days >= silent:
            return "沉默"
        return "稳定" if late / early >= steady else "预警"

    return state_of


def silent_first(context: Context) -> State:
    """Call somebody silent although his money has gone."""
    right, silent = ruler(context), context.parameters["SILENT_DAYS"]

    def wrong(values: Any, idle_days: Any) -> str:
        state = right(values, 0)
        quiet = idle_days is None or idle_days >= silent
        return "沉默" if quiet and state != "不评" else state

    return wrong


def line_belongs_below(context: Context) -> State:
    """Count a ratio on the line to the worse state."""
    cuts, floor = context.parameters["STATE_CUTS"], context.parameters["FLOOR"]
    silent = context.parameters["SILENT_DAYS"]

    def wrong(values: Any, idle_days: Any) -> str:
        early, late = float(np.mean(values[:6])), float(np.mean(values[6:9]))
        if early < floor:
            return "不评"
        step = sum(late / early <= cut for cut in cuts)
        if step < 2 and (idle_days is None or idle_days >= silent):
            return "沉默"
        return ("稳定", "预警", "半流失", "流失")[step]

    return wrong


def last_month_only(context: Context) -> State:
    """Judge by the last month instead of the mean of three."""
    right = ruler(context)
    return lambda values, idle_days: right([*values[:6], *[values[8]] * 3], idle_days)


def same_state(mine: Any, theirs: Any) -> str | None:
    """Compare two states without giving the right one away."""
    if not isinstance(mine, str) or mine not in STATES:
        return f"返回值应该是“{'”“'.join(STATES)}”之一。"
    return None if mine == theirs else "归错了档：先看钱，再看人，对照演示一的表再走一遍。"


def _try(ratio: float, idle: float | None = 3, base: float = 5.0) -> Callable[[Context], Any]:
    """Return nine months whose ratio is the given one; ``base`` counts in floors."""

    def arguments(context: Context) -> tuple[list[float], float | None]:
        money = base * context.parameters["FLOOR"]
        return [money] * 6 + [money * ratio] * 3, idle

    return arguments


def _on_line(which: int, share: float = 1.0, idle: float | None = 3) -> Callable[[Context], Any]:
    """Return a customer whose ratio is ``share`` times the given cut."""
    return lambda context: _try(context.parameters["STATE_CUTS"][which] * share, idle)(context)


def _idle(days: float, ratio: float = 1.0) -> Callable[[Context], Any]:
    """Return a customer who was idle ``days`` more than the limit."""
    return lambda context: _try(ratio, context.parameters["SILENT_DAYS"] + days)(context)


def _shape(early: list[float], late: list[float], idle: float = 3) -> Callable[[Context], Any]:
    """Return uneven months, in floors."""
    return lambda c: ([m * c.parameters["FLOOR"] for m in (*early, *late)], idle)


_LINE = "刚好在线上的归上面一档：用 < 判断“不到”。"
_GONE = "钱已经走了的人按金额归档，不再叫沉默：先判断流失和半流失。"
E1_CASES = behaviour(
    Case("钱一分没少", _try(1.0)),
    Case("钱只剩零头", _try(0.02)),
    Case("刚好在稳定线上", _on_line(0), _LINE),
    Case("稳定线下一点点", _on_line(0, 0.99)),
    Case("刚好在预警线上", _on_line(1), _LINE),
    Case("预警线下一点点", _on_line(1, 0.99)),
    Case("刚好在半流失线上", _on_line(2), _LINE),
    Case("半流失线下一点点", _on_line(2, 0.99)),
    Case("钱还涨了", _try(1.6)),
    Case("此前资产刚好到门槛", _try(1.0, base=1.0), "刚好到 FLOOR 的要评。"),
    Case("此前资产差一点到门槛", _try(3.0, base=0.99), "此前资产不到 FLOOR 的不评，近来多也不评。"),
    Case("此前没有一分钱", _try(1.0, base=0.0), "此前资产是零的，先归入“不评”，别去做除法。"),
    Case("此前不够、早就没来", _try(1.0, 999, base=0.5), "此前资产不到 FLOOR 的一律不评。"),
    Case("钱在，刚好满天数没来", _idle(0), "满 SILENT_DAYS 天就算沉默：用 >= 。"),
    Case("钱在，差一天满", _idle(-1), "没满 SILENT_DAYS 天，还不算沉默。"),
    Case("钱在，从没交易过", _try(1.0, None), "从没交易过（None）也算沉默。"),
    Case("钱在，今天刚来过", _try(1.0, 0), "零天是“今天来过”，不是“没有数据”。"),
    Case("少了一截，又没来", _on_line(0, 0.9, 999), "预警档的人不见了，也归沉默。"),
    Case("大头走了，又没来", _on_line(1, 0.9, 999), _GONE),
    Case("只剩零头，从没交易", _on_line(2, 0.5, None), _GONE),
    Case("最后一个月才掉下去", _shape([2] * 6, [3, 2, 0.1]), "近来的钱是三个月的平均。"),
    Case("最后一个月回来了", _shape([4] * 6, [0.2, 0.2, 1]), "近来的钱是三个月的平均。"),
    Case("此前六个月一路往上", _shape([1, 1, 2, 4, 6, 10], [2, 2, 2]), "此前的钱是六个月的平均。"),
    Case("此前六个月一路往下", _shape([10, 6, 4, 2, 1, 1], [2, 2, 2]), "此前的钱是六个月的平均。"),
    Relation("金额都翻倍", _on_line(0, 0.9), lambda c: _double(c), same, "比值没变，状态不该变。"),
    compare=same_state,
    signature=("values", "idle_days"),
)


def _double(context: Context) -> tuple[list[float], float | None]:
    values, idle = _on_line(0, 0.9)(context)
    return [2 * value for value in values], idle


def _everybody(answer: Any, context: Context) -> bool | str:
    """Run the function on real customers: each in exactly one of the six states, as counted."""
    panels = world(context)
    money = panels.panel("aum_average")[:, -9:]
    last = panels.table[panels.table["month"] == panels.months[-1]].set_index("customer_id")
    idle = last["days_since_customer_transaction"].reindex(panels.ids)
    right = ruler(context)
    wrong = strange = 0
    rows = range(0, len(money), max(1, len(money) // 600))
    for row in rows:
        days = None if pd.isna(idle.iloc[row]) else int(idle.iloc[row])
        try:
            got = answer(list(money[row]), days)
        except Exception:
            return "有真实客户让函数出错了，检查空值和零。"
        strange += got not in STATES
        wrong += got != right(list(money[row]), days)
    if strange:
        return f"抽查的 {len(rows)} 位真实客户里有 {strange} 位没有归入六类中的任何一类。"
    return not wrong or f"抽查的 {len(rows)} 位真实客户里有 {wrong} 位归错了档。"


E1 = Question(
    "E1",
    "state_of",
    ruler,
    checks=(
        E1_CASES,
        invariants(Invariant("不重不漏", _everybody, "有客户没有归档。")),
    ),
    hints=(
        "按顺序问五个问题：够不够评？只剩零头吗？大头走了吗？人还在吗？少了一截吗？",
        "此前 = 前六个数的平均，近来 = 后三个数的平均；values[:6] 取前六个，values[6:] 取后三个。",
        "先 return 不评，再依次用 < 比 STATE_CUTS[2]、STATE_CUTS[1]，然后判断沉默"
        "（idle_days is None or idle_days >= SILENT_DAYS），最后才比 STATE_CUTS[0]。",
    ),
    misconceptions=(
        Misconception(
            "silent_first",
            "你先判断了沉默：钱已经走光的人也被叫成沉默，流失户就漏了。先看钱，再看人。",
            silent_first,
        ),
        Misconception(
            "line_belongs_below",
            "刚好在线上的被你归到了下面一档。表里写的是“及以上”，“不到”要用 < 。",
            line_belongs_below,
        ),
        Misconception(
            "last_month_only",
            "你只看了最后一个月。一笔工资晚到几天就会误报，所以用三个月的平均。",
            last_month_only,
        ),
    ),
    parameters=("FLOOR", "STATE_CUTS", "SILENT_DAYS"),
)

# -------------------------------------------------------------------------------- E2 where to

UNKNOWN = "去向不明"


def label_of(row: Any) -> str:
    """Return the destination of one outgoing payment."""
    party = row.counterparty_type
    firm = str(row.counterparty_name)
    if row.kind == "理财申购":
        return "买本行理财"
    if party == "本人他行":
        return "转到本人他行"
    if row.kind in ("还款", "自动还款") or party == "他行内部户":
        return "还贷款"
    if any(word in firm for word in ("置业", "地产", "房产", "汽车")):
        return "买房买车"
    if party == "第三方支付":
        return "第三方支付"
    if row.kind == "取现":
        return "取现金"
    return {"个人": "转给他人", "企业": "付给企业"}.get(party, "刷卡消费缴费")


def traces(context: Context) -> list[tuple[float, dict[str, float]]]:
    """Return, per sampled loser of deposits, the money lost and what was recognised."""
    return context.remember("traces", lambda: _traces(context))


def _traces(context: Context) -> list[tuple[float, dict[str, float]]]:
    if not context.bank.has("transaction"):
        return []
    panels = world(context)
    saved = panels.panel("demand_deposit_average") + panels.panel("term_deposit_average")
    fields = ["customer_id", "date", "amount", "direction", "kind"]
    flow = context.load("transaction", [*fields, "counterparty_name", "counterparty_type"])
    start = flow["date"].min() + pd.offsets.MonthEnd(1)
    sampled = set(flow["customer_id"].unique())
    paid = dict(list(flow[flow["direction"] == "支出"].groupby("customer_id")))
    result = []
    for row, (end, early, late) in first_lost(context, saved).items():
        who, leave = panels.ids[row], panels.months[end - 2]
        if end == 8 or who not in sampled or not leave > start:
            continue
        lost, parts = early - late, {}
        for item in paid.get(who, flow.head(0)).itertuples():
            recent = leave - pd.offsets.MonthEnd(2) < item.date <= leave
            if recent and item.amount >= context.parameters["BIG_SHARE"] * lost:
                parts[label_of(item)] = parts.get(label_of(item), 0.0) + item.amount
        scale = min(1.0, lost / sum(parts.values())) if parts else 1.0
        result.append((lost, {name: value * scale for name, value in parts.items()}))
    return result


def _shares(counts: pd.Series) -> pd.Series:
    return counts / counts.sum() if len(counts) else pd.Series(dtype=float)


def main_share(context: Context) -> pd.Series:
    """Return the share of customers by their largest destination, unknown included."""
    main = []
    for lost, parts in traces(context):
        rest = {**parts, UNKNOWN: lost - sum(parts.values())}
        # equal amounts: the first name, 去向不明 last, as idxmax over the pivot table does
        main.append(min(rest, key=lambda name: (-round(rest[name], 2), name == UNKNOWN, name)))
    return _shares(pd.Series(main, dtype=object).value_counts())


def forgot_unknown(context: Context) -> pd.Series:
    """Leave out customers and money that could not be traced."""
    main = [max(parts, key=lambda n: parts[n]) for _, parts in traces(context) if parts]
    return _shares(pd.Series(main, dtype=object).value_counts())


def by_money(context: Context) -> pd.Series:
    """Return shares of money, the scale of the demonstration."""
    sums: dict[str, float] = {}
    for lost, parts in traces(context):
        for name, value in {**parts, UNKNOWN: lost - sum(parts.values())}.items():
            sums[name] = sums.get(name, 0.0) + value
    return _shares(pd.Series(sums, dtype=float))


def counted_labels(context: Context) -> pd.Series:
    """Count each customer once for every destination he has."""
    every = [name for _, parts in traces(context) for name in parts]
    return _shares(pd.Series(every, dtype=object).value_counts())


E2 = Question(
    "E2",
    "main_share",
    main_share,
    compare=series(fill=0.0, keys="去向"),
    hints=(
        "一户只算一次：先给每户找到金额最大的那个去向，再数户数。",
        "把 tagged 透视成一行一户、一列一个去向，按 traced 补齐没有标签的人，再加一列“去向不明”。",
        'reindex(traced.index).fillna(0) 补齐，traced["lost"] 减去各列之和就是去向不明；'
        "idxmax(axis=1) 找最大的列，value_counts(normalize=True) 算占比。",
    ),
    misconceptions=(
        Misconception(
            "forgot_unknown",
            "去向不明没有参加比较，认不出来的人要么丢了，要么被算到别的去向里。补上这一列再比。",
            forgot_unknown,
        ),
        Misconception(
            "by_money",
            "这是金额的占比，大户说了算。这道题要按户数：一户一票。",
            by_money,
        ),
        Misconception(
            "counted_labels",
            "一户有几个去向就被你数了几次。一户只取金额最大的那一个。",
            counted_labels,
        ),
    ),
    parameters=("FLOOR", "STATE_CUTS", "BIG_SHARE"),
)

# --------------------------------------------------------------------------- E3 the warning model

SIGNALS = ("uncontacted", "payroll_stop", "silent", "manager_change")
FEATURES = (*SIGNALS, "mobile_user", "on_payroll", "size")
LEAKS = ("closed_later", "money_after", "leaves", "score")


def _recent(flags: np.ndarray, at: int, span: int) -> np.ndarray:
    return flags[:, max(0, at - span + 1) : at + 1].any(axis=1)


def _uncontacted(context: Context) -> np.ndarray:
    """Return months with maturities none of which was preceded by a contact."""
    panels = world(context)
    account = context.load("deposit_account")
    account = account[account["maturity_date"].notna()]
    account = account[account["close_date"] == account["maturity_date"]]
    log = context.load("contact_log")
    ahead = log["due_date"].notna() & (log["contact_time"] < log["due_date"])
    touched = set(log.loc[ahead & log["channel"].notna(), "account_id"].dropna())
    known = account["account_id"].isin(touched)
    everything = panels.marks(account["customer_id"], account["maturity_date"])
    reached = panels.marks(account["customer_id"][known], account["maturity_date"][known])
    return (everything > 0) & (reached == 0)


def _changes(context: Context) -> np.ndarray:
    panels = world(context)
    if not context.bank.has("customer_manager_history"):
        return np.zeros(panels.shape, dtype=bool)
    turns = context.load("customer_manager_history").sort_values(["customer_id", "from_date"])
    turns = turns[turns.groupby("customer_id").cumcount() > 0]
    return panels.marks(turns["customer_id"], turns["from_date"]) > 0


def people(context: Context) -> dict[int, pd.DataFrame]:
    """Return, by month number, the customers at risk with what was known at its end."""
    return context.remember("people", lambda: _people(context))


def _people(context: Context) -> dict[int, pd.DataFrame]:
    panels = world(context)
    money, wages = panels.panel("aum_average"), panels.panel("payroll_amount") > 0
    logins = panels.panel("mobile_login_days")
    due, turned = _uncontacted(context), _changes(context)
    lost = first_lost(context, money)
    leave = np.full(len(money), 10**6)
    for row, (end, _, _) in lost.items():
        leave[row] = end - 2 if end > 8 else -1
    result = {}
    for at in range(7, money.shape[1]):
        prior = money[:, at - 5 : at + 1].mean(axis=1)
        user = (logins[:, : at + 1] > 0).any(axis=1)
        frame = pd.DataFrame(
            {
                "uncontacted": _recent(due, at, 3),
                "payroll_stop": ~wages[:, at] & _recent(wages, at - 1, 4),
                "silent": user & (logins[:, at - 1 : at + 1] == 0).all(axis=1),
                "manager_change": _recent(turned, at, 6),
                "mobile_user": user,
                "on_payroll": wages[:, : at + 1].any(axis=1),
                "size": np.log10(prior.clip(min=1)),
            },
            index=panels.ids,
        ).astype(float)
        frame["leaves"] = (leave == at + 1).astype(int)
        result[at] = frame[(prior >= context.parameters["FLOOR"]) & (leave > at)]
    return result


def labelled(context: Context) -> dict[int, pd.DataFrame]:
    """Return the months whose outcome is known, rows named customer@month."""
    months = world(context).months
    frames = {at: frame for at, frame in people(context).items() if at < len(months) - 3}
    return {
        at: frame.set_axis(frame.index + f"@{months[at]:%Y-%m}") for at, frame in frames.items()
    }


def examined(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows to learn from and the rows of the last three months."""
    frames = labelled(context)
    first = max(frames) - 2
    return (
        pd.concat([frame for at, frame in frames.items() if at < first]),
        pd.concat([frame for at, frame in frames.items() if at >= first]),
    )


def outcomes(context: Context) -> pd.Series:
    """Return who left in the month after each test row."""
    return examined(context)[1]["leaves"]


def baseline(context: Context) -> pd.Series:
    """Return the probabilities of a logit trained now."""
    from course_utils.analysis import model

    learn, test = examined(context)
    return model.fit_logit(learn, [*SIGNALS, "size"], "leaves").predict(test)


def expected_warning(context: Context) -> pd.Series:
    """Return the reference predictions."""
    return context.remember("warning", lambda: baseline(context))


def _level(answer: Any, context: Context) -> bool:
    """Whether the mean probability is of the order of the rate seen while learning."""
    rate = examined(context)[0]["leaves"].mean()
    return bool(rate / 2 <= float(np.mean(np.asarray(answer, dtype=float))) <= rate * 2)


def _numbers(answer: Any) -> np.ndarray:
    """Return an answer as numbers, nothing if it holds none."""
    try:
        return np.asarray(answer, dtype=float).ravel()
    except (TypeError, ValueError):
        return np.zeros(1)


E3 = Question(
    "E3",
    "warning",
    expected_warning,
    checks=(
        predictions(
            actual=outcomes,
            baseline=expected_warning,
            metric="auc",
            tolerance=0.01,
            calibration=(0.7, 1.3),
            forbidden=LEAKS,
            features="feature_columns",
            rows="人月编号，与 test 的索引相同",
        ),
        invariants(
            Invariant(
                "平均水平",
                _level,
                "打出的概率平均起来，比学习期每月的流失率高或低了一倍以上：不要给少数类加权，"
                "加了权要重新校准。",
            ),
            Invariant(
                "分得出先后",
                lambda answer, context: len(np.unique(_numbers(answer))) >= 8,
                "很多人月的概率一模一样，排不出先后：不要四舍五入。",
            ),
        ),
    ),
    hints=(
        "先逐列问一句：站在当月月底，看得到这一列吗？",
        "四个信号加上 size 就够了；流失很少，把 train 和 valid 接成 learn 一起学，往往比留一段校准更稳。",
        'model_tools.fit_logit(learn, feature_columns, "leaves").predict(test)；'
        "predict 给出的就是概率。",
    ),
    misconceptions=(
        Misconception(
            "reversed",
            "你给的是“不走”的概率：越高越安全。要的是走的概率。",
            matches=lambda answer, context: float(np.mean(_numbers(answer))) > 0.5,
        ),
        Misconception(
            "hard_labels",
            "你给的是零和一的判断，分不出先打给谁，也没法乘金额。要给概率。",
            matches=lambda answer, context: set(np.unique(_numbers(answer))) == {0.0, 1.0},
        ),
    ),
    parameters=("FLOOR", "STATE_CUTS"),
)

# ------------------------------------------------------------------------------ E4 a week of calls


def candidates(context: Context) -> pd.DataFrame:
    """Return who may be called today, whose customer he is and his value at risk."""
    return context.remember("candidates", lambda: _candidates(context))


def _candidates(context: Context) -> pd.DataFrame:
    from course_utils.analysis import model

    panels = world(context)
    learn = pd.concat(labelled(context).values())
    now = people(context)[len(panels.months) - 1]
    monthly = model.fit_logit(learn, list(FEATURES), "leaves").predict(now)
    money = pd.Series(panels.panel("aum_average")[:, -3:].mean(axis=1), index=panels.ids)
    table = context.load("customer").set_index("customer_id").reindex(now.index)
    table["value"] = money.reindex(now.index) * (1 - (1 - monthly) ** 3)
    consent = context.load("consent")
    valid = consent["expire_date"].isna() | (consent["expire_date"] >= context.as_of)
    good = consent[(consent["scope"] == "营销") & (consent["granted"] == True) & valid]  # noqa: E712
    table["consent"] = table.index.isin(good["customer_id"])
    branch = context.parameters["BRANCH"]
    return table if branch is None else table[table["branch_id"] == branch]


def _greedy(context: Context, allowed: pd.DataFrame, by: pd.Series) -> pd.DataFrame:
    """Fill each manager's week in the order of ``by``."""
    places: dict[str, int] = {}
    owner = allowed["manager_id"].to_dict()
    chosen = []
    for customer in by.loc[allowed.index].sort_values(ascending=False).index:
        manager = owner[customer]
        if places.get(manager, 0) < context.parameters["CALLS_PER_MANAGER"]:
            places[manager] = places.get(manager, 0) + 1
            chosen.append((customer, manager))
    return pd.DataFrame(chosen, columns=["customer_id", "manager_id"])


def allowed_now(context: Context) -> pd.DataFrame:
    """Return the candidates that may be called and have a manager."""
    table = candidates(context)
    wishes = table["phone_valid"] & ~table["do_not_call"] & table["consent"]
    return table[wishes & table["manager_id"].notna()]


def best_week(context: Context) -> pd.DataFrame:
    """Return the calls with the largest value at risk within every manager's week."""
    allowed = allowed_now(context)
    return _greedy(context, allowed, allowed["value"])


def _chance(context: Context) -> pd.Series:
    """Return everybody's chance to leave next month."""
    from course_utils.analysis import model

    learn = pd.concat(labelled(context).values())
    now = people(context)[len(world(context).months) - 1]
    return model.fit_logit(learn, list(FEATURES), "leaves").predict(now)


def most_likely_first(answer: Any, context: Context) -> bool:
    """Whether the calls hold as much chance as they can (ties may be broken either way)."""
    chance = context.remember("chance", lambda: _chance(context))
    first = _greedy(context, allowed_now(context), chance)
    if not isinstance(answer, pd.DataFrame) or "customer_id" not in answer:
        return False
    reached = chance.reindex(answer["customer_id"]).sum()
    return bool(reached >= 0.9999 * chance.reindex(first["customer_id"]).sum())


def forgot_wishes(context: Context) -> pd.DataFrame:
    """Call whoever is worth most, whether he may be called or not."""
    table = candidates(context)
    table = table[table["manager_id"].notna()]
    return _greedy(context, table, table["value"])


def _value(table: pd.DataFrame, context: Context) -> float:
    return float(candidates(context)["value"].reindex(table["customer_id"]).sum())


def _own(table: pd.DataFrame, context: Context) -> bool | str:
    owner = candidates(context)["manager_id"].reindex(table["customer_id"]).to_numpy(dtype=object)
    named = table["manager_id"].to_numpy(dtype=object)
    foreign = int(sum(pd.isna(a) or a != b for a, b in zip(owner, named, strict=True)))
    return not foreign or f"有 {foreign} 户不是这位客户经理管的，或不在在册客户里。"


def _week(table: pd.DataFrame, context: Context) -> bool | str:
    load = table.groupby("manager_id").size()
    over = int((load > context.parameters["CALLS_PER_MANAGER"]).sum())
    return not over or f"有 {over} 位客户经理超过了每周 CALLS_PER_MANAGER 个电话。"


def _none_with(column: str, bad: bool, text: str) -> Callable[[pd.DataFrame, Context], bool | str]:
    def holds(table: pd.DataFrame, context: Context) -> bool | str:
        flag = candidates(context)[column].reindex(table["customer_id"])
        count = int((flag == bad).sum())
        return not count or f"有 {count} 户{text}。"

    return holds


E4 = Question(
    "E4",
    "call_plan",
    best_week,
    checks=(
        plan(
            unique("customer_id", name="一户一次"),
            Invariant("各管各户", _own, "有客户不归这位经理管。"),
            Invariant("每周容量", _week, "有客户经理超过了容量。"),
            Invariant("谢绝来电", _none_with("do_not_call", True, "谢绝来电"), "有谢绝来电的。"),
            Invariant("号码有效", _none_with("phone_valid", False, "号码无效"), "有号码无效的。"),
            Invariant("营销授权", _none_with("consent", False, "没有营销授权"), "有没授权的。"),
            objective=_value,
            share=0.95,
            columns=("customer_id", "manager_id"),
            goal="风险金额合计",
        ),
    ),
    hints=(
        "先筛掉不能打的人，再按风险金额从大到小排，最后每位经理取前若干个。",
        "没有客户经理的先去掉：dropna(subset=[...])；两个条件之间用 & ，取反用 ~ 。",
        'sort_values("value_at_risk", ascending=False).groupby("manager_id")'
        ".head(CALLS_PER_MANAGER)，再 reset_index() 取出两列。",
    ),
    misconceptions=(
        Misconception(
            "most_likely_first",
            "你按出走的机会排，没有乘金额：名额先给了零钱户。按 value_at_risk 排。",
            matches=most_likely_first,
        ),
        Misconception(
            "forgot_wishes",
            "名单里有不能打的人：谢绝来电、号码无效或没有营销授权。先筛，再排。",
            forgot_wishes,
        ),
    ),
    parameters=("BRANCH", "CALLS_PER_MANAGER", "FLOOR", "STATE_CUTS"),
)

QUESTIONS = [E1, E2, E3, E4]

VARIATIONS = [{"BRANCH": "B03", "CALLS_PER_MANAGER": 15}, {"FLOOR": 20000, "BIG_SHARE": 0.5}]
