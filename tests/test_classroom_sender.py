"""From a trainee's notebook to the class: consent first, no answers, nothing lost, no waiting."""

from __future__ import annotations

import errno
import json
import time

import pytest
from classroom_world import Served, served
from fixtures.exercises.memory_bank import MemoryBank
from fixtures.exercises.questions_m99_n02 import QUESTIONS
from tornado.web import Application, RequestHandler

from course_utils.classroom.collector import make_app
from course_utils.classroom.room import Room
from course_utils.classroom.store import ClassStore
from course_utils.classroom.tokens import seat_token
from course_utils.errors import CourseError
from course_utils.exercises import Outcome, progress, session
from course_utils.exercises.progress import outbox as outbox_module
from course_utils.exercises.progress.consent import load_decision
from course_utils.exercises.progress.event import clean_seat

SECRET, KEY = "a secret of the test", "a-key"


@pytest.fixture(autouse=True)
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


def flushed():
    """Wait until the running kernel has sent everything."""
    assert progress._channel.outbox.flush(10), progress._channel.outbox.trouble


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def told(path):
    return [line for line in lines_of(path) if line["event"] == "check"]


# ------------------------------------------------------------------------------------- consent


def test_nothing_is_told_before_the_trainee_agrees(share, notebook):
    notebook()
    session.check("E1")
    session.hint("E1")
    assert list(share.iterdir()) == []
    assert progress.greet("m99_n02") is not None


def test_the_question_says_what_to_whom_and_how(share):
    text = progress.greet("m99_n02").text
    for word in ("座位号", "不发答案", str(share), 'cu.join("12")', "cu.leave()", "不要写姓名"):
        assert word in text


def test_no_class_no_question():
    assert progress.greet("m99_n02") is None
    with pytest.raises(CourseError, match="投影"):
        progress.join("12")


def test_the_decision_is_asked_once_and_holds_for_the_next_notebook(share, notebook):
    progress.join("12")
    progress.reset()
    assert progress.greet("m99_n02") is None
    notebook()
    session.check("E1")
    flushed()
    (file,) = share.iterdir()
    assert file.name == "seat-12.jsonl"
    assert len(told(file)) == 1


def test_who_refused_is_not_asked_again_and_tells_nothing(share, notebook):
    progress.leave()
    progress.reset()
    assert progress.greet("m99_n02") is None
    notebook()
    session.check("E1")
    assert list(share.iterdir()) == []


def test_after_leaving_nothing_is_told_in_any_notebook(share, notebook):
    progress.join("12")
    notebook()
    session.check("E1")
    flushed()
    before = lines_of(share / "seat-12.jsonl")
    other_notebook = progress._channel
    progress._channel = progress._Channel()
    progress.leave()
    progress._channel = other_notebook
    session.check("E1")
    session.check("E1")
    time.sleep(0.2)
    after = lines_of(share / "seat-12.jsonl")[len(before) :]
    assert [line["event"] for line in after] == ["leave"]


def test_leaving_erases_on_request(share, notebook):
    progress.join("12")
    notebook()
    flushed()
    assert "已删除" in progress.leave(erase=True).text
    assert not (share / "seat-12.jsonl").exists()


def test_consent_is_for_one_class_and_for_a_week(share, tmp_path, monkeypatch):
    progress.join("12")
    assert load_decision().seat == "12"
    path = tmp_path / "state" / "consent.json"
    old = json.loads(path.read_text(encoding="utf-8")) | {"decided": "2020-01-01T09:00:00+08:00"}
    kept = path.read_text(encoding="utf-8")
    path.write_text(json.dumps(old), encoding="utf-8")
    assert load_decision() is None
    path.write_text(kept, encoding="utf-8")
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path / "another"))
    assert load_decision() is None


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"version": 9}', '{"version": 1, "x": 2}'])
def test_a_spoilt_decision_counts_as_none(spoilt, share, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "consent.json").write_text(spoilt, encoding="utf-8")
    assert load_decision() is None
    assert progress.greet("m99_n02") is not None


def test_builds_and_proofs_tell_nothing(share, notebook, monkeypatch):
    progress.join("12")
    flushed()
    before = lines_of(share / "seat-12.jsonl")
    monkeypatch.setenv("COURSE_CHECK", "stub")
    notebook()
    session.check("E1")
    assert lines_of(share / "seat-12.jsonl") == before


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("12", "12"), (7, "7"), ("三排/2号", "三排_2号"), (" １２ ", "12"), ("../../etc", "etc")],
)
def test_names_of_seats_are_safe(typed, kept):
    assert clean_seat(typed) == kept


@pytest.mark.parametrize("typed", ["", "  ", "/", "13800001234", "_"])
def test_names_that_are_none_or_numbers_of_people_are_refused(typed):
    with pytest.raises(CourseError, match="座位号"):
        clean_seat(typed)
