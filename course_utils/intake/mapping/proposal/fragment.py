"""Proposals as lines of mapping.yml, and how they get into the file without touching a word."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from course_utils.bank.strict_yaml import Node, read_nodes
from course_utils.contract.model import Table
from course_utils.errors import CourseError
from course_utils.files import write_text
from course_utils.intake.mapping.proposal.inspect import Finding
from course_utils.intake.mapping.proposal.match import ColumnProposal, TableProposal
from course_utils.intake.mapping.proposal.shapes import Shaped, has_commas, needed, shapes, unwanted
from course_utils.intake.mapping.reader import mapping_path, read_mapping
from course_utils.intake.mapping.template import yaml_name, yaml_quoted

ASK = "# 待确认 "
#: Fewer columns prove no table: every second export has a customer and an account.
FEWEST_READY = 3
_MARK = "# ---- 提议："


def fragment(finding: Finding, proposal: TableProposal, folder: Path | None = None) -> list[str]:
    """Return the lines of one table as they would stand below ``tables:``.

    What is sure is ready to use; the rest begins with :data:`ASK`, which somebody deletes.
    """
    table, first = proposal.table, finding.first
    patterns = file_patterns([sheet.path for sheet in finding.sheets], folder)
    files = ", ".join(yaml_quoted(pattern) for pattern in patterns)
    head = [f"  {table.name}:", f"    files: [{files}]"]
    if first.sheet and first.sheets > 1:
        head.append(f"    sheet: {yaml_quoted(first.sheet)}")
    if len(first.delimiter) > 1:
        head.append(f"    delimiter: {yaml_quoted(first.delimiter)}")
    if len(first.header) > 1:
        head.append(f"    header: [{', '.join(map(str, first.header))}]")
    if first.unit not in (None, "元"):
        head.append(f"    unit: {first.unit}")
    if has_commas(first.columns):
        head.append('    decimal: ","')
    head += [_asked(line) for line in unwanted(first.columns)]
    head.append("    columns:")
    ready, shaped = is_ready(proposal), shapes(finding, proposal)
    special = {one.column.name for one in shaped}
    plain = [one for one in proposal.columns if one.column.name not in special]
    body = [_column_line(one, first.unit, ready) for one in plain]
    body += [_shaped_line(one) for one in shaped]
    if lacking := needed(proposal, shaped):
        body.append(f"      # {lacking}")
    title = f"  {mark_of(table, patterns)}（把握 {proposal.score:.0%}），请逐条核对 ----"
    lines = [title, *(head if ready else [_asked(line) for line in head]), *body]
    return lines + [_missing_key(table, name) for name in proposal.missing if name not in special]


def _shaped_line(one: Shaped) -> str:
    return f"{_asked(f'      {one.column.name}: {one.value}')}  # {one.column.zh}；{one.why}"


def _missing_key(table: Table, name: str) -> str:
    column = table.columns[name]
    what = f"# 缺主键“{column.zh}”"
    if column.type == "id" and column.references is None and table.grain == (name,):
        line = _asked(f"      {name}: {{generate: row}}")
        return f"{line}  {what}：请补上这一列，确实没有编号时才用行号代替"
    return f"      {what}：请补上 {name} 这一列"


def is_ready(proposal: TableProposal) -> bool:
    """The table with its key and some columns is sure: the block may be used as it is."""
    whole = proposal.sure and not proposal.missing
    least = min(FEWEST_READY, len(proposal.table.columns) - 1)
    return whole and sum(one.sure for one in proposal.columns) >= least


def mark_of(table: Table, patterns: Sequence[str]) -> str:
    """Return the line by which a proposal is known again."""
    return f"{_MARK}{table.name} {table.zh} ← {'、'.join(patterns)}"


def file_patterns(paths: Sequence[Path], folder: Path | None) -> list[str]:
    """Return patterns below the folder of the exports that find these files and say little more."""
    names = sorted({_below(path, folder) for path in paths})
    if len(names) < 3:
        return names
    start = _common(names)
    end = _common([name[::-1] for name in names])[::-1]
    parents = {path.parent for path in paths}
    if len(parents) > 1 or len(start.rpartition("/")[2]) < 3 or "." not in end:
        return names
    pattern = f"{start}*{end[end.index('.') :]}"
    found = {path.name for path in next(iter(parents)).glob(pattern.rpartition("/")[2])}
    return [pattern] if found == {path.name for path in paths} else names


def _common(names: Sequence[str]) -> str:
    """Return what all names begin with."""
    length = 0
    for marks in zip(*names, strict=False):
        if len(set(marks)) > 1:
            break
        length += 1
    return names[0][:length]


def write_proposals(code: str, blocks: Sequence[tuple[Table, str, list[str]]]) -> list[str]:
    """Append proposals to a bank's mapping; nothing that stands there is changed.

    Parameters
    ----------
    code : str
        Code of the bank.
    blocks : sequence of (Table, str, list of str)
        Table, its mark (see :func:`mark_of`) and its lines.

    Returns
    -------
    list of str
        One Chinese sentence a block: written, or why not.

    Raises
    ------
    CourseError
        If there is no mapping, or it does not read.
    """
    path = mapping_path(code)
    if not path.is_file():
        raise CourseError(f"“{code}”还没有数据映射，请先运行 course bank new {code}。")
    mapping = read_mapping(path, code)
    text = path.read_text(encoding="utf-8-sig")
    taken, said, new = set(mapping.tables), [], []
    for table, mark, lines in blocks:
        if mark in text:
            said.append(f"{table.name}（{table.zh}）：同样的提议已经在文件里，没有再写。")
        elif table.name in taken and not lines[1].lstrip().startswith("#"):
            said.append(
                f"{table.name}（{table.zh}）：映射里已经有这张表，没有改动，提议都标了“待确认”；"
                "两种导出都要用时，请按文件开头的说明写成以“- ”开头的几段。"
            )
            new += ["", *(_asked(line) for line in lines)]
        else:
            if not lines[1].lstrip().startswith("#"):
                taken.add(table.name)
            said.append(f"{table.name}（{table.zh}）：已写入 {len(lines)} 行，请逐条核对。")
            new += ["", *lines]
    if new:
        fresh = _appended(text, new, read_nodes(path))
        _try(fresh, code)
        write_text(path, fresh)
    return said


def _appended(text: str, lines: Iterable[str], root: Node) -> str:
    tables = [value for key, value in root.pairs if key.text == "tables"]
    if not tables:
        return text.rstrip("\n") + "\n\ntables:\n" + "\n".join(lines) + "\n"
    if root.pairs[-1][0].text != "tables":
        raise CourseError(
            "mapping.yml 里 tables 后面还有别的设置，没有写入：请把 tables 移到文件最后再试。"
        )
    indent = 2
    if tables[0].pairs:
        line = text.split("\n")[tables[0].pairs[0][0].line - 1]
        indent = len(line) - len(line.lstrip(" "))
    shifted = [" " * (indent - 2) + line if line else line for line in lines]
    return text.rstrip("\n") + "\n" + "\n".join(shifted) + "\n"


def _try(text: str, code: str) -> None:
    """Read what is about to be written; nothing is written that would not read."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / code / "mapping.yml"
        trial.parent.mkdir()
        trial.write_text(text, encoding="utf-8")
        try:
            read_mapping(trial, code)
        except CourseError as error:
            raise CourseError(f"提议写进去后文件会读不通，没有写入：{error}") from None


