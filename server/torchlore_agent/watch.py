"""Starts the process of a snippet, watches over it, and ends it and all that it started."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import time
from collections.abc import Callable

from torchlore_agent import cgroups, processes
from torchlore_agent.job import Event, Job
from torchlore_agent.output import TAIL, Cleaner
from torchlore_agent.starting import begin, hear
from torchlore_agent.warm import Nursery
from torchlore_agent.wire import Message

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


def carry_out(
    request: Message,
    inbox: queue.Queue[Event],
    say: Callable[[Message], None],
    nursery: Nursery | None = None,
) -> Message:
    """Runs one snippet, or the description of the environment, to its end.

    Args:
        request: `directory`, `limits`, `device`, `environment` (variables to add), `network` (false: cut off
            where that can be had), and for a run `snippet` and `name`, perhaps `home`, `lines` and `measure`
            (see `child.main`).
        inbox: where cancellation and the loss of the server arrive.
        say: sends `started`, before which nothing of the snippet has run, and what is printed as it comes.
        nursery: where the process is forked, once it is ready; None to start a new interpreter.

    Returns:
        The message that ends the request. Nothing that was started is left when it is returned, but for the
        nursery.

    Raises:
        OSError: the server is gone. Nothing that was started is left then either.
    """
    job = Job(request, say, time.monotonic(), nursery)
    if "snippet" in request:
        job.group = cgroups.group_for(job.limits)
    try:
        begin(job, inbox)
        while job.outcome is None and (job.child is None or job.child.exit_code is None):
            _step(job, inbox)
    finally:
        seconds = time.monotonic() - job.started
        if job.group is not None:
            job.group.kill()
        processes.end_all(job.child, job.others)
        out_of_memory = job.group is not None and _left(job.group)
    _drain(job, inbox)
    if job.abandoned:
        raise ConnectionAbortedError("the server is gone")
    if out_of_memory and job.outcome is None and job.child is not None and job.child.exit_code != 0:
        job.outcome = "memory limit"
    return _ending(job, seconds)


def _left(group: cgroups.Group) -> bool:
    """Removes the group; whether the kernel ended something in it because it had no memory left."""
    ran_out = group.ran_out_of_memory()
    group.remove()
    return ran_out


def _step(job: Job, inbox: queue.Queue[Event]) -> None:
    """Handles what came, then looks at the clock, the processes and whether the snippet has ended."""
    try:
        # Both streams closed: it ends in this moment, or it closed them itself.
        _handle(job, inbox.get(timeout=TICK if job.open_streams or job.child is None else TICK / 10), inbox)
    except queue.Empty:
        pass
    now = time.monotonic()
    if job.child is None:
        _wait_for_nursery(job, inbox, now - job.started)
    elif now - job.started >= job.limits["seconds"]:
        job.outcome = job.outcome or "timeout"
        if job.child is not None:
            processes.ask_where(job.child)
            _listen(job, inbox, _WHERE)
    if now - job.checked >= TICK:
        job.checked = now
        _check(job)
        if job.child is not None and job.nursery is not None and job.request.get("last") is not True:
            job.nursery.prepare_beside(now - job.started)
    if job.child is not None:
        processes.reap(job.child)
    if _never_began(job):
        job.child, job.again = None, True
        begin(job, inbox)


def _never_began(job: Job) -> bool:
    """Whether the process that waited for an order was killed in the moment in which it got this one."""
    if job.nursery is None or job.child is None or job.again or job.outcome is not None:
        return False
    return job.child.exit_code == -getattr(signal, "SIGKILL", 9) and not os.path.exists(
        job.report + processes.BEGUN
    )


def _wait_for_nursery(job: Job, inbox: queue.Queue[Event], seconds: float) -> None:
    """Nothing of the snippet's time has passed yet. A nursery that is stuck is not waited for for ever."""
    nursery = job.nursery
    if nursery is not None and nursery.is_stuck(seconds):
        nursery.give_up()
        hear(job, None, inbox)


def _handle(job: Job, event: Event, inbox: queue.Queue[Event]) -> None:
    kind, value = event
    if kind == "output" and value[0] is job:
        _relay(job, value[1], value[2])
    elif kind == "closed" and value is job:
        job.open_streams -= 1
    elif kind == "nursery":
        value[0].hear(value[1])
        if value[0] is job.nursery:
            hear(job, value[1], inbox)
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
    pids = processes.descendants(job.others)
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
            _handle(job, inbox.get(timeout=TICK), inbox)


def _ending(job: Job, seconds: float) -> Message:
    reports = _read_report(job.report)
    said = {message.get("type"): message for message in reports}
    code = None if job.child is None else job.child.exit_code
    peak = job.peak_memory if job.child is None else max(job.peak_memory, job.child.peak_memory)
    return {
        "type": "result",
        "outcome": job.outcome or _judge(code),
        "exit_code": code,
        "seconds": round(seconds, 6),
        "truncated": bool(job.tail),
        "peak_memory": peak or None,
        "error": said.get("error"),
        "device": said.get("device", {}).get("device"),
        "peak_device_memory": said.get("device", {}).get("peak"),
        "own_seconds": said.get("device", {}).get("seconds"),
        "offline": said.get("device", {}).get("offline"),
        "value": said.get("value", {}).get("value"),
        "warnings": [message for message in reports if message.get("type") == "warning"],
        "pictures": [message.get("file") for message in reports if message.get("type") == "picture"],
        "lines": [message for message in reports if message.get("type") == "line"],
        "curves": [message for message in reports if message.get("type") == "curve"],
        "measured": said.get("measured", {}).get("measured"),
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
