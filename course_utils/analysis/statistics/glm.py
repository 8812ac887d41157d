"""Rates and amounts by regression: Poisson with exposure, gamma with a log link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.statistics.regressions import generalized


def _design(rows: pd.DataFrame, features: Sequence[str], groups: Sequence[str]) -> pd.DataFrame:
    """Return a constant, the features and one dummy a level of each group but the first."""
    x = rows[list(features)].astype(float)
    for name in groups:
        dummies = pd.get_dummies(rows[name].astype(str), prefix=name, drop_first=True, dtype=float)
        x = x.join(dummies)
    x.insert(0, "const", 1.0)
    return x


def rate_ratios(
    rows: pd.DataFrame,
    count: str,
    exposure: str,
    features: Sequence[str],
    groups: Sequence[str] = (),
    cluster: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare rates with other things equal: Poisson regression of counts on what made them.

    Parameters
    ----------
    rows : DataFrame
        One row a unit (a manager and a batch); rows without exposure are left out.
    count, exposure : str
        What happened, and out of how many (the offset is log exposure).
    features : sequence of str
        Numeric or boolean columns to compare.
    groups : sequence of str
        Columns whose levels get an effect each (branch, batch): compared within.
    cluster : str, optional
        Column whose rows may hang together (the manager); errors are robust in any case.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        Index = feature; ``ratio`` (1 = no difference), ``low``, ``high``, ``p``.

    Notes
    -----
    Robust errors stand in for over- and underdispersion (Zou 2004: Poisson for rates of a yes/no).
    """
    model_class, families = generalized()

    _need.columns(rows, [count, exposure, *features, *groups, *([cluster] if cluster else [])],
                  "发生率回归")  # fmt: skip
    known = rows.dropna(subset=[count, exposure, *features, *groups])
    known = known[known[exposure] > 0].reset_index(drop=True)
    _need.enough(len(known) > len(features) + 2, "样本太少，发生率回归做不了，请放宽筛选。")
    x = _design(known, features, groups)
    kind: dict[str, Any] = {"cov_type": "HC1"}
    if cluster:
        codes = pd.factorize(known[cluster])[0]
        kind = {"cov_type": "cluster", "cov_kwds": {"groups": codes}}
    model = model_class(
        known[count].astype(float), x, family=families.Poisson(),
        offset=np.log(known[exposure].astype(float)),
    )  # fmt: skip
    fit = model.fit(**kind)
    interval = fit.conf_int(alpha=1 - level)
    names = list(features)
    table = pd.DataFrame(
        {"ratio": np.exp(fit.params[names]), "low": np.exp(interval.loc[names, 0]),
         "high": np.exp(interval.loc[names, 1]), "p": fit.pvalues[names]}
    )  # fmt: skip
    return table.rename_axis("feature")


@dataclass(frozen=True)
class AmountModel:
    """A fitted gamma regression."""

    features: tuple[str, ...]
    coefficients: pd.Series
    ratios: pd.DataFrame

    def predict(self, rows: pd.DataFrame) -> pd.Series:
        """Return the expected amount of each row, same index."""
        _need.columns(rows, self.features, "金额预测")
        x = rows[list(self.features)].astype(float)
        x = x.fillna(x.median())
        line = self.coefficients["const"] + x @ self.coefficients[list(self.features)]
        return np.exp(line).rename("amount")


def fit_amount(
    rows: pd.DataFrame, amount: str, features: Sequence[str], level: float = 0.95
) -> AmountModel:
    """Fit positive, right-skewed amounts: gamma regression with a log link.

    Parameters
    ----------
    rows : DataFrame
        One row a positive amount.
    amount : str
        Column in 元, all above 0.
    features : sequence of str
        Numeric or boolean columns.
    level : float
        Confidence level.

    Returns
    -------
    AmountModel
        ``ratios``: by how much one unit more multiplies the amount (``ratio``, ``low``, ``high``).
    """
    model_class, families = generalized()

    _need.columns(rows, [amount, *features], "金额回归")
    known = rows.dropna(subset=[amount, *features])
    _need.that(bool((known[amount] > 0).all()), "金额回归只用大于零的金额，请先筛选。")
    _need.enough(len(known) > 2 * len(features) + 5, "有金额的样本太少，金额回归做不了。")
    x = _design(known, features, ())
    model = model_class(
        known[amount].astype(float), x, family=families.Gamma(link=families.links.Log())
    )
    fit = model.fit(cov_type="HC1")
    interval = fit.conf_int(alpha=1 - level)
    names = list(features)
    ratios = pd.DataFrame(
        {"ratio": np.exp(fit.params[names]), "low": np.exp(interval.loc[names, 0]),
         "high": np.exp(interval.loc[names, 1])}
    )  # fmt: skip
    return AmountModel(tuple(features), fit.params, ratios.rename_axis("feature"))
