"""TL111: a new optimizer is made for every step."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Branch, Kind, Loop, Place, Root, events, places
from torchlore.analysis.members import class_name
from torchlore.analysis.values import Const, Instance, Tensor, Value
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Source
from torchlore.text.nodes import nodes_in


class OptimizerInBatchLoop(Rule):
    """
    ## What it does

    Looks for optimizers that are made in the loop in which they step, so that each of them steps once.

    ## Why is this bad?

    What an optimizer knows of the steps before (momentum, Adam's averages, the count of its steps) is lost
    with it. Adam's first step moves every parameter by the learning rate, however small its gradient: made
    anew for every batch, it does nothing but first steps.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    for x in torch.randn(10, 8, 4):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
    ```

    ## Fix safety

    Not safe: the steps are other ones from then on. It is offered where the line stands by itself and uses
    nothing that the loop changes.

    ## Known limits

    Silent where the model, or its state, is new in every iteration as well (trials, folds, clients), where
    the optimizer is made under a condition or of what the loop runs over, and for optimizers that remember
    nothing (SGD without momentum) or do much in one step (LBFGS).

    ## References

    - [torch.optim: constructing it](https://docs.pytorch.org/docs/stable/optim.html#constructing-it)
    - [torch.optim.Adam](https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html)
    """

    code = "TL111"
    name = "optimizer-in-batch-loop"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "optimizers"
    trigger = r"\boptim\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return ".step(" in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        reported: set[ast.AST] = set()
        for root in analysis.roots:
            for step in root.places_of(Kind.STEP) if root.of(Kind.BACKWARD) else ():
                made = step.event.subject
                if not step.loops or not isinstance(made, Instance) or made.node in reported:
                    continue
                loop = step.loops[-1]
                place = _made_in(loop, made) if support.is_optimizer(made) else None
                if place is not None and _steps_once(analysis, root, loop, made):
                    reported.add(made.node)
                    yield from self._report(analysis, place, loop)

    def _report(self, analysis: Analysis, place: Place, loop: Loop) -> Iterator[Finding]:
        call = place.event.node
        if not isinstance(call, ast.Call) or not analysis.owns(call) or not analysis.owns(loop.node):
            return
        if not analysis.is_whole(loop.node) or not support.is_seen_whole(analysis, place, call):
            return
        message = (
            f"`{support.written(analysis, call.func)}` is made anew in every iteration and steps once: "
            "what it would remember of earlier steps is lost"
        )
        related = (Related(support.code_of_line(analysis, loop.node), "in this loop"),)
        fixes = _fixes(analysis, call, loop.node)
        yield self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


def _made_in(loop: Loop, optimizer: Instance) -> Place | None:
    """Where every iteration of a loop makes the optimizer; None where not each does, or an inner loop."""
    if not any(event.kind is Kind.RESET and event.key is optimizer for event in events(loop.body)):
        return None
    place = next(place for place in places(loop.body, Kind.RESET) if place.event.key is optimizer)
    return None if any(isinstance(step, Branch | Loop) for step in place.within) else place


def _steps_once(analysis: Analysis, root: Root, loop: Loop, optimizer: Instance) -> bool:
    """Whether an optimizer that could remember something is made for one step of a model that stays."""
    if not isinstance(loop.node, ast.For | ast.While):
        return False
    steps = [p for p in root.places_of(Kind.STEP) if p.event.subject is optimizer]
    if not steps or any(p.loops[-1:] != (loop,) for p in steps) or len(steps) > 1:
        return False
    inside = events(loop.body)
    if not any(event.kind is Kind.BACKWARD for event in inside):
        return False
    if any(support.holds_on_to(event, optimizer) for event in inside):
        return False
    owners = support.owners(optimizer)
    if owners is None or any(_is_new(analysis, owner, loop) for owner in owners):
        return False
    return _remembers(optimizer) and not _is_a_trial(analysis, optimizer.node, loop.node)


def _is_new(analysis: Analysis, owner: Value, loop: Loop) -> bool:
    """Whether a model is, or may be, another one in every iteration."""
    if not isinstance(owner, Instance):
        return True
    if any(place.event.kind is Kind.RESET and place.event.key is owner for place in places(loop.body)):
        return True
    return loop.node in (analysis.around(owner.node) or ())


def _remembers(optimizer: Instance) -> bool:
    """Whether its steps depend on earlier ones."""
    name = class_name(optimizer)
    if name == "torch.optim.SGD":
        momentum = optimizer.arguments.get(2, "momentum") if optimizer.arguments is not None else None
        return momentum is not None and not (isinstance(momentum, Const) and not momentum.value)
    return name.startswith("torch.optim.") and name not in ("torch.optim.LBFGS", "torch.optim.Optimizer")


def _is_a_trial(analysis: Analysis, made: ast.AST, loop: ast.For | ast.While) -> bool:
    """Whether each iteration seems to begin afresh: with other arguments, or from the same state."""
    if isinstance(loop, ast.For):
        if isinstance(loop.iter, ast.List | ast.Tuple | ast.Set | ast.Dict):
            return True
        targets = {node.id for node in nodes_in(loop.target) if isinstance(node, ast.Name)}
        if any(isinstance(node, ast.Name) and node.id in targets for node in nodes_in(made)):
            return True
    called = (node.func for node in nodes_in(loop) if isinstance(node, ast.Call))
    return any(_begins_afresh(analysis, func) for func in called)


def _begins_afresh(analysis: Analysis, func: ast.expr) -> bool:
    """Whether a call may put a state back: by its name, but for tensors that are no parameters."""
    if not isinstance(func, ast.Attribute):
        name = getattr(func, "id", "")
    elif func.attr in ("copy_", "fill_") and isinstance(func.value, ast.Name):
        value = analysis.value(func.value)
        return not (isinstance(value, Tensor) and value.certain and not value.leaf)
    else:
        name = func.attr
    return name in _BEGIN_AFRESH or name.startswith(("reset", "init"))


_BEGIN_AFRESH = frozenset({"load_state_dict", "deepcopy", "apply", "copy_", "fill_", "subTest"})
"""Names of what puts a state back: where one is called, we keep silent."""


def _fixes(analysis: Analysis, call: ast.Call, loop: ast.AST) -> tuple[Fix, ...]:
    """Moves the line above the loop."""
    statement = support.statement_of(analysis, call)
    if not isinstance(statement, ast.Assign) or statement.value is not call or not isinstance(loop, ast.stmt):
        return ()
    if support.block_of(analysis, statement) is not getattr(loop, "body", None):
        return ()
    stored = {n.id for n in nodes_in(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    used = {n.id for n in nodes_in(call) if isinstance(n, ast.Name)}
    edits = indentation.put_above(analysis, statement, loop) if not used & stored else None
    return (Fix("Make the optimizer once, before the loop", edits, safe=False),) if edits is not None else ()
