"""Starts the process of a snippet, watches over it, and ends it and all that it started."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from torchlore_agent import processes
from torchlore_agent.output import TAIL, Cleaner
from torchlore_agent.wire import CHUNK, Message

TICK = 0.03
"""Seconds between two looks at the number of processes and their memory."""

_LONGEST_REPORT = 1 << 20
_DRAIN = 0.5
"""Seconds to read what a snippet that has ended left in its pipes."""

_WHERE = 0.1
"""Seconds that a snippet has at its time limit to say on which line it stands."""

_CRASHES = frozenset(
    getattr(signal, name)
    for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS")
    if hasattr(signal, name)
)

Event = tuple[str, Any]
"""What reaches the one loop.

From the server: ("message", Message) or ("gone", None).
From a pipe: ("output", (job, stream, bytes)) or ("closed", job).
"""


@dataclass
class Job:
    """One snippet on its way.

    `outcome` is set as soon as something other than the snippet itself ends it; `abandoned`, when the server
    is gone.
    """

    child: processes.Child
    limits: dict[str, Any]
    say: Callable[[Message], None]
    started: float
    open_streams: int = 2
    printed: int = 0
    tail: dict[str, bytes] = field(default_factory=dict)
    cleaners: dict[str, Cleaner] = field(default_factory=lambda: {"stdout": Cleaner(), "stderr": Cleaner()})
    peak_memory: int = 0
    checked: float = 0.0
    outcome: str | None = None
    abandoned: bool = False


def carry_out(request: Message, inbox: queue.Queue[Event], say: Callable[[Message], None]) -> Message:
    """Runs one snippet, or the description of the environment, to its end.

    Args:
        request: `directory`, `limits`, `device`, `environment` (variables to add), and for a run `snippet`
            and `name`.
        inbox: where cancellation and the loss of the server arrive.
        say: sends what is printed as it comes.

    Returns:
        The message that ends the request. Nothing that was started is left when it is returned.

    Raises:
        OSError: the server is gone. Nothing that was started is left then either.
    """
    report = os.path.join(request["directory"], "report")
    job = _start(request, report, inbox, say)
    try:
        while job.outcome is None and job.child.exit_code is None:
            _step(job, inbox)
    finally:
        seconds = time.monotonic() - job.started
        processes.end_all(job.child)
    _drain(job, inbox)
    if job.abandoned:
        raise ConnectionAbortedError("the server is gone")
    return _ending(job, seconds, report)


def _start(request: Message, report: str, inbox: queue.Queue[Event], say: Callable[[Message], None]) -> Job:
    order: Message = {key: request[key] for key in ("snippet", "name") if key in request}
    order |= {
        "parent": os.getpid(),
        "report": report,
        "limits": request["limits"],
        "device": request["device"],
    }
    here = os.path.dirname(os.path.abspath(__file__))
    working = os.path.join(request["directory"], "work")
    os.makedirs(working, exist_ok=True)
    started = time.monotonic()
    popen = subprocess.Popen(
        # -E: none of the user's PYTHON… variables. Not -I: torch may be in the user's own site-packages.
        [sys.executable, "-E", "-B", here, "child", json.dumps(order)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=working,
        env={**os.environ, **request["environment"]},
        start_new_session=True,
    )
    job = Job(processes.Child(popen), request["limits"], say, started)
    for stream, pipe in (("stdout", popen.stdout), ("stderr", popen.stderr)):
        threading.Thread(target=_read, args=(job, stream, pipe, inbox), daemon=True).start()
    return job


def _read(job: Job, stream: str, pipe: IO[bytes], inbox: queue.Queue[Event]) -> None:
    """Passes on what comes. The inbox is bounded, so a snippet that floods it waits for us, not we for it."""
    with contextlib.suppress(OSError, ValueError):
        while data := os.read(pipe.fileno(), CHUNK):
            inbox.put(("output", (job, stream, data)))
    pipe.close()
    inbox.put(("closed", job))


def _step(job: Job, inbox: queue.Queue[Event]) -> None:
    """Handles what came, then looks at the clock, the processes and whether the snippet has ended."""
    try:
        # Both streams closed: it ends in this moment, or it closed them itself.
        _handle(job, inbox.get(timeout=TICK if job.open_streams else TICK / 10))
    except queue.Empty:
        pass
    now = time.monotonic()
    if now - job.started >= job.limits["seconds"]:
        job.outcome = job.outcome or "timeout"
        processes.ask_where(job.child)
        _listen(job, inbox, _WHERE)
    if now - job.checked >= TICK:
        job.checked = now
        _check(job)
    processes.reap(job.child)


def _handle(job: Job, event: Event) -> None:
    kind, value = event
    if kind == "output" and value[0] is job:
        _relay(job, value[1], value[2])
    elif kind == "closed" and value is job:
        job.open_streams -= 1
    elif kind == "message" and value.get("type") == "cancel":
        job.outcome = job.outcome or "cancelled"
    elif kind == "gone":
        job.outcome, job.abandoned = "cancelled", True


def _relay(job: Job, stream: str, data: bytes) -> None:
    left = job.limits["output"] - job.printed
    job.printed += len(data)
    text = job.cleaners[stream].clean(data[:left] if left < len(data) else data) if left > 0 else ""
    if text:
        job.say({"type": "output", "stream": stream, "text": text})
    if len(data) > left:
        job.outcome = job.outcome or "output limit"
        job.tail[stream] = (job.tail.get(stream, b"") + data[max(left, 0) :])[-TAIL:]


def _check(job: Job) -> None:
    """Counts what descends from the agent, and weighs it."""
    pids = processes.descendants()
    if len(pids) > job.limits["processes"]:
        job.outcome = job.outcome or "process limit"
        return
    memory = processes.resident_memory(pids)
    limit = job.limits["memory"]
    if limit is not None and memory > limit:
        memory = processes.own_memory(pids)
        if memory > limit:
            job.outcome = job.outcome or "memory limit"
    job.peak_memory = max(job.peak_memory, memory)


def _drain(job: Job, inbox: queue.Queue[Event]) -> None:
    """Reads what is left in the pipes of a process that has ended, and what was held back."""
    _listen(job, inbox, _DRAIN)
    for stream, cleaner in job.cleaners.items():
        tail = job.tail.get(stream)
        text = cleaner.clean(b"", last=True)
        if tail:
            # The cut may lie within a character or an escape.
            text += f"\n[… output limit of {job.limits['output']} bytes reached …]\n" + Cleaner().clean(
                tail, last=True
            )
        if text:
            job.say({"type": "output", "stream": stream, "text": text})


def _listen(job: Job, inbox: queue.Queue[Event], seconds: float) -> None:
    """Handles what comes within this time, or until there is nothing left that something could come from."""
    deadline = time.monotonic() + seconds
    while job.open_streams and time.monotonic() < deadline:
        with contextlib.suppress(queue.Empty):
            _handle(job, inbox.get(timeout=TICK))


def _ending(job: Job, seconds: float, report: str) -> Message:
    said = {message.get("type"): message for message in _read_report(report)}
    code = job.child.exit_code
    peak = max(job.peak_memory, job.child.peak_memory)
    return {
        "type": "result",
        "outcome": job.outcome or _judge(code),
        "exit_code": code,
        "seconds": round(seconds, 6),
        "truncated": bool(job.tail),
        "peak_memory": peak or None,
        "error": said.get("error"),
        "device": said.get("device", {}).get("device"),
        "environment": said.get("environment"),
    }


def _judge(code: int | None) -> str:
    if code is None:
        return "killed"
    if code == 0:
        return "finished"
    if code > 0:
        # Windows reports a crash as a status of the NT kernel, 0xC0000005 for one.
        return "crashed" if code >= 0xC0000000 else "error"
    if -code == getattr(signal, "SIGXCPU", math.inf):
        return "timeout"
    return "crashed" if -code in _CRASHES else "killed"


def _read_report(path: str) -> list[Message]:
    # A snippet may have put anything in its place: a pipe that nobody writes to, a link to somewhere else.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            lines = (file.read(_LONGEST_REPORT) or b"").split(b"\n")
    except OSError:
        return []
    messages = []
    for line in lines:
        with contextlib.suppress(ValueError):
            message = json.loads(line)
            if isinstance(message, dict):
                messages.append(message)
    return messages
