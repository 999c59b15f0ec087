"""Snippets that do not want to end, or want more than they may have. Each is bounded by itself too."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

import device_support
import pytest
from device_support import PATIENCE, SMALL, entries, eventually, execute, gone, left_over, numbers_in
from torchlore.device import RunError, leaving, run
from torchlore.device.running import DEFAULT_LIMITS

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no signals, no fork and no rlimits"
)
linux_only = pytest.mark.skipif(
    sys.platform != "linux",
    reason="only Linux has subreapers and /proc; elsewhere the process group is all there is",
)

# A grandchild that left the session and the process group, whose parent is dead, and that lives for a minute.
ESCAPED = """
import os, sys, time
def escape():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            for fd in (0, 1, 2): os.close(fd)
            time.sleep(60)
        os._exit(0)
    os.wait()
    print(os.read(reading, 20).decode(), flush=True)
"""


def written_to(path: Path) -> str:
    """A snippet that writes three process ids to the file: an escaped process's, its own, its parent's."""
    return ESCAPED + (
        f"sys.stdout = open({str(path)!r}, 'w')\n"
        "escape()\n"
        "print(os.getpid(), os.getppid(), flush=True)\n"
        "sys.stdout = sys.__stdout__\n"
    )


async def test_os_exit() -> None:
    result = await execute("import os\nprint('before')\nos._exit(7)")
    assert (result.outcome, result.exit_code, result.stdout) == ("error", 7, "before\n")
    assert result.summary().startswith("Ended with exit code 7")
    assert result.device == "unknown"


async def test_segmentation_fault() -> None:
    result = await execute("import ctypes\nprint('before')\nctypes.string_at(0)\n")
    assert (result.outcome, result.exit_code) == ("crashed", -signal.SIGSEGV)
    assert result.stdout == "before\n"
    assert result.error == RunError("Crash", "Segmentation fault", 3)
    assert "torchlore_agent" not in result.stderr


async def test_abort() -> None:
    result = await execute("import os\n\nos.abort()")
    assert (result.outcome, result.error) == ("crashed", RunError("Crash", "Aborted", 3))


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("while True:\n    pass", None),
        ("import time\n\ntime.sleep(60)", 3),
        # Holds the interpreter's lock in C, so that no Python code of its process runs, no handler either.
        ("import re\nre.match(r'(a+)+b', 'a' * 40)", 2),
        (
            "import signal, time\n"
            "for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n"
            "    try: signal.signal(number, signal.SIG_IGN)\n"
            "    except (OSError, ValueError): pass\n"
            "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))\n"
            "print('deaf')\n"
            "time.sleep(60)",
            None,
        ),
    ],
    ids=["busy", "asleep", "holds the lock", "deaf"],
)
async def test_endless(code: str, line: int | None) -> None:
    result = await execute(code, limits=replace(SMALL, seconds=1.0))
    assert (result.ok, result.outcome, result.exit_code) == (False, "timeout", -signal.SIGKILL)
    assert result.seconds >= 1
    if line is not None:
        assert result.error is not None
        assert result.error.line == line
        assert f"line {line}" in result.summary()


async def test_what_was_printed_before_the_limit_is_there() -> None:
    result = await execute("import time\nprint('before')\ntime.sleep(60)", limits=replace(SMALL, seconds=1.0))
    assert (result.stdout, result.outcome) == ("before\n", "timeout")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_a_gigabyte_of_output(stream: str) -> None:
    seen = 0

    def count(_stream: str, text: str) -> None:
        nonlocal seen
        seen += len(text)

    code = (
        f"import sys\nout = sys.{stream}\nprint('head', file=out)\n"
        "for i in range(1000): out.write('x' * 999_999 + '\\n')\n"
    )
    result = await execute(code, on_output=count)
    text = getattr(result, stream)
    assert (result.outcome, result.truncated) == ("output limit", True)
    assert text.startswith("head\nxxx")
    assert f"output limit of {SMALL.output} bytes reached" in text
    assert SMALL.output < len(text) < SMALL.output + 10_000
    assert seen == len(text)


async def test_both_streams_count_together() -> None:
    code = "import sys\nfor i in range(100000):\n    print('o' * 99)\n    print('e' * 99, file=sys.stderr)"
    result = await execute(code)
    assert result.outcome == "output limit"
    assert len(result.stdout) + len(result.stderr) < SMALL.output + 20_000


async def test_one_endless_line_of_escapes_is_cleaned_in_linear_time() -> None:
    for piece in (r"\x1b]", r"\x1b[", r"\x9d", r"\x1b", r"\r"):
        result = await execute(f"print('{piece}' * 40_000)")
        assert result.outcome == "finished"


async def test_memory_beyond_the_limit() -> None:
    result = await execute("kept = []\nwhile len(kept) < 400: kept.append(bytearray(10_000_000))")
    assert result.outcome == "memory limit"
    assert result.peak_memory is not None and result.peak_memory < 2 * 600_000_000


@linux_only
async def test_one_allocation_beyond_the_limit_is_an_error_on_its_line() -> None:
    """Where there is a driver of an accelerator the limit is only watched, unless the CPU is asked for."""
    result = await execute("x = 1\nx = bytearray(8_000_000_000)", device="cpu")
    assert (result.outcome, result.error) == ("memory limit", RunError("MemoryError", "", 2))


@linux_only
async def test_torch_beyond_the_limit_is_an_error_on_its_line() -> None:
    code = "import torch\ntorch.empty(8_000_000_000, dtype=torch.uint8)"
    result = await execute(code, limits=replace(SMALL, seconds=60), device="cpu")
    assert result.outcome == "memory limit"
    assert result.error is not None and result.error.line == 2


@linux_only
async def test_memory_of_all_its_processes_counts() -> None:
    code = (
        "import os, time\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        kept = bytearray(b'x' * 200_000_000)\n"
        "        time.sleep(30)\n"
        "        os._exit(0)\n"
        "time.sleep(30)"
    )
    assert (await execute(code)).outcome == "memory limit"


async def test_a_file_beyond_the_limit() -> None:
    code = "file = open('big', 'wb')\nfor _ in range(100): file.write(b'x' * 1_000_000)\n"
    result = await execute(code, limits=replace(SMALL, file_size=5_000_000))
    assert result.outcome == "error"
    assert result.error is not None and result.error.type == "OSError"


@linux_only
async def test_a_fork_bomb() -> None:
    """Doubles eight times and no more: without any limiter it is 256 processes for 6 seconds."""
    code = (
        "import os, time\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0: os.setsid()\n"
        "os.write(1, b'%d\\n' % os.getpid())\n"
        "time.sleep(6)"
    )
    result = await execute(code)
    assert result.outcome == "process limit"
    pids = numbers_in(result.stdout)
    assert gone(pids)


@linux_only
async def test_what_went_into_another_session_ends_with_the_run() -> None:
    result = await execute(ESCAPED + "escape()\nescape()")
    pids = numbers_in(result.stdout)
    assert result.outcome == "finished"
    assert len(pids) == 2
    assert gone(pids)


@linux_only
async def test_cancelling_kills_all_of_it() -> None:
    pids: list[int] = []
    started = asyncio.Event()

    def listen(_stream: str, text: str) -> None:
        pids.extend(numbers_in(text))
        if len(pids) == 2:
            started.set()

    code = ESCAPED + "escape()\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
    task = asyncio.ensure_future(execute(code, on_output=listen))
    await asyncio.wait_for(started.wait(), PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(pids)


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.02, 0.05, 0.1])
async def test_cancelling_at_any_time_leaves_nothing(delay: float, nothing_left: Path) -> None:
    task = asyncio.ensure_future(execute("import time\ntime.sleep(60)"))
    await asyncio.sleep(delay)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left_over(nothing_left) == []


async def test_cancelling_many_times_still_cleans_up() -> None:
    pids: list[int] = []
    started = asyncio.Event()

    def listen(_stream: str, text: str) -> None:
        pids.extend(numbers_in(text))
        started.set()

    task = asyncio.ensure_future(
        execute("import os, time\nprint(os.getpid())\ntime.sleep(60)", on_output=listen)
    )
    await asyncio.wait_for(started.wait(), PATIENCE)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(pids)


@pytest.mark.parametrize("last", [200, 20_000])
async def test_closing_every_descriptor(last: int) -> None:
    result = await execute(f"import os\nprint('before')\nos.closerange(0, {last})\nraise ValueError('after')")
    assert (result.outcome, result.stdout) == ("error", "before\n")
    assert result.error == RunError("ValueError", "after", 4)


async def test_closing_its_output_does_not_end_the_watch() -> None:
    result = await execute(
        "import os, time\nos.close(1); os.close(2)\ntime.sleep(60)", limits=replace(SMALL, seconds=1.0)
    )
    assert result.outcome == "timeout"


@linux_only
@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
async def test_killing_its_parent(number: str, tmp_path: Path) -> None:
    code = (
        written_to(tmp_path / "pids")
        + f"import signal\nos.kill(os.getppid(), signal.{number})\ntime.sleep(60)"
    )
    result = await execute(code)
    assert (result.ok, result.outcome) == (False, "killed")
    pids = numbers_in((tmp_path / "pids").read_text())
    assert len(pids) == 3
    assert eventually(lambda: gone(pids))


@linux_only
async def test_stopping_its_parent(tmp_path: Path) -> None:
    code = (
        written_to(tmp_path / "pids") + "import signal\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(60)"
    )
    result = await execute(code, limits=replace(SMALL, seconds=1.0))
    assert result.outcome == "timeout"
    pids = numbers_in((tmp_path / "pids").read_text())
    assert len(pids) == 3
    assert eventually(lambda: gone(pids))


async def test_a_forked_process_does_not_speak_for_the_run() -> None:
    result = await execute(
        "import os\nif os.fork() == 0:\n    raise ValueError('child')\nos.wait()\nprint('fine')"
    )
    assert (result.outcome, result.error, result.stdout) == ("finished", None, "fine\n")
    assert "ValueError: child" in result.stderr


@pytest.mark.parametrize("act", ["os.mkfifo(p)", "os.mkdir(p)", "os.symlink('/dev/zero', p)", "fill(p)"])
async def test_spoiling_its_report(act: str) -> None:
    """It can only keep itself from being understood."""
    code = (
        "import os, sys\n"
        "p = sys.argv[0].rpartition('/')[0] + '/report'\n"
        "def fill(path):\n"
        "    open(path, 'w').close()\n"
        "    os.truncate(path, 10**9)\n"
        f"{act}\n"
        "print('done', flush=True)\n"
        "os._exit(0)"
    )
    result = await execute(code)
    assert (result.outcome, result.error, result.stdout) == ("finished", None, "done\n"), result.stderr


async def test_removing_its_own_directory(nothing_left: Path) -> None:
    result = await execute("import os, shutil\nshutil.rmtree(os.path.dirname(os.getcwd()))\n1 / 0")
    assert result.outcome == "error"
    assert "ZeroDivisionError" in result.stderr


def test_cleaning_up_changes_nothing_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first attempt failed, rights are changed; never those of a folder that is only linked to."""
    outside, own = tmp_path / "outside", tmp_path / "own"
    (own / "sealed").mkdir(parents=True)
    outside.mkdir(mode=0o755)
    (own / "link").symlink_to(outside)
    (own / "sealed").chmod(0o500)
    monkeypatch.setattr(leaving.shutil, "rmtree", lambda *_arguments, **_options: None)
    leaving.remove(own)
    assert (own / "sealed").stat().st_mode & 0o777 == 0o700
    assert outside.stat().st_mode & 0o777 == 0o755


