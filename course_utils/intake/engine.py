"""``--engine``: raw rows stay where they live; only what was worked out from them is fetched.

A table of events that the mapping takes from a database (``database:``) is not read row by row:
its columns are renamed, coded and scaled by the same mapping in SQL, the marts run over it in the
bank's own engine, and the results are de-identified batch by batch before they are written.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.intake.marts import protecting, run_marts
from course_utils.intake.marts.engines import open_engine
from course_utils.intake.marts.mapped import contract_select
from course_utils.intake.privacy import Protector

if TYPE_CHECKING:
    from course_utils.contract import Contract
    from course_utils.intake.mapping import BankMapping, TableMapping
    from course_utils.intake.marts import Derived

#: Size of the tables that are never read row by row where an engine can do it.
EVENTS = "per_event"


def staying(mapping: BankMapping, contract: Contract) -> list[TableMapping]:
    """Return the sources whose rows stay in the engine.

    Raises
    ------
    CourseError
        If there are none, or a table has several.
    """
    kept = [
        part
        for part in mapping
        if part.database is not None and contract.table(part.table).size == EVENTS
    ]
    if not kept:
        raise CourseError(
            "mapping.yml 里没有从数据库取的流水类表，--engine 用不上："
            "请给交易流水、商户日交易写上 database，或去掉 --engine。"
        )
    if len({part.table for part in kept}) < len(kept):
        raise CourseError("--engine 的一张表只能有一个来源：请在数据库里先用视图把它们合在一起。")
    return kept


def fetch_marts(
    engine: str,
    mapping: BankMapping,
    contract: Contract,
    key: bytes,
    as_of: datetime.date,
    folder: Path,
) -> list[Derived]:
    """Run the marts over the tables that stay in the engine.

    Parameters
    ----------
    engine : str
        Address, see :func:`course_utils.intake.marts.engines.open_engine`.
    mapping : BankMapping
        Where the tables are.
    contract : Contract
        Their definitions.
    key : bytes
        The bank's key.
    as_of : datetime.date
        Day of the extraction.
    folder : pathlib.Path
        Where the marts are written.

    Raises
    ------
    CourseError
        If the mapping leaves nothing to the engine, or the engine does not answer.
    """
    running = open_engine(engine)
    try:
        tables = {
            part.table: contract_select(running, part, contract.table(part.table))
            for part in staying(mapping, contract)
        }
        folder.mkdir(parents=True, exist_ok=True)
        protect = protecting(Protector(key), contract)
        return run_marts(running, tables, as_of, folder, protect=protect)
    finally:
        running.close()