def _column_line(one: ColumnProposal, table_unit: str | None, ready: bool) -> str:
    guessed = "；单位按数值大小猜的" if one.unit_guessed else ""
    said = f"# {one.column.zh}；{one.score:.2f} {one.why}{guessed}"
    line = f"      {one.column.name}: {_value(one, table_unit)}"
    if ready and one.sure:
        return f"{line}  {said}"
    return f"{_asked(line)}  {said}"


def _value(one: ColumnProposal, table_unit: str | None) -> str:
    parts = [f"from: {yaml_name(one.source)}"]
    if one.unit is not None and one.unit != table_unit:
        parts.append(f"unit: {yaml_quoted(one.unit) if one.unit in '%‰' else one.unit}")
    known = [f"{yaml_quoted(k)}: {yaml_name(v)}" for k, v in one.translation.codes.items()]
    ask = [f"{yaml_quoted(k)}: 请填写" for k in one.translation.unknown]
    if known or ask:
        parts.append(f"codes: {{{', '.join(known + ask)}}}")
    return yaml_name(one.source) if len(parts) == 1 else "{" + ", ".join(parts) + "}"


def _asked(line: str) -> str:
    """Turn a line into a question; deleting :data:`ASK` gives it back."""
    left = line.lstrip(" ")
    if left.startswith("#"):
        return line
    return " " * (len(line) - len(left)) + ASK + left


def _below(path: Path, folder: Path | None) -> str:
    if folder is not None:
        try:
            return path.resolve().relative_to(folder.resolve()).as_posix()
        except ValueError:
            pass
    return path.name
