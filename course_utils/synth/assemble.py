"""Put together what several generators contribute to: products held, contacts, applications."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.contract import load_contract
from course_utils.synth import holdings, service
from course_utils.synth.state import Simulation
from course_utils.synth.tools import ids, logistic, setting

#: Contract item of the history ↔ column of customer_product.
ITEMS = {
    "社保卡": "has_social_card", "手机银行": "has_mobile_bank", "企业微信": "has_wechat_work",
    "电子收费卡": "has_etc", "收单": "has_pos", "代发工资": "has_payroll",
    "信用卡": "has_credit_card", "按揭": "has_mortgage", "经营贷": "has_business_loan",
    "消费贷": "has_consumer_loan", "助学贷": "has_student_loan", "理财": "has_wealth",
    "保险": "has_insurance", "代扣缴费": "has_utilities",
}  # fmt: skip
_LOAN_ITEM = {"经营贷": "经营贷", "农户贷": "经营贷", "企业贷": "经营贷", "消费贷": "消费贷",
              "按揭": "按揭", "助学贷": "助学贷"}  # fmt: skip
_KEY_PREFIX = {"contact_log": ("K", 7), "loan_application": ("P", 7)}


def generate(sim: Simulation) -> None:
    """Write customer_product, customer_product_history, contact_log; check the weights."""
    holdings.generate(sim)
    service.generate(sim)
    _bureau_consent(sim)
    history = _history(sim)
    sim.tables["customer_product_history"] = history
    sim.tables["customer_product"] = _held(sim, history)
    _close_files(sim)
    _gather(sim, "contact_log", "contact_time")
    _record_contacts(sim)
    _check_weights(sim)


def _record_contacts(sim: Simulation) -> None:
    """Date the entry of each contact: most the same day, some a week late (course parameter).

    Customers held out at random were not contacted, so nothing was entered.
    """
    log, rng = sim.tables["contact_log"], sim.rng("contact.recorded")
    if log.empty:
        return
    late = rng.random(len(log)) < 0.38
    lag = np.where(late, rng.geometric(0.28, len(log)), 0)
    day = log["contact_time"].dt.normalize() + pd.to_timedelta(lag, unit="D")
    entered = log["channel"].notna() & (day <= sim.as_of)
    sim.tables["contact_log"] = log.assign(recorded_date=day.where(entered))


def _bureau_consent(sim: Simulation) -> None:
    """Let every query to the credit bureau have a consent that is not younger than it."""
    consent, report = sim.tables["consent"], sim.tables["bureau_report"]
    scope = np.where(report["reason"] == "贷后管理", "征信查询-贷后", "征信查询-授信")
    need = report.assign(scope=scope).groupby(["customer_id", "scope"], as_index=False)
    need = need["query_date"].min()
    key = ["customer_id", "scope"]
    merged = consent.merge(need, on=key, how="outer")
    opened = sim.people.set_index("customer_id")["open_date"].reindex(merged["customer_id"])
    before = np.maximum(merged["query_date"] - pd.Timedelta(days=2), opened.to_numpy())
    merged["date"] = merged["date"].fillna(before).where(
        merged["query_date"].isna() | (merged["date"] <= merged["query_date"]), before
    )  # fmt: skip
    merged["granted"] = merged["granted"].astype("boolean").fillna(True)
    sim.tables["consent"] = merged.drop(columns="query_date")


def _gather(sim: Simulation, name: str, time: str) -> None:
    """Put the appended rows of a table into time order and number them."""
    rows = sim.take_parts(name)
    if rows.empty:
        return
    key = load_contract().table(name).grain[0]
    rows = rows.drop(columns=[key], errors="ignore")
    by = [column for column in (time, "customer_id", "purpose", "account_id") if column in rows]
    rows = rows.sort_values(by, ignore_index=True, kind="stable")
    prefix, width = _KEY_PREFIX[name]
    rows.insert(0, key, ids(prefix, np.arange(1, len(rows) + 1), width))
    for column in load_contract().table(name).required_columns:
        if column not in rows:
            rows[column] = None
    sim.tables[name] = rows


def _spell(customer: np.ndarray, item: str, start: np.ndarray, end=None) -> pd.DataFrame:
    none = np.full(len(customer), np.datetime64("NaT"), dtype="datetime64[s]")
    return pd.DataFrame(
        {
            "customer_id": np.asarray(customer, dtype=object),
            "item": item,
            "from_date": pd.to_datetime(np.asarray(start)).astype("datetime64[s]"),
            "to_date": none
            if end is None
            else pd.to_datetime(np.asarray(end)).astype("datetime64[s]"),
        }
    )


def _history(sim: Simulation) -> pd.DataFrame:
    """Collect every product a customer signed for: from the tables where there is one."""
    given = sim.take_parts("customer_product_history")
    parts = [given] if len(given) else []
    done = set(given["item"]) if len(given) else set()
    tables = sim.tables
    if "etc_user" in tables:
        etc = tables["etc_user"]
        parts.append(_spell(etc["customer_id"], "电子收费卡", etc["open_date"]))
    if "merchant" in tables:
        merchant = tables["merchant"]
        parts.append(
            _spell(merchant["customer_id"], "收单", merchant["open_date"], merchant["close_date"])
        )
    if "loan" in tables:
        loan = tables["loan"]
        line = loan["product_code"].map(tables["product"].set_index("product_code")["line"])
        for name in dict.fromkeys(_LOAN_ITEM.values()):
            rows = loan[line.map(_LOAN_ITEM) == name]
            parts.append(_spell(rows["customer_id"], name, rows["issue_date"], rows["settle_date"]))
    if "wealth_holding" in tables:
        holding = tables["wealth_holding"]
        parts.append(
            _spell(holding["customer_id"], "理财", holding["start_date"], holding["end_date"])
        )
    if "代发工资" not in done:
        parts.append(_payroll(sim))
    if "手机银行" not in done:
        parts.append(_mobile(sim))
    parts += [
        _drawn(sim, item) for item in ("社保卡", "信用卡", "保险", "代扣缴费") if item not in done
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sort_values(["customer_id", "item", "from_date", "to_date"], na_position="first")
    return frame.drop_duplicates(["customer_id", "item", "from_date"], ignore_index=True)


def _month_rows(sim: Simulation, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last day of the months in which a customer_month column is positive.

    Both arrays have shape (n,), datetime64[D]; NaT for customers who never have a positive value.
    """
    table = sim.tables["customer_month"]
    positive = table.loc[(table[column] > 0).to_numpy(), ["month", "customer_id"]]
    row = pd.Index(sim.people["customer_id"]).get_indexer(positive["customer_id"])
    month = positive["month"].to_numpy().astype("datetime64[D]").astype(np.int64)
    first = np.full(len(sim.people), np.iinfo(np.int64).max)
    last = np.full(len(sim.people), np.iinfo(np.int64).min)
    np.minimum.at(first, row, month)
    np.maximum.at(last, row, month)
    never = last == np.iinfo(np.int64).min
    start = (
        first.clip(0, 10**6).astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]")
    )
    end = last.clip(0, 10**6).astype("datetime64[D]")
    start[never], end[never] = np.datetime64("NaT"), np.datetime64("NaT")
    return start, end


