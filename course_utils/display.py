"""What a notebook shows: tables with Chinese headers, the dictionary, computed sentences, truth.

Output is plain HTML and text without scripts, and the same for the same data.
"""

from __future__ import annotations

import html
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

    from course_utils.bank import Bank
    from course_utils.columns import Look

DASH = "—"
#: More would stop the browser.
MOST_CELLS = 2**18
_TEXT_KINDS = ("text", "id", "code", "flag", "date", "month", "timestamp")


class Shown:
    """A rendered table: HTML for the notebook, text for everything else.

    Parameters
    ----------
    html, text : str
        The two forms.
    """

    def __init__(self, html: str, text: str) -> None:
        self.html = html
        self.text = text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def _display(thing: Any) -> None:
    from IPython.display import display

    display(thing)


def say(text: str) -> None:
    """Show a computed sentence (Markdown).

    Parameters
    ----------
    text : str
        Markdown; numbers in it should come from the data.
    """
    from IPython.display import display

    display({"text/markdown": text, "text/plain": text}, raw=True)


def show(
    frame: pd.DataFrame | pd.Series,
    rows: int | None = 10,
    tables: str | Iterable[str] = (),
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    money: str | None = None,
    title: str | None = None,
) -> None:
    """Show a table with Chinese headers, units and thousands separators.

    Parameters
    ----------
    frame : DataFrame or Series
        What to show; a meaningful index becomes the first columns.
    rows : int or None
        At most so many rows (None = all).
    tables : str or iterable of str
        Contract tables the columns come from, for names that mean different things.
    names : mapping, optional
        column -> Chinese header.
    units : mapping, optional
        column -> 元, 万元, 亿元, % (ratio), 百分数 (in percent), 基点 (ratio), 户 ….
    money : str, optional
        Show all money columns in this unit: 元 (default), 万元 or 亿元.
    title : str, optional
        Caption.
    """
    _display(table(frame, rows, tables, names, units, money, title))


def table(
    frame: pd.DataFrame | pd.Series,
    rows: int | None = 10,
    tables: str | Iterable[str] = (),
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    money: str | None = None,
    title: str | None = None,
) -> Shown:
    """Return what :func:`show` shows (same parameters).

    Returns
    -------
    Shown
    """
    from course_utils import columns

    flat = flatten(frame)
    most = MOST_CELLS // max(len(flat.columns), 1)
    head = flat.head(most if rows is None else min(rows, most))
    looks = columns.look(flat, [tables] if isinstance(tables, str) else tables, names, units)
    cells = as_text(head, looks, money)
    note = f"共 {len(flat):,} 行" + (
        f"，显示前 {len(head):,} 行。" if len(head) < len(flat) else "。"
    )
    numeric = [look.kind not in _TEXT_KINDS for look in looks]
    return Shown(_html(cells, numeric, title, note), _plain(cells, title, note))


