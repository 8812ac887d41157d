"""Runs in Pyodide: the cells of a lesson one after the other, as a notebook would.

Not part of the package that trainees get; `tryout` hands its text to Pyodide.
"""

import gc
import json
import time
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell


def run(path: str) -> str:
    """Run a lesson's cells and return as JSON what went wrong and how long it took.

    Parameters
    ----------
    path : str
        A JSON list of code cells.
    """
    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    shell.showtraceback = lambda *args, **kwargs: None  # the caller gets the error itself
    gc.collect()
    begin, faults = time.perf_counter(), []
    cells = json.loads(Path(path).read_text(encoding="utf-8"))
    for number, source in enumerate(cells, 1):
        result = shell.run_cell(source, store_history=False, silent=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            faults.append({"cell": number, "error": type(error).__name__, "text": str(error)})
    gc.collect()
    seconds = round(time.perf_counter() - begin, 2)
    return json.dumps({"seconds": seconds, "cells": len(cells), "faults": faults})