async def test_killed_from_elsewhere() -> None:
    result = await execute("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert (result.outcome, result.exit_code) == ("killed", -signal.SIGKILL)


@linux_only
@pytest.mark.parametrize("moment", ["running", "in a storm of output"])
async def test_the_server_dies(moment: str, tmp_path: Path) -> None:
    """A process that awaits `run` is killed. Whatever it started, and its directory, vanishes."""
    folder = tmp_path / "temporary directory of the server"
    folder.mkdir()
    crew = None if device_support.CREW is None else "Crew()"
    after = "time.sleep(60)" if moment == "running" else "while True: print('x' * 1000)"
    pids_file = tmp_path / "pids"
    snippet = written_to(pids_file) + after
    server = (
        "import asyncio, sys, tempfile\n"
        f"tempfile.tempdir = {str(folder)!r}\n"
        "from torchlore.device import *\n"
        "limits = Limits(seconds=50, output=10**12)\n"
        "this = Interpreter(sys.executable, '')\n"
        "async def main():\n"
        f"    more = dict(trust=Trust.TRUSTED, limits=limits, crew={crew})\n"
        f"    await run({snippet!r}, name='x.py', interpreter=this, **more)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", server)
    try:
        assert await asyncio.to_thread(
            eventually, lambda: pids_file.exists() and len(pids_file.read_text().split()) == 3
        )
    finally:
        process.kill()
        await process.wait()
    pids = numbers_in(pids_file.read_text())
    assert await asyncio.to_thread(eventually, lambda: gone(pids))
    assert await asyncio.to_thread(eventually, lambda: not list(folder.iterdir()))


@linux_only
async def test_many_runs_leave_nothing(nothing_left: Path) -> None:
    assert (await execute("print(1)")).ok
    before = entries(Path("/proc/self/fd"))
    for _ in range(10):
        assert (await execute("print(1)")).ok
    assert len(entries(Path("/proc/self/fd"))) <= len(before)


def test_there_are_limits_by_default() -> None:
    assert DEFAULT_LIMITS.seconds <= 60
    assert run.__kwdefaults__["limits"] == DEFAULT_LIMITS
