"""What goes to a worker and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Dask topic on which a worker says that it begins with an order.
TOPIC = "course-began"
#: Where client and workers look whether they see the same folder, below the project.
MEETING_PLACE = Path("build") / ".cluster"


class TransientError(Exception):
    """Something that may go well the next time; Dask tries again. The message is Chinese."""


@dataclass(frozen=True)
class Order:
    """One thing for a worker to do.

    Parameters
    ----------
    name : str
        What people see in Dask's own pages: ``"coastal/m01_n01_intro/trainee"``.
    rank : tuple
        Smaller ones are given out first.
    function : callable
        Called on the worker as ``function(workshop, *arguments)``.
    arguments : tuple
        Small; everything big is in the shared folder.
    """

    name: str
    rank: tuple[float, ...]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of an order.

    Parameters
    ----------
    value : object
        What the step returned.
    fault : str
        Why it did not, in Chinese, if another try would not help.
    worker : str
        Who did it.
    seconds : float
        How long it took.
    note : str
        Why kernels were ordinary ones, in Chinese.
    tries : int
        How often it was begun, by this worker or others.
    """

    value: Any = None
    fault: str = ""
    worker: str = ""
    seconds: float = 0.0
    note: str = ""
    tries: int = 1


@dataclass(frozen=True)
class Finding:
    """What the look at a worker gave.

    Parameters
    ----------
    worker : str
        Its name.
    fault : {"", "folder", "write", "version"}
        What is wrong: it does not see the project, cannot write there, or runs something else.
    detail : str
        What differs, in Chinese.
    probe : str
        Name of the file that it wrote at the meeting place.
    """

    worker: str
    fault: str = ""
    detail: str = ""
    probe: str = ""
