"""Libraries that are not there everywhere: the class in a browser has some, but not all."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from course_utils.errors import CourseError

#: Whether this is Python in a browser.
IN_BROWSER = sys.platform == "emscripten"


class MissingLibraryError(CourseError):
    """A step needs a library that this Python does not have."""


def need(module: str) -> ModuleType:
    """Import a module of a library that may be missing.

    Parameters
    ----------
    module : str
        Full name, for example ``"statsmodels.stats.proportion"``.

    Raises
    ------
    MissingLibraryError
        If the library is not there; the sentence says where the step can be done instead.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise MissingLibraryError(
            f"这一步要用程序库 {library}，{_place()}里没有它：请跳过这一步接着往下做，"
            "想看结果就在装好学员包的电脑上运行这一课。"
        ) from error


def _place() -> str:
    return "浏览器课堂" if IN_BROWSER else "这台电脑的 Python "
