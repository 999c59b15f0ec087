"""TL903: an argument that torch no longer takes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from torchlore.analysis import Analysis
from torchlore.analysis.values import BoundMethod, Ref, Super
from torchlore.rules import arguments, support
from torchlore.rules.api import _table
from torchlore.rules.api._table import Change, changes
from torchlore.rules.api._uses import may_be_told
from torchlore.rules.api._versions import is_gone, newest, written
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.triggers import words_of
from torchlore.text import Source, Span


class RemovedArgument(Rule):
    """
    ## What it does

    Looks for keyword arguments that torch has removed, such as `verbose` of the learning rate schedulers, and
    for arguments that a subclass hands to the constructor of a sampler or a scheduler, which takes them no
    more.

    ## Why is this bad?

    The call raises a `TypeError`. Code that ran for years stops with the next version of torch.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3, verbose=True)
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)
    ```

    ## Fix safety

    Safe: the call raises as it is. Where an argument mattered, there is no fix. What `verbose` printed can be
    printed with `scheduler.get_last_lr()`.

    ## Known limits

    Speaks for the newest version that the project declares; without a declaration, for torch 2.13.
    Arguments in `**kwargs` are not seen, and of positional arguments only those of constructors that a
    subclass calls.

    ## References

    - [torch.optim.lr_scheduler.ReduceLROnPlateau](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html)
    - [torch.utils.data.Sampler](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Sampler)
    """

    code = "TL903"
    name = "removed-argument"
    family = Family.API
    severity = Severity.ERROR
    since = "0.1.0"
    card = "lr-scheduling"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        known = words_of(source.text)
        if b"__init__" in known and not _BASES.isdisjoint(known):
            return True
        takers = _takers()
        return any(
            not takers[parameter].isdisjoint(known) and _gives(source, parameter.decode())
            for parameter in known & _gone()
        )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for name, parameter in _parameters():
            change = changes()[f"{name}({parameter})"]
            for called in analysis.called(name) if is_gone(analysis, change) else ():
                for keyword in called.node.keywords:
                    if keyword.arg == parameter:
                        yield from self._given(analysis, called.node, keyword, change)
        yield from self._handed_up(analysis)

    def _given(
        self, analysis: Analysis, call: ast.Call, keyword: ast.keyword, change: Change
    ) -> Iterator[Finding]:
        outer = analysis.around(call)
        if outer is None or not may_be_told(analysis, call, outer):
            return
        name = support.written(analysis, call.func)
        since = written(change.removed or (0, 0))
        message = f"`{name}` takes no `{keyword.arg}` since torch {since}: it raises a TypeError"
        span = analysis.source.span(keyword)
        lost = keyword.arg or ""
        edit = arguments.removed(analysis, call, lost) if lost in _WITHOUT_EFFECT else None
        fixes = (Fix(f"Remove `{keyword.arg}`", (edit,), safe=True),) if edit is not None else ()
        yield self.finding(message, Span(span.start, span.start + len(keyword.arg or "")), fixes=fixes)

    def _handed_up(self, analysis: Analysis) -> Iterator[Finding]:
        """`super().__init__(data_source)` in a sampler, `super().__init__(optimizer, -1, verbose)`."""
        for call in analysis.run.calls:
            value = analysis.run.values.get(call.func)
            if not isinstance(value, BoundMethod) or not isinstance(value.receiver, Super):
                continue
            bases = value.receiver.cls.bases
            base = bases[0].name if len(bases) == 1 and isinstance(bases[0], Ref) else ""
            taken, since = _TAKEN.get(base, (None, None)) if value.name == "__init__" else (None, None)
            surplus = [] if taken is None else _surplus(call, taken)
            outer = analysis.around(call) if surplus else None
            if outer is None or since is None or since > newest(analysis):
                continue
            if not may_be_told(analysis, call, outer):
                continue
            first, last = analysis.source.span(surplus[0]), analysis.source.span(surplus[-1])
            message = (
                f"The constructor of `{base.rpartition('.')[2]}` takes {_TAKES[taken or ()]} any more: "
                "this raises a TypeError"
            )
            edit = arguments.without_last(analysis, call, surplus)
            fixes = (Fix("Remove what it does not take", (edit,), safe=True),) if edit is not None else ()
            yield self.finding(message, Span(first.start, last.end), fixes=fixes)


_WITHOUT_EFFECT = frozenset({"verbose"})
"""Parameters that changed what was printed, and nothing else."""

_TAKEN: dict[str, tuple[tuple[str, ...], tuple[int, int]]] = {
    "torch.utils.data.Sampler": ((), (2, 13)),
    "torch.optim.lr_scheduler.LRScheduler": (("optimizer", "last_epoch"), (2, 7)),
    "torch.optim.lr_scheduler._LRScheduler": (("optimizer", "last_epoch"), (2, 7)),
}
"""What the constructors take that subclasses call, and a version since which they surely take no more."""

_TAKES = {(): "no arguments", ("optimizer", "last_epoch"): "nothing but `optimizer` and `last_epoch`"}
_BASES = frozenset(name.rpartition(".")[2].encode() for name in _TAKEN)


@cache
def _parameters() -> tuple[tuple[str, str], ...]:
    """Names and the parameters that they lost."""
    entries = sorted({name for name in _table.names() if name.endswith(")")})
    return tuple((name, parameter) for name, _, parameter in (entry[:-1].partition("(") for entry in entries))


@cache
def _takers() -> dict[bytes, set[bytes]]:
    """The words that stand for what took a parameter, by the parameter."""
    found: dict[bytes, set[bytes]] = {}
    for name, parameter in _parameters():
        found.setdefault(parameter.encode(), set()).add(name.rpartition(".")[2].encode())
    return found


@cache
def _gone() -> frozenset[bytes]:
    """The parameters: two sets are compared in no time, a set and the keys of a dictionary are not."""
    return frozenset(_takers())


RemovedArgument.trigger = rf"\b(?:{'|'.join(sorted({'__init__', *(last for _, last in _parameters())}))})\b"


def _gives(source: Source, parameter: str) -> bool:
    return f"{parameter}=" in source.text or f"{parameter} =" in source.text


def _surplus(call: ast.Call, taken: tuple[str, ...]) -> list[ast.expr | ast.keyword]:
    """The arguments that a constructor does not take; none where they are not all seen."""
    if not arguments.is_written_out(call):
        return []
    return [*call.args[len(taken) :], *(keyword for keyword in call.keywords if keyword.arg not in taken)]
