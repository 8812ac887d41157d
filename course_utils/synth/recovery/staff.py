"""Recover the planted truths of wages from the published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Recovery, Tables

if TYPE_CHECKING:
    from course_utils.bank import Profile


def yearly(tables: Tables) -> pd.DataFrame:
    """Return one row an employee: mean pay, performance and score, with post and branch."""
    pay = tables["payroll"]
    means = pay.groupby("employee_id")[["gross", "performance", "kpi_score"]].mean()
    rows = tables["employee"].set_index("employee_id").join(means, how="inner")
    return rows[rows["active"].astype(bool)]


def _dummies(values: pd.Series) -> np.ndarray:
    return pd.get_dummies(values.astype(str)).to_numpy(dtype=float)


def pay_model(tables: Tables, profile: Profile, extra: np.ndarray | None = None) -> np.ndarray:
    """Regress log pay on posts, tenure, score, sex and, if given, one more column.

    Returns
    -------
    numpy.ndarray
        Coefficients of the sex dummy (女 = 1) and of the extra column.
    """
    rows = yearly(tables)
    years = (profile.as_of - rows["hire_date"]).dt.days.to_numpy(dtype=float) / 365.25
    score = rows["kpi_score"].astype(float)
    columns = [
        (rows["gender"].astype(str) == "女").to_numpy(dtype=float),
        np.zeros(len(rows)) if extra is None else extra,
        years.clip(0, 20),
        score.fillna(score.mean()).to_numpy(dtype=float),
        _dummies(rows["post"]),
    ]
    log_pay = np.log(rows["gross"].to_numpy(dtype=float))
    return np.linalg.lstsq(np.column_stack(columns), log_pay, rcond=None)[0][:2]


def cost_ratio(tables: Tables, profile: Profile) -> float:
    """Employer cost (pay, company contributions, welfare) over pay."""
    pay = tables["payroll"]
    company = [name for name in pay.columns if name.endswith("_company")]
    burden = pay[[*company, "welfare"]].astype(float).to_numpy().sum()
    gross = float(pay["gross"].sum())
    return (gross + burden) / gross


def performance_r2(tables: Tables, profile: Profile) -> float:
    """Share of performance pay, relative to the post, that the score explains."""
    rows = yearly(tables)
    rows = rows[rows["kpi_score"].notna()]
    performance = rows["performance"].astype(float)
    relative = performance / performance.groupby(rows["post"].astype(str)).transform("mean")
    return float(np.corrcoef(relative, rows["kpi_score"].astype(float))[0, 1] ** 2)


def underpaid_branch(tables: Tables, profile: Profile) -> float:
    """Pay difference of branch B19 at the same post, tenure and score."""
    here = (yearly(tables)["branch_id"].astype(str) == "B19").to_numpy(dtype=float)
    return float(np.expm1(pay_model(tables, profile, here)[1]))


def adjusted_gender_gap(tables: Tables, profile: Profile) -> float:
    """Log pay difference of women at the same post, tenure and score."""
    return float(pay_model(tables, profile)[0])


RECOVERIES = [
    Recovery("m04_n05", "cost_ratio", cost_ratio, tolerance=0.02),
    Recovery("m04_n05", "perf_r2", performance_r2, tolerance=0.10),
    Recovery("m04_n05", "underpaid", underpaid_branch, tolerance=0.025, planted=-0.06),
    Recovery("m04_n05", "gender_adj", adjusted_gender_gap, tolerance=0.012),
]
