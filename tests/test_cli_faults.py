"""The command line where things are not as they should be: old consoles, full disks."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import files
from course_utils.build.products.browser import print_page
from course_utils.cli import common, main, reporter
from course_utils.errors import CourseError


def course(*arguments, encoding):
    """Run a command in a process whose console knows one encoding."""
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "course_utils.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_a_name_that_the_console_does_not_know_is_no_crash(encoding):
    done = course("scan", "/tmp/é没有😀", encoding=encoding)
    text = done.stderr.decode("utf-8" if encoding == "ascii" else encoding)
    assert done.returncode == 1 and text.startswith("错误：没有“/tmp/")
    done = course("dictionary", "é😀", encoding=encoding)
    assert done.returncode == 1 and b"Traceback" not in done.stderr


def test_drawings_are_left_out_where_the_console_does_not_know_them(monkeypatch):
    for encoding, expected in (("gbk", "看下面"), ("utf-8", "▀▄")):
        console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", console)
        common.echo_drawing("▀▄", "看下面")
        console.flush()
        assert console.buffer.getvalue().decode(encoding).strip() == expected


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"),
    ],
)
def test_a_full_disk_anywhere_is_one_sentence(error, monkeypatch, capsys):
    def full(*_):
        raise error

    monkeypatch.setattr("course_utils.bank.list_banks", full)
    with pytest.raises(SystemExit) as stopped:
        main(["bank", "list"])
    assert stopped.value.code == 1
    assert "磁盘已满" in capsys.readouterr().err
    assert not reporter._is_full(CourseError("不是磁盘的事"))


def test_a_program_that_fails_on_a_full_disk_is_not_blamed(tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("页")
    arguments = Path("/bin/false"), tmp_path / "page.html", tmp_path / "page.pdf"
    with pytest.raises(CourseError, match="没有打印出"):
        print_page(*arguments)
    monkeypatch.setattr(files, "_LEAST_ROOM", 1 << 60)
    with pytest.raises(CourseError, match="磁盘已满"):
        print_page(*arguments)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["serve", "--bank", "coastal", "--port", "99999"], "99999 不在 1 到 65535 之间"),
        (["serve", "--bank", "coastal", "--port", "80x"], "“80x”不是数字"),
        (["serve", "--bank", "coastal", "--folder", __file__], "”是文件，不是文件夹"),
        (["lite", "--bank", "coastal", "--pyodide", "没有"], "“没有”不存在"),
        (["handouts", "--bank", "coastal", "--edition", "x"], "“x”不在可选的 trainee, instructor"),
        (["build", "--bank"], "后面要写值"),
        (["build", "--bank", "coastal", "m02_n02"], "多写了 m02_n02"),
    ],
)
def test_what_click_says_of_values_is_chinese(arguments, hint, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert hint in capsys.readouterr().err


def test_a_file_that_cannot_be_made_is_named_as_people_know_it(monkeypatch, capsys):
    def gone(*_):
        raise FileNotFoundError(2, "No such file or directory", "/no/.x.csv.host-1-2.part")

    monkeypatch.setattr("course_utils.bank.list_banks", gone)
    with pytest.raises(SystemExit):
        main(["bank", "list"])
    said = capsys.readouterr().err
    assert "“/no/x.csv”" in said and "不存在" in said


def test_a_fault_of_ours_is_no_traceback_either(monkeypatch, capsys):
    def fault(*_):
        raise KeyError("inputs")

    monkeypatch.setattr("course_utils.bank.list_banks", fault)
    with pytest.raises(SystemExit) as stopped:
        main(["bank", "list"])
    said = capsys.readouterr().err
    assert stopped.value.code == 1 and "KeyError" in said and "--debug" in said
    with pytest.raises(KeyError):
        main(["--debug", "bank", "list"])


@pytest.mark.parametrize("damage", [b"", b"[1]", b"{}", bytes(range(256))])
def test_damaged_notes_of_an_earlier_run_count_as_none(tmp_path, damage):
    from types import SimpleNamespace

    from course_utils.build.products import finish
    from course_utils.build.products.lite import make

    (tmp_path / ".records").mkdir()
    (tmp_path / ".records" / "pages.stamp").write_bytes(damage)
    made = []
    build = SimpleNamespace(folder=tmp_path)
    finish._unless_done(build, "pages", ["inputs"], lambda: made.append(1))
    finish._unless_done(build, "pages", ["inputs"], lambda: made.append(2))
    assert made == [1]
    stamp = tmp_path / "lite.json"
    stamp.write_bytes(damage)
    assert make._known(stamp, "inputs", tmp_path) is None
