"""Read ``data/contract/*.yml`` (ODCS 3.1) strictly into the typed contract."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from course_utils import kept
from course_utils.contract.model import Column, Contract, Table
from course_utils.contract.odcs import SPELT, ContractError, mapping, read_area, read_head
from course_utils.paths import data_dir

__all__ = ["ContractError", "load_contract"]

_MISSING = dataclasses.MISSING
#: Attributes of a column or table and the Python types that a value may have.
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = MappingProxyType(
    {
        "str": ((str,), "文字"),
        "str | None": ((str,), "文字"),
        "bool": ((bool,), "true 或 false"),
        "int": ((int,), "整数"),
        "float | None": ((int, float), "数字"),
        "tuple[str, ...]": ((list,), "方括号里的一串文字"),
    }
)


def load_contract(folder: str | Path | None = None) -> Contract:
    """Return the contract; files are read once a process.

    Parameters
    ----------
    folder : path, optional
        Folder with the contract files; the project's own if left out.

    Raises
    ------
    ContractError
        If a file is missing, is not valid YAML 1.2, holds a key twice, or has an attribute that
        is missing, unknown or of the wrong type.
    """
    path = data_dir("contract") if folder is None else Path(folder)
    return _load(path.resolve())


@cache
def _load(folder: Path) -> Contract:
    sources = {path.name: path.read_bytes() for path in folder.glob("*.yml") if path.is_file()}
    files = {Path(name).stem for name in sources} - {"contract"}
    place = _place(folder, sources)
    known = kept.recall(place)
    if isinstance(known, dict) and known.keys() == sources.keys():
        # a damaged file is parsed anew below
        with contextlib.suppress(ContractError, AttributeError, KeyError, TypeError):
            return _assemble(known.__getitem__, files)
    parsed: dict[str, Any] = {}

    def read(name: str) -> Any:
        translate = read_head if name == "contract.yml" else read_area
        parsed[name] = translate(_parse(name, sources.get(name)), name)
        return parsed[name]

    contract = _assemble(read, files)
    kept.keep(place, parsed)
    return contract


def _place(folder: Path, sources: Mapping[str, bytes]) -> Path | None:
    """Return where the attributes are kept; only those of the project's own contract are."""
    if folder != data_dir("contract").resolve():
        return None
    texts = [part for name in sorted(sources) for part in (name.encode(), sources[name])]
    return kept.place_for("contract", [b"format 3", *texts])


def _assemble(read: Callable[[str], Any], files: set[str]) -> Contract:
    """Turn the attributes of all `files` into the contract; `read` gives those of one by name."""
    head = mapping(read("contract.yml"), "contract.yml")
    names, version = head.get("areas"), head.get("version")
    if not isinstance(names, list) or not isinstance(version, str):
        raise ContractError("contract.yml 应当写明 version 和 areas，请补上。")
    if missing := [area for area in names if area not in files]:
        raise ContractError(f"数据契约缺少文件 {missing[0]}.yml，请补上或从 areas 里删去它。")
    if surplus := sorted(files - set(names)):
        raise ContractError(f"数据契约的 {surplus[0]}.yml 没有列进 contract.yml 的 areas，请补列。")
    areas: dict[str, str] = {}
    raws: dict[str, Any] = {}
    owner: dict[str, str] = {}
    for area in names:
        file = f"{area}.yml"
        raw = mapping(read(file), file)
        if raw.get("version") != version:
            raise ContractError(f"{file} 的版本与 contract.yml 的“{version}”不同，请一起修改。")
        areas[area] = str(raw.get("name"))
        for name, body in mapping(raw.get("tables"), f"{file} 的 schema").items():
            if name in raws:
                raise ContractError(
                    f"{file} 里的表“{name}”在 {owner[name]}.yml 里已经有了，请删去一处。"
                )
            raws[name], owner[name] = body, area
    _spread_protection(raws)
    tables = {name: _table(name, body, owner[name]) for name, body in raws.items()}
    return Contract(
        version=version,
        tables=MappingProxyType(tables),
        areas=MappingProxyType(areas),
        legend=MappingProxyType(mapping(head.get("legend"), "contract.yml 的 legend")),
    )


def _spread_protection(tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Give every column that refers to a key the protection of that key, unless it says its own."""

    def rule(column: Mapping[str, Any], depth: int = 0) -> str | None:
        if "protect" in column or "references" not in column or depth > len(tables):
            return column.get("protect")
        table, _, name = str(column["references"]).partition(".")
        # a reference to nowhere is a fault that the contract's own check names
        target = tables.get(table, {}).get("columns", {}).get(name)
        return rule(target, depth + 1) if target else None

    for table in tables.values():
        for column in table["columns"].values():
            if (found := rule(column)) is not None:
                column["protect"] = found


def _parse(name: str, source: bytes | None) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if source is None:
        raise ContractError(f"找不到数据契约文件 {name}，请检查 data/contract 文件夹是否完整。")
    try:
        text = io.TextIOWrapper(io.BytesIO(source), encoding="utf-8").read()
        # pure=True: the optional C reader follows YAML 1.1
        return YAML(typ="safe", pure=True).load(text)
    except UnicodeDecodeError:
        raise ContractError(f"数据契约文件 {name} 不是 UTF-8 编码，请另存后再试。") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行第 {mark.column + 1} 列附近" if mark else "某处"
        raise ContractError(
            f"数据契约文件 {name} 在{where}写法不对，请检查缩进、引号和有没有重复的键。"
        ) from None


def _table(name: str, body: Any, area: str) -> Table:
    where = f"{area}.yml 的表 {name}"
    values = dict(mapping(body, where))
    columns = mapping(values.pop("columns", None), f"{where} 的 columns")
    values = _attributes(Table, values, where, given=frozenset({"name", "area", "columns"}))
    return Table(
        name=name,
        area=area,
        columns=MappingProxyType({key: _column(key, col, where) for key, col in columns.items()}),
        **values,
    )


def _column(name: str, body: Any, where: str) -> Column:
    where = f"{where} 的列 {name}"
    return Column(
        name=name, **_attributes(Column, mapping(body, where), where, given=frozenset({"name"}))
    )


@cache
def _fields(cls: type, given: frozenset[str]) -> dict[str, Any]:
    return {f.name: f for f in dataclasses.fields(cls) if f.name not in given}


def _attributes(
    cls: type, values: Mapping[str, Any], where: str, given: frozenset[str]
) -> dict[str, Any]:
    """Check the attributes of one table or column and turn lists into tuples."""
    fields = _fields(cls, given)
    result: dict[str, Any] = {}
    for key, value in values.items():
        kinds, label = _KINDS[str(fields[key].type)]
        wrong_bool = isinstance(value, bool) and bool not in kinds
        wrong_item = isinstance(value, list) and not all(isinstance(v, str) for v in value)
        if not isinstance(value, kinds) or wrong_bool or wrong_item:
            spelt = SPELT.get(key, key)
            raise ContractError(
                f"数据契约 {where} 的“{spelt}”应当是{label}，现在是“{value}”，请修改。"
            )
        result[key] = tuple(value) if isinstance(value, list) else value
    for key, entry in fields.items():
        if key not in result and entry.default is _MISSING and entry.default_factory is _MISSING:
            raise ContractError(f"数据契约 {where} 缺少“{SPELT.get(key, key)}”，请补上。")
    return result
