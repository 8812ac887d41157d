"""Progress for the instructor, with the trainee's consent: outcome and tries, never answers.

`record` is called by the running session; it returns within microseconds whatever happens to the
share or the server. Where events go, and how, stands in :mod:`course_utils.classroom`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.exercises.progress import browser
from course_utils.exercises.progress.consent import (
    Decision,
    in_browser,
    is_address,
    load_decision,
    now,
    place_from_environment,
    save_decision,
    state_folder,
    tidy_address,
)
from course_utils.exercises.progress.event import State, clean_seat, make_event
from course_utils.exercises.progress.outbox import Outbox
from course_utils.exercises.progress.ways import (
    AddressWay,
    FolderWay,
    Line,
    NotThere,
    Poison,
    Taken,
    Unwelcome,
    Way,
)
from course_utils.exercises.result import Note, Result

__all__ = ["State", "greet", "join", "leave", "record", "reset"]

_TOLD = (
    "座位号、时间、哪一课哪一题、结果（对、不对、没有作答）、第几次、看了几个提示、"
    "错在哪一类。不发答案，不发代码，不发数据"
)
_NO_ADDRESS = (
    "还不知道课堂在哪里：请看投影上的课堂地址，连座位号一起写，"
    '例如 cu.join("12", "192.168.1.5:8000")。'
)


@dataclass
class _Channel:
    """What this kernel knows of the class."""

    lesson: str = ""
    session: str = field(default_factory=lambda: secrets.token_hex(8))
    number: int = 0
    decision: Decision | None = None
    loaded: bool = False
    outbox: Outbox | browser.BrowserOutbox | None = None


_channel = _Channel()


def greet(lesson: str) -> Note | None:
    """Tell that a lesson has begun, or ask for consent once.

    Parameters
    ----------
    lesson : str
        “m02_n02”.

    Returns
    -------
    Note or None
        The question, where a class is configured and nothing has been decided yet.
    """
    if _off():
        return None
    _channel.lesson, _channel.session, _channel.number = lesson, secrets.token_hex(8), 0
    if not in_browser():
        decision = _decision(afresh=True)
        if decision is None and (place := place_from_environment()):
            return _question(place)
    record("begin", lesson)
    return None


def record(
    event: str,
    lesson: str,
    question: str = "",
    state: State | None = None,
    result: Result | None = None,
) -> None:
    """Tell the class what happened, if the trainee has agreed; otherwise do nothing.

    Parameters
    ----------
    event : str
        begin, check, hint or carry_on.
    lesson, question : str
        “m02_n02”, “E1”.
    state : State, optional
        Tries, hints, carried.
    result : Result, optional
        What was shown after a check; only its outcome and the name of the mistake are told.
    """
    if _off():
        return
    with contextlib.suppress(Exception):  # a notebook never suffers from its progress
        if in_browser():
            _put(make_event(event, lesson, question, state, result), "")
            return
        decision = _decision(afresh=True)  # another notebook of this trainee may have left
        if decision is None or not decision.agreed:
            _close(forget=True)
            return
        _put(make_event(event, lesson, question, state, result), decision.seat)


def join(seat: object = None, address: str | None = None, *, again: bool = False) -> Note:
    """Agree that the instructor sees progress, under a seat number.

    Parameters
    ----------
    seat : str or int, optional
        Seat number or nickname; not needed where a class server has given one.
    address : str, optional
        Address of the class as the projector shows it, where nothing is configured.
    again : bool
        It is me although the seat is taken: I have changed the computer.

    Returns
    -------
    Note
        What happens now.

    Raises
    ------
    CourseError
        If seat or address is missing or wrong, the seat is taken, or the class is out of reach.
    """
    if in_browser():
        return _join_from_browser(seat, again)
    earlier = _decision(afresh=True)
    fixed = os.environ.get("COURSE_SEAT", "").strip()
    wanted = fixed or (seat if seat is not None else earlier.seat if earlier else "")
    name = clean_seat(wanted)
    place = tidy_address(address) if address else place_from_environment()
    place = place or (earlier.place if earlier else "")
    if not place:
        raise CourseError(_NO_ADDRESS)
    mine = earlier is not None and earlier.agreed and earlier.seat == name
    decision, note = _agree(name, place, again or mine or bool(fixed))
    _close(forget=earlier is not None and earlier.place != place)
    kept = save_decision(decision)
    _channel.decision, _channel.loaded = decision, True
    _put(make_event("join"), decision.seat)
    if _channel.lesson:
        _put(make_event("begin", _channel.lesson), decision.seat)
    memory = "" if kept else "这台电脑存不下你的决定，下次打开还会再问。"
    return Note(f"已加入，座位号 {decision.seat}。{note}{memory}想退出时运行 cu.leave()。")


def leave(*, erase: bool = False) -> Note:
    """Refuse, or take consent back; from now on nothing is sent.

    Parameters
    ----------
    erase : bool
        Delete what was sent before, too.

    Returns
    -------
    Note
        What happened.
    """
    earlier = None if in_browser() else _decision(afresh=True)
    _close(forget=True)
    done = False
    with contextlib.suppress(NotThere, Unwelcome, Poison, Taken, OSError):
        if in_browser():
            browser.post_and_wait(browser.page_base(), "leave", {"erase": erase})
            done = True
        elif earlier is not None and earlier.agreed:
            _tell_leaving(earlier, erase)
            done = True
    if not in_browser():
        place = place_from_environment() or (earlier.place if earlier else "")
        decision = Decision(False, place, decided=now())
        save_decision(decision)
        _channel.decision, _channel.loaded = decision, True
    text = "好的，不会再发出任何进度，照常上课。想加入时运行 cu.join(座位号)。"
    if erase:
        text += "以前发出的也已删除。" if done else "以前发出的这次没有删成，请告诉讲师。"
    return Note(text)


def reset() -> None:
    """Forget what this process knows (tests); decision and unsent events stay on the disk."""
    global _channel
    _close(forget=False)
    _channel = _Channel()


def _off() -> bool:
    """Builds and proofs run lessons, too; they are nobody's progress."""
    return bool(os.environ.get("COURSE_CHECK"))


