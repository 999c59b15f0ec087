"""The one seam between torchlore and a process of the user's interpreter.

`open_agent` starts an agent and ends it. `Crew` keeps one between runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchlore.device import environment
from torchlore.device.interpreter import Interpreter
from torchlore.device.leaving import MARK, kill, new_directory, remove
from torchlore.device.model import HOW_TO_CHOOSE
from torchlore.device.trust import NotAllowed
from torchlore.device.waiting import unhurried, within

PROTOCOL = 3
"""Must be `torchlore_agent.PROTOCOL`."""

HELLO_SECONDS = 20.0
"""How long an interpreter may take to start; a cold one on a network disk takes seconds."""

OLDEST = (3, 9)
"""The oldest Python that the agent runs on."""

Message = dict[str, Any]

_LONGEST_LINE = 8 << 20
_GOODBYE_SECONDS = 2.0
_LONGEST_STDERR = 4000


@dataclass(slots=True)
class Agent:
    """A running agent.

    Attributes:
        interpreter: the one that was asked for.
        hello: what it said of itself: `python`, `executable`, `torch` (whether there is one), `paths` (where
            it finds modules).
        directory: a directory that is this agent's alone and vanishes with it.
        busy: it was asked for something and has not given the result.
    """

    interpreter: Interpreter
    process: asyncio.subprocess.Process
    hello: Message
    directory: Path
    mark: str
    busy: bool = False

    def send(self, request: Message) -> None:
        """Sends a message; where the agent is gone, `receive` will tell."""
        if request["type"] in ("run", "describe"):
            self.busy = True
        with contextlib.suppress(OSError):
            _send(self.process, request)

    async def receive(self) -> Message:
        """The next message; the last one that a request gets is a `result`.

        Raises:
            ConnectionError: the agent ended before.
        """
        message = await _receive(self.process)
        if message is None:
            raise ConnectionError("the agent ended")
        if message.get("type") == "result":
            self.busy = False
        return message

    async def kill(self) -> None:
        """Ends an agent that keeps no time, or that is gone, and all that it started."""
        kill(self.process, self.mark)
        self.busy = False
        with contextlib.suppress(asyncio.TimeoutError):
            await within(_GOODBYE_SECONDS, self.process.wait())


@contextlib.asynccontextmanager
async def open_agent(interpreter: Interpreter) -> AsyncIterator[Agent]:
    """An agent of this interpreter. However the block is left, nothing that it started is left.

    Raises:
        NotAllowed: the interpreter cannot be started, or is not a Python that can run the agent.
    """
    _check_file(interpreter)
    directory = new_directory()
    mark = secrets.token_hex(16)
    process = None
    try:
        process = await _start(interpreter, directory, mark)
        errors: list[bytes] = []
        listener = asyncio.ensure_future(_keep_errors(process, errors))
        try:
            yield Agent(interpreter, process, await _hello(interpreter, process, errors), directory, mark)
        finally:
            await unhurried(_end(process, mark))
            listener.cancel()
    finally:
        if process is not None and process.returncode is None:
            kill(process, mark)
        remove(directory)


async def _start(interpreter: Interpreter, directory: Path, mark: str) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            interpreter.path,
            # -E: none of the user's PYTHON… variables. Not -I: torch may be in the user's own site-packages.
            *("-E", "-B", str(_agent_directory())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=directory,
            env=_variables(interpreter, directory, mark),
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
    except PermissionError:
        raise _refusal(interpreter, "may not be executed") from None
    except OSError as error:
        raise _refusal(interpreter, f"cannot be started ({error.strerror or error})") from None


def _variables(interpreter: Interpreter, directory: Path, mark: str) -> dict[str, str]:
    variables = environment.current()
    # As an activated environment has it, so that a snippet finds `torchrun` and `ninja`.
    programs = os.pathsep.join(filter(None, [str(Path(interpreter.path).parent), variables.get("PATH")]))
    # Nothing shall wait for someone to close a window.
    variables |= {MARK: mark, "PATH": programs, "MPLBACKEND": "Agg"}
    return variables | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(directory))


async def _hello(
    interpreter: Interpreter, process: asyncio.subprocess.Process, errors: list[bytes]
) -> Message:
    try:
        message = await within(HELLO_SECONDS, _first_hello(process))
    except asyncio.TimeoutError:
        raise _refusal(interpreter, f"did not answer within {HELLO_SECONDS:g} seconds") from None
    if message is None:
        with contextlib.suppress(asyncio.TimeoutError):
            await within(1, process.wait())
        said = _last_line(b"".join(errors))
        raise _refusal(
            interpreter, "did not start as a Python 3 would" + (f" (it said: {said})" if said else "")
        )
    version = str(message.get("python"))
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise _refusal(
            interpreter, f"is Python {version}, and {'.'.join(map(str, OLDEST))} or newer is needed"
        )
    if message.get("protocol") != PROTOCOL:
        raise _refusal(
            interpreter,
            f"answers in version {message.get('protocol')} of the agent's protocol, not {PROTOCOL}",
        )
    return message


async def _first_hello(process: asyncio.subprocess.Process) -> Message | None:
    """Passes over what a `sitecustomize` prints, which comes first."""
    while (message := await _receive(process)) is not None:
        if message.get("type") == "hello":
            break
    return message


async def _end(process: asyncio.subprocess.Process, mark: str) -> None:
    """Closes the agent's pipe, upon which it kills what it started and goes; makes sure that it does."""
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(OSError):
        _send(process, {"type": "cancel"})
    process.stdin.close()
    reader = asyncio.ensure_future(_discard(process.stdout))
    try:
        code = await within(_GOODBYE_SECONDS, process.wait())
    except asyncio.TimeoutError:
        code = None
    if code != 0:
        kill(process, mark)
        await process.wait()
    reader.cancel()


def _check_file(interpreter: Interpreter) -> None:
    path = Path(interpreter.path)
    if not path.exists():
        raise _refusal(interpreter, "does not exist")
    if path.is_dir():
        raise _refusal(interpreter, "is a folder without a Python in it")
    if not os.access(path, os.X_OK):
        raise _refusal(interpreter, "may not be executed")


def _refusal(interpreter: Interpreter, what: str) -> NotAllowed:
    return NotAllowed(f"The interpreter {interpreter} {what}; {HOW_TO_CHOOSE}.")


def _agent_directory() -> Path:
    """Found without importing it: the agent is the user's interpreter's business."""
    spec = importlib.util.find_spec("torchlore_agent")
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _send(process: asyncio.subprocess.Process, message: Message) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message).encode("ascii") + b"\n")


async def _receive(process: asyncio.subprocess.Process) -> Message | None:
    """The next message; None at the end. What is no message is passed over."""
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except (ValueError, ConnectionError):  # A line without end is no message either.
            return None
        if not line:
            return None
        with contextlib.suppress(ValueError):
            message = json.loads(line)
            if isinstance(message, dict):
                return message


async def _keep_errors(process: asyncio.subprocess.Process, errors: list[bytes]) -> None:
    """Reads what the agent says on stderr, so that it never waits for us, and keeps the beginning."""
    assert process.stderr is not None
    kept = 0
    while data := await process.stderr.read(1 << 14):
        if kept < _LONGEST_STDERR:
            errors.append(data)
            kept += len(data)


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(1 << 16):
        pass


def _last_line(data: bytes) -> str:
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "", lines[-1])[:200] if lines else ""
