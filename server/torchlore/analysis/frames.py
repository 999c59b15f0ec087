"""Scopes at analysis time: which names are bound to which values, and where a name is looked up."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Protocol

from torchlore.analysis.names import local_names
from torchlore.analysis.queries import join
from torchlore.analysis.values import Const, Lazy, Number, Ref, Tensor, Unknown, Value

_BUILTINS = {name: Ref(f"builtins.{name}") for name in dir(builtins)}

_ALIKE = (Tensor, Number)
"""Of these one is as good as another for a function that reads them where it is defined."""


class Loader(Protocol):
    """Gives the names of a file that is imported, one by one."""

    @property
    def path(self) -> str: ...

    def load(self, name: str) -> Value | None:
        """What `name` means at the end of the file; None where it does not bind it."""
        ...

    def offers(self, name: str) -> bool:
        """Whether a star import takes `name`, if it is bound."""
        ...

    def binds(self, name: str) -> bool:
        """Whether the file itself binds `name`, other than by a star import."""
        ...


@dataclass(eq=False, repr=False, slots=True)
class Frame:
    """One activation of a module, class body or function.

    Attributes:
        node: the module, class or function.
        parent: where names are looked up that are not bound here (never a class body).
        names: what is bound here so far.
        foreign: names declared `global` or `nonlocal`, and the frame that holds them.
        returns: what `return` statements gave so far.
        yields: what `yield` gave so far; None where this is no generator, so far as was seen.
        blurred: names that code we do not follow may have bound (star imports): all unknown names are.
        stars: files of which all public names are bound here, the latest last.
        stored: the names that the innermost loop may bind.
        jumps: what those names were at each `break` and `continue` of it; None outside of loops.
        journal: what the names that an arm of a branch binds were before it.
        passed: all that names were bound to in the body of a `try`, which may stop at any place.
        pause: told of what `yield` gives, where the caller of a generator is followed.
        loader: of the file that this is the module of, where the file is imported and not run.
        bindings: how often a name here became something that a function which reads it would tell apart.
        own_names: the names that are a function's own, bound or not; None until that is asked for.
    """

    node: ast.AST
    parent: Frame | None = None
    names: dict[str, Value] = field(default_factory=dict)
    foreign: dict[str, Frame] = field(default_factory=dict)
    returns: list[Value] = field(default_factory=list)
    blurred: bool = False
    yields: list[Value] | None = None
    stars: list[Frame] = field(default_factory=list)
    stored: frozenset[str] = frozenset()
    jumps: list[tuple[str, dict[str, Value | None]]] | None = None
    journal: dict[str, Value | None] | None = None
    passed: dict[str, list[Value]] | None = None
    pause: Callable[[Value], None] | None = None
    loader: Loader | None = None
    bindings: int = 0
    own_names: frozenset[str] | None = None

    def lookup(self, name: str) -> Value:
        """What `name` means here; unknown where nothing says."""
        return self.find(name) or Unknown()

    def find(self, name: str) -> Value | None:
        """What `name` means here; None where nothing in the file binds it."""
        frame: Frame | None = self
        while frame is not None:
            home = frame.foreign.get(name, frame) if frame.foreign else frame
            value = home.names.get(name)
            if value is None or value.__class__ is Lazy:
                value = home.own(name) if value is not None or home.stars or home.loader is not None else None
            if value is not None:
                return Unknown() if frame is not self and self._hides(name, frame) else value
            if home.blurred:
                return Unknown()
            frame = frame.parent
        if name == "__name__":
            return Ref("builtins.__name__")
        builtin = _BUILTINS.get(name)
        return Unknown() if builtin is not None and self._hides(name, None) else builtin

    def _hides(self, name: str, outer: Frame | None) -> bool:
        """Whether a function between here and `outer`, which binds `name`, binds its own somewhere."""
        frame: Frame | None = self
        while frame is not outer and frame is not None:
            own = frame.own_names
            if own is None:
                own = frame.own_names = local_names(frame.node)
            if name in own:
                return True
            frame = frame.parent
        return False

    def own(self, name: str) -> Value | None:
        """What `name` is bound to in this very scope; None where it is not."""
        value = self.names.get(name)
        if value is not None:
            if value.__class__ is Lazy:
                value = self.names[name] = value.resolve()
            return value
        for star in reversed(self.stars):
            value = star.exported(name)
            if value is not None:
                return value
        if self.loader is not None:
            value = self.loader.load(name)
            if value is not None:
                self.names[name] = value
        return value

    def exported(self, name: str) -> Value | None:
        """What a star import of this module binds `name` to; None where it does not."""
        return self.own(name) if self.loader is None or self.loader.offers(name) else None

    def bind(self, name: str, value: Value) -> None:
        home = self.foreign.get(name, self) if self.foreign else self
        before = home.names.get(name)
        if home.journal is not None and name not in home.journal:
            home.journal[name] = before
        if home.passed is not None:
            home.passed.setdefault(name, []).append(value)
        home.names[name] = value
        if before is not value and (
            value.__class__ not in _ALIKE
            or before.__class__ is not value.__class__
            or (value.__class__ is Tensor and value.shape != before.shape)  # type: ignore[union-attr]
        ):
            home.bindings += 1

    def unbind(self, name: str) -> None:
        if self.journal is not None and name not in self.journal:
            self.journal[name] = self.names.get(name)
        self.names.pop(name, None)

    def now(self, names: Iterable[str]) -> dict[str, Value | None]:
        """What some names of this scope are bound to; None where they are not."""
        return {name: self.names.get(name) for name in names}

    def begin_trial(self) -> dict[str, Value | None] | None:
        """From here on bindings are remembered, to be taken back. Gives what `end_trial` wants.

        Only what changes is remembered: a copy of all names for every branch would cost a long module dear.
        """
        outer, self.journal = self.journal, {}
        return outer

    def end_trial(self, outer: dict[str, Value | None] | None) -> dict[str, Value | None]:
        """Takes back what was bound since `begin_trial`, and tells what it was."""
        changed = self.journal or {}
        self.journal = outer
        now = self.now(changed)
        for name, value in changed.items():
            if value is None:
                self.names.pop(name, None)
            else:
                self.names[name] = value
        return now

    @contextmanager
    def watched(self, reached: dict[str, Value | None]) -> Iterator[None]:
        """Adds to `reached` all that names are bound to meanwhile, one after the other."""
        outer, self.passed = self.passed, {}
        try:
            yield
        finally:
            passed, self.passed = self.passed, outer
            for name, values in passed.items():
                reached[name] = join(values)
                if outer is not None:
                    outer.setdefault(name, []).extend(values)

    def merge(self, ends: list[dict[str, Value | None]]) -> None:
        """Binds every name to what it is at one of several ends; one that does not tell left it as it is."""
        for name in {name for end in ends for name in end}:
            now = self.names.get(name)
            values = [end.get(name, now) for end in ends]
            first = next((value for value in values if value is not None), None)
            if first is None:
                self.unbind(name)
            elif not all(value is first or value is None for value in values):
                self.bind(name, join([value for value in values if value is not None]))
            elif now is not first:
                self.bind(name, first)

    def widen(self, name: str) -> None:
        """A number that a loop may count up or down is some number from the start, a tensor of some shape."""
        value = self.names.get(name)
        if isinstance(value, Const) and type(value.value) in (int, float):
            self.bind(name, Number())
        elif value.__class__ is Tensor and value.shape is not None:
            shapeless = copy(value)
            shapeless.shape = None
            self.bind(name, shapeless)

    @property
    def outermost(self) -> Frame:
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame
