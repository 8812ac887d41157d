"""Reading, validating and reporting a messy export: time, memory, and whether every fault is found.

``python -m benchmarks.intake_validation`` writes a GB18030 export of one million transactions in
twelve columns with faults planted by code, and takes it through the intake's own rooms: reading,
conversion with the checks of single rows, the checks of sets, the report. Beside it, in the same
run, what a person would write with pandas: ``read_csv`` as text, ``to_datetime``, ``to_numeric``, a
few masks, counts only. Each way is a process of its own, so that peak memory is its own. Results go
to ``benchmarks/results/intake_validation.json`` and into ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import machine, page

SECTION = "intake_validation"
COMMAND = "python -m benchmarks.intake_validation"
PACKAGES = ("polars", "pandera", "duckdb", "pandas", "XlsxWriter")
ROWS, SECONDS, MEMORY_MB = 1_000_000, 10.0, 600
AS_OF = dt.date(2025, 12, 31)
FILE = "DPS_TXN_DTL.csv"
HEADER = ("交易日期", "交易时间", "客户号", "流水号", "借贷标志", "交易金额", "账户余额",
          "对方户名", "对方账号", "对方行名", "摘要", "交易渠道")  # fmt: skip
#: Name → how often in 10 000 rows, column, text, rule that must find it.
PLANTS: dict[str, tuple[int, int, str, str]] = {
    "no amount": (20, 5, "--", "null"),
    "impossible date": (15, 0, "2025-02-30", "date"),
    "lost account": (10, 3, "6.21700E+18", "id_lost"),
    "unknown code": (10, 4, "X", "code"),
    "no customer": (7, 2, "", "null"),
    "negative amount": (8, 5, "-12.50", "minimum"),
    "formula": (4, 7, "=cmd|'/c calc'!A1", "formula_text"),
    "full width": (4, 5, "１２．５０", "full_width"),
    "future date": (3, 0, "2031-05-01", "after_as_of"),
}
_WAYS = ("ours", "pandas")


def make(path: Path, rows: int) -> dict[str, list[int]]:
    """Write the export and return the rows of each planted fault."""
    chance = random.Random(7)
    kinds = [name for name, plant in PLANTS.items() for _ in range(plant[0])]
    truth: dict[str, list[int]] = {name: [] for name in PLANTS}
    with path.open("w", encoding="gb18030", newline="") as stream:
        stream.write("活期存款交易明细" + "," * 11 + "\r\n")
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number in range(rows):
            row = _row(chance, number)
            draw = chance.randrange(10_000)
            if draw < len(kinds):
                _, column, text, _ = PLANTS[kinds[draw]]
                row[column] = text
                truth[kinds[draw]].append(number + 3)
            writer.writerow(row)
    return truth


def _row(chance: random.Random, number: int) -> list[str]:
    day = dt.date(2025, 1, 1) + dt.timedelta(chance.randrange(365))
    amount = round(chance.lognormvariate(6, 1.6), 2) + 0.01
    draw = chance.randrange(100)
    money = f"{amount:,.2f}" if draw < 85 else f"¥{amount:,.2f}" if draw < 88 else f"{amount:.2f}"
    shape = ("%Y-%m-%d", "%Y%m%d", "%Y年%m月%d日")[min(chance.randrange(10) // 4, 2)]
    return [
        day.strftime(shape),
        f"{chance.randrange(24):02d}:{chance.randrange(60):02d}:00",
        f"8100{chance.randrange(5_000):08d}",
        f"\t{number:019d}",
        chance.choice("借贷DC"),
        money,
        f"{amount * 3:,.2f}",
        chance.choice(("甲公司", "乙商店", "县供电公司")),
        f"\t9{chance.randrange(10**12):018d}",
        chance.choice(("本行", "")),
        chance.choice(("转账", "消费", "贷款还款", "工资")),
        chance.choice(("手机银行", "柜面", "POS", "ATM")),
    ]


def _mapping() -> Any:
    from course_utils.intake.mapping import BankMapping, ColumnMapping, TableMapping

    directions = {"借": "支出", "贷": "收入", "D": "支出", "C": "收入"}
    columns = [
        ColumnMapping("transaction_id", "流水号"),
        ColumnMapping("customer_id", "客户号"),
        ColumnMapping("date", "交易日期"),
        ColumnMapping("hour", "交易时间"),
        ColumnMapping("amount", "交易金额"),
        ColumnMapping("direction", "借贷标志", codes=directions),
        ColumnMapping("kind", "摘要", codes={"贷款还款": "还款", "工资": "代发工资"}),
        ColumnMapping("channel", "交易渠道", codes={"POS": "收单", "ATM": "自助设备"}),
        ColumnMapping("counterparty_name", "对方户名"),
        ColumnMapping("counterparty_type", value="企业"),
        ColumnMapping("memo", "对方行名"),
        ColumnMapping("customer_initiated", value="是"),
    ]
    table = TableMapping("transaction", (FILE,), columns={one.column: one for one in columns})
    return BankMapping("trial", None, {"transaction": table})


def ours(folder: Path, truth: dict[str, list[int]]) -> dict[str, Any]:
    """Take the export through the rooms; return seconds of each and the faults not found."""
    import duckdb
    import polars as pl

    from course_utils.contract import load_contract
    from course_utils.intake.checking import check_sets
    from course_utils.intake.conversion import TableConverter
    from course_utils.intake.reading import ReadOptions, open_source
    from course_utils.intake.report import FileResult, IntakeResult, write_report
    from course_utils.intake.rules import RuleBook

    contract, rules, mapping = load_contract(), RuleBook(), _mapping()
    table = mapping.tables["transaction"]
    spent: Counter[str] = Counter()
    last = time.process_time()

    def lap(name: str) -> None:
        nonlocal last
        now = time.process_time()
        spent[name] += now - last
        last = now

    converter = TableConverter(contract.tables["transaction"], table, AS_OF, rules)
    (reading,) = open_source(folder / FILE, ReadOptions(wanted=table.sources))
    paths: dict[str, list[Path]] = {"faults": [], "rejected": [], "rows": []}
    kept = rejected = 0
    for chunk in reading.chunks():
        lap("reading")
        done = converter.convert(chunk, FILE, "")
        lap("conversion")
        kept, rejected = kept + done.rows.height, rejected + done.rejected.height
        rows = done.rows.with_columns(pl.lit(0, pl.Int32).alias("_file"))
        for kind, frame in (("faults", done.faults), ("rejected", done.rejected), ("rows", rows)):
            path = folder / f"{kind}-{len(paths[kind]):04d}.parquet"
            frame.write_parquet(path)
            paths[kind].append(path)
        lap("shards")
    lap("reading")
    with duckdb.connect(config={"memory_limit": "300MB", "threads": "2"}) as connection:
        shards = {"transaction": str(folder / "rows-*.parquet")}
        places = {"transaction": {0: (FILE, "")}}
        sets = check_sets(connection, shards, contract, rules, AS_OF, places, mapping, folder)
    lap("sets")
    found = pl.scan_parquet([*paths["faults"]]).select("row", "rule").collect()
    missed = {
        name: len(set(rows) - set(found.filter(pl.col("rule") == PLANTS[name][3])["row"]))
        for name, rows in truth.items()
    }
    del found
    last = time.process_time()
    file = FileResult("transaction", FILE, "", reading.columns, reading.counts, kept, rejected,
                      converter.notes())  # fmt: skip
    assert sets.path is not None
    result = IntakeResult(
        "trial", "试验银行", AS_OF, "2026-01-01 08:00", contract, mapping, rules, [file],
        {"transaction": kept}, [*paths["faults"], sets.path], {"transaction": paths["rejected"]},
    )  # fmt: skip
    summary = write_report(folder / "report", result)
    lap("report")
    balanced = all(one.balanced for one in summary.tables)
    return {"parts": {name: round(cpu, 2) for name, cpu in spent.items()}, "missed": missed,
            "rejected": rejected, "balanced": balanced}  # fmt: skip


def pandas_way(folder: Path) -> dict[str, Any]:
    """Do what a person would write in an afternoon; counts, without rows, sentences or report."""
    import pandas as pd

    frame = pd.read_csv(folder / FILE, encoding="gb18030", skiprows=1, dtype=str)
    date = pd.to_datetime(frame["交易日期"], format="mixed", errors="coerce")
    amount = pd.to_numeric(
        frame["交易金额"].str.replace(r"[,¥元]", "", regex=True), errors="coerce"
    )
    masks = {
        "date": date.isna(),
        "number": amount.isna(),
        "minimum": amount < 0,
        "code": ~frame["借贷标志"].isin(["借", "贷", "D", "C"]),
        "null": frame["客户号"].isna(),
        "after_as_of": date > pd.Timestamp(AS_OF),
        "key": frame["流水号"].duplicated(keep=False),
    }
    return {"counts": {name: int(mask.sum()) for name, mask in masks.items()}}


def _child(way: str, folder: Path) -> dict[str, Any]:
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    begin = time.process_time()
    result = ours(folder, truth) if way == "ours" else pandas_way(folder)
    # imports belong to what a run costs
    result["cpu"] = round(time.process_time() - begin, 2)
    result["mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return result


def measure(rows: int) -> dict[str, Any]:
    """Make the export and run each way in its own process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = make(folder / FILE, rows)
        (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
        size = (folder / FILE).stat().st_size
        results: dict[str, Any] = {"rows": rows, "mb": round(size / 1e6)}
        for way in _WAYS:
            command = [sys.executable, "-m", "benchmarks.intake_validation", "--child", way,
                       "--folder", name]  # fmt: skip
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=page.ROOT, check=True
            )
            results[way] = json.loads(done.stdout)
        return results


