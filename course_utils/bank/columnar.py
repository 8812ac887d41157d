"""Tables without a database: one small file a column, for places where DuckDB does not run.

A browser has NumPy and pandas but no Parquet reader. The build writes each table there as a
folder of columns, and ``columns.json`` beside them says what there is. A column is an ``.npz`` file
of plain arrays (never pickles): numbers in the narrowest type that holds them exactly, texts as the
different texts and a number a row. What is read equals, to the bit, what
`course_utils.bank.parquet` reads.

A column that is not in the folder is fetched from the web server when it is first read: a lesson
needs a tenth of a bank.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Lists tables and columns of a folder.
CATALOGUE = "columns.json"
#: Address below the site's root at which a browser finds the folder's files.
ADDRESS_VARIABLE = "COURSE_TABLES"
_FORMAT = 1
_NARROW = ("int8", "uint8", "int16", "uint16", "int32", "uint32")
_DAY = 86_400_000_000  # microseconds
#: Level 9 takes twice the time and saves a hundredth.
_LEVEL = 6
_STAMP = (1980, 1, 1, 0, 0, 0)


def is_here(folder: Path) -> bool:
    """Say whether a bank's folder holds columns instead of Parquet files."""
    return (folder / CATALOGUE).is_file()


def tables(folder: Path) -> list[str]:
    """Return the names of the tables, sorted."""
    return sorted(_catalogue(folder))


def stored_columns(folder: Path, table: str) -> dict[str, str]:
    """Return column → type as DuckDB calls it, in the order of the file."""
    return {name: entry["type"] for name, entry in _catalogue(folder)[table]["columns"].items()}


def smallest(folder: Path, table: str, column: str) -> Any:
    """Return the smallest value of a column."""
    return _column(folder, table, column).min()


def read(
    folder: Path, table: str, columns: Sequence[str] | None = None, codes: Iterable[str] = ()
) -> pd.DataFrame:
    """Return the rows of a table.

    Parameters
    ----------
    folder : pathlib.Path
        The bank's folder.
    table : str
        Name of the table.
    columns : sequence of str, optional
        Only these columns; all if left out.
    codes : iterable of str
        What `parquet.read` wants to know; here rows share their texts anyway.

    Raises
    ------
    CourseError
        If a column cannot be fetched or is damaged.
    """
    import pandas as pd

    entry = _catalogue(folder)[table]
    wanted = list(entry["columns"]) if columns is None else list(columns)
    data = {name: _column(folder, table, name) for name in wanted}
    return pd.DataFrame(data, index=pd.RangeIndex(entry["rows"]), columns=wanted)


def write(
    frames: Mapping[str, Callable[[], tuple[pd.DataFrame, Mapping[str, str]]]], folder: Path
) -> None:
    """Write tables as columns.

    Parameters
    ----------
    frames : mapping
        Table → function that returns its frame and column → type as DuckDB calls it; called one
        after the other, so that one table is in memory at a time.
    folder : pathlib.Path
        An empty folder.

    Raises
    ------
    CourseError
        If a column is of a type that this format does not know.
    """
    catalogue: dict[str, Any] = {}
    for table, make in frames.items():
        frame, types = make()
        (folder / table).mkdir(parents=True)
        columns = {}
        for name in frame.columns:
            data = _encode(frame[name], f"{table}.{name}")
            (folder / table / f"{name}.npz").write_bytes(data)
            columns[name] = {"type": types[name], "bytes": len(data)}
        catalogue[table] = {"rows": len(frame), "columns": columns}
    text = json.dumps({"format": _FORMAT, "tables": catalogue}, ensure_ascii=False, indent=1)
    (folder / CATALOGUE).write_text(text + "\n", encoding="utf-8")


@cache
def _catalogue(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / CATALOGUE).read_bytes())
    if content["format"] != _FORMAT:
        raise CourseError("这家银行的数据是用别的版本打包的，请讲师重新运行 course lite。")
    return content["tables"]


def _column(folder: Path, table: str, name: str) -> pd.Series:
    import numpy as np

    path = folder / table / f"{name}.npz"
    size = _catalogue(folder)[table]["columns"][name]["bytes"]
    if not path.is_file() or path.stat().st_size != size:
        _fetch(path, table, name, size)
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return _decode(dict(arrays))
    except (ValueError, KeyError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)
        raise CourseError(
            f"{table} 表的 {name} 列不完整：请再运行一次这一格，还不行就告诉讲师。"
        ) from None


