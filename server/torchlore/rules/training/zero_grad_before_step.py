"""TL102: gradients are cleared between `backward` and `step`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Branch, Event, Kind, Place, Root
from torchlore.analysis.values import Grads, Instance
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity


class ZeroGradBeforeStep(Rule):
    """
    ## What it does

    Looks for gradients that are cleared after `backward()` and before the `step()` that should use them.

    ## Why is this bad?

    `zero_grad()` sets every `.grad` to None, and `step()` skips parameters without a gradient.
    The loop runs, the loss is printed, and no parameter ever changes.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        loss = model(torch.randn(8, 4)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Safe. The rule speaks only when every path to `step()` has lost its gradients, or never had any, so that
    the step does nothing; the fix moves the line that clears them before `backward()`.

    ## Known limits

    The fix is offered only where the three calls stand in one block. Silent where gradients are also written
    by hand, or where the optimizer is handed to code that the analysis cannot see. Where another file clears
    them, the file that hands over the optimizer is told, at the call.

    ## References

    - [torch.optim.Optimizer.zero_grad](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html)
    - [torch.optim.Optimizer.step](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.step.html)
    """

    code = "TL102"
    name = "zero-grad-before-step"
    family = Family.TRAINING
    severity = Severity.ERROR
    since = "0.1.0"
    card = "zero-grad"
    trigger = r"\bzero_grad\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            for optimizer in support.optimizers_stepped(root) if _may_lose(root) else ():
                held = _held(root, optimizer)
                kinds = _KINDS if held else _KINDS - {Kind.HAVOC, Kind.ESCAPE}
                states = walk(root.path, _START, partial(_move, optimizer, held), kinds)
                for place in root.places_of(Kind.STEP):
                    if place.event.subject is optimizer:
                        yield from self._report(analysis, place, optimizer, states.get(place.event, set()))

    def _report(
        self, analysis: Analysis, place: Place, optimizer: Instance, states: set[_State]
    ) -> Iterator[Finding]:
        lost = next((state for state in states if state[0] == "lost"), None)
        if lost is None or any(state[0] not in ("lost", "none") for state in states):
            return
        step = place.event.node
        _, clear, backward = lost
        if not all(isinstance(node, ast.Call) for node in (step, clear, backward)):
            return
        assert isinstance(step, ast.Call) and isinstance(clear, ast.Call) and isinstance(backward, ast.Call)
        shown: ast.expr | ast.stmt | None = clear
        if not analysis.owns(clear):
            shown = support.shown(analysis, place)
            if not support.brings_together(analysis, shown, optimizer, optimizer.node, clear):
                return
        if shown is None or not support.is_seen_whole(analysis, place, backward, clear, step):
            return
        at = "" if analysis.owns(clear) else f" {support.on_line(analysis, clear)}"
        message = (
            f"`{support.written(analysis, clear)}`{at} discards the gradients that `backward` computed "
            f"{support.on_line(analysis, backward)}, "
            f"so `step` {support.on_line(analysis, step)} never sees them"
        )
        related = (
            *support.related(analysis, backward, "the gradients are computed here"),
            *support.related(analysis, step, "and would be used here"),
        )
        fixes = _fixes(analysis, clear, backward) if analysis.owns(clear) else ()
        yield self.finding(message, analysis.source.span(shown), fixes=fixes, related=related)


def _may_lose(root: Root) -> bool:
    """Whether gradients may be cleared before they are used: where there is one of each, the order tells."""
    if not root.of(Kind.CLEAR):
        return False
    if root.of(Kind.WRITE_GRADS) or any(isinstance(e.subject, Grads) for e in root.of(Kind.ACCUMULATE)):
        return True
    if any(len(root.of(kind)) != 1 for kind in _ORDER):
        return bool(root.of(Kind.BACKWARD))
    if any(isinstance(step, Branch) for step in root.places_of(Kind.BACKWARD)[0].within):
        return True
    order = [event.kind for event in root.events if event.kind in _ORDER]
    return order[(order.index(Kind.CLEAR) + 1) % len(order)] is not Kind.BACKWARD


_ORDER = (Kind.CLEAR, Kind.BACKWARD, Kind.STEP)

_State = tuple[str, ast.AST | None, ast.AST | None]
"""What the gradients are, what cleared them, what made them.

They are "none", "fresh", "older" (another optimizer has stepped since), "lost" or "unknown".
"""

_START: _State = ("none", None, None)
_KINDS = frozenset(
    {
        Kind.HAVOC,
        Kind.ESCAPE,
        Kind.WRITE_GRADS,
        Kind.ACCUMULATE,
        Kind.BACKWARD,
        Kind.CLEAR,
        Kind.STEP,
    }
)
_UNKNOWN: _State = ("unknown", None, None)


def _held(root: Root, optimizer: Instance) -> frozenset[Event]:
    """Where code that we cannot see gets hold of the optimizer, or of what it updates."""
    found = (*root.of(Kind.HAVOC), *root.of(Kind.ESCAPE))
    return frozenset(event for event in found if support.holds_on_to(event, optimizer))


def _move(optimizer: Instance, held: frozenset[Event], event: Event, state: _State) -> _State:
    name, _, backward = state
    match event.kind:
        case Kind.HAVOC | Kind.ESCAPE if event in held:
            return _UNKNOWN
        case Kind.WRITE_GRADS:
            return ("fresh", None, event.node)
        case Kind.ACCUMULATE if isinstance(event.subject, Grads):
            return ("fresh", None, event.node)
        case Kind.BACKWARD:
            return ("fresh", None, backward if name == "fresh" else event.node)
        case Kind.CLEAR if name in ("fresh", "older") and support.surely_clears(event, optimizer):
            return ("lost", event.node, backward)
        case Kind.CLEAR if name in ("fresh", "older") and support.may_clear(event, optimizer):
            return _UNKNOWN
        case Kind.STEP if event.subject is optimizer:
            return _START
        case Kind.STEP if name == "fresh":
            return ("older", None, backward)
        case _:
            return state


def _fixes(analysis: Analysis, clear: ast.Call, backward: ast.Call) -> tuple[Fix, ...]:
    """Moves the line that clears above the line of `backward`, where both stand in one block."""
    clearing, computing = support.statement_of(analysis, clear), support.statement_of(analysis, backward)
    if clearing is None or computing is None or not isinstance(clearing, ast.Expr):
        return ()
    block = support.block_of(analysis, clearing)
    if computing not in block or block.index(computing) > block.index(clearing):
        return ()
    edits = indentation.put_above(analysis, clearing, computing)
    title = f"Move `{support.written(analysis, clear)}` before `backward`"
    return (Fix(title, edits, safe=True),) if edits is not None else ()
