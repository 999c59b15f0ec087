"""How much of each GPU is in use, without a context on it: from NVIDIA's management library, or AMD's files.

torch would say it, too, but to ask it takes a context, a few hundred megabytes on that very GPU.
"""

from __future__ import annotations

import ctypes
import glob
import os
import sys
from typing import Any

_NAME = 96
_LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_AMD = "/sys/class/drm/card[0-9]*/device"


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Use(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


def in_use(library: str = _LIBRARY, amd: str = _AMD) -> list[dict[str, Any]]:
    """The GPUs of this machine in the order of their places on the bus, whatever variables hide.

    Args:
        library: NVIDIA's management library.
        amd: a pattern of folders in which AMD's driver writes.

    Returns:
        For each its `description`, `uuid` (NVIDIA only, else None), `memory_total` and `memory_free` in
        bytes, and `busy`: the percentage of the last moments in which it computed, None where unknown.
    """
    return _nvidia(library) or _amd(amd)


def _nvidia(library: str) -> list[dict[str, Any]]:
    try:
        nvml = ctypes.CDLL(library)
        if nvml.nvmlInit_v2() != 0:
            return []
    except (OSError, AttributeError):
        return []
    try:
        count = ctypes.c_uint()
        if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
            return []
        return [_gpu(nvml, index) for index in range(count.value)]
    except (LookupError, AttributeError):
        return []  # One that does not answer: then the order of the others means nothing.
    finally:
        nvml.nvmlShutdown()


def _gpu(nvml: Any, index: int) -> dict[str, Any]:
    """Raises LookupError where the library does not say how much memory is free."""
    handle, memory, use = ctypes.c_void_p(), _Memory(), _Use()
    if (
        nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) != 0
        or nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) != 0
    ):
        raise LookupError(index)
    told = nvml.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(use)) == 0
    return {
        "description": _text(nvml.nvmlDeviceGetName, handle) or "NVIDIA GPU",
        "uuid": _text(nvml.nvmlDeviceGetUUID, handle),
        "memory_total": memory.total,
        "memory_free": memory.free,
        "busy": use.gpu if told else None,
    }


def _text(function: Any, handle: ctypes.c_void_p) -> str | None:
    text = ctypes.create_string_buffer(_NAME)
    if function(handle, text, ctypes.c_uint(_NAME)) != 0:
        return None
    return text.value.decode("utf-8", "replace")


def _amd(pattern: str) -> list[dict[str, Any]]:
    found = []
    for folder in sorted(glob.glob(pattern), key=os.path.realpath):  # By their places on the bus.
        total, used = _number(folder, "mem_info_vram_total"), _number(folder, "mem_info_vram_used")
        if total is not None and used is not None:
            busy = _number(folder, "gpu_busy_percent")
            gpu = {"memory_total": total, "memory_free": max(0, total - used), "busy": busy}
            found.append({"description": f"AMD GPU {_read(folder, 'device')}", "uuid": None, **gpu})
    return found


def _number(folder: str, name: str) -> int | None:
    text = _read(folder, name)
    return int(text) if text.isdecimal() else None


def _read(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
