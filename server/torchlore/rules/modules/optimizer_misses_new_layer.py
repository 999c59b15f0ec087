"""TL304: a layer is replaced after the optimizer was built."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Event, Kind, Place, Root
from torchlore.analysis.queries import holds, options, reachable
from torchlore.analysis.values import Instance, Value
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.rules.modules._classes import has_parameters
from torchlore.text import Source
from torchlore.text.nodes import nodes_in


class OptimizerMissesNewLayer(Rule):
    """
    ## What it does

    Looks for layers and parameters that are set on a model after the optimizer over `model.parameters()` was
    built, and before that optimizer steps.

    ## Why is this bad?

    An optimizer holds the parameters that there were when it was built.
    The new layer's are not among them: `step()` goes on updating those of the old layer, which nothing uses
    any more, and the new one, often the very head that was to be trained, keeps its random weights. Nothing
    is reported.

    ## Example

    ```py
    import torch
    import torch.nn as nn

    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.head = nn.Linear(8, 2)
    for x in torch.randn(10, 3, 4):
        loss = model(x).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn as nn

    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    model.head = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 3, 4):
        loss = model(x).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Not safe: the new layer is trained from then on, which is most often, but not always, what was meant.

    ## Known limits

    Silent where the optimizer is given parameters later (`add_param_group`), where it or the new layer is
    handed to code that cannot be seen, where the new layer is frozen or has an optimizer of its own, and
    where layers are replaced by copies of themselves.

    ## References

    - [torch.optim: constructing it](https://docs.pytorch.org/docs/stable/optim.html#constructing-it)
    """

    code = "TL304"
    name = "optimizer-misses-new-layer"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "optimizers"
    trigger = r"\boptim\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(
            isinstance(statement.value, ast.Call) and any(map(_may_be_a_part, statement.targets))
            for statement in source.every(ast.Assign)
        )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            if not root.of(Kind.REGISTER) or not root.of(Kind.STEP):
                continue
            for optimizer in support.optimizers_stepped(root):
                yield from self._check_optimizer(analysis, root, optimizer)

    def _check_optimizer(self, analysis: Analysis, root: Root, optimizer: Instance) -> Iterator[Finding]:
        owners = support.owners(optimizer)
        newer = _made_after(root, optimizer) if owners is not None else frozenset()
        if owners is None or not newer or _is_added_to(analysis, optimizer):
            return
        states = walk(root.path, _START, partial(_move, optimizer, owners, newer), _KINDS)
        for place in root.places_of(Kind.STEP):
            reached = states.get(place.event, set()) if place.event.subject is optimizer else set()
            if reached and all(missed for _, missed in reached):
                missed = min((missed for _, missed in reached), key=len)
                if not any(_has_its_own(root, optimizer, event) for event in missed):
                    yield from self._report(analysis, place, optimizer, missed)
                    return

    def _report(
        self, analysis: Analysis, place: Place, optimizer: Instance, missed: tuple[Event, ...]
    ) -> Iterator[Finding]:
        made = support.statement_of(analysis, optimizer.node)
        nodes = [event.node for event in missed]
        if made is None or not all(map(analysis.owns, (*nodes, optimizer.node))):
            return
        if not support.is_seen_whole(analysis, place, optimizer.node, *nodes):
            return
        name = _name(analysis, made)
        fixes = _fixes(analysis, made, nodes[-1], name)
        for target in nodes:
            if not isinstance(target, ast.Attribute | ast.Subscript):
                continue
            message = (
                f"`{support.written(analysis, target)}` is set after `{name}` was built "
                f"{support.on_line(analysis, optimizer.node)}: "
                "the optimizer goes on with the parameters that there were, and never updates the new ones"
            )
            related = (
                Related(support.code_of_line(analysis, made), "the optimizer takes the parameters here"),
            )
            yield self.finding(message, analysis.source.span(target), fixes=fixes, related=related)


def _may_be_a_part(target: ast.expr) -> bool:
    """Whether a target may be a part of a model: `model.fc`, `self.net[0]`. Most are `self.fc`, and names."""
    match target:
        case ast.Attribute(value=ast.Name(id="self")):
            return False
        case ast.Attribute() | ast.Subscript():
            return True
        case _:
            return False


_KINDS = (Kind.RESET, Kind.REGISTER, Kind.STEP, Kind.ESCAPE, Kind.HAVOC)

_State = tuple[bool, tuple[Event, ...]]
"""Whether the optimizer is there and in no hands that we cannot see; what was registered since."""

_START: _State = (False, ())


def _move(
    optimizer: Instance, owners: frozenset[Value], newer: frozenset[Instance], event: Event, state: _State
) -> _State:
    is_held, missed = state
    match event.kind:
        case Kind.RESET if event.key is optimizer:
            return (True, ())
        case Kind.REGISTER if is_held and event not in missed and _is_missed(event, owners, newer):
            return (True, (*missed, event))
        case Kind.REGISTER if any(_is_same_place(event, other) for other in missed):
            return _START
        case Kind.HAVOC:
            return _START
        case Kind.ESCAPE if holds(event.value, optimizer) or any(holds(event.value, e.value) for e in missed):
            return _START
        case _:
            return state


def _is_same_place(event: Event, other: Event) -> bool:
    """Whether a layer is put where another one was put before: perhaps the old one, back again."""
    same = isinstance(event.node, ast.expr) and isinstance(other.node, ast.expr)
    return event is not other and same and ast.dump(event.node) == ast.dump(other.node)


def _made_after(root: Root, optimizer: Instance) -> frozenset[Instance]:
    """The layers with parameters that are made after the optimizer, in the order of the text."""
    made = [event.key for event in root.of(Kind.RESET)]
    if optimizer not in made:
        return frozenset()
    later = made[made.index(optimizer) + 1 :]
    earlier = frozenset(key for key in made[: made.index(optimizer)] if isinstance(key, Instance))
    return frozenset(
        key
        for key in later
        if isinstance(key, Instance)
        and isinstance(key.cls, str)
        and key not in earlier
        and torch_facts.has_parameters(key.cls)
        and has_parameters(key)
    )


def _is_missed(event: Event, owners: frozenset[Value], newer: frozenset[Instance]) -> bool:
    """Whether a new layer that is to be trained is set on what the optimizer was made for."""
    values = options(event.value) if event.value is not None else ()
    if not values or not all(any(part in newer for part in reachable(value)) for value in values):
        return False
    if not isinstance(event.node, ast.Attribute | ast.Subscript) or any(value in owners for value in values):
        return False
    return any(holds(owner, event.subject) for owner in owners)


def _has_its_own(root: Root, optimizer: Instance, event: Event) -> bool:
    """Whether another optimizer may update what was registered."""
    for other in support.optimizers_stepped(root):
        theirs = support.owners(other) if other is not optimizer else frozenset()
        if theirs is None or any(holds(owner, event.value) for owner in theirs):
            return True
    return False


def _is_added_to(analysis: Analysis, optimizer: Instance) -> bool:
    """Whether groups of parameters are added later."""
    if "add_param_group" not in analysis.source.text:
        return False
    calls = analysis.called("Optimizer.add_param_group")
    return any(call.receiver is not None and optimizer in options(call.receiver) for call in calls)


def _name(analysis: Analysis, made: ast.stmt) -> str:
    match made:
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target]) | ast.AnnAssign(target=target):
            return support.written(analysis, target)
        case _:
            return "the optimizer"


def _fixes(analysis: Analysis, made: ast.stmt, last: ast.AST, name: str) -> tuple[Fix, ...]:
    """Moves the statement that builds the optimizer behind the last one that sets a layer."""
    setting = support.statement_of(analysis, last)
    block = support.block_of(analysis, made)
    if setting is None or setting not in block or not isinstance(made, ast.Assign):
        return ()
    between = block[block.index(made) + 1 : block.index(setting) + 1]
    word = name.partition(".")[2] or name
    mentioned = {
        part.id if isinstance(part, ast.Name) else part.attr
        for statement in between
        for part in nodes_in(statement)
        if isinstance(part, ast.Name | ast.Attribute)
    }
    edits = indentation.put_below(analysis, made, setting)
    if word in mentioned or not between or edits is None:
        return ()
    return (Fix(f"Build `{name}` after the layer is set", edits, safe=False),)
