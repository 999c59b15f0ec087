"""A control group for a run, where this user may make one: what the kernel counts nobody outruns.

That is so with version 2 below a part of the tree that was handed to the user, as systemd does it for what it
starts in a session. It is one more guard against accidents: a process may leave the group as it came.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOUNT = "/sys/fs/cgroup"
OWN = "/proc/self/cgroup"

_NAME = "torchlore"
_NEEDED = ("memory", "pids")
_THREADS_PER_CORE = 16
"""The kernel counts threads, and a run is allowed so many processes."""

_PATIENCE = 0.2
"""Seconds until a group that is still not empty is left to the next agent."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Group:
    """The group of one run. `path`: its folder."""

    path: str

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of it for that."""
        return any(
            line.startswith("oom_kill ") and line != "oom_kill 0"
            for line in _lines(self.path, "memory.events")
        )

    def kill(self) -> None:
        """Ends all processes in it at once, where the kernel can (5.14)."""
        if os.path.exists(os.path.join(self.path, "cgroup.kill")):
            _write(self.path, "cgroup.kill", "1")

    def remove(self) -> None:
        """Removes it once it is empty. What has ended is in it for a moment longer."""
        deadline = time.monotonic() + _PATIENCE
        while not _removed(self.path) and time.monotonic() < deadline:
            time.sleep(0.002)


def group_for(limits: dict[str, Any], mount: str = MOUNT, own: str = OWN) -> Group | None:
    """A new, empty group with these limits.

    Args:
        limits: `memory` (bytes or None) and `processes`.
        mount: where the tree of groups is.
        own: the file that says in which one this process is.

    Returns:
        None where there can be none.
    """
    place = next(_places(mount, own), None)
    if place is None:
        return None
    parent, left = place
    _remove_abandoned(parent)
    group = Group(os.path.join(parent, f"{_NAME}-{os.getpid()}-{next(_numbers)}"))
    try:
        os.mkdir(group.path)
    except OSError:
        return None
    threads = min([limits["processes"] + _THREADS_PER_CORE * (os.cpu_count() or 1), *_most_tasks(left)])
    written = [_write(group.path, "pids.max", str(threads))]
    if limits["memory"] is not None:
        # A little more than what the agent ends it for, which can say more about it.
        written.append(_write(group.path, "memory.max", str(limits["memory"] * 17 // 16)))
        _write(group.path, "memory.swap.max", "0")
        _write(group.path, "memory.oom.group", "1")
    if not all(written):
        _removed(group.path)
        return None
    return group


def join(path: str) -> bool:
    """Moves this process into the group; False where that cannot be, and then it runs without."""
    return _write(path, "cgroup.procs", str(os.getpid()))


def _places(mount: str, own: str) -> Iterator[tuple[str, list[str]]]:
    """The groups above ours, the nearest first, in which this user may make one with the limits.

    With each come the groups that a process leaves which moves from ours to one in there. None of those has
    a limit of memory or of computing time: whoever set that meant it for what we start, too.
    """
    try:
        with open(own, encoding="utf-8", errors="replace") as file:
            places = [line.rstrip("\n")[3:] for line in file if line.startswith("0::/")]
    except OSError:
        return
    if not places or not os.path.exists(os.path.join(mount, "cgroup.controllers")):
        return  # Version 1, or no groups at all.
    parts = [part for part in places[0].split("/") if part]
    if ".." in parts:
        return  # We are outside what we see of the tree.
    left: list[str] = []
    while parts:
        # Not ours itself: a group with processes in it cannot hand limits to groups below.
        left.append(os.path.join(mount, *parts))
        if _is_limited(left[-1]):
            return
        parts.pop()
        folder = os.path.join(mount, *parts)
        may_move = os.access(folder, os.W_OK) and os.access(os.path.join(folder, "cgroup.procs"), os.W_OK)
        handed = " ".join(_lines(folder, "cgroup.subtree_control")).split()
        if may_move and all(controller in handed for controller in _NEEDED):
            yield folder, list(left)


def _is_limited(folder: str) -> bool:
    settings = ("memory.max", "memory.high", "memory.swap.max", "cpu.max")
    return any(line.split()[:1] != ["max"] for name in settings for line in _lines(folder, name))


def _most_tasks(folders: list[str]) -> list[int]:
    """Their limits of threads, which systemd sets for everybody."""
    said = [line for folder in folders for line in _lines(folder, "pids.max")]
    return [int(line) for line in said if line.isdecimal()]


def _remove_abandoned(parent: str) -> None:
    """Groups whose agent was killed. One with processes in it cannot be removed."""
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            kind, _, rest = name.partition("-")
            agent = rest.partition("-")[0]
            if kind == _NAME and agent.isdigit() and not os.path.exists(f"/proc/{agent}"):
                _removed(os.path.join(parent, name))


def _removed(path: str) -> bool:
    try:
        os.rmdir(path)
    except OSError:
        return not os.path.exists(path)
    return True


def _lines(folder: str, name: str) -> list[str]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _write(folder: str, name: str, text: str) -> bool:
    """Whether the kernel took it."""
    try:
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
    except OSError:
        return False
    return True
