"""Wages: published tax cases, closed forms, and tables that give nobody away."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import payroll
from course_utils.errors import CourseError


def _slips(gross: list[float], start: str = "2025-01-31", person: str = "E1") -> pd.DataFrame:
    months = pd.date_range(start, periods=len(gross), freq="ME")
    rows = pd.DataFrame({"employee_id": person, "month": months, "gross": gross})
    return rows.assign(
        pension_personal=1_500.0, housing_personal=1_000.0, special_deduction=2_000.0
    )


@pytest.mark.parametrize(
    ("taxable", "tax"),
    [(-5, 0), (0, 0), (36_000, 1_080), (36_001, 1_080.1), (144_000, 11_880), (300_000, 43_080),
     (420_000, 73_080), (660_000, 145_080), (960_000, 250_080), (1_000_000, 268_080)],
)  # fmt: skip
def test_tax_table(taxable: float, tax: float) -> None:
    """The tax of each bracket's end, summed bracket by bracket."""
    ends = [0, 36_000, 144_000, 300_000, 420_000, 660_000, 960_000, np.inf]
    rates = [0.03, 0.10, 0.20, 0.25, 0.30, 0.35, 0.45]
    steps = zip(ends, ends[1:], rates, strict=False)
    summed = sum(r * max(min(taxable, high) - low, 0) for low, high, r in steps)
    assert payroll.tax_due(taxable) == pytest.approx(tax, abs=0.005)
    assert payroll.tax_due(taxable) == pytest.approx(summed, abs=0.005)


def test_withholding_of_a_wage_of_30_000() -> None:
    """A constant 30 000 with 2 500 contributions and 2 000 special: 20 500 taxable a month."""
    tax = payroll.withholding(_slips([30_000.0] * 12))
    assert tax["taxable"].iloc[:2].tolist() == [20_500, 41_000]
    assert tax["tax"].iloc[0] == 615.0
    assert tax["tax"].iloc[1] == 965.0  # 41 000 × 10 % − 2 520 − 615
    assert tax["tax"].iloc[2] == 2_050.0
    assert tax["tax"].sum() == pytest.approx(246_000 * 0.20 - 16_920)
    assert tax["top_rate"].tolist() == [0.03] + [0.10] * 6 + [0.20] * 5


def test_withholding_never_refunds_within_the_year_and_restarts_in_january() -> None:
    rows = pd.concat([_slips([40_000, 5_000, 40_000]), _slips([30_000], "2026-01-31")])
    rows = rows.reset_index(drop=True)
    tax = payroll.withholding(rows)["tax"]
    assert tax.tolist() == [915.0, 0.0, pytest.approx(56_500 * 0.1 - 2_520 - 915), 615.0]
    shuffled = rows.sample(frac=1, random_state=2)
    assert payroll.withholding(shuffled)["tax"].sort_index().tolist() == tax.tolist()


def test_both_sides_of_a_payslip() -> None:
    rows = _slips([10_000.0]).assign(
        tax=100.0, net=7_400.0, welfare=300.0, pension_company=1_600.0, injury_company=20.0
    )
    cost = payroll.employer_cost(rows).iloc[0]
    assert cost["personal"] == 2_500
    assert cost["cost"] == 10_000 + 1_620 + 300
    kinds = payroll.by_kind(rows)
    assert kinds.loc["养老保险"].tolist() == [1_500, 1_600]
    assert kinds.loc["工伤保险"].tolist() == [0, 20]
    assert kinds["个人"].sum() == cost["personal"]
    assert set(payroll.ownership()["项目"]) == set(kinds.index)


def test_nest_egg_closed_form_and_fan() -> None:
    found = payroll.nest_egg(1_000, 30, 0.025, 0.02)
    closed = 12_000 * (1.025**30 - 1.02**30) / 0.005
    assert found.iloc[-1] == pytest.approx(closed)
    assert payroll.nest_egg(1_000, 3, 0.0, 0.0, 500).tolist() == [12_500, 24_500, 36_500]
    certain = payroll.wealth_fan(1_000, 30, 0.025, 0.0, 0.02, draws=3)
    assert certain.loc[30].tolist() == pytest.approx([closed] * 5)
    fan = payroll.wealth_fan(1_000, 30, 0.025, 0.02, 0.02)
    assert (fan.diff(axis=1).iloc[1:, 1:] > 0).all().all()
    assert fan.loc[30, 0.5] == pytest.approx(closed, rel=0.02)
    with pytest.raises(CourseError, match="年数"):
        payroll.nest_egg(1, -1, 0, 0)


def test_the_middle_employee_is_paid_now_and_all_year() -> None:
    months = pd.date_range("2024-02-29", "2025-01-31", freq="ME")
    pay = {"E1": 10.0, "E2": 30.0, "E3": 20.0, "E4": 25.0, "E5": 26.0}
    rows = pd.DataFrame(
        [{"employee_id": who, "month": m, "gross": g} for who, g in pay.items() for m in months]
    )
    rows = rows[(rows["employee_id"] != "E4") | (rows["month"] < months[-1])]  # has left
    rows = rows[(rows["employee_id"] != "E5") | (rows["month"] > months[5])]  # came in summer
    assert payroll.middle_employee(rows, pd.Timestamp("2025-01-31")) == "E3"
    with pytest.raises(CourseError, match="没有任何人"):
        payroll.middle_employee(rows, pd.Timestamp("2025-06-30"))


def test_own_rows_are_nobody_elses() -> None:
    rows = pd.concat([_slips([1.0, 2.0]), _slips([3.0], person="E2")]).sample(
        frac=1, random_state=1
    )
    mine = payroll.own_rows(rows, "E1", pd.Timestamp("2025-02-28"))
    assert mine["gross"].tolist() == [1.0, 2.0]
    with pytest.raises(CourseError, match="没有员工号"):
        payroll.own_rows(rows, "E9", pd.Timestamp("2025-02-28"))
    with pytest.raises(CourseError, match="在岗"):
        payroll.own_rows(rows, "E2", pd.Timestamp("2025-02-28"))


def test_band_never_ranks_a_small_group() -> None:
    peers = pd.Series(np.arange(25.0))
    assert payroll.band(24, peers) == "最高的五分之一"
    assert payroll.band(0, peers) == "最低的五分之一"
    assert payroll.band(12, peers) == "中间的五分之一"
    assert payroll.band(23, peers.iloc[:24]) == "上半"
    assert payroll.band(1, peers.iloc[:10]) == "下半"
    assert "不显示" in payroll.band(8, peers.iloc[:9])


def test_hidden_cells_cannot_be_subtracted() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        counts = pd.DataFrame(rng.integers(0, 12, (6, 4)))
        hide = payroll.hidden_cells(counts)
        assert hide[(counts > 0) & (counts < 5)].fillna(True).all().all()
        assert not (hide.sum(axis=1) == 1).any()
        assert not (hide.sum(axis=0) == 1).any()
    assert not payroll.hidden_cells(pd.DataFrame([[5, 0], [9, 8]])).any().any()


def test_residuals_and_gaps_find_the_underpaid_branch() -> None:
    rng = np.random.default_rng(7)
    n = 600
    rows = pd.DataFrame({"post": rng.choice(["甲", "乙"], n), "years": rng.uniform(0, 20, n)})
    rows["branch"] = rng.choice([f"B{i:02d}" for i in range(1, 31)], n)
    rows.loc[rows.index[:3], "branch"] = "B99"
    rows["pay"] = 9 + 0.2 * (rows["post"] == "甲") + 0.01 * rows["years"] + rng.normal(0, 0.1, n)
    rows.loc[rows["branch"] == "B07", "pay"] -= 0.15
    left = payroll.residual(rows, "pay", ["post", "years"])
    import statsmodels.formula.api as smf

    assert np.allclose(left, smf.ols("pay ~ post + years", rows).fit().resid, atol=1e-10)
    gaps = payroll.group_gaps(left, rows["branch"])
    assert "B99" not in gaps.index
    assert gaps.index[0] == "B07"
    assert gaps.loc["B07", "outside"]
    assert gaps["outside"].sum() <= 4
    assert gaps.loc["B07", "high"] == pytest.approx(
        1.959964 * left.std() / np.sqrt(gaps.loc["B07", "people"]), rel=1e-5
    )
