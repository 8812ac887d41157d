"""Firms and registered traders: their file, their size, their owners and their links."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.bank.public_tables import read_reference
from course_utils.synth.names import firm_names
from course_utils.synth.state import Simulation
from course_utils.synth.tools import (
    calibrated,
    hex_hash,
    logistic,
    setting,
    shares,
    split_integer,
)

LEVELS = ("大型", "中型", "小型")
# industries that traders run in a shop, and those only firms run
_SHOP_SECTIONS = ("F", "H", "O")
_TRADE_TO_CODE = {
    "便利店": "5213", "小吃店": "6220", "餐馆": "6210", "服装店": "5232", "五金店": "5281",
    "建材店": "5165", "农资店": "5166", "水果店": "5223", "肉铺": "5224", "药店": "5251",
    "理发店": "8040", "美容店": "8040", "汽修店": "8111", "家电店": "5272", "超市": "5212",
    "烟酒店": "5227", "快递站": "5431", "民宿": "6130", "茶农": "0164", "橘农": "0153",
    "菜农": "0141", "菌农": "0142", "粮农": "0111", "养猪户": "0313", "养鸡户": "0321",
    "养鱼户": "0412", "制造业主": "2110", "建筑业主": "5012", "商贸业主": "5165",
    "农业业主": "0514", "物流业主": "5431", "服务业主": "8111",
}  # fmt: skip
_WORDS = {
    "A": ("农业", "生态农业", "种养"), "C": ("制造", "实业", "工贸"), "E": ("装饰", "建筑"),
    "F": ("商贸", "贸易", "经营"), "G": ("运输", "物流"), "H": ("餐饮", "酒店"),
    "O": ("服务", "维修"),
}  # fmt: skip


def draw(sim: Simulation, persons: pd.DataFrame) -> pd.DataFrame:
    """Draw the enterprises, with the same latent columns as persons.

    Parameters
    ----------
    sim : Simulation
        Needs the tables of the world.
    persons : pandas.DataFrame
        Sampled persons, in customer order; gives the number of firms and their columns.

    Returns
    -------
    pandas.DataFrame
        One row a firm; integer weights add up to the bank's number of corporate customers.
    """
    world, rng = sim.profile.world, sim.rng("enterprise")
    population = setting(world, "enterprise_population")
    count = max(10, round(len(persons) * setting(world, "enterprise_ratio")))
    if len(persons) >= setting(world, "person_population"):
        count = population = max(population, 10)
    count = min(count, population)
    branch = sim.tables["branch"]
    kind = branch["branch_type"].to_numpy()
    pull = np.select([kind == "营业部", kind == "城区", kind == "分理处"], [4.0, 2.2, 0.5], 1.0)
    branch_pos = rng.choice(len(branch), count, p=shares(pull))
    industry = sim.tables["industry"]
    liking = read_reference("industries")["weight"].to_numpy() * industry["section"].map(
        {"C": 3.0, "F": 1.4, "E": 2.5, "A": 1.3, "G": 1.2, "H": 0.6, "O": 0.5}
    ).fillna(1.0)
    at = rng.choice(len(industry), count, p=shares(liking))
    size = 11.4 + 1.35 * rng.standard_normal(count)
    size = (
        size
        + industry["section"]
        .map({"C": 0.6, "E": 0.4, "O": -0.8, "H": -0.6})
        .fillna(0)
        .to_numpy()[at]
    )
    age_days = np.floor(365 * (0.8 + rng.gamma(1.8, 3.6, count))).astype(int).clip(300, 9500)
    money = np.exp(size - 0.35 + 1.1 * rng.standard_normal(count)).clip(200, 4e7)
    loyalty = rng.standard_normal(count)
    wallet = logistic(-0.1 + 0.9 * loyalty + 0.4 * rng.standard_normal(count)).clip(0.05, 0.98)
    need = 0.9 * rng.standard_normal(count) + 0.5
    risk = 0.7 * rng.standard_normal(count) - 0.15 * (size - 11.4)
    borrower = rng.random(count) < calibrated(1.1 * need + 0.2 * (size - 11.4), 0.42)
    weight = rng.permutation(split_integer(population, np.ones(count)))
    firms = pd.DataFrame(index=range(count)).assign(
        customer_type="企业", segment="企业", gender=None,
        town_id=branch["town_id"].to_numpy()[branch_pos],
        village_id=None, branch_pos=branch_pos, is_rural=False, is_migrant=False,
        loyalty=loyalty, price_sensitivity=rng.standard_normal(count) + 0.2,
        digital=0.4 + rng.standard_normal(count), need=need, pd=logistic(np.log(0.02) + risk),
        own_money=np.round(money, 2), wallet_share=wallet.round(4),
        wealth=np.round(money / wallet, 2),
        business_size=size, is_borrower=borrower, is_merchant=rng.random(count) < 0.06,
        active=rng.random(count) < 0.72, uses_mobile=rng.random(count) < 0.55, has_payroll=False,
        has_vehicle=rng.random(count) < 0.5, uses_online_loan=False, online_lender_count=0,
        contact_z=rng.standard_normal(count), response_z=rng.standard_normal(count),
        weight=weight, is_focus=True,
        industry_code=industry["industry_code"].to_numpy(object)[at],
        register_date=(sim.as_of - pd.to_timedelta(age_days, unit="D")).as_unit("s"),
    )  # fmt: skip
    _complete_persons(sim, persons, industry, rng)
    firms["firm_name"] = _names(rng, industry, firms["industry_code"], company=True)
    firms["birth_date"] = pd.Series(pd.NaT, index=firms.index, dtype="datetime64[s]")
    firms["income_month"] = np.nan
    firms["age"] = np.nan
    return firms.reindex(columns=persons.columns)


def _complete_persons(sim: Simulation, persons: pd.DataFrame, industry, rng) -> None:
    """Give persons who run a business an industry, and registered traders a name and a date."""
    runs = persons["business_size"].notna()
    usual = pd.Series(rng.choice(
        industry["industry_code"].to_numpy(object), len(persons),
        p=shares(read_reference("industries")["weight"] * industry["section"].isin(_SHOP_SECTIONS)),
    ))  # fmt: skip
    persons["industry_code"] = usual.where(runs, None)
    registered = persons["customer_type"] == "个体工商户"
    days = np.floor(365 * (0.6 + rng.gamma(1.6, 3.4, len(persons)))).astype(int).clip(220, 9000)
    begun = pd.Series((sim.as_of - pd.to_timedelta(days, unit="D")).as_unit("s"))
    adult = persons["birth_date"] + pd.to_timedelta(18 * 365.25, unit="D")
    begun = begun.clip(lower=adult).clip(upper=sim.as_of - pd.Timedelta(days=210))
    persons["register_date"] = (
        begun.dt.normalize().where(registered, pd.NaT).astype("datetime64[s]")
    )
    names = pd.Series(_names(rng, industry, persons["industry_code"], company=False))
    persons["firm_name"] = names.where(registered, None)


def align_industry(people: pd.DataFrame) -> None:
    """Let the industry of a business follow the trade written in the customer's file."""
    code = people["trade"].map(_TRADE_TO_CODE)
    fits = people["business_size"].notna() & code.notna()
    people["industry_code"] = people["industry_code"].where(~fits, code)


