"""The outside registry of self-employed shops, and its true links to customers of the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit.draws import balanced, timestamps
from course_utils.synth.names import firm_names
from course_utils.synth.tools import hex_hash, ids

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

EXACT_SHARE = 0.29  # rows that carry the same code or phone as in the bank's files
HARD_SHARE = 0.08  # of the other true matches: a wrong character in the name
ZERO_STREET_ROWS = 45
LABELLED = 200
WORDS = ("便利", "餐饮", "服饰", "五金", "建材", "农资", "果业", "茶业", "百货", "汽修")
FORMS = ("店", "经营部", "商行", "铺")


def generate_registry(sim: Simulation) -> None:
    """Write ``registry_list`` and the matching part of ``label_sample``."""
    rng = sim.rng("registry")
    street = _zero_street(sim)
    customers = _customers(sim)
    total = round(len(customers) / float(sim.effects.value("m03_n02", "true_match")))
    matched = _matched_rows(sim, customers, total, street, rng)
    trades = customers["industry_code"].astype(str).value_counts(normalize=True)
    others = _other_rows(sim, total - len(matched), street, trades, rng)
    table = pd.concat([matched, others], ignore_index=True)
    table = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
    gone = float(sim.effects.value("m03_n02", "cancelled_rows"))
    known = table["_customer"].notna().to_numpy()
    status = np.where(balanced(rng, np.full(len(table), gone), known), 1, 0)
    status = np.where((status == 0) & (rng.random(len(table)) < 0.01), 2, status)
    table.insert(0, "registry_id", ids("R", np.arange(1, len(table) + 1), 6))
    table["status"] = pd.Categorical.from_codes(status, ["存续", "注销", "吊销"])
    sim.append("label_sample", _labels(sim, table, rng))
    exact = float(table["_exact"].mean())
    sim.record("m03_n02", "true_match", float(known.mean()), f"按编码或电话能对上 {exact:.3f}")
    sim.record("m03_n02", "cancelled_rows", float((status == 1).mean()))
    sim.record("m03_n02", "zero_street", 1, street)
    sim.tables["registry_list"] = table.drop(columns=["_customer", "_exact"])


def _customers(sim: Simulation) -> pd.DataFrame:
    """Return the self-employed customers with what the registry knows about them."""
    firm = sim.tables["enterprise"]
    kind = sim.tables["customer"][["customer_id", "customer_type", "phone_hash", "masked_name"]]
    rows = firm.merge(kind, on="customer_id", validate="one_to_one")
    rows = rows[rows["customer_type"].astype(str) == "个体工商户"].reset_index(drop=True)
    merchant = sim.tables.get("merchant")
    if merchant is None:
        return rows.assign(grid_id=None)
    grid = merchant.drop_duplicates("customer_id").set_index("customer_id")["grid_id"]
    return rows.assign(grid_id=grid.reindex(rows["customer_id"]).to_numpy())


def _zero_street(sim: Simulation) -> str:
    """Return the market with no merchant of ours; the few it may have move next door."""
    grid = sim.tables["grid"]
    market = grid[grid["kind"].astype(str) == "市场"]
    market = market if len(market) else grid[grid["kind"].astype(str) == "街道"]
    merchant = sim.tables.get("merchant")
    if merchant is None or "grid_id" not in merchant:
        return str(market["grid_id"].iloc[0])
    counts = merchant["grid_id"].value_counts().reindex(market["grid_id"]).fillna(0)
    street = str(counts.sort_values(kind="stable").index[0])
    inside = (merchant["grid_id"] == street).to_numpy()
    if inside.any():
        home = grid.loc[grid["grid_id"] == street, "branch_id"].iloc[0]
        near = grid[(grid["branch_id"] == home) & (grid["grid_id"] != street)]["grid_id"]
        other = (
            near.iloc[0] if len(near) else grid.loc[grid["grid_id"] != street, "grid_id"].iloc[0]
        )
        sim.tables["merchant"] = merchant.assign(
            grid_id=np.where(inside, other, merchant["grid_id"].astype(object))
        )
    return street


def _vary(name: np.ndarray, hard: np.ndarray, rng: np.random.Generator, county: str) -> np.ndarray:
    """Return names as another office writes them: prefixes, brackets, blanks, a wrong character."""
    way = rng.integers(0, 5, len(name))
    text = pd.Series(name, dtype=object)
    varied = np.select(
        [way == 0, way == 1, way == 2, way == 3],
        [
            county + text,
            text + "（个体工商户）",
            text + "(个体)",
            text.str[:2] + " " + text.str[2:],
        ],
        county + text.str[:2] + "·" + text.str[2:],
    )
    wrong = text.str[:1] + "某" + text.str[2:]
    return np.where(hard, wrong, varied)


def _addresses(sim: Simulation, grid_id: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    names = sim.tables["grid"].set_index("grid_id")["grid_name"].astype(str)
    number = rng.integers(1, 180, len(grid_id)).astype(str)
    street = names.reindex(grid_id).fillna("城区").to_numpy(dtype=object)
    return street + np.char.add(number, "号").astype(object)


def _grids_of(
    sim: Simulation, town: np.ndarray, known: np.ndarray, street: str, rng: np.random.Generator
) -> np.ndarray:
    """Return the grid of each row: the known one, otherwise one of the town (never the street)."""
    grid = sim.tables["grid"]
    grid = grid[grid["grid_id"] != street].reset_index(drop=True)
    towns, code = np.unique(grid["town_id"].astype(str), return_inverse=True)
    order = np.argsort(code, kind="stable")
    counts = np.bincount(code)
    first = np.cumsum(counts) - counts
    at = pd.Index(towns).get_indexer(town.astype(str))
    pick = order[
        np.minimum(first[at] + (rng.random(len(at)) * counts[at]).astype(int), len(order) - 1)
    ]
    pick = np.where(at < 0, 0, pick)
    return np.where(pd.isna(known), grid["grid_id"].to_numpy(dtype=object)[pick], known)


def _matched_rows(
    sim: Simulation, customers: pd.DataFrame, total: int, street: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the registry rows of customers: some with an exact key, the others by name only."""
    n = len(customers)
    exact = balanced(rng, np.full(n, min(EXACT_SHARE * total / max(n, 1), 1.0)))
    by_code = exact & (rng.random(n) < 0.6)
    by_phone = exact & (~by_code | (rng.random(n) < 0.3))
    hard = ~exact & (rng.random(n) < HARD_SHARE)
    county = str(sim.profile.world.get("county", ""))
    name = customers["enterprise_name"].astype(object).to_numpy()
    name = np.where(rng.random(n) < 0.3, name, _vary(name, hard, rng, county))
    phone = hex_hash("registry_phone", np.arange(n))
    grid_id = _grids_of(
        sim, customers["town_id"].to_numpy(object), customers["grid_id"].to_numpy(object),
        street, rng,
    )  # fmt: skip
    return pd.DataFrame(
        {
            "name": name,
            "uscc_hash": np.where(by_code, customers["uscc_hash"], None),
            "owner_masked": customers["masked_name"].to_numpy(object),
            "phone_hash": np.where(by_phone, customers["phone_hash"], phone),
            "industry_code": customers["industry_code"].to_numpy(object),
            "register_date": customers["register_date"].to_numpy(),
            "capital": customers["register_capital"].to_numpy(),
            "address": _addresses(sim, grid_id, rng),
            "town_id": customers["town_id"].to_numpy(object),
            "grid_id": grid_id,
            "_customer": customers["customer_id"].to_numpy(object),
            "_exact": by_code | by_phone,
        }
    )


