"""``python -m tests.messy_bank coastal OUT --adapter east5 [--customers 300]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from course_utils.paths import data_dir

from .exports import ADAPTERS, bank_tables, export


def main() -> None:
    """Write one set of files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--adapter", choices=ADAPTERS, required=True)
    parser.add_argument("--customers", type=int, default=0, help="0: all")
    parser.add_argument("--no-faults", action="store_true")
    args = parser.parse_args()
    tables = bank_tables(data_dir("warehouse") / args.bank, args.customers)
    result = export(tables, args.folder, args.adapter, faults=not args.no_faults)
    print(f"{args.folder}: {result.rows:,} rows, {len(result.planted)} planted faults")


if __name__ == "__main__":
    main()
