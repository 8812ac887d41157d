"""Write a class release: another bank, ``<code>_class``, that trainees may work with."""

from __future__ import annotations

import dataclasses
import json
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank import parquet
from course_utils.bank.parquet import rows_of
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.files import fresh_folder, write_text
from course_utils.intake.privacy.release import attack, crowd, mart
from course_utils.intake.privacy.release.cost import Cost, cost_of
from course_utils.intake.privacy.release.noise import SCALE, WIDTHS, Noise
from course_utils.intake.privacy.tokens import Tokens
from course_utils.paths import data_dir, warehouse_dir

if TYPE_CHECKING:
    import duckdb

    from course_utils.bank.profile import Profile
    from course_utils.contract import Table

SUFFIX = "_class"
_NEEDED = ("customer", "customer_month")
_RECORD = "release.json"


@dataclass(frozen=True)
class ClassRelease:
    """What a class release came to.

    Parameters
    ----------
    code : str
        Code of the bank that was made.
    folder : pathlib.Path
        Its tables.
    tables : dict of str to int
        Table → rows.
    crowd : Crowd
        k-anonymity of its customers.
    width : float
        Noise of a cell.
    raw, rounded, released : Attack
        Re-identification in transactions (None without any), in month totals that are scaled and
        rounded only, and in the release.
    cost : Cost
        How far the key figures moved.
    """

    code: str
    folder: Path
    tables: dict[str, int]
    crowd: crowd.Crowd
    width: float
    raw: attack.Attack | None
    rounded: attack.Attack
    released: attack.Attack
    cost: Cost


def release_class(
    profile: Profile, k: int = crowd.K_CLASS, say: Callable[[str], None] = lambda text: None
) -> ClassRelease:
    """Make the class release of a bank.

    Parameters
    ----------
    profile : Profile
        The bank; a synthetic one serves for trying it out.
    k : int
        Smallest group of customers who look alike.
    say : callable
        Told in Chinese what is being done.

    Raises
    ------
    CourseError
        If the bank lacks customers or their months, or more than 1 % of the customers can be
        singled out however much noise is added.
    """
    import duckdb

    source = warehouse_dir(profile.code)
    _require(profile, source)
    if profile.release:
        raise CourseError(f"“{profile.name}”已经是课堂版，不能再做一次；请用原来那家银行的代号。")
    with duckdb.connect(config={"threads": 1}) as connection:
        say("把客户归并成组")
        columns = parquet.stored_columns(source, "customer")
        group = crowd.build_crowd(connection, _rows(source, "customer"), columns, k)
        if _has(source, "loan", "customer_id", "five_class"):
            least = crowd.diversity(connection, _rows(source, "loan"), group)
            group = dataclasses.replace(group, diversity=least)
        months = mart.Mart(
            connection,
            _rows(source, "customer_month"),
            load_contract().table("customer_month"),
            list(parquet.stored_columns(source, "customer_month")),
        )
        key = bytearray(secrets.token_bytes(32))
        try:
            say("试着认人，定扰动的宽度")
            width, released = _choose_width(profile, months, bytes(key))
            rounded = _attack(months, bytes(key), 0.0)
            raw = _attack_raw(connection, source)
            say("写出课堂版")
            result = _write(profile, connection, months, bytes(key), width, columns, k)
        finally:
            # nobody, we included, can link the release with the bank's own pseudonyms again
            key[:] = bytes(len(key))
    code, folder, rows, cost = result
    release = ClassRelease(code, folder, rows, group, width, raw, rounded, released, cost)
    write_text(folder / _RECORD, json.dumps(describe(release), ensure_ascii=False, indent=1))
    return release


def describe(release: ClassRelease) -> dict[str, Any]:
    """Return a release as plain data, for the record beside it and the report."""
    plain = dataclasses.asdict(release)
    plain.pop("folder")
    plain["scale"] = SCALE
    plain["crowd"]["share_left_out"] = release.crowd.share_left_out
    return plain


def last_release(code: str) -> dict[str, Any] | None:
    """Return what the last class release of a bank came to, or None."""
    path = warehouse_dir(code + SUFFIX) / _RECORD
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _require(profile: Profile, source: Path) -> None:
    missing = [name for name in _NEEDED if not (source / f"{name}.parquet").is_file()]
    if missing:
        names = "、".join(load_contract().table(name).zh for name in missing)
        raise CourseError(
            f"“{profile.name}”缺少{names}，做不了课堂版："
            "请先运行 course intake 补上，或用合成数据上课。"
        )


