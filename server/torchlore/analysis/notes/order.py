"""The order of what happens in a loop: clearing, forward, loss, backward, clipping, steps, modes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from torchlore.analysis import members, parameters
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Branch, Call, Event, Kind, Loop, Path, Place, places
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import Instance, Ref, Tensor, Value

ORDERED = words("zero_grad backward step scale unscale_ update eval train clip_grad_norm_ clip_grad_value_")
"""Names of what a training loop does; a hover on one of these tells the order."""

_MOST, _LAST = 14, 5
"""So many steps are shown; of more than that the last ones, and the first."""
_CHOICES = (ast.If, ast.IfExp, ast.Match, ast.Try, ast.BoolOp)
_LAST_OF_ALL = (10**9, 0)
"""Sorts behind every place in a text."""
_At = tuple[tuple[int, int], ...]
_TRAINING = frozenset({Kind.CLEAR, Kind.BACKWARD, Kind.STEP, Kind.TRAIN, Kind.EVAL})
_OWN = {"Scheduler": ("step",), "GradScaler": ("scale", "unscale_", "update")}
"""Methods that no event tells of, by the kind of what they are called on."""

_CLIPS = ("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_value_")


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that happens in a loop.

    Attributes:
        at: where the calls that lead there end, and it itself: inner calls come before those around them.
        node: the call.
        word: how it is named.
        kind: of its event; None where it has none.
        is_sure: whether every iteration does it.
        inner: the line of the loop in this loop that it happens in; 0 where that is none.
    """

    at: _At
    node: ast.expr
    word: str
    kind: Kind | None
    is_sure: bool
    inner: int


def order(run: Run, call: ast.Call, is_whole: bool) -> list[str]:
    """Lines of Markdown about the loop around a call; none where it is in none, or alone there.

    Args:
        run: the interpretation of the file.
        call: of a method that training is made of, or of a function that clips.
        is_whole: whether nothing of the file was left out; else nothing is said to be missing.
    """
    found = _around(run, call)
    if found is None:
        return []
    loop, within = found
    steps = _steps(run, loop)
    if not any(step.node is call for step in steps) or len(_called(steps)) < 2:
        return []
    lines = [f"In this loop{_where(loop, within)}: {_sequence(_distinct(steps))}."]
    lacking = _lacking(loop) if is_whole else ""
    return [*lines, f"Nothing in this loop {lacking}."] if lacking else lines


def _called(steps: list[_Step]) -> set[str]:
    """The different things that happen, the forward pass and the loss left aside."""
    return {step.word for step in steps if step.word not in ("forward", "loss")}


def _around(run: Run, call: ast.Call) -> tuple[Loop, Place] | None:
    """The innermost loop around a call that does some of the training, and where the call is in it."""
    for root in run.roots:
        for place in root.places:
            if place.event.node is call and place.loops:
                return _training(place), place
    return _around_silent(run, call)


def _training(place: Place) -> Loop:
    """The innermost loop around an event in which an optimizer steps; else the innermost."""
    loops = [loop for loop in reversed(place.loops) if _has(loop.body, Kind.STEP)]
    return loops[0] if loops else place.loops[-1]


def _around_silent(run: Run, call: ast.Call) -> tuple[Loop, Place] | None:
    """The same for a call that no event tells of: the innermost loop of the text that it stands in."""
    best: tuple[Loop, Place] | None = None
    for root in run.roots:
        for place in root.places:
            for step in place.within:
                is_around = isinstance(step, Loop) and _holds(step.node, call)
                if is_around and (best is None or _holds(best[0].node, step.node)):
                    best = step, place  # type: ignore[assignment]
    return best


def _has(path: Path, kind: Kind) -> bool:
    return any(place.event.kind is kind for place in places(path))


def _holds(node: ast.AST, inner: ast.AST) -> bool:
    """Whether the text of `node` holds that of `inner`."""
    return node is not inner and _position(node) <= _position(inner) <= _end(node)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)


