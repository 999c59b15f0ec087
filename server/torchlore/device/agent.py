"""The one seam between torchlore and a process of the user's interpreter.

`open_agent` starts an agent and ends it. A warm agent, kept between runs, is another way to open one: what is
done with it stays the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torchlore.device import environment
from torchlore.device.model import HOW_TO_CHOOSE, Interpreter, NotAllowed

PROTOCOL = 1
"""Must be `torchlore_agent.PROTOCOL`."""

HELLO_SECONDS = 20.0
"""How long an interpreter may take to start; a cold one on a network disk takes seconds."""

OLDEST = (3, 9)
"""The oldest Python that the agent runs on."""

MARK = "TORCHLORE_RUN"
"""A variable, its value unique, in all that an agent starts: by it that is found without the agent."""

Message = dict[str, Any]

T = TypeVar("T")

_LONGEST_LINE = 8 << 20
_GOODBYE_SECONDS = 2.0
_LONGEST_STDERR = 4000


@dataclass(frozen=True, slots=True)
class Agent:
    """A running agent.

    Attributes:
        interpreter: the one that was asked for.
        hello: what it said of itself: `python`, `executable`, `torch` (whether there is one).
        directory: a directory that is this agent's alone and vanishes with it.
    """

    interpreter: Interpreter
    process: asyncio.subprocess.Process
    hello: Message
    directory: Path
    mark: str

    async def ask(self, request: Message) -> AsyncGenerator[Message, None]:
        """Sends a request; yields what comes back, the last of it being the `result`.

        Raises:
            ConnectionError: the agent ended before the result came.
        """
        _send(self.process, request)
        while True:
            message = await _receive(self.process)
            if message is None:
                raise ConnectionError("the agent ended")
            yield message
            if message.get("type") == "result":
                return

    def kill(self) -> None:
        """Ends an agent that keeps no time, or that is gone, and all that it started."""
        _kill(self.process, self.mark)


@contextlib.asynccontextmanager
async def open_agent(interpreter: Interpreter) -> AsyncIterator[Agent]:
    """An agent of this interpreter. However the block is left, nothing that it started is left.

    Raises:
        NotAllowed: the interpreter cannot be started, or is not a Python that can run the agent.
    """
    _check_file(interpreter)
    directory = _new_directory()
    mark = secrets.token_hex(16)
    process = None
    try:
        process = await _start(interpreter, directory, mark)
        errors: list[bytes] = []
        listener = asyncio.ensure_future(_keep_errors(process, errors))
        try:
            yield Agent(interpreter, process, await _hello(interpreter, process, errors), directory, mark)
        finally:
            await _unhurried(_end(process, mark))
            listener.cancel()
    finally:
        if process is not None and process.returncode is None:
            _kill(process, mark)
        _remove(directory)


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
        _kill(process, mark)
        await process.wait()
    reader.cancel()


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; raises asyncio.TimeoutError where it takes longer.

    Not `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes together with the result.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise asyncio.TimeoutError
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


async def _unhurried(work: Any) -> None:
    """Awaits the work to its end though the task be cancelled meanwhile, then passes that on."""
    task = asyncio.ensure_future(work)
    cancelled = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


def _kill(process: asyncio.subprocess.Process, mark: str) -> None:
    """Ends an agent that did not end well, and what it may have left."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    if sys.platform == "linux":
        for _ in range(10):
            if not _kill_marked(f"{MARK}={mark}".encode()):
                return


def _kill_marked(entry: bytes) -> int:
    """Kills every process of this user whose environment carries the mark. Returns how many there were."""
    count = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if entry in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                count += 1
    return count


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


def _new_directory() -> Path:
    """Nobody else may enter it. Links are followed: macOS's temporary directory lies behind one."""
    return Path(tempfile.mkdtemp(prefix="torchlore-")).resolve()


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


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    if not directory.exists():
        return
    # A snippet may have taken the right to write away from its own folders.
    for folder, inside, _ in os.walk(directory):
        for path in (Path(folder, name) for name in inside):
            if not path.is_symlink():  # The rights of what it links to are none of ours.
                with contextlib.suppress(OSError):
                    path.chmod(stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)
