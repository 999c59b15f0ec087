"""The state of one interpretation of a file, and how paths are written while it goes on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torchlore.analysis.budget import Budget
from torchlore.analysis.events import Branch, Event, Kind, Loop, Path, Root, Step
from torchlore.analysis.frames import Frame
from torchlore.analysis.queries import has_new_kind, reachable
from torchlore.analysis.values import (
    Arguments,
    BoundMethod,
    Function,
    Instance,
    LocalClass,
    LocalModule,
    OneOf,
    Params,
    Tensor,
    Token,
    Unknown,
    Value,
)
from torchlore.analysis.workspace import Imports

MAX_DEPTH = 12
"""Calls of functions of the file are followed this deep."""

MAX_NESTING = 160
"""Expressions and blocks nested deeper than this are unknown: Python's own stack is finite."""

_MAX_REPEATED_LOOPS = 3
"""Loops in loops deeper than this run once: each level would double the work."""


@dataclass(frozen=True, eq=False, slots=True)
class Summary:
    """What a function gave when it was followed last, and what happened."""

    result: Value
    path: Path


@dataclass(slots=True)
class Run:
    """One interpretation of one file.

    Attributes:
        home: the module of the file.
        file_path: where the file is.
        imports: finds the files that it imports; None where it stands alone.
        budget: how much may be evaluated.
        frame: where names are bound now.
        path: where events are written now.
        grad: whether grad mode is on; None where it is not known.
        stack: the functions being followed.
        left: evaluations left, of code of the file or, while imported code is followed, of that.
        left_elsewhere: those left of the other of the two.
        left_again: those left for functions that were followed before.
        repeating: whether such a function is being followed now.
        is_away: whether imported code is being followed now.
        context: the calls (and rounds of unrolled loops) that are being followed, as a number.
        depth: how deep expressions and statements are nested in one another now, across calls.
        values: what was found for names, attributes and calls, for hovers.
        owners: what the attributes of expressions were looked up on.
        reached: functions that were followed at least once.
        functions, classes: all that were defined, in order.
        frames: the last frame in which each function (or the module) ran.
        modules: the files that were imported, by path.
        summaries: what functions gave, and did, when they were followed last.
        patterns: by class an object of it that was made of unknown things.
        loading: names of them that are being evaluated.
        made: objects by the place that made them and the context in which it did.
        hints: what annotations evaluate to; None where they cannot be parsed.
        stored: the names that each loop may bind.
        heap_changes: how often an attribute of an object became something of another kind.
        loops: how many loops are being run, one in another.
        branches: how many branches are being run, one in another.
        is_aside: whether what runs now may run at any time, or never.
        patched: attributes of imported things that the file has set, by dotted name.
        blurred: functions whose parameters are known to be more than they were at first.
    """

    module: ast.Module
    home: Frame
    frame: Frame
    budget: Budget
    file_path: str = ""
    imports: Imports | None = None
    path: Path = field(default_factory=list)
    grad: bool | None = True
    stack: list[ast.AST] = field(default_factory=list)
    left: int = 0
    left_elsewhere: int = 0
    left_again: int = 0
    repeating: bool = False
    is_away: bool = False
    context: int = 0
    depth: int = 0
    values: dict[ast.AST, Value] = field(default_factory=dict)
    owners: dict[ast.Attribute, Value] = field(default_factory=dict)
    reached: set[ast.AST] = field(default_factory=set)
    functions: dict[ast.AST, Function] = field(default_factory=dict)
    classes: dict[ast.AST, LocalClass] = field(default_factory=dict)
    instances: dict[ast.AST, Instance] = field(default_factory=dict)
    frames: dict[ast.AST, Frame] = field(default_factory=dict)
    roots: list[Root] = field(default_factory=list)
    modules: dict[str, LocalModule] = field(default_factory=dict)
    summaries: dict[ast.AST, Summary] = field(default_factory=dict)
    patterns: dict[LocalClass, Instance] = field(default_factory=dict)
    loading: set[tuple[str | LocalClass, str]] = field(default_factory=set)
    made: dict[tuple[ast.AST, int, str | LocalClass], Value] = field(default_factory=dict)
    hints: dict[ast.expr, Value | None] = field(default_factory=dict)
    stored: dict[ast.AST, frozenset[str]] = field(default_factory=dict)
    heap_changes: int = 0
    loops: int = 0
    branches: int = 0
    is_aside: bool = False
    patched: dict[str, Value] = field(default_factory=dict)
    blurred: set[ast.AST] = field(default_factory=set)
    _contexts: dict[tuple[int, object], int] = field(default_factory=dict)

    def spend(self) -> bool:
        """Takes one evaluation from the budget; False when it is used up or nested too deep."""
        self.left -= 1
        return self.left > 0 and self.depth < MAX_NESTING

    @property
    def goes_on(self) -> bool:
        """Whether there is something left to spend; else what runs now is cut short."""
        return self.left > 0 and self.depth < MAX_NESTING

    @property
    def is_tentative(self) -> bool:
        """Whether what is evaluated now may not happen, or happen later than what is evaluated next."""
        return bool(self.branches or self.loops or self.is_aside)

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
        self.path.append(Branch(node, tuple(list[Step](arm) for arm in arms)))

    def escape(self, node: ast.AST, values: Iterator[Value] | list[Value]) -> None:
        """Code that we cannot see gets hold of `values` and of what hangs on them."""
        for value in values:
            if any(isinstance(part, _ESCAPING) for part in reachable(value)):
                self.emit(Kind.ESCAPE, node, value=value)
                if isinstance(value, Function):
                    self.emit(Kind.HAVOC, node)

    def is_home(self, function: Function) -> bool:
        """Whether a function is code of the file, not of one that it imports."""
        return function.frame.outermost is self.home

    def make(self, node: ast.AST, cls: str | LocalClass, arguments: Arguments | None = None) -> Instance:
        """The object that `node` makes of a class in this context: the same when a loop comes by again."""
        key = (node, self.context, cls)
        known = self.made.get(key)
        if not isinstance(known, Instance):
            known = self.made[key] = Instance(cls, node)
        known.arguments = arguments
        return known

    def given(self, node: ast.AST, tokens: frozenset[Token], made_by: str = "") -> Unknown:
        """What code that we cannot see gives at `node` in this context: always the same unknown object."""
        key = (node, self.context, made_by)
        known = self.made.get(key)
        if not isinstance(known, Unknown):
            known = self.made[key] = Unknown(made_by=made_by)
        known.tokens |= tokens
        return known

    @contextmanager
    def within(self, step: object) -> Iterator[None]:
        """What is made meanwhile is made by way of `step`: a call, or one round of an unrolled loop."""
        before = self.context
        self._enter(step)
        try:
            yield
        finally:
            self.context = before

    def _enter(self, step: object) -> None:
        self.context = self._contexts.setdefault((self.context, step), len(self._contexts) + 1)

    @contextmanager
    def following(self, function: Function, call: ast.AST) -> Iterator[None]:
        """A function is followed meanwhile: evaluations are charged to where it stands, and to repetition."""
        code = function.node
        again = code in self.reached and not self.repeating
        self.stack.append(code)
        self.reached.add(code)
        context, is_away = self.context, self.is_away
        self._enter(call)
        self._go(not self.is_home(function))
        left = self.left
        self.repeating |= again
        try:
            yield
        finally:
            if again:
                self.repeating = False
                self.left_again -= left - self.left
            self._go(is_away)
            self.context = context
            self.stack.pop()

    def _go(self, away: bool) -> None:
        """From here on evaluations are charged to imported code, or to the file."""
        if away is not self.is_away:
            self.is_away = away
            self.left, self.left_elsewhere = self.left_elsewhere, self.left

    @contextmanager
    def elsewhere(self, frame: Frame) -> Iterator[None]:
        """The top level of an imported file runs meanwhile: at another time, so that no path tells of it."""
        outer, path, grad, context = self.frame, self.path, self.grad, self.context
        self.frame, self.path, self.grad, self.context = frame, [], True, 0
        is_away = self.is_away
        self._go(away=True)
        try:
            yield
        finally:
            self._go(is_away)
            self.frame, self.path, self.grad, self.context = outer, path, grad, context

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Something else runs meanwhile, as if it had been called from nowhere."""
        kept = {name: getattr(self, name) for name in _SET_ASIDE}
        elsewhere = self.left if self.is_away else self.left_elsewhere
        self.context = self.loops = self.branches = 0
        self.repeating = self.is_away = False
        self.left_elsewhere = elsewhere
        try:
            yield
        finally:
            elsewhere = self.left_elsewhere
            for name, value in kept.items():
                setattr(self, name, value)
            if self.is_away:
                self.left = elsewhere
            else:
                self.left_elsewhere = elsewhere

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
        """Runs each arm from the names as they are now; joins what is left. True if no arm goes on.

        Args:
            arms: each runs one alternative and tells whether it left (return, break, continue, raise).
        """
        frame, grad = self.frame, self.grad
        after: list[dict[str, Value | None]] = []
        grads: list[bool | None] = []
        paths: list[Path] = []
        self.branches += 1
        for arm in arms:
            self.grad = grad
            path: Path = []
            outer, path_before, self.path = frame.begin_trial(), self.path, path
            try:
                left = arm()
            finally:
                self.path = path_before
                changed = frame.end_trial(outer)
            if not left:
                after.append(changed)
                grads.append(self.grad)
            paths.append(path)
        self.branches -= 1
        frame.merge(after)
        self.grad = _same(grads) if grads else grad
        if any(paths):
            self.path.append(Branch(node, tuple(paths)))
        return not after

    def loop(
        self,
        node: ast.AST,
        body: Callable[[], bool],
        stored: frozenset[str] = frozenset(),
        orelse: Callable[[], bool] | None = lambda: False,
    ) -> None:
        """Runs `body` until what it reads no longer changes, twice at most; the path tells that it repeats.

        Args:
            node: the loop.
            body: runs one iteration and tells whether it left.
            stored: the names of this scope that an iteration may bind.
            orelse: what runs when the loop ends by itself; None where it does not end but by `break`.
        """
        frame, grad, heap = self.frame, self.grad, self.heap_changes
        for name in stored:
            frame.widen(name)
        before = frame.now(stored)
        outer, frame.jumps, frame.stored = (frame.jumps, frame.stored), [], stored
        self.loops += 1
        path = self._iterate(body, stored)
        again = frame.now(stored)
        changed = heap != self.heap_changes or any(has_new_kind(before[name], again[name]) for name in stored)
        if changed and self.loops <= _MAX_REPEATED_LOOPS:
            path = self._iterate(body, stored)
        self.loops -= 1
        breaks = [names for kind, names in frame.jumps if kind == "break"]
        frame.jumps, frame.stored = outer
        self.grad = _same([grad, self.grad])
        if path:
            self.path.append(Loop(node, path))
        self._leave_loop(node, breaks, orelse)

    def _leave_loop(
        self, node: ast.AST, breaks: list[dict[str, Value | None]], orelse: Callable[[], bool] | None
    ) -> None:
        """What holds after a loop: the end of its `else`, or what held at a `break`."""
        if orelse is None:
            self.frame.merge(breaks)
            return
        outer = self.frame.begin_trial()
        path: Path = []
        with self.writing(path):
            left = orelse()
        changed = self.frame.end_trial(outer)
        self.frame.merge([*breaks, *([] if left else [changed])])
        if path:
            self.path.append(Branch(node, (path, [])) if breaks else Branch(node, (path,)))

    def _iterate(self, body: Callable[[], bool], stored: frozenset[str]) -> Path:
        """One iteration from the names as they are; afterwards they are what they were or became."""
        frame = self.frame
        ends: list[dict[str, Value | None]] = [frame.now(stored)]
        path: Path = []
        outer, self.path = self.path, path
        try:
            if not body():
                ends.append(frame.now(stored))
        finally:
            self.path = outer
        frame.merge([*ends, *(names for kind, names in frame.jumps or () if kind == "continue")])
        return path


_SET_ASIDE = (
    "frame",
    "path",
    "grad",
    "context",
    "left",
    "left_elsewhere",
    "loops",
    "branches",
    "repeating",
    "is_away",
    "is_aside",
)
"""What of a run belongs to what is being run, and not to the whole file."""


def _same(modes: list[bool | None]) -> bool | None:
    return modes[0] if all(mode is modes[0] for mode in modes) else None


_ESCAPING = (Instance, Function, Tensor, Params, Unknown, BoundMethod)
