"""Classes where they are defined. A member of an imported one is evaluated when it is first asked for."""

from __future__ import annotations

import ast
from collections.abc import ItemsView, Iterator, ValuesView
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from torchlore.analysis import calls, expressions, members, statements
from torchlore.analysis.frames import Frame
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Function,
    Instance,
    Lazy,
    LocalClass,
    Unknown,
    Value,
)


def define(run: Run, node: ast.ClassDef) -> None:
    """Runs a `class` statement."""
    bases = tuple(expressions.evaluate(run, base) for base in node.bases)
    keywords = {keyword.arg: expressions.evaluate(run, keyword.value) for keyword in node.keywords}
    decorators = tuple(expressions.evaluate(run, d) for d in node.decorator_list)
    outer = run.frame
    cls = LocalClass(node, bases, {}, decorators, outer.outermost, maker=keywords.get("metaclass"))
    inner = Frame(node, parent=outer)
    index = _index(node) if run.is_away else None
    if index is not None:
        inner.loader = loader = _Members(run, cls, inner, index)
        cls.attributes = _Attributes(loader)
    else:
        run.frame = inner
        try:
            statements.run_block(run, node.body)
        finally:
            run.frame = outer
        for name, value in inner.names.items():
            cls.attributes[name] = _member(cls, inner, name, value)
        _own(run, cls, inner)
    run.classes[node] = cls
    run.parents.update(members.mro(cls)[1:])
    outer.bind(node.name, _decorated(run, cls) if decorators else cls)


def _decorated(run: Run, cls: LocalClass) -> Value:
    """What decorators make of a class. Those that we do not see through are taken to give it back."""
    value: Value = cls
    for decorator, written in zip(reversed(cls.decorators), reversed(cls.node.decorator_list), strict=True):
        is_seen = isinstance(decorator, Function | LocalClass) or (
            isinstance(decorator, Instance) and isinstance(decorator.cls, LocalClass)
        )
        made = calls.call_value(run, decorator, Arguments([value], {}), written) if is_seen else value
        value = value if isinstance(made, Unknown) else made
    return value


def dissolve(cls: LocalClass) -> None:
    """Cuts the circles that a class is part of (see `interpret.dissolve`)."""
    if isinstance(cls.attributes, _Attributes):
        cls.attributes.forget()
    cls.attributes = {}
    cls.order = ()
    cls.beyond = None


def _own(run: Run, cls: LocalClass, frame: Frame) -> None:
    """What a decorator wraps is a method too, though the wrapper alone is bound to a name of the class."""
    for statement in cls.node.body:
        function = run.functions.get(statement)
        if function is not None and function.owner is None:
            function.owner = cls
            function.frame = frame.parent or frame


def _member(cls: LocalClass, frame: Frame, name: str, value: Value) -> Value:
    """What a name that is bound in the body of a class is as an attribute of it."""
    value = value.resolve() if isinstance(value, Lazy) else value
    if not isinstance(value, Function):
        return _enumerated(cls, name, value) if cls.bases and members.is_enum(cls) else value
    if value.frame is frame:
        value.owner = cls
        value.frame = frame.parent or frame  # a method does not see the names of its class body
    elif value.owner is None and value.receiver is None:
        return replace(value, owner=cls)  # made elsewhere, it is a method here
    return value


def _enumerated(cls: LocalClass, name: str, value: Value) -> Value:
    """What an enumeration makes of a value: an object of its own class."""
    if name.startswith("_") or (isinstance(value, Instance) and value.cls is cls):
        return value
    return Instance(cls, cls.node, attributes={"value": value, "name": Const(name)})


_Index = dict[str, list[ast.stmt]]

_INDEXES: WeakKeyDictionary[ast.ClassDef, _Index | None] = WeakKeyDictionary()
"""By class the statements that bind each name of its body; None where that takes running it."""


def _index(node: ast.ClassDef) -> _Index | None:
    if node not in _INDEXES:
        _INDEXES[node] = _read_index(node)
    return _INDEXES[node]


def _read_index(node: ast.ClassDef) -> _Index | None:
    found: _Index = {}
    for statement in node.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.setdefault(name, []).append(statement)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.setdefault(name, []).append(statement)
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                return None
    return found


_ALWAYS = 200
"""Evaluations that may always be spent on a member: that a method is there must not depend on the budget."""


@dataclass(slots=True)
class _Members:
    """Evaluates the body of an imported class name by name (a `frames.Loader`)."""

    run: Run
    cls: LocalClass
    frame: Frame
    index: _Index

    @property
    def path(self) -> str:
        loader = self.frame.outermost.loader
        return loader.path if loader is not None else self.run.file_path

    def offers(self, name: str) -> bool:
        return name in self.index

    def binds(self, name: str) -> bool:
        return name in self.index

    def load(self, name: str) -> Value | None:
        """What `name` is at the end of the body; None where it is not bound there."""
        waiting = self.index.get(name)
        if waiting is None:
            return None
        if (self.cls, name) in self.run.loading:
            return Unknown()
        self.run.loading.add((self.cls, name))
        with self.run.elsewhere(self.frame), self.run.assured(_ALWAYS):
            for statement in waiting:
                statements.run_block(self.run, [statement])
        self.run.loading.discard((self.cls, name))
        return _member(self.cls, self.frame, name, self.frame.names.get(name) or Unknown())


class _Attributes(dict[str, Value]):
    """The attributes of an imported class: those that were asked for, and those that still can be."""

    def __init__(self, loader: _Members) -> None:
        super().__init__()
        self._loader = loader

    def forget(self) -> None:
        self._loader.frame.loader = None

    def __missing__(self, name: str) -> Value:
        value = self._loader.frame.own(name)
        if value is None:
            raise KeyError(name)
        self[name] = value = _member(self._loader.cls, self._loader.frame, name, value)
        return value

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._loader.index

    def get(self, name: str, default: Value | None = None) -> Value | None:  # type: ignore[override]
        return self[name] if name in self else default  # noqa: SIM401 (this is `get`)

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self._loader.index), **dict.fromkeys(super().__iter__())})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items(self) -> ItemsView[str, Value]:  # type: ignore[override]
        return {name: self[name] for name in self}.items()

    def values(self) -> ValuesView[Value]:  # type: ignore[override]
        return {name: self[name] for name in self}.values()
