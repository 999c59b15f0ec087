"""TL110: gradients are computed and cleared in a loop, and no step ever uses them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event, Kind, Loop, Place, Root, events, happens
from torchlore.analysis.queries import holds
from torchlore.analysis.values import Instance
from torchlore.rules import alternatives, support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.rules.training._uncalled import is_only_named
from torchlore.text import Source


class MissingOptimizerStep(Rule):
    """
    ## What it does

    Looks for loops that clear the gradients of an optimizer and compute new ones, when nothing in the file
    ever calls its `step()`.

    ## Why is this bad?

    `backward()` only computes gradients; `step()` changes the parameters.
    Without it the loop runs, takes as long as training, and no parameter ever changes.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Not safe: from now on the parameters change. The fix is offered where no gradient scaler is in use and
    `backward()` stands beside `zero_grad()`.

    ## Known limits

    Silent where the optimizer is given away, returned, or kept on an object that others may use; where
    another optimizer uses the same gradients; and where gradients are read: then they may be what is wanted.

    ## References

    - [torch.optim.Optimizer.step](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.step.html)
    - [torch.optim: taking an optimization step](https://docs.pytorch.org/docs/stable/optim.html#taking-an-optimization-step)
    """

    code = "TL110"
    name = "missing-optimizer-step"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "optimizers"
    trigger = r"\bzero_grad\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "backward(" in source.text and _GRADIENT.search(source.text) is None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source):
            return
        for root in analysis.roots:
            told: set[Instance] = set()
            for place in root.places_of(Kind.CLEAR):
                optimizer = place.event.subject
                if not isinstance(optimizer, Instance) or not support.is_optimizer(optimizer):
                    continue
                if optimizer not in told and _is_never_stepped(analysis, root, optimizer):
                    told.add(optimizer)
                    yield from self._report(analysis, place, optimizer)

    def _report(self, analysis: Analysis, place: Place, optimizer: Instance) -> Iterator[Finding]:
        call, loop = place.event.node, _training_loop(place)
        if loop is None or not isinstance(call, ast.Call) or not analysis.owns(call):
            return
        if not analysis.owns(loop.node) or not analysis.is_whole(loop.node):
            return
        if not support.is_seen_whole(analysis, place, call) or not _is_seen(analysis, loop, optimizer):
            return
        backward = _unused(loop)
        if backward is None:
            return
        name = support.receiver(analysis, call)
        message = (
            f"`{name}` is never stepped: `backward` {support.on_line(analysis, backward)} computes gradients "
            "that nothing uses, and no parameter changes"
        )
        related = [Related(support.code_of_line(analysis, loop.node), "in this loop")]
        if isinstance(backward, ast.expr):
            related = [*support.related(analysis, backward, "the gradients are computed here"), *related]
        fixes = _fixes(analysis, loop, call, backward, name)
        yield self.finding(message, analysis.source.span(call), fixes=fixes, related=tuple(related))


_GRADIENT = re.compile(r"\.grad\b")


def _is_never_stepped(analysis: Analysis, root: Root, optimizer: Instance) -> bool:
    """Whether all that is done with the optimizer is seen, and no step is among it."""
    for other in analysis.roots:
        if any(e.subject is optimizer or not isinstance(e.subject, Instance) for e in other.of(Kind.STEP)):
            return False
    if not root.certain and not alternatives.is_made(root, optimizer):
        return False
    given_away = (*root.of(Kind.ESCAPE), *root.of(Kind.RETURN), *root.of(Kind.YIELD))
    return not any(holds(event.value, optimizer) for event in given_away)


def _unused(loop: Loop) -> ast.AST | None:
    """A `backward` in a loop after which, and before the next one, no optimizer steps at all."""
    kinds = (Kind.BACKWARD, Kind.STEP)
    found = [event for event in events(loop.body) if event.kind in kinds]
    following = [*found[1:], found[0]]
    return next(
        (
            event.node
            for event, after in zip(found, following, strict=True)
            if event.kind is Kind.BACKWARD and after.kind is Kind.BACKWARD
        ),
        None,
    )


def _training_loop(place: Place) -> Loop | None:
    """The innermost loop around that computes gradients."""
    loops = reversed(place.loops)
    return next((loop for loop in loops if happens(loop.body, Kind.BACKWARD)), None)


def _is_seen(analysis: Analysis, loop: Loop, optimizer: Instance) -> bool:
    """Whether nothing in the loop steps unseen, or writes gradients."""
    if is_only_named(analysis, "step", optimizer, loop.node):
        return False
    return not any(_interferes(event, optimizer) for event in events(loop.body))


def _interferes(event: Event, optimizer: Instance) -> bool:
    """Whether parameters may change in another way than by a step of the optimizer."""
    if event.kind is not Kind.STEP:
        return event.kind in (Kind.HAVOC, Kind.WRITE_GRADS, Kind.UPDATE)
    mine = support.owners(optimizer)
    other = support.owners(event.subject) if isinstance(event.subject, Instance) else None
    if mine is None or other is None:
        return True
    return any(holds(a, b) or holds(b, a) for a in mine for b in other)


def _fixes(analysis: Analysis, loop: Loop, clear: ast.Call, backward: ast.AST, name: str) -> tuple[Fix, ...]:
    computing, clearing = support.statement_of(analysis, backward), support.statement_of(analysis, clear)
    if computing is None or clearing is None or happens(loop.body, Kind.SCALE):
        return ()
    if computing not in support.block_of(analysis, clearing):
        return ()
    below = support.insert_after(analysis, computing, f"{name}.step()")
    return (Fix(f"Step after `backward`: `{name}.step()`", (below,), safe=False),) if below else ()
