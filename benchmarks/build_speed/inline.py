"""Runs inside the measured tree: papermill in one Python process, one notebook after the other."""

from __future__ import annotations

import sys
from pathlib import Path

import papermill


def main() -> int:
    """Execute every notebook of a folder into another; return how many failed."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    failed = 0
    for path in sorted(source.glob("*.ipynb")):
        try:
            papermill.execute_notebook(str(path), str(target / path.name), progress_bar=False)
        except Exception as error:  # whatever a lesson does, the next one has its turn
            print(path.name, error, file=sys.stderr)
            failed += 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
