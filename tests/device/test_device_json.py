"""A result as JSON keeps to its schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from torchlore.device import (
    Block,
    Layer,
    LayerTable,
    LineValue,
    MemoryNeed,
    Picture,
    RunError,
    RunResult,
    Value,
    Warned,
)
from torchlore.device.as_json import PROPERTIES, as_json, schema
from torchlore.device.curves import Curve
from torchlore.device.measured import DeviceMemory

PLAIN = RunResult(True, "finished", 0, "42\n", "", False, None, 0.1, "cpu", None)
FULL = RunResult(
    False,
    "error",
    1,
    "",
    "",
    True,
    RunError("ValueError", "no", None),
    1,
    "cuda:0",
    1 << 30,
    own_seconds=0.5,
    peak_device_memory=1 << 20,
    value=Value(
        "tensor", "Tensor", "tensor(1.)", (2, 3), "float32", "cuda:0", True, 0, 0.5, 1, 0, 1, (0.5, "inf")
    ),
    warnings=(Warned("UserWarning", "look", 3), Warned("UserWarning", "elsewhere", None)),
    pictures=(Picture("value.png", b"\x89PNG"),),
    notices=("cuda:0 is busy",),
    offline=True,
    curves=(Curve("losses", (1.0, float("nan")), 2),),
    lines=(LineValue(3, "x", Value("object", "int", "1")),),
    measured=LayerTable(
        (Layer("fc", "Linear", ((2, 3),), 24, 1, 9, 36, None),),
        9,
        9,
        36,
        12,
        ((2, 3),),
        (Block("body", ((2, 3),), 9),),
    ),
)
NEED = RunResult(
    *(True, "finished", 0, "", "", False, None, 0.1, "cpu", None),
    measured=MemoryNeed(4, 4, 8, 100, 116, (DeviceMemory("cpu", "a CPU", 1 << 30, None),)),
)
KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def mistakes(said: Any, wanted: dict[str, Any], where: str = "") -> list[str]:
    """Where a value does not keep to the part of JSON Schema that ours is written in."""
    kinds = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
    if not any(
        isinstance(said, KINDS[kind]) and isinstance(said, bool) <= (kind == "boolean") for kind in kinds
    ):
        return [f"{where} is {said!r}"]
    found = [] if said in wanted.get("enum", [said]) and said == wanted.get("const", said) else [where]
    if isinstance(said, dict):
        found += [f"{where}.{name} lacks" for name in wanted["required"] if name not in said]
        found += [f"{where}.{name} is unknown" for name in said if name not in wanted["properties"]]
        for name, part in wanted["properties"].items():
            found += mistakes(said[name], part, f"{where}.{name}") if name in said else []
    if isinstance(said, list):
        found += [mistake for part in said for mistake in mistakes(part, wanted["items"], f"{where}[]")]
    return found


@pytest.mark.parametrize("result", [PLAIN, FULL, NEED])
def test_a_result_keeps_to_the_schema(result: RunResult) -> None:
    said = json.loads(json.dumps(as_json(result), allow_nan=False))
    assert mistakes(said, json.loads(schema())) == []


def test_the_check_finds_mistakes() -> None:
    said = as_json(FULL)
    wrong = {**said, "ok": 1, "outcome": "fine", "stdout": None, "more": 1, "warnings": [{"category": 3}]}
    assert len(mistakes(wrong, json.loads(schema()))) == 7
    assert set(said) == set(PROPERTIES)


def test_a_picture_comes_whole() -> None:
    assert as_json(FULL)["pictures"] == [{"name": "value.png", "png": "iVBORw=="}]