def _names(rng, industry: pd.DataFrame, codes: pd.Series, company: bool) -> np.ndarray:
    section = codes.map(industry.set_index("industry_code")["section"]).fillna("F").to_numpy()
    word = np.empty(len(codes), dtype=object)
    turn = rng.integers(0, 6, len(codes))
    for letter, words in _WORDS.items():
        rows = section == letter
        word[rows] = np.array(words, dtype=object)[turn[rows] % len(words)]
    forms = (
        ("有限公司", "有限公司", "有限责任公司", "专业合作社")
        if company
        else ("店", "经营部", "商行", "铺")
    )
    form = np.array(forms, dtype=object)[rng.integers(0, len(forms), len(codes))]
    if company:
        form = np.where((form == "专业合作社") & (section != "A"), "有限公司", form)
    return firm_names(rng, word, form)


def tables(sim: Simulation) -> None:
    """Write enterprise and enterprise_relation."""
    sim.tables["enterprise"] = _enterprise_table(sim)
    sim.tables["enterprise_relation"] = _relations(sim)


def _enterprise_table(sim: Simulation) -> pd.DataFrame:
    rng, people = sim.rng("enterprise_table"), sim.people
    rows = people[people["customer_type"] != "个人"]
    firm = (rows["customer_type"] == "企业").to_numpy()
    industry = sim.tables["industry"].set_index("industry_code").loc[rows["industry_code"]]
    count = len(rows)
    revenue = np.exp(rows["business_size"].to_numpy(float)) * 12 * rng.lognormal(0, 0.15, count)
    per_head = np.where(industry["section"].isin(["C", "E"]), 3.2e5, 4.5e5) * rng.lognormal(
        0, 0.4, count
    )
    employees = np.maximum(1, np.round(revenue / per_head)).astype(int)
    assets = revenue * rng.lognormal(-0.25, 0.45, count)
    size = classify(industry["rule_key"].to_numpy(), employees, revenue, assets)
    reported = size.copy()
    # sizes in the system are sometimes left as they were when the firm was larger or smaller
    wrong = rng.random(count) < 0.09
    order = np.array(["微型", "小型", "中型", "大型"], dtype=object)
    level = np.searchsorted([0, 1, 2, 3], [list(order).index(s) for s in size])
    reported[wrong] = order[np.where(level[wrong] == 0, 1, level[wrong] - 1)]
    owner = _owners(sim, rng, rows, firm)
    # traders write down what they like: their declared capital says little about their size
    declared = sim.rng("declared_capital").lognormal(-0.6, 1.5, count)
    closed = rng.random(count) < np.where(
        rows["is_borrower"].astype(bool) | rows["is_merchant"].astype(bool), 0, 0.06
    )
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"].to_numpy(),
            "uscc_hash": hex_hash("uscc", rows["person_key"]),
            "enterprise_name": rows["firm_name"].to_numpy(),
            "industry_code": rows["industry_code"].to_numpy(),
            "register_date": rows["register_date"].to_numpy(),
            "register_capital": np.where(
                firm,
                np.round(revenue * 0.2, -4).clip(1e5),
                np.round(revenue * 0.1 * declared, -4).clip(1e4, 2e6),
            ),
            "employees": employees,
            "revenue": np.round(revenue, -3),
            "assets": np.round(assets, -3),
            "tax_12m": np.round(
                revenue * np.where(firm, 0.021, 0.006) * rng.lognormal(0, 0.5, count), 2
            ),
            "owner_customer_id": owner,
            "town_id": rows["town_id"].to_numpy(),
            "is_green": industry["green"].to_numpy() & (rng.random(count) < 0.6),
            "is_technology": firm
            & (industry["section"] == "C").to_numpy()
            & (rng.random(count) < 0.12),
            "size_reported": np.where(firm, reported, None),
            "status": np.where(closed, "注销", "存续"),
        }
    )


