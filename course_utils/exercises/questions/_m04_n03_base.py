"""What the questions of m04_n03 rest on: activity, the steady users' effect, gaming, the plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import Context

KINDS = ("login", "trade", "value")
CALL, GIFT = "电话唤醒", "首次登录积分"

# --------------------------------------------------------------------------------- persons


def people(context: Context) -> pd.DataFrame:
    """Return persons with branch, weight and whether they have the mobile bank."""

    def made() -> pd.DataFrame:
        table = context.load("customer").set_index("customer_id")
        table = table[table["customer_type"].astype(str) != "企业"]
        product = context.load("customer_product", ["customer_id", "has_mobile_bank"])
        yes = set(product.loc[product["has_mobile_bank"].astype(bool), "customer_id"])
        return table.assign(mobile=table.index.isin(yes))

    return context.remember("people", made)


def months(context: Context) -> pd.DataFrame:
    """Return the monthly rows of persons."""

    def made() -> pd.DataFrame:
        names = [
            "month", "customer_id", "demand_deposit_average", "term_deposit_average", "deposit_end",
            "mobile_login_days", "mobile_transaction_count", "product_count",
            "customer_transaction_count",
        ]  # fmt: skip
        rows = context.load("customer_month", names)
        return rows[rows["customer_id"].isin(people(context).index)]

    return context.remember("months", made)


def panel(context: Context, column: str) -> pd.DataFrame:
    """Return one monthly column as customers × months."""
    return months(context).pivot_table(index="customer_id", columns="month", values=column)


# --------------------------------------------------------------------------------- E1 rates


def activity_rates(
    context: Context, *, back: int = 4, weighted: bool = True, among_active: bool = False
) -> pd.DataFrame:
    """Return the three rates by branch for the month ``back`` from the end."""
    p, who = context.parameters, people(context)
    rows = months(context)
    when = np.sort(rows["month"].unique())[-back]
    rows = rows[rows["month"] == when]
    person = who.reindex(rows["customer_id"])
    deposit = (rows["demand_deposit_average"] + rows["term_deposit_average"]).to_numpy(float)
    rich = (deposit >= p["VALUE_DEPOSIT"]) | (
        rows["product_count"].to_numpy(float) >= p["VALUE_PRODUCTS"]
    )
    login = rows["mobile_login_days"].to_numpy(float) > 0
    trade = login & (rows["mobile_transaction_count"].to_numpy(float) > 0)
    weight = person["weight"].to_numpy(float) if weighted else np.ones(len(rows))
    base = person["mobile"].to_numpy(bool) & (login if among_active else True)
    branch = pd.factorize(person["branch_id"], sort=True)
    total = np.bincount(branch[0], weights=weight * base, minlength=len(branch[1]))
    shares = {
        name: np.bincount(branch[0], weights=weight * (base & flag), minlength=len(total)) / total
        for name, flag in zip(KINDS, (login, trade, trade & rich), strict=True)
    }
    return pd.DataFrame(shares, index=pd.Index(branch[1], name="branch_id"))


# -------------------------------------------------------------------------------- E2 effect


def _steady(context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Return log deposits and activity of steady old users, ``[customer, month]``."""
    login = panel(context, "mobile_login_days").fillna(0)
    login = login[login.max(axis=1) > 0]
    money = panel(context, "deposit_end").reindex(login.index)
    visits = panel(context, "customer_transaction_count").reindex(login.index).fillna(0)
    good = money.notna().all(axis=1) & (money.min(axis=1) >= 1000)
    good &= (visits > 0).mean(axis=1) > 0.8
    logs = np.log(money[good].to_numpy(float))
    calm = logs.std(axis=1, ddof=1) < context.parameters["CALM"]
    return logs[calm], (login[good].to_numpy(float)[calm] > 0).astype(float)


def _residual(values: np.ndarray, degree: int) -> np.ndarray:
    """Take each row's polynomial in time out, then each column's mean."""
    time = np.linspace(-1, 1, values.shape[1])
    basis = np.linalg.qr(np.vander(time, degree + 1))[0]
    left = values - values @ basis @ basis.T
    return left - left.mean(axis=0)


