"""TL109: gradients are meant to be accumulated, and are cleared in every iteration."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Event, Kind, Loop, Place, Root, events, places
from torchlore.analysis.values import Instance
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._accumulation import gated_steps, interferes, is_conditional


class ClearedAccumulation(Rule):
    """
    ## What it does

    Looks for loops in which `step()` runs every n-th time, but `zero_grad()` every time.

    ## Why is this bad?

    Accumulation adds up the gradients of n batches before one step. Cleared in every iteration, the gradients
    of all but the last of them are lost: the step uses one batch of n, and n - 1 backward passes are in vain.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for i, x in enumerate(torch.randn(100, 8, 4)):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean() / 4
        loss.backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for i, x in enumerate(torch.randn(100, 8, 4)):
        loss = model(x).pow(2).mean() / 4
        loss.backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
    ```

    ## Fix safety

    Not safe: each step uses the gradients of all its batches from then on, so that a learning rate that was
    tuned without them may be too high.

    ## Known limits

    Speaks only where the condition of `step()` takes a remainder (`%`), where `backward()` and `zero_grad()`
    run in every iteration, and where no other optimizer steps in every iteration.

    ## References

    - [Automatic mixed precision examples: gradient accumulation](https://docs.pytorch.org/docs/stable/notes/amp_examples.html#gradient-accumulation)
    - [torch.optim.Optimizer.zero_grad](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html)
    """

    code = "TL109"
    name = "cleared-accumulation"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "gradient-accumulation"
    trigger = r"\bzero_grad\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            for place, optimizer, loop, _ in gated_steps(root):
                clear = _cleared(root, loop, optimizer)
                if clear is not None and support.is_seen_whole(analysis, place, clear.node):
                    yield from self._report(analysis, place, clear)

    def _report(self, analysis: Analysis, place: Place, clear: Event) -> Iterator[Finding]:
        step, call = place.event.node, clear.node
        if not isinstance(step, ast.Call) or not isinstance(call, ast.Call) or not analysis.owns(call):
            return
        if not analysis.is_whole(place.loops[-1].node):
            return
        message = (
            f"`{support.written(analysis, call)}` clears the gradients in every iteration, but `step` "
            f"{support.on_line(analysis, step)} runs only in some: those in between are lost"
        )
        related = support.related(analysis, step, "the step runs only in some iterations")
        fixes = _fixes(analysis, step, call)
        yield self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


def _cleared(root: Root, loop: Loop, optimizer: Instance) -> Event | None:
    """What clears gradients in every iteration that were computed in one without a step."""
    inside = places(loop.body)
    backwards = [place for place in inside if place.event.kind is Kind.BACKWARD]
    if not backwards or any(is_conditional(place) for place in backwards):
        return None
    if any(interferes(event, optimizer) for event in events(loop.body)):
        return None
    for place in inside:
        other = place.event.kind is Kind.STEP and place.event.subject is not optimizer
        if other and not is_conditional(place):
            return None
    clears = [p for p in inside if p.event.kind is Kind.CLEAR and support.may_clear(p.event, optimizer)]
    if len(clears) != 1 or is_conditional(clears[0]) or clears[0].loops:
        return None
    clear = clears[0].event
    if not support.surely_clears(clear, optimizer):
        return None
    states = walk(root.path, False, lambda event, fresh: _is_fresh(event, fresh, optimizer), _KINDS)
    return clear if True in states.get(clear, ()) else None


_KINDS = (Kind.BACKWARD, Kind.CLEAR, Kind.STEP)


def _is_fresh(event: Event, fresh: bool, optimizer: Instance) -> bool:
    """Whether there are gradients that no step has used."""
    match event.kind:
        case Kind.BACKWARD:
            return True
        case Kind.CLEAR if support.may_clear(event, optimizer):
            return False
        case Kind.STEP if event.subject is optimizer:
            return False
        case _:
            return fresh


def _fixes(analysis: Analysis, step: ast.Call, clear: ast.Call) -> tuple[Fix, ...]:
    """Moves the line behind the step."""
    clearing, stepping = support.statement_of(analysis, clear), support.statement_of(analysis, step)
    if (
        not isinstance(clearing, ast.Expr)
        or clearing.value is not clear
        or not isinstance(stepping, ast.Expr)
    ):
        return ()
    if support.parent(analysis, clearing) not in (analysis.around(stepping) or ()):
        return ()
    edits = indentation.put_below(analysis, clearing, stepping)
    title = f"Move `{support.written(analysis, clear)}` behind `step`"
    return (Fix(title, edits, safe=False),) if edits is not None else ()
