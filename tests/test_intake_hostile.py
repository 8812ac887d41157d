"""Hostile names, settings and keys: one Chinese sentence each, and nothing they say is done."""

from __future__ import annotations

import os
import shutil
import struct
import time

import polars as pl
import pytest
from click.testing import CliRunner
from messy_bank.cases import Project

from course_utils.bank import load_profile
from course_utils.cli import main
from course_utils.errors import CourseError
from course_utils.files import alone
from course_utils.intake.mapping import load_mapping, source_files
from course_utils.intake.privacy.key import ensure_key, key_path, load_key
from course_utils.intake.run import REPORT, Request, run_intake
from course_utils.paths import intake_dir, warehouse_dir
from course_utils.visible import file_label, visible

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

MAPPING = """\
contract: "2.0"
tables:
  customer:
    files: ["cust*.csv"]
    columns:
      customer_id: 客户号
      open_date: 建档日
      masked_name: 姓名
"""
NUMBERS = [f"82000000{i:04d}" for i in range(8)]
ROWS = "客户号,建档日,姓名\n" + "".join(f"{no},2020-01-02,欧阳春晓\n" for no in NUMBERS)


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = Project(tmp_path, monkeypatch.setenv)
    project.bank("small", MAPPING)
    exports = project.folder / "data" / "incoming" / "small"
    exports.mkdir(parents=True)
    (exports / "cust.csv").write_text(ROWS, encoding="gb18030")
    project.exports = exports
    return project


def rewrite(project, old, new, name="mapping.yml"):
    place = project.folder / "data" / "banks" / "small" / name
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new), encoding="utf-8")


def course(*words):
    result = CliRunner().invoke(main, list(words))
    assert "没有料到" not in result.output
    assert "Traceback" not in result.output
    return result


def test_what_steers_a_console_is_written_out():
    assert visible("a\x1b[31m\u202e\x00\ud800乙\n") == "a\\x1b[31m\\x202e\\x00\\xd800乙\n"
    assert file_label(os.fsdecode("流水.csv".encode("gb18030"))) == "流水.csv"
    assert file_label("流水\x1b[2J.csv") == "流水\\x1b[2J.csv"


def test_names_do_not_steer_the_console(project):
    (project.exports / "cust\x1b[31m\u202e.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    result = course("intake", "small")
    assert result.exit_code == 1
    assert "cust\\x1b[31m\\x202e.csv" in result.output
    assert "\x1b[31m" not in result.output
    assert "\u202e" not in result.output
    assert "\\x1b" in course("intake", "sm\x1b[31m").output


def test_a_file_name_in_another_encoding_is_read(project):
    name = os.fsdecode("cust明细.csv".encode("gb18030"))
    try:
        (project.exports / "cust.csv").rename(project.exports / name)
    except OSError:
        pytest.skip("file names are Unicode here")
    assert run_intake(Request("small")).published.rows["customer"] == len(NUMBERS)
    page = (intake_dir("small") / REPORT / "数据报告.html").read_text(encoding="utf-8")
    assert "cust明细.csv" in page


@pytest.mark.parametrize("pattern", [".", "./.", "x/" * 200 + "y", "**/" * 12 + "*"])
def test_patterns_that_name_no_file_or_too_many(project, pattern):
    rewrite(project, "cust*.csv", pattern)
    start = time.monotonic()
    with pytest.raises(CourseError, match="第 4 行"):
        source_files(load_mapping("small").tables["customer"], project.exports)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("birth_year", "1e999999999"),
        ("birth_year", "1_980"),
        ("birth_year", "１e9"),
        ("open_date", '"0001-01-01"'),
        ("open_date", '"9999-12-31"'),
    ],
)
def test_constants_that_no_row_can_hold(project, column, value):
    rewrite(project, "open_date: 建档日", f"{column}: {{value: {value}}}")
    start = time.monotonic()
    with pytest.raises(CourseError, match="第 7 行"):
        load_mapping("small")
    assert time.monotonic() - start < 2