def flatten(frame: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Return a frame with text column names and any meaningful index as columns.

    Parameters
    ----------
    frame : DataFrame or Series
        Anything a trainee computed.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    if isinstance(frame, pd.Series):
        frame = frame.to_frame("数值" if frame.name is None else frame.name)
    if not isinstance(frame, pd.DataFrame):
        kind = type(frame).__name__
        raise CourseError(f"show() 只能显示表（DataFrame 或 Series），现在收到的是 {kind}。")
    result = frame.copy(deep=False)
    if isinstance(result.columns, pd.MultiIndex):
        result.columns = [" / ".join(str(p) for p in c if str(p) != "") for c in result.columns]
    else:
        result.columns = [_column_name(c) for c in result.columns]
    plain = isinstance(result.index, pd.RangeIndex) or (
        result.index.nlevels == 1
        and result.index.name is None
        and pd.api.types.is_integer_dtype(result.index)
    )
    if plain:
        return result.reset_index(drop=True)
    labels = [str(n) if n is not None else "项目" for n in result.index.names]
    index = result.index.to_frame(index=False, name=labels if len(labels) > 1 else labels[0])
    clash = [c for c in labels if c in result.columns]
    index = index.rename(columns={c: f"{c}（索引）" for c in clash})
    return pd.concat([index, result.reset_index(drop=True)], axis=1)


def _column_name(value: Any) -> str:
    import pandas as pd

    return value.strftime("%Y-%m-%d") if isinstance(value, pd.Timestamp) else str(value)


def as_text(frame: pd.DataFrame, looks: list[Look], money: str | None = None) -> pd.DataFrame:
    """Return a frame of texts with Chinese headers.

    Parameters
    ----------
    frame : DataFrame
        Values.
    looks : list of Look
        One a column, from :func:`course_utils.columns.look`.
    money : str, optional
        Unit of money columns.

    Returns
    -------
    DataFrame
        All text; missing values are 「—」.
    """
    import pandas as pd

    from course_utils import columns

    data, used = {}, set()
    for position, look in enumerate(looks):
        name = columns.header(look, money)
        while name in used:
            name += " "
        used.add(name)
        data[name] = _cells(frame.iloc[:, position], look, columns.divisor(look, money))
    return pd.DataFrame(data, index=frame.index, dtype="object")


def _cells(values: pd.Series, look: Look, scale: float) -> list[str]:
    import pandas as pd

    known = values.notna()
    kind = look.kind
    if kind in ("money", "number"):
        decimals = _decimals(values, scale, kind)
        return [
            f"{v / scale:,.{decimals}f}" if ok and abs(v) != float("inf") else DASH
            for v, ok in zip(values, known, strict=True)
        ]
    if kind == "ratio" and scale != 1.0:
        return [f"{v / scale:,.1f}" if ok else DASH for v, ok in zip(values, known, strict=True)]
    if kind == "ratio":
        return [f"{v:.1%}" if ok else DASH for v, ok in zip(values, known, strict=True)]
    if kind == "percent":
        return [f"{v:,.2f}%" if ok else DASH for v, ok in zip(values, known, strict=True)]
    if kind == "integer":
        year = look.zh.startswith(("年份", "出生年")) or look.unit == "年"
        form = "{:.0f}" if year else "{:,.0f}"
        return [form.format(v) if ok else DASH for v, ok in zip(values, known, strict=True)]
    if kind == "flag":
        return [("是" if v else "否") if ok else DASH for v, ok in zip(values, known, strict=True)]
    if kind in ("date", "month", "timestamp"):
        form = {"month": "%Y-%m", "timestamp": "%Y-%m-%d %H:%M"}.get(kind, "%Y-%m-%d")
        return [
            pd.Timestamp(v).strftime(form) if ok else DASH
            for v, ok in zip(values, known, strict=True)
        ]
    return [str(v) if ok else DASH for v, ok in zip(values, known, strict=True)]


def _decimals(values: pd.Series, scale: float, kind: str) -> int:
    import numpy as np

    shown = values.dropna().to_numpy(dtype=float) / scale
    shown = shown[np.isfinite(shown)]
    if shown.size == 0 or (scale == 1.0 and np.all(shown == np.round(shown))):
        return 0
    if kind == "money" and scale == 1.0:
        return 2
    size = float(np.median(np.abs(shown[shown != 0]))) if np.any(shown != 0) else 1.0
    return 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 0.1 else 4


def _html(cells: pd.DataFrame, numeric: list[bool], title: str | None, note: str) -> str:
    """Write what a pandas Styler would write, in a twentieth of its time."""
    heads = [str(name) for name in cells.columns]
    rows = cells.to_numpy().tolist()
    key = zlib.crc32("\x1f".join([*heads, *(cell for row in rows for cell in row)]).encode("utf-8"))
    lines = [*_css(f"#T_{key:08x}", numeric), f'<table id="T_{key:08x}">']
    if title:
        lines.append(f"  <caption>{html.escape(title)}</caption>")
    lines.append("  <thead>")
    if heads:
        lines += ["    <tr>", *_html_cells("th", "col_heading level0", heads), "    </tr>"]
    lines += ["  </thead>", "  <tbody>"]
    for number, row in enumerate(rows):
        lines += ["    <tr>", *_html_cells("td", f"data row{number}", row), "    </tr>"]
    lines += ["  </tbody>", "</table>"]
    lines.append(f'<p style="color: #5F6670; margin: 0.2em 0;">{html.escape(note)}</p>')
    return "\n".join(lines)


def _css(table: str, numeric: list[bool]) -> list[str]:
    roomy = ("white-space: nowrap", "padding: 0.2em 0.7em")
    rules = [
        ("td", roomy),
        (" th", roomy),
        ("caption", ("text-align: left", "font-weight: bold")),
        ("th", ("text-align: left",)),
        ("td", ("text-align: left",)),
    ]
    for i, right in enumerate(numeric):
        if right:
            rules += [(f"{tag}.col{i}", ("text-align: right",)) for tag in ("th", " td")]
    lines = ['<style type="text/css">']
    for selector, properties in rules:
        lines += [f"{table} {selector} {{", *(f"  {p};" for p in properties), "}"]
    return [*lines, "</style>"]


def _html_cells(tag: str, kind: str, texts: list[str]) -> list[str]:
    return [
        f'      <{tag} class="{kind} col{i}" >{_escape(text)}</{tag}>'
        for i, text in enumerate(texts)
    ]


def _escape(text: str) -> str:
    """Escape as pandas does, whose names for the quotes differ from those of ``html.escape``."""
    return html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;")


def _plain(cells: pd.DataFrame, title: str | None, note: str) -> str:
    import pandas as pd

    with pd.option_context("display.unicode.east_asian_width", True, "display.width", 10_000):
        body = cells.to_string(index=False, max_rows=None, max_cols=None)
    return "\n".join(part for part in (title, body, note) if part)


def dictionary(
    bank: Bank | None,
    tables: str | Iterable[str] | Mapping[str, Iterable[str]],
    columns: Iterable[str] | None = None,
) -> None:
    """Show the part of the data dictionary that a lesson uses.

    Parameters
    ----------
    bank : Bank or None
        Columns and tables that this bank lacks are left out and named below the table.
    tables : list of str, or mapping of table -> columns
        Contract names.
    columns : iterable of str, optional
        Only these columns, of whatever table (keys are kept).
    """
    shown, missing = dictionary_frame(bank, tables, columns)
    _display(table(shown, rows=None, title="本课用到的数据"))
    if missing:
        say(f"> 这家银行没有：{'、'.join(missing)}。用到它们的步骤会自动跳过并说明。")


def dictionary_frame(
    bank: Bank | None,
    tables: str | Iterable[str] | Mapping[str, Iterable[str]],
    columns: Iterable[str] | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the frame of :func:`dictionary` and the Chinese names of what the bank lacks."""
    import pandas as pd

    from course_utils.contract import load_contract

    contract = load_contract()
    if isinstance(tables, str):
        tables = [tables]
    wanted: dict[str, list[str] | None] = (
        {k: list(v) for k, v in tables.items()}
        if isinstance(tables, Mapping)
        else dict.fromkeys(tables)
    )
    only = None if columns is None else set(columns)
    types = contract.legend.get("types", {})
    rows, missing = [], []
    for name, chosen in wanted.items():
        definition = contract.table(name)
        if bank is not None and not bank.has(name):
            missing.append(f"{definition.zh}表")
            continue
        names = chosen if chosen is not None else list(definition.columns)
        for column in (definition.column(n) for n in names):
            if only is not None and column.name not in only and column.name not in definition.grain:
                continue
            if bank is not None and not bank.has(f"{name}.{column.name}"):
                missing.append(f"{definition.zh}表的{column.zh}")
                continue
            kind = types.get(column.type, {}).get("zh", column.type)
            unit = f"{kind}（{column.unit}）" if column.unit else kind
            rows.append((definition.zh, column.name, column.zh, unit, column.meaning))
    frame = pd.DataFrame(rows, columns=["表", "字段", "中文名", "类型", "含义"])
    frame["表"] = frame["表"].where(frame["表"] != frame["表"].shift(), "")
    return frame, missing


def reveal(
    bank: Bank,
    lesson: str,
    found: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """Show planted and realised truth beside what the class found (instructor only).

    Parameters
    ----------
    bank : Bank
        The open bank; a real bank has no truth and gets a sentence instead.
    lesson : str
        For example ``"m02_n02"``.
    found : mapping, optional
        key of the truth -> the class's own number.
    names : mapping, optional
        key -> Chinese words.
    """
    rows = reveal_frame(bank, lesson, found, names)
    if rows is None:
        say("> 这是真实数据（或学员版），没有埋设的真值可以对照；请讨论结果是否稳健、如何复核。")
        return
    _display(table(rows, rows=None, title="揭示真值（仅供讲师）"))


def reveal_frame(
    bank: Bank,
    lesson: str,
    found: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame | None:
    """Return the frame of :func:`reveal`, or None when the bank has no truth for the lesson."""
    import pandas as pd

    truth = (bank.truth or {}).get(lesson)
    if not truth:
        return None
    found, names = found or {}, names or {}
    rows = []
    for key in [*truth, *(k for k in found if k not in truth)]:
        entry = truth.get(key)
        entry = entry if isinstance(entry, Mapping) else {"realised": entry}
        rows.append(
            (
                names.get(key, key),
                _value(entry.get("planted")),
                _value(entry.get("realised")),
                _value(found.get(key)),
                str(entry.get("note") or ""),
            )
        )
    return pd.DataFrame(rows, columns=["真值", "埋设", "本次实现", "课堂发现", "说明"])


def _value(value: Any) -> str:
    import numbers

    if value is None:
        return DASH
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, numbers.Real):
        number = float(value)
        if number != number:
            return DASH
        return f"{number:,.0f}" if number == int(number) else f"{number:,.4g}"
    if isinstance(value, Mapping):
        return "；".join(f"{k}：{_value(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return "、".join(_value(v) for v in value)
    return str(value)
