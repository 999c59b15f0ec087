"""TL201: a loss with its graph is kept beyond the iteration that made it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event, Kind, Loop, Place, Root, events
from torchlore.analysis.queries import came_from, options, tokens_of
from torchlore.analysis.values import Const, Container, Number, Tensor, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text.nodes import nodes_in


class LossKeepsGraph(Rule):
    """
    ## What it does

    Looks for tensors that still carry their autograd graph and are added to a running total or a list that
    outlives the iteration: `total += loss`, `losses.append(loss)`.

    ## Why is this bad?

    A tensor with a graph keeps everything alive that it was computed from.
    A running total of such tensors holds a part of every iteration's graph, so that memory grows with every
    batch until the device runs out of it, often hours into the run.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    total = 0.0
    for _ in range(10):
        loss = model(torch.randn(8, 4)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss
    print(total / 10)
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    total = 0.0
    for _ in range(10):
        loss = model(torch.randn(8, 4)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(total / 10)
    ```

    ## Fix safety

    `.detach()` is safe: the value stays the same tensor without its history.
    `.item()` is offered as well: it gives a Python number, but waits for the device.

    ## Known limits

    Speaks only where the same iteration calls `backward` on the value or on something computed with it.
    Silent where the total is differentiated later, or handed to code that may do so. Where a function of
    another file keeps it (a meter), the call that gives it the tensor is reported.

    ## References

    - [FAQ: my model reports "cuda runtime error(2): out of memory"](https://docs.pytorch.org/docs/stable/notes/faq.html)
    - [torch.Tensor.detach](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html)
    """

    code = "TL201"
    name = "loss-keeps-graph"
    family = Family.AUTOGRAD
    severity = Severity.WARNING
    since = "0.1.0"
    card = "detach-clone-item"
    trigger = r"\bbackward\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            for place in root.places_of(Kind.ACCUMULATE):
                if place.loops:
                    yield from self._report(analysis, root, place)

    def _report(self, analysis: Analysis, root: Root, place: Place) -> Iterator[Finding]:
        event = place.event
        added = _kept(event)
        loop, backward = _proof(root, place, _scaled(analysis, added)) if added is not None else (None, None)
        if loop is None or backward is None or not analysis.is_whole(loop.node):
            return
        kept = added if analysis.owns(event.node) else _handed_over(analysis, place)
        if kept is None:
            return
        if not support.repeats(loop, event):
            return
        at = "" if analysis.owns(event.node) else f" {support.on_line(analysis, event.node)}"
        name, place_name = support.written(analysis, kept), _place_name(analysis, event)
        where = support.on_line(analysis, backward)
        message = (
            f"`{place_name}`{at} keeps the graph of every iteration alive: "
            f"`{name}` still carries the history that `backward` went through {where}"
        )
        is_own = analysis.owns(backward)
        related = (
            (Related(support.code_of_line(analysis, backward), "the graph is used up here"),)
            if is_own
            else ()
        )
        yield self.finding(message, analysis.source.span(kept), fixes=_fixes(analysis, kept), related=related)


def _handed_over(analysis: Analysis, place: Place) -> ast.expr | None:
    """What this file gives to the function of another one that keeps it: the one argument with that graph."""
    call, kept = support.shown(analysis, place), place.event.value
    if not isinstance(call, ast.Call) or kept is None:
        return None
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    values = ((node, analysis.run.values.get(node)) for node in given)
    found = [node for node, value in values if _shares_graph(value, kept)]
    return found[0] if len(found) == 1 else None


def _kept(event: Event) -> ast.expr | None:
    """The expression that is added."""
    match event.node:
        case ast.AugAssign(value=ast.List(elts=[value]) | ast.Tuple(elts=[value])):
            return value if isinstance(event.subject, Container) else None
        case ast.AugAssign(value=value):
            return value if _is_plain_total(event) else None
        case ast.Assign(value=ast.BinOp(left=left, right=right), targets=[target]):
            if not _is_plain_total(event):
                return None
            return right if ast.dump(left).replace("Load", "Store") == ast.dump(target) else left
        case ast.Call(args=[*_, value]) if isinstance(event.subject, Container):
            return value
        case _:
            return None


def _scaled(analysis: Analysis, added: ast.expr | None) -> ast.expr | None:
    """`loss` of `loss * batch.size(0)`, where it is surely a tensor that may have a graph."""
    match added:
        case ast.BinOp(op=ast.Mult() | ast.Div(), left=ast.Name() | ast.Attribute() as left):
            value = analysis.run.values.get(left)
            is_tensor = isinstance(value, Tensor) and value.certain and value.attached is not False
            return left if is_tensor else None
        case _:
            return None


def _is_plain_total(event: Event) -> bool:
    """Whether it is added to a number or a tensor with gradients on. Other objects may detach it."""
    if event.key is None or event.subject is None or event.grad is not True:
        return False
    return all(isinstance(option, Const | Number | Tensor) for option in options(event.subject))


def _place_name(analysis: Analysis, event: Event) -> str:
    match event.node:
        case ast.AugAssign(target=target):
            return support.written(analysis, target)
        case ast.Assign(targets=[target]):
            return support.written(analysis, target)
        case node:
            return support.receiver(analysis, node)


def _proof(root: Root, place: Place, scaled: ast.expr | None) -> tuple[Loop | None, ast.AST | None]:
    """The innermost loop around an event, and its backward, that show that a graph is kept in vain."""
    for loop in reversed(place.loops):
        if _is_emptied(loop, place.event):
            break
        backward = _backward_in(root, loop, place.event, scaled)
        if backward is not None:
            return loop, backward
    return None, None


def _backward_in(root: Root, loop: Loop, event: Event, scaled: ast.expr | None) -> ast.AST | None:
    """The backward that shows that the value carries a graph which no later backward can need."""
    values = options(event.value) if event.value is not None else ()
    if any(isinstance(value, Tensor) and value.attached is False for value in values):
        return None  # `loss.detach_()`: the tensor is the same, its history is gone
    found: ast.AST | None = None
    exact = False
    for other in events(loop.body):
        if other.kind is Kind.BACKWARD and not other.keeps_graph:
            if all(value is other.value or value is other.subject for value in values) or (
                scaled is not None and all(_is_multiple(value, scaled, other) for value in values)
            ):
                found, exact = other.node, True
            elif not exact and all(_shares_graph(value, other.value) for value in values):
                found = other.node
    if found is None or _is_used_later(root, event, exact):
        return None
    return found


def _is_multiple(value: Value | None, scaled: ast.expr, backward: Event) -> bool:
    """Whether a tensor is a multiple of what was differentiated, by the name that it has there.

    What `backward` went through has a graph, or the call raises: that need not be known otherwise.
    """
    if not isinstance(value, Tensor) or not value.certain or value.attached is False:
        return False
    through = backward.value or backward.subject
    if not isinstance(through, Tensor) or not through.tokens or not through.tokens <= value.tokens:
        return False
    same = ast.dump(scaled)
    return any(isinstance(part, ast.expr) and ast.dump(part) == same for part in nodes_in(backward.node))


def _shares_graph(value: Value | None, differentiated: Value | None) -> bool:
    if not isinstance(value, Tensor) or not value.attached or not value.certain or differentiated is None:
        return False
    return bool(value.tokens & tokens_of(differentiated))


def _is_used_later(root: Root, event: Event, exact: bool) -> bool:
    """Whether the total is differentiated, or may be by code that we cannot see."""
    kinds = {Kind.BACKWARD, Kind.DIFFERENTIATE} if exact else {*_USES}
    return any(other.kind in kinds and came_from(other.value, event.node) for other in root.events)


_USES = (Kind.BACKWARD, Kind.DIFFERENTIATE, Kind.ESCAPE, Kind.RETURN)


def _is_emptied(loop: Loop, event: Event) -> bool:
    """Whether the loop starts the total anew."""
    return any(other.kind is Kind.RESET and other.key == event.key for other in events(loop.body))


def _fixes(analysis: Analysis, kept: ast.expr) -> tuple[Fix, ...]:
    name = support.written(analysis, kept)
    detached, number = (support.followed_by(analysis, kept, suffix) for suffix in (".detach()", ".item()"))
    return (
        Fix(f"Keep `{name}` without its graph: `.detach()`", (detached,), safe=True),
        Fix(f"Keep the number in `{name}`: `.item()`", (number,), safe=False),
    )
