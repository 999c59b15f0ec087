"""TL217: an optimizer is given nothing but parameters that are frozen."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Branch, Event, Kind, Place, Root
from torchlore.analysis.expressions import truth
from torchlore.analysis.members import is_module_like
from torchlore.analysis.queries import holds, reachable
from torchlore.analysis.submodules import Some
from torchlore.analysis.values import Instance, Tensor, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Related, Rule, Severity
from torchlore.text import Source


class OptimizerOfFrozenParameters(Rule):
    """
    ## What it does

    Looks for optimizers all of whose parameters were told not to require gradients before the first step,
    and never again to require them.

    ## Why is this bad?

    Frozen parameters get no gradients, and an optimizer skips what has none. Every `step()` does nothing,
    and whatever else the loss trains is in no optimizer at all.

    ## Example

    ```py
    import torch

    backbone = torch.nn.Linear(4, 8)
    head = torch.nn.Linear(8, 1)
    for parameter in backbone.parameters():
        parameter.requires_grad = False
    optimizer = torch.optim.SGD(backbone.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        head(backbone(x)).pow(2).mean().backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    backbone = torch.nn.Linear(4, 8)
    head = torch.nn.Linear(8, 1)
    for parameter in backbone.parameters():
        parameter.requires_grad = False
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        head(backbone(x)).pow(2).mean().backward()
        optimizer.step()
    ```

    ## Fix safety

    There is no fix: which parameters were meant is for you to say.

    ## Known limits

    Silent where a part of the model may be trained: a layer that was put in later, parameters that some
    path thaws or whose freezing is under a condition, and models that code has which cannot be seen.

    ## References

    - [Autograd mechanics: setting requires_grad](https://docs.pytorch.org/docs/stable/notes/autograd.html#setting-requires-grad)
    - [torch.nn.Module.requires_grad_](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.requires_grad_)
    """

    code = "TL217"
    name = "optimizer-of-frozen-parameters"
    family = Family.AUTOGRAD
    severity = Severity.WARNING
    since = "0.1.0"
    card = "freeze-and-finetune"
    trigger = r"\b(?:requires_grad|requires_grad_)\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "False" in text and "backward(" in text and ".step(" in text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        told: set[Instance] = set()
        for root in analysis.roots:
            if not root.of(Kind.FREEZE):
                continue
            for optimizer in support.optimizers_stepped(root):
                frozen = _frozen_at(analysis, root, optimizer)
                if frozen is not None and optimizer not in told:
                    told.add(optimizer)
                    yield from self._report(analysis, root, optimizer, frozen)

    def _report(
        self, analysis: Analysis, root: Root, optimizer: Instance, frozen: Event
    ) -> Iterator[Finding]:
        call = optimizer.node
        step = next(event for event in root.of(Kind.STEP) if event.subject is optimizer)
        if not isinstance(call, ast.Call) or not call.args or not analysis.owns(call):
            return
        if not analysis.is_whole(root.node) or support.expects_an_error(analysis, call):
            return
        given = support.written(analysis, call.args[0])
        message = (
            f"`{given}` are frozen {support.on_line(analysis, frozen.node)}, and nothing thaws them: "
            f"`step` {support.on_line(analysis, step.node)} has nothing to update"
        )
        related: list[Related] = []
        if isinstance(frozen.node, ast.expr):
            related += support.related(analysis, frozen.node, "frozen here")
        if isinstance(step.node, ast.expr):
            related += support.related(analysis, step.node, "this changes nothing")
        yield self.finding(message, analysis.source.span(call.args[0]), related=tuple(related))


def _frozen_at(analysis: Analysis, root: Root, optimizer: Instance) -> Event | None:
    """What freezes all parameters of an optimizer before it steps; None where some may be trained."""
    mine = support.owners(optimizer)
    if not mine or any(root.of(Kind.HAVOC) for root in analysis.roots):
        return None
    places = root.places_of(Kind.FREEZE)
    freezing = [next((place for place in places if _freezes(place, owner)), None) for owner in mine]
    found = [place for place in freezing if place is not None]
    if len(found) < len(freezing) or not all(map(_is_frozen, mine)):
        return None
    events = root.events
    frozen_at = [events.index(place.event) for place in found]
    if max(frozen_at) > next(index for index, event in enumerate(events) if _is_step(event, optimizer)):
        return None
    is_repeated = any(place.loops for place in found)
    since = events if is_repeated else events[min(frozen_at) :]
    elsewhere = (event for other in analysis.roots if other is not root for event in other.events)
    return None if any(_may_thaw(event, mine) for event in (*since, *elsewhere)) else found[0].event


def _is_step(event: Event, optimizer: Instance) -> bool:
    return event.kind is Kind.STEP and event.subject is optimizer


def _is_frozen(owner: Value) -> bool:
    """Whether every module in `owner` is frozen once all has run, those that were put in later included.

    What stands for any of them is none by itself.
    """
    parts = [part for part in reachable(owner) if isinstance(part, Instance) and not isinstance(part, Some)]
    modules = [part for part in parts if is_module_like(part)]
    return owner in modules and all(module.frozen is True for module in modules)


def _freezes(place: Place, owner: Value) -> bool:
    """Whether an event freezes all of a module, whatever path is taken."""
    if any(isinstance(step, Branch) for step in place.within) or place.event.value is None:
        return False
    return truth(place.event.value) is False and holds(place.event.subject, owner)


def _may_thaw(event: Event, mine: frozenset[Value]) -> bool:
    """Whether an event may give one of the modules something to train."""
    match event.kind:
        case Kind.FREEZE:
            is_freezing = event.value is not None and truth(event.value) is False
            return not is_freezing and (event.subject is None or _concerns(event.subject, mine))
        case Kind.ESCAPE:
            return event.value is not None and _concerns(event.value, mine)
        case Kind.REGISTER:
            is_parameter = isinstance(event.value, Tensor)
            return is_parameter and event.subject is not None and _concerns(event.subject, mine)
        case _:
            return False


def _concerns(value: Value, mine: frozenset[Value]) -> bool:
    return any(holds(value, owner) or holds(owner, value) for owner in mine)
