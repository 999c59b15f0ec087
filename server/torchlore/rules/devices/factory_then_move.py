"""TL603: a tensor is made on one device and moved to another at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.names import words
from torchlore.analysis.values import Ref
from torchlore.rules import arguments, support
from torchlore.rules.devices import _moves
from torchlore.rules.devices._moves import MOVES, device_of
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span

_EXACT = frozenset(f"torch.{name}" for name in words("zeros ones full empty eye tensor"))
_ALIKE = frozenset(f"torch.{name}" for name in words("zeros_like ones_like full_like empty_like"))
_COMPUTED = frozenset(f"torch.{name}" for name in words("arange linspace logspace"))
_RANDOM = frozenset(
    f"torch.{name}" for name in words("rand randn randint randperm normal rand_like randn_like")
)
_FACTORIES = _EXACT | _ALIKE | _COMPUTED | _RANDOM
_LONGEST = 200
"""Characters of a call of a factory; longer ones are rare, and this is a hint."""

_LAST = "|".join(sorted(name.rpartition(".")[2] for name in _FACTORIES))
_MADE = re.compile(rf"\b(?:{_LAST})\(")


class FactoryThenMove(Rule):
    """
    ## What it does

    Looks for tensors that are made by `torch.zeros`, `torch.arange` and their like and moved to a device in
    the same expression: `torch.zeros(n).to(device)`.

    ## Why is this bad?

    The tensor is made twice: once in the memory of the host, and once where it is needed, with a copy over
    the bus between.
    With `device=` it is made there at once.

    ## Example

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    mask = torch.ones(64, 1024).to(device)
    print(mask.sum())
    ```

    ## Use instead

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    mask = torch.ones(64, 1024, device=device)
    print(mask.sum())
    ```

    ## Fix safety

    Safe where the numbers are exactly the same and the device is surely one of torch's.
    Of random numbers every device has its own, and of `linspace` the last bit may differ: these are offered,
    like the device of something (`graph.device`) that is not known.

    ## Known limits

    Silent where the tensor requires gradients (moving it makes another tensor that is no leaf), where it is
    made with a `generator`, where it is "moved" to the CPU, and where it is not certain that the argument of
    `to` is a device.

    ## References

    - [Performance tuning: create tensors directly on the target device](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html)
    - [torch.zeros](https://docs.pytorch.org/docs/stable/generated/torch.zeros.html)
    """

    code = "TL603"
    name = "factory-then-move"
    family = Family.DEVICES
    severity = Severity.HINT
    since = "0.1.0"
    card = "cuda-and-devices"
    trigger = rf"\b(?:{_LAST})\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        ends = re.finditer(r"\)\s*\.(?:to|cuda)\(", source.text)
        return any(_MADE.search(source.text, max(0, end.start() - _LONGEST), end.start()) for end in ends)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*MOVES[:2]):
            made = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
            if isinstance(made, ast.Call):
                yield from self._check_call(analysis, call, made)

    def _check_call(self, analysis: Analysis, call: Called, made: ast.Call) -> Iterator[Finding]:
        factory, device = analysis.value(made.func), device_of(analysis, call)
        if not isinstance(factory, Ref) or factory.name not in _FACTORIES or not device:
            return
        if factory.name in _ALIKE and _moves.is_where_another_is(call):
            return  # most likely the tensor that it is like
        if device.strip("\"'") == "cpu":
            return  # it is there already
        names = {keyword.arg for keyword in made.keywords}
        if names & {"device", "out", "requires_grad", "generator", "pin_memory", None}:
            return
        message = (
            f"`{support.written(analysis, made.func)}(…)` makes a tensor that is moved to "
            f"`{device}` at once: `device=` makes it there"
        )
        safe = factory.name in _EXACT | _ALIKE and not _moves.is_of_something(call)
        fixes = tuple(_fixes(analysis, call.node, made, device, safe))
        span = Span(analysis.source.span(made).end, analysis.source.span(call.node).end)
        yield self.finding(message, span, fixes=fixes)


def _fixes(analysis: Analysis, call: ast.Call, made: ast.Call, device: str, safe: bool) -> Iterator[Fix]:
    """Gives the factory the device, and takes the call behind it away."""
    argument = arguments.added(analysis, made, f"device={device}")
    end, outer = analysis.source.span(made).end, analysis.source.span(call).end
    if argument is not None and "#" not in analysis.source.text[end:outer]:
        edits = (argument, Edit(Span(end, outer), ""))
        yield Fix(f"Make it there: `device={device}`", edits, safe)
