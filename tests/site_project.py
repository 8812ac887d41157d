"""A small project whose lessons look executed, and the site made of it: no kernel is started."""

from __future__ import annotations

import base64
import shutil
import struct
import zlib
from pathlib import Path

from build_project import NAMES, edit, make_build, make_project
from nbformat import v4

from course_utils.build.execution.records import FAILED, OK, Record
from course_utils.build.execution.run import EDITIONS, Build
from course_utils.build.sources.editions import build_edition, dumps
from course_utils.build.sources.parameters import lesson_parameters
from course_utils.files import write_text

FIRST, SECOND, THIRD = NAMES
REASON = "第 3 个代码格出错：ZeroDivisionError：division by zero"
PROSE = """# 课 1

到期的钱里，续存率是多少？口径写在前面，别人才能
照着再算一遍。公式是 $r = \\frac{k}{n}$。

## 演示一：看 `LIMIT` 变了什么

| 时间 | 动作 |
|---|---|
| T−30 | 短信 |
"""
WIDE = "<table id='T_0a1b'><tr>" + "".join(f"<td>很宽的一列{n}</td>" for n in range(40)) + "</tr>"
PLAN = """
plans:
  - id: half
    title: {zh: 半天班, en: Half a day}
    hours: 1
    days:
      - title: 上午
        start: "09:00"
        slots:
          - {minutes: 40, lesson: m98_n01, parts: [演示一, E1]}
          - {minutes: 20, lesson: m98_n02, parts: [练习]}
"""


def small_site(root: Path) -> Build:
    """Write a project with two executed lessons and one that failed; return its build."""
    make_project(root)
    edit(root, FIRST, "# # 课 1\n", "".join(f"# {line}\n" for line in PROSE.split("\n")))
    syllabus = root / "lessons" / "syllabus.yml"
    text = syllabus.read_text(encoding="utf-8").replace("home: []", "home: [S004-D2]", 1)
    write_text(syllabus, text + PLAN)
    write_text(
        root / "lessons" / "outline.csv",
        f"id,training,lesson,text\nS004-D2,S004,{FIRST},到期视图\nS004-D9,S004,m99_n09_later,以后\n",
    )
    build = make_build(root)
    for name in (FIRST, SECOND):
        execute(build, name)
    return build


def records() -> list[Record]:
    """Return how the lessons ran."""
    done = [Record(name, edition, OK) for name in (FIRST, SECOND) for edition in EDITIONS]
    return [*done, *(Record(THIRD, edition, FAILED, REASON) for edition in EDITIONS)]


def execute(build: Build, name: str, extra: str = "") -> None:
    """Write both editions of a lesson with outputs of every kind."""
    lesson = build.syllabus.lesson(name)
    build._masters.clear()
    for edition in EDITIONS:
        master = build.master(lesson)
        notebook = build_edition(master, edition, lesson_parameters(build.profile, master))
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        code[1].outputs = [
            _display({"image/png": picture()}, alt="一张“空”图"),
            _display({"text/html": WIDE, "text/plain": "表"}),
            _display({"text/markdown": f"算出来的**一句话**。{extra}", "text/plain": "话"}),
        ]
        write_text(lesson.path(build.executed(edition), ".ipynb"), dumps(notebook))


def remove(build: Build, name: str) -> None:
    """Take an executed lesson away, as a failed run does."""
    for edition in EDITIONS:
        build.syllabus.lesson(name).path(build.executed(edition), ".ipynb").unlink()


def browser_path() -> str:
    """Return the browser in which pages are looked at."""
    found = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    assert found is not None, "these tests need Chromium"
    return found


def picture() -> str:
    """Return a white PNG of 2 by 1 pixels in base64."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\xff")
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
    return base64.b64encode(data + chunk(b"IEND", b"")).decode("ascii")


def _display(data: dict[str, str], **metadata: str) -> dict:
    return v4.new_output("display_data", data=data, metadata=metadata)
