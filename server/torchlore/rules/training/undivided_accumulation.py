"""TL113: gradients of several batches are accumulated as a sum, of losses that are means."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.accumulation import remainder
from torchlore.analysis.called import Called
from torchlore.analysis.events import Branch, Kind, Loop, Place, events, happens, places
from torchlore.analysis.members import class_name, kind_of
from torchlore.analysis.values import Const, Instance
from torchlore.rules import bindings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._accumulation import gated_steps, interferes, is_conditional
from torchlore.text import Edit, Source, Span


class UndividedAccumulation(Rule):
    """
    ## What it does

    Looks for loops in which `backward()` runs for every batch, `step()` and `zero_grad()` for every n-th, and
    the loss is the mean of one batch, divided by nothing.

    ## Why is this bad?

    Gradients add up. After n batches they are the sum of n means, n times the gradient of one batch of that
    size: SGD takes steps n times as long, and clipping compares n times the norm with its limit. Whoever
    changes n changes the learning rate with it.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    n = 4
    for i, x in enumerate(torch.randn(100, 8, 4)):
        loss = model(x).pow(2).mean()
        loss.backward()
        if (i + 1) % n == 0:
            optimizer.step()
            optimizer.zero_grad()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    n = 4
    for i, x in enumerate(torch.randn(100, 8, 4)):
        loss = model(x).pow(2).mean()
        (loss / n).backward()
        if (i + 1) % n == 0:
            optimizer.step()
            optimizer.zero_grad()
    ```

    ## Fix safety

    Not safe: the steps become n times as short, and a learning rate that was tuned to the sum is too low.

    ## Known limits

    Speaks of optimizers whose steps are as long as the gradient (SGD), and of all where gradients are
    clipped: the steps of Adam and its like do not depend on the scale. Silent where n divides anything else
    in the file, and where the loss is not surely a mean.

    ## References

    - [Automatic mixed precision examples: gradient accumulation](https://docs.pytorch.org/docs/stable/notes/amp_examples.html#gradient-accumulation)
    - [torch.optim.SGD](https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html)
    """

    code = "TL113"
    name = "undivided-accumulation"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "gradient-accumulation"
    trigger = r"\bzero_grad\b"
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return (
            "%" in source.text and "backward(" in source.text and any(map(_may_be_gate, source.every(ast.If)))
        )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        told: set[ast.AST] = set()
        for root in analysis.roots:
            for place, optimizer, loop, around in gated_steps(root):
                if not _accumulates(loop, around, optimizer):
                    continue
                if not support.is_seen_whole(analysis, place) or not analysis.is_whole(loop.node):
                    continue
                loss = _mean(analysis, loop)
                number = remainder(around.test, loop)
                if loss is not None and number is not None and loss not in told:
                    told.add(loss)
                    yield from self._report(analysis, place, loss, number.right)

    def _report(
        self, analysis: Analysis, place: Place, loss: ast.expr, number: ast.expr
    ) -> Iterator[Finding]:
        step = place.event.node
        if not analysis.owns(number) or not isinstance(step, ast.Call) or _divides(analysis, number):
            return
        name, times = support.written(analysis, loss), support.written(analysis, number)
        message = (
            f"`{name}` is the mean of one batch, and `step` {support.on_line(analysis, step)} uses the sum "
            f"of the gradients of `{times}`: divide it by `{times}`, as one large batch would"
        )
        related = support.related(analysis, step, "the step uses all of them")
        fixes = (_fix(analysis, loss, times),)
        yield self.finding(message, analysis.source.span(loss), fixes=fixes, related=related)


def _may_be_gate(statement: ast.If) -> bool:
    """Whether something under an `if` calls `step`, on a line of its own."""
    calls = (s.value for s in statement.body if isinstance(s, ast.Expr))
    return any(isinstance(c, ast.Call) and getattr(c.func, "attr", "") == "step" for c in calls)


def _accumulates(loop: Loop, around: ast.If, optimizer: Instance) -> bool:
    """Whether a loop computes gradients in each iteration, and steps and clears them under one condition."""
    inside = places(loop.body)
    backwards = [place for place in inside if place.event.kind is Kind.BACKWARD]
    if len(backwards) != 1 or is_conditional(backwards[0]) or backwards[0].loops:
        return False
    if any(_is_in_the_way(place, optimizer) for place in inside):
        return False
    clears = [p for p in inside if p.event.kind is Kind.CLEAR and support.may_clear(p.event, optimizer)]
    if not clears or not all(_is_under(around, place) for place in clears):
        return False
    return class_name(optimizer) in _LINEAR or happens(loop.body, Kind.CLIP)


_LINEAR = ("torch.optim.SGD", "torch.optim.ASGD")
"""Optimizers whose steps are as long as the gradients."""


def _is_in_the_way(place: Place, optimizer: Instance) -> bool:
    """Whether gradients come or go in a way that we do not see, or another optimizer uses each of them."""
    if place.event.kind is Kind.STEP and place.event.subject is not optimizer:
        return not is_conditional(place)
    return interferes(place.event, optimizer)


def _is_under(around: ast.If, place: Place) -> bool:
    return any(isinstance(step, Branch) and step.node is around for step in place.within)


def _mean(analysis: Analysis, loop: Loop) -> ast.expr | None:
    """What `backward` of a loop is called on, where that is surely the mean of a batch."""
    backward = next(event for event in events(loop.body) if event.kind is Kind.BACKWARD)
    match backward.node:
        case ast.Call(func=ast.Attribute(value=loss, attr="backward"), args=[]) if analysis.owns(loss):
            scaled = analysis.call_at(loss)
            if scaled is not None and scaled.name == "GradScaler.scale" and len(scaled.node.args) == 1:
                loss = scaled.node.args[0]
            return loss if _is_mean(analysis, loss) else None
    return None


def _is_mean(analysis: Analysis, node: ast.expr, depth: int = 4) -> bool:
    """Whether an expression surely is a mean over the batch, or a sum in which there is one."""
    if not depth:
        return False
    match node:
        case ast.Name():
            made = bindings.values_of(analysis, node)
            return bool(made) and all(_is_mean(analysis, value, depth - 1) for value in made or ())
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_mean(analysis, left, depth - 1) or _is_mean(analysis, right, depth - 1)
        case ast.Call():
            call = analysis.call_at(node)
            return call is not None and _takes_mean(call)
        case _:
            return False


def _takes_mean(call: Called) -> bool:
    if call.name in ("Tensor.mean", "torch.mean"):
        return not call.node.keywords and len(call.node.args) == (call.name == "torch.mean")
    home, _, name = call.name.rpartition(".")
    if home == "torch.nn.functional" and (name.endswith("_loss") or name in _LOSSES):
        reduction = call.value(-1, "reduction")
        is_plain = (
            call.is_complete and call.argument(-1, "reduce") is call.argument(-1, "size_average") is None
        )
        return is_plain and (reduction is None or call.literal(-1, "reduction") == "mean")
    return isinstance(call.receiver, Instance) and home == "torch.nn" and _is_mean_loss(call.receiver)


_LOSSES = ("cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div")


def _is_mean_loss(loss: Instance) -> bool:
    """Whether a loss of torch was made to give the mean."""
    if kind_of(loss) != "Loss" or loss.arguments is None or not loss.arguments.complete:
        return False
    told = loss.arguments.keywords
    reduction = told.get("reduction", Const("mean"))
    is_plain = "reduce" not in told and "size_average" not in told
    return is_plain and isinstance(reduction, Const) and reduction.value == "mean"


def _divides(analysis: Analysis, number: ast.expr) -> bool:
    """Whether the number of batches divides something in the file, or cannot be written a second time."""
    if isinstance(number, ast.Constant):
        return not isinstance(number.value, int) or number.value < 2
    name = getattr(number, "attr", "") or getattr(number, "id", "")
    if not name or not support.is_name(number):
        return True
    return re.search(rf"(?<!/)/=?\s*\(?[\w.]*\b{name}\b", analysis.source.text) is not None


def _fix(analysis: Analysis, loss: ast.expr, times: str) -> Fix:
    span = analysis.source.span(loss)
    is_argument = not isinstance(support.parent(analysis, loss), ast.Attribute)
    before, after = ("", "") if is_argument else ("(", ")")
    edits = [Edit(Span(span.end, span.end), f" / {times}{after}")]
    if isinstance(loss, ast.BinOp):
        before, edits = f"{before}(", [Edit(Span(span.end, span.end), f") / {times}{after}")]
    if before:
        edits.append(Edit(Span(span.start, span.start), before))
    return Fix(f"Divide the loss by `{times}`", tuple(edits), safe=False)
