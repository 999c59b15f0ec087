"""What was measured of a model, as tables of text."""

from __future__ import annotations

from torchlore.device.measured import DeviceMemory, LayerTable, MemoryNeed, Shape

Row = tuple[str, ...]

CONTEXT = 600 << 20
"""Bytes that a CUDA context and its libraries take beside the tensors; so much at most was seen."""


def layer_rows(table: LayerTable) -> list[Row]:
    """A head, a row for each layer, and the sum."""
    rows: list[Row] = [("layer", "class", "output", "parameters", "memory", "FLOPs")]
    for layer in table.layers:
        called = layer.type if layer.calls == 1 else f"{layer.type}, {layer.calls} times"
        sizes = layer.bytes + layer.output_bytes
        output = shapes(layer.output)
        rows.append(
            (
                layer.name or "the model",
                called,
                output,
                number(layer.parameters),
                size(sizes),
                flops(layer.flops),
            )
        )
    whole = (number(table.parameters), size(table.held), flops(table.flops))
    return [*rows, ("all", "", shapes(table.output), *whole)]


def need_rows(need: MemoryNeed) -> list[Row]:
    """What the memory is needed for, each in a row."""
    return [
        ("for", "memory"),
        ("weights", size(need.weights)),
        ("gradients", size(need.gradients)),
        ("optimizer", size(need.optimizer)),
        ("activations", size(need.activations)),
        ("at the peak", size(need.peak)),
    ]


def verdicts(need: MemoryNeed) -> list[str]:
    """For each device a sentence that says whether a step of training fits."""
    return [_verdict(need.peak, device) for device in need.devices]


def fits(need: MemoryNeed) -> bool:
    """Whether it fits on some accelerator, or on the CPU where there is no other device."""
    accelerators = [device for device in need.devices if device.name != "cpu"]
    return any(_room(device) >= _taken(need.peak, device) for device in accelerators or need.devices)


def _verdict(peak: int, device: DeviceMemory) -> str:
    called = f"{device.name} ({device.description})"
    room, taken = _room(device), _taken(peak, device)
    if not room:
        return f"{called} does not say how much memory it has."
    free = f"{size(room)} {'free' if device.free is not None else 'in all'}"
    if taken <= 0.9 * room:
        return f"It fits on {called}: {free}."
    if taken <= room:
        return f"It is tight on {called}: {free}."
    if device.total is not None and taken <= device.total:
        return f"It does not fit on {called} now: {free} of {size(device.total)}."
    return f"It does not fit on {called}: {free}."


def _room(device: DeviceMemory) -> int:
    """The bytes that are free, or that it has; 0 where it does not say."""
    return (device.total if device.free is None else device.free) or 0


def _taken(peak: int, device: DeviceMemory) -> int:
    return peak if device.name == "cpu" else peak + CONTEXT


def shapes(found: tuple[Shape, ...]) -> str:
    """As `8 × 16`, for each tensor."""
    return ", ".join(" × ".join(map(str, shape)) or "scalar" for shape in found)


def number(count: int) -> str:
    """With spaces between thousands; "" for none."""
    return f"{count:,}".replace(",", " ") if count else ""


def size(count: int) -> str:
    """Bytes in the largest unit that gives one digit before the point."""
    amount, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def flops(count: int | None) -> str:
    """In the largest unit that gives one digit before the point; "" for none, "?" where torch counts none."""
    if count is None:
        return "?"
    amount, unit = float(count), ""
    for larger in ("k", "M", "G", "T", "P"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, f" {larger}"
    return (f"{amount:.3g}{unit}") if count else ""