def _position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _where(loop: Loop, place: Place) -> str:
    """The line of a loop that is in another function than what happens in it."""
    inside = place.within[place.within.index(loop) :] if loop in place.within else ()
    is_elsewhere = any(isinstance(s, Call) and not _holds(loop.node, s.callee) for s in inside)
    return f" (line {getattr(loop.node, 'lineno', 0)})" if is_elsewhere else ""


def _steps(run: Run, loop: Loop) -> list[_Step]:
    """What happens in the loop, in the order of the text; each call of a function where it is called."""
    found: list[_Step] = []
    losses = [place.event.value for place in places(loop.body) if place.event.kind is Kind.BACKWARD]
    bodies: dict[ast.AST, tuple[_At, bool, int]] = {loop.node: ((), True, 0)}
    for place in places(loop.body):
        calls = [step for step in place.within if isinstance(step, Call)]
        at = tuple(_end(step.node) for step in calls)
        sure = not any(isinstance(step, Branch) and _is_choice(step) for step in place.within)
        inner = next((_position(step.node)[0] for step in place.within if isinstance(step, Loop)), 0)
        for depth, step in enumerate(calls):
            bodies.setdefault(step.callee, (at[: depth + 1], sure, inner))
        word = _word(run, place)
        if word and isinstance(place.event.node, ast.expr):
            found.append(
                _Step((*at, _end(place.event.node)), place.event.node, word, place.event.kind, sure, inner)
            )
    for body, (at, sure, inner) in bodies.items():
        for node, is_sure, line in _calls_in(body):
            word = _silent_word(run, node, losses)
            if word:
                found.append(_Step((*at, _end(node)), node, word, None, sure and is_sure, inner or line))
    return sorted(found, key=lambda step: (*step.at, _LAST_OF_ALL))  # what a call does comes before its end


def _is_choice(branch: Branch) -> bool:
    return isinstance(branch.node, _CHOICES)


def _word(run: Run, place: Place) -> str:
    event = place.event
    if event.kind in _TRAINING and isinstance(event.node, ast.Call):
        func = event.node.func
        if not isinstance(func, ast.Attribute):
            return ""
        return _qualified(func) if _kind_of_owner(run, func) in _OWN else func.attr
    if event.kind is Kind.FORWARD and not place.in_forward and isinstance(event.subject, Instance):
        if event.node is event.subject.node:  # a layer of a Sequential: its own call is nowhere in the text
            return ""
        return {"Module": "forward", "Loss": "loss"}.get(members.kind_of(event.subject), "")
    return ""


def _kind_of_owner(run: Run, func: ast.Attribute) -> str:
    """The kind of what a method is called on; empty where it is not known."""
    owner = run.owners.get(func)
    kinds = {members.kind_of(option) for option in options(owner)} if owner is not None else set()
    return kinds.pop() if len(kinds) == 1 else ""


def _qualified(func: ast.Attribute) -> str:
    """`scaler.step`, where the word alone would be taken for an optimizer's."""
    owner = func.value.id if isinstance(func.value, ast.Name) else getattr(func.value, "attr", "")
    return f"{owner}.{func.attr}" if owner else func.attr


def _calls_in(body: ast.AST) -> Iterator[tuple[ast.Call, bool, int]]:
    """The calls in a loop or a function, whether each is made whenever that runs, and in which inner loop."""
    statements = getattr(body, "body", [])
    stack: list[tuple[ast.AST, bool, int]] = [
        (node, True, 0) for node in (statements if isinstance(statements, list) else [statements])
    ]
    while stack:
        node, sure, inner = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node, sure, inner
        is_loop = isinstance(node, ast.For | ast.AsyncFor | ast.While)
        sure = sure and not isinstance(node, _CHOICES)
        inner = inner or (_position(node)[0] if is_loop else 0)
        stack += [(child, sure, inner) for child in ast.iter_child_nodes(node)]


