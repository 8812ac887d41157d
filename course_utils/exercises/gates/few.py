"""Says whether a step failed because a bank has too few rows for it, or none at all.

What most lessons do with an empty table ends in an error of some library that says nothing of it:
"index out of bounds", "division by zero". So the tables that were at hand where it happened are
looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from course_utils.errors import CourseError, MissingDataError, TooFewRowsError

#: Stand among the contract names of what a bank lacks.
TOO_FEW, UNFIT = "too_few_rows", "not_computable"
#: Errors that an empty table may cause.
_DATA_SHAPED = (
    CourseError, LookupError, ValueError, ArithmeticError, TypeError, AttributeError, Warning,
)  # fmt: skip
_COURSE = str(Path(__file__).parents[2])
_DEPTH = 6


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    for _ in range(_DEPTH):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def too_few(error: BaseException, used: Iterable[Any] = ()) -> bool:
    """Say whether an error comes from a table with too few rows.

    Parameters
    ----------
    error : BaseException
        What was raised.
    used : iterable of object
        Values that the step had to do with.
    """
    every = list(causes(error))
    if any(isinstance(one, MissingDataError) for one in every):
        return False
    if any(isinstance(one, TooFewRowsError) for one in every):
        return True
    if not any(isinstance(one, _DATA_SHAPED) for one in every):
        return False
    if any(_is_code_without_rows(one) for one in every):
        return True
    if any(_is_empty(value) for value in used):
        return True
    return any(_met_an_empty_table(one.__traceback__) for one in every)


def detail(error: BaseException) -> str:
    """Return what an error says to people; empty if it is not of the course."""
    for one in causes(error):
        if isinstance(one, CourseError):
            return str(one).strip().rstrip("。")
    return ""


def _met_an_empty_table(trace: TracebackType | None) -> bool:
    """Look at the tables in the functions that an error went through."""
    while trace is not None:
        frame = trace.tb_frame
        values = list(frame.f_locals.values()) if frame.f_code.co_name != "<module>" else []
        if frame.f_code.co_filename.startswith(_COURSE):
            values += [part for value in values for part in _parts(value)]
            found = any(_is_empty(value) for value in values)
        else:  # inside a library only the object whose method was called
            found = any(_is_empty(value) for value in _selves(frame.f_locals))
        if found:
            return True
        trace = trace.tb_next
    return False


def _selves(names: dict[str, Any]) -> Iterator[Any]:
    own = names.get("self")
    yield own
    yield getattr(own, "obj", None)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _is_empty(value: Any) -> bool:
    """Say whether a value is a table or a column without rows."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    kinds: tuple[type, ...] = ()
    if pandas is not None:
        kinds += (pandas.DataFrame, pandas.Series)
    if numpy is not None:
        kinds += (numpy.ndarray,)
    return isinstance(value, kinds) and value.ndim > 0 and len(value) == 0


def _is_code_without_rows(error: BaseException) -> bool:
    """Say whether a value of a code was looked for in a table that has no row of it."""
    key = error.args[0] if isinstance(error, KeyError) and error.args else None
    return isinstance(key, str) and key in _codes()


@cache
def _codes() -> frozenset[str]:
    from course_utils.contract import load_contract

    tables = load_contract().tables.values()
    return frozenset(code for table in tables for c in table.columns.values() for code in c.codes)
