"""数据报告.html: one page without script and without network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from course_utils.build.products import simple_page
from course_utils.intake.faults import LEVELS, NOTE, REFUSE, STOP, WARN
from course_utils.intake.report import tables
from course_utils.intake.report.lists import COLUMNS, details

if TYPE_CHECKING:
    from course_utils.intake.report.model import IntakeResult, Summary

#: Most faults of one rule, column and file, and most in all.
EACH, IN_ALL = 200, 3_000
_NUMERIC = (int, float)
#: Sentences stand in cells here: they may break.
_STYLE = (
    "body { max-width: 92rem } td { white-space: normal; max-width: 24rem; "
    "overflow-wrap: anywhere; vertical-align: top; min-width: 4.5em } "
    "td.count { min-width: 0; text-align: right; "
    "white-space: nowrap; font-variant-numeric: tabular-nums }"
)


def report_page(result: IntakeResult, summary: Summary) -> str:
    """Return the page."""
    title = f"{result.name}（{result.bank}）数据报告"
    parts = [
        f"<style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1>",
        f"<p>基准日 {result.as_of}，生成于 {escape(result.made)}。"
        "本报告含银行内部信息，仅限授权人员查看；敏感值已遮蔽。</p>",
        *_verdict(result, summary),
        _section("发现的问题，按规则", tables.rule_rows(summary), "没有发现问题。"),
        *_details(result, summary),
        _section("各表行数", tables.table_rows(summary), "没有收到任何表。"),
        _section("行数勾稽：每一行都有去向", tables.balance_rows(summary), "没有收到任何行。"),
        _section("各文件读取情况", tables.file_rows(result), "没有读到文件。"),
        _section("码值翻译", tables.code_rows(result), "没有翻译码值。"),
        _section("规则改动：本行与默认不同之处", tables.change_rows(result), "全部用默认规则。"),
        _section("列的来源与填充", tables.coverage_rows(result), "没有映射任何列。"),
    ]
    navigation = "同一文件夹里：数据问题清单.xlsx（逐条修改用）、问题明细.csv（完整清单）、剔除行"
    return simple_page.page(title, navigation, "\n".join(parts))


def _verdict(result: IntakeResult, summary: Summary) -> Iterable[str]:
    counts = {level: sum(r.count for r in summary.rules if r.level == level) for level in LEVELS}
    told = "，".join(f"{level} {counts[level]:,} 处" for level in LEVELS)
    if summary.may_publish:
        yield f"<h2>结论：可以使用</h2><p>{told}。{_todo(result, counts)}</p>"
    else:
        yield f"<h2>结论：没有发布</h2><p>{told}。原有数据没有改动。请先处理：</p>"
        yield "<ol>" + "".join(f"<li>{escape(one)}</li>" for one in summary.stops) + "</ol>"
    yield (
        f"<p>{STOP}：整批不发布；{REFUSE}：这一行不收；{WARN}：这一行收下，读不出的格子按空值处理，"
        f"请核对；{NOTE}：只作说明，不必修改。</p>"
    )
    if result.messages:
        yield "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in result.messages) + "</ul>"


def _todo(result: IntakeResult, counts: dict[str, int]) -> str:
    """Return what the data clerk does next, in one sentence."""
    if not counts[REFUSE] + counts[WARN]:
        return "没有要改的，数据已可使用。"
    return (
        f"数据已可使用；要找回{REFUSE}的行，请按需修改清单（也在 数据问题清单.xlsx）"
        f"改源数据或 mapping.yml，再运行一次 course intake {escape(result.bank)}。"
    )


def _details(result: IntakeResult, summary: Summary) -> Iterable[str]:
    wanted = (STOP, REFUSE, WARN)
    whole = sum(one.count for one in summary.rules if one.level in wanted)
    listed = details(result, summary, EACH, IN_ALL, wanted)
    yield "<h2>需修改清单</h2>"
    if not len(listed):
        yield "<p>没有需要逐行修改的问题。</p>"
        return
    if len(listed) < whole:
        yield (
            f"<p>共 {whole:,} 处，这里每个文件每条规则最多列 {EACH} 处，共列 {len(listed):,} 处；"
            "更多见 数据问题清单.xlsx，全部见 问题明细.csv。</p>"
        )
    # a row number is looked up, not read: no separators
    yield _table(tuple(COLUMNS), (tuple(map(str, row)) for row in listed.iter_rows()))


def _section(title: str, shown: tables.Shown, nothing: str) -> str:
    names, rows = shown
    body = _table(names, rows) if rows else f"<p>{nothing}</p>"
    return f"<h2>{escape(title)}</h2>\n{body}"


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = ("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(lines) + "</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, _NUMERIC):
        return f'<td class="count">{value:,}</td>'
    return f"<td>{escape(str(value or ''))}</td>"
