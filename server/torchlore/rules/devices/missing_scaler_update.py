"""TL612: a gradient scaler steps in a loop, and never updates its scale."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind, Loop, Place, Root, events
from torchlore.analysis.queries import holds
from torchlore.analysis.values import Instance
from torchlore.rules import support
from torchlore.rules.devices import _scaling
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.rules.training._uncalled import is_only_named


class MissingScalerUpdate(Rule):
    """
    ## What it does

    Looks for loops that call `scaler.step(optimizer)` and never `scaler.update()`.

    ## Why is this bad?

    `update()` ends the step: it lowers the scale after an overflow, raises it after many steps without one,
    and makes the scaler ready for the next step. Without it the second `step` of an optimizer raises
    `RuntimeError: step() has already been called since the last update()`.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        scaler.scale(model(x).mean()).backward()
        scaler.step(optimizer)
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        scaler.scale(model(x).mean()).backward()
        scaler.step(optimizer)
        scaler.update()
    ```

    ## Fix safety

    Safe: the rule speaks only where nothing in the file updates the scaler.

    ## Known limits

    Silent where code that cannot be seen has the scaler, or may run in the loop. On a machine without the
    device the scaler switches itself off, and nothing is raised.

    ## References

    - [torch.amp: gradient scaling](https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling)
    - [Automatic mixed precision examples](https://docs.pytorch.org/docs/stable/notes/amp_examples.html)
    """

    code = "TL612"
    name = "missing-scaler-update"
    family = Family.DEVICES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "mixed-precision"
    trigger = r"\bGradScaler\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        updated = [event.subject for root in analysis.roots for event in root.of(Kind.UPDATE)]
        for root in analysis.roots:
            last = {}
            for _, place in _scaling.steps(root):
                scaler = _scaling.scaler_of(analysis, place.event.node)
                if scaler is not None and not any(holds(other, scaler) for other in updated):
                    last[scaler] = place  # of several optimizers: it updates after all of them
            for scaler, place in last.items():
                loop = _loop(root, place, scaler)
                if loop is not None and not is_only_named(analysis, "update", scaler, analysis.source.tree):
                    yield from self._report(analysis, place, loop)

    def _report(self, analysis: Analysis, place: Place, loop: Loop) -> Iterator[Finding]:
        step = place.event.node
        if not isinstance(step, ast.Call) or not analysis.owns(step):
            return
        if not support.is_seen_whole(analysis, place, step) or not analysis.is_whole(loop.node):
            return
        scaler = support.receiver(analysis, step)
        message = (
            f"`{scaler}` steps here, but nothing calls `{scaler}.update()`: "
            "its next step of the same optimizer raises RuntimeError"
        )
        related: tuple[Related, ...] = ()
        if analysis.owns(loop.node):
            related = (Related(support.code_of_line(analysis, loop.node), "in this loop"),)
        fixes = _fixes(analysis, step, scaler)
        yield self.finding(message, analysis.source.span(step), fixes=fixes, related=related)


def _loop(root: Root, place: Place, scaler: Instance) -> Loop | None:
    """The innermost loop that steps again and again with a scaler that nobody else can update."""
    if not place.loops or support.is_held(root, scaler):
        return None
    loop = place.loops[-1]
    if any(e.kind is Kind.HAVOC or (e.kind is Kind.RESET and e.key is scaler) for e in events(loop.body)):
        return None
    return loop if support.repeats(loop, place.event) else None


def _fixes(analysis: Analysis, step: ast.Call, scaler: str) -> tuple[Fix, ...]:
    statement = support.statement_of(analysis, step)
    if statement is None or not isinstance(step.func, ast.Attribute) or not support.is_name(step.func.value):
        return ()
    edit = support.insert_after(analysis, statement, f"{scaler}.update()")
    return (Fix(f"Update the scale after the step: `{scaler}.update()`", (edit,), safe=True),) if edit else ()
