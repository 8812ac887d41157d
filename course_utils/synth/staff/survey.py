"""Brand and service survey: own customers by name where they agree, and the public."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.tools import ids
from course_utils.synth.trade.draw import coded, weighted_choice

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

BANDS = ("35岁以下", "36至50岁", "51至65岁", "65岁以上")
BAND_EDGES = (36, 51, 66)
# Own customers make up this share of a wave; most of them answer by name, so that answers can be
# linked to their behaviour. Old people answer more often than their share (raw awareness bias).
PER_WAVE, CUSTOMER_SHARE, NAMED_SHARE = 1_600, 0.70, 0.90
_AGE_WEIGHT = (0.7, 1.0, 1.25, 1.5)
MAIN_BANKS = ("本行", "大行", "邮储", "其他")


def generate(sim: Simulation) -> None:
    """Generate ``brand_survey``, two waves half a year apart.

    Satisfaction follows mood, age and the town, not loyalty: after controls it says nothing about
    who stays (``m01_n02.nps_effect`` is zero).
    """
    rng = sim.rng("brand_survey")
    people = sim.people
    adult = np.flatnonzero(
        (people["customer_type"].astype(str) != "企业").to_numpy()
        & (people["age"].fillna(0).to_numpy(dtype=float) >= 18)
    )
    age = people["age"].to_numpy(dtype=float)[adult]
    band = np.searchsorted(BAND_EDGES, age, side="right")
    first_open = people["open_date"].to_numpy().astype("datetime64[D]")[adult]
    frames = []
    for wave, back in ((1, 190), (2, 20)):
        end = sim.as_of.to_datetime64().astype("datetime64[D]") - np.timedelta64(back, "D")
        weight = np.array(_AGE_WEIGHT)[band] * (first_open < end - np.timedelta64(20, "D"))
        count = min(PER_WAVE, int((weight > 0).sum() / 3))
        key = rng.random(len(adult)) ** (1 / np.maximum(weight, 1e-9))
        chosen = np.argsort(-key, kind="stable")[:count]
        frames.append(_wave(sim, rng, adult[chosen], band[chosen], wave, end))
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "response_id", ids("R", np.arange(1, len(table) + 1), 6))
    sim.tables["brand_survey"] = table


def _wave(
    sim: Simulation,
    rng: np.random.Generator,
    person: np.ndarray,
    band: np.ndarray,
    wave: int,
    end: np.datetime64,
) -> pd.DataFrame:
    """Return the answers of one wave."""
    n = len(person)
    people = sim.people.iloc[person]
    own = rng.random(n) < CUSTOMER_SHARE
    named = own & (rng.random(n) < NAMED_SHARE)
    towns = np.unique(sim.people["town_id"].dropna().astype(str))
    town = people["town_id"].astype(str).to_numpy()
    mood = rng.normal(0, 0.4, len(towns))[np.searchsorted(towns, town)]
    nps = 7.2 + mood + 0.25 * (band - 1.5) + 1.7 * rng.standard_normal(n)
    wallet = people["wallet_share"].fillna(0.4).to_numpy(dtype=float)
    main = np.where(
        own & (rng.random(n) < 0.2 + 0.7 * wallet), 0, 1 + weighted_choice(rng, (5, 3, 2), n)
    )
    date = end - rng.integers(0, 14, n).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "customer_id": np.where(named, people["customer_id"].to_numpy(), None),
            "survey_date": date.astype("datetime64[s]"),
            "wave": np.full(n, wave),
            "town_id": town,
            "age_band": coded(band, BANDS),
            "main_bank": coded(main, MAIN_BANKS),
            "nps": np.rint(nps).clip(0, 10).astype(np.int64),
        }
    )
