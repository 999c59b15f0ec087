"""What the process of a snippet may use. Set inside that process, before the snippet starts."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from typing import Any

_STACKS = 256 << 20
_STACKS_PER_CORE = 32 << 20
"""Bytes of thread stacks that torch reserves and never touches: 8 MiB a thread, a few threads a core."""

_ACCELERATORS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dri", "/dev/dxg")
"""Where Linux shows the drivers of CUDA, ROCm and XPU (the last one: CUDA under WSL)."""


def apply(limits: dict[str, Any], device: str | None) -> None:
    """Sets the limits that this system can set; the agent watches over what they leave open.

    Args:
        limits: `seconds`, `memory` (bytes or None), `processes`, `file_size` (bytes).
        device: the device asked for, as in `torch.device`; None for whichever the snippet chooses.
    """
    try:
        import resource
    except ImportError:  # Windows has none of this.
        return
    cores = os.cpu_count() or 1
    # CPU seconds are those of all threads together. The wall clock decides; this is for the case that nobody
    # watches.
    seconds = math.ceil(limits["seconds"] * cores) + 5
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits["file_size"])
    _limit(resource.RLIMIT_NPROC, _processes_of_user() + limits["processes"] + 16 * cores)
    if limits["memory"] is not None and _may_limit_data(device):
        _limit(resource.RLIMIT_DATA, limits["memory"] + _STACKS + _STACKS_PER_CORE * cores)
    # Where memory runs out all the same, Linux shall end this process before the editor.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("800")


def _limit(kind: int, value: int) -> None:
    import resource

    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))


def _may_limit_data(device: str | None) -> bool:
    """Whether an allocation beyond the limit can be made to fail in the snippet, on its line.

    RLIMIT_AS is of no use: CUDA reserves the address space of all its devices. RLIMIT_DATA counts what is
    writable, which `import torch` of a CPU build keeps within a few MiB of what it touches (measured: 230 MB
    of either with torch 2.13 on Linux). No document bounds what a driver maps writable, so where there is
    one, this limit is not set.
    """
    return sys.platform == "linux" and (device == "cpu" or not any(map(os.path.exists, _ACCELERATORS)))


def _processes_of_user() -> int:
    """How many threads this user has: RLIMIT_NPROC counts them all. Root is not bound by it."""
    if sys.platform != "linux" or os.getuid() == 0:
        return 4096
    count = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{entry}").st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{entry}/task"))
    return count
