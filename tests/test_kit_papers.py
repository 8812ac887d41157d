"""What a kit is handed out with: start scripts, notes, a Python of its own."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace

import pytest

from course_utils import __version__
from course_utils.build.products.kit.papers import Facts, papers
from course_utils.build.products.kit.python_folder import MARK, packed_python
from course_utils.build.products.kit.targets import choose_targets
from course_utils.desk.kit import House
from course_utils.errors import CourseError

WHEEL = f"wheels/course_utils-{__version__}-py3-none-any.whl"
TARGETS = choose_targets(("windows", "linux"), ("3.11", "3.12"))
HOUSES = {
    target.name: House(f"wheelhouse/{target.name}.txt", 9, 7 * 10**8, 99) for target in TARGETS
}
ONLINE = Facts("coastal", "甲行（示例）", "2025-12-31", "k1", 5 * 10**7, WHEEL)
OFFLINE = replace(ONLINE, houses=HOUSES, targets=TARGETS)
KITS = {"online": ONLINE, "offline": OFFLINE, "python": replace(OFFLINE, python=True)}


@pytest.fixture(params=KITS.values(), ids=KITS)
def facts(request):
    return request.param


@pytest.mark.parametrize("name", ["start.bat", "install.bat"])
def test_batch_files_hold_nothing_that_cmd_misreads(facts, name):
    data = papers(facts)[name]
    text = data.decode("ascii")  # cmd loses its place in a file with multi-byte characters
    assert data.count(b"\r\n") == data.count(b"\n") == len(text.splitlines())
    lines = [line for line in text.splitlines() if not line.startswith("rem ")]
    labels = [line[1:].lower() for line in lines if line.startswith(":")]
    jumps = re.findall(r"\bgoto (\w+)", "\n".join(lines))
    assert len(set(labels)) == len(labels) and set(jumps) <= set(labels)
    assert set(labels) <= {*jumps, "onpath", "done"}
    for line in lines:
        assert line.count('"') % 2 == 0
        # a folder's name may hold "&", "(" and spaces: its path stands within quotes, always
        bare = re.sub(r'"[^"]*"', "", line)
        assert "%~dp0" not in bare and "%DESK%" not in bare
        assert "call " not in bare and "(" not in bare  # both would read "%" and "&" again
        assert '\\"' not in line.replace('\\."', "")  # a backslash would take the quote with it
    assert "enabledelayedexpansion" not in text.lower()  # it would eat "!"


def test_every_python_that_the_kit_serves_is_asked_for(facts):
    text = papers(facts)["start.bat"].decode("ascii")
    for version in facts.pythons:
        assert f"py -{version} -I -c" in text and f"py -{version} -I -X" in text
        assert f"(({version.replace('.', ',')}),'win-amd64')" in text
    command = re.search(r'set "TEST=(.*)"', text)[1]
    assert '"' not in command and "%" not in command
    done = subprocess.run([sys.executable, "-c", command], check=False)
    assert done.returncode == 1  # this is no Windows


def test_who_has_no_python_reads_what_to_ask_for(facts):
    handed = papers(facts)
    windows = handed["help/no_python_windows.txt"]
    assert windows.startswith(b"\xff\xfe")  # cmd's `type` knows by it, in every code page
    text = windows.decode("utf-16")
    assert text.replace("\r\n", "\n") == handed["help/no_python.txt"].decode("utf-8")
    assert all(f"Python {version}" in text for version in facts.pythons)
    assert "course serve" in text and "{" not in text


def test_the_readme_tells_the_truth_about_network_and_python(facts):
    text = papers(facts)["README.md"].decode("utf-8")
    assert "甲行（示例）" in text and "2025-12-31" in text and not re.search(r"\{\w+\}", text)
    assert ("不需要网络" in text) == bool(facts.houses)
    assert ("自带 Python" in text) == facts.python
    assert ("Windows、Python 3.12" in text) == (bool(facts.houses) and not facts.python)


@pytest.fixture
def scripts(tmp_path):
    """The scripts in a folder with an unpleasant name, and a PATH with one fake Python."""
    kit, tools = tmp_path / "培训 资料 (1) & 100%", tmp_path / "bin"
    for name, data in papers(OFFLINE).items():
        path = kit / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    tools.mkdir()
    for name in ("sh", "dirname", "cat"):
        (tools / name).symlink_to(shutil.which(name))

    def run(script, *arguments, **pythons):
        for name, code in pythons.items():
            fake = tools / name.replace("_", ".")
            fake.write_text(
                f'#!/bin/sh\nif [ "$2" = -c ]; then exit {code}; fi\n'
                'printf "%s\\n" "${0##*/}" "$@"\n'
            )
            fake.chmod(0o755)
        done = subprocess.run(
            ["sh", str(kit / script), *arguments],
            env={"PATH": str(tools)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return kit, done

    return run


def test_the_shell_script_starts_the_desk_with_a_python_that_fits(scripts):
    kit, done = scripts("start.sh", "--port", "9", python3_11=1, python3_12=0, python3=0)
    desk = f"{kit}/{WHEEL}/course_utils/desk"
    called = ["python3.12", "-I", "-X", "utf8", desk, str(kit), "--port", "9"]
    assert done.stdout.splitlines() == called


def test_installing_is_starting_without_opening(scripts):
    _, done = scripts("install.sh", python3=0)
    assert done.stdout.splitlines()[-1] == "--install-only" and done.returncode == 0


def test_without_a_python_the_shell_script_says_what_to_ask_for(scripts):
    _, done = scripts("start.sh", python3=1, python3_13=0)
    assert done.returncode == 1 and "Python 3.11 或 Python 3.12" in done.stderr


def program(machine=0x8664):
    head = b"MZ" + b"\0" * 58 + struct.pack("<I", 64)
    return head + b"PE\0\0" + struct.pack("<H", machine) + b"\0" * 20


def python_archive(path, top="", library="python311.dll", machine=0x8664, extra=()):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{top}python.exe", program(machine))
        for name in (library, "python3.dll", "python311._pth", *extra):
            archive.writestr(f"{top}{name}", b"x")
        archive.writestr("package.nuspec", b"beside")
    return path


@pytest.mark.parametrize("top", ["", "tools/", "python-3.11.9-embed-amd64/"])
def test_an_official_python_is_packed_from_archive_or_folder(tmp_path, top):
    archive = python_archive(tmp_path / "python.zip", top, extra=["Lib/__pycache__/os.pyc"])
    files = packed_python(archive, TARGETS)
    expected = {"python.exe", "python311.dll", "python3.dll", "python311._pth", MARK}
    assert {f"python/{name}" for name in expected} <= set(files)
    assert not any("__pycache__" in name for name in files)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "folder")
    assert packed_python(tmp_path / "folder", TARGETS) == files


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"library": "python313.dll"}, "Python 3.13.*--python 3.13"),
        ({"machine": 0x14C}, "不是 64 位"),
        ({"library": "vcruntime140.dll"}, "看不出版本"),
    ],
)
def test_another_python_is_refused_with_what_to_bring(tmp_path, options, words):
    with pytest.raises(CourseError, match=words):
        packed_python(python_archive(tmp_path / "python.zip", **options), TARGETS)


def test_what_is_no_python_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    for source in (tmp_path, tmp_path / "notes.txt", tmp_path / "nowhere.zip"):
        with pytest.raises(CourseError, match="embeddable"):
            packed_python(source, TARGETS)
