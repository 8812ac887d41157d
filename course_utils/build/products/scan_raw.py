"""A real bank's own raw values in what is handed out: looked for by their keyed hashes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import course_utils
from course_utils.build.products.scan_values import mask
from course_utils.errors import CourseError
from course_utils.paths import data_dir, home, intake_dir

if TYPE_CHECKING:
    from course_utils.intake.privacy.sample import RawValueFinder


class RawFinder:
    """Finds a bank's raw values in texts, but for what the course itself says everywhere.

    Parameters
    ----------
    finder : RawValueFinder
        Knows the hashes.
    version : str
        Changes with the sample.
    """

    def __init__(self, finder: RawValueFinder, version: str) -> None:
        self._finder = finder
        self.version = version

    def find(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield ``"本行原始数据"`` and the masked value for each that stands in a text."""
        for value in self._finder.find(text):
            # an invented name in a lesson may be somebody's name; it did not come from the bank
            if value not in _course_texts():
                yield "本行原始数据", mask(value)


def finder_for(code: str) -> RawFinder | None:
    """Return the finder for what is built from a real bank; None for a synthetic one.

    Parameters
    ----------
    code : str
        Code of the bank; of a class release the bank's that it was made from is looked up.

    Raises
    ------
    CourseError
        If the bank is real but its sample or key is not there: then nothing may be handed out.
    """
    banks = data_dir("banks")
    if not (banks / code / "bank.yml").is_file():
        return None
    from course_utils.bank import load_profile

    origin = load_profile(code).origin or code
    if not (banks / origin / "mapping.yml").is_file():
        return None
    from course_utils.build.execution.inputs import file_hash
    from course_utils.intake.privacy.key import load_key
    from course_utils.intake.privacy.sample import FILE, RawValueFinder

    path = intake_dir(origin) / FILE
    if not path.is_file():
        raise CourseError(
            f"“{origin}”没有原始值样本（{path}），没法核对产品里有没有它的原始数据："
            f"请先运行 course intake {origin}。"
        )
    return RawFinder(RawValueFinder(load_key(origin), path), file_hash(path))


@cache
def _course_texts() -> str:
    """Return what the course says itself: lessons, program, contract and reference data.

    The contract says what numbers look like (M000001): a bank may have one that looks like it.
    """
    texts = sorted(((home() or Path.cwd()) / "lessons").rglob("*.py"))
    texts += sorted(Path(course_utils.__file__).parent.rglob("*.py"))
    texts += sorted((*data_dir("contract").glob("*"), *data_dir("reference").glob("*")))
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in texts)
