"""The one thread that analyses.

pygls reads stdin through its own thread pool, so long work there starves the connection; and jedi is not
thread-safe. Hence one private thread. It is a daemon with its own queue, not a `ThreadPoolExecutor`,
whose threads Python joins on exit: the end of the client must not wait for the end of an analysis.

Work that nobody waits for is interrupted at its pauses (`torchlore.pausing`) by what somebody does
wait for, in the middle of an analysis only if that is about another file; and work on a text that is gone
ends there.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from torchlore.pausing import Pause, do_at_pauses

log = logging.getLogger(__name__)

T = TypeVar("T")


_IDLE = 2.0
"""Seconds without work after which the worker tidies up."""


class Priority(IntEnum):
    """What waits for what: a person waits for a hover, nobody for diagnostics."""

    ASKED = 0
    BACKGROUND = 1


class Stale(Exception):
    """The text that the request was about is gone."""


class _Abandoned(BaseException):
    """What runs is not wanted any more. No `Exception`: the analysis takes these for failures of its own."""


@dataclass(order=True, slots=True)
class _Job:
    """`about`: the file that it is about; None: it neither interrupts others nor is interrupted."""

    priority: int
    number: int
    about: str | None = field(compare=False)
    work: Callable[[], Any] = field(compare=False)
    still_wanted: Callable[[], bool] = field(compare=False)
    loop: asyncio.AbstractEventLoop = field(compare=False)
    answer: asyncio.Future[Any] = field(compare=False)


class Worker:
    """Runs functions one at a time on a thread of its own, in order of priority."""

    def __init__(self) -> None:
        self._jobs: list[_Job] = []
        self._arrived = threading.Condition()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._running: list[_Job] = []

    async def run(
        self,
        work: Callable[[], T],
        *,
        priority: Priority = Priority.ASKED,
        about: str | None = None,
        still_wanted: Callable[[], bool] = lambda: True,
    ) -> T:
        """The result of `work`, which runs on the worker thread.

        A cancelled call whose turn has not come never runs.

        Args:
            work: what to run.
            priority: what goes first.
            about: the file that it is about, if it may interrupt background work, and be interrupted.
            still_wanted: whether the result is of any use. Called on the worker thread, and often.

        Raises:
            Stale: `still_wanted` was false when its turn came, or while it ran.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._start()
        job = _Job(priority, next(self._numbers), about, work, still_wanted, loop, answer)
        with self._arrived:
            heapq.heappush(self._jobs, job)
            self._arrived.notify()
        return await answer

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="torchlore-analysis", daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        do_at_pauses(self._at_pause)
        while True:
            job = self._next()
            gc.disable()  # an analysis makes many objects, none of which is garbage before it ends
            self._perform(job)
            gc.enable()

    def _next(self) -> _Job:
        with self._arrived:
            if not self._jobs and not self._arrived.wait(_IDLE):
                gc.collect()  # what old versions left behind goes while nobody waits
            while not self._jobs:
                self._arrived.wait()
            return heapq.heappop(self._jobs)

    def _at_pause(self, where: Pause) -> None:
        """Ends what runs if its text is gone; else lets those who wait for an answer go first.

        What was cancelled goes on: the next request for the same text needs what it finds out.
        """
        running = self._running[-1]
        if not running.still_wanted():
            raise _Abandoned
        if running.priority == Priority.BACKGROUND:
            while (job := self._more_urgent(running, where)) is not None:
                self._perform(job)

    def _more_urgent(self, running: _Job, where: Pause) -> _Job | None:
        """Takes the first job that may be done in the middle of `running`."""
        if not self._jobs:
            return None
        with self._arrived:
            fitting = (
                j for j in self._jobs if j.priority < running.priority and _may_interrupt(j, running, where)
            )
            job = min(fitting, default=None)
            if job is not None:
                self._jobs.remove(job)
                heapq.heapify(self._jobs)
            return job

    def _perform(self, job: _Job) -> None:
        if job.answer.cancelled():
            return
        result: Any = None
        failure: BaseException | None = None
        self._running.append(job)
        try:
            if not job.still_wanted():
                raise Stale
            result = job.work()
        except _Abandoned:
            failure = Stale()
        except BaseException as error:
            failure = error
        self._running.pop()
        try:
            job.loop.call_soon_threadsafe(_answer, job.answer, result, failure)
        except RuntimeError:
            log.debug("the loop ended before an analysis did")


def _may_interrupt(job: _Job, running: _Job, where: Pause) -> bool:
    """Whether somebody waits for `job`, and nothing is half done that it could come upon."""
    if job.priority >= running.priority or job.about is None or running.about is None:
        return False
    return where is Pause.BETWEEN or job.about != running.about


def _answer(answer: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if answer.done():
        return
    if failure is not None:
        answer.set_exception(failure)
    else:
        answer.set_result(result)
