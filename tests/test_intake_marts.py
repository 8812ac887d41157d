"""Marts: what the SQL says, what is left out, and that it agrees with the lessons and the banks."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
import sqlglot
from build_project import REPOSITORY

from course_utils.analysis.customers import leads
from course_utils.analysis.deposits import churn, maturity
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.intake.marts import derive, marts, protecting, run_marts, sample_transactions
from course_utils.intake.marts.catalogue import polars_schema
from course_utils.intake.marts.lenders import lender_names, plain_name
from course_utils.intake.marts.translate import (
    DIALECTS,
    Source,
    list_query,
    months_query,
    select_only,
    translate,
)

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

AS_OF = date(2025, 12, 31)
WAREHOUSE = REPOSITORY / "data" / "warehouse"
LISTS = {
    "months": months_query(date(2025, 1, 1), AS_OF),
    "lender_names": list_query([], ["counterparty_name", "lender", "lender_kind"]),
}


def everything():
    contract = load_contract()
    sources = {n: Source(f"SELECT * FROM {n}_x", frozenset(m.columns)) for n, m in marts().items()}
    for name, table in contract.tables.items():
        sources[name] = Source(f"SELECT * FROM {name}_x", frozenset(table.columns))
    return sources


# ------------------------------------------------------------------------------------ the files


@pytest.mark.parametrize("name", marts())
def test_every_file_tells_the_dba_what_it_needs_to(name):
    mart = marts()[name]
    for entry in ("口径", "输入", "分区", "主键", "空值", "单位", "输出"):
        assert f"-- {entry}：" in mart.sql
    tree = sqlglot.parse_one(mart.sql, read="duckdb")
    assert [p.alias_or_name for p in tree.expressions] == list(mart.columns)
    assert set(mart.key) <= set(mart.columns)
    assert set(mart.inputs) <= {*load_contract().tables, *marts(), "lender_names"}


@pytest.mark.parametrize("name", [n for n in marts() if n in load_contract().tables])
def test_a_table_of_the_contract_has_the_columns_of_the_contract(name):
    mart, table = marts()[name], load_contract().table(name)
    assert mart.key == table.grain
    for column, kind in mart.columns.items():
        assert table.columns[column].type == kind
        assert table.columns[column].zh == mart.names[column]


@pytest.mark.parametrize("dialect", DIALECTS.values())
@pytest.mark.parametrize("name", marts())
def test_every_mart_reads_back_in_every_dialect(name, dialect):
    statement = translate(marts()[name], everything(), LISTS, AS_OF, dialect)
    tree = sqlglot.parse_one(statement.sql, read=dialect)
    assert [p.alias_or_name for p in tree.expressions] == list(marts()[name].columns)
    assert "$as_of" not in statement.sql and not statement.left_out


def test_columns_without_a_source_are_left_out_and_named():
    sources = everything()
    del sources["wealth_month"]
    statement = translate(marts()["customer_month"], sources, LISTS, AS_OF, "duckdb")
    assert set(statement.left_out) == {"wealth_average", "aum_average"}
    assert "wealth_month" not in statement.sql
    assert "aum_average" not in statement.columns


def test_a_mart_that_lacks_what_it_stands_on_says_so():
    sources = {"transaction": Source("SELECT 1", frozenset({"customer_id", "date", "amount"}))}
    statement = translate(marts()["payee_stream"], sources, LISTS, AS_OF, "duckdb")
    assert statement.sql == ""
    assert "transaction.direction" in statement.missing


@pytest.mark.parametrize(
    "query",
    ["DELETE FROM t", "SELECT 1; DROP TABLE t", "SELECT * INTO x FROM t", "SELECT (", "SET x = 1",
     "SELECT * FROM t FOR UPDATE", "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d"],
)  # fmt: skip
def test_only_one_reading_query_is_let_through(query):
    with pytest.raises(CourseError):
        select_only(query, "postgres")


def test_months_are_listed_from_the_latest_and_the_one_under_way_is_marked():
    query = months_query(date(2024, 12, 1), date(2025, 1, 31), date(2025, 2, 14))
    rows = duckdb.execute(f"SELECT month, days, place FROM ({query})").fetchall()
    assert rows == [
        (date(2025, 2, 28), 28, 0), (date(2025, 1, 31), 31, 1), (date(2024, 12, 31), 31, 2),
    ]  # fmt: skip


# ---------------------------------------------------------------------------- a bank made by hand


def transactions(rows):
    names = ("transaction_id", "customer_id", "date", "amount", "direction")
    return pl.DataFrame(
        [(f"X{i}", *row) for i, row in enumerate(rows)],
        schema=dict(zip(names, (pl.String, pl.String, pl.Date, pl.Decimal(18, 2), pl.String),
                        strict=True)),
        orient="row",
    )  # fmt: skip


def write(folder: Path, **tables):
    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")


def test_balances_are_rolled_back_and_the_month_under_way_is_not_written(tmp_path):
    flows = transactions(
        [
            ("A", date(2025, 1, 1), Decimal("100.10"), "收入"),
            ("A", date(2025, 1, 31), Decimal("40.00"), "支出"),
            ("A", date(2025, 2, 10), Decimal("5.05"), "收入"),
            ("A", date(2025, 3, 3), Decimal("1000.00"), "收入"),
            ("A", date(2025, 3, 20), Decimal("9.00"), "收入"),
        ]
    )
    customer = pl.DataFrame({"customer_id": ["A", "B"], "open_date": [date(2024, 1, 1)] * 2})
    account = pl.DataFrame(
        {"account_id": ["1"], "customer_id": ["A"], "kind": ["活期"], "amount": [1.0],
         "balance": [1165.15], "open_date": [date(2024, 1, 1)]}
    ).with_columns(pl.lit(None, pl.Date).alias("close_date"))  # fmt: skip
    write(tmp_path, transaction=flows, customer=customer, deposit_account=account)
    have = ["transaction", "customer", "deposit_account"]
    (derived,) = derive(tmp_path, have, date(2025, 3, 15))
    rows = pl.read_parquet(derived.path)
    assert rows["month"].unique().sort().to_list() == [date(2025, 1, 31), date(2025, 2, 28)]
    mine = rows.filter(customer_id="A").sort("month")
    assert mine["deposit_open"].to_list() == [Decimal("100.00"), Decimal("160.10")]
    assert mine["deposit_end"].to_list() == [Decimal("160.10"), Decimal("165.15")]
    # 100 all month + 100.10 for 31 of 31 days − 40 for one
    assert mine["demand_deposit_average"][0] == Decimal("198.81")
    nobody = rows.filter(customer_id="B")
    assert nobody["deposit_end"].to_list() == [Decimal("0.00")] * 2
    assert {"third_party_pay_amount", "customer_transaction_count"} <= set(derived.left_out)
    assert "交易流水" in derived.left_out["third_party_pay_amount"]
    assert "理财持有" in derived.left_out["wealth_average"]
    assert "需要银行提供" in derived.left_out["mobile_login_days"]


def test_flows_that_do_not_explain_the_balance_are_announced(tmp_path):
    flows = transactions([("A", date(2025, 1, 1), Decimal(100), "收入"),
                          ("A", date(2025, 1, 31), Decimal(1), "收入")])  # fmt: skip
    account = pl.DataFrame({"customer_id": ["A"], "balance": [30.0]})
    write(tmp_path, transaction=flows, deposit_account=account)
    (derived,) = derive(tmp_path, ["transaction", "deposit_account"], date(2025, 1, 31))
    assert any("为负" in note for note in derived.notes)
    assert any("没有客户表" in note for note in derived.notes)
    assert "term_deposit_average" in derived.left_out


def test_months_that_the_export_does_not_cover_are_not_filled_with_zeros(tmp_path):
    days = [date(2025, 1, 15), date(2025, 2, 1), date(2025, 2, 28), date(2025, 3, 5)]
    write(tmp_path, transaction=transactions([("A", day, Decimal(1), "收入") for day in days]))
    (derived,) = derive(tmp_path, ["transaction"], date(2025, 6, 30))
    assert pl.read_parquet(derived.path)["month"].to_list() == [date(2025, 2, 28)]
    assert len(derived.notes) == 3


def test_nothing_is_derived_from_nothing(tmp_path):
    write(tmp_path, transaction=transactions([]))
    assert derive(tmp_path, ["transaction"], AS_OF) == []
    assert derive(tmp_path, [], AS_OF) == []


def test_many_parts_give_the_same_file_as_one(tmp_path, monkeypatch):
    rows = [(f"C{i % 97}", date(2025, 1 + i % 12, 1 + i % 28), Decimal(i), "收入")
            for i in range(1, 3000)]  # fmt: skip
    write(tmp_path, transaction=transactions(rows))
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    key = ["month", "customer_id"]
    (one,) = derive(tmp_path, ["transaction"], AS_OF, tmp_path / "one")
    monkeypatch.setattr("course_utils.intake.marts.local.ROWS_A_PART", 100)
    (many,) = derive(tmp_path, ["transaction"], AS_OF, tmp_path / "many")
    assert one.rows == many.rows > 100
    assert pl.read_parquet(many.path).sort(key).equals(pl.read_parquet(one.path).sort(key))
    first = many.path.read_bytes()
    derive(tmp_path, ["transaction"], AS_OF, tmp_path / "many")
    assert many.path.read_bytes() == first
    assert not list(tmp_path.glob("**/*part*"))


# -------------------------------------------------------------------------------------- lenders


def test_names_are_compared_as_the_lessons_do():
    keywords = pd.DataFrame(
        {"keyword": ["金融", "消费金融", "小贷", "商城"],
         "lender_kind": ["平台", "消费金融", "网络小贷", "误报"]}
    )  # fmt: skip
    names = [
        "子丑消费金融 股份有限公司（还款专户）",
        "ＡＢ小贷",
        "甲 金融",
        "消费金融商城",
        "张三",
        "某某小 贷",
    ]
    pairs = list(zip(keywords["keyword"], keywords["lender_kind"], strict=True))
    found = {name: kind for name, _, kind in lender_names(names, pairs)}
    expected = leads.lender_kind(pd.Series(names), keywords)
    assert [found.get(name) for name in names] == [k if pd.notna(k) else None for k in expected]
    assert [plain_name(name) for name in names] == [leads.normal_name(name) for name in names]


# -------------------------------------------------------------------------------------- sample


def test_a_sample_is_whole_customers_the_same_each_time(tmp_path):
    rows = [(f"C{i % 50}", date(2025, 1 + i % 12, 1), Decimal(1), "收入") for i in range(1000)]
    frame = transactions([*rows, ("C1", date(2024, 12, 31), Decimal(1), "收入"),
                          ("C1", date(2026, 1, 1), Decimal(1), "收入")])  # fmt: skip
    write(tmp_path, transaction=frame)
    frame.sample(fraction=1.0, shuffle=True, seed=5).write_parquet(tmp_path / "shuffled.parquet")
    draw = sample_transactions(str(tmp_path / "transaction.parquet"), tmp_path / "a", AS_OF, 250)
    again = sample_transactions(str(tmp_path / "shuffled.parquet"), tmp_path / "b", AS_OF, 250)
    other = sample_transactions(
        str(tmp_path / "transaction.parquet"), tmp_path / "c", AS_OF, 250, salt="x"
    )
    drawn = pl.read_parquet(tmp_path / "a")
    assert draw == again and (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (draw.rows, draw.customers, draw.all_rows, draw.all_customers) == (240, 12, 1000, 50)
    assert draw.weight == pytest.approx(50 / 12)
    assert drawn.group_by("customer_id").len()["len"].unique().to_list() == [20]
    chosen = set(drawn["customer_id"])
    assert set(pl.read_parquet(tmp_path / "c")["customer_id"]) != chosen and other.customers == 12


# ------------------------------------------------------------------------------------- the hook


def test_rows_are_protected_before_any_is_written(tmp_path):
    rows = [("C1", date(2025, 1, 1), Decimal(1), "收入")]
    write(tmp_path, transaction=transactions(rows))

    class Masks:
        def protect(self, table, frame):
            assert table.columns["customer_id"].protect.startswith("pseudonym")
            return frame.with_columns(pl.lit("P1").alias("customer_id"))

    done = run_marts(
        "duckdb", {"transaction": str(tmp_path / "transaction.parquet")}, AS_OF, tmp_path / "out",
        protect=protecting(Masks(), load_contract()),
    )  # fmt: skip
    assert {d.table for d in done} == {"customer_flow", "customer_seen"}
    for derived in done:
        frame = pl.read_parquet(derived.path)
        assert frame["customer_id"].to_list() == ["P1"]
        schema = polars_schema(marts()[derived.table].columns)
        assert frame.schema == {name: schema[name] for name in derived.columns}

    def fails(mart, frame):
        raise CourseError("密钥不见了。")

    with pytest.raises(CourseError):
        run_marts("duckdb", {"transaction": str(tmp_path / "transaction.parquet")}, AS_OF,
                  tmp_path / "none", protect=fails)  # fmt: skip
    assert not list((tmp_path / "none").glob("**/*.parquet"))


def test_what_another_engine_fetched_becomes_the_contract_table(tmp_path):
    rows = [
        ("C1", date(2025, 1, 1), Decimal(7), "收入"),
        ("C1", date(2025, 2, 28), Decimal(2), "支出"),
    ]
    write(tmp_path, transaction=transactions(rows))
    write(tmp_path, deposit_account=pl.DataFrame({"customer_id": ["C1"], "balance": [10.0]}))
    day = date(2025, 2, 28)
    tables = {n: str(tmp_path / f"{n}.parquet") for n in ("transaction", "deposit_account")}
    fetched = run_marts("duckdb", tables, day, tmp_path / "fetched")
    have = {d.table: str(d.path) for d in fetched}
    there = derive(tmp_path, have, day, tmp_path / "remote")
    here = derive(tmp_path, tables, day, tmp_path / "here")
    assert [d.table for d in there] == ["customer_month"]
    assert pl.read_parquet(there[0].path).equals(pl.read_parquet(here[0].path))


@pytest.mark.parametrize("url", ["oracle://x", "ftp://x", ""])
def test_an_unknown_engine_is_named(url, tmp_path):
    with pytest.raises(CourseError, match="不认识的引擎"):
        run_marts(url, {}, AS_OF, tmp_path)


# ------------------------------------------------------------------------- churn states, the ladder


def test_states_and_ladder_are_those_of_the_lessons(tmp_path):
    import numpy as np

    rng = np.random.default_rng(3)
    months = pd.date_range("2025-01-31", periods=12, freq="ME")
    people = [f"C{i:04}" for i in range(600)]
    aum = np.round(
        rng.lognormal(9.5, 1, (600, 1))
        * rng.lognormal(-0.1, 0.6, (600, 12))
        * np.where((np.arange(600) % 7 == 0)[:, None] & (np.arange(12) > 8), 0.05, 1),
        2,
    )
    idle = pd.Series(rng.choice([1.0, 179.0, 180.0, np.nan], 600), index=people)
    panel = pd.DataFrame(aum, index=people, columns=months)
    long = panel.melt(ignore_index=False, var_name="month", value_name="aum_average")
    frame = pl.DataFrame(
        {"month": [m.date() for m in long["month"]], "customer_id": list(long.index),
         "aum_average": [Decimal(f"{v:.2f}") for v in long["aum_average"]],
         "days_since_customer_transaction": [None if np.isnan(v) else int(v)
                                             for v in idle.reindex(long.index)]}
    )  # fmt: skip
    n, spread = 400, rng.integers(-50, 2400, 400)
    account = pd.DataFrame(
        {"branch_id": rng.choice(["B1", "B2"], n), "customer_id": rng.choice(people, n),
         "kind": rng.choice(["活期", "定期", "大额存单", "通知"], n),
         "amount": np.round(rng.lognormal(10, 1, n), 2), "open_date": pd.Timestamp("2024-01-01"),
         "maturity_date": pd.Timestamp(AS_OF) + pd.to_timedelta(spread, "D"),
         "close_date": pd.Series(rng.choice([None, pd.Timestamp("2025-06-01")], n),
                                 dtype="datetime64[us]")}
    )  # fmt: skip
    dates = [pl.col(c).cast(pl.Date) for c in ("open_date", "maturity_date", "close_date")]
    accounts = pl.DataFrame(
        {c: list(account[c].astype(object).where(account[c].notna(), None)) for c in account}
    ).with_columns(dates)
    write(tmp_path, customer_month=frame, deposit_account=accounts)
    done = derive(tmp_path, ["customer_month", "deposit_account"], AS_OF, features=True)
    paths = {d.table: d.path for d in done}
    state = churn.loss_state(panel, idle).dropna()
    mine = pl.read_parquet(paths["churn_state"])
    assert dict(zip(mine["customer_id"], mine["state"], strict=True)) == state.to_dict()
    assert set(mine["state"]) == set(churn.STATES)
    term = maturity.open_term(account, pd.Timestamp(AS_OF))
    expected = term.groupby(pd.cut(term["days_left"], [*maturity.EDGES_DAYS, 10**5], labels=False))
    ladder = pl.read_parquet(paths["maturity_ladder"]).group_by("bucket").agg(
        pl.col("amount").cast(pl.Float64).sum(), pl.col("accounts").sum()
    )  # fmt: skip
    found = {b - 1: (round(a, 2), n) for b, a, n in ladder.iter_rows()}
    sums = expected["amount"].agg(["sum", "size"])
    assert found == {b: (round(row["sum"], 2), row["size"]) for b, row in sums.iterrows()}
