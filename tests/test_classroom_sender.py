"""From a trainee's notebook to the class: consent first, no answers, nothing lost, no waiting."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import threading
import time
from pathlib import Path

import pandas as pd
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
from course_utils.exercises import Outcome, Result, numbers_match, progress, session
from course_utils.exercises.progress import outbox as outbox_module
from course_utils.exercises.progress import ways
from course_utils.exercises.progress.browser import BrowserOutbox
from course_utils.exercises.progress.consent import Decision, load_decision, now, save_decision
from course_utils.exercises.progress.event import DIAGNOSES, OTHER, clean_seat, diagnosis
from course_utils.exercises.progress.files import append_whole

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


# ----------------------------------------------------------------------------- the collector


@pytest.fixture
def room(tmp_path):
    return Room(ClassStore(tmp_path / "class"))


@pytest.fixture
def collector(room, monkeypatch):
    with served(make_app(room, SECRET, KEY)) as server:
        monkeypatch.setenv("COURSE_PROGRESS_URL", f"{server.address}/class")
        yield server


def test_a_collector_gets_checks_in_order(collector, room, notebook):
    progress.join("12")
    notebook()
    session.check("E1")
    session.hint("E1")
    flushed()
    told_of = [e.event for e in room.store.events() if e.session != "desk"]
    assert told_of == ["begin", "check", "hint"]
    assert (load_decision().seat, load_decision().token) == ("12", seat_token(SECRET, "12"))


def test_an_address_as_the_projector_shows_it(collector, room, monkeypatch, notebook):
    monkeypatch.delenv("COURSE_PROGRESS_URL")
    notebook()
    assert "座位号 12" in progress.join("12", collector.address.removeprefix("http://")).text
    progress.reset()
    notebook()  # the address is remembered
    session.check("E1")
    flushed()
    assert [e.event for e in room.store.events()].count("check") == 1


def test_a_server_that_is_down_and_comes_back(collector, room, notebook):
    progress.join("12")
    notebook()
    flushed()
    collector.stop()
    for _ in range(3):
        session.check("E1")
    assert not progress._channel.outbox.flush(0.3)
    collector.start()
    flushed()
    tries = [e.tries for e in room.store.events() if e.event == "check"]
    assert tries == [1, 2, 3]


def test_a_new_day_with_new_keys_is_joined_again(collector, room, tmp_path, notebook, monkeypatch):
    """The class folder and the secret are new; the trainee has agreed and is not asked again."""
    progress.join("12")
    notebook()
    flushed()
    collector.stop()
    tomorrow = Room(ClassStore(tmp_path / "tomorrow"))
    collector.app = make_app(tomorrow, "another secret", KEY)
    collector.start()
    session.check("E1")
    flushed()
    assert [e.event for e in tomorrow.store.events()] == ["join", "check"]


def test_a_taken_seat_is_said_and_can_be_taken_back(collector, tmp_path, monkeypatch):
    progress.join("12")
    progress.reset()
    monkeypatch.setenv("COURSE_PROGRESS_STATE", str(tmp_path / "another computer"))
    with pytest.raises(CourseError, match="again=True"):
        progress.join("12")
    assert load_decision() is None
    assert "已加入" in progress.join("12", again=True).text


def test_an_address_where_nothing_is(monkeypatch, notebook):
    with pytest.raises(CourseError, match="核对投影上的地址"):
        progress.join("12", "127.0.0.1:9")
    assert load_decision() is None


def test_a_hub_seat_is_fixed_and_still_asked(room, notebook, monkeypatch):
    with served(make_app(room, SECRET, KEY, prefix="/services/progress", joining=False)) as hub:
        monkeypatch.setenv("COURSE_PROGRESS_URL", f"{hub.address}/services/progress/class")
        monkeypatch.setenv("COURSE_PROGRESS_TOKEN", seat_token(SECRET, "seat07"))
        monkeypatch.setenv("COURSE_SEAT", "seat07")
        assert "cu.join()" in progress.greet("m99_n02").text
        progress.join("somebody else")
        notebook()
        session.check("E1")
        flushed()
        assert {event.seat for event in room.store.events()} == {"seat07"}


def test_a_hub_that_is_away_when_joining_hears_of_it_later(room, notebook, monkeypatch):
    app = make_app(room, SECRET, KEY, joining=False)
    server = Served(app)
    monkeypatch.setenv("COURSE_PROGRESS_URL", f"{server.address}/class")
    monkeypatch.setenv("COURSE_PROGRESS_TOKEN", seat_token(SECRET, "seat07"))
    monkeypatch.setenv("COURSE_SEAT", "seat07")
    server.stop()
    assert "自动补发" in progress.join().text
    notebook()
    session.check("E1")
    server.start()
    flushed()
    server.stop()
    assert [e.event for e in room.store.events()] == ["join", "begin", "check"]


def answering(handler):
    """An application that answers everything in one way."""

    class Everything(RequestHandler):
        async def post(self):
            await handler(self)

    return Application([("/.*", Everything)])


async def _login_page(handler):
    handler.write("<html>请登录</html>")


async def _elsewhere(handler):
    handler.redirect("/login")


async def _broken(handler):
    handler.set_status(500)


async def _silent(handler):
    await asyncio.sleep(2)


@pytest.mark.parametrize("answer", [_login_page, _elsewhere, _broken, _silent])
def test_what_is_no_collector_takes_nothing(answer, notebook, monkeypatch, tmp_path):
    monkeypatch.setattr(ways, "PATIENCE", 0.3)
    with served(answering(answer)) as server:
        place = f"{server.address}/class"
        save_decision(Decision(True, place, "12", "token", now()))
        monkeypatch.setenv("COURSE_PROGRESS_URL", place)
        notebook()
        for _ in range(100):
            session.check("E1")
        assert not progress._channel.outbox.flush(0.6)
        assert progress._channel.outbox.waiting == 101


# --------------------------------------------------------------------------------- the browser


class Web:
    """What the browser's fetch would reach: a collector in miniature."""

    def __init__(self, seat):
        self.seat, self.asked, self.taken, self.fail = seat, [], [], 0

    async def fetch(self, address, body):
        self.asked.append(address.rpartition("/")[2])
        if self.fail:
            self.fail -= 1
            raise OSError("no network")
        if body is None:
            return 200, json.dumps({"seat": self.seat})
        if self.seat is None:
            return 401, "{}"
        self.taken += json.loads(body)["events"]
        return 200, json.dumps({"accepted": 1})


