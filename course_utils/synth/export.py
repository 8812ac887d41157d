"""The unmasked export of lesson m00_n02, the village list that attacks it, and visit notes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.names import full_names, surname_codes
from course_utils.synth.service import manager_at
from course_utils.synth.state import Simulation
from course_utils.synth.tools import ids

EXPORT_ROWS = 3_000
VILLAGES = 10
_ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK_DIGITS = np.array(list("10X98765432"), dtype=object)
_NOTES = (
    "客户在家，近期没有资金需求，约下季度再访。",
    "到期的钱想存短一点，关心利率。",
    "准备给孩子办婚事，明年要用钱。",
    "今年茶叶行情一般，回款慢。",
    "店面刚装修好，问能不能做信用贷款。",
    "老人一个人在家，子女在外务工，年底回来。",
    "对手机银行不熟，教了转账和查余额。",
    "他行有按揭，利率比我们低。",
    "收款码用得多，建议开结算户。",
    "想换辆货车，首付还差一些。",
    "柑橘下月上市，货款回来想存定期。",
    "家里有人住院，暂时不谈产品。",
    "问养老金哪天到账，已解释。",
    "想了解大额存单起点。",
)


def generate(sim: Simulation) -> None:
    """Write raw_export, village_list and note, and record what is hidden in them."""
    raw, born = _raw_export(sim)
    sim.tables["raw_export"] = raw
    sim.tables["village_list"] = _village_list(sim, raw)
    key = [raw["village"], born, raw["gender"]]
    unique = float((~pd.concat(key, axis=1).duplicated(keep=False)).mean())
    sim.record("m00_n02", "unique_qid", unique, "村、出生日期、性别三项唯一的人占比")
    sim.record("m00_n02", "c3_column", "remark2", "备注二里是卡片有效期和验证码（虚构）")
    sim.tables["note"] = _notes(sim)


def _raw_export(sim: Simulation) -> tuple[pd.DataFrame, pd.Series]:
    """Build the export of a few large villages; invalid numbers throughout."""
    rng, people = sim.rng("raw_export"), sim.people
    persons = people[people["village_id"].notna()]
    size = persons["village_id"].value_counts().sort_index().sort_values(
        ascending=False, kind="stable"
    )  # fmt: skip
    inside = persons.index[persons["village_id"].isin(size.index[:VILLAGES])].to_numpy()
    # a small bank has fewer customers than the export has rows: the rest are not customers
    rows = np.resize(rng.permutation(inside), EXPORT_ROWS)
    stranger = np.arange(EXPORT_ROWS) >= len(inside)
    chosen = people.iloc[rows]
    born = _recorded_birth(sim, rng, chosen)
    village = sim.tables["village"].set_index("village_id")
    town = sim.tables["town"].set_index("town_id")
    count = len(chosen)
    names = full_names(rng, surname_codes(rng, count))
    place = village["village_name"].reindex(chosen["village_id"]).to_numpy(object)
    house = rng.integers(1, 240, count).astype(str).astype(object)
    month = ids("", rng.integers(1, 13, count), 2)
    year = ids("", rng.integers(26, 31, count), 2)
    secret = "有效期" + month + "/" + year + " 验证码" + ids("", rng.integers(0, 1000, count), 3)
    classes = np.array(["正常", "关注", "次级", "可疑", "损失"], dtype=object)
    state = classes[rng.choice(5, count, p=[0.93, 0.035, 0.02, 0.01, 0.005])]
    frame = pd.DataFrame(
        {
            "row_id": ids("R", np.arange(1, count + 1), 5),
            "customer_id": np.where(stranger, None, chosen["customer_id"].to_numpy(object)),
            "name": names,
            "id_number": _id_numbers(rng, born, (chosen["gender"] == "女").to_numpy()),
            "phone": "1"
            + ids("", rng.integers(20, 30, count), 2)
            + ids("", rng.integers(0, 10**8, count), 8),
            "address": town["town_name"].reindex(chosen["town_id"]).to_numpy(object)
            + place
            + house
            + "号",
            "card_number": _card_numbers(rng, count),
            "balance": np.round(
                chosen["own_money"].to_numpy(float) * rng.uniform(0.5, 1.0, count), 2
            ),
            "birth_date": born.to_numpy(),
            "gender": chosen["gender"].to_numpy(),
            "village": place,
            "town": town["town_name"].reindex(chosen["town_id"]).to_numpy(object),
            "occupation": chosen["occupation"].to_numpy(),
            "five_class": np.where(chosen["is_borrower"].to_numpy(bool), state, "无贷款"),
            "note": None,
            "remark2": secret,
        }
    )
    note = np.array(_NOTES, dtype=object)[rng.integers(0, len(_NOTES), count)]
    frame["note"] = np.where(rng.random(count) < 0.3, note, None)
    return frame, pd.Series(born.to_numpy())


def _recorded_birth(sim: Simulation, rng: np.random.Generator, chosen: pd.DataFrame) -> pd.Series:
    """Return birth dates as old files hold them: many were entered as the first of January.

    The share entered so is found by bisection so that the planted part of the rows stays unique on
    village, birth date and gender.
    """
    born = chosen["birth_date"].to_numpy()
    shift = rng.integers(0, 365, len(born))
    vague = born.astype("datetime64[Y]").astype("datetime64[s]")
    exact = vague + shift * np.timedelta64(86_400, "s")
    order = rng.random(len(born))
    village = pd.factorize(chosen["village_id"])[0]
    group = village * 2 + (chosen["gender"] == "女").to_numpy()
    target = sim.effects.value("m00_n02", "unique_qid")

    def recorded(share: float) -> np.ndarray:
        return np.where(order >= share, exact, vague)

    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        key = pd.Series(recorded(middle).astype("datetime64[D]").astype(np.int64) * 65_536 + group)
        if (~key.duplicated(keep=False)).mean() > target:
            low = middle
        else:
            high = middle
    return pd.Series(recorded(high))


def _id_numbers(rng: np.random.Generator, born: pd.Series, woman: np.ndarray) -> np.ndarray:
    """Return 18-character numbers of an area that does not exist, with a wrong check digit."""
    count = len(born)
    serial = rng.integers(0, 500, count) * 2 + np.where(woman, 0, 1)
    text = (
        "990"
        + ids("", rng.integers(100, 999, count), 3)
        + born.dt.strftime("%Y%m%d").to_numpy(object)
    )
    text = text + ids("", serial, 3)
    digits = np.array([list(item) for item in text], dtype=np.int64)
    right = (digits @ _ID_WEIGHTS) % 11
    return text + _CHECK_DIGITS[(right + 1 + rng.integers(0, 9, count)) % 11]


def _card_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return 19-digit card numbers of an unused issuer whose Luhn digit is wrong."""
    body = "990000" + ids("", rng.integers(0, 10**12, count), 12)
    digits = np.array([list(item) for item in body], dtype=np.int64)[:, ::-1]
    digits[:, ::2] *= 2
    right = (10 - (digits // 10 + digits % 10).sum(axis=1) % 10) % 10
    return body + ((right + rng.integers(1, 10, count)) % 10).astype(str).astype(object)


def _village_list(sim: Simulation, raw: pd.DataFrame) -> pd.DataFrame:
    """Return what a neighbour knows: village, birth date, gender and name of some people."""
    rng = sim.rng("village_list")
    known = np.sort(rng.permutation(len(raw))[: len(raw) // 5])
    frame = raw.iloc[known][["village", "birth_date", "gender", "name"]].reset_index(drop=True)
    frame.insert(0, "list_id", ids("L", np.arange(1, len(frame) + 1), 4))
    return frame


def _notes(sim: Simulation) -> pd.DataFrame:
    """Write visit notes; a few carry phone numbers or id strings, all of them invalid."""
    rng, people = sim.rng("note"), sim.people
    managed = np.flatnonzero(people["manager_id"].notna().to_numpy())
    weight = 1.0 + 2.0 * people["is_focus"].to_numpy(float)[managed]
    count = min(len(managed), max(60, len(people) // 8))
    rows = rng.choice(managed, count, replace=False, p=weight / weight.sum())
    opened = people["open_date"].to_numpy().astype("datetime64[D]")[rows]
    since = np.maximum(opened, np.datetime64(sim.as_of, "D") - 720)
    today = np.datetime64(sim.as_of, "D")
    span = (today - since).astype(int)
    day = since + np.floor(span * rng.random(count)).astype(int)
    minute = rng.integers(8 * 60 + 30, 18 * 60, count).astype("timedelta64[m]")
    text = np.array(_NOTES, dtype=object)[rng.integers(0, len(_NOTES), count)]
    phones = int(sim.effects.value("m00_n02", "note_phones"))
    picked = rng.permutation(count)[: phones + 3]
    number = (
        "1" + ids("", rng.integers(20, 30, phones), 2) + ids("", rng.integers(0, 10**8, phones), 8)
    )
    spaced = np.array(
        [f"{n[:3]} {n[3:7]} {n[7:]}" if i % 3 == 2 else n for i, n in enumerate(number)]
    )
    text[picked[:phones]] = text[picked[:phones]] + "新号码" + spaced.astype(object) + "。"
    woman = rng.random(3) < 0.5
    born = pd.Series(pd.to_datetime(["1968-03-04", "1975-11-23", "1983-07-16"]))
    text[picked[phones:]] = text[picked[phones:]] + "证件" + _id_numbers(rng, born, woman) + "。"
    sim.record("m00_n02", "note_phones", phones, "另有 3 条含十八位证件号，均为无效号码")
    return pd.DataFrame(
        {
            "note_id": ids("N", np.arange(1, count + 1), 6),
            "customer_id": people["customer_id"].to_numpy(object)[rows],
            "employee_id": manager_at(sim, rows, day, rng),
            "note_time": day.astype("datetime64[s]") + minute,
            "text": text,
        }
    )
