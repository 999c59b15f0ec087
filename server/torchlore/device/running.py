"""Running a snippet, and asking what there is to run it on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torchlore.device import environment
from torchlore.device.agent import Agent, Message, open_agent
from torchlore.device.choice import Use, choose
from torchlore.device.crew import Crew, interrupt
from torchlore.device.curves import curves_in
from torchlore.device.interpreter import Interpreter
from torchlore.device.leaving import new_directory, remove
from torchlore.device.measured import Question, measured_in
from torchlore.device.model import (
    HOW_TO_CHOOSE,
    DeviceInfo,
    Environment,
    Limits,
    RunError,
    RunResult,
)
from torchlore.device.observed import lines_in, pictures_in, value_in, warnings_in
from torchlore.device.output import OnOutput, OnStart, Output
from torchlore.device.trust import NotAllowed, Trust, require
from torchlore.device.waiting import unhurried, within

log = logging.getLogger(__name__)

DESCRIBE_SECONDS = 60.0
"""How long `import torch` and asking the drivers may take; a cold disk needs half a minute."""

_START_SECONDS = 90.0
"""How long an agent may take until a snippet starts: a nursery imports torch first."""

_ATTEMPTS = 2
"""An agent may have been killed while it was at rest."""

_LOST = "lost"
"""The outcome of a run whose agent ended before anything of the snippet ran."""

_LOOK_SECONDS = 2.0
"""How long a driver may take to say what is in use."""

_GRACE_SECONDS = 3.0
"""How long after a run's time limit an agent that says nothing is given up. A snippet can stop its agent."""

# What `faulthandler` writes of a stack, and the frames below the snippet, which say nothing to its reader.
_STACK = re.compile(r"^Stack \(most recent call first\):$", re.MULTILINE)
_OUR_FRAMES = re.compile(
    r'^  File "(?:[^"\n]*torchlore_agent[^"\n]*|<frozen runpy>)", line .*\n', re.MULTILINE
)

DEFAULT_LIMITS = Limits()


async def describe(interpreter: Interpreter, trust: Trust, crew: Crew | None = None) -> Environment:
    """What this interpreter is and which devices its torch sees. Imports torch there, so it takes seconds.

    Never raises because of the interpreter: what is wrong with it is in `problem`.

    Args:
        interpreter: from `find_interpreter`.
        trust: of the workspace.
        crew: whose agent to ask, where torch may be imported already.

    Raises:
        NotAllowed: the workspace is not trusted.
    """
    require(trust)
    limits = Limits(seconds=DESCRIBE_SECONDS)
    try:
        async with _agent_of(interpreter, crew) as agent:
            hello = agent.hello
            result = await _ask(agent, _request("describe", limits, None, crew), Output(None))
    except NotAllowed as refusal:
        return Environment("", interpreter.path, None, (), str(refusal))
    return _environment(interpreter, hello, result)


async def run(
    code: str,
    *,
    name: str,
    interpreter: Interpreter,
    trust: Trust,
    limits: Limits = DEFAULT_LIMITS,
    device: str | None = None,
    on_output: OnOutput | None = None,
    on_start: OnStart | None = None,
    crew: Crew | None = None,
    home: Path | None = None,
    lines: tuple[int, int] | None = None,
    question: Question | None = None,
    processes: int | None = None,
) -> RunResult:
    """Runs a snippet in a process of its own and waits for its end.

    Cancelling the awaiting task kills everything that was started, before the cancellation goes on.

    Args:
        code: Python source.
        name: what tracebacks call it: "zero-grad.py".
        interpreter: from `find_interpreter`.
        trust: of the workspace.
        limits: what it may use.
        device: "cpu", "cuda:1", …: the only device that it sees (see `environment.for_device`); None for all.
        on_output: called in the event loop with "stdout" or "stderr" and clean text as it comes, carriage
            returns of progress bars included; before that perhaps with "notice" and a sentence about the
            device.
        on_start: called in the event loop when its process starts; one of a crew's agent has torch imported.
        crew: whose agent runs it, and stays; None for an agent that is started for this run and ends with it.
        home: the folder of the user's own code: relative paths begin there, and its modules can be imported,
            but hide no installed ones; None for a folder of the run's own.
        lines: the first and the last line, from 1, of which is told what their statements give.
        question: about the model that the last expression, a function without parameters, makes.
        processes: in how many `torchrun` runs it; None to run it in one, without.

    Raises:
        NotAllowed: nothing was run; the workspace is not trusted, the interpreter cannot run it, or the
            device has no memory free to start on.
    """
    require(trust)
    if device is not None and not re.fullmatch(r"[a-z]+(:\d+)?", device):
        raise NotAllowed(
            f"{device!r} is not a device; devices are called like `cpu`, `cuda`, `cuda:1`, `mps` or `xpu:0`."
        )
    output = Output(on_output, on_start)
    shown = re.sub(r"[\x00-\x1f\x7f-\x9f]", "", name) or _file_name(name)
    more = _more(home, lines, question, processes)
    started = time.monotonic()
    for _ in range(_ATTEMPTS):
        async with _agent_of(interpreter, crew) as agent:
            if not agent.hello.get("torch") and re.search(r"\btorch", code):
                raise NotAllowed(f"The interpreter {interpreter} has no torch; {HOW_TO_CHOOSE}.")
            choice = choose(device, await _look(agent), os.environ)
            for notice in choice.notices:
                output.tell(notice)
            # Several processes import torch themselves: nothing is gained by one that has it.
            request = _request("run", limits, choice.device, crew if processes is None else None)
            request |= {**more, "name": shown}
            result = await _run_on(agent, code, request, output)
        if result["outcome"] != _LOST:
            break
        log.warning("the agent of %s ended before it ran anything; another one is started", interpreter)
    seconds = result.get("seconds")
    if seconds is None:
        seconds = time.monotonic() - started
    return _result(result, output, shown, choice.device, seconds)


