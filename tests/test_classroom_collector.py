"""The collector and its store: seats write only as themselves, the room is the instructor's."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from classroom_world import ask, iso, served

from course_utils.classroom import store as store_module
from course_utils.classroom.collector import MOST_BODY, make_app
from course_utils.classroom.events import normalised, read_line
from course_utils.classroom.handlers import Pace
from course_utils.classroom.lessons import ExercisePlan, LessonPlan, load_lessons, save_lessons
from course_utils.classroom.room import Room
from course_utils.classroom.store import ClassStore, FullError
from course_utils.classroom.tokens import class_keys, seat_of, seat_token
from course_utils.errors import CourseError

SECRET, KEY = "the secret", "the-key"


@pytest.fixture
def room(tmp_path):
    return Room(ClassStore(tmp_path / "class"))


@pytest.fixture
def base(room):
    with served(make_app(room, SECRET, KEY), max_body_size=MOST_BODY) as server:
        yield f"{server.address}/class"


def line(number=1, session="s1", **more):
    return {
        "v": 1,
        "time": iso(time.time()),
        "session": session,
        "number": number,
        "event": "check",
        "lesson": "m02_n02",
        "question": "E1",
        "outcome": "wrong",
        "tries": number,
        **more,
    }


def token(seat, secret=SECRET):
    return {"Authorization": f"token {seat_token(secret, seat)}"}


def join(base, seat, **more):
    status, headers, body = ask(f"{base}/join", {"seat": seat, **more})
    return status, headers, json.loads(body)


# ---------------------------------------------------------------------------------------- seats


def test_joining_gives_a_cookie_that_scripts_and_other_sites_cannot_use(base):
    status, headers, answer = join(base, "12")
    assert status == 200 and answer["seat"] == "12"
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    own = {"Cookie": cookie.partition(";")[0]}
    assert json.loads(ask(f"{base}/me", headers=own)[2]) == {"seat": "12"}
    assert ask(f"{base}/event", {"events": [line()]}, own)[0] == 200


def test_nobody_writes_without_having_joined(base, room):
    assert ask(f"{base}/event", {"events": [line()]})[0] == 401
    assert ask(f"{base}/event", {"events": [line()]}, token("12"))[0] == 409
    assert ask(f"{base}/event", {"events": [line()]}, token("12", "guessed"))[0] == 401
    assert room.state().seats == ()


def test_a_seat_writes_only_as_itself(base, room):
    join(base, "12")
    join(base, "13")
    assert ask(f"{base}/event", {"events": [line(seat="13")]}, token("12"))[0] == 200
    told = [event for event in room.store.events() if event.event == "check"]
    assert [event.seat for event in told] == ["12"]
    forged = seat_token(SECRET, "12").split(".")[1]
    name = seat_token(SECRET, "13").split(".")[0]
    stolen = {"Authorization": f"token {name}.{forged}"}
    assert ask(f"{base}/event", {"events": [line()]}, stolen)[0] == 401


def test_no_seat_sees_the_room_or_another_seat(base):
    join(base, "12")
    for what in ("room", "room.json", "summary", "summary.md", "export.csv", "export.json"):
        status, _, body = ask(f"{base}/{what}", headers=token("12"))
        assert status == 403 and b"E1" not in body
        assert ask(f"{base}/{what}?key=guess", headers=token("12"))[0] == 403


def test_the_key_becomes_a_cookie_and_leaves_the_address_bar(base):
    status, headers, _ = ask(f"{base}/room?key={KEY}")
    assert status == 302 and "key" not in headers["Location"]
    assert "HttpOnly" in headers["Set-Cookie"] and "SameSite=Strict" in headers["Set-Cookie"]
    own = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
    for what in ("room", "room.json", "summary", "summary.md", "export.csv", "export.json"):
        assert ask(f"{base}/{what}", headers=own)[0] == 200


def test_guessing_the_key_gets_slow(base):
    statuses = [ask(f"{base}/room?key=guess{n}")[0] for n in range(15)]
    assert statuses[0] == 403 and statuses[-1] == 429
    assert ask(f"{base}/room?key={KEY}")[0] == 429


def test_a_taken_seat_needs_a_yes(base):
    join(base, "12")
    status, headers, answer = join(base, "12")
    assert (status, answer["error"]) == (409, "taken") and "Set-Cookie" not in headers
    assert join(base, "12", again=True)[0] == 200


@pytest.mark.parametrize("name", ["", "   ", "13900001111", None])
def test_names_that_cannot_be(base, name):
    status, _, answer = join(base, name)
    assert status == 400 and "座位号" in answer["message"]


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..\\..\\x", "a/b", "con", ".class.json"])
def test_names_that_look_like_paths_stay_in_the_folder(base, room, name):
    assert join(base, name)[0] == 200
    (file,) = room.store.files()
    assert file.parent == room.store.folder and file.name.startswith("seat-")


def test_leaving_ends_it_and_erasing_deletes(base, room):
    join(base, "12")
    ask(f"{base}/event", {"events": [line()]}, token("12"))
    assert ask(f"{base}/leave", {}, token("12"))[0] == 200
    assert ask(f"{base}/event", {"events": [line(2)]}, token("12"))[0] == 409
    assert room.state().seats == ()
    assert join(base, "12")[0] == 200
    assert room.state().seats == ("12",)
    assert ask(f"{base}/leave", {"erase": True}, token("12"))[0] == 200
    assert room.store.files() == []


def test_a_late_copy_of_joining_does_not_undo_leaving(base, room):
    join(base, "12")
    ask(f"{base}/leave", {}, token("12"))
    assert ask(f"{base}/event", {"events": [line(event="join")]}, token("12"))[0] == 409
    join(base, "12")
    assert ask(f"{base}/event", {"events": [line(event="leave")]}, token("12"))[0] == 200
    assert room.state().seats == ("12",)


def test_with_a_hub_nobody_names_himself(room):
    with served(make_app(room, SECRET, KEY, prefix="/services/x", joining=False)) as server:
        base = f"{server.address}/services/x/class"
        assert join(base, "12")[0] == 401
        status, _, body = ask(f"{base}/join", {"seat": "13"}, token("seat07"))
        assert status == 200 and json.loads(body)["seat"] == "seat07"
        assert ask(f"{server.address}/class/join", {"seat": "1"})[0] == 404


# ------------------------------------------------------------------------------------ requests


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"events": 1}', b"\xff\xfe", b"[" * 9000, b'{"events": {}}'],
)
def test_bad_json_is_refused_in_one_sentence(base, body):
    join(base, "12")
    status, _, answer = ask(f"{base}/event", body, token("12"))
    assert status == 400
    assert "Traceback" not in answer.decode() and json.loads(answer)["message"]


@pytest.mark.parametrize(
    "event",
    [1, None, [], {}, {"event": "check"}, line(session="../x"), line(time="yesterday"),
     line(event="steal"), line(time=5), line(session=None)],
)  # fmt: skip
def test_what_is_no_event_is_not_stored_and_does_not_come_again(base, room, event):
    join(base, "12")
    status, _, body = ask(f"{base}/event", {"events": [event]}, token("12"))
    assert (status, json.loads(body)) == (200, {"accepted": 1})
    assert [e.event for e in room.store.events()] == ["join"]


def test_only_known_fields_are_stored(base, room):
    join(base, "12")
    secret = line(answer=987654, code="print(1)", misconception="a b c", outcome="987654")
    secret |= {"lesson": "987654", "question": "987654"}
    ask(f"{base}/event", {"events": [secret]}, token("12"))
    (file,) = room.store.files()
    text = file.read_text(encoding="utf-8")
    assert "987654" not in text and "print" not in text and "a b c" not in text


def test_too_much_at_once(base, room):
    join(base, "12")
    many = {"events": [line(n) for n in range(201)]}
    assert ask(f"{base}/event", many, token("12"))[0] == 400
    with pytest.raises((OSError, AssertionError)):
        huge = b'{"events": ["' + b"x" * (MOST_BODY + 1) + b'"]}'
        assert ask(f"{base}/event", huge, token("12"))[0] == 200
    assert len(room.store.events()) == 1


@pytest.mark.slow
def test_one_seat_cannot_flood_the_others(base):
    join(base, "12")
    join(base, "13")
    statuses = {ask(f"{base}/event", {"events": []}, token("12"))[0] for _ in range(100)}
    assert statuses == {200, 429}
    assert ask(f"{base}/event", {"events": [line()]}, token("13"))[0] == 200


def test_a_bucket_refills(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    pace = Pace(2.0, 3.0)
    assert [pace.allows("a") for _ in range(4)] == [True, True, True, False]
    clock[0] = 1.0
    assert [pace.allows("a") for _ in range(3)] == [True, True, False]


def test_another_site_cannot_make_a_browser_write(base):
    join(base, "12")
    foreign = token("12") | {"Origin": "http://elsewhere.example"}
    assert ask(f"{base}/event", {"events": [line()]}, foreign)[0] == 403
    assert ask(f"{base}/join", {"seat": "1"}, {"Origin": "null"})[0] == 403
    plain = token("12") | {"Content-Type": "text/plain"}
    assert ask(f"{base}/event", {"events": [line()]}, plain)[0] == 400
    host = base.split("/")[2]
    own = token("12") | {"Origin": f"http://{host}"}
    assert ask(f"{base}/event", {"events": [line()]}, own)[0] == 200


def test_pages_forbid_everything_from_elsewhere(base):
    for what in ("room", "nothing", "me", "page/room.js"):
        headers = ask(f"{base}/{what}")[1]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in headers
    assert "default-src 'none'" in ask(f"{base}/room")[1]["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["page/room.html", "page/../collector.py", "page/..%2fcollector.py", "page/%2e%2e/store.py",
     "page//etc/passwd", "page/.hidden", "page/", "nothing", "page/..%5cstore.py"],
)  # fmt: skip
def test_own_pages_hold_no_templates_and_nothing_else(base, path):
    assert ask(f"{base}/{path}")[0] in (403, 404)


@pytest.mark.slow
def test_sixty_seats_at_once(base, room):
    """Sixty trainees join and tell at the same moment: every event is there once, in order."""

    def trainee(seat):
        assert join(base, str(seat))[0] == 200
        for number in range(1, 6):
            events = [line(number, f"s{seat}"), line(number, f"s{seat}")]
            assert ask(f"{base}/event", {"events": events}, token(str(seat)))[0] == 200

    with ThreadPoolExecutor(60) as pool:
        list(pool.map(trainee, range(1, 61)))
    fresh = ClassStore(room.store.folder)
    assert fresh.broken_lines() == 0
    checks = [event for event in fresh.events() if event.event == "check"]
    assert len(checks) == 300
    for seat in map(str, range(1, 61)):
        assert [e.number for e in checks if e.seat == seat] == [1, 2, 3, 4, 5]


# --------------------------------------------------------------------------------------- store


def test_a_full_disk_is_507_and_the_event_is_taken_later(base, room, monkeypatch):
    join(base, "12")
    real = store_module.append_whole

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module, "append_whole", full)
    status, _, body = ask(f"{base}/event", {"events": [line()]}, token("12"))
    assert status == 507 and "磁盘" in json.loads(body)["message"]
    assert "磁盘" in room.view()["trouble"]
    monkeypatch.setattr(store_module, "append_whole", real)
    assert ask(f"{base}/event", {"events": [line()]}, token("12"))[0] == 200
    assert room.view()["trouble"] == ""
    assert [event.event for event in room.store.events()] == ["join", "check"]


def test_a_seat_cannot_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_BYTES", 1000)
    store = ClassStore(tmp_path)
    with pytest.raises(FullError):
        for number in range(100):
            store.append("12", [line(number)])
    assert store.path("12").stat().st_size <= 1000
    monkeypatch.setattr(store_module, "MOST_SEATS", 2)
    store.append("13", [line()])
    with pytest.raises(FullError):
        store.append("14", [line()])


def test_a_restart_knows_what_is_there(tmp_path):
    ClassStore(tmp_path).append("12", [line(1), line(event="join", number=2)])
    again = ClassStore(tmp_path)
    assert again.joined("12")
    assert again.append("12", [line(1), line(3)]) == 1


def test_reading_is_tolerant(tmp_path):
    good = json.dumps(line(1))
    (tmp_path / "seat-12.jsonl").write_bytes(
        good.encode() + b"\n\xff\xfe\n[1]\n{}\n\n" + json.dumps({**line(2), "v": 9}).encode()
        + b"\n" + good.encode()[:40]
    )  # fmt: skip
    (tmp_path / "三排_2号.jsonl").write_text(
        '{"time": "2026-03-02T09:30:00", "seat": "三排_2号", "lesson": "m02_n02", '
        '"question": "E2", "outcome": "还不对", "tries": 3}\n',
        encoding="utf-8",
    )
    (tmp_path / "notes.txt").write_text("not ours")
    store = ClassStore(tmp_path)
    seats = {}
    for event in store.events():
        seats.setdefault(event.seat, []).append(event)
    assert [event.number for event in seats["12"]] == [1, 2]
    (old,) = seats["三排_2号"]
    assert (old.outcome, old.tries, old.question) == ("wrong", 3, "E2")
    assert store.broken_lines() == 4


def test_a_changed_file_is_read_again(tmp_path):
    store = ClassStore(tmp_path)
    store.append("12", [line(1)])
    assert len(store.events()) == 1
    ClassStore(tmp_path).append("12", [line(2)])
    assert len(store.events()) == 2


def test_a_folder_that_is_gone_says_so(tmp_path):
    with pytest.raises(CourseError, match="共享盘"):
        ClassStore(tmp_path / "gone").events()


def test_purging_deletes_our_files_only(tmp_path):
    store = ClassStore(tmp_path / "share")
    store.append("12", [line()])
    save_lessons(store.folder, [])
    foreign = store.folder / "somebody's.xlsx"
    foreign.write_bytes(b"x")
    lines = store.folder / "orders.jsonl"
    lines.write_text('{"id": 1}\n')
    assert store.purge() == 1
    assert sorted(store.folder.iterdir()) == [lines, foreign]
    foreign.unlink()
    lines.unlink()
    store.append("13", [line()])
    store.purge()
    assert not store.folder.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "null",
        "1",
        '{"event": "check"}',
        '{"v": 1, "event": "check", "time": "x"}',
    ],
)
def test_lines_that_are_none(text):
    assert read_line(text, "12") is None


def test_numbers_out_of_bounds_do_no_harm():
    odd = line(number=10**30, tries=float("inf"), hints=-5, carried="yes")
    kept = normalised(odd)
    assert (kept["number"], kept["tries"], kept["hints"], kept["carried"]) == (0, 0, 0, False)
    assert normalised(line(tries=float("nan")))["tries"] == 0


def test_keys_are_kept_and_private(tmp_path):
    keys = class_keys(tmp_path)
    assert class_keys(tmp_path) == keys
    if os.name == "posix":
        assert (tmp_path / ".class.json").stat().st_mode & 0o077 == 0
    (tmp_path / ".class.json").write_text("{")
    assert class_keys(tmp_path) != keys


def test_tokens():
    for seat in ("12", "三排_2号", "a-b"):
        assert seat_of(SECRET, seat_token(SECRET, seat)) == seat
    for wrong in ("", ".", "x.y", "MTI", seat_token("other", "12"), seat_token(SECRET, "12") + "0"):
        assert seat_of(SECRET, wrong) is None


def test_lessons_travel_with_the_class(tmp_path):
    lessons = (
        LessonPlan("m02_n02", "到期", 90.0, (ExercisePlan("E1", "t", 1.0, 2.0, {"k": "s"}),)),
    )
    save_lessons(tmp_path, lessons)
    assert load_lessons(tmp_path) == lessons
    (tmp_path / "plan.json").write_text("{")
    assert load_lessons(tmp_path) == ()


# ------------------------------------------------------------------------------------- process


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
def test_the_process_a_hub_starts(tmp_path):
    port = free_port()
    own = {
        "COURSE_CLASS_FOLDER": str(tmp_path / "class"),
        "COURSE_PROGRESS_SECRET": SECRET,
        "COURSE_ROOM_KEY": KEY,
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/progress/",
    }
    command = [sys.executable, "-m", "course_utils.classroom.collector"]
    process = subprocess.Popen(command, env={**os.environ, **own})
    base = f"http://127.0.0.1:{port}/services/progress/class"
    try:
        for _ in range(200):
            try:
                assert ask(f"{base}/health")[0] == 200
                break
            except OSError:
                time.sleep(0.1)
        assert ask(f"{base}/join", {}, token("seat01"))[0] == 200
        assert ask(f"{base}/event", {"events": [line()]}, token("seat01"))[0] == 200
        taken = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True)
        assert taken.returncode == 1 and f"端口 {port}" in taken.stderr
        assert "Traceback" not in taken.stderr
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert len(ClassStore(tmp_path / "class").events()) == 2


@pytest.mark.slow
def test_a_hub_that_forgot_a_setting_is_told(tmp_path):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "JUPYTERHUB"))}
    command = [sys.executable, "-m", "course_utils.classroom.collector", "--port", "1234"]
    done = subprocess.run(command, env=clean, capture_output=True, text=True)
    assert done.returncode == 2
    assert "COURSE_PROGRESS_SECRET" in done.stderr and "Traceback" not in done.stderr
