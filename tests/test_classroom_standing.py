"""What the room shows, computed from planted streams of events."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from classroom_world import START, event, iso
from click.testing import CliRunner

from course_utils.classroom.advice import advice
from course_utils.classroom.lessons import ExercisePlan, LessonPlan, share_out
from course_utils.classroom.reports import (
    export_csv,
    export_json,
    padded,
    summary_html,
    summary_markdown,
    terminal_lines,
    width,
)
from course_utils.classroom.room import Room
from course_utils.classroom.standing import natural, room_state
from course_utils.classroom.store import ClassStore
from course_utils.cli.classroom import progress as progress_command
from course_utils.cli.room_plan import room_lessons

ROOT = Path(__file__).parents[1]
PLAN = LessonPlan(
    "m02_n02",
    "存款到期视图",
    90.0,
    (
        ExercisePlan("E1", "到期视图", 8.0, 20.0, {"whole_bank": "这是全行的视图。"}),
        ExercisePlan("E2", "哪几天", 6.0, 6.0, {"due_day": "用了到期日。"}),
    ),
)


def at(minute):
    return START + 60 * minute


def state(events, minute=60.0, lessons=(PLAN,)):
    return room_state(events, lessons, at(minute))


def cells(events, seat="1", minute=60.0):
    rows = {row.seat: row for row in state(events, minute).lessons["m02_n02"].rows}
    return rows[seat].cells


def check(seat, minute, question="E1", outcome="wrong", tries=1, **more):
    return event(seat, minute, question=question, outcome=outcome, tries=tries, **more)


def begin(seat, minute=0.0):
    return event(seat, minute, "begin")


# ---------------------------------------------------------------------------------------- cells


def test_states_one_by_one():
    first = [begin("1")]
    assert [cell.state for cell in cells(first)] == ["none", "none"]
    hinted = [*first, event("1", 1, "hint", question="E1", hints=1)]
    assert cells(hinted, minute=2)[0].state == "begun"
    blank = [*first, check("1", 1, outcome="blank")]
    assert cells(blank, minute=2)[0].state == "begun"
    wrong = [*first, check("1", 1, misconception="whole_bank")]
    assert cells(wrong, minute=2)[0].state == "wrong"
    assert cells(wrong, minute=2)[0].mistake == "whole_bank"
    right = [*wrong, check("1", 3, outcome="right", tries=2)]
    assert (cells(right)[0].state, cells(right)[0].mistake) == ("right", "")
    carried = [*wrong, event("1", 4, "carry_on", question="E1", tries=1, carried=True)]
    assert cells(carried)[0].state == "carried"
    both = [*carried, check("1", 5, outcome="right", tries=2)]
    assert cells(both)[0].state == "right"
    broken = [*first, check("1", 1, outcome="broken")]
    assert cells(broken, minute=2)[0].state == "broken"


def test_once_right_stays_right():
    events = [begin("1"), check("1", 1, outcome="right"), check("1", 2, tries=2)]
    assert cells(events)[0].state == "right" and cells(events)[0].mistake == ""


def test_four_wrong_tries_are_stuck_three_are_not():
    tries = [begin("1"), *(check("1", 1 + n / 10, tries=n) for n in range(1, 5))]
    assert cells(tries, minute=2)[0].state == "stuck"
    assert cells(tries[:-1], minute=2)[0].state == "wrong"


def test_longer_than_planned_is_stuck():
    events = [begin("1"), check("1", 10)]
    others = [begin("2"), check("2", 18.5, outcome="right")]  # the room is awake
    assert cells(events + others, minute=17.9)[0].state == "wrong"
    assert cells(events + others, minute=18.1)[0].state == "stuck"


def test_nobody_gets_stuck_in_a_break():
    events = [begin("1"), check("1", 10)]
    assert cells(events, minute=100)[0].state == "wrong"  # 5 minutes after 10 the clock stops
    assert cells(events, minute=100)[0].waiting == pytest.approx(5)


def test_who_went_on_to_another_lesson_is_not_stuck_in_this_one():
    events = [begin("1"), *(check("1", 1 + n, tries=n) for n in range(1, 6))]
    gone = [*events, event("1", 10, "begin", lesson="m02_n03")]
    assert cells(events, minute=12)[0].state == "stuck"
    assert cells(gone, minute=12)[0].state == "wrong"
    assert not state(gone, 12).lessons["m02_n02"].rows[0].here


def test_silence_while_the_others_are_done():
    done = [e for seat in "234" for e in (begin(seat), check(seat, 10, outcome="right"))]
    events = [begin("1"), *done, check("2", 30, question="E2")]
    assert cells(events, minute=31)[0].state == "quiet"
    assert cells(events, minute=5)[0].state == "none"
    assert cells([begin("1"), *done[:2], begin("3"), begin("4")], minute=31)[0].state == "none"
    # E2 is not asked for before E1 is done
    assert cells(events, minute=31)[1].state == "none"


def test_tries_add_up_over_restarts():
    events = [
        begin("1"),
        *(check("1", n, tries=n, session="a") for n in (1, 2, 3)),
        *(check("1", 5 + n, tries=n, session="b", outcome="blank") for n in (1, 2)),
    ]
    assert cells(events)[0].tries == 5


def test_minutes_count_from_the_exercise_before():
    events = [
        begin("1", 2),
        check("1", 12),
        check("1", 17, outcome="right", tries=2),
        event("1", 24, "carry_on", question="E2", carried=True),
    ]
    assert [cell.minutes for cell in cells(events)] == pytest.approx([15, 7])


def test_a_night_is_no_minute_of_work():
    events = [begin("1"), check("1", 24 * 60, outcome="right")]
    assert cells(events, minute=24 * 60 + 1)[0].minutes is None


# --------------------------------------------------------------------------------------- events


def test_order_and_repetition_do_not_matter():
    events = [
        begin("1"),
        check("1", 5, misconception="whole_bank"),
        check("1", 9, outcome="right", tries=2),
        begin("2"),
        check("2", 7),
    ]
    expected = state(events)
    rng = random.Random(7)
    for _ in range(20):
        shuffled = [*events, *rng.choices(events, k=4)]
        rng.shuffle(shuffled)
        assert state(shuffled) == expected


@pytest.mark.parametrize("off", [-7200.0, 86400.0, 400.0])
def test_a_wrong_clock_is_put_right_by_reception(off):
    told = [begin("1"), check("1", 5), check("1", 9, outcome="right", tries=2)]
    shifted = [replace(e, time=e.time + off, received=e.time + 0.2) for e in told]
    truth, moved = cells(told), cells(shifted)
    assert moved[0].state == "right"
    assert moved[0].minutes == pytest.approx(truth[0].minutes, abs=0.1)
    others = [begin("2"), check("2", 8)]
    assert state(shifted + others, 10).active == 2


def test_a_clock_ahead_in_a_folder_is_set_back():
    told = [
        replace(e, time=e.time + 86400, received=None) for e in (begin("1"), check("1", 5, tries=1))
    ]
    assert cells(told, minute=6)[0].state == "wrong"
    assert state(told, 6).active == 1


def test_events_sent_late_keep_their_own_times():
    told = [begin("1"), check("1", 5), check("1", 9, outcome="right", tries=2)]
    late = [told[0], *(replace(e, received=at(40)) for e in told[1:])]
    assert cells(late)[0].minutes == pytest.approx(9)


def test_a_mistyped_seat_moves_with_its_notebook():
    events = [
        event("1", 0, "begin", session="a", number=1),
        event("1", 1, question="E1", outcome="wrong", session="a", number=2),
        event("21", 2, "begin", session="a", number=3),
        event("21", 3, question="E1", outcome="right", session="a", number=4, tries=2),
    ]
    assert state(events).seats == ("21",)
    assert cells(events, "21")[0].tries == 2


def test_who_left_is_not_shown_and_who_came_back_is():
    desk = {"session": "desk", "lesson": ""}
    events = [event("1", 0, "join", **desk), begin("1", 1), event("1", 5, "leave", **desk)]
    assert state(events).seats == () and state(events).lessons == {}
    back = [*events, event("1", 6, "join", number=77, **desk)]
    assert state(back).seats == ("1",)


def test_two_seats_of_the_desk_do_not_hide_each_other():
    desk = {"session": "desk", "lesson": "", "number": 5}
    events = [event("1", 0, "join", **desk), event("2", 0, "join", **desk)]
    assert state(events).seats == ("1", "2")


def test_an_unknown_lesson_is_shown_by_what_was_met():
    events = [event("1", 0, "begin", lesson="m99_n01")]
    events.append(check("1", 1, "E10", lesson="m99_n01"))
    events.append(check("1", 2, "E2", lesson="m99_n01", number=9))
    found = state(events).lessons["m99_n01"]
    assert [exercise.id for exercise in found.plan.exercises] == ["E2", "E10"]


def test_an_empty_room():
    empty = state([])
    assert empty.seats == () and empty.current == ""
    assert Room(ClassStore(Path("nowhere"))).view()["joined"] == 0


def test_the_room_follows_most_seats():
    events = [begin("1"), begin("2"), begin("3")]
    assert state(events, 1).current == "m02_n02"
    moved = [event(seat, 3, "begin", lesson="m02_n03") for seat in "12"]
    assert state(events + moved, 4).current == "m02_n03"


def test_seats_sort_as_people_count():
    assert sorted(["10", "9", "b2", "a", "三排2"], key=natural) == ["9", "10", "a", "b2", "三排2"]


# --------------------------------------------------------------------------------------- advice


def class_of(count, kind, wrong):
    """`count` seats begin, the first `wrong` of them make the mistake `kind`, the others pass."""
    events = []
    for number in range(1, count + 1):
        seat = str(number)
        events.append(begin(seat))
        bad = number <= wrong
        more = {"misconception": kind} if bad else {}
        events.append(check(seat, 9, outcome="wrong" if bad else "right", **more))
    return events


def texts(events, minute=10.0):
    return [(one.level, one.text) for one in advice(state(events, minute).lessons["m02_n02"])]


def test_a_shared_mistake_is_worth_a_word_to_all():
    ((level, text), *_) = texts(class_of(12, "whole_bank", 7))
    assert level == "now"
    assert "12 人在做" in text and "7 人是同一个问题" in text
    assert "这是全行的视图。" in text and "讲 3 分钟" in text


def test_few_or_unnamed_mistakes_are_not():
    assert not any("同一个问题" in text for _, text in texts(class_of(12, "whole_bank", 2)))
    assert not any("同一个问题" in text for _, text in texts(class_of(12, "", 7)))
    assert not any("同一个问题" in text for _, text in texts(class_of(12, "not_written", 7)))


def test_an_old_mistake_is_not_worth_it_any_more():
    cured = [check(str(n), 12, outcome="right", tries=2) for n in range(1, 8)]
    assert not any(
        "同一个问题" in t for _, t in texts([*class_of(12, "whole_bank", 7), *cured], 13)
    )


def test_stuck_seats_are_named_to_the_instructor_only():
    stuck = [check("3", 9 + n / 10, tries=n + 1) for n in range(1, 4)]
    events = [*class_of(12, "whole_bank", 1), begin("3"), *stuck, check("3", 9.9, tries=5)]
    events = [e for e in events if not (e.seat == "3" and e.outcome == "right")]
    (one,) = [a for a in advice(state(events, 10).lessons["m02_n02"]) if "卡住" in a.text]
    assert one.seats == ("3",) and one.level == "soon" and "3" not in one.text.split("：")[1]


def test_slow_carried_and_ready():
    slow = [e for n in range(1, 7) for e in (begin(str(n)), check(str(n), 40, outcome="right"))]
    assert any("计划 20 分钟" in text for _, text in texts(slow, 41))
    assert ("fine", "E1：6 人里 6 人已做完，可以往下走。") in texts(slow, 41)
    carried = [
        e
        for n in range(1, 7)
        for e in (begin(str(n)), event(str(n), 9, "carry_on", question="E1", carried=True))
    ]
    assert any("6 人里 6 人用了参考结果" in text for _, text in texts(carried, 10))


# ---------------------------------------------------------------------------------------- views


@pytest.fixture
def folder(tmp_path):
    """A class folder with twelve seats."""
    path = tmp_path / "2027-01-15"
    store = ClassStore(path)
    repeated = [check("7", 9 + n / 10, tries=1 + n) for n in range(1, 4)]  # one seat is stuck
    repeated = [replace(e, misconception="whole_bank") for e in repeated]
    for e in [*class_of(12, "whole_bank", 7), *repeated]:
        raw = {
            "v": 1,
            "time": iso(e.time),
            "session": e.session,
            "number": e.number,
            "event": e.event,
            "lesson": e.lesson,
        }
        if e.question:
            raw |= {"question": e.question, "outcome": e.outcome, "tries": e.tries}
            raw |= {"misconception": e.misconception}
        store.append(f"座{e.seat}号", [raw])
    return path


@pytest.fixture
def room(folder):
    return Room(ClassStore(folder), (PLAN,), "测试班")


def test_the_projector_points_at_nobody(room):
    now = at(10)
    view = room.view(projector=True, now=now)
    assert "座" not in json.dumps(view["exercises"], ensure_ascii=False)
    assert "seats" not in view and view["advice"] == []
    (first, _) = view["exercises"]
    assert first["counts"]["stuck"] == first["counts"]["quiet"] == 0
    assert first["mistakes"][0]["seats"] == 7 and first["done"] == 5
    full = room.view(now=now)
    assert full["exercises"][0]["counts"]["stuck"] == 1
    assert [row["seat"] for row in full["seats"]][:2] == ["座1号", "座2号"]
    assert full["advice"][0]["seats"]


def test_summaries_have_no_seats_and_no_small_numbers(room):
    state_now = room.state(at(10))
    for text in (summary_markdown(room, state_now), summary_html(room, state_now)):
        assert "座1号" not in text and "到期视图" in text
        assert "7 人：这是全行的视图。" in text
    few = Room(room.store, (PLAN,), "班")
    small = room_state([begin("1"), check("1", 5, outcome="right")], (PLAN,), at(6))
    assert "不足 3 人" in summary_markdown(few, small)


def test_a_summary_escapes_what_it_is_given(room):
    hostile = Room(room.store, (PLAN,), "<script>alert(1)</script>")
    assert "<script" not in summary_html(hostile, hostile.state(at(10)))


def test_exports_read_back(room):
    state_now = room.state(at(10))
    rows = list(csv.reader(io.StringIO(export_csv(state_now).removeprefix("\ufeff"))))
    assert len(rows) == 1 + 12 * 2 and rows[0][0] == "座位"
    assert rows[1][:3] == ["座1号", "m02_n02", "E1"]
    records = json.loads(export_json(state_now))
    assert sum(record["state"] == "right" for record in records) == 5


def test_the_table_is_straight_with_chinese_seats(room):
    lines = terminal_lines(room, room.state(at(10)), "", projector=False)
    table = [line for line in lines if line.startswith("座")]
    places = {width(line[: line.index("E1")]) for line in table[:1]}
    places |= {width(line[: line.index("!!" if "!!" in line else "✗" if "✗" in line else "✓")])
               for line in table[1:]}  # fmt: skip
    assert len(places) == 1
    assert padded("座位", 6) == "座位  "
    hidden = "\n".join(terminal_lines(room, room.state(at(10)), "", projector=True))
    assert "座1号" not in hidden and "同一个问题" in hidden


def test_the_command_shows_writes_and_purges(folder, tmp_path):
    def run(*arguments):
        return CliRunner().invoke(progress_command, ["--folder", str(folder), *arguments])

    shown = run()
    assert shown.exit_code == 0 and "12 人加入" in shown.output and "座3号" in shown.output
    out = tmp_path / "小结.md"
    assert run("--summary", str(out)).exit_code == 0
    assert "支行的到期视图" in out.read_text(encoding="utf-8")
    assert run("--export", str(tmp_path / "明细.csv")).exit_code == 0
    assert "后缀" in str(run("--export", str(tmp_path / "x.docx")).exception)
    refused = CliRunner().invoke(
        progress_command, ["--folder", str(folder), "--purge"], input="n\n"
    )
    assert "没有删除" in refused.output and folder.exists()
    assert "已删除 12 个座位" in run("--purge", "--yes").output
    assert not folder.exists()
    assert "找不到课堂文件夹" in str(run().exception)


# ---------------------------------------------------------------------------------------- plans


def test_minutes_of_slots_are_shared_by_parts():
    slots = [(30.0, ["业务情境", "演示一", "E1"]), (20.0, ["演示二", "E2"])]
    planned = share_out(90.0, ["E1", "E2", "E3"], slots)
    assert planned["E1"] == (10.0, 30.0) and planned["E2"] == (10.0, 20.0)
    assert planned["E3"] == pytest.approx((90 * 0.35 / 3, 90 * 0.35 / 3))


def test_without_slots_the_lesson_s_minutes_are_shared():
    planned = share_out(100.0, ["E1", "E2"])
    assert planned["E1"] == pytest.approx((17.5, 82.5))
    assert sum(path for _, path in planned.values()) == pytest.approx(100)


def test_the_real_lessons_have_titles_minutes_and_sentences():
    lessons = {lesson.key: lesson for lesson in room_lessons(ROOT)}
    ladder = lessons["m02_n02"]
    assert [exercise.id for exercise in ladder.exercises] == ["E1", "E2", "E3", "E4"]
    assert ladder.exercises[0].title.endswith("支行的到期视图")
    assert "my_branch" in ladder.exercises[0].sentence("whole_bank")
    for lesson in lessons.values():
        for exercise in lesson.exercises:
            assert exercise.title and 0 < exercise.own <= exercise.path
            assert exercise.mistakes
