"""``open_bank``: the tables of one bank as pandas frames, cut at the as-of date."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank import columnar, labels, parquet
from course_utils.bank.profile import Profile, load_profile
from course_utils.contract import Table, known_at, load_contract
from course_utils.errors import CourseError, MissingDataError
from course_utils.paths import warehouse_dir

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd

#: Files of banks that this process has read, as ``"<bank>/<file>"``: what a lesson depends on.
FILES_READ: set[str] = set()
#: Tables and columns of real banks that this process asked for in vain, by contract name.
ASKED_IN_VAIN: set[str] = set()


def open_bank(code: str, as_of: str | pd.Timestamp | None = None) -> Bank:
    """Open one bank.

    Parameters
    ----------
    code : str
        Code of the bank, the name of its folder under ``data/banks``.
    as_of : str or Timestamp, optional
        Date at which the analysis stands; the profile's date if left out. Nothing that was not
        known at that date can be seen through the bank.

    Raises
    ------
    CourseError
        If the bank is unknown, has no tables yet, or `as_of` lies outside its data.
    """
    return Bank(load_profile(code), as_of)


class Bank:
    """The tables of one bank at one date. Use :func:`open_bank`.

    Attributes
    ----------
    code, name : str
    profile : Profile
    as_of : pandas.Timestamp
    folder : pathlib.Path
        Where the Parquet files lie, or in a browser the columns.
    """

    def __init__(self, profile: Profile, as_of: str | pd.Timestamp | None = None) -> None:
        self.profile = profile
        self.code = profile.code
        self.name = profile.name
        self.folder: Path = warehouse_dir(profile.code)
        if not self.folder.is_dir():
            command = f"intake {self.code}" if self.is_real else f"bank generate --bank {self.code}"
            raise CourseError(f"“{self.name}”还没有数据：请先运行 course {command}。")
        self._columnar = columnar.is_here(self.folder)
        self._cache: dict[str, pd.DataFrame] = {}
        self._stored: dict[str, dict[str, str]] = {}
        #: Columns, ``"loan.purpose"``, that were asked for and left out of what was returned.
        self.left_out: list[str] = []
        self._stood_in: set[str] = set()
        self.as_of = self._parse_as_of(as_of)

    def __repr__(self) -> str:
        return f"<{self.name}，截至 {self.as_of:%Y-%m-%d}，{len(self.tables)} 张表>"

    @property
    def is_real(self) -> bool:
        """Whether the tables come from a bank's own exports, so that some may be missing."""
        return bool(getattr(self.profile, "is_real", False))

    @property
    def _store(self) -> ModuleType:
        """The module that reads this bank's files; both have the same functions."""
        return columnar if self._columnar else parquet

    @cached_property
    def tables(self) -> list[str]:
        """Names of the tables that this bank has."""
        return self._store.tables(self.folder)

    @cached_property
    def truth(self) -> dict[str, Any] | None:
        """Planted truth of a synthetic bank; None for a real bank and in the trainee kit."""
        path = self.folder / "truth.json"
        if not path.is_file():
            return None
        FILES_READ.add(f"{self.code}/truth.json")
        return json.loads(path.read_text(encoding="utf-8"))

    def has(self, name: str) -> bool:
        """Say whether the bank has the table ``"loan"`` or the column ``"loan.purpose"``."""
        table, _, column = name.partition(".")
        there = table in self.tables and (not column or column in self._stored_columns(table))
        if not there and self.is_real:
            ASKED_IN_VAIN.add(name)
        return there

    def missing(self, *names: str) -> list[str]:
        """Return the Chinese names of those tables or columns that the bank lacks."""
        return [labels.chinese(name) for name in names if not self.has(name)]

    @property
    def tables_read(self) -> list[str]:
        """Names of the tables that have been looked at so far."""
        return [*self._stored, *sorted(self._stood_in)]

    @property
    def tables_absent(self) -> frozenset[str]:
        """Names of the contract's tables that this bank has not got."""
        return frozenset(load_contract().tables) - set(self.tables)

    def lacking_columns(self, name: str) -> frozenset[str]:
        """Return the columns of the contract that this bank's table has not got."""
        definition = load_contract().table(name)
        if name not in self.tables:
            made = labels.LABELS[name] if name in self._stood_in else ()
            return frozenset(definition.columns) - set(made)
        return frozenset(definition.columns) - set(self._stored_columns(name))

    def load(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table of the bank as it was known at the as-of date.

        Parameters
        ----------
        name : str
            English table name of the data contract, for example ``"deposit_account"``.
        columns : sequence of str, optional
            Read only these columns.

        Returns
        -------
        pandas.DataFrame
            A fresh frame; changing it changes nothing for others.

        Raises
        ------
        CourseError
            If the contract has no such table or column, the bank lacks it, or only the checks may
            read it.
        """
        definition = load_contract().table(name)
        if definition.checker_only:
            raise CourseError(
                f"“{definition.zh}”（{name}）只供检查和计分使用，课堂上不能读：请用已有的数据作判断。"
            )
        return self._load(definition, columns)

    def load_hidden(self, name: str) -> pd.DataFrame:
        """Return a table that only checks and score sheets may read.

        In the trainee kit it holds the public half alone.

        Raises
        ------
        CourseError
            If the bank lacks it.
        """
        return self._load(load_contract().table(name), None)

    def _load(self, definition: Table, columns: Sequence[str] | None) -> pd.DataFrame:
        name = definition.name
        if name not in self.tables:
            return self._without_table(definition, columns)
        wanted = self._check_columns(definition, columns)
        if wanted is not None and len(wanted) < len(columns or ()):
            return labels.filled(self._read(definition, wanted), definition, columns)
        if name in self._cache:
            frame = self._cache[name]
            return frame.copy(deep=False) if wanted is None else frame[wanted].copy(deep=False)
        frame = self._read(definition, wanted)
        if wanted is None:
            frame = labels.filled(frame, definition) if self.is_real else frame
            self._cache[name] = frame
            return frame.copy(deep=False)
        return frame

    def _without_table(self, table: Table, columns: Sequence[str] | None) -> pd.DataFrame:
        """Return a table of labels made from the ids elsewhere; other tables cannot be replaced."""
        ASKED_IN_VAIN.add(table.name)
        made = labels.stand_in(self, table, columns) if self.is_real else None
        if made is not None:
            self._stood_in.add(table.name)
            return made
        advice = (
            "请在数据映射中补上后重新运行 course intake"
            if self.is_real
            else f"请重新运行 course bank generate --bank {self.code}"
        )
        raise MissingDataError(
            f"“{self.name}”没有“{table.zh}”（{table.name}）这张表，{advice}。", (table.name,)
        )

    def output_dir(self, lesson: str = "") -> Path:
        """Return (and make) the folder for deliverables: ``成果`` beside the notebook.

        The build sets ``COURSE_OUTPUT`` so that two banks never write into one folder.
        """
        folder = Path(os.environ.get("COURSE_OUTPUT", "成果")) / lesson
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            raise CourseError(
                f"无法在“{folder}”写文件：请换一个可写的文件夹，或检查磁盘是否已满。"
            ) from None
        return folder

    def _stored_columns(self, name: str) -> dict[str, str]:
        """Return column → DuckDB type, in the order of the file."""
        if name not in self._stored:
            self._note_read(name)
            self._stored[name] = self._store.stored_columns(self.folder, name)
        return self._stored[name]

    def _note_read(self, name: str) -> None:
        FILES_READ.add(f"{self.code}/{name}.parquet")

    def _check_columns(self, table: Table, columns: Sequence[str] | None) -> list[str] | None:
        if columns is None:
            return None
        if isinstance(columns, str):
            columns = [columns]
        stored = list(self._stored_columns(table.name))
        lacking = [c for c in columns if c not in stored and c in table.columns]
        if lacking:
            self._note_lacking(table, lacking, found=len(lacking) < len(columns))
        for column in columns:
            if column in stored or column in lacking:
                continue
            near = difflib.get_close_matches(column, stored, 1)
            guess = f"最接近的是“{near[0]}”。" if near else ""
            raise CourseError(f"“{table.zh}”（{table.name}）没有“{column}”这一列。{guess}")
        return [c for c in columns if c in stored]

    def _note_lacking(self, table: Table, lacking: Sequence[str], *, found: bool) -> None:
        """Stop, unless a real bank has other columns of those asked for: it goes on with them.

        Only the step that uses a column which is not there fails, not all that follow the reading.
        """
        names = tuple(f"{table.name}.{column}" for column in lacking)
        ASKED_IN_VAIN.update(names)
        if self.is_real and found:
            self.left_out += [n for n in names if n.partition(".")[2] not in labels.CONSTANTS]
            return
        words = "、".join(f"“{table.columns[c].zh}”（{c}）" for c in lacking)
        raise MissingDataError(
            f"“{self.name}”的“{table.zh}”缺少{words}这{'一列' if len(lacking) == 1 else '几列'}，"
            "请在数据映射中补上。",
            names,
        )

    def _read(self, table: Table, columns: list[str] | None) -> pd.DataFrame:
        if self.as_of == self.profile.as_of:
            return self._fetch(table, columns)
        stored = list(self._stored_columns(table.name))
        wanted = stored if columns is None else columns
        # the dates that decide what was known must be read even if nobody asked for them
        deciding = [table.as_of, table.as_of_year]
        deciding += [table.columns[c].known_on for c in wanted if c in table.columns]
        extra = [c for c in dict.fromkeys(deciding) if c in stored and c not in wanted]
        frame = known_at(table, self._fetch(table, [*wanted, *extra]), self.as_of)
        return frame[list(wanted)].reset_index(drop=True)

    def _fetch(self, table: Table, columns: list[str] | None) -> pd.DataFrame:
        stored = self._stored_columns(table.name)
        texts = [c for c in columns or stored if stored[c] == "VARCHAR" and c in table.columns]
        codes = [c for c in texts if table.columns[c].type == "code"]
        self._note_read(table.name)
        return self._store.read(self.folder, table.name, columns, codes)

    def _parse_as_of(self, as_of: str | pd.Timestamp | None) -> pd.Timestamp:
        import pandas as pd

        last = self.profile.as_of
        if as_of is None:
            return last
        date = pd.to_datetime(as_of, errors="coerce")
        if pd.isna(date):
            raise CourseError(f'AS_OF 应写成 "2025-12-31" 这样的日期，现在是“{as_of}”。')
        date = date.normalize()
        first = self._first_month()
        if not first <= date <= last:
            raise CourseError(
                f"AS_OF {date:%Y-%m-%d} 不在“{self.name}”的数据范围内："
                f"请取 {first:%Y-%m-%d} 至 {last:%Y-%m-%d} 之间的日期。"
            )
        return date

    def _first_month(self) -> pd.Timestamp:
        import pandas as pd

        if "customer_month" not in self.tables:
            return self.profile.as_of - pd.DateOffset(years=2)
        table, column = "customer_month", "month"
        self._note_read(table)
        return pd.Timestamp(self._store.smallest(self.folder, table, column))
