"""A whole intake: resumed, locked, all or nothing, no raw value on disk."""

import sqlite3

import polars as pl
import pytest
from click.testing import CliRunner
from messy_bank.cases import Project

from course_utils.cli import main
from course_utils.errors import CourseError
from course_utils.files import alone
from course_utils.intake import stage as staging_step
from course_utils.intake.run import REPORT, Request, run_intake
from course_utils.paths import intake_dir, warehouse_dir

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

MAPPING = """\
contract: "2.0"
tables:
  customer:
    files: ["customers.csv"]
    columns: {customer_id: 客户号, open_date: 建档日, masked_name: 姓名}
  transaction:
    files: ["flow-*.csv"]
    columns:
      transaction_id: 流水号
      customer_id: 客户号
      date: 日期
      amount: 金额
      direction: {from: 借贷, codes: {借: 支出, 贷: 收入}}
"""
NUMBERS = [f"81000000{i:04d}" for i in range(20)]
NAMES = ["欧阳春晓", "司马长风", "诸葛明月", "慕容秋水"]


@pytest.fixture
def bank(tmp_path, monkeypatch):
    return Bank(Project(tmp_path, monkeypatch.setenv))


class Bank:
    """A bank with two tables in three files."""

    code = "small"

    def __init__(self, project):
        self.project = project
        project.bank(self.code, MAPPING)
        self.exports = project.folder / "data" / "incoming" / self.code
        self.exports.mkdir(parents=True)
        lines = [f"{no},2019-03-0{1 + i % 9},{NAMES[i % 4]}" for i, no in enumerate(NUMBERS)]
        self.write("customers.csv", "客户号,建档日,姓名", lines)
        for month in (10, 11):
            self.write_flow(month, 30)

    def write(self, name, head, lines):
        (self.exports / name).write_text("\n".join([head, *lines, ""]), encoding="gb18030")

    def write_flow(self, month, count, bad=0):
        lines = [
            f"F{month}{i:04d},{NUMBERS[i % 20]},2025-{month}-{1 + i % 28:02d},{100 + i}.50,贷"
            for i in range(count)
        ]
        lines += [f"B{month}{i:04d},{NUMBERS[0]},2025-{month}-05,没有,贷" for i in range(bad)]
        self.write(f"flow-{month}.csv", "流水号,客户号,日期,金额,借贷", lines)

    def be_strict(self):
        """Take the default share of rejected rows instead of the project's lenient one."""
        place = self.project.folder / "data" / "banks" / self.code / "bank.yml"
        place.write_text("name: 小行\nkind: 测试\nas_of: 2025-12-31\n", encoding="utf-8")

    def take(self, **options):
        self.said = []
        return run_intake(Request(self.code, **options), say=self.said.append)

    def table(self, name):
        return pl.read_parquet(warehouse_dir(self.code) / f"{name}.parquet")

    @property
    def stands(self):
        return {p.name: p.read_bytes() for p in warehouse_dir(self.code).glob("*")}


def test_tables_are_published_with_a_report_and_nothing_is_left_behind(bank):
    outcome = bank.take()
    assert outcome.published.rows["customer"] == 20
    assert outcome.published.rows["transaction"] == 60
    assert bank.table("transaction")["amount"].sum() == sum(2 * (100.5 + i) for i in range(30))
    left = {path.name for path in intake_dir(bank.code).iterdir()}
    assert left == {".lock", REPORT, "raw_values.json"}
    assert any("密钥" in sentence for sentence in bank.said)


def test_no_raw_value_is_ever_written_below_the_project(bank, monkeypatch):
    def stop(self, staged):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("course_utils.intake.run._Intake._publish", lambda *_: stop(*_[:2]))
        with pytest.raises(KeyboardInterrupt):
            bank.take()
    assert _raw_values_below(bank) == []  # with the shards still there
    bank.take()
    assert _raw_values_below(bank) == []


def _raw_values_below(bank):
    found = []
    for path in bank.project.folder.rglob("*"):
        if not path.is_file() or path.is_relative_to(bank.exports) or path.is_symlink():
            continue
        texts = [path.read_bytes()]
        if path.suffix == ".parquet":  # compressed: look at the values themselves
            texts = [str(pl.read_parquet(path).rows()).encode()]
        for raw in [*NUMBERS, *NAMES]:
            found += [(path.name, raw) for text in texts if raw.encode() in text]
    return found


def test_a_run_that_was_killed_goes_on_where_it_stopped(bank, monkeypatch):
    read, real = [], staging_step.Stage._readings

    def until_the_last(self, mapping, path):
        read.append(path.name)
        if len(read) == 3:
            raise KeyboardInterrupt
        return real(self, mapping, path)

    monkeypatch.setattr(staging_step.Stage, "_readings", until_the_last)
    with pytest.raises(KeyboardInterrupt):
        bank.take()
    assert not warehouse_dir(bank.code).exists()
    bank.take()
    assert read == ["customers.csv", "flow-10.csv", "flow-11.csv", "flow-11.csv"]
    assert any("有 2 个文件" in sentence for sentence in bank.said)
    resumed = bank.stands
    bank.take(afresh=True)
    assert len(read) == 7
    assert bank.stands == resumed


