"""How fast the scan of outputs is, what it finds, and how often it is wrong.

    python -m benchmarks.leak_scan

Prints a Markdown table each for speed (CPU time, one process), recall of planted identifiers, false
alarms, and the speed of pseudonyms. Nothing is read but what is made here in a temporary folder.
"""

from __future__ import annotations

import base64
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from course_utils.build.products.scan import scan_file, scan_text
from course_utils.build.products.scan_raw import RawFinder
from course_utils.build.products.scan_values import is_valid_id_number, is_valid_uscc, passes_luhn
from course_utils.intake.privacy import Protector, RawValueSample
from course_utils.intake.privacy.sample import RawValueFinder

ROWS, VALUES = 100_000, 20_000
KEY = b"benchmark key, never that of a bank"


def main() -> None:
    """Measure everything and print it."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _speed(folder, rng)
    _recall(rng)
    _false_alarms(rng)
    _pseudonyms()


def _rows(rng: random.Random) -> Iterator[tuple[str, ...]]:
    for number in range(ROWS):
        token = base64.b32encode(rng.randbytes(10)).decode().lower()
        amount = f"{rng.lognormvariate(8, 2):,.2f}"
        yield f"C{token}", f"2025-{number % 12 + 1:02}-28", amount, "青山支行", "正常", str(number)


def _speed(folder: Path, rng: random.Random) -> None:
    import polars as pl

    rows = list(_rows(rng))
    frame = pl.DataFrame(rows, schema=["a", "b", "c", "d", "e", "f"], orient="row")
    frame.write_csv(folder / "a.csv")
    frame.write_parquet(folder / "b.parquet")
    cells = "\n".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    (folder / "c.html").write_text(f"<table>{cells}</table>", encoding="utf-8")
    picture = base64.b64encode(rng.randbytes(15_000_000)).decode()
    page = f'<img alt="图" src="data:image/png;base64,{picture}">{cells[: len(cells) // 4]}'
    (folder / "d.html").write_text(page, encoding="utf-8")
    finder = _finder(folder, rng)
    print("| 文件 | MB | 扫描 MB/s | 连同本行原始值 MB/s |\n| --- | --- | --- | --- |")
    total, spent = 0.0, [0.0, 0.0]
    for name in ("a.csv", "b.parquet", "c.html", "d.html"):
        size = (folder / name).stat().st_size / 1e6
        seconds = [_seconds(lambda n=name, f=f: scan_file(folder / n, f)) for f in (None, finder)]
        print(f"| {name} | {size:.1f} | {size / seconds[0]:.0f} | {size / seconds[1]:.0f} |")
        total += size
        spent = [a + b for a, b in zip(spent, seconds, strict=True)]
    print(f"| 合计 | {total:.1f} | {total / spent[0]:.0f} | {total / spent[1]:.0f} |\n")


def _finder(folder: Path, rng: random.Random) -> RawFinder:
    sample = RawValueSample(KEY)
    for column in range(30):
        sample.note(str(column), [f"{rng.randrange(10**18):019}" for _ in range(2000)])
    path = folder / "sample.json"
    sample.save(path)
    return RawFinder(RawValueFinder(KEY, path), "1")


def _recall(rng: random.Random) -> None:
    print("| 种类 | 埋入 | 找到 |\n| --- | --- | --- |")
    for kind, make in MADE.items():
        values = [make(rng) for _ in range(VALUES)]
        found = sum(any(k == kind for k, _ in scan_text(f"号码{value}的客户")) for value in values)
        print(f"| {kind} | {VALUES:,} | {found:,} |")
    print()


def _false_alarms(rng: random.Random) -> None:
    kinds: dict[str, Callable[[], str]] = {
        "假名": lambda: "C" + base64.b32encode(rng.randbytes(10)).decode().lower(),
        "金额": lambda: f"{rng.lognormvariate(10, 3):,.2f}",
        "小数": lambda: repr(rng.random() * 10 ** rng.randrange(12)),
        "随机 32 位十六进制": lambda: rng.randbytes(16).hex(),
        "随机 11 位数": lambda: str(rng.randrange(10**10, 10**11)),
        "随机 16 位数": lambda: str(rng.randrange(10**15, 10**16)),
        "随机 18 位数": lambda: str(rng.randrange(10**17, 10**18)),
        "随机 19 位数": lambda: str(rng.randrange(10**18, 10**19)),
    }
    print("| 不是号码的值 | 误报 |\n| --- | --- |")
    for name, make in kinds.items():
        wrong = sum(bool(list(scan_text(f"值 {make()} "))) for _ in range(VALUES))
        print(f"| {name} | {wrong / VALUES:.2%} |")
    print()


def _pseudonyms() -> None:
    import polars as pl

    from course_utils.contract import load_contract

    table = load_contract().table("deposit_account")
    rows = pl.DataFrame({"account_id": [f"6222{n:015d}" for n in range(1_000_000)]})
    protector = Protector(KEY)
    seconds = _seconds(lambda: protector.protect(table, rows))
    print(f"100 万个不同账号换成假名：{seconds:.2f} CPU 秒")


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return max(time.process_time() - start, 1e-6)


def _id_number(rng: random.Random) -> str:
    head = f"{rng.choice(('11', '32', '51'))}0101{rng.randint(1930, 2020)}"
    head += f"{rng.randint(1, 12):02}{rng.randint(1, 28):02}{rng.randint(0, 999):03}"
    return next(head + d for d in "0123456789X" if is_valid_id_number(head + d))


def _card(rng: random.Random) -> str:
    head = f"622848{rng.randrange(10**12):012}"
    return next(head + d for d in "0123456789" if passes_luhn(head + d))


def _credit_code(rng: random.Random) -> str:
    digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    head = f"91{rng.randint(110000, 659999)}" + "".join(rng.choice(digits) for _ in range(9))
    return next(head + d for d in digits if is_valid_uscc(head + d))


MADE: dict[str, Callable[[random.Random], str]] = {
    "身份证号": _id_number,
    "银行卡号": _card,
    "统一社会信用代码": _credit_code,
    "手机号": lambda rng: f"1{rng.randint(3, 9)}{rng.randrange(10**9):09}",
}


if __name__ == "__main__":
    main()
