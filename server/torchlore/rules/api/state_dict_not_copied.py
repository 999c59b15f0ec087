"""TL951: a state that was kept, and changed with the model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Branch, Event, Kind, Loop, Place, Root
from torchlore.analysis.queries import holds, reachable
from torchlore.analysis.values import Container, Instance, Value
from torchlore.rules import spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class StateDictNotCopied(Rule):
    """
    ## What it does

    Looks for a `state_dict()` that is kept while its model is trained on, and then loaded into the same
    model, or saved, as if it were the weights of an earlier moment.

    ## Why is this bad?

    `state_dict()` holds the parameters themselves, not copies of them. Every later step changes the kept
    ones too: what is restored as "the best epoch" is the last one. `dict.copy()` and `copy.copy` copy the
    dictionary and not the tensors. Nothing is reported.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    best, lowest = None, float("inf")
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
        if loss.item() < lowest:
            best, lowest = model.state_dict(), loss.item()
    model.load_state_dict(best)
    ```

    ## Use instead

    ```py
    import copy

    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    best, lowest = None, float("inf")
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
        if loss.item() < lowest:
            best, lowest = copy.deepcopy(model.state_dict()), loss.item()
    model.load_state_dict(best)
    ```

    ## Fix safety

    Not applied on save: a copy takes the memory of another model.

    ## Known limits

    Speaks of a state that is saved only where it was taken under a condition in a loop: one that was taken
    before may be meant to change. Silent in files about FSDP or DeepSpeed, whose states may be copies, and
    where it is not known whose parameters the optimizer updates.

    ## References

    - [torch.nn.Module](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict)
    """

    code = "TL951"
    name = "state-dict-not-copied"
    family = Family.API
    severity = Severity.ERROR
    since = "0.1.0"
    card = "save-and-load"
    trigger = r"\bstate_dict\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return not any(word in source.text for word in _SHARDED)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source):
            return
        told: set[ast.AST] = set()
        for root in analysis.roots:
            if not root.of(Kind.STEP) or not (root.of(Kind.LOAD_STATE) or root.of(Kind.SAVE)):
                continue
            for place in root.places_of(Kind.STATE):
                if place.event.node not in told and analysis.owns(place.event.node):
                    used = _used_too_late(root, place)
                    if used is not None and support.is_seen_whole(
                        analysis, place, place.event.node, used.node
                    ):
                        told.add(place.event.node)
                        yield self._report(analysis, place.event, used)

    def _report(self, analysis: Analysis, taken: Event, used: Event) -> Finding:
        assert isinstance(taken.node, ast.Call)
        written = support.written(analysis, taken.node)
        does = "restores" if used.kind is Kind.LOAD_STATE else "saves"
        what = "load_state_dict" if used.kind is Kind.LOAD_STATE else "torch.save"
        message = (
            f"`{written}` holds the parameters themselves, which later steps change: "
            f"`{what}` {support.on_line(analysis, used.node)} {does} the last weights, not these"
        )
        span = analysis.source.span(taken.node)
        found = spellings.spelled_anyhow(analysis, taken.node, "copy.deepcopy")
        fixes: tuple[Fix, ...] = ()
        if found is not None:
            name, imported = found
            edit = Edit(span, f"{name}({analysis.source.segment(span)})")
            fixes = (Fix("Keep a copy of the weights", (*imported, edit), safe=False),)
        related = (
            support.related(analysis, used.node, "they are used here")
            if isinstance(used.node, ast.expr)
            else ()
        )
        return self.finding(message, span, fixes=fixes, related=related)


_SHARDED = ("fsdp", "FSDP", "fully_shard", "FullySharded", "deepspeed", "DeepSpeed")
"""Words of files whose states may be gathered from other processes, which copies them."""

_KINDS = (Kind.STATE, Kind.STEP, Kind.LOAD_STATE, Kind.SAVE)


def _used_too_late(root: Root, place: Place) -> Event | None:
    """What uses a state after its model was trained on; None where nothing does, or nothing that is wrong."""
    taken = place.event
    uses = [event for event in (*root.of(Kind.LOAD_STATE), *root.of(Kind.SAVE)) if _uses(event, taken)]
    if not isinstance(taken.subject, Instance) or not uses:
        return None
    is_kept = _is_one_moment(place)
    wrong = [event for event in uses if is_kept or event.kind is Kind.LOAD_STATE]
    if not wrong:
        return None
    states = walk(root.path, "none", partial(_move, taken, taken.subject), _KINDS)
    return next((event for event in wrong if "old" in states.get(event, ())), None)


def _uses(event: Event, taken: Event) -> bool:
    """Whether a state is saved, or loaded into the module that it was taken of."""
    if event.kind is Kind.LOAD_STATE and event.subject is not taken.subject:
        return False
    return event.value is not None and _holds_state(event.value, taken.value)


def _holds_state(value: Value, state: Value | None) -> bool:
    """Whether `value` is the state or holds it, or its tensors: a shallow copy of it does."""
    tensors = state.element if isinstance(state, Container) else None
    return any(part is state or part is tensors for part in reachable(value))


def _is_one_moment(place: Place) -> bool:
    """Whether a state is taken under a condition inside of a loop: that of one iteration is wanted."""
    kinds = [type(step) for step in place.within if isinstance(step, Loop | Branch)]
    return Loop in kinds and Branch in kinds[kinds.index(Loop) :]


def _move(taken: Event, module: Instance, event: Event, state: str) -> str:
    """Whether the state is "new" or, as its module was trained on, "old"."""
    if event.kind is Kind.STATE and event.node is taken.node:  # also the next time that it is come by
        return "new"
    if event.kind is Kind.STEP and state == "new" and _trains(event.subject, module):
        return "old"
    return state


def _trains(optimizer: Value | None, module: Instance) -> bool:
    mine = (
        support.owners(optimizer)
        if isinstance(optimizer, Instance) and support.is_optimizer(optimizer)
        else None
    )
    return mine is not None and any(holds(module, owner) or holds(owner, module) for owner in mine)
