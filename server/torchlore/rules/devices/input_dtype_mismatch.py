"""TL602: a layer is given an input of another dtype than its weights have."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, members
from torchlore.analysis.automata import walk
from torchlore.analysis.called import Called
from torchlore.analysis.events import Event, Kind, Root
from torchlore.analysis.names import words
from torchlore.analysis.queries import holds, options, reachable
from torchlore.analysis.values import Const, Function, Instance, LocalClass, Tensor, Unknown, Value
from torchlore.rules import support
from torchlore.rules.devices._arrays import dtype_of
from torchlore.rules.devices._purpose import is_tried
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.triggers import words_of
from torchlore.text import Edit, Source, Span
from torchlore.text.words import encoded

_LAYERS = frozenset(
    f"torch.nn.{name}"
    for name in words(
        """
        Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d
        RNN LSTM GRU RNNCell LSTMCell GRUCell BatchNorm1d BatchNorm2d BatchNorm3d
        """
    )
)
_WRONG = frozenset({"float64", "int64", "int32", "int16", "int8", "uint8", "bool"})
"""Dtypes that no layer with float32 weights takes, autocast or not."""

_WITHOUT = frozenset({"dtype", "affine", "track_running_stats"})
"""Arguments of layers by which their weights may be of another dtype, or may be none."""

_BEFORE_AFFINE = 3
"""Parameters of `nn.BatchNorm1d` and its kin before those by which it may have no weights."""

_NAMES = frozenset(encoded(name.rpartition(".")[2]) for name in _LAYERS)
_MADE = {b"float64": "float64", b"double": ".double("} | {
    encoded(name): f"{name}(" for name in words("from_numpy tensor as_tensor arange randint Tensor")
}
"""Of each a file has to have one, a layer and what makes a tensor, for this rule to have something to say."""

_KEEP = frozenset(f"torch.nn.{name}" for name in words("Flatten Unflatten Identity Dropout Dropout2d"))
_CAST = ("Module.double", "Module.half", "Module.bfloat16", "Module.type", "Module.to_empty")
_SET_DEFAULT = ("torch.set_default_dtype", "torch.set_default_tensor_type")


class InputDtypeMismatch(Rule):
    """
    ## What it does

    Looks for layers with float32 weights that are given a tensor of float64 or of whole numbers.

    ## Why is this bad?

    NumPy makes float64, and `torch.from_numpy` keeps that; the weights of a layer are float32.
    Torch does not convert one to the other: the call raises `mat1 and mat2 must have the same dtype, but got
    Double and Float`, or words to that effect.

    ## Example

    ```py
    import numpy as np
    import torch

    model = torch.nn.Linear(4, 1)
    x = torch.from_numpy(np.random.randn(8, 4))
    print(model(x))
    ```

    ## Use instead

    ```py
    import numpy as np
    import torch

    model = torch.nn.Linear(4, 1)
    x = torch.from_numpy(np.random.randn(8, 4))
    print(model(x.float()))
    ```

    ## Fix safety

    `.float()` is safe: the call cannot have worked. To make the weights float64 instead is offered as well.

    ## Known limits

    Silent in a file that changes the default dtype, or casts the layer or what may hold it; where the layer
    was made with a `dtype`; and where code that cannot be seen got hold of it before.
    The dtype of an array is known where NumPy makes it a few lines above, not where it comes out of a file.

    ## References

    - [torch.from_numpy](https://docs.pytorch.org/docs/stable/generated/torch.from_numpy.html)
    - [torch.nn.Linear](https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html)
    """

    code = "TL602"
    name = "input-dtype-mismatch"
    family = Family.DEVICES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "dtype-promotion"
    trigger = r"\b(?:numpy|float64|double|arange|randint|int64|uint8|DoubleTensor|LongTensor)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        known = words_of(text)
        made = any(word in known and written in text for word, written in _MADE.items())
        return made and any(f"{word.decode()}(" in text for word in known & _NAMES)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        layers = [call for call in analysis.called(*_CALLED) if _layers(call)]
        if not layers or _casts_all(analysis):
            return
        told: set[int] = set()
        given: dict[int, list[Called]] = {}
        for layer in layers:
            for value in _firsts(layer):
                given.setdefault(id(value), []).append(layer)
        for call in analysis.called("Module()"):
            handed = {layer for value in _firsts(call) for layer in given.get(id(value), ())}
            reached = [layer for layer in handed if _is_in_forward(analysis, call, layer)]
            if reached:
                told.update(id(value) for value in _firsts(call))
                yield from self._check_call(analysis, call, min(reached, key=Called.place))
        for layer in layers:
            if not told.issuperset(id(value) for value in _firsts(layer)):
                yield from self._check_call(analysis, layer, layer)

    def _check_call(self, analysis: Analysis, call: Called, layer: Called) -> Iterator[Finding]:
        argument = call.argument(0, "input") or next(iter(call.node.args), None)
        if argument is None or isinstance(argument, ast.Starred):
            return
        dtype = _dtype(analysis, call, argument)
        if dtype not in _WRONG:
            return
        statement = support.statement_of(analysis, call.node)
        if statement is None or is_tried(analysis, statement):
            return
        if not analysis.is_whole(statement) or _is_cast(analysis, layer) or _is_held(analysis, layer):
            return
        model, given = support.written(analysis, call.node.func), support.written(analysis, argument)
        by_way = "" if call is layer else f" in `{support.written(analysis, layer.node.func)}`"
        message = f"`{given}` is {dtype}, but the weights of `{model}`{by_way} are float32: the call raises"
        fixes = tuple(_fixes(analysis, argument, dtype, layer))
        yield self.finding(message, analysis.source.span(argument), fixes=fixes)


_CALLED = (*sorted(f"{name}()" for name in _LAYERS), "torch.nn.Sequential()")


def _layers(call: Called) -> list[Instance]:
    """The layers with float32 weights that an input meets first, whatever the call calls; else none."""
    found = [_first_layer(option) for option in options(call.receiver)] if call.receiver is not None else []
    layers = [layer for layer in found if layer is not None]
    return layers if len(layers) == len(found) else []


def _first_layer(value: Value) -> Instance | None:
    if not isinstance(value, Instance) or value.arguments is None or not value.arguments.complete:
        return None
    if value.cls == "torch.nn.Sequential":
        inner = (part for part in value.arguments.positional if _class(part) not in _KEEP)
        first = next(inner, None)
        return _first_layer(first) if first is not None else None
    given = value.arguments
    if value.cls not in _LAYERS or not _WITHOUT.isdisjoint(given.keywords):
        return None
    is_plain = not _class(value).startswith("torch.nn.BatchNorm") or len(given.positional) <= _BEFORE_AFFINE
    return value if is_plain else None


def _class(value: Value) -> str:
    return value.cls if isinstance(value, Instance) and isinstance(value.cls, str) else ""


def _casts_all(analysis: Analysis) -> bool:
    """Whether weights may have another dtype than float32, whatever they are of."""
    if any(True for _ in analysis.called(*_SET_DEFAULT)):
        return True
    files = (file for file in analysis.dependencies.files.values() if file.was_read)
    return any("set_default_" in file.source.text or ".double()" in file.source.text for file in files)


def _is_cast(analysis: Analysis, layer: Called) -> bool:
    """Whether the file casts a layer, or a module that may hold it."""
    casts = [*analysis.called(*_CAST), *filter(_may_cast, analysis.called("Module.to"))]
    made = {one.node for one in _layers(layer)}
    return any(_may_hold(option, made) for call in casts for option in options(call.receiver or Unknown()))


def _may_hold(module: Value, made: set[ast.AST]) -> bool:
    """Whether a module may be, or hold, one that is made at these places: a parameter may be any module."""
    if not isinstance(module, Instance) or not isinstance(module.node, ast.Call):
        return True
    return module.cls == "torch.nn.Module" or any(
        isinstance(part, Instance) and part.node in made for part in reachable(module)
    )


def _may_cast(call: Called) -> bool:
    """Whether `module.to(…)` is given anything but a device."""
    return not call.is_complete or any(
        not _is_device(option)
        for given in call.given
        for name, argument in [*((("", value)) for value in given.positional), *given.keywords.items()]
        if name != "non_blocking"
        for option in options(argument)
    )


def _is_device(value: Value) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, str | int)
    return isinstance(value, Instance) and value.cls == "torch.device"


def _firsts(call: Called) -> list[Value]:
    """The first argument, once for every time that the call was come by."""
    return [given.positional[0] for given in call.given if given.positional]


def _is_in_forward(analysis: Analysis, call: Called, layer: Called) -> bool:
    """Whether the call of a layer stands in the `forward` of the module that is called."""
    around = analysis.around(layer.node) or ()
    return any(_forward_of(option) in around for option in options(call.receiver or Unknown()))


def _forward_of(value: Value) -> ast.AST | None:
    cls = value.cls if isinstance(value, Instance) else None
    found = members.lookup(cls, "forward") if isinstance(cls, LocalClass) else None
    return found.node if isinstance(found, Function) else None


def _dtype(analysis: Analysis, call: Called, argument: ast.expr) -> str:
    values = [option for value in _firsts(call) for option in options(value)]
    found = {value.dtype if isinstance(value, Tensor) and value.certain else "" for value in values}
    dtype = found.pop() if len(found) == 1 else ""
    return dtype or (dtype_of(analysis, argument) if found == set() else "")


def _is_held(analysis: Analysis, layer: Called) -> bool:
    """Whether code that cannot be seen got hold of a layer before it is called: it may have cast it."""
    return any(_is_held_at(root, made, layer.node) for root in analysis.roots for made in _layers(layer))


def _is_held_at(root: Root, layer: Instance, call: ast.Call) -> bool:
    """Whether somebody has had hold of a layer since it was made, on some path to a call of it."""

    def move(event: Event, is_held: bool) -> bool:
        if event.kind is Kind.ESCAPE:
            return is_held or holds(event.value, layer)
        return is_held and not (event.kind is Kind.RESET and event.key is layer)

    if not support.is_held(root, layer):
        return False
    seen = walk(root.path, True, move, (Kind.ESCAPE, Kind.RESET, Kind.FORWARD))
    at = [states for event, states in seen.items() if event.kind is Kind.FORWARD and event.node is call]
    return not at or any(True in states for states in at)


def _fixes(analysis: Analysis, argument: ast.expr, dtype: str, layer: Called) -> Iterator[Fix]:
    edit = support.followed_by(analysis, argument, ".float()")
    yield Fix(f"Make `{support.written(analysis, argument)}` float32: `.float()`", (edit,), safe=True)
    made = [found.node for found in _layers(layer)]
    if dtype == "float64" and len(made) == 1 and isinstance(made[0], ast.Call) and analysis.owns(made[0]):
        end = analysis.source.span(made[0]).end
        title = f"Make the weights on line {made[0].lineno} float64: `.double()`"
        yield Fix(title, (Edit(Span(end, end), ".double()"),), safe=False)
