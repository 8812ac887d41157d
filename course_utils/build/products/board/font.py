"""The glyphs of one page, cut out of the bundled font: a tenth of its size."""

from __future__ import annotations

import base64
import io
from importlib import resources

#: File name of the font in charts/font.
FONT = "CourseSansSC.otf"


def embedded_font(text: str) -> str:
    """Return a font with the characters of `text` as a data address for ``@font-face``.

    Parameters
    ----------
    text : str
        Everything that the page shows.

    Returns
    -------
    str
        WOFF in base64; the same text gives the same bytes.
    """
    from fontTools import subset

    options = subset.Options(
        flavor="woff", layout_features=[], hinting=False, desubroutinize=True, notdef_outline=True
    )
    source = resources.files("course_utils.charts").joinpath("font", FONT)
    with resources.as_file(source) as path:
        font = subset.load_font(str(path), options)
    cutter = subset.Subsetter(options)
    cutter.populate(
        unicodes=sorted({ord(character) for character in text if character > " "} | {32})
    )
    cutter.subset(font)
    stream = io.BytesIO()
    subset.save_font(font, stream, options)
    return "data:font/woff;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
