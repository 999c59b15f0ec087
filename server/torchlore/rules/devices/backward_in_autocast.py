"""TL614: gradients are computed while autocast is on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.analysis.names import words
from torchlore.rules import indentation, support
from torchlore.rules.devices import _autocast
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source
from torchlore.text.nodes import nodes_in


class BackwardInAutocast(Rule):
    """
    ## What it does

    Looks for `backward()` inside of `with torch.autocast(...)`.

    ## Why is this bad?

    Every operation of the backward pass runs in the type that its forward pass had: there is nothing for
    autocast to choose. Inside of it, what was kept in float32 on purpose (a loss or a layer under
    `autocast(enabled=False)`, a forward pass before the `with`) gets its gradients in half precision all the
    same. PyTorch recommends to leave autocast before `backward()`.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = model(x).pow(2).mean()
            loss.backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Not safe: gradients of what was kept in float32 change a little. Offered where nothing that stands behind
    `backward()` in the block computes anything for autocast to choose a type for.

    ## Known limits

    Silent where `enabled` is anything but True. Where all of the forward pass runs under autocast, the
    gradients of most models are the same in both places.

    ## References

    - [torch.amp: autocasting](https://docs.pytorch.org/docs/stable/amp.html#autocasting)
    - [Automatic mixed precision examples](https://docs.pytorch.org/docs/stable/notes/amp_examples.html)
    """

    code = "TL614"
    name = "backward-in-autocast"
    family = Family.DEVICES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "mixed-precision"
    trigger = r"\bautocast\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "backward(" in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        told: set[ast.AST] = set()
        for root in analysis.roots:
            for place in root.places_of(Kind.BACKWARD):
                shown = support.shown(analysis, place)
                if not isinstance(shown, ast.Call) or shown in told:
                    continue
                found = _autocast.autocast_around(analysis, place)
                if found is not None and support.is_seen_whole(analysis, place, *found):
                    told.add(shown)
                    yield self._report(analysis, shown, *found)

    def _report(
        self, analysis: Analysis, backward: ast.Call, block: _autocast.Block, context: ast.expr
    ) -> Finding:
        name = support.written(analysis, backward.func)
        message = (
            f"`{name}` runs under the autocast that begins {support.on_line(analysis, context)}: "
            "what was kept in float32 gets its gradients in half precision"
        )
        related = support.related(analysis, context, "autocast begins here")
        span = analysis.source.span(backward.func)
        return self.finding(message, span, fixes=_fixes(analysis, block, backward), related=related)


_HARMLESS = words(
    """
    Tensor.backward Tensor.item Tensor.detach Tensor.cpu Optimizer.step Optimizer.zero_grad Scheduler.step
    GradScaler.scale GradScaler.step GradScaler.update GradScaler.unscale_ GradScaler.get_scale
    Module.zero_grad Module.parameters torch.nn.utils.clip_grad_norm_ torch.nn.utils.clip_grad_value_
    builtins.print builtins.float builtins.len
    """
)
"""What autocast has no say in."""


def _fixes(analysis: Analysis, block: _autocast.Block, call: ast.Call) -> tuple[Fix, ...]:
    """Takes what begins with `backward()` out of the block, where the block ends with that."""
    statement = support.statement_of(analysis, call)
    if not analysis.owns(block) or statement not in block.body[1:] or len(block.items) > 1:
        return ()  # what else the block enters may be meant for the backward pass: `model.no_sync()`
    behind = block.body[block.body.index(statement) :]
    if not all(_is_harmless(analysis, one) for one in behind):
        return ()
    source, above = analysis.source, block.body[-len(behind) - 1].end_lineno or 0
    while not source.lines.text(above).strip():  # the comments above them go with them
        above += 1
    moved = indentation.moved(analysis, above, behind, source.indent(block.lineno - 1))
    if moved is None:
        return ()
    return (Fix("Leave autocast before the backward pass", (Edit(*moved),), safe=False),)


def _is_harmless(analysis: Analysis, statement: ast.stmt) -> bool:
    """Whether autocast makes no difference to a statement."""
    for node in nodes_in(statement):
        match node:
            case ast.Call():
                called = analysis.call_at(node)
                if called is None or called.name not in _HARMLESS:
                    return False
            case ast.BinOp(op=ast.MatMult()):
                return False
    return True