def _payroll(sim: Simulation) -> pd.DataFrame:
    """Wages through the bank: from the first month paid; ended if unpaid for two months."""
    start, end = _month_rows(sim, "payroll_amount")
    paid = np.flatnonzero(~np.isnat(start))
    opened = sim.people["open_date"].to_numpy().astype("datetime64[D]")
    limit = sim.months(3)[0].to_datetime64().astype("datetime64[D]")
    stopped = np.where(end < limit, end, np.datetime64("NaT"))
    since = np.maximum(start, opened)
    return _spell(
        sim.people["customer_id"].to_numpy()[paid], "代发工资", since[paid], stopped[paid]
    )


def _mobile(sim: Simulation) -> pd.DataFrame:
    """Mobile bank: signed for between the opening of the file and the first login seen."""
    rng, people = sim.rng("mobile_signup"), sim.people
    first, _ = _month_rows(sim, "mobile_login_days")
    opened = people["open_date"].to_numpy().astype("datetime64[D]")
    start = np.maximum(opened, np.datetime64("2013-01-01"))
    latest = np.where(np.isnat(first), np.datetime64(sim.as_of, "D"), first)
    row = np.flatnonzero(people["uses_mobile"].to_numpy(bool) | ~np.isnat(first))
    span = np.maximum((latest - start).astype(int), 0)[row]
    day = start[row] + np.floor((span + 1) * rng.random(len(row)) ** 0.7).astype(int).clip(max=span)
    return _spell(people["customer_id"].to_numpy()[row], "手机银行", day)


