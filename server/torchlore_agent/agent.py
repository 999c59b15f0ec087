"""The agent's own loop: says who it is, carries out what the server asks, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import queue
import shutil
import sys
import threading
from collections.abc import Callable

from torchlore_agent import PROTOCOL, gpus, processes, warm
from torchlore_agent.job import Event
from torchlore_agent.watch import carry_out
from torchlore_agent.wire import Message, claim_pipe, receive, send


def main() -> None:
    """Serves until the server closes the pipe, or dies, which is the same.

    Requests: `{"type": "run" | "describe", …}` (see `carry_out`; with `warm`, torch stays imported for the
    next run; with `last`, nothing is made ready for that), `{"type": "warm"}` (torch is imported now, for the
    first), `{"type": "look"}` (how much of the GPUs is in use), `{"type": "cancel"}`.
    Answers: one `hello`; per run or description a `started`, any number of `output` and one `result`; to a
    look a `seen` with its `number`.
    """
    requests, answers = claim_pipe()
    home = os.getcwd()  # The server made it for this agent.
    os.chdir(os.path.abspath(os.sep))  # Windows keeps a directory in which somebody stands.
    processes.become_subreaper()
    # Bounded: a snippet that floods its output waits, and no memory is filled.
    inbox: queue.Queue[Event] = queue.Queue(maxsize=16)
    threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()
    with contextlib.suppress(OSError):  # The server is gone in the middle of an answer.
        send(answers, _hello())
        _serve(inbox, lambda answer: send(answers, answer))
    processes.end_all(None)
    shutil.rmtree(home, ignore_errors=True)
    # Not sys.exit: a reading thread may be stuck in a pipe that never closes.
    os._exit(0)


def _serve(inbox: queue.Queue[Event], say: Callable[[Message], None]) -> None:
    """Carries out one request after the other until the server is gone."""
    nursery: warm.Nursery | None = None
    is_last = False
    while True:
        kind, value = inbox.get()
        if kind == "gone":
            if nursery is not None:
                nursery.give_up()
            return
        if kind == "nursery":
            value[0].hear(value[1])
        asked = value.get("type") if kind == "message" else None
        if asked == "warm" or (asked in ("run", "describe") and value.get("warm")):
            nursery = _kept(nursery, inbox)
        if asked == "look":
            say({"type": "seen", "number": value.get("number"), "gpus": gpus.in_use()})
        if asked in ("run", "describe"):
            is_last = value.get("last") is True
            say(carry_out(value, inbox, say, nursery))
        if nursery is not None and nursery.ended:
            processes.end_all(None)
        elif nursery is not None and not is_last:
            nursery.prepare()


def _kept(nursery: warm.Nursery | None, inbox: queue.Queue[Event]) -> warm.Nursery | None:
    """The nursery, a new one where it was killed. One that could never import torch is not tried again."""
    if nursery is None or (nursery.ended and nursery.loaded):
        return warm.start(inbox)
    return nursery


def _listen(requests: int, inbox: queue.Queue[Event]) -> None:
    for message in receive(requests):
        inbox.put(("message", message))
    inbox.put(("gone", None))


def _hello() -> Message:
    try:
        torch = importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        torch = False
    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "python": platform.python_version(),
        "executable": sys.executable,
        "pid": os.getpid(),
        "torch": torch,
        "paths": [path for path in sys.path if os.path.isdir(path)],
    }
