"""Reading the contract's files: what is refused, and what is kept so that it is parsed once."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from course_utils.contract import ContractError, load_contract, reader
from course_utils.contract.odcs import read_area, read_head

FIRST = """apiVersion: v3.1.0
kind: DataContract
id: {id}
name: 一
version: "2.0"
status: active
"""
HEAD = (
    FIRST.format(id="contract")
    + """customProperties:
  - {property: areas, value: [area]}
  - {property: legend, value: {types: {id: {zh: 编号, meaning: 无}}}}
"""
)
GOOD = (
    FIRST.format(id="area")
    + """schema:
  - name: t
    businessName: 表
    description: 行
    customProperties:
      - {property: owner, value: 部}
      - {property: size, value: static}
    properties:
      - {name: k, businessName: 键, logicalType: string, primaryKey: true, primaryKeyPosition: 1,
         required: true, classification: C1, customProperties: [{property: kind, value: id}],
         description: 键}
"""
)
AMOUNT = """      - {name: amount, businessName: 金额, logicalType: number, classification: C1,
         logicalTypeOptions: {minimum: 0}, customProperties: [{property: kind, value: money}],
         description: 额}
"""
KIND = """      - {name: kind, businessName: 种类, logicalType: string, classification: C1,
         quality: [{metric: invalidValues, arguments: {validValues: [甲, 乙]}, mustBe: 0}],
         description: 类}
"""
LINK = """      - {name: parent, businessName: 上级, logicalType: string, classification: C1,
         relationships: [{to: t.k}], description: 上级}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "contract.yml").write_text(HEAD, encoding="utf-8")
    return tmp_path


def read(folder, text):
    (folder / "area.yml").write_text(text, encoding="utf-8")
    return load_contract(folder).table("t")


def test_the_standards_fields_become_attributes(folder):
    table = read(folder, GOOD + AMOUNT + KIND + LINK)
    assert (table.zh, table.meaning, table.grain, table.area) == ("表", "行", ("k",), "area")
    key, amount, kind, link = table.columns.values()
    assert (key.type, key.nullable, key.references) == ("id", False, None)
    assert (amount.type, amount.unit, amount.minimum, amount.nullable) == ("money", "元", 0, True)
    assert (kind.type, kind.codes) == ("code", ("甲", "乙"))
    assert (link.type, link.references) == ("id", "t.k")


def test_a_reference_has_the_protection_of_its_key(folder):
    kept = read(folder, GOOD + LINK)
    assert kept.column("parent").protect == "keep"
    load_contract.__globals__["_load"].cache_clear()
    ruled = GOOD.replace("value: id}]", "value: id}, {property: protect, value: pseudonym:thing}]")
    table = read(folder, ruled + LINK)
    assert table.column("k").protect == table.column("parent").protect == "pseudonym:thing"
    assert table.column("parent").domain == "thing"


@pytest.mark.parametrize("ring", ["t.parent", "t.nothing", "nowhere.k"])
def test_a_reference_that_leads_nowhere_ends(folder, ring):
    assert read(folder, GOOD + LINK.replace("t.k", ring)).column("parent").protect == "keep"


