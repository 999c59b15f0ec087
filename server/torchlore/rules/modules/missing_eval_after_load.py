"""TL320: a model is loaded and asked for predictions in training mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Event, Kind, Place, Root
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import holds
from torchlore.analysis.values import Instance
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._dependence import depends_on_mode
from torchlore.text import Source
from torchlore.text.nodes import nodes_in


class MissingEvalAfterLoad(Rule):
    """
    ## What it does

    Looks for models that are made, get their weights by `load_state_dict`, and are called under
    `torch.no_grad()` or `torch.inference_mode()`, without `eval()` in between, in files that train nothing.

    ## Why is this bad?

    A module begins in training mode, and `load_state_dict` does not change that. Dropout goes on dropping
    units, so that the same input gets another answer each time. Batch norm takes the statistics of the batch
    instead of those that were learned, and overwrites these with it. Nothing is reported.

    ## Example

    ```py
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    model.load_state_dict(torch.load("model.pt"))
    with torch.no_grad():
        print(model(torch.randn(8, 4)).argmax(dim=1))
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    model.load_state_dict(torch.load("model.pt"))
    model.eval()
    with torch.no_grad():
        print(model(torch.randn(8, 4)).argmax(dim=1))
    ```

    ## Fix safety

    Not safe: the answers change. That is what is wanted, unless the dropout was (Monte Carlo dropout): then
    say so with `model.train()`.

    ## Known limits

    Silent where no layer is known that depends on the mode, where any `train()` or `eval()` reaches the model
    or a part of it, where code that cannot be seen has it, where one input is run several times (Monte Carlo
    dropout), and in files that compute gradients. The model has to be made, loaded and called on one way
    through the file.

    ## References

    - [torch.nn.Module.eval](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval)
    - [Saving and loading models](https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html)
    """

    code = "TL320"
    name = "missing-eval-after-load"
    family = Family.MODULES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "train-vs-eval"
    trigger = r"\bload_state_dict\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return ("no_grad" in text or "inference_mode" in text) and "backward(" not in text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source) or any(_trains(root) for root in analysis.roots):
            return
        told: set[ast.AST] = set()
        for root in analysis.roots:
            for loaded in root.places_of(Kind.LOAD_STATE):
                model, node = loaded.event.subject, loaded.event.node
                if node in told or not isinstance(model, Instance) or kind_of(model) != "Module":
                    continue
                forward = _asked(root, loaded.event, model)
                if forward is not None and depends_on_mode(model):
                    told.add(node)
                    yield from self._report(analysis, loaded, forward)

    def _report(self, analysis: Analysis, loaded: Place, forward: Place) -> Iterator[Finding]:
        node, call = loaded.event.node, forward.event.node
        if not isinstance(node, ast.Call) or not isinstance(call, ast.Call) or not analysis.owns(node):
            return
        if not all(support.is_seen_whole(analysis, place, node, call) for place in (loaded, forward)):
            return
        name = support.receiver(analysis, node)
        message = (
            f"`{name}` is still in training mode where it is asked for predictions "
            f"{support.on_line(analysis, call)}: nothing calls `eval()` after its weights are loaded"
        )
        related = support.related(analysis, call, "called here, without gradients")
        fixes = _fixes(analysis, node, name)
        yield self.finding(message, analysis.source.span(node.func), fixes=fixes, related=related)


_KINDS = (
    *(Kind.RESET, Kind.TRAIN, Kind.EVAL, Kind.MODE, Kind.LOAD_STATE),
    *(Kind.FORWARD, Kind.ESCAPE, Kind.HAVOC),
)


def _trains(root: Root) -> bool:
    return any(root.of(kind) for kind in (Kind.BACKWARD, Kind.DIFFERENTIATE, Kind.STEP))


def _asked(root: Root, loaded: Event, model: Instance) -> Place | None:
    """Where a model is called in the mode that it was made in, with the weights that were loaded."""
    states = walk(root.path, "unknown", partial(_move, loaded, model), _KINDS)
    for place in root.places_of(Kind.FORWARD):
        event = place.event
        is_asked = event.subject is model and event.grad is False and states.get(event) == {"loaded"}
        if is_asked and not _is_sampled(place):
            return place
    return None


def _is_sampled(forward: Place) -> bool:
    """Whether a model is given the same input again and again: dropout is there to sample with then."""
    call = forward.event.node
    given = {node.id for node in nodes_in(call) if isinstance(node, ast.Name)}
    return any(given.isdisjoint(_bound_in(loop.node)) for loop in forward.loops)


def _bound_in(loop: ast.AST) -> set[str]:
    return {
        node.id
        for node in nodes_in(loop)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }


def _move(loaded: Event, model: Instance, event: Event, state: str) -> str:
    """What is known of a model: "new", "loaded" after that, or "unknown" once its mode may be another."""
    match event.kind:
        case Kind.RESET if event.key is model:
            return "new"
        case Kind.LOAD_STATE if event is loaded:
            return "loaded" if state == "new" else "unknown"
        case Kind.TRAIN | Kind.EVAL | Kind.MODE if event.subject is None:
            return "unknown"
        case Kind.TRAIN | Kind.EVAL | Kind.MODE:
            return "unknown" if holds(event.subject, model) or holds(model, event.subject) else state
        case Kind.ESCAPE:
            return "unknown" if holds(event.value, model) else state
        case Kind.HAVOC:
            return "unknown"
        case _:
            return state


def _fixes(analysis: Analysis, load: ast.Call, name: str) -> tuple[Fix, ...]:
    statement = support.statement_of(analysis, load)
    if statement is None or not isinstance(load.func, ast.Attribute) or not support.is_name(load.func.value):
        return ()
    edit = support.insert_after(analysis, statement, f"{name}.eval()")
    title = f"Put `{name}` into evaluation mode"
    return () if edit is None else (Fix(title, (edit,), safe=False),)