def login_effect(
    context: Context, money_degree: int = 1, login_degree: int = 1
) -> tuple[float, float, float]:
    """Return estimate and limits (ratios) of a month with a login, clustered by customer."""

    def made() -> tuple[float, float, float]:
        money, login = _steady(context)
        y, x = _residual(money, money_degree).ravel(), _residual(login, login_degree).ravel()
        slope = float(np.linalg.lstsq(x[:, None], y, rcond=None)[0][0])
        who = np.repeat(np.arange(len(money)), money.shape[1])
        scores = np.bincount(who, weights=x * (y - slope * x))
        half = 1.96 * float(np.sqrt(scores @ scores)) / float(x @ x)
        low, middle, high = np.expm1([slope - half, slope, slope + half])
        return float(middle), float(low), float(high)

    return context.remember(f"effect{money_degree}{login_degree}", made)


def limits(answer: Any) -> list[float]:
    """Return lower and upper limit of an answer given as tuple, list, dict or Series."""
    values = list(answer.values()) if isinstance(answer, dict) else list(answer)
    return [float(values[1]), float(values[2])]


# -------------------------------------------------------------------------------- E3 gaming


def month_end_counts(context: Context) -> pd.DataFrame:
    """Return observed and expected late logins by branch and month."""
    rows = context.load("mobile_day", ["date", "branch_id", "login_customers"])
    month = rows["date"].dt.to_period("M")
    late = rows["date"].dt.days_in_month - rows["date"].dt.day < 3
    number = rows["login_customers"].astype(float)
    key = [rows["branch_id"].astype(str), month]
    table = pd.DataFrame(
        {"total": number.groupby(key).sum(), "late": (number * late).groupby(key).sum()}
    )
    usual = (table["late"] / table["total"]).groupby(level=1).median()
    table["expected"] = table["total"] * usual.reindex(table.index.get_level_values(1)).to_numpy()
    return table


def flagged(context: Context, *, scatter: bool = True, control: bool = True) -> list[str]:
    """Return the branches with too many late logins (Benjamini-Hochberg written out)."""
    from scipy.stats import norm

    cells = month_end_counts(context)
    wide = 1.0
    if scatter:
        wide = float(np.median((cells["late"] - cells["expected"]) ** 2 / cells["expected"]))
        wide /= norm.ppf(0.75) ** 2  # median of a squared standard normal
    both = cells.groupby(level=0)[["late", "expected"]].sum()
    z = (both["late"] - both["expected"]) / np.sqrt(wide * both["expected"])
    p = pd.Series(norm.sf(z.to_numpy(float)), index=both.index).sort_values()
    rate = context.parameters["FDR"]
    if not control:
        return sorted(p.index[p < 0.05])
    hits = [k for k, value in enumerate(p, start=1) if value <= rate * k / len(p)]
    return sorted(p.index[: max(hits, default=0)])


# ---------------------------------------------------------------------------------- E4 plan


def _lasting(context: Context, recent: pd.Series) -> float:
    """Return how many more called customers still log in than held-back ones."""
    log = context.load("contact_log", ["customer_id", "purpose", "arm"])
    log = log[(log["purpose"].astype(str) == "活跃") & log["arm"].notna()]
    stays = recent.reindex(log["customer_id"]).fillna(0).to_numpy(float) > 0
    arm = log["arm"].astype(str).to_numpy()
    return float(stays[arm == "随机触达"].mean() - stays[arm == "随机保留"].mean())


def _pool(context: Context) -> pd.DataFrame:
    p, who = context.parameters, people(context)
    login = panel(context, "mobile_login_days").fillna(0)
    recent = login.iloc[:, -int(p["SILENT_MONTHS"]) :].sum(axis=1)
    yes = context.load("consent")
    fresh = yes["expire_date"].isna() | (yes["expire_date"] > context.as_of)
    yes = yes[(yes["scope"].astype(str) == "营销") & yes["granted"].astype(bool) & fresh]
    table = who[who["mobile"] & ~who["do_not_call"].astype(bool) & who["phone_valid"].astype(bool)]
    table = table[table.index.isin(set(yes["customer_id"])) & (table["occupation"] != "学生")]
    table = table[recent.reindex(table.index).fillna(1) == 0][["branch_id"]].copy()
    line = context.load("credit_line")
    line = line[line["first_draw_date"].isna() & (line["status"].astype(str) == "有效")]
    line = line.sort_values("limit", kind="stable").groupby("customer_id").last()
    table["action"] = np.where(table.index.isin(line.index), CALL, GIFT)
    table["online"] = line["online"].reindex(table.index).fillna(False).astype(bool)
    call = table["action"] == CALL
    gift = p["RESPONSE"] * p["POINTS_STAY"]
    table["gain"] = np.where(call, _lasting(context, recent), gift)
    table["cost"] = np.where(call, p["CALL_COST"], p["RESPONSE"] * p["GIFT"])
    return table


