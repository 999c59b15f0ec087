"""TL319: the batch is flattened along with the features that a linear layer is to get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis, submodules
from torchlore.analysis.called import Called
from torchlore.analysis.shapes.reshaping import batched, has_channels
from torchlore.analysis.shapes.shape import Shape
from torchlore.analysis.values import Instance, Tensor, Value
from torchlore.rules import arguments, clashes, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import method_around
from torchlore.rules.modules._origins import given_to, keeps_shape, origin
from torchlore.text import Edit, Source, Span


class FlattenDropsBatch(Rule):
    """
    ## What it does

    Looks for `torch.flatten(x)`, `x.view(-1)` and the like, in a module, of what a convolution, or a batch
    norm over pictures, gave, where the result goes into an `nn.Linear`.

    ## Why is this bad?

    Without a dimension to begin at, the batch is flattened too: of 32 pictures the linear layer gets one row
    that is 32 times too long, and raises `mat1 and mat2 shapes cannot be multiplied`. For a batch of one, as
    in a quick try, it fits: the batch is missing from the output then.

    ## Example

    ```py
    import torch
    from torch import nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 8, 3)
            self.norm = nn.BatchNorm2d(8)
            self.fc = nn.Linear(8 * 26 * 26, 10)

        def forward(self, x):
            x = self.norm(self.conv(x)).relu()
            return self.fc(torch.flatten(x))
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 8, 3)
            self.norm = nn.BatchNorm2d(8)
            self.fc = nn.Linear(8 * 26 * 26, 10)

        def forward(self, x):
            x = self.norm(self.conv(x)).relu()
            return self.fc(torch.flatten(x, 1))
    ```

    ## Fix safety

    Not safe: for a batch of one the output has a dimension more than before, and a single picture without
    a batch cannot be given any more.

    ## Known limits

    A warning where a batch is certain, as batch norms need one; a convolution alone takes a single picture
    too, so that it is an information after one. Silent where the linear layer is not reached right below, by
    way of dropout and activations at most, and where the batch is known to be one.

    ## References

    - [torch.flatten](https://docs.pytorch.org/docs/stable/generated/torch.flatten.html)
    - [torch.nn.Flatten](https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html)
    """

    code = "TL319"
    name = "flatten-drops-batch"
    family = Family.MODULES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "view-vs-reshape"
    trigger = r"\b(?:flatten|view|reshape|ravel)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        if "Linear" not in text or ("Conv" not in text and "BatchNorm" not in text):
            return False
        return any(part in text for part in _PARTS) and _WHOLE.search(text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.nn.Linear()", "torch.nn.Sequential()"):
            given = call.argument(0, "input")
            flat = _flattened(analysis, given) if given is not None and _is_linear(call.receiver) else None
            if flat is None or method_around(analysis, flat.node) is None:
                continue
            value = analysis.value(given_to(flat))
            severity = _severity(value)
            if severity is None or not analysis.is_whole(flat.node):
                continue
            text = clashes.short(support.written(analysis, flat.node))
            layer = support.written(analysis, call.node.func)
            message = (
                f"`{text}` flattens the batch as well, so that `{layer}` gets a single row of all samples"
            )
            related = support.related(analysis, call.node.func, "the linear layer that gets it")
            span = analysis.source.span(flat.node)
            yield self.finding(
                message, span, fixes=_fixes(analysis, flat), related=related, severity=severity
            )


_WHOLE = re.compile(r"\b(?:ravel\(|flatten\((?!\w+, ?-?\d)|(?:view|reshape)\( ?-1 ?\))")
"""What flattens all, or may: `flatten(x, 1)` does not."""

_PARTS = ("ravel(", "flatten(", "(-1", "( -1")
"""One of these is in each of them; to look for them takes a tenth of the time."""

_FLATTENS = (
    "torch.flatten",
    "torch.ravel",
    "Tensor.flatten",
    "Tensor.ravel",
    "Tensor.view",
    "Tensor.reshape",
)


def _is_linear(layer: Value | None, depth: int = 4) -> bool:
    """Whether a layer, or the first one of a sequence that does anything to a shape, is an `nn.Linear`."""
    if not isinstance(layer, Instance) or not depth:
        return False
    if layer.cls != "torch.nn.Sequential":
        return layer.cls == "torch.nn.Linear"
    parts = submodules.children(layer) or ()
    return _is_linear(next((part for part in parts if not _keeps_shape(part)), None), depth - 1)


def _keeps_shape(layer: Value) -> bool:
    return isinstance(layer, Instance) and isinstance(layer.cls, str) and keeps_shape(layer.cls)


def _flattened(analysis: Analysis, node: ast.expr) -> Called | None:
    """The call that flattened all dimensions of what an expression is, if nothing but that was done to it."""
    found = origin(analysis, node)
    if (
        found is None
        or found.place
        or found.call.name not in _FLATTENS
        or not arguments.is_written_out(found.call.node)
    ):
        return None
    return found.call if _takes_all(found.call) else None


def _takes_all(call: Called) -> bool:
    """Whether a call names no dimension, or asks for one that holds all."""
    given = [*call.node.args, *call.node.keywords]
    if call.name in ("Tensor.view", "Tensor.reshape"):
        return len(given) == 1 and call.literal(0, "shape") == -1
    return len(given) == (0 if call.receiver is not None else 1)


def _severity(value: Value) -> Severity | None:
    """How sure it is that there is a batch: None where nothing tells so."""
    shape = value.shape if isinstance(value, Tensor) else None
    if shape is None:
        return None
    is_open, shape = shape.is_open, batched(shape)
    if shape.is_open or shape.dims[:1] == (1,) or not _is_of_pictures(shape):
        return None
    return Severity.INFORMATION if is_open else Severity.WARNING


def _is_of_pictures(shape: Shape) -> bool:
    """Whether a shape has a batch, channels, and what a convolution slides over."""
    return has_channels(Shape(shape.dims[1:], True, shape.given_by))


def _fixes(analysis: Analysis, flat: Called) -> tuple[Fix, ...]:
    node = flat.node
    if flat.name == "torch.flatten":
        edit = arguments.added(analysis, node, "1" if node.args else "start_dim=1")
    elif flat.receiver is not None:
        end = analysis.source.span(node).end
        span = Span(analysis.source.span(given_to(flat)).end, end)
        is_plain = span.end > span.start and not set(analysis.source.segment(span)) & set("#\\\n\r")
        edit = Edit(span, _closed(analysis.source.segment(span)) + ".flatten(1)") if is_plain else None
    else:
        edit = None
    return () if edit is None else (Fix("Keep the batch: flatten from dimension 1 on", (edit,), safe=False),)


def _closed(behind: str) -> str:
    """The parentheses that close around what is flattened, in the text behind it."""
    return behind[: behind.index(".")]
