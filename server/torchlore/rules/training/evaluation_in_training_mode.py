"""TL114: a model is evaluated while it is in training mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Call, Event, Kind, Loop, Place, Root, events, happens
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import holds
from torchlore.analysis.values import Instance
from torchlore.rules import alternatives, bindings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training import _modes
from torchlore.rules.training._judging import is_judged, is_scored
from torchlore.rules.training._uncalled import is_only_named
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in


class EvaluationInTrainingMode(Rule):
    """
    ## What it does

    Looks for loops and functions that only evaluate a model (`no_grad`, and a metric or a loss of what comes
    out) while its dropout or batch norm is in training mode: nothing has called `eval()`, or `train()` was
    last.

    ## Why is this bad?

    In training mode dropout goes on dropping, so that the score is that of a crippled model and differs from
    run to run. Batch norm normalises with the batch at hand, and lets the data that it is tested on into its
    running statistics.

    ## Example

    ```py
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    y = torch.zeros(8, dtype=torch.long)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    correct = 0
    with torch.no_grad():
        for x in torch.randn(10, 8, 4):
            correct += (model(x).argmax(1) == y).sum().item()
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    y = torch.zeros(8, dtype=torch.long)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    correct = 0
    model.eval()
    with torch.no_grad():
        for x in torch.randn(10, 8, 4):
            correct += (model(x).argmax(1) == y).sum().item()
    ```

    ## Fix safety

    Not safe: the scores become other ones, and dropout may have been left on to sample with.

    ## Known limits

    Speaks only where the file makes and trains the model, or calls `train()` on it, and nothing that cannot
    be seen has it. Silent where one input is run several times (Monte Carlo dropout), where what comes out is
    not judged (statistics of batch norm, samples of a generator), and in the loop that trains.

    ## References

    - [torch.nn.Module.eval](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval)
    - [Autograd mechanics: evaluation mode](https://docs.pytorch.org/docs/stable/notes/autograd.html#evaluation-mode-nn-module-eval)
    """

    code = "TL114"
    name = "evaluation-in-training-mode"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "train-vs-eval"
    trigger = r"\b(?:no_grad|inference_mode)\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "backward(" in source.text and ".step(" in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        told: set[ast.AST] = set()
        for root in analysis.roots:
            if not root.of(Kind.STEP) or all(event.grad is not False for event in root.of(Kind.FORWARD)):
                continue
            modes: dict[Instance, dict[Event, set[Event | None]]] = {}
            for place in root.places_of(Kind.FORWARD):
                event = place.event
                if event.grad is not False or place.in_forward or event.node in told:
                    continue
                causes = _causes(analysis, root, place, modes)
                if causes:
                    told.add(event.node)
                    yield from self._report(analysis, root, place, causes)

    def _report(self, analysis: Analysis, root: Root, place: Place, causes: set[Event]) -> Iterator[Finding]:
        call, model = place.event.node, place.event.subject
        if not isinstance(call, ast.Call) or not analysis.owns(call) or not isinstance(model, Instance):
            return
        if not support.is_seen_whole(analysis, place, call) or is_only_named(
            analysis, "eval", model, root.node
        ):
            return
        name, layer = support.written(analysis, call.func), _modes.dependent_layer(model)
        trained = next((cause.node for cause in causes if cause.kind is Kind.TRAIN), None)
        why = "no path has called `eval()`"
        if trained is not None:
            why = f"`train()` {support.on_line(analysis, trained)} is what set the mode last"
        message = f"`{name}` is evaluated in training mode, its `{layer}` at work: {why}"
        begins = "training mode begins here"
        related = support.related(analysis, trained, begins) if isinstance(trained, ast.expr) else ()
        fixes = tuple(_fixes(analysis, place, causes))
        yield self.finding(message, analysis.source.span(call.func), fixes=fixes, related=related)


def _causes(
    analysis: Analysis, root: Root, place: Place, modes: dict[Instance, dict[Event, set[Event | None]]]
) -> set[Event]:
    """What has put a model in training mode by the time that it is evaluated; nothing where it may not be.

    These are the calls of `train()`, and where the model is made: a new one is in training mode.

    Args:
        analysis: of the file.
        root: the entry point.
        place: where the model is evaluated.
        modes: of each model that was asked about before, what `_decided` says.
    """
    event = place.event
    model = event.subject
    if not isinstance(model, Instance) or kind_of(model) != "Module" or _begins_with_eval(place, model):
        return set()
    if model not in modes:
        modes[model] = _decided(root, model)
    reached = modes[model].get(event, set()) - {_UNMADE}
    causes = {cause for cause in reached if cause is not None and cause.kind is not Kind.EVAL}
    is_sure = len(causes) == len(reached) and bool(causes)
    return causes if is_sure and _is_evaluation(analysis, root, place, model) else set()


def _decided(root: Root, model: Instance) -> dict[Event, set[Event | None]]:
    """By event what may have decided the mode of a model; nothing where that is not seen, or is no matter."""
    if not _modes.dependent_layer(model) or support.is_held(root, model):
        return {}
    on_it = alternatives.acting_on(root, model, (Kind.TRAIN, Kind.EVAL))
    begin = _UNMADE if alternatives.is_made(root, model) else None
    return walk(root.path, begin, lambda event, mode: _mode_after(event, mode, model, on_it), _KINDS)


def _begins_with_eval(place: Place, model: Instance) -> bool:
    """Whether the function that evaluates calls `eval()` and never `train()`: what most of them do."""
    inner = next((step for step in reversed(place.within) if isinstance(step, Call)), None)
    modes = [e for e in events(inner.body) if e.kind in (Kind.TRAIN, Kind.EVAL)] if inner is not None else []
    return bool(modes) and all(e.kind is Kind.EVAL and holds(e.subject, model) for e in modes)


_KINDS = (Kind.TRAIN, Kind.EVAL, Kind.MODE, Kind.RESET, Kind.HAVOC, Kind.FORWARD)

_UNMADE = Event(Kind.RESET, ast.Pass())
"""What stands for the mode of a model before it is made: on such a path it cannot run."""


def _mode_after(event: Event, mode: Event | None, model: Instance, on_it: frozenset[Event]) -> Event | None:
    """What decided the mode of `model` last; None where that is not known, or where a part has its own."""
    if mode is _UNMADE and event.key is not model:
        return mode
    match event.kind:
        case Kind.TRAIN | Kind.EVAL if holds(event.subject, model) or event in on_it:
            return event
        case Kind.TRAIN | Kind.EVAL | Kind.MODE if event.subject is None or holds(model, event.subject):
            return mode if event.kind is Kind.TRAIN else None
        case Kind.MODE if holds(event.subject, model):
            return None
        case Kind.RESET if event.key is model:
            return event
        case Kind.HAVOC:
            return None
        case _:
            return mode


def _is_evaluation(analysis: Analysis, root: Root, place: Place, model: Instance) -> bool:
    """Whether a forward pass stands where nothing is trained, and what it gives is judged there."""
    call = place.event.node
    if not isinstance(call, ast.Call) or not any(_updates(event, model) for event in root.of(Kind.STEP)):
        return False
    inner = next((step for step in reversed(place.within) if isinstance(step, Loop | Call)), None)
    if inner is None:
        is_one_step = any(not step.loops for step in root.places_of(Kind.STEP))
        return not is_one_step and is_judged(analysis, root.node, call)
    if happens(inner.body, Kind.BACKWARD, Kind.STEP):
        return False
    if isinstance(inner, Call):
        return is_judged(analysis, inner.callee, call)
    scope = bindings.scope_of(analysis, call) or inner.node
    is_told = is_judged(analysis, inner.node, call) or is_scored(analysis, scope, call)
    return is_told and _runs_over_data(inner, call)


def _updates(event: Event, model: Instance) -> bool:
    """Whether a step is one of an optimizer that updates parameters of `model`."""
    optimizer = event.subject
    mine = support.owners(optimizer) if isinstance(optimizer, Instance) else None
    return mine is not None and any(holds(owner, model) or holds(model, owner) for owner in mine)


def _runs_over_data(loop: Loop, call: ast.Call) -> bool:
    """Whether each iteration gives the model something else: not the same again, to sample with dropout."""
    if not isinstance(loop.node, ast.For | ast.AsyncFor):
        return False
    stored = {n.id for n in nodes_in(loop.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    given = (
        node for argument in (*call.args, *(k.value for k in call.keywords)) for node in nodes_in(argument)
    )
    return any(isinstance(node, ast.Name) and node.id in stored for node in given)


def _fixes(analysis: Analysis, place: Place, causes: set[Event]) -> Iterator[Fix]:
    call = place.event.node
    if not isinstance(call, ast.Call) or not support.is_name(call.func):
        return
    name = support.written(analysis, call.func)
    misnamed = _misnamed(analysis, place, causes)
    if misnamed is not None and not _trains_on(place, causes):
        yield Fix(f"Evaluate in evaluation mode: `{misnamed[0]}.eval()`", (misnamed[1],), safe=False)
        return
    trains_on = _trains_on(place, set())
    outermost = _statement_around(analysis, place)
    before = support.insert_before(analysis, outermost, f"{name}.eval()") if outermost is not None else None
    after = support.insert_after(analysis, outermost, f"{name}.train()") if outermost is not None else None
    if before is None or (trains_on and after is None):
        return
    if trains_on and after is not None:
        yield Fix(f"Put `{name}` in evaluation mode, and back behind it", (before, after), safe=False)
    else:
        yield Fix(f"Put `{name}` in evaluation mode first: `{name}.eval()`", (before,), safe=False)


def _trains_on(place: Place, but: set[Event]) -> bool:
    """Whether a loop around goes on training and does not call `train()` first, `but` for these."""
    return any(
        happens(outer.body, Kind.STEP)
        and not any(event.kind is Kind.TRAIN and event not in but for event in events(outer.body))
        for outer in place.loops
    )


def _misnamed(analysis: Analysis, place: Place, causes: set[Event]) -> tuple[str, Edit] | None:
    """`model.train()` where a function that only evaluates begins: it was to be `model.eval()`."""
    cause = next(iter(causes)).node if len(causes) == 1 else None
    match cause:
        case ast.Call(func=ast.Attribute(value=owner, attr="train") as func, args=[], keywords=[]):
            scope = bindings.scope_of(analysis, cause)
        case _:
            return None
    inner = next((step for step in reversed(place.within) if isinstance(step, Call)), None)
    if inner is None or scope is not inner.callee or not analysis.owns(cause):
        return None
    if happens(inner.body, Kind.BACKWARD, Kind.STEP):
        return None
    end = analysis.source.span(func).end
    return support.written(analysis, owner), Edit(Span(end - len("train"), end), "eval")


def _statement_around(analysis: Analysis, place: Place) -> ast.stmt | None:
    """The loop that evaluates, or else the statement; with the `with torch.no_grad()` around it, if any."""
    inner = next((step for step in reversed(place.within) if isinstance(step, Loop | Call)), None)
    node = inner.node if isinstance(inner, Loop) else support.statement_of(analysis, place.event.node)
    if not isinstance(node, ast.stmt) or not analysis.owns(node):
        return None
    outer = support.parent(analysis, node)
    while isinstance(outer, ast.With) and all(_switches_gradients(analysis, item) for item in outer.items):
        node, outer = outer, support.parent(analysis, outer)
    return node


def _switches_gradients(analysis: Analysis, item: ast.withitem) -> bool:
    value = analysis.value(item.context_expr)
    return isinstance(value, Instance) and value.cls in torch_facts.NO_GRAD