def pool(context: Context) -> pd.DataFrame:
    """Return the silent customers that may be contacted (made once)."""
    return context.remember("pool", lambda: _pool(context))


def usable(context: Context) -> pd.DataFrame:
    """Return the pool without the branches to be audited."""
    table = pool(context)
    return table[~table["branch_id"].isin(flagged(context))]


def best_plan(context: Context) -> pd.DataFrame:
    """Try every number of calls and fill up with gifts."""
    p, table = context.parameters, usable(context)
    calls = table[table["action"] == CALL].sort_values("online", ascending=False, kind="stable")
    gifts = table[table["action"] == GIFT]
    best = (-1.0, 0, 0)
    for count in range(min(len(calls), 4 * p["CALLS_PER_WEEK"]) + 1):
        left = p["PLAN_BUDGET"] - count * p["CALL_COST"]
        enough = calls["online"].head(count).mean() >= p["ONLINE_SHARE"] if count else True
        if left < 0 or not enough:
            continue
        more = min(len(gifts), int(left // (p["RESPONSE"] * p["GIFT"])))
        value = calls["gain"].head(count).sum() + gifts["gain"].head(more).sum()
        best = max(best, (float(value), count, more))
    _, count, more = best
    chosen = pd.concat([calls.head(count), gifts.head(more)])
    chosen["week"] = [*(np.arange(count) % 4 + 1), *(np.arange(more) % 4 + 1)]
    return chosen.rename_axis("customer_id").reset_index()[["customer_id", "week", "action"]]


def _of(table: pd.DataFrame, column: str, context: Context) -> pd.Series:
    return pool(context)[column].reindex(table["customer_id"])


def plan_value(table: pd.DataFrame, context: Context) -> float:
    """Return the expected number of lasting active customers."""
    return float(_of(table, "gain", context).sum())


def from_pool(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if everybody may be contacted."""
    odd = int((~table["customer_id"].isin(pool(context).index)).sum())
    return odd == 0 or (
        f"有 {odd} 位客户不在可联系的沉默客户里：勿扰、没有营销授权、电话无效的都不能排。"
    )


def not_audited(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if no customer belongs to a branch under audit."""
    odd = int(_of(table, "branch_id", context).isin(flagged(context)).sum())
    return odd == 0 or f"有 {odd} 位客户属于待核查的网点，那里的登录记录信不过，先核查再培育。"


def right_action(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if each customer gets the action of the pool."""
    wanted = _of(table, "action", context).fillna("").astype(str).to_numpy()
    odd = int((table["action"].astype(str).to_numpy() != wanted).sum())
    return odd == 0 or f"有 {odd} 位客户的动作和 pool 里不一样。"


def weeks_hold(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if weeks run from 1 to 4 and no week has too many calls."""
    week = pd.to_numeric(table["week"], errors="coerce")
    if not week.isin([1, 2, 3, 4]).all():
        return "week 只能是一到四的整数。"
    calls = week[table["action"].astype(str) == CALL].value_counts()
    most, limit = int(calls.max()) if len(calls) else 0, context.parameters["CALLS_PER_WEEK"]
    return most <= limit or f"有一周排了 {most} 个电话，超过每周 {limit} 个。"


def budget_holds(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the plan costs no more than the budget."""
    spent, limit = float(_of(table, "cost", context).sum()), context.parameters["PLAN_BUDGET"]
    return spent <= limit + 1e-6 or f"总成本 {spent:,.0f} 元，超过预算 {limit:,.0f} 元。"


def online_share(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if enough of the calls go to holders who can draw online."""
    calls = table[table["action"].astype(str) == CALL]
    if calls.empty:
        return True
    share = float(_of(calls, "online", context).fillna(False).astype(float).mean())
    least = context.parameters["ONLINE_SHARE"]
    return share >= least - 1e-9 or (
        f"电话名单里额度可线上提款的只占 {share:.0%}，要求不低于 {least:.0%}。"
    )
