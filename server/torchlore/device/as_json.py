"""A result as JSON, for clients and scripts. `docs/torchlore-run.schema.json` is made of what stands here."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import asdict
from typing import Any

from torchlore.device.curves import svg
from torchlore.device.measured import LayerTable, MemoryNeed
from torchlore.device.model import RunResult, Value

VERSION = 1
"""Raised whenever a property goes or changes its meaning. New ones may come at any time."""

_OUTCOMES = (
    "finished",
    "error",
    "crashed",
    "killed",
    "timeout",
    "output limit",
    "memory limit",
    "process limit",
    "cancelled",
)


def as_json(result: RunResult) -> dict[str, Any]:
    """A result as the schema describes it. Pictures are in base64."""
    return {
        "version": VERSION,
        "ok": result.ok,
        "outcome": result.outcome,
        "summary": result.summary(),
        "exitCode": result.exit_code,
        "stdout": result.stdout,
        "stderr": result.stderr,
        "truncated": result.truncated,
        "error": None if result.error is None else asdict(result.error),
        "value": None if result.value is None else _value(result.value),
        "warnings": [asdict(warned) for warned in result.warnings],
        "pictures": [
            {"name": picture.name, "png": base64.b64encode(picture.data).decode("ascii")}
            for picture in result.pictures
        ],
        "notices": list(result.notices),
        "seconds": result.seconds,
        "ownSeconds": result.own_seconds,
        "device": result.device,
        "peakMemory": result.peak_memory,
        "peakDeviceMemory": result.peak_device_memory,
        "offline": result.offline,
        "curves": [
            {
                "name": curve.name,
                "values": [value if math.isfinite(value) else None for value in curve.values],
                "count": curve.count,
                "svg": svg(curve),
            }
            for curve in result.curves
        ],
        "lines": [{**asdict(one), "value": _value(one.value), "text": str(one)} for one in result.lines],
        "layers": _layers(result.measured),
        "memory": _memory(result.measured),
    }


def _layers(measured: LayerTable | MemoryNeed | None) -> dict[str, Any] | None:
    if not isinstance(measured, LayerTable):
        return None
    fields = asdict(measured)
    rows = [
        {**row, "outputBytes": row["output_bytes"], "output": [*map(list, row["output"])]}
        for row in fields.pop("layers")
    ]
    for row in rows:
        del row["output_bytes"]
    blocks = [{**block, "output": [*map(list, block["output"])]} for block in fields.pop("blocks")]
    return {**fields, "rows": rows, "blocks": blocks, "output": [*map(list, measured.output)]}


def _memory(measured: LayerTable | MemoryNeed | None) -> dict[str, Any] | None:
    if not isinstance(measured, MemoryNeed):
        return None
    return {**asdict(measured), "devices": [*map(asdict, measured.devices)]}


def _value(value: Value) -> dict[str, Any]:
    fields = asdict(value)
    needs_gradient = fields.pop("requires_grad")
    shape = None if value.shape is None else list(value.shape)
    more = {"shape": shape, "first": list(value.first), "summary": value.summary()}
    return {**fields, **more, "requiresGrad": needs_gradient}


def schema() -> str:
    """The JSON schema of a result, as text."""
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "torchlore run",
        "description": "How a run went: the answer of the command `torchlore.run` with `wait`.",
        "type": "object",
        "required": list(PROPERTIES),
        "properties": PROPERTIES,
    }
    return json.dumps(document, indent=2) + "\n"


def _described(description: str, *types: str, **more: Any) -> dict[str, Any]:
    return {"type": list(types) if len(types) > 1 else types[0], "description": description, **more}


def _object(description: str, /, *types: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return _described(description, "object", *types, required=list(properties), properties=properties)


_LINE = _described("The line of the snippet, from 1.", "integer", "null", minimum=1)

_VALUE_FIELDS: dict[str, dict[str, Any]] = {
    "kind": _described("A tensor of torch or numpy, or anything else.", "string", enum=["tensor", "object"]),
    "type": _described("Its class.", "string"),
    "text": _described("Its `repr`, cut where it is long.", "string"),
    "summary": _described("One line for people.", "string"),
    "shape": _described("Of a tensor.", "array", "null", items={"type": "integer"}),
    "dtype": _described("Of a tensor, without `torch.`.", "string", "null"),
    "device": _described("Of a tensor of torch.", "string", "null"),
    "requiresGrad": _described("Whether a gradient is computed for it.", "boolean"),
    "min": _described("Of the elements that are finite.", "number", "null"),
    "mean": _described("Of the elements that are finite.", "number", "null"),
    "max": _described("Of the elements that are finite.", "number", "null"),
    "nan": _described("How many elements are NaN.", "integer", "null"),
    "inf": _described("How many elements are infinite.", "integer", "null"),
    "first": _described(
        'The first elements; "nan", "inf" and "-inf" for what JSON cannot say.',
        "array",
        items={"type": ["number", "string", "boolean"]},
    ),
}

_SHAPES = _described(
    "The shapes of the tensors.", "array", items={"type": "array", "items": {"type": "integer"}}
)
_PARAMETERS = _described("How many numbers its parameters hold.", "integer")
_FLOPS = _described("Multiplications and additions; null where torch does not count.", "integer", "null")

_LAYER = _object(
    "A module that has none in it, or parameters of its own.",
    name=_described("Its path in the model.", "string"),
    type=_described("Its class.", "string"),
    output=_SHAPES,
    outputBytes=_described("Of what it gave last.", "integer"),
    calls=_described("How often it was called.", "integer"),
    parameters=_PARAMETERS,
    bytes=_described("Of its parameters.", "integer"),
    flops=_FLOPS,
)

_BLOCK = _object(
    "An attribute of the model that is made of layers.",
    name=_described("As the model calls it.", "string"),
    output=_SHAPES,
    parameters=_PARAMETERS,
)

_MEASURED: dict[str, dict[str, Any]] = {
    "curves": _described(
        "The lists of numbers that it left, such as the course of a loss.",
        "array",
        items=_object(
            "One list.",
            name=_described("The variable; empty for the last value.", "string"),
            values=_described(
                "Of a long one every so many; null is not finite.",
                "array",
                items={"type": ["number", "null"]},
            ),
            count=_described("How many there were.", "integer"),
            svg=_described("A picture of them.", "string"),
        ),
    ),
    "lines": _described(
        "What the lines gave of which that was asked, in the order in which they ran.",
        "array",
        items=_object(
            "One name, or one value.",
            line=_described("From 1.", "integer", minimum=1),
            name=_described("What it bound; empty for the value of an expression.", "string"),
            value=_object("What it is.", **_VALUE_FIELDS),
            text=_described("One line for people.", "string"),
        ),
    ),
    "layers": _object(
        "The layers of a model.",
        "null",
        rows=_described("In the order of their first calls.", "array", items=_LAYER),
        blocks=_described(
            "What is made of those, as far as the model itself sets it.", "array", items=_BLOCK
        ),
        parameters=_PARAMETERS,
        trainable=_described("Of those, how many are trained.", "integer"),
        bytes=_described("Of all parameters.", "integer"),
        flops=_FLOPS,
        output=_SHAPES,
    ),
    "memory": _object(
        "The bytes that a step of training holds.",
        "null",
        weights=_described("Parameters and buffers.", "integer"),
        gradients=_described("One for each trained parameter.", "integer"),
        optimizer=_described("Its state.", "integer"),
        activations=_described("Kept between forward and backward.", "integer"),
        peak=_described("Most at one moment.", "integer"),
        devices=_described(
            "What each device has.",
            "array",
            items=_object(
                "One device.",
                name=_described("As torch names it.", "string"),
                description=_described("What it is sold as.", "string"),
                total=_described("Bytes.", "integer", "null"),
                free=_described("Bytes.", "integer", "null"),
            ),
        ),
    ),
}

PROPERTIES: dict[str, dict[str, Any]] = {
    "version": _described("Of this schema. New properties do not change it.", "integer", const=VERSION),
    "ok": _described("It ended by itself, with exit code 0.", "boolean"),
    "outcome": _described("How it ended.", "string", enum=list(_OUTCOMES)),
    "summary": _described("One sentence for people.", "string"),
    "exitCode": _described("Negative where a signal ended it.", "integer", "null"),
    "stdout": _described("Clean text, without escapes.", "string"),
    "stderr": _described("Clean text, without escapes.", "string"),
    "truncated": _described("Not all that it printed is there.", "boolean"),
    "error": _object(
        "What went wrong in the snippet.",
        "null",
        type=_described("The exception's class.", "string"),
        message=_described("What it says.", "string"),
        line=_LINE,
    ),
    "value": _object("What the last expression gave.", "null", **_VALUE_FIELDS),
    "warnings": _described(
        "In their order.",
        "array",
        items=_object(
            "One warning.",
            category=_described("Its class.", "string"),
            message=_described("What it says.", "string"),
            line=_LINE,
        ),
    ),
    "pictures": _described(
        "Figures, and the last value where it looks like an image.",
        "array",
        items=_object(
            "One picture.",
            name=_described("Its file's name.", "string"),
            png=_described("The PNG in base64.", "string", contentEncoding="base64"),
        ),
    ),
    "notices": _described("Sentences about the device.", "array", items={"type": "string"}),
    "seconds": _described("Wall time of the process.", "number"),
    "ownSeconds": _described("Wall time of the snippet alone, until its device was done.", "number", "null"),
    "device": _described('The device that held most: "cuda:0", "cpu", …, "unknown".', "string"),
    "peakMemory": _described("Bytes of host memory at most.", "integer", "null"),
    "peakDeviceMemory": _described("Bytes on the device at most.", "integer", "null"),
    "offline": _described("It could not reach other machines.", "boolean"),
    **_MEASURED,
}