def classify(
    rule_key: np.ndarray, employees: np.ndarray, revenue: np.ndarray, assets: np.ndarray
) -> np.ndarray:
    """Return the size class of each firm by the official table.

    Parameters
    ----------
    rule_key : numpy.ndarray of str, shape (n,)
        Industry of the rule.
    employees : numpy.ndarray, shape (n,)
        Persons.
    revenue, assets : numpy.ndarray, shape (n,)
        元; the table is in 万元.

    Returns
    -------
    numpy.ndarray of object, shape (n,)
        大型, 中型, 小型 or 微型: the highest level whose lower bounds are all reached.
    """
    rules = read_reference("enterprise_size").set_index(["rule_key", "level"])
    out = np.full(len(rule_key), "微型", dtype=object)
    for level in reversed(LEVELS):
        bounds = rules.xs(level, level="level")[["employees", "revenue", "assets"]]
        floor = bounds.reindex(rule_key).fillna(-1).to_numpy()
        passed = (
            (employees >= floor[:, 0])
            & (revenue >= floor[:, 1] * 1e4)
            & (assets >= floor[:, 2] * 1e4)
        )
        out[passed] = level
    return out


def _owners(sim: Simulation, rng, rows: pd.DataFrame, firm: np.ndarray) -> np.ndarray:
    """A trader owns the own shop; a firm is owned by a business person of the same town."""
    people = sim.people
    owner = rows["customer_id"].to_numpy(object).copy()
    able = people["segment"].isin(["企业主", "商户"]) & (people["customer_type"] != "企业")
    for town in np.unique(rows["town_id"].to_numpy(str)[firm]):
        here = np.flatnonzero(firm & (rows["town_id"] == town).to_numpy())
        pool = people.loc[able & (people["town_id"] == town), "customer_id"].to_numpy(object)
        if not len(pool):
            pool = people.loc[able, "customer_id"].to_numpy(object)
        owner[here] = pool[rng.integers(0, len(pool), len(here))] if len(pool) else None
    known = rng.random(len(rows)) < 0.9
    return np.where(~firm | known, owner, None)