def test_a_file_that_changed_is_read_again(bank, monkeypatch):
    bank.be_strict()
    bank.write_flow(10, 30, bad=25)
    assert bank.take().published is None  # shards stay for the next try
    read, real = [], staging_step.Stage._readings

    def noted(self, mapping, path):
        read.append(path.name)
        return real(self, mapping, path)

    monkeypatch.setattr(staging_step.Stage, "_readings", noted)
    bank.write_flow(10, 31)
    assert bank.take().published.rows["transaction"] == 61
    assert read == ["flow-10.csv"]


def test_too_many_bad_rows_stop_the_intake_and_the_old_tables_stay(bank):
    bank.be_strict()
    bank.take()
    before = bank.stands
    bank.write_flow(10, 30, bad=10)
    result = CliRunner().invoke(main, ["intake", bank.code])
    assert result.exit_code == 1
    assert "没有写入任何数据表" in result.output and "14.29%" in result.output
    assert "Traceback" not in result.output
    assert bank.stands == before
    assert (intake_dir(bank.code) / REPORT / "数据问题清单.xlsx").is_file()


def test_two_at_once(bank):
    lock = intake_dir(bank.code) / ".lock"
    with alone(lock, "忙"), pytest.raises(CourseError, match="另一个窗口"):
        bank.take()
    assert bank.take().published is not None


def test_the_key_decides_the_numbers(bank, tmp_path):
    bank.take()
    first, before = bank.table("customer"), bank.stands
    bank.take(afresh=True)
    assert bank.table("customer").equals(first)
    (tmp_path / "keys" / "test.key").unlink()
    with pytest.raises(CourseError, match=r"找不到.*密钥"):
        bank.take()
    assert bank.stands == before
    bank.take(new_key=True)
    assert not set(bank.table("customer")["customer_id"]) & set(first["customer_id"])
    linked = bank.table("transaction").join(bank.table("customer"), on="customer_id")
    assert linked.height == 60


@pytest.mark.parametrize("moment", ["shards", "tables"])
def test_a_full_disk_leaves_everything_as_it_was(bank, monkeypatch, moment):
    bank.take()
    before = bank.stands

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    bank.write_flow(10, 40)
    if moment == "shards":
        monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    else:
        monkeypatch.setattr("course_utils.intake.publish.derive", full)
    with pytest.raises(CourseError, match="磁盘已满"):
        bank.take()
    assert bank.stands == before
    monkeypatch.undo()


def test_rows_from_a_database(bank, tmp_path, monkeypatch):
    place = tmp_path / "core.db"
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE ln (no TEXT, cust TEXT, amt TEXT, day TEXT)")
        rows = [(f"L{i}", NUMBERS[i], "1,000.25", "20240131") for i in range(5)]
        connection.executemany("INSERT INTO ln VALUES (?, ?, ?, ?)", rows)
    mapping = (
        MAPPING
        + """\
  loan:
    database: {url_env: CORE_DB, table: ln}
    columns: {loan_id: no, customer_id: cust, amount: amt, issue_date: day}
"""
    )
    (bank.project.folder / "data" / "banks" / bank.code / "mapping.yml").write_text(
        mapping, encoding="utf-8"
    )
    monkeypatch.delenv("CORE_DB", raising=False)
    with pytest.raises(CourseError, match="CORE_DB"):
        bank.take()
    monkeypatch.setenv("CORE_DB", f"sqlite:///{place}")
    bank.take()
    loans = bank.table("loan")
    assert loans["amount"].to_list() == [1000.25] * 5
    assert not set(loans["loan_id"]) & {row[0] for row in rows}


def test_nothing_mapped_and_no_files(bank):
    place = bank.project.folder / "data" / "banks" / bank.code / "mapping.yml"
    place.write_text('contract: "2.0"\ntables: {}\n', encoding="utf-8")
    with pytest.raises(CourseError, match="还没有填任何一张表"):
        bank.take()
    place.write_text(MAPPING, encoding="utf-8")
    for path in bank.exports.iterdir():
        path.unlink()
    with pytest.raises(CourseError, match=r"customers\.csv"):
        bank.take()


def test_rows_that_stay_in_the_engine_give_the_same_months(bank, tmp_path):
    """The marts of an engine, de-identified, link with the tables that were read from files."""
    months = ["month", "customer_id", "in_amount", "in_count"]
    bank.take()
    here = bank.table("customer_month").select(months).sort(months)
    rows = pl.concat(
        pl.read_csv(path, encoding="gb18030", infer_schema=False)
        for path in sorted(bank.exports.glob("flow-*.csv"))
    )
    rows = rows.with_columns(pl.col("日期").str.to_date(), pl.col("金额").cast(pl.Decimal(18, 2)))
    rows.write_parquet(tmp_path / "flow.parquet")
    query = f"SELECT * FROM read_parquet('{tmp_path / 'flow.parquet'}')"
    mapping = MAPPING.replace(
        'files: ["flow-*.csv"]', f'database: {{url_env: X, query: "{query}"}}'
    )
    place = bank.project.folder / "data" / "banks" / bank.code / "mapping.yml"
    place.write_text(mapping, encoding="utf-8")
    with pytest.raises(CourseError, match="不认识的引擎"):
        bank.take(engine="oracle://x")
    outcome = bank.take(engine="duckdb")
    assert "transaction" not in outcome.published.rows
    assert bank.table("customer_month").select(months).sort(months).equals(here)
    assert _raw_values_below(bank) == []


def test_an_engine_with_nothing_to_do(bank):
    with pytest.raises(CourseError, match="--engine 用不上"):
        bank.take(engine="duckdb")
