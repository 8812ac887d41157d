"""Checks of arguments that every family uses."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from course_utils.errors import CourseError, TooFewRowsError


def columns(frame: pd.DataFrame, names: Iterable[str], what: str) -> None:
    """Refuse a frame that lacks columns.

    Parameters
    ----------
    frame : DataFrame
        What the caller passed.
    names : iterable of str
        Columns that must exist.
    what : str
        Chinese name of the calculation, for the message.

    Raises
    ------
    CourseError
        A column is missing.
    """
    missing = [str(name) for name in names if name not in frame.columns]
    if missing:
        have = "、".join(map(str, frame.columns))
        raise CourseError(f"计算{what}缺少列“{'、'.join(missing)}”，现有列：{have}，请检查列名。")


def that(condition: bool, message: str) -> None:
    """Raise :class:`CourseError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise CourseError(message)


def enough(condition: bool, message: str) -> None:
    """Raise :class:`TooFewRowsError` with ``message`` unless there are rows enough."""
    if not condition:
        raise TooFewRowsError(message)
