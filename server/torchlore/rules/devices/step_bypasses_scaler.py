"""TL611: an optimizer steps by itself on gradients that a scaler has multiplied."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event, Kind, Place, Root
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance
from torchlore.rules import bindings, support
from torchlore.rules.devices import _scaling
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class StepBypassesScaler(Rule):
    """
    ## What it does

    Looks for `optimizer.step()` on the gradients of a loss that `scaler.scale` has multiplied.

    ## Why is this bad?

    Only `scaler.step(optimizer)` divides the gradients by the scale and skips the step where they overflowed.
    `optimizer.step()` takes them as they are, 65536 times too large at first, and takes inf and nan too.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    loss = model(torch.randn(8, 4)).mean()
    scaler.scale(loss).backward()
    optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    loss = model(torch.randn(8, 4)).mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    ```

    ## Fix safety

    Safe. The rule speaks only where the gradients are scaled on every path to the step. `scaler.update()` is
    added where nothing calls it, `scaler.unscale_(optimizer)` before gradients are clipped. No fix is offered
    where they are clipped in another block than the step, or several times.

    ## Known limits

    Silent after `scaler.unscale_(optimizer)`: then only the check for overflow is missing. Silent where the
    scaler steps the optimizer elsewhere in the file, and where code that cannot be seen has either of them.

    ## References

    - [Automatic mixed precision examples](https://docs.pytorch.org/docs/stable/notes/amp_examples.html)
    - [torch.amp: gradient scaling](https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling)
    """

    code = "TL611"
    name = "step-bypasses-scaler"
    family = Family.DEVICES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "mixed-precision"
    trigger = r"\bGradScaler\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return ".scale(" in source.text and ".step(" in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            if not root.of(Kind.SCALE):
                continue
            told = {e.node for r in analysis.roots for e in r.of(Kind.STEP) if _is_scalers(analysis, e)}
            for optimizer, place in _scaling.steps(root):
                step = place.event.node
                if not isinstance(optimizer, Instance) or step in told or _is_stepped(analysis, optimizer):
                    continue
                states = _scaling.gradients(root, optimizer).get(place.event, set())
                if states and all(state.state == "scaled" for state in states):
                    clips = {state.clipped.node for state in states if state.clipped is not None}
                    yield from self._report(analysis, root, place, clips)

    def _report(self, analysis: Analysis, root: Root, place: Place, clips: set[ast.AST]) -> Iterator[Finding]:
        step, scale = place.event.node, _scale_before(root, place.event)
        if not isinstance(step, ast.Call) or scale is None or not isinstance(scale.node, ast.Call):
            return
        scaler = _scaling.scaler_of(analysis, scale.node)
        if scaler is None or support.is_held(root, scaler) or not analysis.owns(step):
            return
        if not support.is_seen_whole(analysis, place, scale.node, step):
            return
        name = support.receiver(analysis, scale.node)
        message = (
            f"`{support.receiver(analysis, step)}` is stepped on gradients that `{name}.scale` multiplied "
            f"{support.on_line(analysis, scale.node)}: only `{name}.step` divides them again"
        )
        related = support.related(analysis, scale.node, "the loss is scaled here")
        fixes = _fixes(analysis, scale.node, step, clips)
        yield self.finding(message, analysis.source.span(step), fixes=fixes, related=related)


def _is_scalers(analysis: Analysis, event: Event) -> bool:
    """Whether it is not the optimizer's own `step` that is called."""
    node = event.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return True
    value = analysis.run.values.get(node.func.value)
    return value is None or any(not support.is_optimizer(option) for option in options(value))


def _is_stepped(analysis: Analysis, optimizer: Instance) -> bool:
    """Whether a scaler steps the optimizer somewhere."""
    return any(
        event.subject is optimizer and _is_scalers(analysis, event)
        for root in analysis.roots
        for event in root.of(Kind.STEP)
    )


def _scale_before(root: Root, step: Event) -> Event | None:
    """What scaled the loss last before a step, as the text goes."""
    found: Event | None = None
    for event in root.events:
        if event is step:
            break
        if event.kind is Kind.SCALE:
            found = event
    return found


def _fixes(analysis: Analysis, scale: ast.Call, step: ast.Call, clips: set[ast.AST]) -> tuple[Fix, ...]:
    """Lets the scaler step, unscale before what clips in the same block, and update where nothing does."""
    function = bindings.scope_of(analysis, step)
    if not analysis.owns(scale) or function is not bindings.scope_of(analysis, scale):
        return ()
    if not isinstance(step.func, ast.Attribute) or not isinstance(scale.func, ast.Attribute):
        return ()
    if step.args or step.keywords or not support.is_name(scale.func.value):
        return ()
    scaler, optimizer = (support.written(analysis, node) for node in (scale.func.value, step.func.value))
    edits = [Edit(analysis.source.span(step), f"{scaler}.step({optimizer})")]
    if not any(root.of(Kind.UPDATE) for root in analysis.roots):
        statement = support.statement_of(analysis, step)
        below = support.insert_after(analysis, statement, f"{scaler}.update()") if statement else None
        if below is None:
            return ()
        edits.append(below)
    above = _unscaling(analysis, clips, step, f"{scaler}.unscale_({optimizer})")
    if above is None:
        return ()
    edits += above
    return (Fix(f"Step by way of the scaler: `{scaler}.step({optimizer})`", tuple(edits), safe=True),)


def _unscaling(analysis: Analysis, clips: set[ast.AST], step: ast.Call, code: str) -> list[Edit] | None:
    """`code` above what clips, as the scale would be divided out only later; None where it may run twice."""
    stepping, edits = support.statement_of(analysis, step), list[Edit]()
    for clip in clips:
        clipping = support.statement_of(analysis, clip)
        if len(clips) > 1 or stepping is None or clipping not in support.block_of(analysis, stepping):
            return None
        above = support.insert_before(analysis, clipping, code)
        if above is None:
            return None
        edits.append(above)
    return edits
