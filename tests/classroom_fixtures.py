"""Fixtures of the tests that send progress: a trainee's disk, a share, a notebook."""

from __future__ import annotations

import os

import pytest
from fixtures.exercises.memory_bank import MemoryBank
from fixtures.exercises.questions_m99_n02 import QUESTIONS

from course_utils.exercises import progress, session
from course_utils.exercises.progress import outbox as outbox_module


@pytest.fixture
def own_disk(tmp_path, monkeypatch):
    """A trainee's own folder for the decision and unsent events, and a channel that is new."""
    for name in ("URL", "DIR", "TOKEN"):
        monkeypatch.delenv(f"COURSE_PROGRESS_{name}", raising=False)
    monkeypatch.delenv("COURSE_SEAT", raising=False)
    monkeypatch.delenv("COURSE_CHECK", raising=False)
    monkeypatch.setenv("COURSE_PROGRESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(outbox_module, "_PAUSES", (0.05,))
    monkeypatch.setattr(outbox_module, "_FAREWELL", 0.05)
    progress.reset()
    yield
    progress.reset()


@pytest.fixture
def share(tmp_path, monkeypatch):
    folder = tmp_path / "share"
    folder.mkdir()
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(folder))
    return folder


@pytest.fixture
def notebook(monkeypatch):
    """Call it to begin the lesson; returns the notebook's variables."""
    monkeypatch.setattr(session, "_current", None)

    def begin():
        space = {"BANK": "alpha", "AS_OF": None, "DAYS": 90, "CAPACITY": 20}
        bank = MemoryBank("alpha")
        space["bank"] = session.begin("m99_n02", bank, namespace=space, questions=tuple(QUESTIONS))
        return space

    return begin


@pytest.fixture
def world(tmp_path):
    """Folders of a class: lite and pages to serve, and things that must not be seen."""
    lite, pages = tmp_path / "lite", tmp_path / "pages"
    (lite / "build").mkdir(parents=True)
    pages.mkdir()
    (lite / "index.html").write_text("<!DOCTYPE html><title>lite</title>" + "x" * 3000)
    (lite / "build" / "pyodide.asm.wasm").write_bytes(b"\0asm" + os.urandom(1000) + b"same " * 4000)
    (lite / "build" / "pyodide.mjs").write_text("export default 1;" * 500)
    (lite / "build" / "course_utils-0.4.0-py3-none-any.whl").write_bytes(os.urandom(5000))
    (lite / ".secret").write_text("hidden")
    (pages / "index.html").write_text("<!DOCTYPE html><title>pages</title>")
    (pages / "课.html").write_text("<p>课</p>", encoding="utf-8")
    (tmp_path / "truth.json").write_text("planted")
    (lite / "way_out.json").symlink_to(tmp_path / "truth.json")
    (pages / "folder_out").symlink_to(tmp_path)
    return tmp_path
