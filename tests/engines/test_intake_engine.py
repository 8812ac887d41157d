"""``course intake X --engine``: a bank whose rows of events live in a warehouse, under its names.

The same rows come once from files and once from the engine; what is published must be the same.
"""

from datetime import date, timedelta

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner
from messy_bank.cases import Project

from course_utils.cli import main
from course_utils.paths import warehouse_dir

PASSWORD = "Pw-9x-never-shown"
STAYING = """\
contract: "2.0"
tables:
  customer:
    files: ["customers.csv"]
    columns: {customer_id: 客户号, open_date: 建档日, masked_name: 姓名}
  merchant:
    files: ["merchants.csv"]
    columns:
      merchant_id: 商户号
      customer_id: 客户号
      open_date: 签约日
      close_date: 解约日
      fee_rate: 费率
  transaction:
    TRANSACTION
    unit: 分
    skip: {冲正标志: ["Y"]}
    columns:
      transaction_id: 流水号
      customer_id: 客户号
      date: 交易日期
      amount: {from: 发生额, absolute: true}
      direction: {from: 发生额, signs: {"+": 收入, "-": 支出}}
      kind: {from: 交易码, codes: {"A1": 代发工资, "B1": 消费, "*": 转账}}
      channel: {from: 渠道, codes: {"01": 手机银行, "02": 柜面}}
      counterparty_name: 对手户名
      customer_initiated: 主动
  merchant_day:
    MERCHANT_DAY
    columns:
      date: 清算时间
      merchant_id: 商户号
      transaction_count: 笔数
      transaction_amount: {from: 金额, unit: 百元}
"""
CUSTOMERS = [f"Kh8100{i:04d}" for i in range(40)]
MERCHANTS = [f"Sh77{i:03d}" for i in range(6)]
NAMES = ["欧阳春晓", "司马长风", "诸葛明月", "慕容秋水"]
FIRST = date(2025, 9, 1)
FLOWS = {
    "流水号": [f"F{i:06d}" for i in range(4000)],
    "客户号": [CUSTOMERS[i * 7 % 40] + "  " for i in range(4000)],
    "交易日期": [f"{FIRST + timedelta(days=i % 122):%Y%m%d}" for i in range(4000)],
    "发生额": [(-1) ** (i % 3) * (i * 37 % 90001 + 1) for i in range(4000)],
    "交易码": [("A1", "B1", "C7", "D2")[i % 4] for i in range(4000)],
    "渠道": [("01", "02")[i % 2] for i in range(4000)],
    "对手户名": [NAMES[i % 4] for i in range(4000)],
    "主动": [("是", "否")[i % 5 == 0] for i in range(4000)],
    "冲正标志": [("N", "Y")[i % 50 == 0] for i in range(4000)],
}
DAYS = {
    "清算时间": [f"{FIRST + timedelta(days=i % 122)} 21:30:00" for i in range(700)],
    "商户号": [MERCHANTS[i // 122] for i in range(700)],
    "笔数": [i % 9 for i in range(700)],
    "金额": [f"{i % 9 * 1.25:.4f}" for i in range(700)],
}


class Bank:
    """A bank of 40 customers, and its project."""

    code = "small"

    def __init__(self, folder, setenv):
        self.project = Project(folder, setenv)
        self.project.bank(self.code, "")
        self.exports = self.project.folder / "data" / "incoming" / self.code
        self.exports.mkdir(parents=True)
        self.write(
            "customers.csv",
            {
                "客户号": CUSTOMERS,
                "建档日": ["2019-03-04"] * 40,
                "姓名": [NAMES[i % 4] for i in range(40)],
            },
        )
        self.write(
            "merchants.csv",
            {
                "商户号": MERCHANTS,
                "客户号": CUSTOMERS[:6],
                "签约日": ["2024-05-06"] * 6,
                "解约日": [""] * 5 + ["2025-11-11"],
                "费率": ["0.38"] * 6,
            },
        )

    def write(self, name, columns):
        pl.DataFrame(columns).write_csv(self.exports / name)

    def take(self, flows, days, *options):
        mapping = STAYING.replace("TRANSACTION", flows).replace("MERCHANT_DAY", days)
        place = self.project.folder / "data" / "banks" / self.code / "mapping.yml"
        place.write_text(mapping, encoding="utf-8")
        result = CliRunner().invoke(main, ["intake", self.code, *options])
        self.output = result.output
        return result

    def months(self):
        folder = warehouse_dir(self.code)
        both = {}
        for name in ("customer_month", "merchant_month"):
            frame = pl.read_parquet(folder / f"{name}.parquet")
            both[name] = frame.sort(frame.columns[:2])
        return both

    def found(self, *texts):
        """Return what of the texts stands in a file below the project, other than the exports."""
        hits = []
        for path in self.project.folder.rglob("*"):
            if path.is_symlink() or not path.is_file() or path.is_relative_to(self.exports):
                continue
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += str(pl.read_parquet(path).rows()).encode()
            hits += [(path.name, text) for text in texts if text.encode() in content]
        return hits


@pytest.fixture
def bank(tmp_path, monkeypatch):
    return Bank(tmp_path, monkeypatch.setenv)


@pytest.fixture
def from_files(bank):
    """Take everything from files first: that is what the engines are held against."""
    bank.write("flows.csv", FLOWS)
    bank.write("days.csv", DAYS)
    result = bank.take('files: ["flows.csv"]', 'files: ["days.csv"]')
    assert result.exit_code == 0, result.output
    months = bank.months()
    assert months["customer_month"]["in_count"].sum() + months["customer_month"][
        "out_count"
    ].sum() == sum(flag == "N" for flag in FLOWS["冲正标志"])
    assert months["merchant_month"].height == 23  # one has closed
    return months


def assert_same_months(bank, expected):
    for name, mine in bank.months().items():
        assert mine.schema == expected[name].schema, name
        assert mine.equals(expected[name]), name


def frames():
    flows, days = pl.DataFrame(FLOWS), pl.DataFrame(DAYS)
    return flows, days.with_columns(
        pl.col("清算时间").str.to_datetime(), pl.col("金额").cast(pl.Decimal(18, 4))
    )


def test_postgresql(bank, from_files, postgres_url, monkeypatch):
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute('DROP SCHEMA IF EXISTS "核心" CASCADE; CREATE SCHEMA "核心"')
        connection.execute(
            'CREATE TABLE "核心"."流水明细" ("流水号" TEXT, "客户号" CHAR(20), "交易日期" CHAR(8), '
            '"发生额" BIGINT, "交易码" CHAR(4), "渠道" TEXT, "对手户名" TEXT, "主动" TEXT, '
            '"冲正标志" CHAR(1))'
        )
        connection.execute(
            'CREATE TABLE "核心"."Merch_Day" ("清算时间" TIMESTAMP, "商户号" TEXT, '
            '"笔数" INT, "金额" NUMERIC(18,4))'
        )
        for table, frame in zip(("流水明细", "Merch_Day"), frames(), strict=True):
            with connection.cursor().copy(f'COPY "核心"."{table}" FROM STDIN') as copy:
                for row in frame.rows():
                    copy.write_row(row)
    url = postgres_url.replace("course@", f"course:{PASSWORD}@")
    monkeypatch.setenv("CORE_DB", url)
    flows = "database: {url_env: CORE_DB, table: 核心.流水明细}"
    days = """database: {url_env: CORE_DB, query: 'select * from "核心"."Merch_Day"'}"""
    result = bank.take(flows, days, "--engine", url)
    assert result.exit_code == 0, result.output
    assert_same_months(bank, from_files)
    assert bank.found(PASSWORD, *CUSTOMERS, *MERCHANTS, *NAMES) == []
    assert PASSWORD not in bank.output
    for broken in (url.replace("/postgres", "/nothere"), url.replace("127.0.0.1", "no.host.test")):
        refused = bank.take(flows, days, "--engine", broken)
        assert refused.exit_code == 1 and "连不上数据仓库" in refused.output
        assert PASSWORD not in refused.output
    refused = bank.take(flows.replace("流水明细", "没有"), days, "--engine", url)
    assert refused.exit_code == 1 and PASSWORD not in refused.output
    assert_same_months(bank, from_files)  # what failed has changed nothing


def test_spark_on_this_machine(bank, from_files, tmp_path):
    lake = tmp_path / "Lake"  # the case of a path counts
    lake.mkdir()
    for name, frame in zip(("flows", "days"), frames(), strict=True):
        frame.write_parquet(lake / f"{name}.parquet")
    query = "database: {{url_env: NONE, query: 'select * from parquet.`{}`'}}"
    flows, days = (query.format(lake / f"{name}.parquet") for name in ("flows", "days"))
    result = bank.take(flows, days, "--engine", "spark-local")
    assert result.exit_code == 0, result.output
    assert_same_months(bank, from_files)
    assert bank.found(*CUSTOMERS, *MERCHANTS, *NAMES) == []


def test_duckdb(bank, from_files, tmp_path):
    for name, frame in zip(("flows", "days"), frames(), strict=True):
        frame.write_parquet(tmp_path / f"{name}.parquet")
    query = "database: {{url_env: NONE, query: \"select * from read_parquet('{}')\"}}"
    flows, days = (query.format(tmp_path / f"{name}.parquet") for name in ("flows", "days"))
    assert duckdb.sql(f"select count(*) from '{tmp_path}/flows.parquet'").fetchone() == (4000,)
    result = bank.take(flows, days, "--engine", "duckdb")
    assert result.exit_code == 0, result.output
    assert_same_months(bank, from_files)
