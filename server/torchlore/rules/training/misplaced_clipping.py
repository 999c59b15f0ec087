"""TL104: gradients are clipped where there are none, or where they have been used already."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from torchlore.analysis import Analysis, parameters
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Event, Kind, Place, Root
from torchlore.analysis.queries import holds, reachable
from torchlore.analysis.values import Const, Grads, Instance, Tensor, Unknown, Value
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity


class MisplacedClipping(Rule):
    """
    ## What it does

    Looks for gradient clipping before `backward()`, when the gradients have just been cleared, and after
    `step()`, when they have been used already.

    ## Why is this bad?

    Clipping changes the gradients that are there at that moment: only between `backward()` and `step()` are
    there any that a step will use. Elsewhere nothing is clipped and nothing is reported: the exploding
    gradient that the line was written for goes straight into the weights.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    ```

    ## Fix safety

    Not safe: from now on gradients are clipped, so that results change. The fix is offered where the calls
    stand in one block, and no gradient scaler is in use: scaled gradients must be unscaled first.

    ## Known limits

    Silent where some path leads there with gradients that a step will use: those that are kept for the next
    iteration, or that another optimizer steps on later. Silent after `step()` where the norm is only measured
    (the result is used, and the bound is infinite or not known), and where code that cannot be seen may
    compute gradients.

    ## References

    - [torch.nn.utils.clip_grad_norm_](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html)
    - [torch.optim.Optimizer.step](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.step.html)
    """

    code = "TL104"
    name = "misplaced-clipping"
    family = Family.TRAINING
    severity = Severity.WARNING
    since = "0.1.0"
    card = "gradient-clipping"
    trigger = r"\b(?:clip_grad_norm_|clip_grad_value_|clip_grad_norm)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            if not root.of(Kind.CLIP) or not root.of(Kind.BACKWARD) or not root.of(Kind.CLEAR):
                continue
            for place in root.places_of(Kind.CLIP):
                clipped = parameters.owners(place.event.value) if place.event.value is not None else None
                if clipped is not None and analysis.owns(place.event.node):
                    yield from self._check(analysis, root, place, clipped)

    def _check(
        self, analysis: Analysis, root: Root, place: Place, clipped: frozenset[Value]
    ) -> Iterator[Finding]:
        automaton = _Automaton(clipped)
        start = _State("none" if root.certain else "unknown")
        states = walk(root.path, start, automaton.move, _KINDS).get(place.event, set())
        names = {state.name for state in states}
        call = place.event.node
        if not isinstance(call, ast.Call) or not support.is_seen_whole(analysis, place, call):
            return
        if names == {"none"}:
            after = _next(root, place.event, Kind.BACKWARD)
            if after is not None:
                yield self._report(analysis, root, call, after)
        elif names in ({"used"}, {"used", "none"}) and place.event not in automaton.useful:
            before = next((state.step for state in states if state.step is not None), None)
            if before is not None and _is_meant_to_clip(analysis, call):
                yield self._report(analysis, root, call, before)

    def _report(self, analysis: Analysis, root: Root, call: ast.Call, other: Event) -> Finding:
        name, where = support.written(analysis, call.func), support.on_line(analysis, other.node)
        if other.kind is Kind.STEP:
            message = f"`{name}` clips nothing that matters: `step` {where} has used the gradients already"
            note = "the gradients are used here"
        else:
            message = f"`{name}` clips nothing: there are no gradients until `backward` {where}"
            note = "the gradients are computed here"
        related = support.related(analysis, other.node, note) if isinstance(other.node, ast.expr) else ()
        fixes = () if root.of(Kind.SCALE) else _fixes(analysis, call, other)
        return self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


@dataclass(frozen=True, slots=True)
class _State:
    """What the clipped gradients are.

    Attributes:
        name: "none", "fresh", "used" by a step, or "unknown".
        step: what used them.
        clipped: what clipped them since.
    """

    name: str
    step: Event | None = None
    clipped: frozenset[Event] = frozenset()


_KINDS = (
    *(Kind.HAVOC, Kind.ESCAPE, Kind.WRITE_GRADS, Kind.ACCUMULATE, Kind.CLEAR),
    *(Kind.BACKWARD, Kind.STEP, Kind.CLIP),
)


@dataclass(slots=True)
class _Automaton:
    """Follows the gradients of some modules; notes which clippings came to have an effect after all."""

    modules: frozenset[Value]
    useful: set[Event] = field(default_factory=set)

    def move(self, event: Event, state: _State) -> _State:
        match event.kind:
            case Kind.BACKWARD:
                self.useful |= state.clipped
                return _State("fresh")
            case Kind.STEP if self._may_concern(event.subject):
                self.useful |= state.clipped
                is_used = state.name == "fresh" and self._covers(event.subject)
                return _State("used", event) if is_used else state
            case Kind.CLEAR if self._covers(event.subject):
                return _State("none")
            case Kind.CLEAR if self._may_concern(event.subject):
                return _State("unknown")
            case Kind.CLIP if state.name == "used":
                return _State("used", state.step, state.clipped | {event})
            case Kind.WRITE_GRADS:
                return _State("fresh")
            case Kind.ACCUMULATE if isinstance(event.subject, Grads):
                return _State("fresh")
            case Kind.HAVOC:
                return _State("unknown")
            case Kind.ESCAPE if event.value is not None and self._may_compute(event.value):
                return _State("unknown")
            case _:
                return state

    def _covers(self, subject: Value | None) -> bool:
        """Whether an optimizer, or a module, has all parameters of the modules."""
        owners = _owners(subject)
        return owners is not None and all(any(holds(o, m) for o in owners) for m in self.modules)

    def _may_concern(self, subject: Value | None) -> bool:
        owners = _owners(subject)
        if owners is None:
            return True
        return any(holds(o, m) or holds(m, o) for o in owners for m in self.modules)

    def _may_compute(self, value: Value) -> bool:
        """Whether code that has `value` may compute gradients of the modules, or clear them."""
        return any(
            part in self.modules
            or (isinstance(part, Tensor) and part.attached is not False and part.tokens)
            or (isinstance(part, Unknown) and part.tokens)
            or support.is_optimizer(part)
            for part in reachable(value)
        )


def _owners(subject: Value | None) -> frozenset[Value] | None:
    """The modules behind an optimizer, or the module itself; None where they are not known."""
    if isinstance(subject, Instance) and support.is_optimizer(subject):
        return support.owners(subject)
    return None if subject is None else frozenset({subject})


def _next(root: Root, clip: Event, kind: Kind) -> Event | None:
    """The next event of a kind as the text goes; the first one of all where none comes after."""
    events = root.events
    after = [event for event in events[events.index(clip) :] if event.kind is kind]
    return after[0] if after else next(iter(root.of(kind)), None)


def _is_meant_to_clip(analysis: Analysis, call: ast.Call) -> bool:
    """Whether nobody only measures the norm: the result is not used, or the bound is a finite number."""
    if isinstance(support.statement_of(analysis, call), ast.Expr) and _is_statement(analysis, call):
        return True
    bounds = [*call.args[1:2], *(k.value for k in call.keywords if k.arg in ("max_norm", "clip_value"))]
    values = [analysis.value(bound) for bound in bounds]
    return any(isinstance(v, Const) and isinstance(v.value, int | float) and v.value < 1e6 for v in values)


def _is_statement(analysis: Analysis, call: ast.Call) -> bool:
    statement = support.statement_of(analysis, call)
    return isinstance(statement, ast.Expr) and statement.value is call


def _fixes(analysis: Analysis, call: ast.Call, other: Event) -> tuple[Fix, ...]:
    """Moves the clipping between `backward` and `step`, where it stands in one block with what it missed."""
    clipping, missed = support.statement_of(analysis, call), support.statement_of(analysis, other.node)
    if clipping is None or missed is None or not _is_statement(analysis, call):
        return ()
    block = support.block_of(analysis, clipping)
    if missed not in block or not isinstance(missed, ast.Expr):
        return ()
    is_late = other.kind is Kind.STEP
    if (block.index(clipping) > block.index(missed)) is not is_late:
        return ()
    edits = (indentation.put_above if is_late else indentation.put_below)(analysis, clipping, missed)
    title = "Clip before `step`" if is_late else "Clip after `backward`"
    return (Fix(title, edits, safe=False),) if edits is not None else ()
