"""Funnel repair: by hand for two steps, by brute force over all orders for five."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import funnel
from course_utils.errors import CourseError


def test_two_steps_by_hand() -> None:
    own = pd.Series({"拨打": 0.5, "接通": 0.4})
    table = funnel.repair(own, pd.Series({"接通": 0.5, "拨打": 1.0}), start=100)
    # from 20 to 50: 拨打 gives 20 or 25, 接通 gives 5 or 10
    assert table["alone"].to_dict() == pytest.approx({"拨打": 20, "接通": 5})
    assert table["shapley"].to_dict() == pytest.approx({"拨打": 22.5, "接通": 7.5})
    assert table["share"].to_dict() == pytest.approx({"拨打": 0.75, "接通": 0.25})


def test_same_as_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(5)
    own = pd.Series(rng.uniform(0.2, 0.8, 5), index=list("abcde"))
    best = pd.Series(rng.uniform(0.2, 0.9, 5), index=list("abcde"))
    gains = dict.fromkeys("abcde", 0.0)
    orders = list(permutations("abcde"))
    for order in orders:
        now = own.copy()
        for step in order:
            before = now.prod()
            now[step] = best[step]
            gains[step] += (now.prod() - before) / len(orders)
    table = funnel.repair(own, best, start=1_000)
    assert (table["shapley"] / 1_000).to_dict() == pytest.approx(gains)
    assert table["shapley"].sum() == pytest.approx(1_000 * (best.prod() - own.prod()))


def test_no_distance_has_no_shares_and_zero_rates_work() -> None:
    own = pd.Series({"a": 0.5, "b": 0.5})
    assert funnel.repair(own, own)["share"].isna().all()
    broken = funnel.repair(pd.Series({"a": 0.5, "b": 0.0}), own, start=8)
    assert broken["shapley"].to_dict() == pytest.approx({"a": 0, "b": 2})


def test_clear_refusals() -> None:
    own = pd.Series({"a": 0.5, "b": 0.5})
    with pytest.raises(CourseError, match="缺少步骤“b”"):
        funnel.repair(own, pd.Series({"a": 0.5}))
    with pytest.raises(CourseError, match="0 到 1"):
        funnel.repair(own, pd.Series({"a": 0.5, "b": 1.5}))
    with pytest.raises(CourseError, match="0 到 1"):
        funnel.repair(own.where(own.index != "a"), own)
