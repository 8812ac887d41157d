"""Excel deliverables, opened again with calamine and as raw XML."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from course_utils import deliver
from course_utils.deliver.cells import refuse_identifiers, sheet_name
from course_utils.deliver.sheet import column_letter
from course_utils.errors import CourseError

HOSTILE = ["=cmd|' /C calc'!A0", "+86", "-1+1", "@SUM(A1)", "\t=1", "http://x.test/", "=1+1", "007"]


@pytest.fixture
def customers():
    n = len(HOSTILE)
    return pd.DataFrame(
        {
            "branch_name": ["城关支行", "河/口支行"] * (n // 2),
            "customer_id": [f"C000000{i}" for i in range(n)],
            "masked_name": ["张*"] * n,
            "amount": np.linspace(1e4, 8e4, n),
            "maturity_date": pd.date_range("2026-01-05", periods=n),
            "share": np.linspace(0, 0.7, n),
            "memo": HOSTILE,
        }
    )


def xml(path):
    with zipfile.ZipFile(path) as book:
        return {n: book.read(n).decode("utf-8", "replace") for n in book.namelist()}


def rows(path, sheet):
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python()


def make(path, frame, **options):
    return deliver.call_list(
        path, frame, title="到期稳存名单", purpose="到期联系", purge_date="2026-03-31",
        tables="deposit_account", **options,
    )  # fmt: skip


def test_call_list_has_summary_branches_header_and_dropdown(tmp_path, customers):
    path = make(tmp_path / "名单.xlsx", customers, result_codes=["续存", "转出"], notes=["先大额"])
    names = CalamineWorkbook.from_path(str(path)).sheet_names
    assert names == ["汇总", "城关支行", "河口支行"]
    sheet = rows(path, "城关支行")
    top = ["".join(map(str, line)) for line in sheet[:3]]
    assert "到期稳存名单：城关支行" in top[0]
    assert "用途：到期联系" in top[1] and "销毁日期：2026-03-31" in top[2]
    header = sheet[3]
    assert header[:4] == ["序号", "客户号", "脱敏姓名", "本金（万元）"]
    assert header[-3:] == ["结果", "联系日期", "备注"]
    assert sheet[4][3] == pytest.approx(1.0)  # 1 万元
    summary = rows(path, "汇总")
    assert summary[-1][:3] == ["合计", 8.0, pytest.approx(36.0)]
    raw = xml(path)
    branch = raw["xl/worksheets/sheet2.xml"]
    assert 'state="frozen"' in branch and "autoFilter" in branch
    assert "&quot;续存,转出&quot;" in branch or '"续存,转出"' in branch
    assert 'numFmtId="' in raw["xl/styles.xml"] and "yyyy-mm-dd" in raw["xl/styles.xml"]


def test_text_never_becomes_a_formula_or_a_link(tmp_path, customers):
    path = make(tmp_path / "a.xlsx", customers)
    raw = xml(path)
    for name, text in raw.items():
        if re.match(r"xl/worksheets/sheet[23]\.xml", name):
            assert "<f>" not in text and "hyperlink" not in text
    assert not [n for n in raw if "rels" in n and "sheet" in n]
    memo = [line[6] for line in (*rows(path, "城关支行")[4:], *rows(path, "河口支行")[4:])]
    assert sorted(memo) == sorted(HOSTILE)


def test_live_formulas_only_on_purpose(tmp_path):
    frame = pd.DataFrame(
        {"unit": ["甲", "乙"], "target": [1e6, 2e6], "done": [4e5, 5e5], "gap": [6e5, 1.5e6]}
    )
    money = {"target": "万元", "done": "万元", "gap": "万元"}
    sheet = deliver.Sheet(frame, units=money, formulas={"gap": "=[target]-[done]"}, totals=["gap"])
    path = deliver.workbook(tmp_path / "b.xlsx", {"分解": sheet}, title="指标")
    text = xml(path)["xl/worksheets/sheet1.xml"]
    found = [(f, float(v)) for f, v in re.findall(r"<f>(.*?)</f><v>(.*?)</v>", text)]
    assert found == [("B3-C3", 60.0), ("B4-C4", 150.0), ("SUM(D3:D4)", 210.0)]
    one = pd.DataFrame({"x": [deliver.Formula("=1+1", 2), "=1+1"]})
    text = xml(deliver.workbook(tmp_path / "c.xlsx", {"s": one}))["xl/worksheets/sheet1.xml"]
    assert text.count("<f>") == 1
    with pytest.raises(CourseError, match="不存在的列“nope”"):
        deliver.workbook(
            tmp_path / "d.xlsx", {"s": deliver.Sheet(frame, formulas={"gap": "=[nope]"})}
        )
    with pytest.raises(CourseError, match="等号开头"):
        deliver.Formula("1+1")


def test_same_content_same_bytes_and_nothing_half_written(tmp_path, customers):
    import time

    first = make(tmp_path / "a.xlsx", customers).read_bytes()
    time.sleep(2.1)  # zip times have a step of two seconds
    assert make(tmp_path / "b.xlsx", customers).read_bytes() == first
    good = (tmp_path / "a.xlsx").read_bytes()
    with pytest.raises(CourseError):
        make(tmp_path / "a.xlsx", customers.assign(phone="19912345678"))
    assert (tmp_path / "a.xlsx").read_bytes() == good
    assert sorted(p.name for p in Path(tmp_path).iterdir()) == ["a.xlsx", "b.xlsx"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("customer_name", ["张三丰"]),
        ("姓名", ["李四"]),
        ("phone", ["19912345678"]),
        ("联系电话", ["0571-88888888"]),
        ("mobile", [19912345678]),
        ("memo", ["请打 199 1234 5678"]),
        ("memo", ["１９９１２３４５６７８"]),
        ("memo", [None, "甲", "卡号6222-0212-3456-7890-123"]),
        ("编号", ["11010119900101123X"]),
        ("anything", ["6222021234567890123"]),
        ("number", [19912345678.0]),
        ("家庭住址", ["某镇某路"]),
        ("地址", ["甲镇乙路1号"]),
    ],
)
def test_raw_identifiers_are_refused(column, values):
    frame = pd.DataFrame({column: values})
    if column == "家庭住址":
        refuse_identifiers(frame, "表")  # 某 marks a made-up value
        return
    with pytest.raises(CourseError) as problem:
        refuse_identifiers(frame, "表")
    assert column in str(problem.value) and str(values[-1]) not in str(problem.value)


def test_masked_and_harmless_columns_pass():
    frame = pd.DataFrame(
        {
            "masked_name": ["张*", "李**"],
            "branch_name": ["城关支行", "河口支行"],
            "product_name": ["惠农贷", "商户贷"],
            "phone_valid": [True, False],
            "phone": ["199****5678", "***"],
            "id_hash": ["0123456789abcdef"] * 2,
            "amount": [19912345678.5, 2.0],
            "customer_id": ["C0000001", "C0000002"],
            "card_count": [1, 2],
        }
    )
    refuse_identifiers(frame, "表")


def test_a_c3_column_is_never_written():
    from course_utils.contract import load_contract

    names = [
        c.name for t in load_contract().tables.values() for c in t.columns.values()
        if c.privacy == "C3"
    ]  # fmt: skip
    assert names, "the contract plants a C3 column"
    with pytest.raises(CourseError, match="C3"):
        refuse_identifiers(pd.DataFrame({names[0]: ["x"]}), "表")


def test_sheet_names_fit_excel():
    used = []
    for wanted in ["a/b:c*?[d]\\", "x" * 40, "X" * 40, "", "'quoted'", "History", "x" * 40]:
        used.append(sheet_name(wanted, used))
    assert used[0] == "abcd" and all(0 < len(n) <= 31 for n in used)
    assert len({n.lower() for n in used}) == len(used)
    assert used[3] == "表" and used[4] == "quoted" and used[5] != "History"


def test_column_letters():
    assert [column_letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


def test_refusals_are_chinese_sentences(tmp_path, customers):
    with pytest.raises(CourseError, match="销毁日期"):
        deliver.call_list(tmp_path / "a.xlsx", customers)
    with pytest.raises(CourseError, match="branch_column"):
        make(tmp_path / "a.xlsx", customers, branch_column="nope")
    with pytest.raises(CourseError, match=r"\.xlsx 结尾"):
        deliver.workbook(tmp_path / "a.xls", {"s": customers})
    with pytest.raises(CourseError, match="没有任何工作表"):
        deliver.workbook(tmp_path / "a.xlsx", {})


def test_missing_values_and_missing_branches(tmp_path):
    frame = pd.DataFrame(
        {
            "branch_name": ["甲支行", None],
            "customer_id": ["C1", "C2"],
            "amount": [np.nan, np.inf],
            "open_date": [pd.NaT, pd.Timestamp("2025-01-01")],
            "flag": pd.array([None, True], dtype="boolean"),
            "n": pd.array([None, 3], dtype="Int64"),
        }
    )
    path = make(tmp_path / "a.xlsx", frame)
    sheet = rows(path, "未分配")
    assert sheet[-1][1] == "C2" and sheet[-1][4:6] == ["是", 3.0]
    assert rows(path, "甲支行")[-1][2:6] == ["", "", "", ""]