def _other_rows(
    sim: Simulation, count: int, street: str, trades: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Return shops that are no customers; all shops of the zero street are among them.

    They are spread evenly over the trades that customers of the bank have (`trades` is their
    share), so that a trade is well or badly covered but none is unknown to the bank.
    """
    towns = sim.tables["town"]
    shops = towns["shops"].to_numpy(dtype=float)
    town = (
        towns["town_id"]
        .astype(str)
        .to_numpy(object)[rng.choice(len(towns), count, p=shops / shops.sum())]
    )
    grid_id = _grids_of(sim, town, np.full(count, None, dtype=object), street, rng)
    here = min(ZERO_STREET_ROWS, count // 4)
    grid_id[:here] = street
    home = sim.tables["grid"].set_index("grid_id")["town_id"].astype(str)
    town[:here] = home[street]
    word = np.array(WORDS, dtype=object)[rng.integers(0, len(WORDS), count)]
    form = np.array(FORMS, dtype=object)[rng.integers(0, len(FORMS), count)]
    industry = sim.tables["industry"]
    shop = industry[industry["section"].astype(str).isin(list("FGHO"))]["industry_code"]
    shop = shop[shop.astype(str).isin(trades.index[trades > 0.01])]
    age = (rng.gamma(1.6, 1250, count) + 60).astype(np.int64).clip(60, 9000)
    start = sim.as_of.to_datetime64().astype("M8[D]") - age.astype("m8[D]")
    return pd.DataFrame(
        {
            "name": firm_names(rng, word, form),
            "uscc_hash": np.where(
                rng.random(count) < 0.65, hex_hash("registry", np.arange(count)), None
            ),
            "owner_masked": sim.tables["customer"]["masked_name"].to_numpy(object)[
                rng.integers(0, len(sim.people), count)
            ],
            "phone_hash": hex_hash("registry_other", np.arange(count)),
            "industry_code": shop.to_numpy(object)[rng.integers(0, len(shop), count)],
            "register_date": timestamps(start),
            "capital": np.round(np.exp(10.8 + 0.8 * rng.standard_normal(count)), -4).clip(1e4),
            "address": _addresses(sim, grid_id, rng),
            "town_id": town,
            "grid_id": grid_id,
            "_customer": None,
            "_exact": False,
        }
    )


def _labels(sim: Simulation, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return labelled pairs: true links without an exact key, and pairs that only look alike.

    Two in five false pairs are the most alike of all, so that the sample shows where names stop
    telling shops apart; the others are taken at random.
    """
    fuzzy = table[table["_customer"].notna() & ~table["_exact"].astype(bool)]
    true = fuzzy.iloc[rng.permutation(len(fuzzy))[: LABELLED // 2]]
    wrong = table[table["_customer"].isna()]
    wrong = wrong.iloc[rng.permutation(len(wrong))[: 20 * LABELLED]]
    pairs = _lookalikes(wrong, _customers(sim))
    count = min(LABELLED - len(true), len(pairs))
    hard = pairs.iloc[: 2 * count // 5]
    rest = pairs.iloc[len(hard) :]
    pairs = pd.concat([hard, rest.iloc[rng.permutation(len(rest))[: count - len(hard)]]])
    labels = pd.DataFrame(
        {
            "task": "名单匹配",
            "left_id": np.concatenate([true["registry_id"], pairs["registry_id"]]),
            "right_id": np.concatenate([true["_customer"], pairs["customer_id"]]),
            "true_label": np.repeat([True, False], [len(true), len(pairs)]),
        }
    )
    return labels.iloc[rng.permutation(len(labels))].reset_index(drop=True)


def _lookalikes(rows: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Return for each row the customer of its town with the most similar name, most alike first."""
    left = rows[["registry_id", "name", "town_id"]].assign(key=lambda f: f["name"].str[:1])
    right = customers[["customer_id", "enterprise_name", "town_id"]]
    right = right.assign(key=lambda f: f["enterprise_name"].astype(str).str[:1])
    pairs = left.merge(right, on=["town_id", "key"])
    names = zip(pairs["name"], pairs["enterprise_name"], strict=True)
    pairs["_like"] = [_likeness(str(a), str(b)) for a, b in names]
    pairs = pairs.sort_values(
        ["_like", "registry_id", "customer_id"], ascending=[False, True, True], kind="stable"
    )
    return pairs.drop_duplicates("registry_id")


def _likeness(first: str, second: str) -> float:
    """Return the share of neighbouring pairs of characters that two names have in common."""
    a = {first[i : i + 2] for i in range(len(first) - 1)}
    b = {second[i : i + 2] for i in range(len(second) - 1)}
    return len(a & b) / max(len(a | b), 1)
