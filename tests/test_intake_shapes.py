"""What the inspection proposes from the shape of a file; with the marks deleted it is a mapping."""

from __future__ import annotations

import pytest

from course_utils.contract import load_contract
from course_utils.intake.mapping import read_mapping
from course_utils.intake.mapping.proposal import inspect, look_at
from course_utils.intake.mapping.proposal.fragment import ASK
from course_utils.intake.mapping.proposal.report import blocks_of, describe

CONTRACT = load_contract()


@pytest.fixture
def propose(tmp_path):
    """Return a function: files → what is said, the lines, and the mapping once all is agreed to."""

    def run(**files: list[str]):
        sheets = []
        for name, lines in files.items():
            path = tmp_path / f"{name}.csv"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            sheets += look_at(path)
        findings = inspect(sheets, CONTRACT)
        said = "\n".join(line for one in findings for line in describe(one, CONTRACT, {}))
        lines = [line for _, _, block in blocks_of(findings, tmp_path) for line in block]
        agreed = tmp_path / "mapping.yml"
        text = "\n".join(["tables:", *lines]).replace(ASK, "").replace("请填写", "转账")
        agreed.write_text(text + "\n", encoding="utf-8")
        return said, "\n".join(lines), read_mapping(agreed, "demo")

    return run


def rows(head: str, line, n=40) -> list[str]:
    return [head, *(line(i) for i in range(n))]


def test_signed_amounts(propose):
    head = "txn_id,customer_id,txn_date,amount"
    said, lines, mapping = propose(
        flow=rows(head, lambda i: f"{i},{i % 7},2025-01-{i % 28 + 1:02},{i * (-1) ** i}.5")
    )
    assert "有负数" in said
    assert f'{ASK}direction: {{from: amount, signs: {{"+": 收入, "-": 支出}}}}' in lines
    columns = mapping.tables["transaction"].columns
    assert columns["amount"].absolute
    assert columns["direction"].signs == {"+": "收入", "-": "支出"}


def test_amounts_without_signs_are_left_alone(propose):
    head = "txn_id,customer_id,txn_date,amount"
    said, lines, _ = propose(
        flow=rows(head, lambda i: f"{i},{i % 7},2025-01-{i % 28 + 1:02},{i}.5")
    )
    assert "有负数" not in said
    assert "absolute" not in lines
    assert "还没有来源：direction 方向" in lines


def test_debit_and_credit(propose):
    head = "交易流水号,客户号,交易日期,借方发生额,贷方发生额"
    _, _, mapping = propose(
        流水=rows(head, lambda i: f"L{i},C{i},20250101,{i}.00,0.00" if i % 2 else
                 f"L{i},C{i},20250102,0.00,{i}.50")
    )  # fmt: skip
    columns = mapping.tables["transaction"].columns
    assert columns["amount"].sources == ("借方发生额", "贷方发生额")
    assert columns["direction"].which == ("支出", "收入")


def test_the_month_in_the_names_of_the_files(propose):
    head = "客户编号,月末存款余额(万元),贷款余额(万元),流入金额(万元)"
    files = {
        f"客户月度_2025{month:02}": rows(head, lambda i: f"C{i},{i}.25,0,1.5")
        for month in (1, 2, 3)
    }
    _, lines, mapping = propose(**files)
    assert "缺主键" not in lines
    assert mapping.tables["customer_month"].columns["month"].file == r"(20\d{4})"


def test_commas_and_short_dates(propose):
    head = "trans_id;client_id;date;amount;balance"
    _, _, mapping = propose(
        trans=rows(head, lambda i: f"{i};{i};9301{i % 28 + 1:02};{i + 1}.0{i:02},50;{i},25")
    )
    table = mapping.tables["transaction"]
    assert table.decimal == ","
    assert table.columns["date"].order == "ymd"


def test_rows_that_stand_no_more(propose):
    head = "发票号码,销方识别号,开票日期,购方名称,价税合计,发票状态"
    said, _, mapping = propose(
        发票=rows(head, lambda i: f"{i:08},E{i % 3},2025/1/{i % 28 + 1},甲公司,{i}.5,"
                 + ("作废" if i % 9 == 0 else "正常"))
    )  # fmt: skip
    assert "课程没有与它对应的表" in said
    table = mapping.tables["transaction"]
    assert table.skip == {"发票状态": ("作废",)}
    assert table.columns["customer_id"].source == "销方识别号"


def test_two_columns_prove_no_table(propose):
    head = "代发日期,单位编号,单位名称,客户号,姓名,账号,实发金额"
    _, lines, _ = propose(
        代发=rows(head, lambda i: f"2025-01-10,D{i % 5},甲单位{i % 5},C{i},某某,A{i:09},{i}.5")
    )
    ready = [line for line in lines.splitlines() if line.strip() and line.strip()[0] != "#"]
    assert ready == []
