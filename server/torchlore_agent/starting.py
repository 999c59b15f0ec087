"""Starting the process of a snippet: forked where torch is imported already, else as a new interpreter."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time

from torchlore_agent import processes
from torchlore_agent.job import Event, Job
from torchlore_agent.warm import Nursery
from torchlore_agent.wire import CHUNK, Message

_ORDER = ("snippet", "name", "device", "limits", "network", "home", "lines", "measure", "processes")


def begin(job: Job, inbox: queue.Queue[Event]) -> None:
    """Has the process start, at once or as soon as the job's nursery has one for it."""
    os.makedirs(_working(job), exist_ok=True)
    nursery = job.nursery
    if nursery is None or nursery.ended or _needs_new(job, nursery):
        _start_new(job, inbox)
    elif not _order_spare(job, inbox) and nursery.ready:
        _ask_for_one(job, inbox)


def hear(job: Job, message: Message | None, inbox: queue.Queue[Event]) -> None:
    """Goes on after the job's nursery has said something (None: it has ended) or was given up."""
    if job.child is not None or job.nursery is None or job.outcome is not None:
        return
    kind = "ended" if message is None or job.nursery.ended else message.get("type")
    if kind in ("ended", "failed"):
        _start_new(job, inbox)
    elif kind == "born":
        _order_spare(job, inbox)
    elif kind == "ready":
        _ask_for_one(job, inbox)


def _needs_new(job: Job, nursery: Nursery) -> bool:
    """Whether no process that has torch imported will do."""
    if "processes" in job.request:
        return True  # `torchrun` reads variables when torch is imported, and its processes import their own.
    is_cut_off = not job.request.get("network", True) and sys.platform == "linux"
    return is_cut_off and nursery.has_threads


def _ask_for_one(job: Job, inbox: queue.Queue[Event]) -> None:
    """It is born for this job, which may be over before; then it is there for the next one."""
    assert job.nursery is not None
    if not job.nursery.bear():
        _start_new(job, inbox)


def _order_spare(job: Job, inbox: queue.Queue[Event]) -> bool:
    """Has a process that waits carry out this job. False where none does."""
    spare = job.nursery.take() if job.nursery is not None else None
    if spare is None:
        return False
    job.say({"type": "started"})
    environment = job.request["environment"]
    order = {**_order(job), "environment": environment, "working": _working(job)}
    given = spare.order(order)
    if given is None:
        return False
    job.child, job.started = given.child, time.monotonic()
    for stream, reading in given.streams.items():
        _listen(job, stream, reading, inbox)
    return True


def _start_new(job: Job, inbox: queue.Queue[Event]) -> None:
    job.say({"type": "started"})
    job.started = time.monotonic()
    popen = subprocess.Popen(
        processes.own("child", json.dumps(_order(job))),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_working(job),
        env={**os.environ, **job.request["environment"]},
        start_new_session=True,
    )
    job.child = processes.Child(popen.pid, popen)
    for stream, pipe in (("stdout", popen.stdout), ("stderr", popen.stderr)):
        assert pipe is not None
        _listen(job, stream, os.dup(pipe.fileno()), inbox)
        pipe.close()


def _order(job: Job) -> Message:
    order: Message = {key: job.request[key] for key in _ORDER if key in job.request}
    group = None if job.group is None else job.group.path
    return {**order, "parent": os.getpid(), "report": job.report, "group": group}


def _working(job: Job) -> str:
    return job.request.get("home") or os.path.join(job.request["directory"], "work")


def _listen(job: Job, stream: str, descriptor: int, inbox: queue.Queue[Event]) -> None:
    job.open_streams += 1
    threading.Thread(target=_read, args=(job, stream, descriptor, inbox), daemon=True).start()


def _read(job: Job, stream: str, descriptor: int, inbox: queue.Queue[Event]) -> None:
    """Passes on what comes. The inbox is bounded, so a snippet that floods it waits for us, not we for it."""
    with contextlib.suppress(OSError):
        while data := os.read(descriptor, CHUNK):
            inbox.put(("output", (job, stream, data)))
    os.close(descriptor)
    inbox.put(("closed", job))
