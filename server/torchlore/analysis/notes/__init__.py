"""What a symbol does in the code at hand: the lines under "In your code" of a hover."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import lookup, members
from torchlore.analysis.events import Event, Kind, Loop, places
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import Instance, LocalClass, Params, Value
from torchlore.text import Source

_TRAINING = {Kind.CLEAR: "cleared", Kind.BACKWARD: "backward", Kind.STEP: "step"}
_ORDER_OF = {"zero_grad", "backward", "step"}


def notes(source: Source, run: Run, node: lookup.Identifier) -> tuple[str, ...]:
    """Lines of Markdown about `node`; none where nothing certain can be said."""
    if isinstance(node, lookup.Imported):
        return ()
    owner = run.owners.get(node) if isinstance(node, ast.Attribute) else run.values.get(node)
    lines: list[str] = []
    if owner is not None:
        written = _written(source, node)
        lines += [line for option in options(owner) for line in _about(source, run, written, option)]
    if isinstance(node, ast.Attribute) and node.attr in _ORDER_OF:
        lines += _loop_order(run, node)
    return tuple(dict.fromkeys(lines))


def _written(source: Source, node: ast.Attribute | ast.Name) -> str:
    return source.segment(source.span(node.value if isinstance(node, ast.Attribute) else node))


def _about(source: Source, run: Run, written: str, value: Value) -> Iterator[str]:
    """What the object is, where it was made and over what."""
    if not isinstance(value, Instance) or len(written) > 40 or "\n" in written:
        return
    kind = members.kind_of(value)
    if kind == "Unknown":
        return
    name = value.cls.node.name if isinstance(value.cls, LocalClass) else value.cls
    line = getattr(value.node, "lineno", None)
    made = f", made on line {line}" if isinstance(value.node, ast.Call) and line else ""
    over = _over(run, value) if kind == "Optimizer" else ""
    yield f"`{written}` is a `{name}`{over}{made}."


def _over(run: Run, optimizer: Instance) -> str:
    given = optimizer.arguments.get(0, "params") if optimizer.arguments is not None else None
    if not isinstance(given, Params) or not given.owners:
        return ""
    names = [name for owner in given.owners for name in _names_of(run, owner)]
    return f" over the parameters of {', '.join(f'`{n}`' for n in sorted(set(names)))}" if names else ""


def _names_of(run: Run, value: Value) -> list[str]:
    """A variable that holds `value`, other than its own `self`; its class where there is none."""
    for frame in run.frames.values():
        own = isinstance(value, Instance) and frame.names.get("self") is value
        held = [
            name for name, bound in frame.names.items() if bound is value and not (own and name == "self")
        ]
        if held:
            return held[:1]
    if isinstance(value, Instance):
        return [value.cls.node.name if isinstance(value.cls, LocalClass) else value.cls]
    return []


def _loop_order(run: Run, node: ast.Attribute) -> list[str]:
    """The order of clearing, backward and step in the innermost loop that does the training around `node`."""
    for root in run.roots:
        for place in (place for kind in _TRAINING for place in root.places_of(kind)):
            if _is_call_of(place.event, node) and place.loops:
                steps = _training_steps(place.loops[-1])
                if len(steps) > 1:
                    return ["In this loop: " + " → ".join(steps) + "."]
    return []


def _is_call_of(event: Event, node: ast.Attribute) -> bool:
    return isinstance(event.node, ast.Call) and event.node.func is node


def _training_steps(loop: Loop) -> list[str]:
    steps: dict[str, None] = {}
    for place in places(loop.body):
        event = place.event
        if event.kind not in _TRAINING or not isinstance(event.node, ast.Call):
            continue
        called = event.node.func
        word = called.attr if isinstance(called, ast.Attribute) else _TRAINING[event.kind]
        steps.setdefault(f"`{word}` (line {event.node.lineno})")
    return list(steps)