def test_a_column_from_nowhere(project):
    rewrite(project, "customer_id: 客户号", "customer_id: {from: }")
    with pytest.raises(CourseError, match="from 后面是空的"):
        load_mapping("small")


@pytest.mark.parametrize("name", ['"甲\\e[31m行"', '"甲\\n乙"', '"\\u202e行甲"', "甲" * 300])
def test_names_of_banks(project, name):
    rewrite(project, "示例农村商业银行", name, "bank.yml")
    with pytest.raises(CourseError, match="“name”有看不见的字符"):
        load_profile("small")


@pytest.mark.skipif(os.name == "nt", reason="devices of Unix")
def test_a_key_that_never_ends(project, monkeypatch):
    for place in ("/dev/zero", "/dev"):
        monkeypatch.setenv("COURSE_KEY_FILE", place)
        with pytest.raises(CourseError, match="密钥"):
            load_key("small")


def test_nothing_in_a_report_runs(project):
    live = ["=1+1", "＝1+1", "@SUM(A1)", "<script>x</script>", "\x1b[31m红", "\u202e乙"]
    lines = [f'{no},"{value}",甲' for no, value in zip(NUMBERS, live, strict=False)]
    good = "".join(f"83000000{i:04d},2020-01-02,甲\n" for i in range(9))
    text = "客户号,建档日,姓名\n" + good + "\n".join(lines) + "\n"
    (project.exports / "cust.csv").write_text(text, encoding="utf-8")
    rewrite(project, "示例农村商业银行", '"=1+1<script>y</script>"', "bank.yml")
    run_intake(Request("small"))
    report = intake_dir("small") / REPORT
    page = (report / "数据报告.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;x" in page
    assert not any(mark in page for mark in ("<script>x", "<script>y", "\x1b", "\u202e"))
    listed = pl.read_csv(report / "问题明细.csv", infer_schema=False)["值"].to_list()
    found = {one for one in listed if "1+1" in one or "SUM" in one}
    assert found == {"'=1+1", "'＝1+1", "'@SUM(A1)"}
    assert not any(mark in one for one in listed for mark in ("\x1b", "\u202e"))


def test_a_disk_that_is_full_leaves_no_half_key(project, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("course_utils.intake.privacy.key.os.fsync", full)
    place = key_path("small")
    with pytest.raises(CourseError, match="腾出磁盘空间"):
        ensure_key("small", used_before=False)
    assert not place.exists()


@pytest.mark.parametrize("head", ["客户号,建档日,姓名,", ""])
def test_a_hundred_thousand_equal_columns(project, head):
    (project.exports / "cust.csv").write_text(head + "1," * 100_000 + "\n1,2,3\n")
    start = time.monotonic()
    with pytest.raises(CourseError, match="最多读 4096 列"):
        run_intake(Request("small"))
    assert time.monotonic() - start < 10


def test_another_key_than_last_time(project):
    run_intake(Request("small"))
    place = key_path("small")
    stands = (warehouse_dir("small") / "customer.parquet").read_bytes()
    place.chmod(0o600)
    place.write_bytes(bytes(range(32)))
    with pytest.raises(CourseError, match="不是上次导入用的那一把"):
        run_intake(Request("small"))
    assert (warehouse_dir("small") / "customer.parquet").read_bytes() == stands
    run_intake(Request("small", new_key=True))
    assert (warehouse_dir("small") / "customer.parquet").read_bytes() != stands
    run_intake(Request("small"))


def test_a_table_without_rows_is_named(project):
    rewrite(project, '    files: ["cust*.csv"]', '    files: ["cust*.csv"]\n    drop: ["."]')
    said = []
    run_intake(Request("small"), say=said.append)
    assert any("“客户”的文件里一行数据也没有" in sentence for sentence in said)
    page = (intake_dir("small") / REPORT / "数据报告.html").read_text(encoding="utf-8")
    assert "一行数据也没有" in page


def test_nothing_is_purged_while_an_intake_runs(project):
    run_intake(Request("small"))
    with alone(intake_dir("small") / ".lock", "x"):
        result = course("purge", "small", "--yes")
    assert result.exit_code == 1
    assert "正在另一个窗口导入" in result.output
    assert (warehouse_dir("small") / "customer.parquet").is_file()
    assert course("purge", "small", "--yes").exit_code == 0
    assert not warehouse_dir("small").exists()


@pytest.mark.parametrize("harm", ["gone", "cut", "more", "record", "list", "file"])
def test_shards_that_were_harmed_are_made_again(project, monkeypatch, harm):
    def stop(*_, **__):
        raise KeyboardInterrupt

    run_intake(Request("small"))
    stands = (warehouse_dir("small") / "customer.parquet").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("course_utils.intake.run._Intake._publish", stop)
        with pytest.raises(KeyboardInterrupt):
            run_intake(Request("small"))
    staging = intake_dir("small") / ".staging"
    folder = staging / "customer" / "00000"
    [shard] = folder.glob("rows-*")
    if harm == "gone":
        shard.unlink()
    elif harm == "cut":
        shard.write_bytes(shard.read_bytes()[:100])
    elif harm == "more":
        (folder / "rows-00009.parquet").write_bytes(b"x")
    elif harm == "record":
        (folder / "done.json").write_text('{"x": 1}')
    elif harm == "list":
        (folder / "done.json").write_text("[]")
    else:
        shutil.rmtree(staging)
        staging.write_text("x")
    assert run_intake(Request("small")).published.rows["customer"] == len(NUMBERS)
    assert (warehouse_dir("small") / "customer.parquet").read_bytes() == stands


def test_a_file_where_the_tables_go_is_replaced_for_good(project):
    warehouse_dir("small").parent.mkdir(parents=True, exist_ok=True)
    warehouse_dir("small").write_text("x")
    for _ in range(2):
        assert run_intake(Request("small")).published is not None
    assert [path.name for path in warehouse_dir("small").parent.iterdir()] == ["small"]


def test_a_header_that_is_not_found_names_nobody(project):
    rewrite(project, "客户号", "客户编号")
    rewrite(project, "建档日", "建档日期")
    rewrite(project, "masked_name: 姓名", "masked_name: 户名")
    with pytest.raises(CourseError) as caught:
        run_intake(Request("small"))
    assert "第 1 行：客户号 | 建档日 | 姓名" in str(caught.value)
    assert "欧阳春晓" not in str(caught.value)
    assert "欧…" in str(caught.value)


def test_a_zip_of_countless_parts(project):
    book = project.exports / "cust.xlsx"
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 65535, 65535, 46 * 65535, 30, 0)
    book.write_bytes(b"PK\x03\x04" + bytes(26) + bytes(46 * 65535) + end)
    rewrite(project, "cust*.csv", "cust.xlsx")
    with pytest.raises(CourseError, match="压缩炸弹"):
        run_intake(Request("small"))


def test_a_report_that_cannot_be_written_does_not_hide_the_tables(project, monkeypatch):
    def full(*_):
        raise OSError("No space left on device (os error 28)")  # as polars says it

    with monkeypatch.context() as patch:
        patch.setattr("course_utils.intake.report.write.write_workbook", full)
        with pytest.raises(CourseError, match=r"已经写好，只有数据报告没有写成.*磁盘已满"):
            run_intake(Request("small"))
    assert (warehouse_dir("small") / "customer.parquet").is_file()
    run_intake(Request("small"))
    assert (intake_dir("small") / REPORT / "数据报告.html").is_file()


def test_a_page_of_countless_tables(project):
    (project.exports / "cust.csv").write_bytes(b"<table><tr>" + b"<table>" * 100_000)
    with pytest.raises(CourseError, match="表太大"):
        run_intake(Request("small"))
