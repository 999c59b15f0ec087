"""All that executes goes through here, in a process of the user's interpreter, and asks `trust` first.

Its parts are imported when they are asked for: a server asks for trust at once, and may never run anything.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchlore.device.crew import Crew
    from torchlore.device.here import devices_here
    from torchlore.device.interpreter import Interpreter, find_interpreter, torch_version
    from torchlore.device.measured import (
        Block,
        Input,
        Layer,
        LayerTable,
        MemoryNeed,
        Optimizer,
        Question,
    )
    from torchlore.device.model import (
        DeviceInfo,
        Environment,
        Limits,
        LineValue,
        Picture,
        RunError,
        RunResult,
        Value,
        Warned,
    )
    from torchlore.device.running import describe, run
    from torchlore.device.trust import NotAllowed, Trust, trust_from

__all__ = [
    "Block",
    "Crew",
    "DeviceInfo",
    "Environment",
    "Input",
    "Interpreter",
    "Layer",
    "LayerTable",
    "Limits",
    "LineValue",
    "MemoryNeed",
    "NotAllowed",
    "Optimizer",
    "Picture",
    "Question",
    "RunError",
    "RunResult",
    "Trust",
    "Value",
    "Warned",
    "describe",
    "devices_here",
    "find_interpreter",
    "run",
    "torch_version",
    "trust_from",
]

_PARTS = {
    "crew": ("Crew",),
    "here": ("devices_here",),
    "interpreter": ("Interpreter", "find_interpreter", "torch_version"),
    "measured": ("Block", "Input", "Layer", "LayerTable", "MemoryNeed", "Optimizer", "Question"),
    "model": (
        *("DeviceInfo", "Environment", "Limits", "LineValue", "Picture"),
        *("RunError", "RunResult", "Value", "Warned"),
    ),
    "running": ("describe", "run"),
    "trust": ("NotAllowed", "Trust", "trust_from"),
}
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _PART_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PART_OF[name]}"), name)
