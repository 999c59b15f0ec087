"""The state of one interpretation of a file, and how paths are written while it goes on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torchlore.analysis.budget import Budget
from torchlore.analysis.circumstances import Summary
from torchlore.analysis.events import Branch, Event, Kind, Path, Root, Step
from torchlore.analysis.frames import Frame
from torchlore.analysis.queries import can_be_called, holds_any, reachable
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

_Charged = tuple[int, bool, bool, int, int]
"""The context and whether imported code was followed before a call; whether its function was followed before;
how many evaluations are kept from it, and how many it had."""


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
        calls: what each call in the file was given, once for every time that it was come by.
        reached: functions that were followed at least once.
        functions, classes: all that were defined, in order.
        parents: the classes that some class derives from.
        frames: the last frame in which each function (or the module) ran.
        activations: every frame in which a function ran.
        modules: the files that were imported, by path.
        summaries: what functions gave, and did, when they were followed last.
        patterns: by class an object of it that was made of unknown things.
        loading: names of them that are being evaluated.
        starring: names that are being looked for among star imports, with the files that were asked.
        made: objects by the place that made them and the context in which it did.
        hints: what annotations evaluate to; None where they cannot be parsed.
        stored: the names that each loop may bind.
        totals: the names that the file adds something to: only of these it matters where they are bound.
        heap_changes: how often an attribute of an object became something of another kind.
        changes: how often an attribute or an item became anything else than it was.
        making: how often an object was made that was not there before.
        decisions: how often one arm of an `if` was left out by what was known of more than arguments.
        loops: how many loops are being run, one in another.
        branches: how many branches are being run, one in another.
        clashes: whether shapes were found that do not fit: where none were, no rule need look for them.
        choices: how many calls of one of several things are being run, one in another.
        is_aside: whether what runs now may run at any time, or never.
        imported: files of which all that they change elsewhere has been changed.
        patched: attributes of imported things that the file has set, by dotted name.
        patched_methods: the names of those that are set on classes of torch.
        entrusted: unknown objects, and packages that we cannot see, that were given functions to call later.
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
    calls: dict[ast.Call, list[Arguments]] = field(default_factory=dict)
    reached: set[ast.AST] = field(default_factory=set)
    functions: dict[ast.AST, Function] = field(default_factory=dict)
    classes: dict[ast.AST, LocalClass] = field(default_factory=dict)
    parents: set[LocalClass] = field(default_factory=set)
    instances: dict[ast.AST, Instance] = field(default_factory=dict)
    frames: dict[ast.AST, Frame] = field(default_factory=dict)
    activations: list[Frame] = field(default_factory=list)
    roots: list[Root] = field(default_factory=list)
    modules: dict[str, LocalModule] = field(default_factory=dict)
    summaries: dict[ast.AST, Summary] = field(default_factory=dict)
    patterns: dict[LocalClass, Instance] = field(default_factory=dict)
    loading: set[tuple[str | LocalClass, str]] = field(default_factory=set)
    starring: dict[str, set[str]] = field(default_factory=dict)
    made: dict[tuple[ast.AST, int, str | LocalClass], Value] = field(default_factory=dict)
    hints: dict[ast.expr, Value | None] = field(default_factory=dict)
    stored: dict[ast.AST, frozenset[str]] = field(default_factory=dict)
    totals: frozenset[str] = frozenset()
    heap_changes: int = 0
    changes: int = 0
    making: int = 0
    decisions: int = 0
    loops: int = 0
    branches: int = 0
    clashes: bool = False
    choices: int = 0
    is_aside: bool = False
    imported: set[str] = field(default_factory=set)
    patched: dict[str, Value] = field(default_factory=dict)
    patched_methods: set[str] = field(default_factory=set)
    entrusted: set[Value | str] = field(default_factory=set)
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

    def escape(self, node: ast.AST, values: Iterable[Value]) -> None:
        """Code that we cannot see gets hold of `values` and of what hangs on them."""
        for value in values:
            if isinstance(value, _ESCAPING) or any(isinstance(part, _ESCAPING) for part in reachable(value)):
                self.emit(Kind.ESCAPE, node, value=value)
                if can_be_called(value) or (self.entrusted and holds_any(value, self.entrusted)):
                    self.emit(Kind.HAVOC, node)

    def is_home(self, function: Function) -> bool:
        """Whether a function is code of the file, not of one that it imports."""
        return function.frame.outermost is self.home

    def make(self, node: ast.AST, cls: str | LocalClass, arguments: Arguments | None = None) -> Instance:
        """The object that `node` makes of a class in this context: the same when a loop comes by again."""
        key = (node, self.context, cls)
        known = self.made.get(key)
        if not isinstance(known, Instance):
            self.making += 1
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

    def way_to(self, context: int) -> list[object]:
        """The calls (and rounds, and entry points) that lead to a context, outermost first."""
        above = {number: step for step, number in self._contexts.items()}
        found: list[object] = []
        while context in above:
            context, step = above[context]
            found.insert(0, step)
        return found

    def begin_following(self, function: Function, call: ast.AST) -> _Charged:
        """From here on evaluations are charged to where `function` stands, and to repetition.

        Gives what `end_following` wants. Two halves, not a context manager: every call that is followed
        passes here, and the generator of one costs more than all that these two do.
        """
        code = function.node
        again = code in self.reached and not self.repeating
        self.stack.append(code)
        self.reached.add(code)
        context, is_away = self.context, self.is_away
        self._enter(call)
        self._go(not self.is_home(function))
        goes_away = self.is_away and not is_away
        kept = max(0, self.left - self.budget.call) if goes_away else 0
        self.left -= kept
        self.repeating |= again
        return context, is_away, again, kept, self.left

    def end_following(self, charged: _Charged) -> None:
        """The function that `begin_following` told of has been followed."""
        context, is_away, again, kept, left = charged
        if again:
            self.repeating = False
            self.left_again -= left - self.left
        self.left += kept
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
    def assured(self, evaluations: int) -> Iterator[None]:
        """At least so many evaluations may be spent meanwhile; no more are left than there were."""
        left = self.left
        self.left = max(left, evaluations)
        try:
            yield
        finally:
            self.left = min(left, self.left)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Something else runs meanwhile, as if it had been called from nowhere."""
        kept = {name: getattr(self, name) for name in _SET_ASIDE}
        elsewhere = self.left if self.is_away else self.left_elsewhere
        self.context = self.loops = self.branches = self.choices = 0
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
        self.grad = same_mode(grads) if grads else grad
        if any(paths):
            self.path.append(Branch(node, tuple(paths)))
        return not after


_SET_ASIDE = (
    "frame",
    "path",
    "grad",
    "context",
    "left",
    "left_elsewhere",
    "loops",
    "branches",
    "choices",
    "repeating",
    "is_away",
    "is_aside",
)
"""What of a run belongs to what is being run, and not to the whole file."""


def same_mode(modes: list[bool | None]) -> bool | None:
    first = modes[0]
    for mode in modes:
        if mode is not first:
            return None
    return first


_ESCAPING = (Instance, Function, Tensor, Params, Unknown, BoundMethod)
