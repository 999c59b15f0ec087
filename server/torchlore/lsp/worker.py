"""The one thread that analyses.

pygls reads stdin through its own thread pool, so long work there starves the connection; and jedi is not
thread-safe. Hence one private thread. It is a daemon with its own queue, not a `ThreadPoolExecutor`,
whose threads Python joins on exit: the end of the client must not wait for the end of an analysis.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

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


@dataclass(order=True, slots=True)
class _Job:
    priority: int
    number: int
    work: Callable[[], Any] = field(compare=False)
    still_wanted: Callable[[], bool] = field(compare=False)
    loop: asyncio.AbstractEventLoop = field(compare=False)
    answer: asyncio.Future[Any] = field(compare=False)


class Worker:
    """Runs functions one at a time on a thread of its own, in order of priority."""

    def __init__(self) -> None:
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    async def run(
        self,
        work: Callable[[], T],
        *,
        priority: Priority = Priority.ASKED,
        still_wanted: Callable[[], bool] = lambda: True,
    ) -> T:
        """The result of `work`, which runs on the worker thread.

        A cancelled call whose turn has not come never runs.

        Raises:
            Stale: `still_wanted` was false when its turn came.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._start()
        self._jobs.put(_Job(priority, next(self._numbers), work, still_wanted, loop, answer))
        return await answer

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="torchlore-analysis", daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE)
            except queue.Empty:
                gc.collect()  # what old versions left behind goes while nobody waits
                job = self._jobs.get()
            _perform(job)


def _perform(job: _Job) -> None:
    if job.answer.cancelled():
        return
    result: Any = None
    failure: BaseException | None = None
    gc.disable()  # an analysis makes many objects, none of which is garbage before it ends
    try:
        if not job.still_wanted():
            raise Stale
        result = job.work()
    except BaseException as error:
        failure = error
    gc.enable()
    try:
        job.loop.call_soon_threadsafe(_answer, job.answer, result, failure)
    except RuntimeError:
        log.debug("the loop ended before an analysis did")


def _answer(answer: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if answer.done():
        return
    if failure is not None:
        answer.set_exception(failure)
    else:
        answer.set_result(result)