def _drawn(sim: Simulation, item: str) -> pd.DataFrame:
    """Draw who holds a product that no other table describes."""
    rng, people = sim.rng(f"product.{item}"), sim.people
    firm = (people["customer_type"] == "企业").to_numpy()
    age = people["age"].fillna(45).to_numpy(float)
    money = np.log(people["own_money"].to_numpy(float) + 100)
    active = people["active"].to_numpy(bool)
    if item == "社保卡":
        low = people["town_id"].to_numpy(object) == sim.effects.value("m03_n05", "low_town")
        chance = np.where(low, 0.42, 0.74) * np.where(active, 1.06, 0.92)
        young_woman = (people["gender"] == "女").to_numpy() & (age >= 26) & (age <= 40)
        chance = chance - np.where(young_woman, 0.14, 0)
        start = np.datetime64("2012-01-01")
    elif item == "信用卡" and "has_credit_card" in people:
        chance = people["has_credit_card"].to_numpy(float)
        start = np.datetime64("2016-01-01")
    elif item == "信用卡":
        chance = logistic(-3.2 + 0.25 * (money - 9) + 0.5 * people["has_payroll"].to_numpy(bool))
        chance = chance * ((age >= 20) & (age <= 62))
        start = np.datetime64("2016-01-01")
    elif item == "保险":
        chance = logistic(-3.3 + 0.3 * (money - 9) + 0.02 * (age - 45))
        start = np.datetime64("2015-01-01")
    else:
        chance = logistic(-1.4 + 0.7 * active + 0.15 * (money - 9))
        start = np.datetime64("2010-01-01")
    row = np.flatnonzero(~firm & (rng.random(len(people)) < chance))
    opened = people["open_date"].to_numpy().astype("datetime64[D]")[row]
    since = np.maximum(opened, start)
    span = (np.datetime64(sim.as_of, "D") - since).astype(int).clip(0)
    day = since + np.floor(span * rng.random(len(row)) ** 1.3).astype(int)
    return _spell(people["customer_id"].to_numpy()[row], item, day)


def _held(sim: Simulation, history: pd.DataFrame) -> pd.DataFrame:
    """Return what each customer holds on the as-of date: the open spells of the history."""
    customers = sim.people["customer_id"]
    index = pd.Index(customers)
    end = history["to_date"]
    live = (end.isna() | (end > sim.as_of)).to_numpy()
    frame = pd.DataFrame({"customer_id": customers.to_numpy()})
    for item, column in ITEMS.items():
        rows = live & (history["item"] == item).to_numpy()
        flag = np.zeros(len(customers), dtype=bool)
        flag[index.get_indexer(history["customer_id"][rows])] = True
        frame[column] = flag
    social = frame["has_social_card"].groupby(sim.people["town_id"].to_numpy()).mean()
    sim.record("m03_n05", "low_town", str(social.idxmin()), f"社保卡覆盖 {social.min():.2f}")
    return frame


def _close_files(sim: Simulation) -> None:
    """Mark customers without money, loan or product as closed, one in three of them."""
    rng, customer = sim.rng("status"), sim.tables["customer"]
    _, last = _month_rows(sim, "deposit_end")
    quarter = sim.months(4)[0].to_datetime64().astype("datetime64[D]")
    empty = np.isnat(last) | (last <= quarter)
    products = sim.tables["customer_product"].drop(columns=["customer_id", "has_social_card"])
    empty &= ~products.to_numpy(dtype=bool).any(axis=1)
    opened = sim.people["open_date"].to_numpy().astype("datetime64[D]")
    closed = empty & (opened <= quarter) & (rng.random(len(customer)) < 0.33)
    sim.tables["customer"] = customer.assign(status=np.where(closed, "销户", "正常"))


def _check_weights(sim: Simulation) -> None:
    """Make sure that the weighted sample is the bank."""
    people, world = sim.people, sim.profile.world
    person = people["customer_type"] != "企业"
    wanted = max(setting(world, "person_population"), sim.profile.persons)
    total = int(people.loc[person, "weight"].sum())
    if total != wanted or int(people["weight"].min()) < 1:
        raise AssertionError(f"weights add up to {total}, not {wanted}")
