"""The agent's own loop: says who it is, carries out what the server asks, and leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import platform
import queue
import shutil
import sys
import threading

from torchlore_agent import PROTOCOL, processes
from torchlore_agent.watch import Event, carry_out
from torchlore_agent.wire import Message, claim_pipe, receive, send


def main() -> None:
    """Serves until the server closes the pipe, or dies, which is the same.

    Requests: `{"type": "run" | "describe", …}` (see `carry_out`), `{"type": "cancel"}`.
    Answers: one `hello`; per request any number of `output` and one `result`.
    """
    requests, answers = claim_pipe()
    processes.become_subreaper()
    # Bounded: a snippet that floods its output waits, and no memory is filled.
    inbox: queue.Queue[Event] = queue.Queue(maxsize=16)
    threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()
    directories: set[str] = set()
    try:
        send(answers, _hello())
        while True:
            kind, message = inbox.get()
            if kind == "gone":
                break
            if kind == "message" and message.get("type") in ("run", "describe"):
                directories.add(message["directory"])
                send(answers, carry_out(message, inbox, lambda answer: send(answers, answer)))
    except OSError:
        pass  # The server is gone in the middle of an answer.
    os.chdir(os.path.abspath(os.sep))  # Windows keeps a directory in which somebody stands.
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)
    # Not sys.exit: a reading thread may be stuck in a pipe that never closes.
    os._exit(0)


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
    }
