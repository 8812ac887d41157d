"""Read one contract in the Open Data Contract Standard (ODCS 3.1) as plain attributes.

Only the part of the standard that the course gives a meaning to is accepted: what would be passed
over in silence is an error instead. `docs/contract.md` lists it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from course_utils.contract.model import nearest
from course_utils.errors import CourseError

#: Default unit of a contract type.
UNITS: Mapping[str, str] = MappingProxyType({"money": "元", "percent": "%"})
#: Logical type → physical type in DuckDB, contract type, and the types that ``kind`` may narrow
#: it to.
LOGICAL_TYPES: Mapping[str, tuple[str, str, tuple[str, ...]]] = MappingProxyType(
    {
        "string": ("VARCHAR", "text", ("id",)),
        "boolean": ("BOOLEAN", "flag", ()),
        "integer": ("BIGINT", "integer", ()),
        "number": ("DOUBLE", "number", ("money", "percent", "ratio")),
        "date": ("DATE", "date", ("month",)),
        "timestamp": ("TIMESTAMP", "timestamp", ()),
    }
)
#: Our own properties of a column and of a table, and the attributes that they become.
COLUMN_PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "kind": "type",
        "unit": "unit",
        "optional": "optional",
        "hideAfterAsOf": "hide_after_as_of",
        "knownOn": "known_on",
        "knownAfterDays": "known_after_days",
        "snapshot": "snapshot",
        "locked": "locked",
        "protect": "protect",
        "quasiIdentifier": "quasi_identifier",
        "coarsen": "coarsen",
        "empty": "empty",
    }
)
TABLE_PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "owner": "owner",
        "size": "size",
        "release": "release",
        "asOf": "as_of",
        "asOfYear": "as_of_year",
        "optional": "optional",
        "checkerOnly": "checker_only",
        "lessons": "lessons",
    }
)
_HEAD = ("apiVersion", "kind", "id", "name", "version", "status")
_TABLE = ("name", "businessName", "description", "physicalType", "customProperties", "properties")
_TEXTS = MappingProxyType(
    {"businessName": "zh", "description": "meaning", "classification": "privacy"}
)
#: What the files call an attribute, where it is not called the same.
SPELT: Mapping[str, str] = MappingProxyType(
    {attribute: name for name, attribute in (*_TEXTS.items(), *COLUMN_PROPERTIES.items())}
    | {attribute: name for name, attribute in TABLE_PROPERTIES.items()}
    | {"codes": "validValues", "references": "to"}
)
_COLUMN = (
    "name",
    *_TEXTS,
    "logicalType",
    "physicalType",
    "logicalTypeOptions",
    "primaryKey",
    "primaryKeyPosition",
    "required",
    "tags",
    "quality",
    "relationships",
    "customProperties",
)
_LIMITS = ("minimum", "maximum")


class ContractError(CourseError):
    """The contract files themselves are wrong: a matter for the course author."""


def read_head(document: Any, file: str) -> dict[str, Any]:
    """Return version, areas and legend of the contract that lists the others.

    Parameters
    ----------
    document : object
        The parsed YAML of ``contract.yml``.
    file : str
        Its name, for messages.

    Raises
    ------
    ContractError
        If it is not a contract of ODCS 3.1, or holds what the course gives no meaning to.
    """
    head = _document(document, file, ("description", "customProperties"))
    own = _custom(head, {"areas": "areas", "legend": "legend"}, file)
    areas, legend = own.get("areas"), own.get("legend")
    if not isinstance(areas, list) or not areas or not all(isinstance(a, str) for a in areas):
        raise ContractError(f"{file} 的 areas 应当是方括号里的一串文件名，请修改。")
    return {
        "version": head["version"],
        "areas": areas,
        "legend": mapping(legend, f"{file} 的 legend"),
    }


def read_area(document: Any, file: str) -> dict[str, Any]:
    """Return the Chinese name, the version and the tables of one area as plain attributes.

    Parameters
    ----------
    document : object
        The parsed YAML of the area.
    file : str
        Its name, for messages.
    """
    area = _document(document, file, ("description", "schema"))
    if f"{area['id']}.yml" != file:
        raise ContractError(f"{file} 的 id“{area['id']}”应当与文件名相同，请修改。")
    tables: dict[str, Any] = {}
    for table in _list(area.get("schema"), f"{file} 的 schema"):
        name = _name(table, f"{file} 的 schema")
        if name in tables:
            raise ContractError(f"{file} 里有两张表都叫“{name}”，请删去一处。")
        tables[name] = _table(table, f"{file} 的表 {name}")
    return {"name": area["name"], "version": area["version"], "tables": tables}


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return a mapping that holds something, or complain in one Chinese sentence."""
    if not isinstance(value, dict) or not value:
        raise ContractError(f"数据契约的 {where} 应当是“键: 值”的形式，请检查缩进。")
    return value


def _document(document: Any, file: str, more: Collection[str]) -> dict[str, Any]:
    values = mapping(document, file)
    _only(values, (*_HEAD, *more), file)
    for key in _HEAD:
        if not isinstance(values.get(key), str):
            raise ContractError(f"{file} 的 {key} 缺少，或不是文字（版本号要加引号），请补上。")
    if not values["apiVersion"].startswith("v3.1.") or values["kind"] != "DataContract":
        raise ContractError(
            f"{file} 应当写明 apiVersion: v3.1.0 和 kind: DataContract，请核对文件开头。"
        )
    return values


