"""TL108: a scheduler is stepped before the optimizer has used its first learning rate."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, parameters
from torchlore.analysis.events import Event, Kind, Loop, Place, has_jump
from torchlore.analysis.members import class_name
from torchlore.analysis.values import Instance
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._scheduling import first_step


class SchedulerBeforeOptimizer(Rule):
    """
    ## What it does

    Looks for loops in which `scheduler.step()` comes before the first `optimizer.step()`.

    ## Why is this bad?

    A scheduler sets the learning rate of the first step when it is made; its `step()` goes on to the next.
    Called first, it skips the first learning rate, and every later one comes an iteration too soon. Since
    PyTorch 1.1 that is a UserWarning, which is easily lost among others.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    for _ in range(10):
        scheduler.step()
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    for _ in range(10):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()
        scheduler.step()
    ```

    ## Fix safety

    Not safe: every learning rate comes one iteration later than before, as the schedule says.

    ## Known limits

    Silent where the scheduler is told the epoch, or was made with `last_epoch`, where it steps under a
    condition only, and where the optimizer may have been stepped before: by code that cannot be seen, too.

    ## References

    - [torch.optim: how to adjust learning rate](https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate)
    """

    code = "TL108"
    name = "scheduler-before-optimizer"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "lr-scheduling"
    trigger = r"\blr_scheduler\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            for place in root.places_of(Kind.SCHEDULE):
                optimizer = _optimizer(place.event)
                if optimizer is None or not place.loops or not analysis.owns(place.event.node):
                    continue
                step = first_step(root, place, optimizer)
                if step is not None and support.is_seen_whole(analysis, place, place.event.node):
                    yield from self._report(analysis, place, step)

    def _report(self, analysis: Analysis, place: Place, step: Event) -> Iterator[Finding]:
        call, loop = place.event.node, place.loops[-1]
        if not isinstance(call, ast.Call) or not analysis.is_whole(loop.node):
            return
        name = support.receiver(analysis, call)
        message = (
            f"`{name}` is stepped before the first step of its optimizer "
            f"{support.on_line(analysis, step.node)}: the first learning rate is never used"
        )
        note = "the optimizer steps only here"
        related = support.related(analysis, step.node, note) if isinstance(step.node, ast.expr) else ()
        fixes = _fixes(analysis, call, step, loop)
        yield self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


def _optimizer(event: Event) -> Instance | None:
    """The optimizer of a scheduler that is to go on to its next learning rate."""
    scheduler, call = event.subject, event.node
    if not isinstance(scheduler, Instance) or not isinstance(call, ast.Call) or call.args or call.keywords:
        return None
    made = scheduler.arguments
    if made is None or not made.complete or "last_epoch" in made.keywords:
        return None
    if not class_name(scheduler).startswith("torch.optim.lr_scheduler.") or len(made.positional) > 3:
        return None
    optimizer = parameters.optimizer_of(scheduler)
    return optimizer if isinstance(optimizer, Instance) and support.is_optimizer(optimizer) else None


def _fixes(analysis: Analysis, call: ast.Call, step: Event, loop: Loop) -> tuple[Fix, ...]:
    """Moves the line behind the optimizer's step, or to the end of the loop around that."""
    scheduling = support.statement_of(analysis, call)
    if not isinstance(scheduling, ast.Expr) or scheduling.value is not call:
        return ()
    block = support.block_of(analysis, scheduling)
    stepping = support.statement_of(analysis, step.node)
    if stepping not in block and block is getattr(loop.node, "body", None):
        if has_jump(loop.body, frozenset({"continue"})):
            return ()
        stepping = block[-1]
    if stepping is None or stepping not in block or stepping is scheduling:
        return ()
    edits = indentation.put_below(analysis, scheduling, stepping)
    title = f"Move `{support.written(analysis, call)}` behind the optimizer's step"
    return (Fix(title, edits, safe=False),) if edits is not None else ()
