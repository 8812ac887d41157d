"""The archive to hand out and the trainee's wheel: complete, reproducible, nothing given away."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from build_project import REPOSITORY
from click.testing import CliRunner
from kit_wheels import sha256, write_kit_folder, write_wheel

from course_utils import __version__
from course_utils.bank import load_profile
from course_utils.build.products.kit import build_wheel
from course_utils.build.products.kit.handout import LIST, make_handout
from course_utils.build.products.kit.targets import choose_targets
from course_utils.cli import main as course
from course_utils.desk.kit import Kit
from course_utils.errors import CourseError

pytestmark = pytest.mark.slow  # pip, setuptools


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A kit, a lock of two small packages, and a folder that pip takes them from."""
    index = tmp_path / "index"
    lab = write_wheel(index, "lab", needs=['term; os_name == "nt"'])
    term = write_wheel(index, "term", tag="cp311-cp311-win_amd64")
    pip = write_wheel(index, "pip")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    marks = {lab: "", pip: "", term: " ; os_name == 'nt'"}
    lines = [
        f"{path.name.split('-')[0]}==1.0{mark} --hash=sha256:{sha256(path)}\n"
        for path, mark in marks.items()
    ]
    (tmp_path / "requirements.lock").write_text("".join(lines))
    kit = write_kit_folder(tmp_path / "kit")
    write_wheel(kit / "wheels", "course-utils", needs=["lab"])
    return tmp_path


def pack(project, platforms=("windows", "linux"), folder="out", **options):
    return make_handout(
        project / "kit",
        load_profile("coastal"),
        project / folder,
        choose_targets(platforms, ("3.11",)) if platforms else (),
        lock=project / "requirements.lock",
        cache=project / "cache",
        **options,
    )


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_the_archive_holds_what_each_machine_needs_and_a_list_of_it(project):
    handout = pack(project)
    files = contents(handout.path)
    assert handout.path.name == "course-coastal-windows-linux-py3.11.zip"
    inside = {name.removeprefix("course-coastal/"): data for name, data in files.items()}
    lists = {n: inside[f"wheelhouse/{n}-3.11.txt"].decode() for n in ("windows", "linux")}
    assert "term==1.0" in lists["windows"] and "term" not in lists["linux"]
    assert "wheelhouse/term-1.0-cp311-cp311-win_amd64.whl" in inside
    # pip is there to be run; on Windows it refuses to install a pip out of its own wheel
    assert "wheelhouse/pip-1.0-py3-none-any.whl" in inside
    assert not [text for text in lists.values() if "pip" in text or "course" in text]
    assert "requirements.lock" not in inside  # it would send people to the network
    rows = list(csv.reader(io.StringIO(inside.pop(LIST).decode("utf-8-sig"))))[1:]
    assert {row[0]: int(row[1]) for row in rows} == {n: len(data) for n, data in inside.items()}
    listed = handout.path.with_name(f"{handout.path.name}.sha256").read_text()
    assert listed == f"{sha256(handout.path)}  {handout.path.name}\n"
    assert sum(count for _, count, _ in handout.groups) == len(files)


def test_the_unpacked_archive_describes_itself(project, tmp_path):
    with zipfile.ZipFile(pack(project).path) as archive:
        archive.extractall(tmp_path / "unpacked")
    kit = Kit.read(tmp_path / "unpacked" / "course-coastal")
    assert kit.bank == "coastal" and set(kit.houses) == {"windows-3.11", "linux-3.11"}
    assert [house.packages for house in kit.houses.values()] == [2, 1]  # neither course nor pip
    assert all(house.installed_bytes >= 4096 * 4 for house in kit.houses.values())
    longest = "course_utils-1.0.dist-info/METADATA"
    assert all(house.longest_path >= len(longest) for house in kit.houses.values())