WRONG = {
    "key twice": (GOOD.replace("id: area", "id: area\nid: area"), "重复的键"),
    "column twice": (GOOD + AMOUNT + AMOUNT, "两列都叫“amount”"),
    "misspelt": (GOOD.replace("classification", "classificaton"), "最接近的是“classification”"),
    "no class": (GOOD.replace("classification: C1, ", ""), "缺少“classification”"),
    "no owner": (GOOD.replace("      - {property: owner, value: 部}\n", ""), "缺少“owner”"),
    "text": (GOOD.replace("businessName: 键", "businessName: 12"), "businessName”应当是文字"),
    "flag": (GOOD.replace("required: true", "required: 1"), "true 或 false"),
    "number": (GOOD + AMOUNT.replace("minimum: 0", "minimum: true"), "应当是数字"),
    "limit": (GOOD + AMOUNT.replace("minimum: 0", "multipleOf: 1"), "multipleOf"),
    "own twice": (GOOD.replace("value: id}]", "value: id}, {property: kind, value: id}]"), "两次"),
    "own unknown": (GOOD.replace("property: kind", "property: kinds"), "最接近的是“kind”"),
    "own shape": (GOOD.replace("{property: kind, value: id}", "{kind: id}"), "property: …"),
    "own no list": (GOOD.replace("[{property: kind, value: id}]", "id"), "一串以“-”"),
    "kind": (GOOD.replace("value: id}", "value: money}"), "kind“money”与 string 不符"),
    "logical": (GOOD.replace("logicalType: string", "logicalType: array"), "logicalType“array”"),
    "physical": (
        GOOD.replace("logicalType: string", "logicalType: string, physicalType: INT"),
        "physicalType 应当是 VARCHAR",
    ),
    "tag": (GOOD.replace("classification: C1", "tags: [money], classification: C1"), "tags"),
    "rule": (GOOD + KIND.replace("mustBe: 0", "mustBe: 5"), "invalidValues"),
    "two rules": (GOOD + KIND.replace("quality: [", "quality: [{metric: nullValues}, "), "quality"),
    "link": (GOOD + LINK.replace("{to: t.k}", "{from: a.b, to: t.k}"), "relationships"),
    "key place": (GOOD.replace("primaryKeyPosition: 1", "primaryKeyPosition: 2"), "依次编号"),
    "no key place": (GOOD.replace(" primaryKeyPosition: 1,", ""), "依次编号"),
    "key place twice": (
        GOOD
        + AMOUNT.replace(
            "classification", "primaryKey: true, primaryKeyPosition: 1, classification"
        ),
        "依次编号",
    ),
    "place without key": (GOOD.replace("primaryKey: true, ", ""), "不是主键"),
    "no name": (GOOD.replace("{name: k, ", "{"), "缺少 name"),
    "view": (GOOD.replace("businessName: 表", "physicalType: view"), "只能是 table"),
    "table twice": (GOOD + GOOD[GOOD.index("  - name") :], "两张表都叫“t”"),
    "yaml": ("schema: [", "写法不对"),
    "empty": ("schema:\n", "kind|apiVersion"),
    "nothing": ("", "键: 值"),
    "no tables": (FIRST.format(id="area") + "schema: []\n", "一串以“-”"),
    "old standard": (GOOD.replace("v3.1.0", "v2.2.2"), "v3.1.0"),
    "id": (GOOD.replace("id: area", "id: other"), "与文件名相同"),
    "version": (GOOD.replace('"2.0"', '"1.0"'), "版本"),
    "version number": (GOOD.replace('"2.0"', "2.0"), "加引号"),
    "extra": (GOOD + "servers: []\n", "servers"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_contract_file_is_one_chinese_sentence(folder, text, said):
    with pytest.raises(ContractError, match=said) as caught:
        read(folder, text)
    assert str(caught.value).endswith("。")


def test_good_contract_file_is_read_and_strays_are_refused(folder):
    with pytest.raises(ContractError, match="缺少文件"):
        load_contract(folder)
    (folder / "area.yml").write_text(GOOD, encoding="utf-8")
    assert load_contract(folder).table("t").grain == ("k",)
    (folder / "more").mkdir()
    for name in ("contract.yml", "area.yml"):
        (folder / "more" / name).write_bytes((folder / name).read_bytes())
    (folder / "more" / "stray.yml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ContractError, match="stray"):
        load_contract(folder / "more")


@pytest.fixture
def kept_home(tmp_path, monkeypatch):
    """A home with a small contract of its own; counts how many files are parsed."""
    folder = tmp_path / "data" / "contract"
    folder.mkdir(parents=True)
    (folder / "contract.yml").write_text(HEAD, encoding="utf-8")
    (folder / "area.yml").write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def load(monkeypatch):
    """Load the contract as a new process would; return it and the names of the files parsed."""
    parse, parsed = reader._parse, []
    monkeypatch.setattr(reader, "_parse", lambda *given: parsed.append(given[0]) or parse(*given))

    def fresh():
        reader._load.cache_clear()
        parsed.clear()
        contract = load_contract()
        return contract, sorted(parsed)

    yield fresh
    reader._load.cache_clear()


def kept_files(home):
    return sorted((home / ".cache").glob("*"))


def test_parsed_contract_is_kept_and_used_again(kept_home, load):
    first, parsed = load()
    assert parsed == ["area.yml", "contract.yml"]
    second, parsed = load()
    assert parsed == []
    assert second == first
    assert type(second.table("t").grain) is tuple
    assert len(kept_files(kept_home)) == 1


def test_changed_contract_is_never_answered_from_the_kept_one(kept_home, load):
    load()
    old = kept_files(kept_home)
    area = kept_home / "data" / "contract" / "area.yml"
    area.write_text(GOOD.replace("businessName: 表", "businessName: 甲"), encoding="utf-8")
    assert load()[0].table("t").zh == "甲"
    assert len(kept_files(kept_home)) == 1
    assert kept_files(kept_home) != old
    area.write_text(GOOD.replace("classification", "classificaton"), encoding="utf-8")
    with pytest.raises(ContractError, match="最接近的是“classification”"):
        load()
    assert len(kept_files(kept_home)) == 1


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", "\0\0\0", "wrong", "half"])
def test_damaged_kept_contract_is_parsed_and_written_anew(kept_home, load, damage):
    expected, _ = load()
    (place,) = kept_files(kept_home)
    good = place.read_bytes()
    wrong = json.dumps({"area.yml": {"tables": 1}, "contract.yml": {"areas": {"area": "一"}}})
    half = good[: len(good) // 2].decode("utf-8", "ignore")
    place.write_text({"wrong": wrong, "half": half}.get(damage, damage), encoding="utf-8")
    contract, parsed = load()
    assert contract == expected
    assert parsed == ["area.yml", "contract.yml"]
    assert kept_files(kept_home) == [place]
    assert place.read_bytes() == good


def test_contract_is_read_where_nothing_can_be_kept(kept_home, load):
    # root may write into a read-only folder, so a file stands where the folder should be
    (kept_home / ".cache").write_text("", encoding="utf-8")
    for _ in range(2):
        contract, parsed = load()
        assert contract.table("t").zh == "表"
        assert parsed == ["area.yml", "contract.yml"]


def test_failed_write_leaves_nothing_behind(kept_home, load, monkeypatch):
    def full(*_given, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    assert load()[0].table("t").zh == "表"
    assert kept_files(kept_home) == []


def test_contract_that_json_cannot_hold_is_not_kept(kept_home, load):
    head = kept_home / "data" / "contract" / "contract.yml"
    for odd in ("{1: 一}", "{day: 2025-12-31}"):
        legend = "{types: {id: {zh: 编号, meaning: 无}}}"
        head.write_text(HEAD.replace(legend, odd), encoding="utf-8")
        legend = load()[0].legend
        assert load()[0].legend == legend
        assert kept_files(kept_home) == []


def places(value, way=()):
    """Yield the way to every value inside a document."""
    yield way
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inside:
            yield from places(one, (*way, key))


AREA = YAML(typ="safe", pure=True).load(GOOD + AMOUNT + KIND + LINK)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(way=st.sampled_from(list(places(AREA))), odd=ODD, drop=st.booleans())
def test_any_damage_is_one_chinese_sentence_or_no_matter(way, odd, drop):
    document = {"area": copy.deepcopy(AREA)}
    *before, last = ("area", *way)
    holder = document
    for key in before:
        holder = holder[key]
    if drop and way:
        del holder[last]
    else:
        holder[last] = odd
    head = read_head(YAML(typ="safe", pure=True).load(HEAD), "contract.yml")
    try:
        area = read_area(document["area"], "area.yml")
        reader._assemble({"contract.yml": head, "area.yml": area}.__getitem__, {"area"})
    except ContractError as error:
        assert str(error).endswith("。")
