"""TL101: an optimizer is stepped in a loop that never clears its gradients."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Call, Event, Kind, Loop, Place, Root, events, happens, places
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import holds
from torchlore.analysis.values import Function, Instance
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.rules.training._uncalled import is_only_named


class MissingZeroGrad(Rule):
    """
    ## What it does

    Looks for loops in which an optimizer is stepped after `backward()` and nothing clears its gradients.

    ## Why is this bad?

    `backward()` adds to `.grad`; it never replaces it.
    Without `zero_grad()` every step uses the sum of the gradients of all batches so far.
    Nothing is reported: the loss falls for a while, then the steps grow and training drifts or diverges.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        loss = model(torch.randn(8, 4)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Safe. The rule speaks only when no path through the loop clears the gradients, so that nothing that was
    right changes. Where `step()` runs less often than `backward()` (accumulation), the new line goes after
    `step()`, so that the accumulation stays.

    ## Known limits

    Silent where the optimizer, or the model that it updates, is handed to code that the analysis cannot see
    (another package's trainer, a callback), because that code may clear the gradients; and where it is not
    known to be an optimizer of `torch.optim`, such as a parameter that nothing in the file fills. Where the
    loop or the step is in another file, the file that hands over the optimizer is told, at the call.

    ## References

    - [torch.optim.Optimizer.zero_grad](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html)
    - [torch.Tensor.backward](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html)
    """

    code = "TL101"
    name = "missing-zero-grad"
    family = Family.TRAINING
    severity = Severity.ERROR
    since = "0.1.0"
    card = "zero-grad"
    trigger = r"\b(?:backward|optim)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            for optimizer in support.optimizers_stepped(root) if root.of(Kind.BACKWARD) else ():
                steps = [p for p in root.places_of(Kind.STEP) if p.event.subject is optimizer]
                uncleared = [place for place in steps if _may_be_uncleared(root, place, optimizer)]
                if not uncleared or any(_hides(event, optimizer) for event in root.of(Kind.ESCAPE)):
                    continue
                states = walk(root.path, "clean", partial(_move, optimizer), _KINDS)
                for place in uncleared:
                    if "mixed" in states.get(place.event, ()):
                        yield from _report(self, analysis, place, optimizer)


def _may_be_uncleared(root: Root, place: Place, optimizer: Instance) -> bool:
    """Whether some loop around a step computes gradients and does not clear them, on whatever path."""
    computing = {loop for backward in root.places_of(Kind.BACKWARD) for loop in backward.loops}
    clearing = {
        loop
        for clear in root.places_of(Kind.CLEAR)
        if support.may_clear(clear.event, optimizer)
        for loop in clear.loops
    }
    return any(loop in computing and loop not in clearing for loop in place.loops)


def _hides(event: Event, optimizer: Instance) -> bool:
    """Whether code that we cannot see holds the optimizer from here on."""
    return holds(event.value, optimizer)


_KINDS = (Kind.CLEAR, Kind.WRITE_GRADS, Kind.BACKWARD, Kind.STEP)


def _move(optimizer: Instance, event: Event, state: str) -> str:
    """What the gradients are: "clean", "fresh" for the next step, "used" by a step, "mixed" of both."""
    match event.kind:
        case Kind.CLEAR if support.may_clear(event, optimizer):
            return "clean"
        case Kind.WRITE_GRADS:
            return "fresh"
        case Kind.BACKWARD:
            return "mixed" if state in ("used", "mixed") else "fresh"
        case Kind.STEP if event.subject is optimizer:
            return "clean" if state == "clean" else "used"
        case _:
            return state


def _report(
    rule: MissingZeroGrad, analysis: Analysis, place: Place, optimizer: Instance
) -> Iterator[Finding]:
    shown = support.shown(analysis, place)
    if not isinstance(place.event.node, ast.Call) or not isinstance(shown, ast.Call):
        return
    loop = _loop(analysis, place, shown, optimizer)
    if loop is None or not _is_certain(analysis, loop, optimizer):
        return
    if is_only_named(analysis, "zero_grad", optimizer, loop.node):
        return  # another rule tells of the parentheses
    is_here = analysis.owns(loop.node)
    is_own = analysis.run.values.get(_called_on(shown)) is optimizer
    step = shown if is_own else place.event.node
    name = _name(analysis, step)
    where = "here" if analysis.owns(step) else f"{support.on_line(analysis, step)}"
    backwards = _backwards_for(loop, place.event)
    around = "this loop" if is_here else f"the loop {support.on_line(analysis, loop.node)}"
    message = (
        f"`{name}` is stepped {where}, but nothing in {around} clears its gradients: "
        f"`backward` {support.on_line(analysis, backwards[0])} adds to those of every earlier iteration"
    )
    related = support.related(analysis, backwards[0], "the gradients are added up here")  # type: ignore[arg-type]
    if is_here:
        related = (*related, Related(support.code_of_line(analysis, loop.node), "in this loop"))
    fixes = _fixes(analysis, step, backwards, name)
    yield rule.finding(message, analysis.source.span(shown), fixes=fixes, related=related)


def _loop(analysis: Analysis, place: Place, shown: ast.Call, optimizer: Instance) -> Loop | None:
    """The innermost loop around a step that computes gradients; rather one of this file, if there is one."""
    loops = [loop for loop in reversed(place.loops) if happens(loop.body, Kind.BACKWARD)]
    if not loops or analysis.owns(loops[0].node):
        return loops[0] if loops else None
    if not support.brings_together(analysis, shown, optimizer, optimizer.node, loops[0].node):
        return None
    return next((loop for loop in loops if analysis.owns(loop.node)), loops[0])


def _called_on(call: ast.Call) -> ast.expr:
    return call.func.value if isinstance(call.func, ast.Attribute) else call.func


def _backwards_for(loop: Loop, step: Event) -> list[ast.AST]:
    """The `backward` calls whose gradients `step` is for: those after the last step of another optimizer."""
    found: list[ast.AST] = []
    is_over = False
    for event in events(loop.body):
        if event is step and found:
            break
        if event.kind is Kind.BACKWARD:
            found = [event.node] if is_over else [*found, event.node]
            is_over = False
        is_over |= event.kind is Kind.STEP and event.subject is not step.subject
    return found


def _is_certain(analysis: Analysis, loop: Loop, optimizer: Instance) -> bool:
    """Whether the loop, and all that runs in it, is seen whole and leaves the gradients alone."""
    for place in places(loop.body):
        event = place.event
        if event.kind is Kind.CLEAR and support.may_clear(event, optimizer):
            return False
        if support.holds_on_to(event, optimizer) or (event.kind is Kind.RESET and event.key is optimizer):
            return False
        if any(isinstance(step, Call) and not analysis.is_whole(step.callee) for step in place.within):
            return False
    return analysis.is_whole(loop.node)


def _name(analysis: Analysis, step: ast.Call) -> str:
    """The optimizer as it is written: the receiver of `step`, or what a scaler is told to step."""
    name = support.receiver(analysis, step)
    if isinstance(step.func, ast.Attribute) and step.args and not isinstance(step.args[0], ast.Lambda):
        argument = support.written(analysis, step.args[0])
        if isinstance(step.args[0], ast.Name | ast.Attribute) and _is_scaler(analysis, step.func.value):
            return argument
    return name


def _closure(analysis: Analysis, step: ast.Call) -> list[ast.stmt] | None:
    """The body of the function that `step` is given to evaluate."""
    for argument in (*step.args, *(keyword.value for keyword in step.keywords)):
        value = analysis.run.values.get(argument)
        if isinstance(value, Function):
            return [] if isinstance(value.node, ast.Lambda) else value.node.body
    return None


def _is_scaler(analysis: Analysis, node: ast.expr) -> bool:
    value = analysis.run.values.get(node)
    return value is not None and kind_of(value) == "GradScaler"


def _fixes(analysis: Analysis, step: ast.Call, backwards: list[ast.AST], name: str) -> tuple[Fix, ...]:
    """Clears before the first `backward`, where it stands in the closure or beside `step`; else after."""
    stepping = support.statement_of(analysis, step)
    if stepping is None or not name.replace(".", "").replace("_", "").isalnum():
        return ()
    beside = [s for b in backwards if (s := support.statement_of(analysis, b)) is not None]
    closure = _closure(analysis, step)
    block = closure or support.block_of(analysis, stepping)
    code = f"{name}.zero_grad()"
    first = next((s for s in block if s in beside), None)
    if closure is not None and first is None:
        return ()  # once per step is too rarely: the closure runs several times
    together = first is not None and all(s in block for s in beside)
    if first is not None and together and (closure or block.index(first) < block.index(stepping)):
        edit = support.insert_before(analysis, first, code)
        title = f"Clear the gradients of `{name}` before `backward`"
    else:
        edit = support.insert_after(analysis, stepping, code)
        title = f"Clear the gradients of `{name}` after `step`"
    return (Fix(title, (edit,), safe=True),) if edit is not None else ()