def test_the_same_content_gives_the_same_bytes(project):
    first = pack(project).sha256
    for path in sorted((project / "kit").rglob("*")):
        os.utime(path, (2_000_000_000, 2_000_000_000))
        path.chmod(path.stat().st_mode & ~stat.S_IRGRP)
    assert pack(project, folder="again").sha256 == first
    (project / "kit" / "data" / "banks" / "bank.yml").write_text("name: 乙\n")
    assert pack(project, folder="changed").sha256 != first


def test_scripts_may_be_run_and_traces_of_a_trial_stay_here(project):
    kit = project / "kit"
    for name in (".venv/x", "notebooks/0/.ipynb_checkpoints/m00.ipynb", "notebooks/0/成果/a.xlsx"):
        (kit / name).parent.mkdir(parents=True, exist_ok=True)
        (kit / name).write_text("somebody's")
    with zipfile.ZipFile(pack(project).path) as archive:
        infos = {info.filename.partition("/")[2]: info for info in archive.infolist()}
    assert not [name for name in infos if "venv" in name or "checkpoint" in name or "成果" in name]
    assert {n for n, i in infos.items() if i.external_attr >> 16 & 0o111} == {
        "start.sh",
        "install.sh",
    }
    assert infos[LIST].flag_bits & 0x800  # the name is marked as UTF-8


def test_a_full_disk_leaves_the_old_archive(project, monkeypatch):
    old = pack(project)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(CourseError, match="磁盘已满"):
        pack(project)
    assert sha256(old.path) == old.sha256
    assert [path.name for path in old.path.parent.glob(".*")] == []


def test_a_kit_without_packages_sends_to_the_network(project):
    files = contents(pack(project, platforms=()).path)
    assert "course-coastal/requirements.lock" in files
    assert json.loads(files["course-coastal/kit.json"])["houses"] == {}


def test_a_bank_without_a_build_is_told_to_build(tmp_path, monkeypatch):
    from course_utils.build.execution.run import Build

    monkeypatch.setattr(Build, "folder", tmp_path, raising=False)
    done = CliRunner().invoke(course, ["kit", "--bank", "coastal"])
    assert done.exit_code == 1 and "course build --bank coastal" in done.output


PROBE = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import course_utils
names = [m.name for m in pkgutil.walk_packages(course_utils.__path__, "course_utils.")]
skipped = ("course_utils.desk.__main__", "course_utils.desk.contents")
for name in names:
    if name not in skipped:
        importlib.import_module(name)
print(json.dumps([n for n in sys.modules if n.startswith("course_utils.")]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(REPOSITORY, tmp_path_factory.mktemp("wheel"))


def test_the_trainees_wheel_gives_nothing_away(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names, text = (
            archive.namelist(),
            archive.read(f"course_utils-{__version__}.dist-info/METADATA"),
        )
    rooms = {name.split("/")[1] for name in names if name.startswith("course_utils/")}
    assert {"analysis", "exercises", "charts", "desk", "contract"} <= rooms
    assert not {"synth", "build", "cli", "classroom", "intake"} & rooms
    banned = "planted|truth|bank\\.yml|mutants|proofs|entry_points"
    assert not [name for name in names if re.search(banned, name)]
    needs = re.findall(r"Requires-Dist: ([\w.-]+)", text.decode())
    assert "jupyterlab" in needs and not {"papermill", "nbval", "jupytext"} & set(needs)


def test_every_module_of_the_trainees_wheel_stands_without_the_rest(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        record = archive.read(f"course_utils-{__version__}.dist-info/RECORD").decode().splitlines()
        assert len(record) == len(archive.namelist())
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path / "site")],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = json.loads(done.stdout)
    assert "course_utils.exercises.questions.m02_n02" in loaded


def test_the_same_sources_give_the_same_wheel(wheel, tmp_path):
    assert sha256(build_wheel(REPOSITORY, tmp_path)) == sha256(wheel)


def test_the_desk_starts_out_of_the_wheel_before_anything_is_installed(wheel, tmp_path):
    command = [sys._base_executable, "-I", "-S", str(wheel / "course_utils" / "desk")]
    done = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1 and done.stderr.startswith("错误：") and "不完整" in done.stderr
    assert Path(wheel).is_file()
