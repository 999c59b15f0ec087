"""TL610: gradients are clipped while they are still scaled."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event, Kind, Place, Root
from torchlore.analysis.values import Instance, Value
from torchlore.rules import bindings, support
from torchlore.rules.devices import _scaling
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class ClipBeforeUnscale(Rule):
    """
    ## What it does

    Looks for gradients that are clipped between `scaler.scale(loss).backward()` and `scaler.step(optimizer)`
    without `scaler.unscale_(optimizer)` before.

    ## Why is this bad?

    Until `unscale_` the gradients are as many times too large as the scaler says, 65536 at first.
    `max_norm=1.0` then clips nearly every step, and `step` divides what is left by the scale: the updates are
    some ten thousand times too small, and change whenever the scale does. Nothing is reported.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    loss = model(torch.randn(8, 4)).mean()
    scaler.scale(loss).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    scaler.step(optimizer)
    scaler.update()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    loss = model(torch.randn(8, 4)).mean()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    scaler.step(optimizer)
    scaler.update()
    ```

    ## Fix safety

    Safe: the gradients are clipped as the number says, and `step` knows that they are unscaled already. No
    fix is offered where clipping may run several times before a step: `unscale_` must run once only.

    ## Known limits

    Silent where some path unscales before, where gradients are also written by hand, and where code that
    cannot be seen has the optimizer.

    ## References

    - [Automatic mixed precision examples: working with unscaled gradients](https://docs.pytorch.org/docs/stable/notes/amp_examples.html)
    - [torch.nn.utils.clip_grad_norm_](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html)
    """

    code = "TL610"
    name = "clip-before-unscale"
    family = Family.DEVICES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "mixed-precision"
    trigger = r"\b(?:clip_grad_norm_|clip_grad_value_|clip_grad_norm|GradScaler)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            if not root.of(Kind.CLIP) or not root.of(Kind.SCALE):
                continue
            for optimizer, place in _scaling.steps(root):
                scaler = _scaling.scaler_of(analysis, place.event.node)
                if scaler is None or not _is_told(analysis, root, scaler, optimizer):
                    continue
                states = _scaling.gradients(root, optimizer)
                clips = {state.clipped for state in states.get(place.event, ()) if state.state != "unknown"}
                for clip in root.places_of(Kind.CLIP):
                    if clip.event in clips and _is_certain(states.get(clip.event, set())):
                        repeats = any(state.clipped is clip.event for state in states[clip.event])
                        yield from self._report(analysis, root, clip, place, may_fix=not repeats)

    def _report(
        self, analysis: Analysis, root: Root, clip: Place, step: Place, *, may_fix: bool
    ) -> Iterator[Finding]:
        call, stepping = clip.event.node, step.event.node
        if not isinstance(call, ast.Call) or not isinstance(stepping, ast.Call):
            return
        if not analysis.owns(call) or not support.is_seen_whole(analysis, clip, call, stepping):
            return
        scaler = support.receiver(analysis, stepping)
        message = (
            f"`{support.written(analysis, call.func)}` clips gradients that are still multiplied by "
            f"the scale: `{scaler}.step` {support.on_line(analysis, stepping)} divides what is left by it"
        )
        scaled = next((event.node for event in root.of(Kind.SCALE)), None)
        related = support.related(analysis, stepping, "they are unscaled here")
        if isinstance(scaled, ast.expr):
            related = (*support.related(analysis, scaled, "the loss is scaled here"), *related)
        fixes = _fixes(analysis, root, call, stepping) if may_fix else ()
        yield self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


def _is_told(analysis: Analysis, root: Root, scaler: Instance, optimizer: Value) -> bool:
    """Whether all that unscales is seen. Whose gradients `unscale_` is for is told by the optimizer alone."""
    if support.is_held(root, scaler):
        return False
    return isinstance(optimizer, Instance) or not any(other.of(Kind.UNSCALE) for other in analysis.roots)


def _is_certain(states: set[_scaling.Gradients]) -> bool:
    """Whether the gradients are scaled on every path that computes any."""
    return bool(states) and all(state.state in ("scaled", "none") for state in states)


def _fixes(analysis: Analysis, root: Root, clip: ast.Call, step: ast.Call) -> tuple[Fix, ...]:
    """Unscales before; moves what unscales too late."""
    function = bindings.scope_of(analysis, clip)
    if not analysis.owns(step) or function is not bindings.scope_of(analysis, step):
        return ()
    if not isinstance(step.func, ast.Attribute) or not support.is_name(step.func.value):
        return ()
    if not step.args or not support.is_name(step.args[0]):
        return ()
    scaler, optimizer = (support.written(analysis, node) for node in (step.func.value, step.args[0]))
    statement = support.statement_of(analysis, clip)
    code = f"{scaler}.unscale_({optimizer})"
    above = support.insert_before(analysis, statement, code) if statement is not None else None
    if above is None or statement is None:
        return ()
    late = [event for event in root.of(Kind.UNSCALE) if _is_late(analysis, event, clip, step)]
    edits = [above]
    for event in late:
        unscaling = support.statement_of(analysis, event.node)
        block = support.block_of(analysis, statement)
        lines = support.own_lines(analysis, unscaling) if unscaling is not None else None
        if lines is None or unscaling not in block or not isinstance(unscaling, ast.Expr):
            return ()
        edits.append(Edit(lines, ""))
    title = f"Move `{code}` before the clipping" if late else f"Unscale before the clipping: `{code}`"
    return (Fix(title, tuple(edits), safe=True),)


def _is_late(analysis: Analysis, event: Event, clip: ast.Call, step: ast.Call) -> bool:
    node = event.node
    return analysis.owns(node) and support.line(clip) <= support.line(node) <= support.line(step)
