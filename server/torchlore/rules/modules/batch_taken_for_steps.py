"""TL321: the last sample of the batch is taken for the last step of the sequence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Const, Instance, Tensor, Value
from torchlore.rules import arguments, bindings, clashes, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._origins import given_to, origin
from torchlore.text import Edit, Source


class BatchTakenForSteps(Rule):
    """
    ## What it does

    Looks for `out[:, -1]` and `out.mean(1)` of what an `nn.LSTM`, `nn.GRU` or `nn.RNN` gave that was not made
    with `batch_first=True`.

    ## Why is this bad?

    By default the steps of the sequence come first and the batch second. `out[:, -1]` is the last sample of
    the batch at all steps, and `out.mean(1)` mixes the samples. Given a batch that comes first, the layer
    goes from sample to sample as if they were steps. The sizes fit, so that nothing is reported: the answer
    for a sample does not depend on its own sequence.

    ## Example

    ```py
    from torch import nn


    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(8, 16)
            self.fc = nn.Linear(16, 2)

        def forward(self, x):
            out, _ = self.lstm(x)
            return self.fc(out[:, -1])
    ```

    ## Use instead

    ```py
    from torch import nn


    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(8, 16, batch_first=True)
            self.fc = nn.Linear(16, 2)

        def forward(self, x):
            out, _ = self.lstm(x)
            return self.fc(out[:, -1])
    ```

    ## Fix safety

    Not safe: only who feeds the layer knows whether the batch comes first. Both repairs are offered: to tell
    the layer so, and to take the last step where the steps come first.

    ## Known limits

    Silent where the output went through anything but dropout and activations, and where its second dimension
    is known to be one, or it is known to have no batch.

    ## References

    - [torch.nn.LSTM](https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html)
    - [torch.nn.GRU](https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html)
    """

    code = "TL321"
    name = "batch-taken-for-steps"
    family = Family.MODULES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "rnn-lstm-gru"
    trigger = r"\b(?:LSTM|GRU|RNN)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(word in source.text for word in ("-1", "mean(", "max(", "sum("))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_BATCH_FIRST):
            scope = bindings.scope_of(analysis, call.node) if _takes_steps_first(call) else None
            for node in bindings.within(scope) if scope is not None else ():
                taken = _taken(analysis, node)
                if taken is None or not analysis.is_whole(taken.node):
                    continue
                if _is_output_of(analysis, taken.of, call) and not _has_one_sample(analysis.value(taken.of)):
                    yield self._report(analysis, taken, call)

    def _report(self, analysis: Analysis, taken: _Taken, call: Called) -> Finding:
        layer = call.receiver
        made = layer.node if isinstance(layer, Instance) else call.node
        text, name = (
            clashes.short(support.written(analysis, taken.node)),
            support.written(analysis, call.node.func),
        )
        message = (
            f"`{text}` {taken.does}: `{name}`, made {support.on_line(analysis, made)} without "
            "`batch_first=True`, takes the steps first and the batch second"
        )
        related = support.related(analysis, made, "made here") if isinstance(made, ast.expr) else ()
        fixes = tuple(_fixes(analysis, taken, call, made))
        return self.finding(message, analysis.source.span(taken.node), fixes=fixes, related=related)


_BATCH_FIRST = {"torch.nn.LSTM()": 4, "torch.nn.GRU()": 4, "torch.nn.RNN()": 5}
"""Where `batch_first` stands among the arguments of the constructor."""

_REDUCES = ("mean", "sum", "max", "amax")


@dataclass(frozen=True, slots=True)
class _Taken:
    """`out[:, -1]` or `out.mean(1)`.

    Attributes:
        of: the output of the layer.
        index: what says that it is along the second dimension.
        does: what it does where that is the batch.
        instead: what is meant where the steps come first, in the place of `index`.
    """

    node: ast.expr
    of: ast.expr
    index: ast.expr
    does: str
    instead: str


def _takes_steps_first(call: Called) -> bool:
    """Whether the layer that is called surely was made without `batch_first=True`."""
    layer = call.receiver
    if not isinstance(layer, Instance) or layer.arguments is None or not layer.arguments.complete:
        return False
    given = layer.arguments.get(_BATCH_FIRST[call.name], "batch_first")
    is_default = given is None or (isinstance(given, Const) and given.value is False)
    return is_default and "batch_first" not in layer.attributes


def _is_output_of(analysis: Analysis, node: ast.expr, call: Called) -> bool:
    """Whether an expression is what a layer gave for all steps: the first of the two things that it gives."""
    found = origin(analysis, node)
    return found is not None and found.call.node is call.node and found.place == (0,)


def _taken(analysis: Analysis, node: ast.AST) -> _Taken | None:
    match node:
        case ast.Subscript(
            value=of, slice=ast.Tuple(elts=[ast.Slice(lower=None, upper=None, step=None), last, *rest])
        ) if all(map(_is_everything, rest)):
            if ast.unparse(last) != "-1":
                return None
            return _Taken(node, of, node.slice, "takes the last sample of the batch, not the last step", "-1")
        case ast.Call(func=ast.Attribute(attr=name)) if name in _REDUCES:
            call = analysis.call_at(node)
            if (
                call is None
                or call.name not in (f"Tensor.{name}", f"torch.{name}")
                or not node.args + node.keywords
            ):
                return None
            position = 0 if call.receiver is not None else 1
            along = call.argument(position, "dim")
            if along is None or call.literal(position, "dim") != 1:
                return None
            return _Taken(node, given_to(call), along, "mixes the samples of the batch, not the steps", "0")
        case _:
            return None


def _is_everything(index: ast.expr) -> bool:
    """`:` and `...`."""
    match index:
        case ast.Slice(lower=None, upper=None, step=None) | ast.Constant(value=EllipsisType()):
            return True
        case _:
            return False


def _has_one_sample(value: Value) -> bool:
    """Whether an output is known to have no batch, or one sample only."""
    shape = value.shape if isinstance(value, Tensor) else None
    if shape is None:
        return False
    return (not shape.is_open and len(shape.dims) == 2) or (len(shape.dims) > 1 and shape.dims[-2] == 1)


def _fixes(analysis: Analysis, taken: _Taken, call: Called, made: ast.AST) -> Iterator[Fix]:
    steps = Edit(analysis.source.span(taken.index), taken.instead)
    what = "the last step" if taken.instead == "-1" else "the steps"
    second = Fix(f"Take {what} where the steps come first", (steps,), safe=False)
    if _is_turned(analysis, call):
        yield second
        return
    if isinstance(made, ast.Call):
        edit = _told(analysis, made, _BATCH_FIRST[call.name])
        if edit is not None:
            yield Fix("Tell the layer that the batch comes first: `batch_first=True`", (edit,), safe=False)
    yield second


def _told(analysis: Analysis, made: ast.Call, index: int) -> Edit | None:
    """Makes a layer with `batch_first=True`; None where that is not possible."""
    if index < len(made.args) and analysis.owns(made) and arguments.is_written_out(made):
        return Edit(analysis.source.span(made.args[index]), "True")
    return arguments.with_keyword(analysis, made, "batch_first", "True")


def _is_turned(analysis: Analysis, call: Called) -> bool:
    """Whether dimensions change places before the layer gets them: its author knows which comes first."""
    found = origin(analysis, given_to(call))
    return found is not None and found.call.name.rpartition(".")[2] in ("transpose", "permute", "swapaxes")