def _more(
    home: Path | None, lines: tuple[int, int] | None, question: Question | None, processes: int | None
) -> Message:
    """What only some runs ask for, as the agent is asked for it."""
    asked = {
        "home": home and str(home),
        "lines": lines,
        "measure": question and question.message(),
        "processes": processes,
    }
    return {key: value for key, value in asked.items() if value is not None}


async def _look(agent: Agent) -> list[Use]:
    """The GPUs as their drivers see them; none where the agent cannot say."""
    number = time.monotonic_ns()  # The answer to a look that was cancelled may still be on its way.
    agent.send({"type": "look", "number": number})
    deadline = time.monotonic() + _LOOK_SECONDS
    message: Message = {}
    try:
        while message.get("number") != number:
            message = await within(deadline - time.monotonic(), agent.receive())
    except (asyncio.TimeoutError, ConnectionError):
        return []  # The run that follows will tell.
    return [Use(**gpu) for gpu in message["gpus"]]


def _agent_of(interpreter: Interpreter, crew: Crew | None) -> contextlib.AbstractAsyncContextManager[Agent]:
    return open_agent(interpreter) if crew is None else crew.hire(interpreter)


async def _run_on(agent: Agent, code: str, request: Message, output: Output) -> Message:
    """One run, in a directory that vanishes with it."""
    directory = new_directory(agent.directory)
    snippet = directory / _file_name(request["name"])
    snippet.write_bytes(code.encode("utf-8", "surrogatepass"))
    request = {**request, "snippet": str(snippet), "directory": str(directory)}
    request["environment"] |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(directory))
    try:
        result = await _ask(agent, request, output)
        return {**result, "pictures": pictures_in(result.get("pictures"), directory)}
    finally:
        await unhurried(_clear(agent, directory))


async def _clear(agent: Agent, directory: Path) -> None:
    if agent.busy:  # It has to end first what stands in there.
        await interrupt(agent)
    await asyncio.to_thread(remove, directory)


def _request(kind: str, limits: Limits, device: str | None, crew: Crew | None) -> Message:
    return {
        "type": kind,
        "limits": {**asdict(limits), "memory": limits.memory or _free_memory()},
        "device": device,
        "environment": environment.for_device(device, os.environ),
        "network": limits.network,
        "warm": crew is not None,
        "last": crew is not None and not crew.expects_more,
    }


async def _ask(agent: Agent, request: Message, output: Output) -> Message:
    """The agent's result; one of its own where the agent did not live, or did not keep its time."""
    request.setdefault("directory", str(agent.directory))
    deadline = time.monotonic() + _START_SECONDS
    outcome = _LOST
    agent.send(request)
    try:
        while True:
            message = await within(deadline - time.monotonic(), agent.receive())
            if message.get("type") == "started":
                outcome = "killed"
                output.start()
                deadline = time.monotonic() + request["limits"]["seconds"] + _GRACE_SECONDS
            elif message.get("type") == "output":
                output.add(message)
            elif message.get("type") == "result":
                return message
    except asyncio.TimeoutError:
        outcome = "timeout"
    except ConnectionError:
        pass
    await agent.kill()
    return {"outcome": outcome}