def _silent_word(run: Run, node: ast.Call, losses: list[Value | None]) -> str:
    func = node.func
    if isinstance(func, ast.Attribute) and func.attr in _OWN.get(_kind_of_owner(run, func), ()):
        return _qualified(func)
    called = run.values.get(func)
    if isinstance(called, Ref) and called.name in _CLIPS:
        return called.name.rpartition(".")[2]
    made = run.values.get(node)
    is_loss = isinstance(made, Tensor) and any(made is loss for loss in losses)
    return "loss" if is_loss and isinstance(called, Ref) else ""


def _distinct(steps: list[_Step]) -> list[_Step]:
    """Each place once, and of layers that are called one after the other the first."""
    found: dict[tuple[str, int], _Step] = {}
    for step in steps:
        found.setdefault((step.word, step.node.lineno), step)
    shown: list[_Step] = []
    for step in found.values():
        if not (shown and step.word == shown[-1].word == "forward"):
            shown.append(step)
    return shown


def _sequence(steps: list[_Step]) -> str:
    """The steps with arrows between them; those of an inner loop in brackets."""
    names = _names(steps)
    texts = [(step.inner, f"{names[step]} (line {step.node.lineno}{_doubt(step)})") for step in steps]
    if len(texts) > _MOST:
        texts[_MOST - _LAST : -_LAST] = [(texts[-_LAST][0], "…")]
    groups = [(line, [text for _, text in group]) for line, group in groupby(texts, key=lambda t: t[0])]
    joined = [(line, " → ".join(group)) for line, group in groups]
    return " → ".join(f"loop on line {line} [{text}]" if line else text for line, text in joined)


def _names(steps: list[_Step]) -> dict[_Step, str]:
    """How each step is named: with what it is called on, where several things are."""
    owners: dict[str, set[str]] = {}
    for step in steps:
        owners.setdefault(step.word, set()).add(_full(step))
    names: dict[_Step, str] = {}
    for step in steps:
        word = _full(step) if len(owners[step.word]) > 1 and step.kind in _TRAINING else step.word
        names[step] = word if word in ("forward", "loss") else f"`{word}`"
    return names


def _full(step: _Step) -> str:
    func = step.node.func if isinstance(step.node, ast.Call) else None
    return _qualified(func) if isinstance(func, ast.Attribute) else step.word


def _doubt(step: _Step) -> str:
    return "" if step.is_sure else ", not always"


def _lacking(loop: Loop) -> str:
    """What the loop surely lacks; empty where nothing, or where that is not certain."""
    events = [place.event for place in places(loop.body)]
    has = {event.kind for event in events}
    if has & {Kind.HAVOC, Kind.ESCAPE, Kind.WRITE_GRADS, Kind.DIFFERENTIATE} or Kind.STEP not in has:
        return ""
    if Kind.BACKWARD not in has:
        return "calls `backward`"
    if Kind.CLEAR not in has and any(_repeats(loop, e) for e in events if e.kind is Kind.BACKWARD):
        return "clears the gradients: each `backward` adds to those of the rounds before"
    if not has & {Kind.TRAIN, Kind.MODE} and _evaluates_what_is_trained(events):
        return "puts the model back in training mode after `eval`"
    return ""


def _repeats(loop: Loop, event: Event) -> bool:
    """Whether `event` can happen in more than one iteration: a `break` may follow the first."""
    states = walk([loop], False, lambda other, happened: happened or other is event, (event.kind,))
    return True in states.get(event, ())


def _evaluates_what_is_trained(events: list[Event]) -> bool:
    trained: set[Value] = set()
    for event in events:
        if event.kind is Kind.STEP and isinstance(event.subject, Instance) and event.subject.arguments:
            given = event.subject.arguments.get(0, "params")
            trained |= (parameters.owners(given) if given is not None else None) or set()
    return any(event.kind is Kind.EVAL and event.subject in trained for event in events)
