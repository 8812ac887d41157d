"""What was known at a date: rows that did not exist yet and values that nobody knew yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from course_utils.contract.model import Table


def known_at(table: Table, frame: pd.DataFrame, as_of: str | pd.Timestamp) -> pd.DataFrame:
    """Return the rows and values of `frame` that were known at the end of the day `as_of`.

    Rows after `as_of` go; a date with ``hide_after_as_of`` and a value whose ``known_on`` date
    (plus ``known_after_days``) lies after `as_of` become null. Columns that `frame` lacks are
    passed over, so read a column together with the one its ``known_on`` names.

    Parameters
    ----------
    table : Table
        Definition of the table.
    frame : pandas.DataFrame
        Its rows; not changed.
    as_of : str or Timestamp
        Last day that is known.
    """
    import pandas as pd

    day = pd.Timestamp(as_of).normalize()
    end = day + pd.Timedelta(days=1)
    if table.as_of is not None and table.as_of in frame:
        date = frame[table.as_of]
        frame = frame[(date < end) | date.isna()]
    if table.as_of_year is not None and table.as_of_year in frame:
        finished = day.year if (day.month, day.day) == (12, 31) else day.year - 1
        frame = frame[frame[table.as_of_year] <= finished]
    result = frame.copy()
    for column in table.columns.values():
        if column.name not in frame:
            continue
        # every comparison reads `frame`: a date may be blanked before a value that waits for it
        if column.hide_after_as_of:
            result[column.name] = frame[column.name].where(~(frame[column.name] >= end))
        elif column.known_on is not None and column.known_on in frame:
            wait = pd.Timedelta(days=column.known_after_days)
            unknown = frame[column.known_on] >= end - wait
            if unknown.any():
                values = frame[column.name].astype(column.dtype)
                result[column.name] = values.mask(unknown)
    return result
