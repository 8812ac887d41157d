"""CK4: predictions of a trainee's model against a baseline trained now."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises.compare import names_difference
from course_utils.exercises.compare_tables import to_numbers
from course_utils.exercises.context import Context
from course_utils.exercises.question import PASSED, Finding
from course_utils.exercises.values import labels, type_name

Metric = Callable[[np.ndarray, np.ndarray], float]


def auc(actual: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney), ties counted half.

    Parameters
    ----------
    actual : numpy.ndarray
        0 or 1.
    score : numpy.ndarray
        Higher means more likely 1.
    """
    ranks = pd.Series(score).rank().to_numpy()
    positive = actual == 1
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    if not n_pos or not n_neg:
        return float("nan")
    return float((ranks[positive].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def ks(actual: np.ndarray, score: np.ndarray) -> float:
    """Largest gap between the score distributions of ones and zeros (Kolmogorov-Smirnov)."""
    cuts = np.unique(score)
    ones, zeros = np.sort(score[actual == 1]), np.sort(score[actual != 1])
    if not len(ones) or not len(zeros):
        return float("nan")
    below_ones = np.searchsorted(ones, cuts, side="right") / len(ones)
    below_zeros = np.searchsorted(zeros, cuts, side="right") / len(zeros)
    return float(np.abs(below_ones - below_zeros).max())


def f1(actual: np.ndarray, flag: np.ndarray) -> float:
    """F1 of 0/1 predictions: 2·hits / (2·hits + misses + false alarms)."""
    hits = float(((actual == 1) & (flag > 0.5)).sum())
    wrong = float(((actual == 1) != (flag > 0.5)).sum())
    return 2 * hits / (2 * hits + wrong) if hits + wrong else 1.0


def minus_mae(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Mean absolute error with a minus sign, so that more is better."""
    return -float(np.abs(actual - forecast).mean())


def minus_rmse(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Root mean squared error with a minus sign, so that more is better."""
    return -float(np.sqrt(((actual - forecast) ** 2).mean()))


METRICS: dict[str, tuple[Metric, str]] = {
    "auc": (auc, "AUC"),
    "ks": (ks, "KS"),
    "f1": (f1, "F1"),
    "mae": (minus_mae, "平均绝对误差（MAE）"),
    "rmse": (minus_rmse, "均方根误差（RMSE）"),
}


def calibration_slope(actual: np.ndarray, probability: np.ndarray, steps: int = 40) -> float:
    """Slope of logit(P(actual)) on logit(probability), by Newton's method; 1 is well calibrated.

    Cox (1958): below 1 the probabilities are too extreme, above 1 too timid.
    """
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    design = np.column_stack([np.ones(len(clipped)), np.log(clipped / (1 - clipped))])
    share = np.clip(actual.mean(), 1e-3, 1 - 1e-3)
    coefficient = np.array([np.log(share / (1 - share)), 0.0])
    for _ in range(steps):
        fitted = 1 / (1 + np.exp(-np.clip(design @ coefficient, -30, 30)))
        weight = np.maximum(fitted * (1 - fitted), 1e-9)
        hessian = design.T @ (design * weight[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (actual - fitted))
        coefficient = coefficient + step
        if np.abs(step).max() < 1e-8:
            break
    return float(coefficient[1])


@dataclass(frozen=True)
class Predictions:
    """CK4; see `predictions`."""

    actual: Callable[[Context], pd.Series]
    baseline: Callable[[Context], pd.Series | float]
    metric: str
    tolerance: float
    calibration: tuple[float, float] | None
    forbidden: tuple[str, ...]
    features: str
    ceiling: float | None
    rows: str
    kind: str = "CK4"

    @property
    def shape(self) -> str:
        """What is asked for."""
        return f"一列预测值（Series），索引是{self.rows}"

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Check form, forbidden columns, metric and calibration in this order."""
        actual = context.remember(("actual", id(self)), lambda: self.actual(context))
        aligned = self._aligned(answer, actual)
        if isinstance(aligned, str):
            return Finding(aligned)
        if leak := self._leak(context):
            return Finding(leak)
        truth = actual.to_numpy(dtype=float)
        return self._quality(truth, aligned, context, actual)

    def _aligned(self, answer: Any, actual: pd.Series) -> np.ndarray | str:
        if isinstance(answer, pd.DataFrame) and answer.shape[1] == 1:
            answer = answer.iloc[:, 0]
        if not isinstance(answer, pd.Series):
            return f"需要{self.shape}，得到的是{type_name(answer)}。"
        have, need = labels(answer.index), labels(actual.index)
        if reason := names_difference(have, need, order=False, what=f"索引（{self.rows}）"):
            return reason + "预测要覆盖规定的测试行，一行不多一行不少。"
        numbers = to_numbers(answer)
        if numbers is None:
            return "预测值应该是数，得到的是文字或其他类型。"
        place = {name: row for row, name in enumerate(have)}
        values = numbers[[place[name] for name in need]]
        return self._odd_values(values) or values

    def _odd_values(self, values: np.ndarray) -> str | None:
        if empty := int((~np.isfinite(values)).sum()):
            return f"有 {empty} 个预测值是空值或无穷大：检查缺失的特征。"
        if self.calibration and not ((values >= 0) & (values <= 1)).all():
            return "需要 0 到 1 之间的概率：用 predict_proba(...)[:, 1]，不要用打分或百分数。"
        if self.calibration and set(np.unique(values)) <= {0.0, 1.0}:
            return "得到的全是 0 和 1：用 predict_proba(...)[:, 1] 取概率，不要用 predict。"
        if len(values) > 1 and np.ptp(values) == 0 and self.metric in {"auc", "ks"}:
            return "所有预测值都一样，分不出谁先谁后。"
        return None

    def _leak(self, context: Context) -> str | None:
        if not self.features:
            return None
        used = context.variables.get(self.features)
        if not isinstance(used, (list, tuple, set, pd.Index)):
            return f"请把用到的特征列名放进列表 {self.features}，检查时要看有没有用到未来的信息。"
        bad = [name for name in self.forbidden if name in set(map(str, used))]
        if bad:
            return f"用到了不能用的列：{'、'.join(bad)}。预测那一天还看不到它们（泄漏）。"
        return None

    def _quality(
        self, truth: np.ndarray, values: np.ndarray, context: Context, actual: pd.Series
    ) -> Finding:
        measure, shown = METRICS[self.metric]
        reached = measure(truth, values)
        target = context.remember(("metric", id(self)), lambda: self._target(context, actual))
        if self.metric == "auc" and reached < 0.5 - 0.05:
            return Finding(
                "方向反了：你的分数越高，事件越少发生。检查取的是哪一类的概率、目标有没有编反。"
            )
        if not reached >= target - self.tolerance:
            return Finding(
                f"{shown} 还不到基准：刚刚用简单模型现训的基准比它好。看看特征和训练的月份。"
            )
        if self.ceiling is not None and reached > self.ceiling:
            return Finding(
                f"{shown} 好得不像真的：检查特征里有没有预测日之后才知道的信息（泄漏）。"
            )
        if self.calibration:
            return self._calibrated(truth, values)
        return PASSED

    def _target(self, context: Context, actual: pd.Series) -> float:
        base = self.baseline(context)
        if isinstance(base, pd.Series):
            scores = base.reindex(actual.index).to_numpy(dtype=float)
            return METRICS[self.metric][0](actual.to_numpy(dtype=float), scores)
        return float(base)

    def _calibrated(self, truth: np.ndarray, values: np.ndarray) -> Finding:
        low, high = self.calibration or (0.0, np.inf)
        slope = calibration_slope(truth, values)
        if slope < low:
            return Finding("排序够好，但概率太极端（校准斜率偏低）：加正则，或重新校准。")
        if slope > high:
            return Finding("排序够好，但概率太保守（校准斜率偏高）：重新校准，不要平均得太狠。")
        return PASSED


def predictions(
    actual: Callable[[Context], pd.Series],
    baseline: Callable[[Context], pd.Series | float],
    *,
    metric: str = "auc",
    tolerance: float = 0.01,
    calibration: tuple[float, float] | None = (0.7, 1.3),
    forbidden: Collection[str] = (),
    features: str = "",
    ceiling: float | None = None,
    rows: str = "测试行的编号",
) -> Predictions:
    """CK4: predictions at least as good as a baseline trained now.

    Parameters
    ----------
    actual : Callable[[Context], pandas.Series]
        What really happened on the test rows, indexed by id.
    baseline : Callable[[Context], pandas.Series or float]
        Predictions of a simple model trained now (same index), or its metric.
    metric : {"auc", "ks", "f1", "mae", "rmse"}
        What is compared.
    tolerance : float
        How far below the baseline still passes.
    calibration : tuple[float, float], optional
        Allowed calibration slope; None for scores and forecasts that are no probabilities.
    forbidden : collection of str
        Columns that must not be used because they leak.
    features : str
        Notebook variable holding the list of feature columns; needed with ``forbidden``.
    ceiling : float, optional
        A metric above this is a sign of leakage.
    rows : str
        What the index is, in Chinese.
    """
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; known: {', '.join(METRICS)}")
    if forbidden and not features:
        raise ValueError("forbidden columns need `features`, the variable that lists those used")
    return Predictions(
        actual, baseline, metric, tolerance, calibration, tuple(forbidden), features, ceiling, rows
    )
