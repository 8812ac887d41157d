"""What an intake says though nothing is wrong, and that its lines still add up."""

import json
from datetime import date, timedelta

import pytest
from messy_bank.cases import Project

from course_utils.intake.run import REPORT, Request, run_intake
from course_utils.paths import intake_dir

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

MAPPING = """\
contract: "2.0"
tables:
  transaction:
    files: ["flow.csv"]
    skip: {状态: 作废}
    columns:
      transaction_id: {generate: row}
      customer_id: 客户号
      date: 日期
      amount: {from: [借方, 贷方]}
      direction: {from: [借方, 贷方], which: [支出, 收入]}
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Return a function: last day and number of days before it → sentences, report, outcome."""
    project = Project(tmp_path, monkeypatch.setenv)
    project.bank("small", MAPPING)
    folder = project.folder / "data" / "incoming" / "small"
    folder.mkdir(parents=True)

    def run(last: date, days: int):
        lines = ["客户号,日期,借方,贷方,状态"]
        for i in range(days):
            day = last - timedelta(days=i)
            money = "5.00,0.00" if i % 2 else ",7.50"
            lines.append(f"K{i % 3},{day},{money},{'作废' if i % 10 == 0 else '正常'}")
        (folder / "flow.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        said: list[str] = []
        outcome = run_intake(Request("small"), say=said.append)
        report = json.loads((intake_dir("small") / REPORT / "数据报告.json").read_text("utf-8"))
        return "\n".join(said), report, outcome

    return run


def test_rows_that_are_not_wanted_are_counted_apart(told):
    said, report, outcome = told(date(2025, 12, 31), 100)
    assert "“交易流水”有 10 行按映射的 only、skip 不取" in said
    (file,) = report["files"]
    counts = file["counts"]
    assert counts["lines"] == 101 == sum(n for name, n in counts.items() if name != "lines")
    assert (counts["rows"], counts["skipped"]) == (90, 10)
    (table,) = outcome.summary.tables
    assert (table.read, table.kept, table.balanced) == (90, 90, True)
    assert any("不取" in one for one in report["messages"])
    assert "数据最晚到" not in said


def test_data_that_end_long_before_the_day_of_the_extraction(told):
    said, _, _ = told(date(2025, 6, 30), 50)
    assert "数据最晚到 2025-06-29，比截止日 2025-12-31 早 185 天" in said
    assert "as_of" in said


def test_statements_older_than_a_year_are_for_the_months_only(told):
    said, _, outcome = told(date(2025, 12, 31), 500)
    kept = sum(table.kept for table in outcome.summary.tables)
    shown = outcome.published.rows["transaction"]
    assert f"更早的 {kept - shown:,} 笔只用来算月度指标" in said
    assert 0 < shown < kept
