"""What is kept of a call that was followed: what it was called with, what it gave and did."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from torchlore.analysis.events import Path
from torchlore.analysis.values import Function, Value


@dataclass(eq=False, slots=True)  # as of `Event`, there are many, and nobody changes one
class Circumstances:
    """All that decides what a call does.

    Attributes:
        function: what is called, with what it is bound to and where it is defined.
        given: its arguments.
        names: of the keyword arguments, in order.
        grad: whether grad mode is on.
        changes: how often anything that a function may read was changed before the call (`Run.changes`).
        bindings: how often a name was bound anew around the function.
        place: the call and the context in which it stands.
        depth: how many functions were being followed.
    """

    function: Function
    given: tuple[Value, ...]
    names: tuple[str, ...]
    grad: bool | None
    changes: int
    bindings: int
    place: tuple[ast.AST, int]
    depth: int


@dataclass(eq=False, slots=True)
class Summary:
    """What a function gave when it was followed last, and what happened.

    Attributes:
        before: what it was called with; None for an entry point.
        grad: whether grad mode was on afterwards.
        makes: whether it makes objects, so that calls from two places make two.
        decides: whether it chose its way by what it was not given: by an attribute, or a name around it.
        effects: what it did, in short, once that was asked for.
        traces: the objects that it did something to, once that was asked for.
    """

    result: Value
    path: Path
    before: Circumstances | None
    grad: bool | None
    makes: bool
    decides: bool
    effects: Effects | None = None
    traces: Traces | None = None


@dataclass(eq=False, slots=True)
class Effects:
    """What a call did, for one that is like it and not followed.

    Attributes:
        matters: whether something happened that a rule about order has to know of.
        escaped: what code that we cannot see got hold of, where nothing more happened.
        makes_base: whether the constructor of torch's own base class ran.
        runs: whether a module ran.
    """

    matters: bool
    escaped: tuple[Value, ...]
    makes_base: bool
    runs: bool

    @property
    def are_felt(self) -> bool:
        """Whether anything may be otherwise after the call."""
        return self.matters or bool(self.escaped)


@dataclass(eq=False, slots=True)
class Traces:
    """The objects that a call had to do with, by their identities.

    Attributes:
        touched: what it set the mode of, stepped, cleared, froze, loaded.
        called: the modules that ran.
        made: what was made in it.
        escaped: what code that cannot be seen got hold of.
    """

    touched: frozenset[int]
    called: frozenset[int]
    made: frozenset[int]
    escaped: frozenset[int]
