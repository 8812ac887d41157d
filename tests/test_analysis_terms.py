"""Terms and potential: what is kept, what long money costs, what an area still holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import potential, terms
from course_utils.errors import CourseError

AS_OF = pd.Timestamp("2025-12-31")


def matured(months: int, count: int, kept: int, weight: int = 1) -> pd.DataFrame:
    """Return ``count`` deposits of 100 yuan, ``kept`` of which stayed."""
    return pd.DataFrame(
        {
            "term_months": months,
            "maturity_date": AS_OF - pd.Timedelta(days=60),
            "amount": 100.0,
            "kept_amount_30d": [120.0] * kept + [10.0] * (count - kept),
            "weight": weight,
        }
    )


def test_term_class_borders():
    got = terms.term_class(pd.Series([3, 12, 13, 24, 36, 37, 60, 61, None], dtype="Int64"))
    assert got[:7].tolist() == ["1 年及以内"] * 2 + ["2 年"] * 2 + ["3 年"] + ["5 年"] * 2
    assert got[7:].isna().all()


def test_chance_is_not_planned_with():
    rows = pd.concat([matured(12, 400, 280), matured(24, 200, 136), matured(36, 200, 60)])
    got = terms.kept_by_class(rows, AS_OF)
    whole = (280 * 100 + 136 * 100 + 60 * 100 + 324 * 10) / 80_000  # never more than matured
    assert got.loc["全行", "kept"] == pytest.approx(whole)
    assert got.loc["3 年", "used"] == got.loc["3 年", "kept"] != pytest.approx(whole)
    assert got.loc["5 年", "used"] == pytest.approx(whole) and got.loc["5 年", "count"] == 0
    few = terms.kept_by_class(rows, AS_OF, least=500)
    assert (few["used"] == few.loc["全行", "kept"]).all()


def test_kept_money_is_weighted_and_recent():
    old = matured(12, 50, 0).assign(maturity_date=AS_OF - pd.Timedelta(days=400))
    open_ = matured(12, 50, 0).assign(kept_amount_30d=np.nan)
    rows = pd.concat([matured(12, 10, 10, weight=3), matured(12, 10, 0), old, open_])
    got = terms.kept_by_class(rows, AS_OF)
    assert got.loc["1 年及以内", "count"] == 20
    assert got.loc["1 年及以内", "kept"] == pytest.approx((30 * 100 + 10 * 10) / 4000)
    with pytest.raises(CourseError, match="没有已知结果"):
        terms.kept_by_class(open_, AS_OF)


def test_opening_premium():
    rates = pd.DataFrame(
        [
            ("2022-01-01", "本行", "定期", 12, 2.0),
            ("2022-01-01", "本行", "定期", 36, 3.0),
            ("2022-01-01", "同业", "定期", 36, 9.0),
            ("2024-01-01", "本行", "定期", 36, 2.4),
        ],
        columns=["effective_date", "who", "kind", "term_months", "rate"],
    ).astype({"effective_date": "datetime64[us]"})
    accounts = pd.DataFrame(
        {
            "term_months": pd.array([36, 36, 12, 36], dtype="Int64"),
            "open_date": pd.to_datetime(["2024-06-01", "2023-12-31", "2023-01-01", "2021-01-01"]),
            "money": [300.0, 100.0, 900.0, 50.0],
        }
    )
    # the last was opened before the first price list and is left out
    assert terms.opening_premium(accounts, rates) == pytest.approx((300 * 0.4 + 100 * 1.0) / 400)
    assert np.isnan(terms.opening_premium(accounts[accounts["term_months"] == 12], rates))
    with pytest.raises(CourseError, match="缺少要比较的期限"):
        terms.opening_premium(accounts, rates, 60, 12)


def test_potential_is_what_others_hold():
    own = pd.Series({"B01": 60.0, "B02": 40.0})
    homes = pd.Series({"B02": 300, "B01": 100})
    got = potential.estimated_potential(own, homes, own_share=0.25)
    assert got.to_dict() == pytest.approx({"B01": 400 * 0.25 - 60, "B02": 400 * 0.75 - 40})
    shops = pd.Series({"B01": 10, "B02": 0})
    more = potential.estimated_potential(own, homes, shops, own_share=0.25)
    assert more["B01"] > got["B01"] and more["B02"] < got["B02"]


def test_potential_is_never_below_the_least():
    own = pd.Series({"B01": 90.0, "B02": 10.0, "B03": 0.0})
    homes = pd.Series({"B01": 10, "B02": 90})
    got = potential.estimated_potential(own, homes, own_share=0.5)
    assert got["B01"] == pytest.approx(potential.LEAST * 20) and (got > 0).all()
    with pytest.raises(CourseError, match="常住户数"):
        potential.estimated_potential(own, homes * 0)
    with pytest.raises(CourseError, match="市场份额"):
        potential.estimated_potential(own, homes, own_share=0.0)
