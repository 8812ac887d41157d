"""Customers: sampled persons with whole-number weights, enterprises, households, managers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth import enterprises
from course_utils.synth.names import masked_names, surname_codes
from course_utils.synth.population import draw_population
from course_utils.synth.state import Simulation
from course_utils.synth.tools import (
    calibrated,
    hex_hash,
    ids,
    pick,
    setting,
    split_integer,
    standardise,
)

FOCUS_MONEY = 2e5
_TRADES = {
    "农户": "茶农 橘农 菜农 菌农 粮农 养猪户 养鸡户 养鱼户 林农 花木农 果农 养羊户 农机手 零散农户",
    "工薪": "教师 医护 公务员 事业单位 村社干部 国企职工 制造工人 建筑技工 店员 司机 文员 保安 "
    "物业 金融从业 电力通信",
    "企业主": "制造业主 建筑业主 商贸业主 农业业主 物流业主 服务业主",
    "务工": "外出建筑工 外出制造工 外出服务员 外出经商 外出司机 外出家政",
    "退休": "企业退休 机关退休 教师退休 城乡居保 退伍军人",
    "学生": "大学生 高中生 中职生",
}
_SHOPS = (
    "便利店 小吃店 餐馆 服装店 五金店 建材店 农资店 水果店 肉铺 药店 理发店 美容店 汽修店 家电店 "
    "超市 烟酒店 快递站 民宿"
)
_OCCUPATION = {"农户": "务农", "商户": "个体经营", "企业主": "企业主", "务工": "外出务工",
               "退休": "退休", "学生": "学生"}  # fmt: skip
_PUBLIC_JOBS = {"教师": "教师医生", "医护": "教师医生", "公务员": "公职人员",
                "事业单位": "公职人员", "村社干部": "公职人员"}  # fmt: skip


def generate(sim: Simulation) -> None:
    """Fill ``sim.people`` and write customer, household, consent, enterprise and their relations.

    ``sim.people`` has, beside the columns every generator may use, these of general interest:
    ``own_money`` (元 this person keeps in this bank, wealth × wallet_share), ``is_borrower``
    (has or had a loan here), ``industry_code`` (of those who run a business), ``contact_z`` and
    ``response_z`` (std normal: how often staff are in touch, how fast they answer),
    ``is_returnee``, ``trade``, ``person_key`` (number behind the pseudonyms).
    """
    persons = _sample(sim)
    firms = enterprises.draw(sim, persons)
    people = pd.concat([persons, firms], ignore_index=True)
    people.insert(0, "customer_id", ids("C", np.arange(1, len(people) + 1), 7))
    people["person_key"] = np.arange(1, len(people) + 1)
    people["branch_id"] = sim.tables["branch"]["branch_id"].to_numpy()[people["branch_pos"]]
    people["household_id"] = _household_ids(sim, people)
    _dates_and_flags(sim, people)
    _managers(sim, people)
    sim.people = people
    sim.tables["customer"] = _customer_table(sim)
    sim.tables["household"] = _household_table(sim)
    sim.tables["consent"] = _consent_table(sim)
    enterprises.tables(sim)


def _sample(sim: Simulation) -> pd.DataFrame:
    """Draw persons in two strata: everyone, and focus customers more often; weights are integers.

    Focus customers keep 20 万 or more here, borrow, or are merchants. The weights of a stratum
    differ by at most one and add up to its size in the bank, so that the weighted sample has
    exactly as many persons as the bank.
    """
    world, count = sim.profile.world, sim.profile.persons
    population = max(setting(world, "person_population"), count)
    wanted = setting(world, "focus_share")
    pool = draw_population(sim, count if count == population else max(4 * count, 20_000))
    focus = (pool["own_money"] >= FOCUS_MONEY) | pool["is_borrower"] | pool["is_merchant"]
    focus = focus.to_numpy()
    in_bank = round(focus.mean() * population)
    many = int(np.clip(round(wanted * count), 1, min(focus.sum(), in_bank)))
    if count == population:
        many = int(focus.sum())
    chosen = np.sort(
        np.concatenate([np.flatnonzero(focus)[:many], np.flatnonzero(~focus)[: count - many]])
    )
    persons = pool.iloc[chosen].reset_index(drop=True)
    in_focus = focus[chosen]
    weight = np.empty(len(persons), dtype=np.int64)
    rng = sim.rng("weight")
    for stratum, size in ((in_focus, in_bank), (~in_focus, population - in_bank)):
        weight[stratum] = rng.permutation(split_integer(size, np.ones(stratum.sum())))
    persons["weight"] = weight
    persons["is_focus"] = in_focus
    return persons


def _household_ids(sim: Simulation, people: pd.DataFrame) -> np.ndarray:
    """Group neighbours into households; enterprises have none."""
    rng = sim.rng("household")
    person = (people["customer_type"] != "企业").to_numpy()
    rows = np.flatnonzero(person)
    order = rows[np.lexsort((rng.random(len(rows)), people["village_id"].to_numpy(str)[rows]))]
    village = people["village_id"].to_numpy(str)[order]
    starts = rng.random(len(order)) < 0.62
    starts[0] = True
    starts[1:] |= village[1:] != village[:-1]
    out = np.full(len(people), None, dtype=object)
    out[order] = ids("H", np.cumsum(starts), 7)
    return out


def _dates_and_flags(sim: Simulation, people: pd.DataFrame) -> None:
    rng, world, count = sim.rng("customer"), sim.profile.world, len(people)
    firm = (people["customer_type"] == "企业").to_numpy()
    adult = people["birth_date"] + pd.to_timedelta(16 * 365.25, unit="D")
    first = adult.where(~firm, people["register_date"] + pd.Timedelta(days=20))
    first = first.clip(lower=pd.Timestamp(setting(world, "opened_from")))
    first = first.clip(upper=sim.as_of - pd.Timedelta(days=40)).to_numpy().astype("datetime64[D]")
    today = np.datetime64(sim.as_of, "D")
    days = np.floor((today - first).astype(int) * rng.beta(1.0, 1.45, count)).astype(int)
    opened = first + days
    # borrowers have been customers for at least half a year, if they are old enough
    early = np.minimum(opened, np.maximum(today - 200, first))
    opened = np.where(people["is_borrower"].astype(bool), early, opened)
    people["open_date"] = opened.astype("datetime64[s]")
    bad = sim.effects.value("m00_n01", "bad_phone_branch")
    invalid = people["branch_id"].map(bad).fillna(bad["other"]).astype(float)
    people["phone_valid"] = rng.random(count) >= invalid
    people["do_not_call"] = rng.random(count) < np.where(firm, 0.01, 0.035)
    agree = standardise(0.5 * people["loyalty"] + 0.6 * people["active"].astype(float))
    chance = calibrated(agree.to_numpy(), setting(world, "consent_share"), people["weight"])
    people["marketing_consent"] = rng.random(count) < chance
    age = people["age"].fillna(0).to_numpy()
    away = people["is_migrant"].astype(bool)
    people["is_farmer"] = ~firm & people["is_rural"].astype(bool) & ~away
    rural_hukou = rng.random(count) < np.where(people["is_rural"].astype(bool), 0.9, 0.38)
    people["hukou_rural"] = rural_hukou & ~firm
    people["is_returnee"] = ~firm & ~away & (age > 22) & (age < 50) & (rng.random(count) < 0.045)
    people["marital"] = _marital(rng, age)
    people["education"] = _education(rng, people, age)
    people["trade"] = _trades(rng, people)
    enterprises.align_industry(people)
    job = people["segment"].map(_OCCUPATION)
    job = job.fillna(people["trade"].map(_PUBLIC_JOBS)).fillna("企业职工")
    job = job.where(rng.random(count) >= 0.015, "其他")
    people["occupation"] = job.where(~firm, None)
    people.loc[firm, ["marital", "education", "trade", "village_id"]] = None
    grade = np.log(people["pd"].astype(float)) + rng.normal(0, 0.5, count)
    known = people["is_borrower"].astype(bool) | (rng.random(count) < 0.35)
    cut = np.quantile(grade, [0.25, 0.55, 0.8, 0.94])
    people["credit_grade"] = np.array(list("ABCDE"), dtype=object)[np.digitize(grade, cut)]
    people["credit_grade"] = people["credit_grade"].where(known, None)


def _marital(rng: np.random.Generator, age: np.ndarray) -> np.ndarray:
    single = np.exp(-np.maximum(age - 20, 0) / 6.0)
    widowed = np.clip((age - 60) / 90, 0, 0.3)
    table = np.column_stack(
        [single, 1 - single - widowed - 0.045, np.full(len(age), 0.045), widowed]
    )
    names = np.array(["未婚", "已婚", "离异", "丧偶"], dtype=object)
    return names[pick(rng, table.clip(0.001))]


def _education(rng: np.random.Generator, people: pd.DataFrame, age: np.ndarray) -> np.ndarray:
    base = (
        0.035 * (45 - age)
        + 0.9 * (people["segment"] == "工薪")
        - 0.5 * people["is_rural"].astype(float)
    )
    level = base.astype(float).to_numpy() + rng.normal(0, 1.0, len(people))
    names = np.array(["初中及以下", "高中中专", "大专", "本科及以上"], dtype=object)
    return names[np.digitize(level, [0.35, 1.0, 1.75])]


def _trades(rng: np.random.Generator, people: pd.DataFrame) -> np.ndarray:
    out = np.full(len(people), None, dtype=object)
    lists = {name: text.split() for name, text in _TRADES.items()} | {"商户": _SHOPS.split()}
    for segment, names in lists.items():
        rows = np.flatnonzero(people["segment"] == segment)
        weight = 1.0 / (np.arange(len(names)) + 3.0)
        out[rows] = np.array(names, dtype=object)[
            rng.choice(len(names), len(rows), p=weight / weight.sum())
        ]
    return out


def _managers(sim: Simulation, people: pd.DataFrame) -> None:
    """Give customers managers of their own branch; some change hands during the panel."""
    rng, world = sim.rng("manager"), sim.profile.world
    staff, count = sim.tables["employee"], len(people)
    desk = staff[(staff["post"] == "客户经理") & staff["active"]]
    branch_ids = sim.tables["branch"]["branch_id"].to_numpy()
    members = [np.flatnonzero(desk["branch_id"].to_numpy() == b) for b in branch_ids]
    size = np.array([len(m) for m in members])
    table = np.zeros((len(branch_ids), size.max()), dtype=int)
    for i, rows in enumerate(members):
        table[i, : len(rows)] = rows
    at = people["branch_pos"].to_numpy(dtype=int)
    now = table[at, rng.integers(0, size[at])]
    score = 0.9 * np.log(people["own_money"].astype(float) + 10) + 1.5 * people["is_focus"].astype(
        float
    )
    paper = sim.arrays["paper_branch"][at]
    score = standardise(score.to_numpy()) * 1.3 + np.where(paper, 3.0, 0)
    managed = rng.random(count) < calibrated(
        score, setting(world, "managed_share"), people["weight"]
    )
    before = table[at, (rng.integers(0, 1 << 30, count)) % size[at]]
    everyone = rng.integers(0, len(desk), count)
    before = np.where(before == now, everyone, before)
    changed = managed & (before != now) & (rng.random(count) < 0.14)
    month = np.where(changed, rng.integers(2, 22, count), -1)
    starts = sim.months(24).to_numpy().astype("datetime64[M]").astype("datetime64[D]")
    day = starts[month.clip(0)] + rng.integers(2, 25, count)
    opened = people["open_date"].to_numpy().astype("datetime64[D]")
    changed &= day > opened + 60
    people["manager_changed_month"] = np.where(changed, month, -1)
    names = desk["employee_id"].to_numpy(object)
    people["manager_id"] = np.where(managed, names[now], None)
    hired = desk["hire_date"].to_numpy().astype("datetime64[D]")
    first = np.where(changed, before, now)
    since = np.maximum(np.maximum(opened, hired[first]), np.datetime64(sim.as_of, "D") - 2200)
    since = np.where(changed, np.minimum(since, day - 30), since)
    _manager_history(sim, people, managed, changed, names[first], names[now], since, day)


def _manager_history(sim, people, managed, changed, first, now, since, day) -> None:
    rows = np.flatnonzero(managed)
    again = np.flatnonzero(changed)
    nothing = np.full(len(people), np.datetime64("NaT"), dtype="datetime64[D]")
    end = np.where(changed, day - 1, nothing)
    frame = pd.DataFrame(
        {
            "customer_id": people["customer_id"].to_numpy()[np.concatenate([rows, again])],
            "manager_id": np.concatenate([first[rows], now[again]]),
            "from_date": np.concatenate([since[rows], day[again]]).astype("datetime64[s]"),
            "to_date": np.concatenate([end[rows], nothing[again]]).astype("datetime64[s]"),
        }
    )
    frame = frame.sort_values(["customer_id", "from_date"]).reset_index(drop=True)
    sim.tables["customer_manager_history"] = frame


def _customer_table(sim: Simulation) -> pd.DataFrame:
    people, rng = sim.people, sim.rng("customer_names")
    firm = (people["customer_type"] == "企业").to_numpy()
    codes = surname_codes(rng, len(people))
    name = masked_names(codes, rng.random(len(people)) < 0.2)
    born = people["birth_date"]
    shown = people["segment"].replace({"务工": "其他", "退休": "其他", "学生": "其他"})
    columns = ["customer_id", "customer_type", "phone_valid", "gender", "town_id", "village_id",
               "branch_id", "manager_id", "open_date", "occupation", "education", "marital",
               "is_farmer", "hukou_rural", "is_migrant", "is_returnee", "household_id",
               "credit_grade", "do_not_call", "weight", "trade"]  # fmt: skip
    frame = people[columns].assign(
        segment=shown.where(~firm, "企业"),
        id_hash=hex_hash("identity", people["person_key"]),
        phone_hash=hex_hash("phone", people["person_key"]),
        masked_name=np.where(firm, _masked_firms(people["firm_name"], firm), name),
        birth_year=born.dt.year.astype("Int64"),
        birth_month=born.dt.month.astype("Int64"),
        status="正常",
    )
    return frame.assign(weight=frame["weight"].astype(float))


def _masked_firms(names: pd.Series, firm: np.ndarray) -> np.ndarray:
    result = np.full(len(names), None, dtype=object)
    result[firm] = [mask_firm(name) for name in names[firm]]
    return result


def mask_firm(name: str | None) -> str | None:
    """Return a firm name with all but its first and last two characters starred."""
    if not isinstance(name, str):
        return None
    return name[0] + "*" * max(len(name) - 3, 1) + name[-2:]


def _household_table(sim: Simulation) -> pd.DataFrame:
    rng = sim.rng("household_table")
    people = sim.people[sim.people["household_id"].notna()]
    adult = people.assign(income=people["income_month"].astype(float))
    grouped = adult.groupby("household_id", sort=True)
    eldest = adult.sort_values(["household_id", "age"], ascending=[True, False], kind="stable")
    head = eldest.drop_duplicates("household_id").set_index("household_id")
    count = len(head)
    seen = grouped.size().to_numpy()
    members = seen + rng.poisson(1.9, count)
    income = grouped["income"].sum().to_numpy() * 12 * (1 + 0.25 * (members - seen))
    rural = head["is_rural"].to_numpy(dtype=bool)
    house = np.where(rural, 1.8e5, 6.5e5) * rng.lognormal(0, 0.45, count)
    borrows = grouped["is_borrower"].max().to_numpy(dtype=bool)
    credited = borrows | (rng.random(count) < np.where(rural, 0.34, 0.10))
    limit = np.round((0.6 * income).clip(1e4, 3e5), -4)
    return pd.DataFrame(
        {
            "household_id": head.index,
            "village_id": head["village_id"].to_numpy(),
            "members": members,
            "head_customer_id": head["customer_id"].to_numpy(),
            "income_year": np.round(income * rng.lognormal(0, 0.18, count), -2),
            "land_mu": np.where(rural, np.round(rng.gamma(2.2, 2.4, count), 1), 0.0),
            "house_value": np.round(house, -3),
            "credited": credited,
            "credit_limit": np.where(credited, limit, np.nan),
        }
    )


def _consent_table(sim: Simulation) -> pd.DataFrame:
    people, rng = sim.people, sim.rng("consent")
    borrower = people["is_borrower"].astype(bool).to_numpy()
    everyone = np.ones(len(people), dtype=bool)
    share = rng.random(len(people)) < 0.3
    parts = []
    for scope, rows, agree in (
        ("营销", everyone, people["marketing_consent"].to_numpy(dtype=bool)),
        ("征信查询-授信", borrower, np.ones(len(people), dtype=bool)),
        ("征信查询-贷后", borrower, np.ones(len(people), dtype=bool)),
        ("共享", share, rng.random(len(people)) < 0.55),
    ):
        at = np.flatnonzero(rows)
        opened = people["open_date"].to_numpy().astype("datetime64[D]")[at]
        span = (np.datetime64(sim.as_of, "D") - opened).astype(int)
        day = opened + np.floor(span * rng.random(len(at)) * 0.9).astype(int)
        lasts = rng.random(len(at)) < 0.22
        # some lapsed and nobody asked again; those behind a running loan are always renewed
        lapsed = (rng.random(len(at)) < 0.2) & (scope in ("营销", "共享"))
        renewed = np.maximum(day + 1095, np.datetime64(sim.as_of, "D") + 30)
        end = np.where(lasts & agree[at], np.where(lapsed, day + 1095, renewed),
                       np.datetime64("NaT"))  # fmt: skip
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": people["customer_id"].to_numpy()[at],
                    "scope": scope,
                    "granted": agree[at],
                    "date": day.astype("datetime64[s]"),
                    "expire_date": end.astype("datetime64[s]"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True).sort_values(
        ["customer_id", "scope"], ignore_index=True
    )