def _result(result: Message, output: Output, name: str, device: str | None, seconds: float) -> RunResult:
    outcome = str(result.get("outcome")).replace(_LOST, "killed")
    code = result.get("exit_code")
    stderr = output.text("stderr")
    error = _error(result.get("error")) if outcome == "error" else None
    if outcome == "crashed":
        stack = re.search(r"^Fatal Python error: (.*)$", stderr, re.MULTILINE)
        error = RunError("Crash", stack.group(1) if stack else "", _line_in(stderr, stack, name))
    elif outcome == "timeout" and (stack := _last_match(_STACK, stderr)):
        error = RunError("Timeout", "it stood here", _line_in(stderr, stack, name))
    elif error is not None and _is_out_of_memory(error):
        outcome = "memory limit"
    return RunResult(
        ok=outcome == "finished",
        outcome=outcome,
        exit_code=code if isinstance(code, int) else None,
        stdout=output.text("stdout"),
        stderr=_OUR_FRAMES.sub("", stderr) if outcome in ("crashed", "timeout") else stderr,
        truncated=bool(result.get("truncated")),
        error=error,
        seconds=seconds,
        device=_real_device(result.get("device"), device),
        peak_memory=result.get("peak_memory"),
        own_seconds=result.get("own_seconds"),
        peak_device_memory=result.get("peak_device_memory"),
        value=value_in(result.get("value")),
        warnings=warnings_in(result.get("warnings")),
        pictures=result.get("pictures", ()),
        notices=tuple(output.notices),
        offline=result.get("offline") is True,
        curves=curves_in(result.get("curves")),
        lines=lines_in(result.get("lines")),
        measured=measured_in(result.get("measured")),
    )


def _error(said: Any) -> RunError | None:
    if not isinstance(said, dict):
        return None
    line = said.get("line")
    return RunError(
        str(said.get("exception")), str(said.get("message")), line if isinstance(line, int) else None
    )


def _line_in(stderr: str, stack: re.Match[str] | None, name: str) -> int | None:
    """`faulthandler` writes the innermost frame first; that of the snippet is wanted, not one of torch."""
    if stack is None:
        return None
    frame = re.compile(rf'^  File "{re.escape(name)}", line (\d+)', re.MULTILINE).search(stderr, stack.end())
    return int(frame.group(1)) if frame else None


def _last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(reversed(list(pattern.finditer(text))), None)


def _is_out_of_memory(error: RunError) -> bool:
    return error.type == "MemoryError" or "DefaultCPUAllocator: can't allocate memory" in error.message


def _real_device(seen: Any, asked: str | None) -> str:
    """A snippet that was shown `cuda:1` alone calls it `cuda:0`."""
    if not isinstance(seen, str):
        return "unknown"
    kind, _, index = (asked or "").partition(":")
    return asked if asked and index and seen == f"{kind}:0" else seen


def _environment(interpreter: Interpreter, hello: Message, result: Message) -> Environment:
    python, executable = str(hello.get("python")), str(hello.get("executable"))
    said = result.get("environment")
    if not isinstance(said, dict):
        what = f"ended while torch was imported ({result.get('outcome')})"
        return Environment(
            python, executable, None, (), f"The interpreter {interpreter} {what}; {HOW_TO_CHOOSE}."
        )
    devices = tuple(DeviceInfo(**found) for found in said["devices"])
    problem = None
    if not hello.get("torch"):
        problem = f"The interpreter {interpreter} has no torch; {HOW_TO_CHOOSE}."
    elif said["failure"]:
        failure = " ".join(str(said["failure"]).split())
        problem = f"The interpreter {interpreter} cannot import its torch ({failure}); {HOW_TO_CHOOSE}."
    return Environment(python, executable, said["torch"], devices, problem)


def _file_name(name: str) -> str:
    """A file name that is one, whatever the name: nothing but letters, digits, `-` and `_`, and `.py`."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name.removesuffix(".py"))[:80].strip("_")
    return f"{stem or 'snippet'}.py"


def _free_memory() -> int | None:
    """Nine tenths of what Linux can give away now, or of what a container allows; None elsewhere."""
    free = []
    with contextlib.suppress(OSError), Path("/proc/meminfo").open(encoding="ascii", errors="replace") as file:
        free += [int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            free.append(int(Path(path).read_text(encoding="ascii")))
    return min(free) * 9 // 10 if free else None
