"""Compare numbers with tolerance and say how they differ without saying what they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NEAR = 5e-3


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be off.

    Attributes
    ----------
    relative : float
        Share of the expected value.
    absolute : float
        In the number's own unit; 0 means float noise only, scaled to the largest value.
    decimals : int or None
        The question asks for rounding to so many decimals: exact and rounded values both pass.
    """

    relative: float = 1e-6
    absolute: float = 0.0
    decimals: int | None = None

    def close(self, answer: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Element by element: close enough, or both missing."""
        finite = np.abs(expected[np.isfinite(expected)])
        noise = max(1e-9, 1e-12 * float(finite.max())) if finite.size else 1e-9
        allowed = np.maximum(noise, self.absolute)
        if self.decimals is not None:
            allowed = max(allowed, 0.5 * 10.0**-self.decimals + noise)
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.abs(answer - expected) <= allowed + self.relative * np.abs(expected)
        return near | (answer == expected) | (np.isnan(answer) & np.isnan(expected))


STANDARD = Tolerance()
_Transform = tuple[Callable[[np.ndarray], np.ndarray], str]
_TRANSFORMS: tuple[_Transform, ...] = (
    (lambda e: e * 100, "数值放大了 100 倍：题目要的是小数，不是百分数。"),
    (lambda e: e / 100, "数值缩小到了百分之一：题目要的是百分数，不是小数。"),
    (lambda e: e * 1e4, "数值放大了 10000 倍：检查单位，是元还是万元。"),
    (lambda e: e / 1e4, "数值缩小到了万分之一：检查单位，是元还是万元。"),
    (lambda e: e * 1e8, "数值放大了一亿倍：检查单位，是元还是亿元。"),
    (lambda e: e / 1e8, "数值缩小到了一亿分之一：检查单位，是元还是亿元。"),
    (lambda e: -e, "正负号反了：想一想谁减谁。"),
    (lambda e: e * 12, "数值放大了 12 倍：检查是按月还是按年。"),
    (lambda e: e / 12, "数值缩小到了十二分之一：检查是按月还是按年。"),
    (lambda e: 1 / e, "像是分子、分母放反了。"),
)


def explain(answer: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str | None:
    """Say in one Chinese sentence how numbers differ as a whole.

    Parameters
    ----------
    answer, expected : numpy.ndarray
        One-dimensional float arrays of the same length, aligned.
    tolerance : Tolerance
        How far they may be off.

    Returns
    -------
    str or None
        None when all are close. An empty text when no single reason explains all of them.
    """
    close = tolerance.close(answer, expected)
    if close.all():
        return None
    missing = int((np.isnan(answer) & ~np.isnan(expected)).sum())
    if missing:
        return _missing(missing, len(answer))
    if np.isinf(answer).any() and not np.isinf(expected).any():
        return "结果里有无穷大：有除数是 0。先想好除数为 0 时该怎么办。"
    both = np.isfinite(answer) & np.isfinite(expected)
    if not both.all() and not close[~both].all():
        return ""
    return _as_a_whole(answer[both], expected[both], tolerance)


def _missing(missing: int, total: int) -> str:
    if total == 1:
        return "结果是空值（NaN）：检查数据里有没有缺失，或者除数是不是 0。"
    return f"结果里有 {missing} 个空值（NaN）：检查缺失值、合并（merge）没对上的行，或者除数为 0。"


def _as_a_whole(answer: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str:
    strict = Tolerance(relative=max(tolerance.relative, 1e-6))
    if not answer.any():
        return ""
    with np.errstate(all="ignore"):
        for transform, sentence in _TRANSFORMS:
            target = transform(expected)
            if np.isfinite(target).all() and strict.close(answer, target).all():
                return sentence
        if _is_share(expected) and strict.close(answer, 1 - expected).all():
            return "像是算成了另一半，也就是剩下的那一部分。"
        for decimals in range(9):
            if strict.close(answer, np.round(expected, decimals)).all():
                return "非常接近：请不要提前四舍五入，中间结果保留全部小数。"
        if (np.abs(answer - expected) <= NEAR * np.abs(expected)).all():
            return (
                "已经很接近，但还差一点：检查边界（>= 还是 >）、缺失值、重复行，或者提前四舍五入。"
            )
    return ""


def _is_share(expected: np.ndarray) -> bool:
    return bool(((expected >= 0) & (expected <= 1)).all())
