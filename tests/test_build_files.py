"""Writing files safely: full disks, killed writers, what people read of it."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.errors import CourseError
from course_utils.files import fresh_folder, write_text


@pytest.mark.parametrize(
    "why", ["[Errno 28] No space left on device: 'a' -> 'b'", "[WinError 112] 磁盘空间不足。: 'b'"]
)
def test_many_files_that_find_no_room_are_one_sentence_too(tmp_path, why):
    with pytest.raises(CourseError, match="磁盘已满") as caught, fresh_folder(tmp_path / "kit"):
        raise shutil.Error([("a", "b", why), ("c", "d", why)])
    assert len(str(caught.value)) < len(str(tmp_path)) + 60


def test_a_sentence_names_the_folder_and_not_what_is_written_aside(tmp_path, monkeypatch):
    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CourseError) as caught, fresh_folder(tmp_path / "board") as aside:
        write_text(aside / "index.html", "新")
    assert f"“{tmp_path / 'board' / 'index.html'}”" in str(caught.value)


def _killed_writer(tmp_path, kind):
    """Return what a process that is no more has left beside ``lite``."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = re.sub(r"[^A-Za-z0-9-]", "-", platform.node())
    left = tmp_path / f".lite.{host}-{gone.pid}-1.{kind}"
    write_text(left / "index.html", "旧")
    return left


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    left = _killed_writer(tmp_path, "part")
    alive = left.with_name(re.sub(r"-\d+-1", f"-{os.getpid()}-1", left.name))
    other = left.with_name(left.name.replace("lite", "kit"))
    for path in (alive, other):
        path.mkdir()
    with fresh_folder(tmp_path / "lite") as aside:
        write_text(aside / "index.html", "新")
    assert not left.exists() and other.exists() and alive.exists()


def test_a_folder_whose_writer_was_killed_between_two_renames_comes_back(tmp_path):
    _killed_writer(tmp_path, "old")
    with pytest.raises(RuntimeError), fresh_folder(tmp_path / "lite"):
        raise RuntimeError
    assert (tmp_path / "lite" / "index.html").read_text(encoding="utf-8") == "旧"
    assert [path.name for path in tmp_path.iterdir()] == ["lite"]
