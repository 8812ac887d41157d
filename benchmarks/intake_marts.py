"""Time and memory of the customer-month marts, against plain pandas and one plain DuckDB query.

``python -m benchmarks.intake_marts`` makes statements of 1, 10 and 100 million rows (500 000
customers, twelve months, twelve contract columns) in a scratch folder and works out the monthly
flows of every customer three ways in one run: our marts, part by part; one SQL query in DuckDB as
it comes; pandas. ``whole`` is ours again with everything that belongs to it: flows, balances rolled
back, the contract table customer_month sorted and written. Each is a process of its own that may
use 10 GB; one that is stopped there is recorded as such. Results go to
``benchmarks/results/intake_marts.json`` and into ``docs/marts.md``.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import machine, page

SECTION = "intake_marts"
COMMAND = "python -m benchmarks.intake_marts"
PACKAGES = ("duckdb", "pandas", "polars", "sqlglot")
SIZES = (1_000_000, 10_000_000, 100_000_000)
WAYS = ("whole", "marts", "duckdb", "pandas")
CUSTOMERS = 500_000
AS_OF = date(2025, 12, 31)
CAP_GB, SECONDS = 10, 1_500
LIMIT_MB = {10_000_000: 300, 100_000_000: 1_000}
PAGE = page.ROOT / "docs" / "marts.md"


def make(folder: Path, rows: int) -> None:
    """Write statements month by month, and the accounts and customers that belong to them."""
    import duckdb

    connection = duckdb.connect(config={"memory_limit": "1GB", "threads": "2"})
    folder.mkdir(parents=True, exist_ok=True)
    for month in range(1, 13):
        first = date(2025, month, 1)
        days = ((date(2025 + month // 12, month % 12 + 1, 1)) - first).days
        count = rows // 12
        begin = count * (month - 1)
        connection.execute(f"""COPY (
            SELECT printf('X%09d', i) AS transaction_id,
              printf('C%07d', h % {CUSTOMERS}) AS customer_id,
              DATE '{first}' + CAST((h >> 20) % {days} AS INTEGER) AS date,
              CAST((h >> 25) % 24 AS BIGINT) AS hour,
              CAST(((h >> 30) % 500000 + 1) / 100.0 AS DECIMAL(18, 2)) AS amount,
              CASE WHEN h & 1048576 = 0 THEN '收入' ELSE '支出' END AS direction,
              ['转账', '消费', '代发工资', '还款', '取现'][CAST((h >> 21) % 5 AS INT) + 1] AS kind,
              ['手机银行', '柜面', '第三方支付', '系统'][CAST((h >> 23) % 4 AS INT) + 1] AS channel,
              '对手' || CAST((h >> 33) % 2000 AS VARCHAR) AS counterparty_name,
              ['个人', '企业', '本人他行', '商户'][CAST((h >> 35) % 4 AS INTEGER) + 1]
                AS counterparty_type,
              CAST(NULL AS VARCHAR) AS memo,
              (h >> 37) % 3 > 0 AS customer_initiated
            FROM (SELECT i, hash(i) >> 1 AS h FROM range({begin}, {begin + count}) AS r(i))
          ) TO '{folder}/transaction_{month:02}.parquet' (FORMAT parquet)""")
    connection.execute(f"""COPY (SELECT printf('C%07d', i) AS customer_id, DATE '2024-01-01' AS
        open_date FROM range({CUSTOMERS}) AS r(i)) TO '{folder}/customer.parquet'""")
    connection.execute(f"""COPY (SELECT printf('A%07d', i) AS account_id, printf('C%07d', i) AS
        customer_id, '活期' AS kind, DATE '2024-01-01' AS open_date, NULL::DATE AS close_date,
        CAST(100 AS DECIMAL(18, 2)) AS amount, CAST(1000000 AS DECIMAL(18, 2)) AS balance
        FROM range({CUSTOMERS}) AS r(i)) TO '{folder}/deposit_account.parquet'""")


def flow_sql(pattern: str) -> str:
    """Return one query for the flows of all months."""
    from course_utils.intake.marts.catalogue import marts
    from course_utils.intake.marts.translate import Source, months_query, translate

    mart = marts()["customer_flow"]
    columns = frozenset(
        [
            "customer_id",
            "date",
            "amount",
            "direction",
            "kind",
            "channel",
            "counterparty_type",
            "customer_initiated",
        ]
    )
    source = {"transaction": Source(f"SELECT * FROM read_parquet('{pattern}')", columns)}
    lists = {"months": months_query(date(2025, 1, 1), AS_OF)}
    return translate(mart, source, lists, AS_OF, "duckdb").sql


def by_marts(folder: Path, out: Path) -> None:
    """Work out the flows part by part."""
    from course_utils.intake.marts.catalogue import marts
    from course_utils.intake.marts.local import local

    with local(out) as engine:
        sources = {"transaction": engine.source(f"{folder}/transaction_*.parquet")}
        months = (date(2025, 1, 1), AS_OF)
        mart = marts()["customer_flow"]
        engine.write(mart, sources, {}, AS_OF, out / "flow.parquet", months)


def by_whole(folder: Path, out: Path) -> None:
    """Work out the contract table customer_month."""
    from course_utils.intake.marts import derive

    have = {
        "transaction": f"{folder}/transaction_*.parquet",
        "customer": f"{folder}/customer.parquet",
        "deposit_account": f"{folder}/deposit_account.parquet",
    }
    derive(folder, have, AS_OF, out, scratch=out)


def by_duckdb(folder: Path, out: Path) -> None:
    """Run one query as DuckDB comes, with two threads."""
    import duckdb

    connection = duckdb.connect(config={"threads": "2", "memory_limit": f"{CAP_GB - 1}GB"})
    connection.execute(f"SET temp_directory = '{out}/spill'")
    sql = flow_sql(f"{folder}/transaction_*.parquet")
    connection.execute(f"COPY ({sql}) TO '{out}/flow.parquet' (FORMAT parquet)")


def by_pandas(folder: Path, out: Path) -> None:
    """Load the columns that are needed and group them, as one would in a notebook."""
    import duckdb
    import pandas as pd

    columns = "customer_id, date, amount, direction, kind, channel, counterparty_type, "
    rows = duckdb.execute(
        f"SELECT {columns} customer_initiated FROM read_parquet('{folder}/transaction_*.parquet')"
    ).df()
    rows["month"] = pd.to_datetime(rows["date"]) + pd.offsets.MonthEnd(0)
    spent = rows["direction"] == "支出"
    own = rows["counterparty_type"] == "本人他行"
    wanted = {
        "in_amount": ~spent, "out_amount": spent, "external_bank_out_amount": spent & own,
        "external_bank_in_amount": ~spent & own,
        "third_party_pay_amount": spent & (rows["channel"] == "第三方支付"),
        "consumption_amount": spent & (rows["kind"] == "消费"),
        "payroll_amount": ~spent & (rows["kind"] == "代发工资"),
    }  # fmt: skip
    for name, which in wanted.items():
        rows[name] = rows["amount"].where(which, 0.0)
    rows["in_count"], rows["out_count"] = ~spent, spent
    rows["mobile_transaction_count"] = rows["channel"] == "手机银行"
    sums = [*wanted, "in_count", "out_count", "mobile_transaction_count", "customer_initiated"]
    flow = rows.groupby(["month", "customer_id"])[sums].sum()
    flow.to_pickle(out / "flow.pickle")


def measure(way: str, folder: Path, out: Path) -> dict[str, float]:
    """Run one way in this process."""
    resource.setrlimit(resource.RLIMIT_DATA, (CAP_GB << 30, CAP_GB << 30))
    work = {"marts": by_marts, "whole": by_whole, "duckdb": by_duckdb, "pandas": by_pandas}[way]
    begin, cpu = time.perf_counter(), time.process_time()
    work(folder, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu, "mb": peak}


def alone(way: str, folder: Path, scratch: Path) -> dict[str, Any]:
    """Run one way in a process of its own; one that is stopped says why."""
    out = Path(tempfile.mkdtemp(prefix=way, dir=scratch))
    command = [sys.executable, "-m", "benchmarks.intake_marts", "--one", way, str(folder), str(out)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, cwd=page.ROOT, check=False
        )
    except subprocess.TimeoutExpired:
        return {"stopped": f"after {SECONDS} s"}
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    memory = "MemoryError" in done.stderr or "OutOfMemory" in done.stderr or done.returncode < 0
    last = (done.stderr.strip().splitlines() or [""])[-1][:200]
    return {"stopped": f"at {CAP_GB} GB" if memory or "memory" in last.lower() else last}


def cell(result: dict[str, Any]) -> str:
    """Return one result as text."""
    if "stopped" in result:
        return f"stopped {result['stopped']}"
    return f"{result['seconds']:.0f} s, {result['cpu']:.0f} CPU s, {result['mb']:.0f} MB"


def block(results: dict[str, Any]) -> str:
    """Return the generated part of the page."""
    names = {"marts": "flows, part by part (ours)", "whole": "customer_month in full (ours)",
             "duckdb": "flows, one DuckDB query", "pandas": "flows, pandas"}  # fmt: skip
    lines = [
        "| rows | " + " | ".join(names[way] for way in WAYS) + " |",
        "|---:|" + "---|" * len(WAYS),
    ]
    for size, ways in results["sizes"].items():
        cells = " | ".join(cell(ways[way]) for way in WAYS)
        lines.append(f"| {int(size):,} | {cells} |")
    notes = []
    for size, ways in results["sizes"].items():
        if "cpu" in ways["duckdb"] and "cpu" in ways["marts"]:
            ratio = ways["marts"]["cpu"] / ways["duckdb"]["cpu"]
            notes.append(f"{int(size):,} rows: CPU of ours to one DuckDB query {ratio:.2f}.")
        notes.append(f"{int(size):,} rows: load of the machine at the start {ways['load']:.1f}.")
    return "\n".join(lines) + "\n\n" + "\n".join(notes)


def report(rows: int, ways: dict[str, Any], load: float) -> None:
    """Keep the results of one size beside those of the others and write them into the page."""
    kept = page.RESULTS / f"{SECTION}.json"
    old = page.read_results(SECTION)["sizes"] if kept.exists() else {}
    sizes = {**old, str(rows): {**ways, "load": load}}
    sizes = dict(sorted(sizes.items(), key=lambda pair: int(pair[0])))
    results = {"sizes": sizes, "customers": CUSTOMERS, "machine": machine.facts(PACKAGES)}
    page.write_results(SECTION, results)
    page.write_section(SECTION, block(results), PAGE)


def main() -> int:
    """Run from the command line."""
    import os

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("WAY", "FOLDER", "OUT"))
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    if options.one:
        way, folder, out = options.one
        print(json.dumps(measure(way, Path(folder), Path(out))))
        return 0
    missed = 0
    for rows in options.sizes:
        load = os.getloadavg()[0]
        ways: dict[str, Any] = {}
        with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
            folder = Path(scratch) / "bank"
            make(folder, rows)
            for way in WAYS:
                ways[way] = alone(way, folder, Path(scratch))
                print(f"{rows:>11,} {way:7} {cell(ways[way])}", flush=True)
        report(rows, ways, load)
        limit = LIMIT_MB.get(rows, float("inf"))
        ours = [ways[way].get("mb", limit + 1) for way in ("marts", "whole")]
        missed += sum(mb > limit for mb in ours)
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
