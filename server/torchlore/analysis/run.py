"""The state of one interpretation of a file, and how paths are written while it goes on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torchlore.analysis.events import Branch, Call, Event, Jump, Kind, Loop, Path, Root
from torchlore.analysis.frames import Frame, join_names
from torchlore.analysis.values import (
    BoundMethod,
    Function,
    Instance,
    LocalClass,
    OneOf,
    Params,
    Tensor,
    Unknown,
    Value,
    reachable,
)

MAX_DEPTH = 12
"""Calls of functions of the file are followed this deep."""

BUDGET = 400_000
"""Expressions and statements evaluated per file before everything else is unknown."""

MAX_NESTING = 160
"""Expressions and blocks nested deeper than this are unknown: Python's own stack is finite."""

ROOT_BUDGET = 60_000
"""The same, per entry point that nothing in the file calls."""


@dataclass(slots=True)
class Run:
    """One interpretation of one file.

    Attributes:
        frame: where names are bound now.
        path: where events are written now.
        grad: whether grad mode is on; None where it is not known.
        stack: the functions being followed.
        left: evaluations left.
        depth: how deep expressions and statements are nested in one another now, across calls.
        values: what was found for names, attributes and calls, for hovers.
        owners: what the attributes of expressions were looked up on.
        reached: functions that were followed at least once.
        functions, classes: all that were defined, in order.
        frames: the last frame in which each function (or the module) ran.
    """

    module: ast.Module
    frame: Frame
    path: Path = field(default_factory=list)
    grad: bool | None = True
    stack: list[ast.AST] = field(default_factory=list)
    left: int = BUDGET
    depth: int = 0
    values: dict[ast.AST, Value] = field(default_factory=dict)
    owners: dict[ast.Attribute, Value] = field(default_factory=dict)
    reached: set[ast.AST] = field(default_factory=set)
    functions: dict[ast.AST, Function] = field(default_factory=dict)
    classes: dict[ast.AST, LocalClass] = field(default_factory=dict)
    instances: dict[ast.AST, Instance] = field(default_factory=dict)
    frames: dict[ast.AST, Frame] = field(default_factory=dict)
    roots: list[Root] = field(default_factory=list)

    def spend(self) -> bool:
        """Takes one evaluation from the budget; False when it is used up or nested too deep."""
        self.left -= 1
        return self.left > 0 and self.depth < MAX_NESTING

    def emit(
        self,
        kind: Kind,
        node: ast.AST,
        subject: Value | None = None,
        value: Value | None = None,
        key: object = None,
        keeps_graph: bool = False,
    ) -> None:
        self.path.append(Event(kind, node, subject, value, key, self.grad, keeps_graph))

    def emit_each(self, kind: Kind, node: ast.AST, subject: Value) -> None:
        """Emits `kind` for what `subject` may be: one branch for each."""
        if not isinstance(subject, OneOf):
            self.emit(kind, node, subject)
            return
        arms = tuple([Event(kind, node, part, None, None, self.grad)] for part in subject.options)
        self.path.append(Branch(node, tuple(list[Event | Branch | Loop | Call | Jump](arm) for arm in arms)))

    def escape(self, node: ast.AST, values: Iterator[Value] | list[Value]) -> None:
        """Code that we cannot see gets hold of `values` and of what hangs on them."""
        for value in values:
            if any(isinstance(part, _ESCAPING) for part in reachable(value)):
                self.emit(Kind.ESCAPE, node, value=value)
                if isinstance(value, Function):
                    self.emit(Kind.HAVOC, node)

    @contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Events go to `path` meanwhile."""
        before, self.path = self.path, path
        try:
            yield
        finally:
            self.path = before

    @contextmanager
    def grad_mode(self, grad: bool | None) -> Iterator[None]:
        """Grad mode is `grad` meanwhile, whatever happens inside."""
        before, self.grad = self.grad, grad
        try:
            yield
        finally:
            self.grad = before

    def branch(self, node: ast.AST, arms: list[Callable[[], bool]]) -> bool:
        """Runs each arm on its own copy of the names; joins what is left. True if no arm goes on.

        Args:
            arms: each runs one alternative and tells whether it left (return, break, continue, raise).
        """
        before, grad = self.frame.names, self.grad
        after: list[dict[str, Value]] = []
        grads: list[bool | None] = []
        paths: list[Path] = []
        for arm in arms:
            self.frame.names, self.grad = dict(before), grad
            path: Path = []
            with self.writing(path):
                left = arm()
            if not left:
                after.append(self.frame.names)
                grads.append(self.grad)
            paths.append(path)
        self.frame.names = join_names(after) if after else before
        self.grad = _same(grads) if grads else grad
        if any(paths):
            self.path.append(Branch(node, tuple(paths)))
        return not after

    def loop(self, node: ast.AST, body: Callable[[], bool]) -> None:
        """Runs `body` once for the names; the path tells that it may run any number of times."""
        before, grad = dict(self.frame.names), self.grad
        path: Path = []
        with self.writing(path):
            body()
        self.frame.names = join_names([before, self.frame.names])
        self.grad = _same([grad, self.grad])
        if path:
            self.path.append(Loop(node, path))


def _same(modes: list[bool | None]) -> bool | None:
    return modes[0] if all(mode is modes[0] for mode in modes) else None


_ESCAPING = (Instance, Function, Tensor, Params, Unknown, BoundMethod)
