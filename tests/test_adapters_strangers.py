"""Data that nobody had in mind: every step says something a person can act upon, nothing breaks."""

import csv

import polars as pl
import pytest
from click.testing import CliRunner
from messy_bank.cases import Project, read_faults
from messy_bank.strangers import ROWS, STRANGERS

from course_utils.cli import main
from course_utils.intake.mapping.reader import mapping_path

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    return Stranger(tmp_path, monkeypatch.setenv)


class Stranger:
    """Somebody who follows the walk-through with files of another kind."""

    code = "visitor"

    def __init__(self, folder, setenv):
        self.project = Project(folder, setenv)
        self.exports = folder / "exports"

    def arrive(self, kind):
        """New bank, files, inspection; return what the inspection says."""
        self.files = STRANGERS[kind](self.exports)
        self.run("bank", "new", self.code, "--as-of", "2025-12-31")
        paths = [str(path) for path in self.files]
        return self.run("bank", "inspect", *paths, "--bank", self.code, "--write")

    def run(self, *command, code=0):
        """Run one command; whatever it comes to, it speaks in sentences."""
        result = CliRunner().invoke(main, list(command))
        assert result.exit_code == code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        return result.output

    def intake(self, code=0):
        return self.run("intake", self.code, "--from", str(self.exports), code=code)

    def map(self, text):
        mapping_path(self.code).write_text(text, encoding="utf-8")

    def table(self, name):
        folder = self.project.folder / "data" / "warehouse" / self.code
        return pl.read_parquet(folder / f"{name}.parquet")

    def faults(self):
        report = self.project.folder / "data" / "intake" / self.code / "数据报告"
        return read_faults(report)


def test_one_table_alone(stranger):
    said = stranger.arrive("one_table")
    assert "贷款借据" in said
    stranger.intake()
    loans = stranger.table("loan")
    with stranger.files[0].open(encoding="gb18030", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert loans.height == ROWS
    total = sum(round(float(row["放款金额"].replace(",", "")) * 100) for row in rows)
    assert round(float(loans["amount"].sum()) * 100) == total
    assert "m00_n01" in stranger.run("bank", "status", stranger.code)


def test_payments_a_merchant_and_day(stranger):
    said = stranger.arrive("merchant_days")
    assert "商户日交易" in said
    stranger.intake()
    table = stranger.table("merchant_day")
    assert table.height == ROWS
    assert table["merchant_id"].n_unique() == 12
    assert not table["merchant_id"].str.contains("8899").any()


def test_invoices_have_no_table_of_their_own(stranger):
    said = stranger.arrive("invoices")
    assert "课程没有与它对应的表" in said
    # nothing is taken for granted: what was borrowed waits for a person
    assert "mapping.yml" in stranger.intake(code=1)
    stranger.map(_INVOICES)
    stranger.intake()
    table = stranger.table("transaction")
    assert table.height == ROWS
    assert set(table["direction"]) == {"收入"}
    text = table.select(pl.col(pl.String)).write_csv()
    assert "9299000070" not in text  # the sellers' own codes


def test_a_shop_with_english_headers(stranger):
    said = stranger.arrive("retail")
    for zh in ("客户", "交易流水", "手机银行行为"):
        assert zh in said
    stranger.map(_RETAIL)
    stranger.intake()
    people, events = stranger.table("customer"), stranger.table("mobile_event")
    assert people.height == 60
    assert set(people["gender"]) == {"男", "女"}
    assert set(events["customer_id"]) == set(people["customer_id"])
    # 2025-…T11:…Z: taken as written, and said
    assert set(events["event_time"].dt.hour()) == {11}
    assert "世界时" in {x.rule for x in stranger.faults()}


def test_a_foreign_bank_is_never_misread(stranger):
    stranger.arrive("foreign")
    stranger.map(_FOREIGN)
    said = stranger.intake(code=1)
    assert "存款账户" in said
    # 1.234.567,89 is refused, not taken for another amount; the dates are understood
    rules = {(x.column, x.rule) for x in stranger.faults() if x.level == "拒收"}
    assert ("余额", "不是数字") in rules
    assert not any(column in {"开户日", "到期日"} for column, _ in rules)


_INVOICES = """\
contract: "2.0"
tables:
  transaction:
    files: ["发票明细.csv"]
    columns:
      transaction_id: 发票号码
      customer_id: 销方税号
      date: 开票日期
      amount: 价税合计
      direction: {value: 收入}
      kind: {value: 转账}
      channel: {value: 系统}
      counterparty_name: 购方名称
      counterparty_type: {value: 企业}
      memo: 货物名称
      customer_initiated: {value: 是}
"""
_RETAIL = """\
contract: "2.0"
tables:
  customer:
    files: [customers.csv]
    columns:
      customer_id: customer_id
      customer_type: {value: 个人}
      segment: {value: 其他}
      id_hash: customer_id
      masked_name: last_name
      phone_valid: {value: 否}
      gender: {from: gender, codes: {"F": 女, "M": 男}}
      birth_year: date_of_birth
      town_id: city
      branch_id: {value: "W01"}
      open_date: signup_date
      status: {from: status, codes: {"active": 正常}}
      is_farmer: {value: 否}
      is_migrant: {value: 否}
      do_not_call: {value: 否}
      weight: {value: 1}
  mobile_event:
    files: [app_events.csv]
    columns:
      event_id: event_id
      customer_id: user_id
      event_time: event_time
      page: {from: screen, codes: {"home": 首页}}
      action: {from: event_name, codes: {"login": 登录}}
      session_seconds: session_seconds
      device_hash: device_id
"""
_FOREIGN = """\
contract: "2.0"
tables:
  deposit_account:
    files: [accounts.csv]
    columns:
      account_id: Account Number
      customer_id: Customer Number
      branch_id: {value: "B01"}
      kind: {from: Product, codes: {"CURRENT": 活期, "TERM": 定期}}
      open_date: Opening Date
      maturity_date: Maturity Date
      amount: Balance
      balance: Balance
      rate: Rate
"""
