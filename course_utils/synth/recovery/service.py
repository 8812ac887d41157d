"""Recover what daily service does to staying (m01_n02) and the town without cards (m03_n05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Recovery, Tables

if TYPE_CHECKING:
    from course_utils.bank import Profile

FLOOR, KEPT, WINDOW_DAYS = 1_000.0, 0.8, 182


def fit_logit(design: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Return the coefficients of a logit by Newton steps.

    Parameters
    ----------
    design : numpy.ndarray of float, shape (n, k)
        With a constant column or a full set of dummies.
    outcome : numpy.ndarray of float, shape (n,)
        Zeros and ones.

    Returns
    -------
    numpy.ndarray of float, shape (k,)
    """
    coefficients = np.zeros(design.shape[1])
    ridge = 1e-6 * np.eye(design.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(design @ coefficients, -30, 30)))
        slope = design.T @ (outcome - chance)
        step = np.linalg.solve((design.T * (chance * (1 - chance))) @ design + ridge, slope)
        coefficients += step
        if np.abs(step).max() < 1e-8:
            break
    return coefficients


def quarter_frame(tables: Tables, profile: Profile) -> pd.DataFrame:
    """Return one row a person: kept, contacts, speed, NPS, 企业微信 and controls."""
    months = pd.date_range(end=profile.as_of, periods=6, freq="ME")
    panel = tables["customer_month"]
    panel = panel[panel["month"] >= months[0]]
    late = panel["month"] >= months[3]
    frame = pd.DataFrame(
        {
            "after": panel[late].groupby("customer_id")["aum_average"].sum() / 3,
            "before": panel[~late].groupby("customer_id")["aum_average"].sum() / 3,
        }
    ).fillna(0.0)
    customer = tables["customer"].set_index("customer_id")
    frame = customer.join(frame, how="inner")
    frame = frame[(frame["customer_type"] != "企业") & (frame["before"] >= FLOOR)]
    frame = frame[frame["open_date"] <= months[0]]
    last = months[2]
    first = last - pd.Timedelta(days=WINDOW_DAYS - 1)
    log = tables["contact_log"]
    day = log["contact_time"].dt.normalize()
    daily = log[(log["purpose"] == "日常") & (day >= first) & (day <= last)]
    frame["contacts"] = daily.groupby("customer_id").size().reindex(frame.index).fillna(0)
    record = tables["service_record"].set_index("customer_id")
    record = record[~record.index.duplicated()]
    frame["speed"] = -np.log(record["response_days"].astype(float)).reindex(frame.index)
    frame["nps"] = record["nps"].astype(float).reindex(frame.index)
    held = tables["customer_product"].set_index("customer_id")["has_wechat_work"]
    frame["wechat"] = held.reindex(frame.index).astype(float)
    tag = tables["customer_tag"]
    valid = tag[tag["valid"].astype(bool)].groupby("customer_id").size()
    frame["tags"] = valid.reindex(frame.index).fillna(0)
    frame["kept"] = (frame["after"] >= KEPT * frame["before"]).astype(float)
    frame["log_money"] = np.log(frame["before"] + 100)
    return frame


def _scaled(values: pd.Series) -> np.ndarray:
    return ((values - values.mean()) / values.std()).to_numpy(dtype=float)


def _controls(frame: pd.DataFrame) -> list[np.ndarray]:
    """Return constant, money and its square, age and years as a customer."""
    money = _scaled(frame["log_money"])
    age = _scaled(frame["birth_year"].astype(float).fillna(frame["birth_year"].mean()))
    tenure = _scaled(frame["open_date"].dt.year.astype(float))
    return [np.ones(len(frame)), money, money**2, age, tenure]


def odds_of(frame: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """Return the odds ratio of staying per standard deviation of each column, controls held."""
    frame = frame.dropna(subset=list(columns))
    wanted = np.column_stack([_scaled(frame[column]) for column in columns])
    design = np.column_stack([wanted, *_controls(frame)])
    return np.exp(fit_logit(design, frame["kept"].to_numpy()))[: len(columns)]


def _or_contact(tables: Tables, profile: Profile) -> float:
    return float(odds_of(quarter_frame(tables, profile), ("contacts",))[0])


def _or_response(tables: Tables, profile: Profile) -> float:
    return float(odds_of(quarter_frame(tables, profile), ("speed", "contacts"))[0])


def _nps(tables: Tables, profile: Profile) -> float:
    """Return the log odds per standard deviation of NPS with contacts and speed held."""
    return float(np.log(odds_of(quarter_frame(tables, profile), ("nps", "speed", "contacts"))[0]))


def _wechat(tables: Tables, profile: Profile) -> float:
    """Return the adjusted difference in staying: logit, then average over everyone.

    Contacts and valid tags are held constant too: staff add those they know to 企业微信; and the
    branch, because branches differ in how many tags they write at all.
    """
    frame = quarter_frame(tables, profile)
    joined = frame["wechat"].to_numpy()
    also = [_scaled(frame["contacts"]), _scaled(frame["tags"])]
    also.append(frame["manager_id"].notna().to_numpy(dtype=float))
    branch = pd.get_dummies(frame["branch_id"].astype(str), dtype=float).to_numpy()[:, 1:]
    rest = np.column_stack([*_controls(frame), *also, branch])
    coefficients = fit_logit(np.column_stack([joined, rest]), frame["kept"].to_numpy())
    base = rest @ coefficients[1:]
    with_it, without = (1 / (1 + np.exp(-(base + coefficients[0] * on))) for on in (1, 0))
    return float((with_it - without).mean())


def _stage1(tables: Tables, profile: Profile) -> float:
    """Count branches where hardly anyone with a manager was contacted in the last half year."""
    customer = tables["customer"]
    managed = customer[customer["manager_id"].notna()]
    log = tables["contact_log"]
    recent = log["contact_time"] > profile.as_of - pd.Timedelta(days=WINDOW_DAYS)
    touched = log.loc[(log["purpose"] == "日常") & recent, "customer_id"]
    share = managed["customer_id"].isin(set(touched)).groupby(managed["branch_id"]).mean()
    return float((share < 0.4 * share.median()).sum())


def _lowest_town(tables: Tables, profile: Profile) -> float:
    """Return the number in the id of the town with the lowest social-card coverage."""
    customer = tables["customer"].set_index("customer_id")
    held = tables["customer_product"].set_index("customer_id")["has_social_card"]
    share = held.groupby(customer["town_id"].reindex(held.index)).mean()
    return float(share.idxmin()[1:])


RECOVERIES = [
    Recovery("m01_n02", "or_contact", _or_contact, tolerance=0.16, null=1.0),
    Recovery("m01_n02", "or_response", _or_response, tolerance=0.16, null=1.0),
    Recovery("m01_n02", "nps_effect", _nps, tolerance=0.17, null=0.0),
    Recovery("m01_n02", "wechat_true", _wechat, tolerance=0.018, null=0.0),
    Recovery("m01_n02", "stage1_branches", _stage1, tolerance=0),
    Recovery("m03_n05", "low_town", _lowest_town, tolerance=0, planted=5.0),
]
