"""TL103: after the first validation a model is trained in evaluation mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Branch, Call, Event, Kind, Loop, Place, Root, events, places
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import came_from, holds
from torchlore.analysis.values import Instance, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.rules.training import _modes
from torchlore.rules.training._uncalled import is_only_named
from torchlore.text import Source


class TrainingInEvalMode(Rule):
    """
    ## What it does

    Looks for loops that train a model and put it into evaluation mode, but never back into training mode.

    ## Why is this bad?

    `eval()` holds until `train()` is called; the end of the validation does not end it.
    From the second epoch on dropout drops nothing and batch norm uses, and no longer updates, the statistics
    of the first epoch. Nothing is reported: the model trains, and ends worse.

    ## Example

    ```py
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(10):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            print(epoch, model(torch.randn(8, 4)).pow(2).mean().item())
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(10):
        model.train()
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            print(epoch, model(torch.randn(8, 4)).pow(2).mean().item())
    ```

    ## Fix safety

    Not safe: training goes on in another mode than before, so that results change. That is what is wanted,
    but a run that was tuned around the mistake may want to look at it first.

    ## Known limits

    Speaks only where the first iteration trains in another mode than the next one: who calls `eval()` once,
    before the loop, or always before the forward pass, wants to train so (frozen batch norm). Silent where
    code that cannot be seen has the model, where any `train()` in the loop may reach it, and where no layer
    of the model depends on the mode.

    ## References

    - [torch.nn.Module.eval](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval)
    - [torch.nn.Module.train](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train)
    """

    code = "TL103"
    name = "training-in-eval-mode"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "train-vs-eval"
    trigger = r"\b(?:eval|train)\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "backward" in text and (".eval(" in text or ".train(" in text)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        reported: set[ast.AST] = set()
        for root in analysis.roots:
            if not root.of(Kind.EVAL) or not root.of(Kind.STEP):
                continue
            for evaluated in root.places_of(Kind.EVAL):
                forward = _trained_later(analysis, root, evaluated)
                if forward is not None and evaluated.event.node not in reported:
                    reported.add(evaluated.event.node)
                    yield from self._report(analysis, forward, evaluated)

    def _report(self, analysis: Analysis, forward: Place, evaluated: Place) -> Iterator[Finding]:
        loop, call = _loop_around(forward, evaluated), forward.event.node
        if loop is None or not isinstance(call, ast.Call):
            return
        shown = _leads_there(loop, evaluated)
        if not isinstance(shown, ast.expr | ast.stmt) or not analysis.owns(shown):
            return
        is_here = shown is evaluated.event.node
        by_way = "" if is_here else f" after `{_called(analysis, shown)}`"
        name, trained = support.written(analysis, call.func), support.on_line(analysis, call)
        message = (
            f"`{name}` stays in evaluation mode{by_way}: nothing in this loop calls `train()`, so that "
            f"from the next iteration on it trains {trained} without dropout and with fixed batch norm"
        )
        related = support.related(analysis, call, "and is trained here")
        if not is_here:
            related = (*_related(analysis, evaluated.event.node), *related)
        related = (*related, Related(support.code_of_line(analysis, loop.node), "in this loop"))
        fixes = _fixes(analysis, forward, loop, shown)
        yield self.finding(message, analysis.source.span(shown), fixes=fixes, related=related)


def _related(analysis: Analysis, node: ast.AST) -> tuple[Related, ...]:
    if not isinstance(node, ast.expr):
        return ()
    return support.related(analysis, node, "evaluation mode begins here")


def _called(analysis: Analysis, call: ast.expr | ast.stmt) -> str:
    """What a call calls, as it is written."""
    return support.written(analysis, call.func if isinstance(call, ast.Call) else call)  # type: ignore[arg-type]


def _leads_there(loop: Loop, place: Place) -> ast.AST:
    """What stands in the loop's own function: the call that leads to an event, or the event's own node."""
    return next((step.node for step in _below(loop, place) if isinstance(step, Call)), place.event.node)


def _loop_around(forward: Place, evaluated: Place) -> Loop | None:
    """The innermost loop that both stand in."""
    return next((loop for loop in reversed(forward.loops) if loop in evaluated.loops), None)


def _trained_later(analysis: Analysis, root: Root, evaluated: Place) -> Place | None:
    """The forward pass that a later iteration runs for training in the mode that `evaluated` sets."""
    model = evaluated.event.subject
    if not isinstance(model, Instance) or kind_of(model) != "Module":
        return None
    loops = [loop for loop in evaluated.loops if _goes_on_training(analysis, loop, model)]
    found = [
        place
        for place in (root.places_of(Kind.FORWARD) if loops else ())
        if _loop_around(place, evaluated) in loops and _is_training(analysis, place, evaluated, model)
    ]
    if not found or support.is_held(root, model) or _modes.is_indifferent(model):
        return None
    modes = walk(root.path, None, lambda event, mode: _mode_after(event, mode, model), _KINDS)
    for place in sorted(found, key=lambda place: place.event.subject is not model):
        reached = modes.get(place.event, set())
        if evaluated.event in reached and any(mode is None or mode.kind is Kind.TRAIN for mode in reached):
            return place
    return None


_KINDS = (Kind.TRAIN, Kind.EVAL, Kind.MODE, Kind.RESET, Kind.HAVOC, Kind.FORWARD)


def _mode_after(event: Event, mode: Event | None, model: Value) -> Event | None:
    """What decided the mode of `model` last: None at the beginning and where that is not known."""
    match event.kind:
        case Kind.TRAIN | Kind.EVAL | Kind.MODE if holds(event.subject, model):
            return event
        case Kind.RESET if event.key is model:
            return None
        case Kind.HAVOC:
            return None
        case _:
            return mode


def _goes_on_training(analysis: Analysis, loop: Loop, model: Instance) -> bool:
    """Whether a loop steps an optimizer of `model`, and nothing in it may put that into training mode."""
    inside = events(loop.body)
    if not any(event.kind is Kind.STEP and _updates(event, model) for event in inside):
        return False
    if any(_may_train(event, model) for event in inside) or not analysis.owns(loop.node):
        return False
    return analysis.is_whole(loop.node) and not is_only_named(analysis, "train", model, loop.node)


def _is_training(analysis: Analysis, forward: Place, evaluated: Place, model: Instance) -> bool:
    """Whether a forward pass of `model` is for training, in each iteration of the loop around both.

    One that is differentiated under a condition only may be in another phase than the evaluation, unless
    that is in every iteration.
    """
    event, loop = forward.event, _loop_around(forward, evaluated)
    if loop is None or event.grad is False or forward.in_forward or event.node is _made_at(forward):
        return False
    if not holds(model, event.subject) or not support.is_seen_whole(analysis, forward):
        return False
    always = not any(isinstance(step, Branch) for step in _below(loop, evaluated))
    backwards = (place for place in places(loop.body, Kind.BACKWARD) if _goes_through(place.event, event))
    return any(always or not any(isinstance(s, Branch) for s in place.within) for place in backwards)


def _made_at(place: Place) -> ast.AST | None:
    """Where the layer was made that runs: of one in a Sequential, its call is nowhere in the text."""
    return place.event.subject.node if isinstance(place.event.subject, Instance) else None


def _may_train(event: Event, model: Value) -> bool:
    """Whether an event may put `model`, or a part of it, into training mode."""
    if event.kind in (Kind.TRAIN, Kind.MODE):
        return event.subject is None or holds(event.subject, model) or holds(model, event.subject)
    return event.kind is Kind.HAVOC


def _goes_through(event: Event, forward: Event) -> bool:
    return event.kind is Kind.BACKWARD and came_from(event.value, forward.node)


def _updates(event: Event, model: Value) -> bool:
    """Whether a step is one of an optimizer that updates parameters of `model`."""
    if not isinstance(event.subject, Instance) or not support.is_optimizer(event.subject):
        return False
    owners = support.owners(event.subject)
    return owners is not None and any(holds(owner, model) or holds(model, owner) for owner in owners)


def _below(loop: Loop, place: Place) -> tuple[Loop | Call | Branch, ...]:
    return place.within[place.within.index(loop) + 1 :]


def _fixes(analysis: Analysis, forward: Place, loop: Loop, shown: ast.AST) -> tuple[Fix, ...]:
    """Sets training mode where the training begins, or after what leaves evaluation mode on."""
    call = forward.event.node
    if not isinstance(call, ast.Call) or not analysis.owns(call) or not support.is_name(call.func):
        return ()
    name = support.written(analysis, call.func)
    below = _below(loop, forward)
    calls = [index for index, step in enumerate(below) if isinstance(step, Call)]
    found = []
    inner = below[calls[-1] + 1 :] if calls else ()
    outermost = next((step.node for step in inner if isinstance(step, Loop)), call)
    body = getattr(loop.node, "body", None)
    first = support.statement_of(analysis, outermost) if calls else body[0] if body else None
    if first is not None:
        edit = support.insert_before(analysis, first, f"{name}.train()")
        found.append((f"Put `{name}` back into training mode before it is trained", edit))
    after = support.statement_of(analysis, shown)
    leads_there = isinstance(shown, ast.Call) and not calls and isinstance(after, ast.Expr | ast.Assign)
    if leads_there and after is not None and after in (body or ()) and not _is_eval(shown):
        edit = support.insert_after(analysis, after, f"{name}.train()")
        found.append((f"Put `{name}` back into training mode after the evaluation", edit))
    return tuple(Fix(title, (edit,), safe=False) for title, edit in found if edit is not None)


def _is_eval(node: ast.AST) -> bool:
    """Whether a call is that of `eval` itself: what comes next runs in the mode that it sets."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "eval"
