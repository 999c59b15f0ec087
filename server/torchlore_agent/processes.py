"""Everything a snippet started: finding it, measuring it, ending it.

On Linux the agent is a subreaper: whatever a snippet starts, in whatever session, stays a descendant of the
agent.
On macOS the process group is all there is; on Windows, the process tree that `taskkill` sees.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass

LINUX = sys.platform == "linux"
POSIX = os.name == "posix"

WHERE = getattr(signal, "SIGUSR1", signal.SIGTERM)
"""The signal upon which a snippet writes its stack to stderr and goes on."""

BEGUN = "-begun"
"""Behind the name of its report: what a process leaves there once it carries out its order."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 2.0
"""Seconds until a process that does not die (it hangs in the kernel) is given up."""


def own(*arguments: str) -> list[str]:
    """The command for another process of the agent's own code; see `__main__` for the arguments.

    -E: none of the user's PYTHON… variables. Not -I: torch may be in the user's own site-packages.
    """
    return [sys.executable, "-E", "-B", os.path.dirname(os.path.abspath(__file__)), *arguments]


@dataclass
class Child:
    """A process that runs a snippet. `exit_code` is None while it runs, negative where a signal ended it.

    `peak_memory` is the most bytes that it, alone, held in memory; 0 where unknown. `popen` is None where a
    nursery forked it; that is so on Linux only.
    """

    pid: int
    popen: subprocess.Popen[bytes] | None = None
    exit_code: int | None = None
    peak_memory: int = 0


def become_subreaper() -> bool:
    """Orphans among this process's descendants become its own children. False where that cannot be had."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> bool:
    """This process is killed when its parent (its process id) ends. False where that cannot be had."""
    if not _prctl(_PR_SET_PDEATHSIG, int(getattr(signal, "SIGKILL", 9))):
        return False
    if os.getppid() != parent:
        os._exit(1)
    return True


def reap(child: Child) -> None:
    """Collects whatever has ended: the child, and orphans that became ours. Never waits."""
    if not POSIX:
        assert child.popen is not None
        child.exit_code = child.popen.poll()
        return
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid == child.pid:
            child.exit_code = os.waitstatus_to_exitcode(status)
            if child.popen is not None:
                child.popen.returncode = child.exit_code
            child.peak_memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def ask_where(child: Child) -> None:
    """Has the child write its stack to stderr, whatever it is busy with. Not on Windows."""
    if POSIX and child.exit_code is None:
        with contextlib.suppress(OSError):
            os.kill(child.pid, WHERE)


def end_all(child: Child | None, others: Collection[int] = ()) -> None:
    """Kills the child and all that it started, also what went into another session, and collects it.

    Everything is stopped before it is killed, so that a fork bomb cannot outrun the list of its processes.

    Args:
        child: None where none is known: what descends from this process is ended all the same.
        others: see `descendants`.
    """
    deadline = time.monotonic() + _PATIENCE
    child = child or Child(0, exit_code=0)
    _kill_group(child)
    while True:
        pids = descendants(others)
        for number in (signal.SIGSTOP, signal.SIGKILL) if pids else ():
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
        reap(child)
        if (child.exit_code is not None and not pids) or time.monotonic() > deadline:
            return
        time.sleep(0.002)


def descendants(others: Collection[int] = ()) -> list[int]:
    """The process ids of all that this process started, and of what those started. Empty except on Linux.

    Args:
        others: processes that are left out, with all that they started.
    """
    if not LINUX:
        return []
    found: list[int] = []
    pending = [os.getpid()]
    try:
        while pending:
            children = [pid for pid in _children(pending.pop()) if pid not in others]
            found += children
            pending += children
    except FileNotFoundError:
        return _descendants_by_parent(others)
    return found


def resident_memory(pids: list[int]) -> int:
    """Bytes of memory that these processes hold, what they share counted once for each."""
    page = os.sysconf("SC_PAGE_SIZE") if LINUX else 0
    return sum(_numbers(f"/proc/{pid}/statm", 2)[1] for pid in pids) * page


def own_memory(pids: list[int]) -> int:
    """As `resident_memory`, but what they share is divided among them. Slower."""
    return sum(_proportional(pid) for pid in pids)


def _children(pid: int) -> list[int]:
    """Raises FileNotFoundError where the kernel does not list children at all."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found: list[int] = []
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
        except FileNotFoundError:
            if os.path.exists(f"/proc/{pid}/task/{task}/stat"):
                raise
        except OSError:
            continue
    return found


def _descendants_by_parent(others: Collection[int] = ()) -> list[int]:
    of_parent: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{entry}/stat", "rb") as file:
            # The name, in parentheses, may hold anything; the parent is the second field behind it.
            of_parent.setdefault(int(file.read().rpartition(b")")[2].split()[1]), []).append(int(entry))
    found: list[int] = []
    pending = [os.getpid()]
    while pending:
        children = [pid for pid in of_parent.get(pending.pop(), []) if pid not in others]
        found += children
        pending += children
    return found


def _numbers(path: str, count: int) -> list[int]:
    try:
        with open(path, "rb") as file:
            return [int(word) for word in file.read().split()[:count]]
    except (OSError, ValueError):
        return [0] * count


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return resident_memory([pid])


def _kill_group(child: Child) -> None:
    if child.pid == 0:
        return
    if not POSIX:
        # The child's own children are not in its handle; taskkill walks the tree. It fails where all is over
        # already.
        assert child.popen is not None
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], capture_output=True, check=False)
        child.popen.kill()
        child.exit_code = child.popen.wait(_PATIENCE)
        return
    if child.exit_code is None or not LINUX:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)


def _prctl(option: int, value: int) -> bool:
    if not LINUX:
        return False
    try:
        import ctypes

        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False
