"""What happens in which order: events, and the paths that lead through them.

The interpreter writes one tree of events for every entry point of a file. Calls of functions of the file
stand in it with the callee's events, so that a loop split over functions is one loop here. Rules about
order are small automata (`automata.walk`) that run along all paths; a loop's body is taken twice, so that
"the next iteration" is a path like any other.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import chain

from torchlore.analysis.values import Value


class Kind(Enum):
    """What an event is. `subject` and `value` are those of `Event`."""

    FORWARD = auto()  # `subject`, a module, was called; `value` is what came out
    BACKWARD = auto()  # gradients were computed for `subject`; `value` is what was differentiated
    DIFFERENTIATE = auto()  # gradients of `value` were computed, but not accumulated (`autograd.grad`)
    CLEAR = auto()  # gradients of `subject` (optimizer, module, parameters) were cleared; None: of anything
    WRITE_GRADS = auto()  # gradients of `subject` were assigned by hand
    STEP = auto()  # `subject`, an optimizer, updated its parameters
    CLIP = auto()  # the gradients of `value`, parameters, were clipped
    SCHEDULE = auto()  # `subject`, a scheduler, was stepped
    SCALE = auto()  # `value` was multiplied by the scale of `subject`, a gradient scaler
    UNSCALE = auto()  # the gradients of `value`, an optimizer, were divided by the scale of `subject`
    UPDATE = auto()  # `subject`, a gradient scaler, chose its next scale
    TRAIN = auto()  # `subject`, a module, was put in training mode
    EVAL = auto()  # `subject`, a module, was put in evaluation mode
    MODE = auto()  # the mode of `subject` was set to something unknown
    FREEZE = auto()  # parameters of `subject` stopped (or started, if `value` is true) to require gradients
    ACCUMULATE = auto()  # `value` was added to the place `key`
    RESET = auto()  # the place `key` was bound or emptied, or the object `key` was made
    LOSS = auto()  # the loss named by `key` was computed from `value`
    STATE = auto()  # `value` is the `state_dict()` of `subject`, a module: it changes when that does
    LOAD_STATE = auto()  # `value` was loaded into `subject`, a module
    SAVE = auto()  # `value` was written to a file
    SUPER_INIT = auto()  # the constructor of torch's own base class ran on `subject`; None: of anything
    REGISTER = auto()  # a module, parameter or buffer (`value`) was set on `subject`
    ESCAPE = auto()  # code that we cannot see got hold of `value`
    YIELD = auto()  # the generator whose function is `key` waits; whoever iterates over it goes on
    RETURN = auto()  # an entry point handed `value` to a caller that we cannot see
    CHANGE = auto()  # `subject`, a leaf that requires gradients, was changed in place
    CLASH = auto()  # the shape of `value` does not fit to `subject`, or to another one: `key` tells how
    HAVOC = auto()  # anything may have happened

    def __init__(self, number: int) -> None:
        self.bit = 1 << number

    __hash__ = object.__hash__  # there is one of each; that of `Enum` is a function of Python, and slow


@dataclass(eq=False, repr=False, slots=True)  # not `frozen`, by which each would cost three times as much
class Event:
    """One thing that happens.

    Attributes:
        node: where.
        grad: whether grad mode is on; None where it is not known.
        keeps_graph: a backward that frees nothing (`retain_graph=True`).
    """

    kind: Kind
    node: ast.AST
    subject: Value | None = None
    value: Value | None = None
    key: object = None
    grad: bool | None = None
    keeps_graph: bool = False


@dataclass(eq=False, repr=False, slots=True)
class Branch:
    """One of several arms runs."""

    node: ast.AST
    arms: tuple[Path, ...]
    _sounds: int = -1


@dataclass(eq=False, repr=False, slots=True)
class Loop:
    """The body runs any number of times."""

    node: ast.AST
    body: Path
    _sounds: int = -1


@dataclass(eq=False, repr=False, slots=True)
class Call:
    """A function of the file runs. `forward` is the module whose `forward` it is."""

    node: ast.AST
    callee: ast.AST
    body: Path
    forward: Value | None = None
    _sounds: int = -1


@dataclass(eq=False, repr=False, slots=True)
class Finally:
    """The body runs, then `final`, however the body is left. Stands only where a jump leaves the body."""

    node: ast.AST
    body: Path
    final: Path
    _sounds: int = -1


@dataclass(eq=False, repr=False, slots=True)
class Jump:
    """Control leaves: "break", "continue", "return" or "raise"."""

    kind: str


Step = Event | Branch | Loop | Call | Finally | Jump
Path = list[Step]


@dataclass(frozen=True, eq=False)
class Root:
    """One entry point of a file: the module itself, or a function that nothing in the file calls.

    Attributes:
        node: the module, function or method.
        path: what happens from there.
        certain: we see every caller, so that grad mode is what it seems (true of the module only).
    """

    node: ast.AST
    path: Path
    certain: bool

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every event below this entry point with what it lies in, in the order of the text."""
        return tuple(places(self.path))

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Every event below this entry point, in the order of the text."""
        return tuple(events(self.path))

    def of(self, kind: Kind) -> tuple[Event, ...]:
        """The events of one kind, in the order of the text. Cheap, also where there are none."""
        return self._by_kind.get(kind, ())

    def places_of(self, kind: Kind) -> tuple[Place, ...]:
        """The same with what they lie in."""
        known = self._places_by_kind.get(kind)
        if known is None:
            found = self._places_by_kind[kind] = tuple(places(self.path, kind) if self.of(kind) else ())
            return found
        return known

    @cached_property
    def _by_kind(self) -> dict[Kind, tuple[Event, ...]]:
        found: dict[Kind, list[Event]] = {}
        for event in self.events:
            found.setdefault(event.kind, []).append(event)
        return {kind: tuple(them) for kind, them in found.items()}

    @cached_property
    def _places_by_kind(self) -> dict[Kind, tuple[Place, ...]]:
        return {}


@dataclass(eq=False, repr=False, slots=True)
class Place:
    """An event and the steps that it lies in, outermost first."""

    event: Event
    within: tuple[Loop | Call | Branch, ...] = ()

    @property
    def loops(self) -> tuple[Loop, ...]:
        return tuple(step for step in self.within if isinstance(step, Loop))

    @property
    def in_forward(self) -> bool:
        return any(isinstance(step, Call) and step.forward is not None for step in self.within)


def places(path: Path, kind: Kind | None = None) -> list[Place]:
    """Every event below `path` (those of one kind), in the order of the text."""
    found: list[Place] = []
    _add_places(path, (), kind, found)
    return found


def _add_places(
    path: Path, within: tuple[Loop | Call | Branch, ...], kind: Kind | None, found: list[Place]
) -> None:
    """A list that is handed down, not generators in one another: each would touch every event again."""
    for step in path:
        if isinstance(step, Event):
            if kind is None or step.kind is kind:
                found.append(Place(step, within))
            continue
        if isinstance(step, Jump) or (kind is not None and not sounds(step) & kind.bit):
            continue
        match step:
            case Branch(arms=arms):
                for arm in arms:
                    _add_places(arm, (*within, step), kind, found)
            case Loop(body=body) | Call(body=body):
                _add_places(body, (*within, step), kind, found)
            case Finally(body=body, final=final):
                _add_places(body, within, kind, found)
                _add_places(final, within, kind, found)


def has_jump(path: Path, kinds: frozenset[str] = frozenset({"break", "continue", "return", "raise"})) -> bool:
    """Whether a jump of these kinds may lead out of `path`."""
    for step in path:
        match step:
            case Jump(kind=kind):
                found = kind in kinds
            case Branch(arms=arms):
                found = any(has_jump(arm, kinds) for arm in arms)
            case Loop(body=body):
                found = has_jump(body, kinds - {"break", "continue"})
            case Call(body=body):
                found = has_jump(body, kinds & {"raise"})
            case Finally(body=body, final=final):
                found = has_jump(body, kinds) or has_jump(final, kinds)
            case Event():
                found = False
        if found:
            return True
    return False


def events(path: Path) -> list[Event]:
    """Every event below `path`, in the order of the text."""
    found: list[Event] = []
    _add_events(path, found)
    return found


def _add_events(path: Path, found: list[Event]) -> None:
    """By the classes themselves: this touches every event of a file, and a `match` asks for each in turn."""
    for step in path:
        cls = step.__class__
        if cls is Event:
            found.append(step)  # type: ignore[arg-type]
        elif cls is Branch:
            for arm in step.arms:  # type: ignore[union-attr]
                _add_events(arm, found)
        elif cls is not Jump:
            _add_events(step.body, found)  # type: ignore[union-attr]
            if cls is Finally:
                _add_events(step.final, found)  # type: ignore[union-attr]


def happens(path: Path, *kinds: Kind) -> bool:
    """Whether an event of one of these kinds is below `path`, which is written to its end."""
    bits = sum(kind.bit for kind in kinds)
    for step in path:
        if isinstance(step, Event):
            if step.kind in kinds:
                return True
        elif not isinstance(step, Jump) and sounds(step) & bits:
            return True
    return False


JUMPS = 1  # the bit of jumps; that of a kind of events is two to the power of its value


def sounds(step: Branch | Loop | Call | Finally) -> int:
    """The kinds of events below a step, and whether jumps are, as bits. Found out once all is written."""
    known = step._sounds
    if known < 0:
        known = 0
        match step:
            case Branch(arms=arms):
                paths: tuple[Path, ...] = arms
            case Finally(body=body, final=final):
                paths = body, final
            case Loop(body=body) | Call(body=body):
                paths = (body,)
        for inner in chain.from_iterable(paths):
            if isinstance(inner, Event):
                known |= inner.kind.bit
            else:
                known |= JUMPS if isinstance(inner, Jump) else sounds(inner)
        step._sounds = known
    return known
