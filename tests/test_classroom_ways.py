"""To a collector, from a browser, from a real kernel; and never an answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pandas as pd
import pytest
from classroom_world import Served, flushed, lines_of, served
from tornado.web import Application, RequestHandler

from course_utils.classroom.collector import make_app
from course_utils.classroom.room import Room
from course_utils.classroom.store import ClassStore
from course_utils.classroom.tokens import seat_token
from course_utils.errors import CourseError
from course_utils.exercises import Outcome, Result, numbers_match, progress, session
from course_utils.exercises.progress import ways
from course_utils.exercises.progress.browser import BrowserOutbox
from course_utils.exercises.progress.consent import Decision, load_decision, now, save_decision
from course_utils.exercises.progress.event import DIAGNOSES, OTHER, diagnosis

pytest_plugins = ("classroom_fixtures",)
pytestmark = pytest.mark.usefixtures("own_disk")

SECRET, KEY = "a secret of the test", "a-key"


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


@pytest.mark.slow
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
