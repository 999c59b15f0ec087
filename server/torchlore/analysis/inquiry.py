"""Asks what installed packages make, in a process of its own that may hang, crash or eat memory.

The process is of our own interpreter, never of the user's; it is started with the first question, and it
ends with a question that takes too long, when it is closed, and when we end, however that happens: its
input ends then.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

_LOG = logging.getLogger(__name__)

SECONDS = 10.0
"""How long a question may take. jedi itself takes one or two at first, on a cold disk several."""

_STARTS = 5
"""How often a process is started: where every question kills it, we stop asking."""

_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:];"  # first of all: nothing is imported from the current folder
    "from torchlore.analysis.installed import serve; serve(float(sys.argv[1]))"
)


class Inquiry:
    """A process that answers questions about installed packages, one at a time.

    Questions come from one thread; `close` may be called from any other, also during a question.
    """

    def __init__(self, seconds: float = SECONDS, command: Sequence[str] | None = None) -> None:
        """Starts nothing.

        Args:
            seconds: how long one question may take, the start of the process included.
            command: what to run instead of our own program.
        """
        self._seconds = seconds
        self._command = list(command) if command is not None else _own_command(seconds)
        self._process: subprocess.Popen[str] | None = None
        self._starts = 0
        self._is_closed = False
        self._lock = threading.Lock()

    def ask(self, name: str, packages: Sequence[str]) -> str | None:
        """The torch class of what calling `name` makes; see `installed.torch_made`.

        None as well where the process failed or took too long. Nothing is raised.
        """
        process = self._running()
        if process is None:
            return None
        late = threading.Timer(self._seconds, _kill, [process])
        late.daemon = True
        late.start()
        try:
            return _exchange(process, {"name": name, "packages": list(packages)})
        except (OSError, ValueError) as error:
            _LOG.info("nobody could tell what %s makes: %s", name, error)
            self._end(process)
            return None
        finally:
            late.cancel()

    def close(self) -> None:
        """Ends the process, whatever it is doing; later questions are not asked."""
        with self._lock:
            self._is_closed = True
            process = self._process
        if process is not None:
            self._end(process)

    @property
    def process(self) -> int | None:
        """The id of the process that runs now."""
        return self._process.pid if self._process is not None else None

    def _running(self) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._is_closed or not self._command:
                return None
            if self._process is not None and self._process.poll() is None:
                return self._process
            if self._starts >= _STARTS:
                return None
            self._starts += 1
            try:
                self._process = _start(self._command)
            except OSError as error:
                _LOG.info("no process to ask about installed packages: %s", error)
                return None
            return self._process

    def _end(self, process: subprocess.Popen[str]) -> None:
        _kill(process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
        with self._lock:
            if self._process is process:
                self._process = None


def _own_command(seconds: float) -> list[str]:
    """Nothing where we do not know our own interpreter (in a frozen program)."""
    if not sys.executable or getattr(sys, "frozen", False):
        return []
    # Entries that are not absolute would be looked up in the folder that it runs in.
    path = [entry for entry in sys.path if Path(entry).is_absolute()]
    return [sys.executable, "-c", _PROGRAM, str(seconds * 1.5), *path]


def _start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        cwd=tempfile.gettempdir(),  # not the workspace, which on Windows could not be removed meanwhile
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        start_new_session=True,  # Ctrl+C in a terminal is for us
    )


def _exchange(process: subprocess.Popen[str], question: dict[str, object]) -> str | None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise ValueError("the process ended")
    answer = json.loads(line)
    made = answer.get("made") if isinstance(answer, dict) else None
    return made if isinstance(made, str) else None


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        process.kill()
