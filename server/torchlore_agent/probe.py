"""What torch, in this interpreter, says about the devices. Nothing here imports torch unless it says so."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import sys
from collections.abc import Iterator
from typing import Any


def describe() -> dict[str, Any]:
    """Imports torch and asks it what there is.

    Returns:
        `torch`: its version, or None; `devices`: name, kind, description, memory in bytes; `failure`: why
        torch could not be imported, or None.
    """
    cpu = _cpu()
    try:
        torch = importlib.import_module("torch")
        version = str(torch.__version__)
    except Exception as error:
        return {"torch": None, "devices": [cpu], "failure": f"{type(error).__name__}: {error}"[:500]}
    devices: list[dict[str, Any]] = []
    for found in (_cuda, _xpu, _mps, _other):
        # A broken driver of one kind must not hide the others.
        with contextlib.suppress(Exception):
            devices += found(torch)
    return {"torch": version, "devices": [*devices, cpu], "failure": None}


def used_device() -> tuple[str, int | None]:
    """The device on which most memory was held in this process, and how many bytes at most.

    "cpu" and None where no accelerator was touched.
    """
    torch = sys.modules.get("torch")
    most, name = 0, "cpu"
    with contextlib.suppress(Exception):
        for kind in ("cuda", "xpu"):
            for index, peak in _peaks(getattr(torch, kind, None)):
                if peak > most:
                    most, name = peak, f"{kind}:{index}"
        if (
            not most
            and torch is not None
            and torch.backends.mps.is_available()
            and torch.mps.current_allocated_memory()
        ):
            return "mps:0", None
    return name, most or None


def synchronize() -> None:
    """Waits for what is under way on an accelerator, so that its errors belong to the snippet."""
    torch = sys.modules.get("torch")
    for kind in ("cuda", "xpu"):
        module = getattr(torch, kind, None)
        if module is not None and getattr(module, "is_initialized", bool)():
            module.synchronize()


def hide_accelerators() -> None:
    """Imports torch and makes it say that there is no MPS and no XPU; no environment variable does that.

    CUDA and ROCm are hidden by variables already, so this does nothing on a machine that can have neither of
    the two.
    """
    if not (sys.platform in ("darwin", "win32") or os.path.exists("/dev/dri")):
        return
    with contextlib.suppress(Exception):
        _hide(importlib.import_module("torch"))


def _hide(torch: Any) -> None:
    torch.backends.mps.is_available = lambda: False
    if hasattr(torch, "xpu"):
        torch.xpu.is_available = lambda: False
        torch.xpu.device_count = lambda: 0
    if hasattr(torch, "accelerator"):
        torch.accelerator.is_available = lambda: False
        torch.accelerator.device_count = lambda: 0
        torch.accelerator.current_accelerator = lambda check_available=False: None


def _peaks(module: Any) -> Iterator[tuple[int, int]]:
    if module is None or not module.is_initialized():
        return
    for index in range(module.device_count()):
        yield index, module.max_memory_allocated(index)


def _cuda(torch: Any) -> list[dict[str, Any]]:
    if not torch.cuda.is_available():
        return []
    rocm = " (ROCm)" if getattr(torch.version, "hip", None) else ""
    return [_with_properties(torch.cuda, "cuda", index, rocm) for index in range(torch.cuda.device_count())]


def _xpu(torch: Any) -> list[dict[str, Any]]:
    if not hasattr(torch, "xpu") or not torch.xpu.is_available():
        return []
    return [_with_properties(torch.xpu, "xpu", index, "") for index in range(torch.xpu.device_count())]


def _with_properties(module: Any, kind: str, index: int, note: str) -> dict[str, Any]:
    properties = module.get_device_properties(index)
    free = None
    with contextlib.suppress(Exception):
        free = int(module.mem_get_info(index)[0])
    return _device(f"{kind}:{index}", kind, properties.name + note, int(properties.total_memory), free)


def _mps(torch: Any) -> list[dict[str, Any]]:
    if not torch.backends.mps.is_available():
        return []
    total = free = None
    with contextlib.suppress(Exception):
        total = int(torch.mps.recommended_max_memory())
        free = total - int(torch.mps.driver_allocated_memory())
    return [_device("mps:0", "mps", f"Apple GPU ({platform.machine()})", total, free)]


def _other(torch: Any) -> list[dict[str, Any]]:
    """An accelerator that only `torch.accelerator` knows, such as one that a plugin brings."""
    accelerator = torch.accelerator.current_accelerator()
    if (
        accelerator is None
        or accelerator.type in ("cuda", "xpu", "mps")
        or not torch.accelerator.is_available()
    ):
        return []
    kind = accelerator.type
    return [
        _device(f"{kind}:{index}", kind, kind, None, None)
        for index in range(torch.accelerator.device_count())
    ]


def _cpu() -> dict[str, Any]:
    total = free = None
    with contextlib.suppress(OSError, ValueError, AttributeError):
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES")
        free = _available() or page * os.sysconf("SC_AVPHYS_PAGES")
    return _device("cpu", "cpu", _cpu_name(), total, free)


def _available() -> int | None:
    with (
        contextlib.suppress(OSError, ValueError),
        open("/proc/meminfo", encoding="ascii", errors="replace") as file,
    ):
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _cpu_name() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _device(name: str, kind: str, description: str, total: int | None, free: int | None) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "description": description,
        "memory_total": total,
        "memory_free": free,
    }