def _fetch(path: Path, table: str, name: str, size: int) -> None:
    """Get a file from the server that the page came from."""
    address = os.environ.get(ADDRESS_VARIABLE)
    if address is None:
        raise CourseError(f"缺少 {table} 表的 {name} 列：请重新解压学员包，或让讲师重新生成。")
    data = _download(f"{address}/{table}/{name}.npz")
    if data is None or len(data) != size:
        raise CourseError(
            f"没有取到数据（{table} 表的 {name} 列）：请看看网络是否连着讲师的电脑，"
            "连上后再运行一次这一格。"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _download(address: str) -> bytes | None:
    """Return the bytes at an address below the site's root; None if there are none.

    A cell of a lesson cannot wait for a promise; the kernel runs in a worker of its own, where a
    request may block.
    """
    import js
    from pyodide.ffi import JsException

    root = str(js.location.href).partition("/extensions/")[0]
    request = js.XMLHttpRequest.new()
    request.open("GET", f"{root}/{address}", False)
    request.responseType = "arraybuffer"
    try:
        request.send()
    except JsException:
        return None
    return bytes(request.response.to_py()) if request.status == 200 else None


# ---- one column ----------------------------------------------------------------------------------


def _encode(values: pd.Series, where: str) -> bytes:
    arrays = _arrays(values, where)
    again = _decode(arrays)
    if again.dtype != values.dtype or not again.equals(values):
        raise CourseError(f"{where} 打包后与原来不一致，请把这一列的内容告诉课程作者。")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            _put(archive, name, array)
    return stream.getvalue()


def _put(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    import numpy as np

    plain = io.BytesIO()
    np.lib.format.write_array(plain, array, allow_pickle=False)
    info = zipfile.ZipInfo(f"{name}.npy", _STAMP)  # the same bytes for the same content
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, plain.getvalue(), compresslevel=_LEVEL)


def _arrays(values: pd.Series, where: str) -> dict[str, np.ndarray]:
    """Return what is stored of a column; the names of the arrays say what it is."""
    import numpy as np

    kind = str(values.dtype)
    if kind in ("Int64", "boolean"):
        gone = values.isna().to_numpy()
        filled = values.fillna(False if kind == "boolean" else 0)
        plain = filled.to_numpy(dtype="bool" if kind == "boolean" else "int64")
        return {"gone": gone, **_arrays_of(plain)}
    if kind == "object" and values.isna().all():
        return {"nothing": np.array(len(values))}
    if kind == "str":
        return _texts(values)
    if kind in ("int64", "float64", "bool", "datetime64[us]"):
        return _arrays_of(values.to_numpy())
    raise CourseError(f"{where} 的类型 {kind} 不能打包给浏览器课堂，请把这一列告诉课程作者。")


def _arrays_of(plain: np.ndarray) -> dict[str, np.ndarray]:
    """Return an array in the narrowest form that gives back the same bits."""
    import numpy as np

    kind = plain.dtype.kind
    if kind == "i":
        return {"whole": _narrow(plain)}
    if kind == "M":
        ticks = plain.view("int64")
        none = np.iinfo("int64").min
        known = ticks != none
        if known.any() and (ticks[known] % _DAY == 0).all():
            days = np.where(known, ticks // _DAY, np.iinfo("int32").min)
            return {"days": days.astype("int32")}
        return {"ticks": ticks}
    if kind == "f":
        for digits in (0, 2):
            scaled = np.round(plain * 10**digits)
            if np.isfinite(plain).all() and (np.abs(scaled) < 2**53).all():
                whole = scaled.astype("int64")  # has no negative zero
                back = whole / 10**digits
                if (back.view("int64") == plain.view("int64")).all():
                    return {f"hundredths{digits}": _narrow(whole)}
    return {"plain": plain}


def _narrow(whole: np.ndarray) -> np.ndarray:
    import numpy as np

    if not whole.size:
        return whole
    low, high = whole.min(), whole.max()
    for name in _NARROW:
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return whole.astype(name)
    return whole


def _texts(values: pd.Series) -> dict[str, np.ndarray]:
    import numpy as np
    import pandas as pd

    codes, different = pd.factorize(values)
    parts = [text.encode("utf-8") for text in different]
    lengths = np.array([len(part) for part in parts], dtype="int64")
    return {
        "codes": _narrow(codes.astype("int64")),
        "lengths": _narrow(lengths),
        "texts": np.frombuffer(b"".join(parts), dtype="uint8"),
    }


def _decode(arrays: Mapping[str, np.ndarray]) -> pd.Series:
    import numpy as np
    import pandas as pd

    if "nothing" in arrays:
        return pd.Series([None] * int(arrays["nothing"]), dtype="object")
    if "codes" in arrays:
        return pd.Series(_texts_again(arrays))
    if "whole" in arrays:
        plain = arrays["whole"].astype("int64")
    elif "days" in arrays:
        days = arrays["days"].astype("int64")
        known = days != np.iinfo("int32").min
        ticks = np.where(known, days * _DAY, np.iinfo("int64").min)
        plain = ticks.view("datetime64[us]")
    elif "ticks" in arrays:
        plain = arrays["ticks"].view("datetime64[us]")
    else:
        plain = _float_or_flag(arrays)
    if "gone" not in arrays:
        return pd.Series(plain)
    whole = plain.dtype != bool
    made = pd.arrays.IntegerArray if whole else pd.arrays.BooleanArray
    return pd.Series(made(plain, arrays["gone"].copy()))


def _float_or_flag(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    for digits in (0, 2):
        if (scaled := arrays.get(f"hundredths{digits}")) is not None:
            return scaled.astype("float64") / 10**digits
    return arrays["plain"]


def _texts_again(arrays: Mapping[str, np.ndarray]) -> Any:
    import numpy as np
    import pandas as pd

    ends = np.cumsum(arrays["lengths"].astype("int64"))
    blob = arrays["texts"].tobytes()
    starts = ends - arrays["lengths"]
    different = [blob[a:b].decode("utf-8") for a, b in zip(starts, ends, strict=True)]
    codes = arrays["codes"].astype("int64")
    return pd.array(different, dtype="str").take(codes, allow_fill=True)
