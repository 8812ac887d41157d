"""Warning models: split by time, boosting with calibration (MC6), and what to ask of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need


@dataclass(frozen=True)
class Split:
    """Rows to learn from, to calibrate on and to judge by; later months judge earlier ones."""

    train: pd.DataFrame
    valid: pd.DataFrame
    test: pd.DataFrame


def time_split(
    rows: pd.DataFrame, time: str = "month", valid_months: int = 3, test_months: int = 3
) -> Split:
    """Split person-months by time: the last months test, those before calibrate.

    Parameters
    ----------
    rows : DataFrame
        One row a customer and month.
    time : str
        Month column.
    valid_months, test_months : int
        Distinct months in the two later parts.

    Returns
    -------
    Split

    Raises
    ------
    CourseError
        There are not enough months.
    """
    _need.columns(rows, [time], "按时间切分")
    months = np.sort(rows[time].dropna().unique())
    need = valid_months + test_months + 1
    _need.that(
        len(months) >= need, f"按时间切分至少需要 {need} 个月的样本，现在只有 {len(months)} 个月。"
    )
    first_test, first_valid = months[-test_months], months[-(test_months + valid_months)]
    return Split(
        rows[rows[time] < first_valid],
        rows[(rows[time] >= first_valid) & (rows[time] < first_test)],
        rows[rows[time] >= first_test],
    )


@dataclass(frozen=True)
class CalibratedModel:
    """A classifier with the recalibration learned on the validation months."""

    estimator: Any
    calibrator: Any
    features: tuple[str, ...]

    def predict(self, rows: pd.DataFrame) -> pd.Series:
        """Return probabilities.

        Parameters
        ----------
        rows : DataFrame
            Has the model's features.

        Returns
        -------
        Series
            Probability of the event, same index.
        """
        _need.columns(rows, self.features, "模型打分")
        raw = self.estimator.predict_proba(_matrix(rows, self.features))[:, 1]
        if self.calibrator is not None:
            raw = self.calibrator.predict_proba(_logit(raw)[:, None])[:, 1]
        return pd.Series(raw, index=rows.index, name="probability")


def _matrix(rows: pd.DataFrame, features: Sequence[str]) -> np.ndarray:
    return rows[list(features)].to_numpy(dtype=float, na_value=np.nan)


def _weights(train: pd.DataFrame, weight: pd.Series | None) -> np.ndarray | None:
    if weight is None:
        return None
    values = weight.reindex(train.index).to_numpy(dtype=float)
    _need.that(bool((values > 0).all()), "训练权数要每行都有、都大于零，请检查权数的索引。")
    return values


def _logit(p: np.ndarray) -> np.ndarray:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


def _calibrate(estimator: Any, valid: pd.DataFrame, target: str, features: Sequence[str]) -> Any:
    from sklearn.linear_model import LogisticRegression

    y = valid[target].to_numpy(dtype=int)
    if len(valid) < 200 or y.sum() < 20 or y.sum() == len(y):
        return None
    raw = estimator.predict_proba(_matrix(valid, features))[:, 1]
    return LogisticRegression(C=1e6).fit(_logit(raw)[:, None], y)


def fit_boosting(
    train: pd.DataFrame,
    features: Sequence[str],
    target: str,
    valid: pd.DataFrame | None = None,
    signs: Mapping[str, int] | None = None,
    seed: int = 20251231,
    iterations: int = 120,
    weight: pd.Series | None = None,
) -> CalibratedModel:
    """Fit gradient boosting with early stopping and Platt calibration on later months (MC6).

    Parameters
    ----------
    train : DataFrame
        Rows to learn from; missing feature values are allowed.
    features : sequence of str
        Numeric or boolean columns known at the time.
    target : str
        0/1 column.
    valid : DataFrame, optional
        Later rows for calibration (left out when they hold fewer than 20 events).
    signs : mapping, optional
        feature -> +1 or −1 where the direction is known (monotonic constraint).
    seed : int
        Same input, same model.
    iterations : int
        Most trees.
    weight : Series, optional
        Weight of each training row (such as one over its chance to be seen), index of ``train``.

    Returns
    -------
    CalibratedModel
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    features = tuple(features)
    _need.columns(train, [*features, target], "训练模型")
    y = train[target].to_numpy(dtype=int)
    _need.enough(
        0 < y.sum() < len(y), "训练样本中只有一种结果，无法训练模型，请检查目标列或时间段。"
    )
    directions = [int((signs or {}).get(name, 0)) for name in features]
    estimator = HistGradientBoostingClassifier(
        max_iter=iterations,
        max_depth=4,
        learning_rate=0.08,
        min_samples_leaf=max(20, len(train) // 500),
        l2_regularization=1.0,
        monotonic_cst=directions if any(directions) else None,
        early_stopping=int(min(y.sum(), len(y) - y.sum())) >= 50,
        random_state=seed,
    ).fit(_matrix(train, features), y, sample_weight=_weights(train, weight))
    calibrator = None if valid is None else _calibrate(estimator, valid, target, features)
    return CalibratedModel(estimator, calibrator, features)


def fit_logit(
    train: pd.DataFrame,
    features: Sequence[str],
    target: str,
    valid: pd.DataFrame | None = None,
    weight: pd.Series | None = None,
) -> CalibratedModel:
    """Fit the baseline: median-filled, standardised logistic regression.

    Parameters
    ----------
    train, features, target, valid, weight
        As for :func:`fit_boosting`.

    Returns
    -------
    CalibratedModel
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = tuple(features)
    _need.columns(train, [*features, target], "训练模型")
    y = train[target].to_numpy(dtype=int)
    _need.enough(
        0 < y.sum() < len(y), "训练样本中只有一种结果，无法训练模型，请检查目标列或时间段。"
    )
    estimator = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=1.0, max_iter=500),
    ).fit(_matrix(train, features), y, logisticregression__sample_weight=_weights(train, weight))
    calibrator = None if valid is None else _calibrate(estimator, valid, target, features)
    return CalibratedModel(estimator, calibrator, features)


def auc(actual: pd.Series, score: pd.Series) -> float:
    """Return P(score of an event > score of a non-event), ties half (Mann–Whitney)."""
    y = np.asarray(actual).astype(bool)
    rank = pd.Series(np.asarray(score, dtype=float)).rank().to_numpy()
    events, others = int(y.sum()), int((~y).sum())
    if not events or not others:
        return float("nan")
    return float((rank[y].sum() - events * (events + 1) / 2) / (events * others))


def auc_gap(
    actual: pd.Series, first: pd.Series, second: pd.Series, level: float = 0.95
) -> dict[str, float]:
    """Return AUC(first) − AUC(second) on the same rows with DeLong's interval.

    Parameters
    ----------
    actual : Series
        0/1.
    first, second : Series
        Scores of the two models on the rows of ``actual``.
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``gap``, ``low``, ``high``.

    Notes
    -----
    DeLong, DeLong & Clarke-Pearson (1988), with the fast mid-rank form of Sun & Xu (2014).
    """
    from scipy.stats import norm, rankdata

    y = np.asarray(actual).astype(bool)
    events, others = int(y.sum()), int((~y).sum())
    if events < 2 or others < 2:
        return {"gap": float("nan"), "low": float("nan"), "high": float("nan")}
    above, below = [], []
    for score in (np.asarray(first, dtype=float), np.asarray(second, dtype=float)):
        rank = rankdata(score)
        above.append((rank[y] - rankdata(score[y])) / others)
        below.append(1 - (rank[~y] - rankdata(score[~y])) / events)
    gap = float(above[0].mean() - above[1].mean())
    variance = np.var(above[0] - above[1], ddof=1) / events
    variance += np.var(below[0] - below[1], ddof=1) / others
    reach = float(norm.ppf(0.5 + level / 2) * np.sqrt(variance))
    return {"gap": gap, "low": gap - reach, "high": gap + reach}


def brier(actual: pd.Series, probability: pd.Series) -> float:
    """Return the mean squared error of probabilities (0 = perfect)."""
    gap = np.asarray(actual, dtype=float) - np.asarray(probability, dtype=float)
    return float(np.mean(gap**2))


def calibration_slope(actual: pd.Series, probability: pd.Series) -> dict[str, float]:
    """Fit logit(actual) = a + b·logit(p): b < 1 means too extreme, a ≠ 0 too high or low.

    Parameters
    ----------
    actual : Series
        0/1.
    probability : Series
        Predicted probabilities.

    Returns
    -------
    dict
        ``slope``, ``intercept`` (Cox 1958); NaN when only one outcome occurs.
    """
    y = np.asarray(actual, dtype=float)
    x = _logit(np.asarray(probability, dtype=float))
    if y.min() == y.max() or np.ptp(x) == 0:
        return {"slope": float("nan"), "intercept": float("nan")}
    beta = np.zeros(2)
    design = np.column_stack([np.ones_like(x), x])
    for _ in range(50):
        mu = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        weight = np.maximum(mu * (1 - mu), 1e-10)
        step = np.linalg.solve((design.T * weight) @ design, design.T @ (y - mu))
        beta = beta + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-10:
            break
    return {"slope": float(beta[1]), "intercept": float(beta[0])}


def _order(score: pd.Series) -> np.ndarray:
    return np.argsort(-np.asarray(score, dtype=float), kind="stable")


def lift_table(actual: pd.Series, score: pd.Series, groups: int = 10) -> pd.DataFrame:
    """Return rate and lift by group of the score, highest first.

    Parameters
    ----------
    actual : Series
        0/1.
    score : Series
        Larger = more likely.
    groups : int
        Equal groups (ties are cut in the order of the rows).

    Returns
    -------
    DataFrame
        ``group`` (1 = highest), ``count``, ``events``, ``rate``, ``lift``, ``captured``
        (cumulative share of events).
    """
    _need.that(len(actual) >= groups, f"样本少于 {groups} 行，分不出 {groups} 组，请减少组数。")
    y = np.asarray(actual, dtype=float)[_order(score)]
    number = np.arange(len(y)) * groups // len(y) + 1
    frame = pd.DataFrame({"group": number, "y": y})
    table = frame.groupby("group")["y"].agg(count="size", events="sum", rate="mean").reset_index()
    overall = y.mean()
    table["lift"] = table["rate"] / overall if overall else np.nan
    table["captured"] = table["events"].cumsum() / y.sum() if y.sum() else np.nan
    return table


def top_lift(actual: pd.Series, score: pd.Series, share: float = 0.1) -> float:
    """Return the rate among the top ``share`` of scores divided by the overall rate."""
    y = np.asarray(actual, dtype=float)[_order(score)]
    count = max(1, round(len(y) * share))
    return float(y[:count].mean() / y.mean()) if y.mean() else float("nan")


def gain_table(actual: pd.Series, score: pd.Series, points: int = 101) -> pd.DataFrame:
    """Return the share of events found against the share contacted (``share``, ``found``)."""
    y = np.asarray(actual, dtype=float)[_order(score)]
    found = np.concatenate([[0.0], np.cumsum(y)]) / (y.sum() or 1.0)
    share = np.linspace(0, 1, points)
    return pd.DataFrame(
        {"share": share, "found": np.interp(share * len(y), range(len(y) + 1), found)}
    )


def reliability_table(actual: pd.Series, probability: pd.Series, groups: int = 10) -> pd.DataFrame:
    """Return mean prediction and observed rate with Wilson intervals by quantile of the prediction.

    Parameters
    ----------
    actual : Series
        0/1.
    probability : Series
        Predicted probabilities.
    groups : int
        Groups of equal size (fewer with many ties).

    Returns
    -------
    DataFrame
        ``predicted``, ``observed``, ``low``, ``high``, ``count``.
    """
    from course_utils.analysis.statistics.experiment import wilson

    frame = pd.DataFrame(
        {"y": np.asarray(actual, dtype=float), "p": np.asarray(probability, dtype=float)}
    )
    rank = frame["p"].rank(method="average", pct=True)
    frame["g"] = np.ceil(rank * groups).clip(1, groups).astype(int)
    table = frame.groupby("g").agg(
        predicted=("p", "mean"), events=("y", "sum"), count=("y", "size")
    )
    interval = wilson(table["events"], table["count"])
    table = table.assign(observed=interval["rate"], low=interval["low"], high=interval["high"])
    return table[["predicted", "observed", "low", "high", "count"]].reset_index(drop=True)


def permutation_importance(
    model: CalibratedModel,
    rows: pd.DataFrame,
    target: str,
    repeats: int = 3,
    seed: int = 20251231,
    limit: int = 20_000,
) -> pd.DataFrame:
    """Return how much AUC is lost when a feature is shuffled, largest first.

    Parameters
    ----------
    model : CalibratedModel
        Fitted model.
    rows : DataFrame
        Test rows.
    target : str
        0/1 column.
    repeats : int
        Shuffles a feature.
    seed : int
        Seed.
    limit : int
        At most so many rows (drawn with the seed).

    Returns
    -------
    DataFrame
        ``feature``, ``auc_loss``.
    """
    rng = np.random.default_rng(seed)
    if len(rows) > limit:
        rows = rows.iloc[np.sort(rng.choice(len(rows), limit, replace=False))]
    y = rows[target]
    x = _matrix(rows, model.features)
    whole = auc(y, model.estimator.predict_proba(x)[:, 1])
    losses = []
    for i, name in enumerate(model.features):
        drops = []
        for _ in range(repeats):
            mixed = x.copy()
            mixed[:, i] = rng.permutation(mixed[:, i])
            drops.append(whole - auc(y, model.estimator.predict_proba(mixed)[:, 1]))
        losses.append((name, float(np.mean(drops))))
    table = pd.DataFrame(losses, columns=["feature", "auc_loss"])
    return table.sort_values("auc_loss", ascending=False, kind="stable").reset_index(drop=True)


def judge(actual: pd.Series, probability: pd.Series) -> dict[str, float]:
    """Return the numbers a model is judged by: AUC, Brier, slope, intercept, top-decile lift."""
    return {
        "auc": auc(actual, probability),
        "brier": brier(actual, probability),
        **calibration_slope(actual, probability),
        "top_decile_lift": top_lift(actual, probability),
    }
