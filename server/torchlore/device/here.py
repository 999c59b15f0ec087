"""The devices that this machine shows, without starting anything: what can be offered while somebody types.

An interpreter that has torch knows better, but to ask it means to run it. What is said here is what the
system lists: a card whose driver does not work, or that a container may not use, may be among it.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from functools import lru_cache
from pathlib import Path

_CARD = re.compile(r"nvidia(\d+)\Z")
_NODE = re.compile(r"renderD\d+\Z")


def devices_here(torch: str | None = None) -> tuple[str, ...]:
    """Devices by the names that torch has for them, the fastest first: `("cuda", "cpu")`, `("mps", "cpu")`.

    Several cards are named one by one after `cuda`. `meta`, which is everywhere, comes last.

    Args:
        torch: the version that is used, where it is known; one built without CUDA has no such device.
    """
    is_built_without = torch is not None and torch.endswith("+cpu")
    return (*(() if is_built_without else _accelerators()), "cpu", "meta")


@lru_cache(maxsize=1)
def _accelerators() -> tuple[str, ...]:
    if sys.platform == "darwin":
        return ("mps",) if platform.machine() == "arm64" else ()
    if sys.platform == "win32":
        system = Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "System32")
        return ("cuda",) if (system / "nvcuda.dll").is_file() else ()
    cards = _cards(Path("/dev"))
    if not cards:
        return ()
    return ("cuda", *(f"cuda:{number}" for number in range(cards) if cards > 1))


def _cards(devices: Path) -> int:
    """How many cards of NVIDIA's, or else of AMD's, have a device file."""
    try:
        names = [path.name for path in devices.iterdir()]
    except OSError:
        return 0
    cards = sum(_CARD.match(name) is not None for name in names)
    if cards or "kfd" not in names:
        return cards
    try:
        return sum(_NODE.match(path.name) is not None for path in (devices / "dri").iterdir())
    except OSError:
        return 1
