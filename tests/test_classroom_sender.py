"""From a trainee's notebook to the class: consent first, no answers, nothing lost, no waiting."""

from __future__ import annotations

import errno
import io
import json
import os
import threading
import time

import pytest
from classroom_world import flushed, lines_of, told

from course_utils.errors import CourseError
from course_utils.exercises import Outcome, progress, session
from course_utils.exercises.progress import outbox as outbox_module
from course_utils.exercises.progress import ways
from course_utils.exercises.progress.consent import load_decision
from course_utils.exercises.progress.event import clean_seat
from course_utils.exercises.progress.files import append_whole

pytest_plugins = ("classroom_fixtures",)
pytestmark = pytest.mark.usefixtures("own_disk")


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
    assert progress._channel.outbox is None, "nothing may even be queued"
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


# --------------------------------------------------------------------------- the shared folder


def test_a_folder_gets_one_file_a_seat_with_outcomes_and_no_answers(share, notebook):
    progress.join("三排/2号")
    space = notebook()
    space["due_amount"] = 123456.78
    session.check("E1")
    session.check("E1")
    session.hint("E1")
    session.carry_on("E1")
    flushed()
    (file,) = share.iterdir()
    lines = lines_of(file)
    assert [line["event"] for line in lines] == [
        "join",
        "begin",
        *["check"] * 2,
        "hint",
        "carry_on",
    ]
    assert [line["tries"] for line in told(file)] == [1, 2]
    assert {line["outcome"] for line in told(file)} == {"wrong"}
    assert lines[-1]["carried"] is True
    assert "123456" not in file.read_text(encoding="utf-8")


def test_a_folder_that_vanishes_in_class_loses_nothing(share, notebook, tmp_path):
    progress.join("12")
    notebook()
    session.check("E1")
    flushed()
    share.rename(tmp_path / "away")
    session.check("E1")
    session.hint("E1")
    assert not progress._channel.outbox.flush(0.3)
    assert not share.exists(), "a share that is not connected must not become a local folder"
    (tmp_path / "away").rename(share)
    flushed()
    lines = lines_of(share / "seat-12.jsonl")
    numbers = [line["number"] for line in lines if line["session"] == lines[-1]["session"]]
    assert numbers == sorted(set(numbers)) and lines[-1]["event"] == "hint"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_folder_that_takes_nothing_is_tried_again(error, share, notebook, monkeypatch):
    progress.join("12")
    flushed()
    real = ways._append

    def refuse(*_):
        raise OSError(error, "no")

    monkeypatch.setattr(ways, "_append", refuse)
    notebook()
    assert session.check("E1").outcome is Outcome.BLANK
    assert not progress._channel.outbox.flush(0.2)
    monkeypatch.setattr(ways, "_append", real)
    flushed()
    assert len(told(share / "seat-12.jsonl")) == 1


def test_a_disk_that_fills_in_the_middle_of_a_line_leaves_whole_lines(share, monkeypatch):
    path = share / "seat-12.jsonl"
    append_whole(path, b'{"first": 1}\n', 1000)
    real = io.FileIO.write

    class Half(io.FileIO):
        def write(self, data):
            return real(self, data[:4])

    monkeypatch.setattr(type(path), "open", lambda self, mode, **_: Half(self, "ab"))
    with pytest.raises(OSError):
        append_whole(path, b'{"second": 2}\n', 1000)
    monkeypatch.undo()
    assert path.read_bytes() == b'{"first": 1}\n'


def test_half_a_line_of_a_crash_does_not_spoil_the_next(share):
    path = share / "seat-12.jsonl"
    path.write_bytes(b'{"whole": 1}\n{"half')
    append_whole(path, b'{"next": 2}\n', 1000)
    assert path.read_bytes().splitlines()[-1] == b'{"next": 2}'


def test_a_share_that_hangs_never_holds_a_check_up(share, notebook, monkeypatch):
    """Opening a file on a dead share may take minutes: a thread waits, the trainee does not."""
    progress.join("12")
    flushed()
    monkeypatch.setattr(ways, "PATIENCE", 0.1)
    released, real = threading.Event(), ways._append

    def hang(*arguments):
        released.wait(30)
        real(*arguments)

    monkeypatch.setattr(ways, "_append", hang)
    notebook()
    # while nothing can be written, hundreds of checks come back: none of them waits for the share
    outcomes = {session.check("E1").outcome for _ in range(200)}
    assert outcomes == {Outcome.BLANK} and not released.is_set()
    monkeypatch.setattr(ways, "_append", real)
    released.set()
    flushed()
    keys = {(line["session"], line["number"]) for line in told(share / "seat-12.jsonl")}
    assert len(keys) == 200


def test_what_a_killed_kernel_had_not_sent_is_sent_by_the_next(share, notebook, tmp_path):
    progress.join("12")
    flushed()
    share.rename(tmp_path / "away")
    notebook()
    session.check("E1")
    assert not progress._channel.outbox.flush(0.3)
    (spool,) = (tmp_path / "state").glob("unsent-*/*.jsonl")
    assert [line["event"] for line in lines_of(spool)] == ["begin", "check"]
    killed, progress._channel = progress._channel.outbox, progress._Channel()
    killed._closed = True  # no farewell, no more tries
    killed._wake.set()
    killed._thread.join(10)
    os.utime(spool, (0, 0))
    (tmp_path / "away").rename(share)
    notebook()
    flushed()
    assert len(told(share / "seat-12.jsonl")) == 1
    assert not spool.exists()


def test_unsent_events_are_bounded_and_the_oldest_go(tmp_path):
    pending = outbox_module.Pending(3)
    pending.add({"session": "s", "number": number} for number in range(5))
    assert [line["number"] for line in pending.all()] == [2, 3, 4]
    assert pending.dropped == 2


def test_a_home_that_cannot_be_written_holds_the_decision_for_this_notebook(
    share, notebook, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("COURSE_PROGRESS_STATE", str(tmp_path / "file" / "below"))
    assert "存不下" in progress.join("12").text
    notebook()
    session.check("E1")
    flushed()
    assert len(told(share / "seat-12.jsonl")) == 1
