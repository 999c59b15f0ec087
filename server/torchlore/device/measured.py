"""What was found out about a model without allocating it. Plain data, checked as it comes from the agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Shape = tuple[int, ...]

_MOST = 2000


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a model's `forward`. `dtype`: as torch calls it, without `torch.`."""

    shape: Shape
    dtype: str = "float32"

    def __str__(self) -> str:
        sizes = ",".join(map(str, self.shape))
        return sizes if self.dtype == "float32" else f"{sizes}:{self.dtype}"


@dataclass(frozen=True, slots=True)
class Optimizer:
    """A class of `torch.optim`, and what it is given beside the parameters."""

    name: str = "AdamW"
    options: tuple[tuple[str, bool | int | float], ...] = ()

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.options)
        return f"{self.name}({given})" if given else self.name


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about the model that the last expression of a snippet, a function, makes.

    Attributes:
        kind: "shapes" for a `LayerTable`, "fit" for a `MemoryNeed`.
        optimizer: for "fit".
    """

    kind: str
    inputs: tuple[Input, ...]
    optimizer: Optimizer = Optimizer()

    def message(self) -> dict[str, Any]:
        """As the agent is asked."""
        return {
            **asdict(self),
            "optimizer": {"name": self.optimizer.name, "options": dict(self.optimizer.options)},
        }


@dataclass(frozen=True, slots=True)
class Layer:
    """A module that has none in it, or parameters of its own.

    Attributes:
        name: its path in the model, "" for the model itself.
        type: its class.
        output: the shapes of the tensors that it gave last.
        output_bytes: of those.
        calls: how often it was called.
        parameters: its own, as numbers; `bytes`: theirs.
        flops: of all its calls, a multiplication and an addition counted as two; None where torch does not
            count.
    """

    name: str
    type: str
    output: tuple[Shape, ...]
    output_bytes: int
    calls: int
    parameters: int
    bytes: int
    flops: int | None


@dataclass(frozen=True, slots=True)
class Block:
    """An attribute of the model that is made of layers: `output` and `parameters` are those of all of it."""

    name: str
    output: tuple[Shape, ...]
    parameters: int


@dataclass(frozen=True, slots=True)
class LayerTable:
    """The layers in the order in which they were first called, and the whole; what is shared counts once."""

    layers: tuple[Layer, ...]
    parameters: int
    trainable: int
    bytes: int
    flops: int | None
    output: tuple[Shape, ...]
    blocks: tuple[Block, ...] = ()

    @property
    def held(self) -> int:
        """The bytes of all parameters, and of all that layers gave."""
        return self.bytes + sum(layer.output_bytes for layer in self.layers)


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """A device and what it has, in bytes; None where it does not say."""

    name: str
    description: str
    total: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """The bytes that a step of training holds at most.

    Attributes:
        weights: buffers included.
        optimizer: its state.
        activations: what is kept between forward and backward, inputs included.
        peak: most that is held at one moment of forward and backward; the state is included, what an
            allocator wastes and what libraries take for themselves is not.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    peak: int
    devices: tuple[DeviceMemory, ...]


def measured_in(said: object) -> LayerTable | MemoryNeed | None:
    """What is in a message of the agent; None where that is nothing, or malformed."""
    if not isinstance(said, Mapping):
        return None
    try:
        return _table(said) if "layers" in said else _need(said)
    except (KeyError, TypeError, ValueError):
        return None


def _table(said: Mapping[str, Any]) -> LayerTable:
    layers = tuple(
        Layer(
            name=str(one["name"]),
            type=str(one["type"]),
            output=_shapes(one["output"]),
            output_bytes=int(one["output_bytes"]),
            calls=int(one["calls"]),
            parameters=int(one["parameters"]),
            bytes=int(one["bytes"]),
            flops=_count(one["flops"]),
        )
        for one in said["layers"][:_MOST]
    )
    blocks = tuple(
        Block(str(one["name"]), _shapes(one["output"]), int(one["parameters"]))
        for one in said["blocks"][:_MOST]
    )
    return LayerTable(
        layers,
        parameters=int(said["parameters"]),
        trainable=int(said["trainable"]),
        bytes=int(said["bytes"]),
        flops=_count(said["flops"]),
        output=_shapes(said["output"]),
        blocks=blocks,
    )


def _need(said: Mapping[str, Any]) -> MemoryNeed:
    devices = tuple(
        DeviceMemory(
            str(one["name"]), str(one["description"]), _count(one["memory_total"]), _count(one["memory_free"])
        )
        for one in said["devices"]
    )
    return MemoryNeed(
        weights=int(said["weights"]),
        gradients=int(said["gradients"]),
        optimizer=int(said["optimizer"]),
        activations=int(said["activations"]),
        peak=int(said["peak"]),
        devices=devices,
    )


def _shapes(said: Any) -> tuple[Shape, ...]:
    return tuple(tuple(int(size) for size in shape) for shape in said)


def _count(said: Any) -> int | None:
    return None if said is None else int(said)
