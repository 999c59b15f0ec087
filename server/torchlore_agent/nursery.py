"""The process that has torch imported and forks the process of each snippet. Linux only.

It does what the agent asks and nothing by itself: imports one module more, or forks. It never touches an
accelerator: a process that is forked from one with a CUDA context cannot use CUDA.

What it forks is not for an order that has come: it waits for one, at the other end of a socket that the agent
has. To fork a process as large as torch makes it, twice, and to wait for the end of the one in between takes
longer than most snippets run, so that is done when nobody waits.

Messages over its socket, one a packet. From the agent: `{"preload": module}`, or `{"bear": true}` with a
descriptor, the socket of the process to fork. To the agent: `{"type": "ready"}` whenever it can be asked,
with `failure` if torch cannot be imported; `{"type": "born", "pid": …}`; `{"type": "failed"}` if the system
forks no more. The process that was forked gets one packet, its order, with two descriptors, for stdout and
stderr.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import time
import warnings
import weakref
from typing import Any, cast

from torchlore_agent import processes

LONGEST_ORDER = 1 << 17
"""Bytes. A packet is sent whole or not at all; Linux takes 200 KB of one."""

_PATIENCE = 2.0
"""Seconds until a newborn process must have the agent as its parent."""


def serve(descriptor: int, agent: int) -> dict[str, Any] | None:
    """Serves the agent until it is gone.

    Args:
        descriptor: of the socket that leads to the agent.
        agent: its process id.

    Returns:
        None when the agent is gone; in a process that was forked, the order that it has to carry out.
    """
    processes.die_with_parent(agent)
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    _say(control, {"type": "ready", "failure": load("torch")})
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, LONGEST_ORDER, 1)
        if not data:
            return None
        request = json.loads(data)
        if "bear" in request:
            if _bears(control, descriptors[0]):
                control.close()
                return _await_order(socket.socket(fileno=descriptors[0]), agent)
        else:
            load(request["preload"])
        _say(control, {"type": "ready", "failure": None})


def load(module: str) -> str | None:
    """Imports a module. Why it cannot be imported; None where it was."""
    gc.disable()  # An import makes many objects, hardly any of which is garbage.
    try:
        importlib.import_module(module)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:500]
    finally:
        _end_with_nursery()
        # What is here before the fork is never garbage after it, and pages that nobody writes stay shared.
        gc.freeze()
        gc.enable()
    return None


def _end_with_nursery() -> None:
    """What was imported here need not be taken apart at the end of each process that is forked from here.

    torch has some 170 such finalizers, and to run them writes to most pages that were shared until then.
    """
    for finalizer in list(getattr(weakref.finalize, "_registry", ())):
        finalizer.atexit = False


def _bears(control: socket.socket, descriptor: int) -> bool:
    """Forks twice, so that the process of the snippet becomes the agent's own child. True in that process.

    The agent collects all orphans among its descendants: it can then wait for the process itself, and learns
    how it ended and what it used.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    middle = _fork()
    if middle == 0:
        child = _fork()
        if child == 0:
            return True
        with contextlib.suppress(OSError):
            if child is not None:
                _say(control, {"type": "born", "pid": child})
        os._exit(0 if child is not None else 1)
    os.close(descriptor)
    if middle is None or os.waitpid(middle, 0)[1] != 0:
        _say(control, {"type": "failed"})
    return False


def _fork() -> int | None:
    """As `os.fork`; None where the system forks no more."""
    with warnings.catch_warnings():
        # Python 3.12 warns of threads. Those of a BLAS library are the only ones here, and it knows of forks.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return os.fork()
        except OSError:
            return None


def _await_order(source: socket.socket, agent: int) -> dict[str, Any]:
    """The order for this process, once it comes; it is then one as `subprocess.Popen` would have started it.

    It ends where the agent has no use for it, or is gone.
    """
    os.setsid()
    _differ()
    deadline = time.monotonic() + _PATIENCE
    while os.getppid() != agent and time.monotonic() < deadline:
        time.sleep(0.0005)
    data, descriptors, _, _ = socket.recv_fds(source, LONGEST_ORDER, 2)
    source.close()
    if not data:
        os._exit(0)  # The interpreter's own end would take all of torch apart first.
    order: dict[str, Any] = json.loads(data)
    for target, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, target)
        os.close(descriptor)
    become_fresh(order)
    return {**order, "forked": True}


def become_fresh(order: dict[str, Any]) -> None:
    """What a process has of its start, this one has of the order: variables, and where it stands."""
    for name in _set_by_imports():
        del os.environ[name]
    os.environ.update(order["environment"])
    os.chdir(order["working"])
    tempfile = cast(Any, sys.modules.get("tempfile"))
    if tempfile is not None:
        tempfile.tempdir = None  # It was found for the nursery's own variables.


def _set_by_imports() -> list[str]:
    """Variables that lead into the nursery's own directory: torch's compiler notes there where it caches."""
    return [
        name
        for name, value in os.environ.items()
        if name not in ("TMPDIR", "TEMP", "TMP") and value.startswith(os.environ["TMPDIR"] + os.sep)
    ]


def _differ() -> None:
    """What every process draws anew when it starts: no two runs may see the same random numbers."""
    numpy, torch = (cast(Any, sys.modules.get(name)) for name in ("numpy", "torch"))
    if numpy is not None:
        numpy.random.seed()
    if torch is not None:
        torch.default_generator.seed()


def _say(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode("ascii"))
