"""Reading a messy export: CPU seconds and peak memory, beside plain csv.reader.

python -m benchmarks.intake_reading [ROWS]
"""

from __future__ import annotations

import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADER = [
    *("交易日期", "交易时间", "客户号", "账号", "借贷标志", "交易金额", "账户余额"),
    *("对方户名", "对方账号", "对方行名", "摘要", "交易渠道"),
]


def write_messy(path: Path, rows: int) -> None:
    """Write an export as core systems do: GB18030, quoted amounts, tabs, faults and totals."""
    chance = random.Random(7)
    with path.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["某银行 活期存款交易明细"] + [""] * 11)
        writer.writerow(HEADER)
        for i in range(rows):
            amount = round(chance.lognormvariate(6, 1.6), 2)
            row = [
                f"2025-{i % 12 + 1:02d}-{i % 28 + 1:02d}",
                f"{i % 24:02d}:{i % 60:02d}:00",
                f"8100{i % 5_000:08d}",
                f"\t62170000{i % 5_000:011d}",
                "借贷"[i % 2],
                f"{amount:,.2f}",
                f"{3 * amount:,.2f}",
                ("县供电公司", "某某农资经营部", '老"王"水果店', "李四")[i % 4 if i % 900 else 2],
                f"\t62284800{i % 7_000:011d}",
                "某银行青山支行" if i % 3 else "",
                "消费转账"[2 * (i % 2) :][:2],
                "手机银行",
            ]
            fault = chance.randrange(10_000)
            if fault < 5:
                row = row[:9]
            elif fault < 9:
                row.insert(7, "多余")
            writer.writerow(row)
            if i and i % 50_000 == 0:
                writer.writerow(HEADER)
        writer.writerow(["合计"] + [""] * 11)


def read_course(path: Path) -> int:
    """Read with this course."""
    from course_utils.intake.reading import ReadOptions, open_source

    [reading] = open_source(path, ReadOptions(wanted=tuple(HEADER)))
    return sum(len(chunk) for chunk in reading.chunks())


def read_csv_module(path: Path) -> int:
    """Read with csv.reader into polars, 50,000 rows at a time: the plain way with true rows."""
    import polars as pl

    rows, total = [], 0
    with path.open(encoding="gb18030", newline="") as stream:
        for row in csv.reader(stream):
            if len(row) == len(HEADER):
                rows.append(row)
            if len(rows) == 50_000:
                total += len(pl.DataFrame(dict(zip(HEADER, zip(*rows, strict=True), strict=True))))
                rows = []
    return total + len(rows)


def main() -> None:
    if len(sys.argv) > 2:
        start = time.process_time()
        way = {"course": read_course, "csv": read_csv_module}[sys.argv[1]]
        rows = way(Path(sys.argv[2]))
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{sys.argv[1]:8} {rows:>12,} rows {seconds:8.2f} CPU s {peak:8.0f} MB peak")
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "流水.csv"
        write_messy(path, rows)
        print(f"{path.stat().st_size / 1e6:,.0f} MB GB18030")
        for way in ("course", "csv"):
            command = [sys.executable, "-m", "benchmarks.intake_reading", way, str(path)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
