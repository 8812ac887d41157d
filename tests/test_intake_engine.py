"""Rows that stay in an engine, and a file of statements for the lessons beside them."""

import polars as pl
import pytest
from test_intake_run import MAPPING, NUMBERS, Bank, bank

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

__all__ = ["bank"]

SOURCE = """\
      transaction_id: 流水号
      customer_id: 客户号
      date: 日期
      amount: 金额
      direction: {from: 借贷, codes: {借: 支出, 贷: 收入}}
"""


def engine_mapping(place, files=""):
    query = f"SELECT * FROM read_parquet('{place}')"
    columns = SOURCE.replace("      ", "        ")
    head = MAPPING.partition("  transaction:")[0]
    sources = f'    - database: {{url_env: X, query: "{query}"}}\n      columns:\n{columns}'
    if files:
        sources += f'    - files: ["{files}"]\n      columns:\n{columns}'
    return f"{head}  transaction:\n{sources}"


def write_engine(bank: Bank, place):
    rows = pl.concat(
        pl.read_csv(path, encoding="gb18030", infer_schema=False)
        for path in sorted(bank.exports.glob("flow-*.csv"))
    )
    rows.with_columns(pl.col("金额").cast(pl.Decimal(18, 2))).write_parquet(place)
    return rows


def take(bank, text):
    place = bank.project.folder / "data" / "banks" / bank.code / "mapping.yml"
    place.write_text(text, encoding="utf-8")
    return bank.take(engine="duckdb")


def test_a_sample_of_statements_may_come_from_a_file_beside_the_engine(bank, tmp_path):
    place = tmp_path / "Flow.parquet"
    rows = write_engine(bank, place)
    alone = take(bank, engine_mapping(place))
    assert "transaction" not in alone.published.rows
    assert any("看流水明细的课没有数据可读" in sentence for sentence in bank.said)
    months = bank.table("customer_month")
    sample = rows.filter(pl.col("客户号").is_in(NUMBERS[:5]))
    sample.write_csv(bank.exports / "sample.csv")
    both = take(bank, engine_mapping(place, "sample.csv"))
    assert both.published.rows["transaction"] == sample.height > 0
    assert not any("没有数据可读" in sentence for sentence in bank.said)
    assert bank.table("customer_month").equals(months)  # of all rows, not of the sample
