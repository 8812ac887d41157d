"""Finish a figure: stated finding, unit, source, alt text; rendered once, the same bytes always."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.charts import style
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A rendered figure that carries its alternative text.

    Parameters
    ----------
    png : bytes
        The image.
    alt : str
        What the picture shows, for those who cannot see it.
    title : str
        The sentence above the picture.
    width, height : int
        Size in pixels.
    """

    png: bytes
    alt: str
    title: str
    width: int
    height: int

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        data = {
            "image/png": base64.b64encode(self.png).decode("ascii"),
            "text/plain": f"图：{self.title}（{self.alt}）" if self.title else f"图：{self.alt}",
        }
        size = {"width": self.width, "height": self.height}
        return data, {"image/png": {"alt": self.alt, **size}, "alt": self.alt}

    def save(self, path: str | Path) -> Path:
        """Write the PNG aside, then rename it.

        Parameters
        ----------
        path : str or Path
            Target file.

        Returns
        -------
        Path
            The file written.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.{os.getpid()}.part")
        aside.write_bytes(self.png)
        aside.replace(target)
        return target


def text_width(text: str) -> float:
    """Return the width of a text in full-width characters (a Latin letter counts 0.55)."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WFA" else 0.55 for c in text)


def wrap(text: str, width: float) -> str:
    """Break a Chinese text into lines of at most ``width`` full-width characters.

    Numbers and Latin words are not torn apart; closing punctuation does not start a line.

    Parameters
    ----------
    text : str
        Text; its own line breaks are kept.
    width : float
        Line length in full-width characters.

    Returns
    -------
    str
        The text with line breaks.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        broken = _break(paragraph, width)
        if len(broken) > 1 and text_width(broken[-1]) < 5:
            broken = _break(paragraph, text_width(paragraph) / len(broken) + 1.5)
        lines.extend(broken)
    return "\n".join(lines)


def _break(paragraph: str, width: float) -> list[str]:
    lines, line = [], ""
    for token in _tokens(paragraph):
        closing = token[0] in "，。；：！？、）】》”’%％"
        if line and not closing and text_width(line + token) > width:
            lines.append(line.rstrip())
            line = token.lstrip()
        else:
            line += token
    return [*lines, line]


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for char in text:
        wide = unicodedata.east_asian_width(char) in "WF"
        if tokens and not wide and char != " " and _is_word(tokens[-1]):
            tokens[-1] += char
        else:
            tokens.append(char)
    return tokens


def _is_word(token: str) -> bool:
    return token != " " and unicodedata.east_asian_width(token[-1]) not in "WF"


def _decorate(fig: Figure, title: str | None, source: str | None, unit: str | None) -> None:
    import matplotlib as mpl

    base = float(mpl.rcParams["font.size"])
    inches = float(fig.get_size_inches()[0])
    if title:
        size = base * 1.3
        fig.suptitle(
            wrap(title, inches * 72 / size - 2), x=0.012, ha="left", fontsize=size, color=style.INK
        )
    notes = []
    if unit:
        first = fig.axes[0] if fig.axes else None
        if first is not None and not first.get_title(loc="left") and not first.get_title():
            first.set_title(f"单位：{unit}", loc="left", fontsize=base * 0.92, color=style.MUTED)
        else:
            notes.append(f"单位：{unit}")
    if source:
        notes.append(source if source.startswith(("数据来源", "来源")) else f"数据来源：{source}")
    if notes:
        size = base * 0.8
        text = wrap("；".join(notes), inches * 72 / size - 2)
        fig.supxlabel(text, x=0.012, ha="left", fontsize=size, color=style.MUTED)


def _lay_out(fig: Figure) -> None:
    """Place everything now; otherwise ``savefig`` draws the figure twice, once only for this."""
    engine = fig.get_layout_engine()
    if engine is None or not fig.axes:
        return
    with contextlib.suppress(ValueError):  # as Figure.draw does
        engine.execute(fig)
    fig.set_layout_engine("none")


def render(
    fig: Figure,
    title: str | None = None,
    source: str | None = None,
    alt: str | None = None,
    unit: str | None = None,
) -> Picture:
    """Finish a figure and return it as a :class:`Picture` without showing it.

    Parameters are those of :func:`finish`.

    Returns
    -------
    Picture
        The same bytes for the same figure.

    Raises
    ------
    CourseError
        A character has no glyph in the bundled fonts, or neither title nor alt text is given.
    """
    import matplotlib.pyplot as plt
    from matplotlib.text import Text

    if not title and not alt:
        raise CourseError("这张图还没有标题：请给 finish() 写上 title，用一句话说出图中的发现。")
    style.register_font()
    _decorate(fig, title, source, unit)
    for text in fig.findobj(Text):
        text.set_fontfamily(style.FAMILIES)
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=r"Glyph \d+ .*missing from")
            _lay_out(fig)
            fig.savefig(buffer, format="png", metadata={"Software": None})
    except UserWarning as problem:
        raise CourseError(f"图中有字体不包含的字符，请换一个写法（{problem}）。") from None
    finally:
        plt.close(fig)
    width, height = (round(v * fig.dpi) for v in fig.get_size_inches())
    words = alt or "。".join(part for part in (title, f"单位：{unit}" if unit else "") if part)
    return Picture(buffer.getvalue(), words, title or "", width, height)


def finish(
    fig: Figure,
    title: str | None = None,
    source: str | None = None,
    alt: str | None = None,
    unit: str | None = None,
) -> None:
    """Title, unit and source line onto a figure, then show it once, with alt text.

    Parameters
    ----------
    fig : Figure
        The figure; it is closed, so no second copy appears under the cell.
    title : str
        A sentence that states the finding (computed, not typed).
    source : str
        Tables and date, e.g. ``"存款账户表，2025-12-31"``.
    alt : str
        One or two sentences for those who cannot see the picture; default: the title.
    unit : str
        Unit of the values, e.g. ``"万元"``.

    Raises
    ------
    CourseError
        See :func:`render`.
    """
    from IPython.display import display

    display(render(fig, title=title, source=source, alt=alt, unit=unit))