def _rows(folder: Path, table: str) -> str:
    return rows_of(folder / f"{table}.parquet")


def _has(folder: Path, table: str, *columns: str) -> bool:
    """Say whether a bank has a table with these columns."""
    there = (folder / f"{table}.parquet").is_file()
    return there and set(columns) <= set(parquet.stored_columns(folder, table))


def _attack(months: mart.Mart, key: bytes, width: float) -> attack.Attack:
    noise = Noise(key, months.customers, width)
    return attack.attack_cells(mart.attack_cells_of(months, noise), width)


def _choose_width(profile: Profile, months: mart.Mart, key: bytes) -> tuple[float, attack.Attack]:
    """Return the smallest noise with which the goal is reached."""
    for width in WIDTHS:
        result = _attack(months, key, width)
        if result.singled_out <= attack.GOAL:
            return width, result
    raise CourseError(
        f"“{profile.name}”的客户太少或太特殊：扰动加到 ±{WIDTHS[-1]:.0%}，"
        f"仍有 {result.singled_out:.1%} 的客户能被认出（目标 {attack.GOAL:.0%} 以内），"
        "不能做课堂版，请改用合成数据上课。"
    )


def _attack_raw(connection: duckdb.DuckDBPyConnection, source: Path) -> attack.Attack | None:
    if not _has(source, "transaction", "date", "amount", "kind", "direction", "customer_id"):
        return None
    return attack.attack_transactions(connection, _rows(source, "transaction"))


def _write(
    profile: Profile,
    connection: duckdb.DuckDBPyConnection,
    months: mart.Mart,
    key: bytes,
    width: float,
    customer_columns: Mapping[str, str],
    k: int,
) -> tuple[str, Path, dict[str, int], Cost]:
    code = profile.code + SUFFIX
    source, target = warehouse_dir(profile.code), warehouse_dir(code)
    with fresh_folder(target) as folder, tempfile.TemporaryDirectory(dir=folder) as scratch:
        writer = _Writer(connection, source, folder, k)
        pseudonyms = Tokens(key).make("customer", months.customers)
        noise = Noise(key, months.customers, width)
        cost = _write_months(months, noise, pseudonyms, Path(scratch), writer)
        writer.customers(months.customers, pseudonyms, Tokens(key), customer_columns)
        writer.years()
        writer.reference_tables()
        write_text(
            folder / "manifest.json",
            json.dumps({"bank": code, "origin": profile.code, "rows": writer.rows}),
        )
    _write_profile(profile, code)
    return code, target, writer.rows, cost


def _write_months(
    months: mart.Mart, noise: Noise, pseudonyms: list[str], scratch: Path, writer: _Writer
) -> Cost:
    import numpy as np

    true, released = [], []
    name = "aum_average" if "aum_average" in months.columns else months.amounts[0]
    for number, (before, after) in enumerate(mart.released_months(months, noise)):
        mart.write_shard(after, months, pseudonyms, scratch / f"{number:04}.parquet")
        true.append(before.values[name].astype(np.float32))
        released.append(after.values[name].astype(np.float32))
    source = rows_of(scratch / "*.parquet")
    # the files are in order already, and too much to be sorted in memory
    writer.write("customer_month", source, months.columns, in_order=True)
    return cost_of(np.stack(true, axis=1), np.stack(released, axis=1))