def browser_told(web, numbers, between=None):
    async def run():
        box = BrowserOutbox("http://class/class", web.fetch, pauses=(0.001,))
        for number in numbers:
            box.put({"session": "s", "number": number})
            if between:
                await asyncio.sleep(0.01)
                between(number, box)
        await asyncio.sleep(0.05)
        return box

    return asyncio.run(run())


def test_a_browser_asks_who_it_is_before_it_tells_anything():
    web = Web(None)
    box = browser_told(web, range(5))
    assert web.asked == ["me"] and web.taken == [] and box.waiting == 0


def test_a_browser_tells_in_order_and_repeats_after_faults():
    web = Web("12")
    web.fail = 3
    box = browser_told(web, range(120))
    assert [line["number"] for line in web.taken] == list(range(120))
    assert box.waiting == 0 and web.asked.count("me") == 4


def test_a_browser_stops_when_the_trainee_leaves_elsewhere():
    web = Web("12")

    def leave(number, box):
        if number == 2:
            web.seat = None

    browser_told(web, range(6), leave)
    assert [line["number"] for line in web.taken] == [0, 1, 2]


# ------------------------------------------------------------------------------ never an answer

_SECRET_NUMBER, _SECRET_WORD = 918273.6454, "绝密答案甲乙丙"


