"""The regression models of statsmodels that our methods use, each from its own module.

``statsmodels.api`` would load time series and smoothers as well: half a second, and compiled code
that a browser does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.libraries import need

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.regression.linear_model import OLS


def least_squares() -> type[OLS]:
    """Return the class of ordinary least squares."""
    return need("statsmodels.regression.linear_model").OLS


def generalized() -> tuple[type[GLM], ModuleType]:
    """Return the class of generalized linear models, and the module of families."""
    model = need("statsmodels.genmod.generalized_linear_model").GLM
    return model, need("statsmodels.genmod.families")


def with_constant(columns: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with a column of ones, ``const``, before them."""
    design = columns.copy()
    design.insert(0, "const", 1.0)
    return design