def _decision(*, afresh: bool = False) -> Decision | None:
    if afresh or not _channel.loaded:
        found = load_decision()
        if found is not None or not _channel.loaded:
            _channel.decision = found
        _channel.loaded = True
    return _channel.decision


def _question(place: str) -> Note:
    where = f"讲师的课堂（{place}）" if is_address(place) else f"讲师的共享文件夹（{place}）"
    fixed = os.environ.get("COURSE_SEAT", "").strip()
    how = "cu.join()" if fixed else 'cu.join("12")，引号里换成你的座位号，不要写姓名'
    return Note(
        f"讲师想看到全班做到哪一步，好及时讲解。你同意以后，每次检查、看提示都会告诉{where}："
        f"{_TOLD}。只给讲师看，课后删除。\n同意：运行 {how}。\n"
        "不同意：运行 cu.leave()，照常上课，不再询问。"
    )


def _agree(seat: str, place: str, again: bool) -> tuple[Decision, str]:
    """Ask the class for the seat; a shared folder asks nobody."""
    if not is_address(place):
        late = "" if Path(place).is_dir() else "共享文件夹现在连不上，连上后会自动补发。"
        return Decision(True, place, seat, decided=now()), late
    token = os.environ.get("COURSE_PROGRESS_TOKEN", "")
    try:
        seat, token = AddressWay(place, token).join(seat, again)
    except Taken:
        raise CourseError(
            f"座位号 {seat} 已经有人用了：请核对；如果就是你换了电脑，"
            f'运行 cu.join("{seat}", again=True)。'
        ) from None
    except Unwelcome:
        raise CourseError("课堂不认识这个座位：请从讲师给的入口重新进入，再运行一次。") from None
    except (NotThere, Poison):
        if not token:
            raise CourseError(
                f"连不上课堂 {place}：请核对投影上的地址，确认连的是教室的网络，再运行一次。"
            ) from None
        return Decision(True, place, seat, token, now()), "课堂现在连不上，连上后会自动补发。"
    return Decision(True, place, seat, token, now()), ""


def _join_from_browser(seat: object, again: bool) -> Note:
    name = clean_seat("" if seat is None else seat)
    try:
        answer = browser.post_and_wait(browser.page_base(), "join", {"seat": name, "again": again})
    except Taken:
        raise CourseError(
            f"座位号 {name} 已经有人用了：请核对；如果就是你换了电脑，"
            f'运行 cu.join("{name}", again=True)。'
        ) from None
    except (NotThere, Unwelcome, Poison):
        raise CourseError("连不上课堂：请确认连的是教室的网络，再运行一次。") from None
    outbox = _outbox()
    if isinstance(outbox, browser.BrowserOutbox):
        outbox.joined()
    if _channel.lesson:
        _put(make_event("begin", _channel.lesson), "")
    return Note(f"已加入，座位号 {answer.get('seat', name)}。想退出时运行 cu.leave()。")


def _tell_leaving(decision: Decision, erase: bool) -> None:
    if is_address(decision.place):
        token = decision.token or os.environ.get("COURSE_PROGRESS_TOKEN", "")
        AddressWay(decision.place, token).leave(erase)
    elif erase:
        (Path(decision.place) / f"seat-{decision.seat}.jsonl").unlink(missing_ok=True)
    else:
        FolderWay(Path(decision.place)).send([_numbered(make_event("leave"), decision.seat)])


def _numbered(line: dict[str, object], seat: str) -> Line:
    _channel.number += 1
    own = {"seat": seat} if seat else {}
    return {**line, **own, "session": _channel.session, "number": _channel.number}


def _put(line: dict[str, object], seat: str) -> None:
    _outbox().put(_numbered(line, seat))


def _outbox() -> Outbox | browser.BrowserOutbox:
    if _channel.outbox is None:
        if in_browser():
            _channel.outbox = browser.BrowserOutbox(browser.page_base())
        else:
            decision = _channel.decision
            assert decision is not None
            _channel.outbox = Outbox(_way(decision), _spool(decision.place))
    return _channel.outbox


def _spool(place: str) -> Path:
    """Return this kernel's file of unsent events; classes have folders of their own."""
    name = hashlib.sha256(place.encode("utf-8")).hexdigest()[:12]
    return state_folder() / f"unsent-{name}" / f"{secrets.token_hex(8)}.jsonl"


def _way(decision: Decision) -> Way:
    if not is_address(decision.place):
        return FolderWay(Path(decision.place))
    return _Rejoining(decision)


class _Rejoining:
    """A collector that has forgotten the seat (a new day's folder) is joined again."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        token = decision.token or os.environ.get("COURSE_PROGRESS_TOKEN", "")
        self._way = AddressWay(decision.place, token)

    def send(self, lines: list[Line]) -> None:
        """Send; where the collector does not know us, join as before and send again."""
        try:
            self._way.send(lines)
        except Unwelcome:
            self._join()
            self._way.send(lines)

    def _join(self) -> None:
        current = load_decision()
        if current is not None and not current.agreed:
            raise Unwelcome("the trainee has left in another notebook")
        try:
            self._way.join(self._decision.seat, True)
        except Unwelcome:
            self._way.token = ""  # signed by an earlier class
            self._way.join(self._decision.seat, True)


def _close(*, forget: bool) -> None:
    if _channel.outbox is not None:
        _channel.outbox.close(forget=forget)
        _channel.outbox = None
