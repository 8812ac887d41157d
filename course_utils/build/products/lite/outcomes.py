"""Which lessons run in a browser: ``lessons.csv``, held against every built class by a test."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What of a lesson runs in a browser.

    Parameters
    ----------
    full : bool
        Whether all of it does.
    full_without_statsmodels : bool
        Whether all of it does where statsmodels is missing.
    """

    full: bool
    full_without_statsmodels: bool


def expected_outcomes() -> dict[str, Outcome]:
    """Return short name of a lesson → what of it runs."""
    with Path(__file__).with_name("lessons.csv").open(encoding="utf-8", newline="") as stream:
        return {
            row["lesson"]: Outcome(
                row["in_browser"] == "full", row["without_statsmodels"] == "full"
            )
            for row in csv.DictReader(stream)
        }


def notes(missing: Collection[str]) -> dict[str, str]:
    """Return short name of a lesson → what trainees should know before they open it.

    Parameters
    ----------
    missing : collection of str
        Libraries that this class does not have.
    """
    said = {}
    for lesson, outcome in expected_outcomes().items():
        if "statsmodels" in missing and not outcome.full_without_statsmodels:
            said[lesson] = "浏览器里没有 statsmodels，用到它的步骤会说明，请跳过"
        elif not outcome.full:
            said[lesson] = "有的步骤在浏览器里不能运行，会说明原因，请跳过"
    return said
