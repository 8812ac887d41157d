"""How the banks went: ``build/banks.json`` for programs, ``build/banks.html`` for people."""

from __future__ import annotations

import html
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_utils.build.execution.records import FAILED, OK, SKIPPED, Record
from course_utils.build.products.simple_page import EDITION_NAMES, page
from course_utils.files import write_text

_HEAD = (
    "银行",
    "结果",
    "完成",
    "失败",
    "未变",
    "历时（秒）",
    "运行（秒）",
    "CPU（秒）",
    "内存峰值（MB）",
    "工作机",
    "重试",
    "扫描发现",
)


@dataclass
class BankReport:
    """How one bank went.

    Parameters
    ----------
    code, name : str
        The bank.
    problem : str
        Why it could not be prepared or finished, in Chinese.
    complete : bool
        Whether it got to the end, with or without failed lessons.
    generated : bool
        Whether its tables were generated.
    began, ended : float
        Seconds since the start of the whole build.
    prepare_seconds, finish_seconds : float
        Tables and plan; pages, kit and scan.
    records : list of Record
        Of the runs that are known.
    tries : dict of str to int
        How often each order was begun.
    leaks : list of str
        What the scan found.
    """

    code: str
    name: str
    problem: str = ""
    complete: bool = False
    generated: bool = False
    began: float = 0.0
    ended: float = 0.0
    prepare_seconds: float = 0.0
    finish_seconds: float = 0.0
    records: list[Record] = field(default_factory=list)
    tries: dict[str, int] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Record]:
        """The runs that failed."""
        return [record for record in self.records if record.failed]

    @property
    def good(self) -> bool:
        """Whether everything is as it should be."""
        return self.complete and not (self.failed or self.problem or self.leaks)

    @property
    def state(self) -> str:
        """The result in a few words."""
        if self.problem:
            return "没有做成"
        if not self.complete:
            return "没有做完"
        if self.failed:
            return "有失败的课"
        return "有不能外发的内容" if self.leaks else "完成"

    def as_row(self) -> dict[str, Any]:
        """Return what is written for this bank."""
        ran = [record for record in self.records if record.status != SKIPPED]
        count = Counter(record.status for record in self.records)
        return {
            "bank": self.code,
            "name": self.name,
            "state": self.state,
            "problem": self.problem,
            "ok": count[OK],
            "failed": count[FAILED],
            "unchanged": count[SKIPPED],
            "seconds": round(self.ended - self.began, 1),
            "run_seconds": round(sum(record.seconds for record in ran), 1),
            "cpu_seconds": round(sum(record.cpu_seconds for record in ran), 1),
            "prepare_seconds": self.prepare_seconds,
            "finish_seconds": self.finish_seconds,
            "generated": self.generated,
            "peak_mb": max((record.peak_mb for record in ran), default=0.0),
            "workers": sorted({record.worker for record in ran if record.worker}),
            "retried": sum(tries - 1 for tries in self.tries.values()),
            "failures": [
                {"lesson": r.lesson, "edition": r.edition, "reason": r.reason} for r in self.failed
            ],
            "leaks": self.leaks,
        }