class _Writer:
    """Writes the tables of a release and counts their rows."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: Path, folder: Path, k: int
    ) -> None:
        self.rows: dict[str, int] = {}
        self._connection, self._source, self._folder, self._k = connection, source, folder, k

    def write(self, name: str, source: str, columns: Any, in_order: bool = False) -> None:
        """Write rows in the order of their key: pseudonyms leave nothing of the old order."""
        table = load_contract().table(name)
        path = self._folder / f"{name}.parquet"
        order = [] if in_order else [key for key in table.grain if key in columns]
        parquet.write(self._connection, source, table, columns, path, order)
        count = self._connection.execute(f"SELECT count(*) FROM {_rows(self._folder, name)}")
        self.rows[name] = int(count.fetchall()[0][0])

    def customers(
        self,
        ids: list[str],
        pseudonyms: list[str],
        tokens: Tokens,
        stored: Mapping[str, str],
    ) -> None:
        """Write the customers of the crowd; what is not in it is left out, or says nothing."""
        import pandas as pd

        persons = tokens.make("person", ids)
        pairs = pd.DataFrame({"old": ids, "new": pseudonyms, "person": persons}, dtype=object)
        self._connection.register("pairs", pairs)
        table = load_contract().table("customer")
        known = {"customer_id": "new", "id_hash": "person", "masked_name": "'客户'"}
        known |= {name: f'crowd."{name}"' for name in (*crowd.LADDERS, *crowd.PLAIN)}
        columns = {name: known[name] for name in table.columns if name in stored and name in known}
        columns |= {
            name: "NULL"
            for name, column in table.columns.items()
            if name in stored and name not in known and column.nullable and not column.optional
        }
        selected = ", ".join(f'{columns[name]} AS "{name}"' for name in columns)
        joined = f"(SELECT {selected} FROM crowd JOIN pairs ON crowd.customer_id = pairs.old)"
        self.write("customer", joined, [name for name in table.columns if name in columns])
        self._connection.unregister("pairs")

    def years(self) -> None:
        """Write the years of customers from the released months: nothing more is told by them."""
        table = load_contract().table("customer_year")
        months = _rows(self._folder, "customer_month")
        stored = parquet.stored_columns(self._folder, "customer_month")
        needed = {"demand_deposit_average", "term_deposit_average", "aum_average", "product_count"}
        if not needed <= set(stored):
            return
        source = (
            "(SELECT year(month) AS year, customer_id, "
            "round(avg(demand_deposit_average + term_deposit_average), 2) AS deposit_average, "
            "round(avg(term_deposit_average), 2) AS term_deposit_average, "
            "round(avg(aum_average), 2) AS aum_average, "
            f"arg_max(product_count, month) AS product_count FROM {months} "
            "GROUP BY ALL HAVING count(*) = 12)"
        )
        self.write("customer_year", source, list(table.columns))

    def reference_tables(self) -> None:
        """Copy what holds no person: public tables, and branches' totals of enough customers."""
        large = "SELECT NULL"  # without customers' branches nobody knows which are large enough
        if _has(self._source, "customer", "branch_id"):
            customers = _rows(self._source, "customer")
            large = f"SELECT branch_id FROM {customers} GROUP BY 1 HAVING count(*) >= {self._k}"
        for name, table in load_contract().tables.items():
            if name not in parquet.tables(self._source) or not is_public(table):
                continue
            stored = parquet.stored_columns(self._source, name)
            columns = [column for column in table.columns if column in stored]
            selected = ", ".join(
                f'NULL AS "{one}"' if table.columns[one].domain else f'"{one}"' for one in columns
            )
            source = f"SELECT {selected} FROM {_rows(self._source, name)}"
            if "branch_id" in columns and table.size == "per_branch" and name != "branch":
                source += f" WHERE branch_id IN ({large})"
            self.write(name, f"({source})", columns)


def is_public(table: Table) -> bool:
    """Say whether a table holds no person at all and may be part of a class release."""
    if table.checker_only or table.size not in ("static", "per_branch"):
        return False
    return all(
        column.privacy == "C1"
        and column.protect in ("keep", "free_text", "pseudonym:employee")
        and (column.domain is None or column.nullable)
        for column in table.columns.values()
    )


def _write_profile(profile: Profile, code: str) -> None:
    """Write the profile of the release: the bank's own, without what is for its intake alone."""
    from ruamel.yaml import YAML

    content: dict[str, Any] = {
        "name": f"{profile.name}（课堂版）",
        "kind": profile.kind,
        "as_of": profile.as_of.date(),
        "origin": profile.code,
        "release": "class",
    }
    for key in ("department", "contact"):
        if value := getattr(profile, key):
            content[key] = value
    if profile.purge_on is not None:
        content["purge_on"] = profile.purge_on
    content["parameters"] = {
        name: dict(values) for name, values in (profile.parameters or {}).items()
    }
    from io import StringIO

    text = StringIO()
    yaml = YAML()
    yaml.allow_unicode = True
    yaml.dump(content, text)
    path = data_dir("banks") / code / "bank.yml"
    write_text(
        path,
        f"# 课堂版：由 course release {profile.code} --tier class 生成，请不要手改。\n"
        + text.getvalue(),
    )
