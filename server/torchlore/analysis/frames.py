"""Scopes at analysis time: which names are bound to which values, and where a name is looked up."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field

from torchlore.analysis.values import Ref, Unknown, Value, join

_BUILTINS = frozenset(dir(builtins))


@dataclass(eq=False, slots=True)
class Frame:
    """One activation of a module, class body or function.

    Attributes:
        node: the module, class or function.
        parent: where names are looked up that are not bound here (never a class body).
        names: what is bound here so far.
        foreign: names declared `global` or `nonlocal`, and the frame that holds them.
        returns: what `return` statements gave so far.
        yields: whether a `yield` was met, so that this is a generator.
        blurred: names that code we do not follow may have bound (star imports): all unknown names are.
    """

    node: ast.AST
    parent: Frame | None = None
    names: dict[str, Value] = field(default_factory=dict)
    foreign: dict[str, Frame] = field(default_factory=dict)
    returns: list[Value] = field(default_factory=list)
    blurred: bool = False
    yields: bool = False

    def lookup(self, name: str) -> Value:
        """What `name` means here; unknown where nothing says."""
        return self.find(name) or Unknown()

    def find(self, name: str) -> Value | None:
        """What `name` means here; None where nothing in the file binds it."""
        frame: Frame | None = self
        while frame is not None:
            home = frame.foreign.get(name, frame)
            if name in home.names:
                return home.names[name]
            if home.blurred:
                return Unknown()
            frame = frame.parent
        if name == "__name__":
            return Ref("builtins.__name__")
        return Ref(f"builtins.{name}") if name in _BUILTINS else None

    def bind(self, name: str, value: Value) -> None:
        self.foreign.get(name, self).names[name] = value

    @property
    def outermost(self) -> Frame:
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame


def join_names(branches: list[dict[str, Value]]) -> dict[str, Value]:
    """What each name is after one of several branches ran."""
    if len(branches) == 1:
        return branches[0]
    merged: dict[str, Value] = {}
    for branch in branches:
        for name, value in branch.items():
            known = merged.get(name)
            if known is None:
                merged[name] = value
            elif known is not value:
                merged[name] = join([known, value])
    return merged