@dataclass
class FleetReport:
    """How all banks went.

    Parameters
    ----------
    banks : list of BankReport
        In the order in which they were asked for.
    seconds : float
        Wall-clock time of the whole.
    interrupted : bool
        Whether it ended before everything was done.
    notes : list of str
        What else people should know, in Chinese.
    """

    banks: list[BankReport]
    seconds: float = 0.0
    interrupted: bool = True
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return what ``banks.json`` holds."""
        rows = [bank.as_row() for bank in self.banks]
        summed = ("ok", "failed", "unchanged", "run_seconds", "cpu_seconds", "retried")
        totals = {key: round(sum(row[key] for row in rows), 1) for key in summed}
        totals["peak_mb"] = max((row["peak_mb"] for row in rows), default=0.0)
        totals["workers"] = sorted({name for row in rows for name in row["workers"]})
        totals["leaks"] = sum(len(row["leaks"]) for row in rows)
        return {
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "notes": self.notes,
            "totals": totals,
            "banks": rows,
        }

    def lines(self) -> list[str]:
        """Return one line a bank for the terminal, with its failures below."""
        lines = []
        for bank in self.banks:
            row = bank.as_row()
            lines.append(
                f"{bank.state}  {row['seconds']:7.1f} 秒  {bank.code}（完成 {row['ok']}，"
                f"失败 {row['failed']}，未变 {row['unchanged']}，重试 {row['retried']}）"
            )
            lines += [f"    {text}" for text in _troubles(bank)]
        return lines + [f"注意：{note}" for note in self.notes]

    @property
    def fault(self) -> str:
        """The sentence with which the command ends; empty if all is well."""
        bad = [bank.name for bank in self.banks if not bank.good]
        if not bad:
            return ""
        names = "、".join(bad[:5]) + ("等" if len(bad) > 5 else "")
        return (
            f"{len(self.banks)} 家银行中有 {len(bad)} 家没有全部做好（{names}），"
            "原因见上和 build/banks.html；改好后再运行一次同样的命令，只做没有做好的部分。"
        )


def write_report(root: Path, report: FleetReport) -> Path:
    """Write both files aside, then rename them into place; return the page."""
    content = report.as_dict()
    folder = root / "build"
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    write_text(folder / "banks.json", text)
    write_text(
        folder / "banks.html", page("各家银行的构建", "<b>各家银行的构建</b>", _body(report))
    )
    return folder / "banks.html"


def _troubles(bank: BankReport) -> list[str]:
    """Return all that went wrong with a bank, a line each."""
    lines = [bank.problem] if bank.problem else []
    lines += [f"{r.lesson}（{EDITION_NAMES[r.edition]}）：{r.reason}" for r in bank.failed]
    return lines + bank.leaks


def _body(report: FleetReport) -> str:
    content = report.as_dict()
    totals, rows = content["totals"], content["banks"]
    good = sum(bank.good for bank in report.banks)
    parts = [
        "<h1>各家银行的构建</h1>",
        f"<p>{len(rows)} 家银行，{good} 家全部做好，历时 {report.seconds:,.0f} 秒，"
        f"用了 {len(totals['workers'])} 台工作机。</p>",
    ]
    if report.interrupted:
        parts.append("<p>这次构建没有做完就停下了；再运行一次同样的命令会接着做。</p>")
    parts += [f"<p>注意：{html.escape(note)}</p>" for note in report.notes]
    lines = [_row(row) for row in rows]
    lines.append(
        _cells("合计", "", totals, report.seconds, len(totals["workers"]), totals["leaks"])
    )
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>")
    parts += [_trouble_list(bank) for bank in report.banks if not bank.good and _troubles(bank)]
    return "\n".join(parts)


def _row(row: dict[str, Any]) -> str:
    name = html.escape(row["name"])
    if row["ok"] or row["unchanged"]:
        name = f'<a href="{row["bank"]}/pages/instructor/index.html">{name}</a>'
    return _cells(name, row["state"], row, row["seconds"], len(row["workers"]), len(row["leaks"]))


def _cells(
    name: str, state: str, numbers: dict[str, Any], seconds: float, workers: int, leaks: int
) -> str:
    cells = (
        name,
        state,
        *(str(numbers[key]) for key in ("ok", "failed", "unchanged")),
        f"{seconds:,.1f}",
        f"{numbers['run_seconds']:,.1f}",
        f"{numbers['cpu_seconds']:,.1f}",
        f"{numbers['peak_mb']:,.0f}",
        str(workers),
        str(numbers["retried"]),
        str(leaks),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _trouble_list(bank: BankReport) -> str:
    entries = "".join(f"<li>{html.escape(text)}</li>" for text in _troubles(bank))
    return f"<h2>{html.escape(bank.name)}</h2>\n<ul>{entries}</ul>"
