"""Optional record of progress on a share, for the instructor: outcome and tries, never answers."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from datetime import datetime
from pathlib import Path

from course_utils.exercises.result import Outcome

PATIENCE = 2.0


def seat() -> str:
    """Name of this seat: ``COURSE_SEAT``, else the computer's name; safe as a file name."""
    name = os.environ.get("COURSE_SEAT") or os.environ.get("COMPUTERNAME") or socket.gethostname()
    return re.sub(r"[^\w.-]", "_", name)[:64] or "seat"


def record(lesson: str, question: str, outcome: Outcome, tries: int) -> None:
    """Append one line to ``$COURSE_PROGRESS_DIR/<seat>.jsonl``; without that variable do nothing.

    A share that is gone, full, read-only or slow never disturbs: the line is then lost.

    Parameters
    ----------
    lesson, question : str
        “m02_n02”, “E1”.
    outcome : Outcome
        What was shown.
    tries : int
        How often this question was checked.
    """
    folder = os.environ.get("COURSE_PROGRESS_DIR")
    if not folder:
        return
    line = {
        "time": datetime.now().isoformat(timespec="seconds"),
        "seat": seat(),
        "lesson": lesson,
        "question": question,
        "outcome": outcome.value,
        "tries": tries,
    }
    writer = threading.Thread(target=_append, args=(Path(folder), line), daemon=True)
    writer.start()
    writer.join(PATIENCE)


def _append(folder: Path, line: dict[str, object]) -> None:
    try:
        with (folder / f"{line['seat']}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError:
        return
