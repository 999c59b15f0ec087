"""Automata that run along all paths of a tree of events: what rules about order are made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from torchlore.analysis.events import (
    JUMPS,
    Branch,
    Call,
    Event,
    Finally,
    Jump,
    Kind,
    Loop,
    Path,
    sounds,
)

State = TypeVar("State", bound=Hashable)


@dataclass(slots=True)
class _Exits:
    """The states in which a path can be left, by how it is left."""

    normal: set[object]
    jumps: dict[str, set[object]] = field(default_factory=dict)

    def jump(self, kind: str, states: set[object]) -> None:
        if states:
            self.jumps.setdefault(kind, set()).update(states)


def walk(
    path: Path, start: State, move: Callable[[Event, State], State], kinds: Collection[Kind] = tuple(Kind)
) -> dict[Event, set[State]]:
    """Runs an automaton along all paths.

    Args:
        path: where to run it.
        start: its state at the beginning.
        move: its state after an event, given the state before.
        kinds: the events that it looks at; most events of a file are of no interest to most automata.

    Returns:
        For every event of those kinds that can be reached, the states in which it can be.
    """
    heard = frozenset(kinds)
    automaton = _Automaton(move, heard, _bits(heard))  # type: ignore[arg-type]
    _walk(path, {start}, automaton)
    return automaton.seen  # type: ignore[return-value]


@cache
def _bits(kinds: frozenset[Kind]) -> int:
    return JUMPS | sum(kind.bit for kind in kinds)


@dataclass(slots=True)
class _Automaton:
    """An automaton on its way.

    Attributes:
        seen: the states in which each event was reached.
        done: how each path was left, by the states in which it was entered. The next iteration of a loop
            most often begins as the one before did, and need not be walked again, nor what lies in it.
        hears: the kinds, and jumps, as bits: a step without any of them changes nothing.
    """

    move: Callable[[Event, object], object]
    kinds: frozenset[Kind]
    hears: int
    seen: dict[Event, set[object]] = field(default_factory=dict)
    done: dict[tuple[int, frozenset[object]], _Exits] = field(default_factory=dict)


def _walk(path: Path, states: set[object], automaton: _Automaton) -> _Exits:
    """How `path` is left when it is entered in one of `states`. Nobody changes what this returns."""
    entered = id(path), frozenset(states)
    known = automaton.done.get(entered)
    if known is None:
        known = automaton.done[entered] = _walk_steps(path, states, automaton)
    return known


def _walk_steps(path: Path, states: set[object], automaton: _Automaton) -> _Exits:
    exits = _Exits(states)
    kinds, seen, move = automaton.kinds, automaton.seen, automaton.move
    for step in path:
        if isinstance(step, Event):
            if step.kind in kinds:
                seen.setdefault(step, set()).update(exits.normal)
                exits.normal = {move(step, state) for state in exits.normal}
        elif isinstance(step, Jump):
            exits.jump(step.kind, exits.normal)
            exits.normal = set()
            break
        elif sounds(step) & automaton.hears:
            exits.normal = _walk_step(step, exits, automaton)
            if not exits.normal:
                break
    return exits


def _walk_step(step: Branch | Loop | Call | Finally, exits: _Exits, automaton: _Automaton) -> set[object]:
    """The states after a step that has others in it; jumps out of it are added to `exits`."""
    match step:
        case Branch(arms=arms):
            after: set[object] = set()
            for arm in arms:
                if not arm:  # an `if` without `else`
                    after |= exits.normal
                    continue
                inner = _walk(arm, exits.normal, automaton)
                after |= inner.normal
                if inner.jumps:
                    _take_jumps(exits, inner, ())
            return after
        case Call(body=body):
            inner = _walk(body, exits.normal, automaton)
            if not inner.jumps:
                return inner.normal
            _take_jumps(exits, inner, ("return", "break", "continue"))
            return inner.normal | inner.jumps.get("return", set())
        case Loop(body=body):
            return _walk_loop(body, exits, automaton)
        case Finally(body=body, final=final):
            return _walk_finally(body, final, exits, automaton)


def _walk_finally(body: Path, final: Path, exits: _Exits, automaton: _Automaton) -> set[object]:
    """The states after `final`, which also runs on the way of every jump out of `body`."""
    inner = _walk(body, exits.normal, automaton)
    for kind, states in inner.jumps.items():
        left = _walk(final, states, automaton)
        exits.jump(kind, left.normal)
        _take_jumps(exits, left, ())
    after = _walk(final, inner.normal, automaton)
    _take_jumps(exits, after, ())
    return after.normal


def _walk_loop(body: Path, exits: _Exits, automaton: _Automaton) -> set[object]:
    """The states after no, one or two iterations."""
    out = set(exits.normal)
    states = set(exits.normal)
    for _ in range(2):
        inner = _walk(body, states, automaton)
        states = inner.normal
        if inner.jumps:
            states = states | inner.jumps.get("continue", set())
            out |= inner.jumps.get("break", set())
            _take_jumps(exits, inner, ("break", "continue"))
        out |= states
    return out


def _take_jumps(exits: _Exits, inner: _Exits, but: tuple[str, ...]) -> None:
    for kind, states in inner.jumps.items():
        if kind not in but:
            exits.jump(kind, states)