def verdict(results: dict[str, Any]) -> list[str]:
    """Return one line for each target."""
    ours_, plain = results["ours"], results["pandas"]
    missed = sum(ours_["missed"].values())
    ratio = ours_["cpu"] / plain["cpu"]
    return [
        f"{results['rows']:,} rows ({results['mb']} MB): {ours_['cpu']} CPU s "
        f"(target {SECONDS:g}), {ours_['mb']} MB (target {MEMORY_MB}); parts {ours_['parts']}",
        f"plain pandas, counts only: {plain['cpu']} CPU s, {plain['mb']} MB: "
        f"ours takes {ratio:.2f} times the CPU and {ours_['mb'] / plain['mb']:.2f} of the memory",
        f"planted faults not found: {missed}; rows balance: {ours_['balanced']}",
    ]


def block(results: dict[str, Any]) -> str:
    """Return the generated part of the page."""
    ours_, plain = results["ours"], results["pandas"]
    seconds, memory = ours_["cpu"], ours_["mb"]
    parts = ", ".join(f"{name} {value}" for name, value in ours_["parts"].items())
    rows = [
        ["`course intake` up to the report", f"{seconds}", "1.00", f"{memory:,}"],
        [
            "plain pandas: read, convert, count",
            f"{plain['cpu']}",
            f"{plain['cpu'] / seconds:.2f}",
            f"{plain['mb']:,}",
        ],
    ]
    head = (
        f"{results['rows']:,} rows of twelve columns, {results['mb']} MB of GB18030 with faults "
        f"planted at known rows. {machine.sentence(results['machine'])}"
    )
    found = sum(ours_["missed"].values())
    return "\n\n".join(
        [
            head,
            page.table(["way", "CPU s", "ratio", "peak MB"], rows),
            f"CPU seconds by part: {parts}. Planted faults not found in their row: {found}. "
            f"Targets: {SECONDS:g} CPU s ({_reached(seconds <= SECONDS)}), {MEMORY_MB} MB "
            f"({_reached(memory <= MEMORY_MB)}).",
        ]
    )


def _reached(yes: bool) -> str:
    return "reached" if yes else "NOT reached"


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--child", choices=_WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_child(options.child, options.folder)))
        return 0
    results = measure(options.rows)
    print("\n".join(verdict(results)))
    if options.rows == ROWS:
        results["machine"] = machine.facts(PACKAGES)
        page.write_results(SECTION, results)
        page.write_section(SECTION, block(results))
    ours_ = results["ours"]
    return int(sum(ours_["missed"].values()) > 0 or not ours_["balanced"])


if __name__ == "__main__":
    sys.exit(main())
