"""TL801: a layer is given another width than it was made for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.shapes.shape import Shape, told
from torchlore.analysis.values import Instance, Ref, Value
from torchlore.rules import arguments, clashes, support
from torchlore.rules.clashes import Found
from torchlore.rules.literal_sizes import has_layer
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit, Source


class MismatchedLayers(Rule):
    """
    ## What it does

    Looks for layers that are given another number of features, channels or dimensions than they were made
    for: next to one another in an `nn.Sequential`, one after the other in `forward`, or applied to a tensor
    whose shape is known.

    ## Why is this bad?

    The first batch raises `RuntimeError: mat1 and mat2 shapes cannot be multiplied`, `expected input to have
    16 channels, but got 32 channels instead` or the like: often deep inside of a model, and minutes after the
    program was started.

    ## Example

    ```py
    from torch import nn

    model = nn.Sequential(
        nn.Linear(784, 128),
        nn.ReLU(),
        nn.Linear(256, 10),
    )
    ```

    ## Use instead

    ```py
    from torch import nn

    model = nn.Sequential(
        nn.Linear(784, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    ```

    ## Fix safety

    Never applied by itself: which of the two layers is wrong cannot be told. Both changes are offered: of
    what the second one takes, and of what the first one gives.

    ## Known limits

    Sizes count that are written out, or are given by names and arguments that are certain. Silent after
    `Lazy` layers, layers of other libraries, layers whose weights are set by hand, and where one of several
    layers is called. `nn.BatchNorm1d` after a layer of which it is not known whether it gives two dimensions
    or three is not checked: it may be over the second one. An `nn.Sequential` whose layers are reached one
    by one may be no more than a list; of it only calls are checked.

    ## References

    - [torch.nn.Linear](https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html)
    - [torch.nn.Conv2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html)
    - [torch.nn.BatchNorm2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html)
    - [torch.nn.Sequential](https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html)
    """

    code = "TL801"
    name = "mismatched-layers"
    family = Family.SHAPES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "conv-shapes"
    trigger = (
        r"\b(?:Linear|Conv1d|Conv2d|Conv3d|ConvTranspose1d|ConvTranspose2d|ConvTranspose3d|BatchNorm1d"
        r"|BatchNorm2d|BatchNorm3d|LayerNorm|GroupNorm|LSTM|GRU|RNN|MultiheadAttention)\b"
    )
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return has_layer(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in clashes.clashes(analysis, "features"):
            yield self._of_width(analysis, found)
        for found in clashes.clashes(analysis, "dimensions"):
            yield self._of_dimensions(analysis, found)

    def _of_width(self, analysis: Analysis, found: Found) -> Finding:
        clash, layer = found.clash, found.event.subject
        what, giver = _unit(layer), _giver(clash.shapes[0], clash.got)
        by = ""
        related: tuple[Related, ...] = ()
        if giver is not None and isinstance(giver.node, ast.Call):
            on = "" if analysis.owns(giver.node) and giver.node is found.node else _line_of(analysis, giver)
            by = f", the width of `{_written(analysis, giver)}`{on}"
            related = support.related(analysis, giver.node, f"gives {clash.got} {what}")
        message = f"{_called(analysis, found)} takes {clash.wanted} {what}, but is given {clash.got}{by}"
        if not by and not clash.shapes[0].is_open:
            message += f" by a tensor of shape {told(clash.shapes[0])}"
        return self.finding(
            message,
            analysis.source.span(_shown(found)),
            fixes=tuple(_fixes(analysis, found, giver)),
            related=related,
        )

    def _of_dimensions(self, analysis: Analysis, found: Found) -> Finding:
        shape = found.clash.shapes[0]
        many = _dimensions(found.event.subject, found.clash.wanted)
        message = (
            f"{_called(analysis, found)} takes {many} dimensions, but is given {found.clash.got}, "
            f"by a tensor of shape {told(shape)}"
        )
        return self.finding(message, analysis.source.span(_shown(found)))


def _shown(found: Found) -> ast.expr:
    """A layer that is made in an `nn.Sequential` is shown whole, of a call what is called."""
    layer = found.event.subject
    is_made_here = isinstance(layer, Instance) and layer.node is found.node
    return found.node if is_made_here else clashes.shown_at(found.node)


def _called(analysis: Analysis, found: Found) -> str:
    """The layer as it is written: where it is called by a name, with how it was made."""
    layer = found.event.subject
    if not isinstance(layer, Instance) or not isinstance(layer.node, ast.expr):
        return "The layer"
    if layer.node is found.node or not isinstance(found.node, ast.Call):
        return f"`{_written(analysis, layer)}`"
    if found.node.func is layer.node:
        return f"`{_written(analysis, layer)}`"
    name = clashes.short(support.written(analysis, found.node.func))
    return f"`{name}`, which is `{_written(analysis, layer)}`{_line_of(analysis, layer)},"


def _written(analysis: Analysis, layer: Instance) -> str:
    assert isinstance(layer.node, ast.expr)
    return clashes.short(support.written(analysis, layer.node))


def _line_of(analysis: Analysis, layer: Instance) -> str:
    return f" {support.on_line(analysis, layer.node)}"


def _unit(layer: Value | None) -> str:
    name = layer.cls if isinstance(layer, Instance) and isinstance(layer.cls, str) else ""
    has_channels = any(part in name for part in ("Conv", "BatchNorm2d", "BatchNorm3d", "GroupNorm"))
    return "channels" if has_channels else "features"


def _dimensions(layer: Value | None, most: int) -> str:
    """How many dimensions a layer takes: batch norms over pictures one number, most others two."""
    name = layer.cls if isinstance(layer, Instance) and isinstance(layer.cls, str) else ""
    return str(most) if name.endswith(("BatchNorm2d", "BatchNorm3d")) else f"{most - 1} or {most}"


def _giver(shape: Shape, got: int) -> Instance | None:
    """The layer to which a tensor owes its width."""
    giver = shape.given_by
    if not isinstance(giver, Instance) or not isinstance(giver.node, ast.Call):
        return None
    return giver if got in _given_widths(giver) else None


def _given_widths(giver: Instance) -> list[object]:
    """What a layer was told to give, as its constructor was told."""
    if giver.arguments is None or not isinstance(giver.cls, str):
        return []
    index, name = _OUT.get(giver.cls.removeprefix("torch.nn."), (-1, ""))
    value = giver.arguments.get(index, name) if name else None
    return [getattr(value, "value", None)]


def _fixes(analysis: Analysis, found: Found, giver: Instance | None) -> Iterator[Fix]:
    """What the second layer takes, then what the first one gives."""
    layer, clash = found.event.subject, found.clash
    if isinstance(layer, Instance):
        edit = _resized(analysis, layer, _IN, clash.wanted, clash.got)
        if edit is not None:
            yield Fix(f"Make `{_written(analysis, layer)}` take {clash.got}", (edit,), safe=False)
    if giver is not None:
        edit = _resized(analysis, giver, _OUT, clash.got, clash.wanted)
        if edit is not None:
            yield Fix(f"Make `{_written(analysis, giver)}` give {clash.wanted}", (edit,), safe=False)


def _resized(
    analysis: Analysis, layer: Instance, sizes: dict[str, tuple[int, str]], old: int, new: int
) -> Edit | None:
    """Another size in the call that makes a layer; None where the size is not written there."""
    call = layer.node
    if not isinstance(call, ast.Call) or not analysis.owns(call) or not isinstance(layer.cls, str):
        return None
    made = analysis.run.values.get(call.func)
    name = layer.cls.removeprefix("torch.nn.")
    if name not in sizes or not isinstance(made, Ref) or made.name != layer.cls:
        return None
    if any(arguments.argument(call, at, told) is not None for at, told in _DIVIDED.get(name, ())):
        return None  # groups of channels come out even with the old number
    return clashes.new_size(analysis, arguments.argument(call, *sizes[name]), old, new)


_CONVOLUTIONS = tuple(f"Conv{kind}{n}d" for kind in ("", "Transpose") for n in (1, 2, 3))

_NORMS = {
    **{f"BatchNorm{n}d": (0, "num_features") for n in (1, 2, 3)},
    **{f"InstanceNorm{n}d": (0, "num_features") for n in (1, 2, 3)},
    "LayerNorm": (0, "normalized_shape"),
    "RMSNorm": (0, "normalized_shape"),
}

_IN = {
    "Linear": (0, "in_features"),
    **dict.fromkeys(_CONVOLUTIONS, (0, "in_channels")),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"), (0, "input_size")),
    **_NORMS,
}
"""Where the constructor of a layer is told how wide its input is."""

_OUT = {
    "Linear": (1, "out_features"),
    "Embedding": (1, "embedding_dim"),
    **dict.fromkeys(_CONVOLUTIONS, (1, "out_channels")),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"), (1, "hidden_size")),
    **_NORMS,
}
"""Where the constructor of a layer is told how wide its output is."""

_DIVIDED = dict.fromkeys(_CONVOLUTIONS, ((6, "groups"),))
"""Arguments that both sizes must be divisible by."""
