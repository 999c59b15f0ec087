"""What a value is, told in a few numbers: of a tensor its shape, its range and what in it is no number."""

from __future__ import annotations

import contextlib
import math
import reprlib
import struct
import sys
import zlib
from typing import Any

FIRST = 8
"""Elements of a tensor that are told."""

SHORTEST_COURSE = 8
"""Numbers of which a curve is worth drawing."""

_LONGEST_COURSE = 100_000
_LONGEST_TEXT = 2000
_LARGEST_PICTURE = 512
_SMALLEST_PICTURE = 8


def told(value: Any) -> dict[str, Any]:
    """A value as JSON can hold it; never raises because of the value.

    Returns:
        `kind`: "tensor" (torch's and numpy's) or "object"; `type`: its class; `text`: its `repr`, cut,
        of a module or an optimizer below a line about its parameters. Of a tensor also `shape`, `dtype`,
        `device` (None of an array) and `requires_grad`, and where it has numbers `min`, `mean` and `max` of
        those that are finite, how many are `nan` and `inf`, and the `first` of them. Numbers that JSON has no
        word for are "nan", "inf" and "-inf".
    """
    found: dict[str, Any] = {"kind": "object", "type": type(value).__name__, "text": _text(value)}
    about = _of_module(value) or _of_optimizer(value)
    if about is not None:
        found["text"] = f"{about}\n{found['text']}"
    with contextlib.suppress(Exception):
        tensor = _as_tensor(value)
        if tensor is not None:
            found |= _described(value, tensor)
            with contextlib.suppress(Exception):  # A tensor may be on `meta`, sparse, or of no numbers.
                found |= _counted(tensor)
    return found


def picture(value: Any) -> bytes | None:
    """A PNG of a tensor that looks like one: (H, W), (1, H, W) or (3, H, W), of bytes or of fractions."""
    with contextlib.suppress(Exception):
        tensor = _as_tensor(value)
        if tensor is not None:
            return _drawn(tensor.detach())
    return None


def course(value: Any) -> list[float] | None:
    """The numbers of a list, or of a tensor with one dimension, that are many enough to make a curve."""
    with contextlib.suppress(Exception):
        if isinstance(value, (list, tuple)):
            plain = [x.item() if hasattr(x, "item") else x for x in value[:_LONGEST_COURSE]]
            are_numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in plain)
            return plain if are_numbers and len(plain) >= SHORTEST_COURSE else None
        tensor = _as_tensor(value)
        if tensor is not None and tensor.dim() == 1 and tensor.is_floating_point():
            numbers: list[float] = tensor.detach()[:_LONGEST_COURSE].tolist()
            return numbers if len(numbers) >= SHORTEST_COURSE else None
    return None


def _of_module(value: Any) -> str | None:
    """A line about a module: how many parameters it has, and how large they and their gradients are."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.nn.Module):
        return None
    with contextlib.suppress(Exception):
        parameters = list(value.parameters())
        gradients = [one.grad for one in parameters if one.grad is not None]
        text = f"{type(value).__name__} with {sum(one.numel() for one in parameters)} parameters"
        if parameters:
            text += f" of norm {_norm(torch, parameters):.4g}"
        return text + (f", gradients of norm {_norm(torch, gradients):.4g}" if gradients else "")
    return None


def _of_optimizer(value: Any) -> str | None:
    """A line about an optimizer: how many parameters it moves, and how fast."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.optim.Optimizer):
        return None
    with contextlib.suppress(Exception):
        moved = [one for group in value.param_groups for one in group["params"]]
        text = f"{type(value).__name__} over {sum(one.numel() for one in moved)} parameters"
        rates = dict.fromkeys(f"{float(group['lr']):.4g}" for group in value.param_groups if "lr" in group)
        return text + (f", lr {' and '.join(rates)}" if rates else "")
    return None


def _norm(torch: Any, tensors: list[Any]) -> float:
    return float(torch.stack([one.detach().float().norm().cpu() for one in tensors]).norm())


def _as_tensor(value: Any) -> Any:
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and isinstance(value, torch.Tensor):
        return value
    if torch is not None and numpy is not None and isinstance(value, numpy.ndarray):
        return torch.as_tensor(value)
    return None


def _described(value: Any, tensor: Any) -> dict[str, Any]:
    return {
        "kind": "tensor",
        "shape": [int(size) for size in value.shape],
        "dtype": str(value.dtype).rpartition(".")[2],
        "device": str(value.device) if value is tensor else None,
        "requires_grad": bool(tensor.requires_grad),
    }


def _counted(tensor: Any) -> dict[str, Any]:
    torch: Any = sys.modules["torch"]
    flat = tensor.detach().reshape(-1)
    found: dict[str, Any] = {"first": [_number(x) for x in flat[:FIRST].tolist()]}
    if not flat.is_floating_point():
        flat = flat.to(torch.float64)
    finite = flat[torch.isfinite(flat)]
    found |= {"nan": int(torch.isnan(flat).sum()), "inf": int(torch.isinf(flat).sum())}
    if finite.numel():
        mean = finite.mean(dtype=None if finite.device.type == "mps" else torch.float64)
        found |= {"min": finite.min().item(), "mean": _number(mean.item()), "max": finite.max().item()}
    return found


def _number(x: Any) -> Any:
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    return x if isinstance(x, (bool, int, float)) else str(x)


def _text(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    if len(text) <= _LONGEST_TEXT:
        return text
    with contextlib.suppress(Exception):
        return reprlib.repr(value) if isinstance(value, (str, bytes)) else f"{text[:_LONGEST_TEXT]}…"
    return f"{text[:_LONGEST_TEXT]}…"


def _drawn(tensor: Any) -> bytes | None:
    torch: Any = sys.modules["torch"]
    if tensor.dim() == 2:
        tensor = tensor[None]
    if tensor.dim() != 3 or tensor.shape[0] not in (1, 3):
        return None
    channels, height, width = tensor.shape
    if min(height, width) < _SMALLEST_PICTURE or max(height, width) > _LARGEST_PICTURE:
        return None
    if tensor.dtype != torch.uint8:
        if not tensor.is_floating_point() or tensor.min() < 0 or tensor.max() > 1:
            return None
        tensor = (tensor * 255).round().to(torch.uint8)
    rows = tensor.permute(1, 2, 0).reshape(height, width * channels).tolist()
    return _png(width, height, channels, b"".join(b"\0" + bytes(row) for row in rows))


def _png(width: int, height: int, channels: int, lines: bytes) -> bytes:
    """A PNG of 8 bits: grey or RGB. Each line begins with its filter, 0."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
