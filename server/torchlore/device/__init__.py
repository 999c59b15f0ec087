"""All that executes goes through here, in a process of the user's interpreter, and asks `trust` first."""

from torchlore.device.crew import Crew
from torchlore.device.here import devices_here
from torchlore.device.interpreter import find_interpreter, torch_version
from torchlore.device.measured import Block, Input, Layer, LayerTable, MemoryNeed, Optimizer, Question
from torchlore.device.model import (
    DeviceInfo,
    Environment,
    Interpreter,
    Limits,
    LineValue,
    NotAllowed,
    Picture,
    RunError,
    RunResult,
    Value,
    Warned,
)
from torchlore.device.run import describe, run
from torchlore.device.trust import Trust, trust_from

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
