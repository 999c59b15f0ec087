"""TL112: a one-cycle schedule over batches is stepped once per epoch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, parameters
from torchlore.analysis.events import Branch, Kind, Place, Root
from torchlore.analysis.members import class_name
from torchlore.analysis.values import Const, Instance
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity


class OneCyclePerEpoch(Rule):
    """
    ## What it does

    Looks for a `OneCycleLR` that was made with `steps_per_epoch`, and is stepped once per epoch.

    ## Why is this bad?

    It spreads its cycle over `epochs * steps_per_epoch` steps: one after every batch. Stepped once per epoch
    it never leaves the beginning of the warm-up, and the learning rate stays near `max_lr / 25`.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    batches = torch.randn(10, 8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=3, steps_per_epoch=len(batches))
    for epoch in range(3):
        for x in batches:
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
        scheduler.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    batches = torch.randn(10, 8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=3, steps_per_epoch=len(batches))
    for epoch in range(3):
        for x in batches:
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
            scheduler.step()
    ```

    ## Fix safety

    Not safe: the learning rate becomes what the schedule says. The fix is offered where the optimizer steps
    in an inner loop of the same function.

    ## Known limits

    Silent where `total_steps` is given instead, where the scheduler is stepped in several places, and where
    the optimizer does not surely step in a loop inside of the one in which the scheduler does.

    ## References

    - [torch.optim.lr_scheduler.OneCycleLR](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html)
    """

    code = "TL112"
    name = "one-cycle-per-epoch"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "lr-scheduling"
    trigger = r"\bOneCycleLR\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            for place in root.places_of(Kind.SCHEDULE):
                scheduler = place.event.subject
                if not isinstance(scheduler, Instance) or not _is_over_batches(scheduler):
                    continue
                step = _step_inside(root, place, scheduler)
                if step is not None and support.is_seen_whole(analysis, place, step.event.node):
                    yield from self._report(analysis, place, step)

    def _report(self, analysis: Analysis, place: Place, step: Place) -> Iterator[Finding]:
        call, stepping = place.event.node, step.event.node
        if not isinstance(call, ast.Call) or not isinstance(stepping, ast.Call) or not analysis.owns(call):
            return
        if not analysis.is_whole(place.loops[-1].node):
            return
        name, where = support.receiver(analysis, call), support.on_line(analysis, stepping)
        message = (
            f"`{name}` was made to step after every batch (`steps_per_epoch`), "
            f"but steps outside of the loop in which the optimizer steps {where}"
        )
        related = support.related(analysis, stepping, "every batch ends here")
        fixes = _fixes(analysis, call, step)
        yield self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


def _is_over_batches(scheduler: Instance) -> bool:
    """Whether a one-cycle schedule counts batches."""
    made = scheduler.arguments
    if class_name(scheduler) != "torch.optim.lr_scheduler.OneCycleLR" or made is None or not made.complete:
        return False
    total, steps = made.get(2, "total_steps"), made.get(4, "steps_per_epoch")
    if total is not None and not (isinstance(total, Const) and total.value is None):
        return False
    return steps is not None and not (isinstance(steps, Const) and steps.value in (None, 1))


def _step_inside(root: Root, place: Place, scheduler: Instance) -> Place | None:
    """Where the optimizer steps, if that is in a loop inside of the one where the scheduler does."""
    optimizer = parameters.optimizer_of(scheduler)
    if not place.loops or not isinstance(optimizer, Instance):
        return None
    if sum(event.subject is scheduler for event in root.of(Kind.SCHEDULE)) > 1:
        return None
    if any(support.holds_on_to(event, scheduler) for event in root.of(Kind.ESCAPE)):
        return None
    loop = place.loops[-1]
    steps = [step for step in root.places_of(Kind.STEP) if step.event.subject is optimizer]
    if len(steps) != 1 or loop not in steps[0].loops or steps[0].loops[-1] is loop:
        return None
    below = steps[0].within[steps[0].within.index(loop) + 1 :]
    return None if any(isinstance(step, Branch) for step in below) else steps[0]


def _fixes(analysis: Analysis, call: ast.Call, step: Place) -> tuple[Fix, ...]:
    """Moves the line behind the optimizer's step."""
    scheduling, stepping = (support.statement_of(analysis, node) for node in (call, step.event.node))
    if not isinstance(scheduling, ast.Expr) or scheduling.value is not call or stepping is None:
        return ()
    around = analysis.around(stepping) or ()
    if support.parent(analysis, scheduling) not in around or not analysis.owns(stepping):
        return ()
    edits = indentation.put_below(analysis, scheduling, stepping)
    title = f"Move `{support.written(analysis, call)}` behind the optimizer's step"
    return (Fix(title, edits, safe=False),) if edits is not None else ()
