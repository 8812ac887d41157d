"""The client's side: workers that were looked at, orders given out a few at a time, answers.

Dask schedules, restarts what was lost with a worker, and tries again what failed for a passing
reason. What it leaves to its user is here: only as many orders are out as workers can hold (they
carry whole notebooks), a worker that joins late is looked at like the first ones, and an order
that was merely waiting on a worker when another one killed it is not blamed.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import queue
import re
import tempfile
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import dask.config
from distributed import Client, Future, KilledWorker, LocalCluster

from course_utils.build.cluster.gate import WorkshopPlugin, examine
from course_utils.build.cluster.identity import own_identity
from course_utils.build.cluster.orders import (
    MEETING_PLACE,
    TOPIC,
    Finding,
    Order,
    Outcome,
    TransientError,
)
from course_utils.build.cluster.workshop import perform
from course_utils.build.execution.crew import core_count
from course_utils.errors import CourseError
from course_utils.files import explain_os_errors, write_text

#: Tries after the first one, for what may pass.
RETRIES = 2
#: Seconds until the scheduler must answer.
CONNECTED_WITHIN = 5.0
#: Seconds until there must be a worker, at the start and whenever all have gone.
WORKERS_WITHIN = 60.0
#: Seconds between two looks at who is there.
WATCH_EVERY = 2.0
_ADDRESS = re.compile(r"(tcp|tls)://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")
_FAULTS = {
    "folder": (
        "看不到这个项目文件夹，请把它放在各台机器都能读写的共享文件夹里"
        "（路径可以不同，用 COURSE_HOME 指明）"
    ),
    "write": "不能写项目的 build 文件夹，请检查共享文件夹的权限",
    "elsewhere": "看到的是项目的另一份副本，请让它使用同一个共享文件夹",
    "version": "上的{detail}与本机不同，请让各台机器使用同一个版本并重新启动工作机",
    "absent": "不能运行课程程序包（{detail}），请在它上面安装同一个版本",
}


#: What a future says whose result went with its worker before anybody had fetched it.
_LOST = ("lost", "pending")


class Connection:
    """A Dask cluster that builds one project. A context manager.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    scheduler : str, optional
        ``tcp://host:port`` of a running Dask cluster; workers on this machine if left out.
    jobs : int, optional
        Workers on this machine; one a core if left out.

    Attributes
    ----------
    turned_away : list of str
        Chinese sentences about workers that joined late and could not be used.
    """

    def __init__(self, root: Path, scheduler: str | None = None, jobs: int | None = None) -> None:
        if scheduler is not None and not _ADDRESS.fullmatch(scheduler):
            raise CourseError(
                f"调度器地址“{scheduler}”写得不对，应当像 tcp://10.0.0.5:8786 这样，请改好再运行。"
            )
        self._root, self._scheduler, self._jobs = root, scheduler, jobs or core_count()
        self._token = uuid.uuid4().hex
        self._stack = contextlib.ExitStack()
        self._client: Client | None = None
        self._waiting: list[tuple[tuple[float, ...], int, Order]] = []
        self._numbers = itertools.count()
        self._out: dict[str, tuple[Future, Order]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._begun: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()
        self._spared: Counter[str] = Counter()
        self._known: set[str] = set()
        self._threads = 0
        self._watched = self._manned = 0.0
        self.turned_away: list[str] = []

    def __enter__(self) -> Connection:
        with self._stack:
            self._open()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # ---- opening -----------------------------------------------------------------------------
    def _open(self) -> None:
        self._stack.enter_context(_quiet())
        meeting = self._root / MEETING_PLACE / self._token
        with explain_os_errors(meeting):
            write_text(meeting, "")
        self._stack.callback(meeting.unlink, missing_ok=True)
        self._client = self._stack.enter_context(self._connect())
        self._client.subscribe_topic(TOPIC, self._note_begin)
        self._stack.callback(self._cancel_all)
        with self._explained():
            try:
                self._client.wait_for_workers(1, timeout=WORKERS_WITHIN)
            except TimeoutError:
                raise self._unmanned() from None
        self._watch(at_start=True)
        with self._explained():
            self._client.register_plugin(WorkshopPlugin())

    @contextlib.contextmanager
    def _connect(self) -> Iterator[Client]:
        address = self._scheduler or self._stack.enter_context(_local_cluster(self._jobs))
        try:
            client = Client(address, timeout=CONNECTED_WITHIN, set_as_default=False)
        except Exception as error:  # whatever may listen there, in all its ways not to be Dask
            raise CourseError(
                f"连不上调度器 {address}：请检查地址和端口，确认 dask scheduler 已经启动、"
                "各机器的 Dask 版本相同，再重新运行。"
            ) from error
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                client.close(timeout=CONNECTED_WITHIN)

    def _cancel_all(self) -> None:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self._client.cancel([future for future, _ in self._out.values()])

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn a scheduler that went away into one Chinese sentence."""
        try:
            yield
        except (OSError, RuntimeError, CancelledError) as error:
            raise _disconnected() from error

    # ---- workers -----------------------------------------------------------------------------
    def _watch(self, at_start: bool = False) -> None:
        """See who is there; look at those who are new; give up if nobody comes."""
        now = time.monotonic()
        if now - self._watched < WATCH_EVERY:
            return
        self._watched = now
        with self._explained():
            threads = self._client.nthreads()
        if new := sorted(set(threads) - self._known):
            faults = self._look_at(new)
            if faults and at_start:
                raise CourseError(_sentence(faults) + "，再重新运行。")
            self._turn_away(faults)
        self._known = set(threads)
        self._threads = sum(threads.values())
        if threads:
            self._manned = now
        elif now - self._manned > WORKERS_WITHIN:
            raise self._unmanned()

    def _look_at(self, addresses: Sequence[str]) -> list[tuple[str, Finding]]:
        """Return the address and fault of each worker that cannot be used."""
        identity = dict(own_identity(self._root))
        with self._explained():
            answers = self._client.run(
                examine, self._token, identity, workers=list(addresses), on_error="return"
            )
        faults = []
        for address, answer in answers.items():
            finding = self._judge(address, answer)
            if finding is not None:
                faults.append((address, finding))
        return faults

    def _judge(self, address: str, answer: Finding | BaseException) -> Finding | None:
        if isinstance(answer, OSError):  # gone again before it could answer
            return None
        if isinstance(answer, BaseException):
            return Finding(address, "absent", f"{type(answer).__name__}：{answer}")
        if answer.fault:
            return answer
        probe = self._root / MEETING_PLACE / answer.probe
        if not probe.is_file():
            return replace(answer, fault="elsewhere")
        probe.unlink(missing_ok=True)
        return None

    def _turn_away(self, faults: Sequence[tuple[str, Finding]]) -> None:
        """Send workers home that joined late and would do harm."""
        if not faults:
            return
        self.turned_away.append(_sentence(faults) + "；它没有参加这次构建。")
        with contextlib.suppress(Exception):  # it may have left by itself
            self._client.retire_workers([address for address, _ in faults], close_workers=True)

    def _unmanned(self) -> CourseError:
        where = self._scheduler or "本机"
        return CourseError(
            f"调度器 {where} 那里等了 {WORKERS_WITHIN:.0f} 秒也没有可用的工作机：请启动 dask worker"
            "（或查看它的日志为什么退出），再运行一次同样的命令，已经完成的课不会重做。"
        )

    # ---- orders ------------------------------------------------------------------------------
    def add(self, order: Order) -> None:
        """Put an order on the list; also while `outcomes` is being read."""
        heapq.heappush(self._waiting, (order.rank, next(self._numbers), order))

    def outcomes(self) -> Iterator[tuple[Order, Outcome]]:
        """Yield each order with what came of it, until none is left.

        Raises
        ------
        CourseError
            If the scheduler is gone, or all workers are and none comes back.
        """
        while self._waiting or self._out:
            self._watch()
            self._give_out()
            try:
                key = self._ended.get(timeout=WATCH_EVERY)
            except queue.Empty:
                continue
            future, order = self._out.pop(key)
            outcome = self._outcome(future, order)
            future.release()
            if outcome is not None:
                yield order, outcome

    def _give_out(self) -> None:
        """Keep all workers busy and one order in eight in reserve."""
        limit = self._threads + max(1, self._threads // 8)
        while self._waiting and len(self._out) < limit:
            _, number, order = heapq.heappop(self._waiting)
            key = f"{order.name}/{self._token[:8]}-{number}"
            with self._explained():
                future = self._client.submit(
                    perform,
                    self._token,
                    order.function,
                    order.arguments,
                    key=key,
                    pure=False,
                    retries=RETRIES,
                )
            self._out[key] = (future, order)
            future.add_done_callback(lambda done: self._ended.put(done.key))

    def _note_begin(self, event: tuple[float, dict[str, str]]) -> None:
        self._begun[event[1]["key"]] += 1

    def _outcome(self, future: Future, order: Order) -> Outcome | None:
        """Return what came of an order; None if it is to be done again."""
        begun = self._begun.pop(future.key, 0)
        self._tries[order.name] += begun
        tries = max(1, self._tries[order.name])
        if future.status == "finished":
            with self._explained():
                return replace(future.result(), tries=tries)
        if future.status in _LOST:
            self.add(order)  # quick: what it did is filed, only its report is gone
            return None
        if future.status != "error":
            raise _disconnected()
        error = future.exception()
        if isinstance(error, KilledWorker):
            deaths = error.allowed_failures + 1
            if begun < deaths and self._spared[order.name] < RETRIES:
                # it was only waiting there some of the times: that is not its fault
                self._spared[order.name] += 1
                self.add(order)
                return None
            reason = f"运行它的工作机接连退出了 {deaths} 次，多半是内存不够，或这一步弄垮了工作机"
        elif isinstance(error, TransientError):
            reason = f"试了 {RETRIES + 1} 次都没有成功（{error}）"
        else:
            reason = f"程序出错（{type(error).__name__}：{error}），试了 {RETRIES + 1} 次"
        return Outcome(fault=f"{reason}；请看工作机的日志，再运行一次同样的命令。", tries=tries)


def _disconnected() -> CourseError:
    return CourseError(
        "与调度器的连接断了：请确认 dask scheduler 还在运行，"
        "再运行一次同样的命令，已经完成的课不会重做。"
    )


def _sentence(faults: Sequence[tuple[str, Finding]]) -> str:
    """Return one sentence: what is wrong with which workers, and what to do."""
    workers: dict[tuple[str, str], list[str]] = {}
    for _, finding in faults:
        workers.setdefault((finding.fault, finding.detail), []).append(f"“{finding.worker}”")
    return "；".join(
        f"工作机{'、'.join(names)}" + _FAULTS[fault].format(detail=detail)
        for (fault, detail), names in workers.items()
    )


@contextlib.contextmanager
def _local_cluster(jobs: int) -> Iterator[str]:
    """Start workers of one thread each on this machine; nothing listens beyond the loopback."""
    loopback = "127.0.0.1:0"
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": RETRIES}),
        tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as scratch,
        LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=loopback,
            worker_dashboard_address=loopback,
            memory_limit=None,  # kernels are processes of their own, which Dask does not measure
            local_directory=scratch,
            preload=["course_utils.build.cluster.deaf"],
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster.scheduler_address


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's English remarks from people's terminal; what matters is said in Chinese."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # each of Dask's loggers has a level of its own
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="distributed")
        try:
            yield
        finally:
            logging.disable(before)