def _table(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    _only(table, _TABLE, where)
    if table.get("physicalType", "table") != "table":
        raise ContractError(f"{where} 的 physicalType 只能是 table，请修改。")
    columns: dict[str, Any] = {}
    keys: list[tuple[Any, str]] = []
    for column in _list(table.get("properties"), f"{where} 的 properties"):
        name = _name(column, f"{where} 的 properties")
        place = f"{where} 的列 {name}"
        if name in columns:
            raise ContractError(f"{where} 有两列都叫“{name}”，请删去一处。")
        columns[name] = _column(column, place)
        if _flag(column, "primaryKey", place):
            keys.append((column.get("primaryKeyPosition"), name))
        elif "primaryKeyPosition" in column:
            raise ContractError(f"{place} 有 primaryKeyPosition 而不是主键，请核对。")
    wanted = range(1, 1 + len(keys))
    # repr: true is 1 to Python
    if not keys or sorted(repr(place) for place, _ in keys) != sorted(map(repr, wanted)):
        raise ContractError(f"{where} 的主键列要用 primaryKeyPosition 从 1 起依次编号，请核对。")
    values = _custom(table, TABLE_PROPERTIES, where)
    values.update({_TEXTS[k]: table[k] for k in _TEXTS if k in table})
    return {**values, "grain": [name for _, name in sorted(keys)], "columns": columns}


def _column(column: Mapping[str, Any], where: str) -> dict[str, Any]:
    _only(column, _COLUMN, where)
    values = {_TEXTS[k]: column[k] for k in _TEXTS if k in column}
    values.update(_custom(column, COLUMN_PROPERTIES, where))
    if not _flag(column, "required", where):
        values["nullable"] = True
    if (tags := column.get("tags")) is not None:
        if tags != ["sensitive"]:
            raise ContractError(f"{where} 的 tags 只能是 [sensitive]，请修改。")
        values["sensitive"] = True
    if "logicalTypeOptions" in column:
        options = mapping(column["logicalTypeOptions"], f"{where} 的 logicalTypeOptions")
        _only(options, _LIMITS, where)
        values.update(options)
    if "quality" in column:
        values["codes"] = _codes(column["quality"], where)
    if "relationships" in column:
        values["references"] = _reference(column["relationships"], where)
    values["type"] = _type(column, values, where)
    if values["type"] in UNITS:
        values.setdefault("unit", UNITS[values["type"]])
    return values


def _type(column: Mapping[str, Any], values: Mapping[str, Any], where: str) -> str:
    """Return the contract type: what ``kind`` says, else what the standard's fields say."""
    logical = column.get("logicalType")
    if not isinstance(logical, str) or logical not in LOGICAL_TYPES:
        known = "、".join(LOGICAL_TYPES)
        raise ContractError(f"{where} 的 logicalType“{logical}”应当是 {known} 之一，请修改。")
    physical, plain, narrower = LOGICAL_TYPES[logical]
    if column.get("physicalType", physical) != physical:
        raise ContractError(f"{where} 的 physicalType 应当是 {physical}，请修改。")
    if (kind := values.get("type")) is not None:
        if kind not in narrower:
            known = "、".join(narrower) or "空"
            raise ContractError(
                f"{where} 的 kind“{kind}”与 {logical} 不符，只能是{known}，请修改。"
            )
        return kind
    if logical == "string" and ("references" in values or "codes" in values):
        return "id" if "references" in values else "code"
    return plain


def _codes(rules: Any, where: str) -> Any:
    """Return the allowed values of the one quality rule that the course knows."""
    if isinstance(rules, list) and len(rules) == 1 and isinstance(rules[0], dict):
        rule = {"type": "library", **rules[0]}
        allowed = rule.pop("arguments", None)
        if rule == {"type": "library", "metric": "invalidValues", "mustBe": 0} and (
            isinstance(allowed, dict) and set(allowed) == {"validValues"}
        ):
            return allowed["validValues"]
    raise ContractError(
        f"{where} 的 quality 只能是一条 invalidValues 规则，写明 validValues 和 mustBe: 0，请修改。"
    )


def _reference(relationships: Any, where: str) -> Any:
    if isinstance(relationships, list) and len(relationships) == 1:
        relation = relationships[0]
        if isinstance(relation, dict) and set(relation) == {"to"}:
            return relation["to"]
    raise ContractError(f"{where} 的 relationships 应当写成 [{{to: 表.列}}]，请修改。")


def _custom(values: Mapping[str, Any], known: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return our own properties under the names of the attributes that they become."""
    result: dict[str, Any] = {}
    for entry in _list(values.get("customProperties", []), f"{where} 的 customProperties", 0):
        shape = isinstance(entry, dict) and set(entry) == {"property", "value"}
        if not shape or not isinstance(entry["property"], str):
            raise ContractError(
                f"{where} 的 customProperties 每项都应当写成 {{property: …, value: …}}，请修改。"
            )
        _only({entry["property"]: None}, known, where)
        key = known[entry["property"]]
        if key in result:
            raise ContractError(f"{where} 的“{entry['property']}”写了两次，请删去一处。")
        result[key] = entry["value"]
    return result


def _only(values: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for key in values:
        if key not in known:
            guess = nearest(key, {name: name for name in known})
            raise ContractError(f"数据契约 {where} 有不认识的属性“{key}”，{guess}。")


def _list(value: Any, where: str, least: int = 1) -> list[Any]:
    if not isinstance(value, list) or len(value) < least:
        raise ContractError(f"数据契约的 {where} 应当是一串以“-”开头的条目，请检查缩进。")
    return value


def _name(entry: Any, where: str) -> str:
    name = mapping(entry, where).get("name")
    if not isinstance(name, str):
        raise ContractError(f"数据契约的 {where} 里有一项缺少 name，请补上。")
    return name


def _flag(values: Mapping[str, Any], key: str, where: str) -> bool:
    value = values.get(key, False)
    if not isinstance(value, bool):
        raise ContractError(
            f"数据契约 {where} 的“{key}”应当是true 或 false，现在是“{value}”，请修改。"
        )
    return value