def _relations(sim: Simulation) -> pd.DataFrame:
    rng, people, table = sim.rng("enterprise_relation"), sim.people, sim.tables["enterprise"]
    firm = people.set_index("customer_id")["customer_type"].eq("企业")
    firms = table[table["customer_id"].map(firm).to_numpy(bool)]
    legal = firms[firms["owner_customer_id"].notna()]
    parts = [
        _edges(legal["owner_customer_id"], legal["customer_id"], "法人", "登记信息"),
        _edges(legal["owner_customer_id"], legal["customer_id"], "股权", "登记信息"),
    ]
    every, some = table["customer_id"].to_numpy(object), firms["customer_id"].to_numpy(object)
    holders = rng.random(len(some)) < 0.25
    parts.append(
        _edges(some[rng.integers(0, len(some), holders.sum())], some[holders], "股权", "登记信息")
    )
    many = 2 * len(every)
    trade = _edges(every[rng.integers(0, len(every), many)], some[_popular(rng, len(some), many)],
                   "上下游", "交易流水")  # fmt: skip
    trade["amount_12m"] = np.round(np.exp(rng.normal(10.6, 1.2, many)), 2)
    trade["count_12m"] = 1 + rng.poisson(9, many)
    parts.append(trade)
    pairs = len(some) // 5
    for relation, origin in (("担保", "担保合同"), ("同址", "登记信息")):
        ends = some[rng.integers(0, len(some), (2, pairs))]
        parts.append(_edges(ends[0], ends[1], relation, origin))
    home = people[people["household_id"].notna()]
    first = home.groupby("household_id")["customer_id"].transform("first")
    kin = (first != home["customer_id"]) & (rng.random(len(home)) < 0.5)
    parts.append(_edges(first[kin], home.loc[kin, "customer_id"], "亲属", "客户经理登记"))
    frame = pd.concat(parts, ignore_index=True)
    key = ["source_customer_id", "target_customer_id", "relation"]
    frame = frame[frame["source_customer_id"] != frame["target_customer_id"]].drop_duplicates(key)
    frame["count_12m"] = frame["count_12m"].astype("Int64")
    return frame.sort_values(key, ignore_index=True)


def _popular(rng, size: int, count: int) -> np.ndarray:
    """Draw positions with a long tail: a few core firms have most suppliers and buyers."""
    return np.minimum((size * rng.random(count) ** 2.2).astype(int), size - 1)


def _edges(source, target, relation: str, origin: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_customer_id": np.asarray(source, dtype=object),
            "target_customer_id": np.asarray(target, dtype=object),
            "relation": relation,
            "amount_12m": np.nan,
            "count_12m": np.nan,
            "source": origin,
        }
    )
