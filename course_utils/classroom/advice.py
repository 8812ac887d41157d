"""What the instructor might do now: sentences computed from the room, with the rule behind each."""

from __future__ import annotations

from dataclasses import dataclass

from course_utils.classroom.standing import DONE, LEAST_MINUTES, STUCK_TRIES, LessonState
from course_utils.exercises.progress.event import OTHER

#: A mistake is worth a word to all from so many seats, and such a share of those who are at work.
SHARED_SEATS, SHARED_SHARE = 3, 0.3
_CARRIED_SHARE, _READY_SHARE = 0.4, 0.8
_SLOW = 1.3
_FEW = 5

RULES = (
    f"卡住：还没做对，并且已错 {STUCK_TRIES} 次，或者从第一次检查、看提示算起超过这一题的计划分钟"
    f"（最少按 {LEAST_MINUTES:g} 分钟）。",
    "没动静：一半以上的座位已做完这一题，这个座位还没开始，而且超过计划分钟没有任何动作。",
    "用时：从打开本课或做完上一题，到这一题做对（或用了参考结果），含中间的讲解；取中位数。",
    "全班都停下来 5 分钟以后（茶歇、午休），计时暂停。",
)


@dataclass(frozen=True)
class Advice:
    """One suggestion.

    Attributes
    ----------
    level : str
        now, soon or fine.
    text : str
        A sentence without seat numbers.
    seats : tuple of str
        Whom it is about; not shown on a projector.
    """

    level: str
    text: str
    seats: tuple[str, ...] = ()


def advice(state: LessonState) -> list[Advice]:
    """Return suggestions for one lesson, the most urgent first."""
    found: list[Advice] = []
    for place in range(len(state.plan.exercises)):
        found += _exercise(state, place)
    order = {"now": 0, "soon": 1, "fine": 2}
    return sorted(found, key=lambda one: order[one.level])


def _exercise(state: LessonState, place: int) -> list[Advice]:
    exercise, column = state.plan.exercises[place], state.column(place)
    name, total = exercise.id, len(column)
    done = sum(cell.state in DONE for cell in column)
    begun = sum(cell.state != "none" for cell in column)
    found: list[Advice] = []
    if not begun:
        return found
    if broken := _seats(state, place, "broken"):
        text = (
            f"{name}：{len(broken)} 个座位的检查程序出错，不是学员的错；"
            "先跳过这一题，并告诉课程作者。"
        )
        found.append(Advice("now", text, broken))
    found += _shared_mistake(state, place, begun)
    stuck = _seats(state, place, "stuck")
    if stuck and len(stuck) >= max(SHARED_SEATS, SHARED_SHARE * total):
        text = f"{name}：{total} 人里 {len(stuck)} 人卡住，建议停下来一起看这一题的第一步。"
        found.append(Advice("now", text, stuck))
    elif stuck:
        found.append(Advice("soon", f"{name}：{len(stuck)} 个座位卡住，建议走过去看一眼。", stuck))
    if quiet := _seats(state, place, "quiet"):
        text = f"{name}：一半以上的人已做完，还有 {len(quiet)} 个座位没动静，建议问一声。"
        found.append(Advice("soon", text, quiet))
    carried = sum(cell.state == "carried" for cell in column)
    if done >= _FEW and carried / done >= _CARRIED_SHARE:
        text = f"{name}：做完的 {done} 人里 {carried} 人用了参考结果，建议讲评时把做法写一遍。"
        found.append(Advice("soon", text))
    return found + _pace(state, place, done, total)


def _shared_mistake(state: LessonState, place: int, begun: int) -> list[Advice]:
    exercise, now = state.plan.exercises[place], state.mistakes_now(place)
    named = [(kind, count) for kind, count in now if kind != OTHER]
    if not named:
        return []
    kind, count = named[0]
    if count < max(SHARED_SEATS, SHARED_SHARE * begun):
        return []
    wrong = sum(number for _, number in now)
    text = (
        f"{exercise.id}：{begun} 人在做，{wrong} 人答错，其中 {count} 人是同一个问题："
        f"“{exercise.sentence(kind)}”建议停下来讲 3 分钟。"
    )
    seats = tuple(row.seat for row in state.rows if row.cells[place].mistake == kind)
    return [Advice("now", text, seats)]


def _pace(state: LessonState, place: int, done: int, total: int) -> list[Advice]:
    exercise = state.plan.exercises[place]
    minutes, counted = state.minutes(place)
    found = []
    if minutes is not None and counted >= _FEW and minutes > _SLOW * exercise.path:
        text = (
            f"{exercise.id}：到做完用了 {minutes:.0f} 分钟（{counted} 人的中位数），"
            f"计划 {exercise.path:.0f} 分钟，后面要省一些。"
        )
        found.append(Advice("soon", text))
    last = max(
        (
            p
            for p in range(len(state.plan.exercises))
            if any(cell.state != "none" for cell in state.column(p))
        ),
        default=-1,
    )
    if place == last and total >= _FEW and done / total >= _READY_SHARE:
        text = f"{exercise.id}：{total} 人里 {done} 人已做完，可以往下走。"
        found.append(Advice("fine", text))
    return found


def _seats(state: LessonState, place: int, kind: str) -> tuple[str, ...]:
    return tuple(row.seat for row in state.rows if row.cells[place].state == kind)