def _secret_answers():
    """Wrong answers of many shapes, each with a value that must not leave the notebook."""
    series = pd.Series([_SECRET_NUMBER, 2.0], index=[_SECRET_WORD, "乙"])
    frame = pd.DataFrame({_SECRET_WORD: [_SECRET_NUMBER], "b": [_SECRET_WORD]})
    return [
        _SECRET_NUMBER,
        -_SECRET_NUMBER,
        int(_SECRET_NUMBER),
        _SECRET_WORD,
        [_SECRET_WORD, _SECRET_NUMBER],
        {_SECRET_WORD: _SECRET_NUMBER},
        series,
        frame,
        lambda *_, **__: _SECRET_WORD,
        pd.Timestamp("1987-06-05"),
    ]


def _question_modules():
    from course_utils.exercises import questions

    names = sorted(path.stem for path in Path(questions.__path__[0]).glob("m*.py"))
    assert len(names) >= 25
    return names


@pytest.mark.slow
@pytest.mark.parametrize("lesson", _question_modules())
def test_no_answer_is_ever_told(lesson, share, monkeypatch):
    """Every question of every lesson, answered with secrets: none of them is in what was sent."""
    monkeypatch.setattr(session, "_current", None)
    progress.join("12")
    space = _parameters(lesson)
    session.begin(lesson, "coastal", namespace=space)
    running = session.current()
    for name, question in running.questions.items():
        for answer in _secret_answers():
            space[question.variable] = answer
            running.check(name)
        running.hint(name)
    flushed()
    text = (share / "seat-12.jsonl").read_text(encoding="utf-8")
    for trace in (_SECRET_WORD, "918273", "91827", "1987"):
        assert trace not in text
    allowed = {"v", "time", "seat", "session", "number", "event", "lesson", "question", "tries"}
    allowed |= {"hints", "carried", "outcome", "misconception"}
    for line in lines_of(share / "seat-12.jsonl"):
        assert set(line) <= allowed
        if kind := line.get("misconception"):
            keys = {item.key for item in running.questions[line["question"]].misconceptions}
            assert kind in keys | set(DIAGNOSES) | {OTHER}


def _parameters(lesson):
    from course_utils.bank import load_profile
    from course_utils.build.sources.masters import read_master
    from course_utils.build.sources.parameters import lesson_parameters

    (path,) = (Path(__file__).parents[1] / "lessons").rglob(f"{lesson}_*.py")
    master = read_master(path)
    return {**master.parameters, **lesson_parameters(load_profile("coastal"), master)}


def test_every_general_diagnosis_has_a_kind():
    for _, sentence in numbers_match._TRANSFORMS:
        wrong = Result("E1", Outcome.WRONG, sentence)
        assert diagnosis(wrong) in DIAGNOSES, sentence
    assert diagnosis(Result("E1", Outcome.RIGHT, "检查单位")) == ""
    assert diagnosis(Result("E1", Outcome.WRONG, "数值不对。", misconception="naive")) == "naive"


# ----------------------------------------------------------------------------------- a notebook


@pytest.mark.slow
def test_a_real_notebook_asks_joins_tells_and_says_goodbye(share, tmp_path, monkeypatch):
    """A real kernel: the question is shown, the last check is sent although the kernel ends."""
    import nbformat
    from nbclient import NotebookClient

    cells = [
        "import course_utils as cu\nbank = cu.begin('m02_n02', 'coastal')",
        "cu.join('三排/2号')",
        "cu.check('E1')",
        "my_ladder = 918273\ncu.check('E1')",
    ]
    monkeypatch.setenv("COURSE_HOME", str(Path(__file__).parents[1]))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [json.dumps(cell.outputs, ensure_ascii=False) for cell in notebook.cells]
    assert "不发答案" in shown[0] and "已加入，座位号 三排_2号" in shown[1]
    assert "还没有作答" in shown[2] and "不对" in shown[3]
    (file,) = share.iterdir()
    lines = lines_of(file)
    assert [line["event"] for line in lines] == ["join", "begin", "check", "check"]
    assert (
        lines[-1]["outcome"] == "wrong" and lines[-1]["misconception"] == "stale"
    )  # no parameters
    assert "918273" not in file.read_text(encoding="utf-8")
