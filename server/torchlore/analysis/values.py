"""What an expression is. Values are immutable but for the attributes and items of heap objects.

`Unknown` is an ordinary value and flows everywhere; a rule that meets it says nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from collections.abc import Iterable as ManyOf
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchlore.analysis.events import Step
    from torchlore.analysis.frames import Frame

Token = ast.AST
"""Marks where a value came from (a `total += loss`, a call of a model) through later operations."""

NO_TOKENS: frozenset[Token] = frozenset()

MAX_ALTERNATIVES = 5
"""A value that may be more different things than this is unknown."""

_TOO_MANY = 40
"""Alternatives compared with one another (tensors, of which many make one) before a join gives up."""


@dataclass(eq=False, slots=True)
class Value:
    """Something that an expression may evaluate to. Compared by identity."""


@dataclass(eq=False, slots=True)
class Unknown(Value):
    """Could be anything. `tokens`: what it may have been made from; `made_by`: the function that gave it."""

    tokens: frozenset[Token] = NO_TOKENS
    made_by: str = ""


@dataclass(eq=False, slots=True)
class Const(Value):
    """A literal: number, string, bool, None."""

    value: object


@dataclass(eq=False, slots=True)
class Number(Value):
    """A Python number of unknown value."""


@dataclass(eq=False, slots=True)
class Ref(Value):
    """Something imported, by its dotted name as it is written (`torch.nn.Linear`, `builtins.print`)."""

    name: str


@dataclass(eq=False, slots=True)
class LocalModule(Value):
    """A file of the workspace, imported: its names are those of `frame`.

    Attributes:
        name: as it was imported, dotted; what is not found in a folder without `__init__.py` may be in an
            installed package of this name.
        path: of the file, or of the folder, which ends in a separator.
    """

    name: str
    path: str
    frame: Frame


@dataclass(eq=False, slots=True)
class Lazy(Value):
    """What an import of a workspace file binds, until it is first asked for. Lives in frames only."""

    make: Callable[[], Value] | None
    value: Value | None = None

    def resolve(self) -> Value:
        """What it is; unknown while it is being found out (files that import one another)."""
        if self.value is None:
            make, self.make = self.make, None
            if make is None:
                return Unknown()
            self.value = make()
        return self.value


@dataclass(eq=False, slots=True)
class Tensor(Value):
    """A tensor.

    Attributes:
        attached: whether it carries an autograd graph; None where that is not known.
        certain: False where only convention says that it is a tensor (an argument of `forward`, an
            item of a DataLoader): good for a hover, not for a finding.
        activation: "softmax" or "log_softmax" where it is exactly the output of that function.
        made_at: the call that applied `activation`; None where several did.
        tokens: what it was made from.
        parameter: whether it is an `nn.Parameter`.
        dtype: the last part of its dtype's name ("float32"); empty where that is not known.
        device: where it is ("cpu", "cuda:0"); empty where that is not known.
        leaf: whether the user made it with `requires_grad=True`, so that an optimizer may own it.
        made_by: the dotted name of the function (or of the module's class) that gave it; empty where
            that is not one.
    """

    attached: bool | None = None
    certain: bool = True
    activation: str | None = None
    made_at: ast.expr | None = None
    tokens: frozenset[Token] = NO_TOKENS
    parameter: bool = False
    dtype: str = ""
    device: str = ""
    leaf: bool = False
    made_by: str = ""


@dataclass(eq=False, slots=True)
class Function(Value):
    """A function, method or lambda of this file; `receiver` is what a method is bound to."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Frame
    owner: LocalClass | None = None
    receiver: Value | None = None
    defaults: dict[str, Value] = field(default_factory=dict)
    decorators: tuple[Value, ...] = ()


@dataclass(eq=False, slots=True)
class LocalClass(Value):
    """A class of the workspace.

    Attributes:
        attributes: its methods and class variables.
        home: its module.
        order: itself and its bases in the order in which attributes are looked up, once that was asked for.
    """

    node: ast.ClassDef
    bases: tuple[Value, ...]
    attributes: dict[str, Value]
    decorators: tuple[Value, ...] = ()
    home: Frame | None = None
    order: tuple[LocalClass, ...] = ()


@dataclass(eq=False, slots=True)
class Instance(Value):
    """An object. `cls` is the dotted name of an imported class or a class of this file.

    Attributes:
        node: the call that made it, or the parameter that is annotated with it.
        arguments: what its constructor was given, when `cls` is imported.
        attributes: what was set on it.
        made_with: what its constructor was given, when `cls` is of the workspace.
        frozen: its parameters were told not to require gradients; None where that holds of some of them,
            or on some paths only.
    """

    cls: str | LocalClass
    node: ast.AST
    arguments: Arguments | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    frozen: bool | None = False
    made_with: Arguments | None = None


@dataclass(eq=False, slots=True)
class Container(Value):
    """A list, tuple, set or dict of this file.

    Attributes:
        items: those of a list, tuple or set; None where they are not all known.
        element: the join of them all.
        keyed: items of a dict by literal key.
        whole: whether `keyed` holds all of them.
    """

    kind: str
    items: list[Value] | None
    element: Value
    keyed: dict[object, Value] = field(default_factory=dict)
    whole: bool = False


@dataclass(eq=False, slots=True)
class Iterable(Value):
    """Something that yields `element`s: a DataLoader's batches, `enumerate(...)`, a generator."""

    element: Value


@dataclass(eq=False, slots=True)
class Batch(Value):
    """What a DataLoader yields: unpacking, indexing and attributes give tensors by convention."""


@dataclass(eq=False, slots=True)
class Params(Value):
    """Parameters of modules: all, some or one of them. `owners` is None where the modules are not known."""

    owners: frozenset[Value] | None
    one: bool = False


@dataclass(eq=False, slots=True)
class Grads(Value):
    """The `.grad` of parameters."""

    owners: frozenset[Value] | None


@dataclass(eq=False, slots=True)
class BoundMethod(Value):
    """A method of an object whose class is not of this file."""

    receiver: Value
    name: str


@dataclass(eq=False, slots=True)
class Managed(Value):
    """What a call of a `@contextmanager` gives: the generator runs when it is entered.

    Attributes:
        rest: what happens after its `yield`, once it was entered.
    """

    function: Function
    arguments: Arguments | None
    rest: list[Step] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Super(Value):
    """`super()` inside a method of `cls`."""

    receiver: Value
    cls: LocalClass


@dataclass(eq=False, slots=True)
class OneOf(Value):
    """One of several values, none of them a `OneOf` itself."""

    options: tuple[Value, ...]


@dataclass(eq=False, slots=True)
class Arguments:
    """The arguments of a call. `complete` is False after `*args` or `**kwargs` of unknown length."""

    positional: list[Value]
    keywords: dict[str, Value]
    complete: bool = True
    nodes: list[ast.expr] = field(default_factory=list)

    def get(self, index: int, name: str) -> Value | None:
        """The argument at `index` or called `name`."""
        if 0 <= index < len(self.positional):
            return self.positional[index]
        return self.keywords.get(name)

    def all(self) -> Iterator[Value]:
        yield from self.positional
        yield from self.keywords.values()


def options(value: Value) -> tuple[Value, ...]:
    """The things that `value` may be. None is left out where it may be something else too."""
    if not isinstance(value, OneOf):
        return (value,)
    solid = tuple(v for v in value.options if not is_none(v))
    return solid or value.options


def is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def join(values: list[Value]) -> Value:
    """What is known of a value that may be any of `values`."""
    first = values[0] if values else None
    if first is not None and all(value is first for value in values):
        return first.resolve() if isinstance(first, Lazy) else first
    flat: list[Value] = []
    for value in values:
        if isinstance(value, Lazy):
            value = value.resolve()
        for option in value.options if isinstance(value, OneOf) else (value,):
            if not any(same(option, known) for known in flat):
                flat.append(option)
        if len(flat) > _TOO_MANY:
            return Unknown(tokens_of_all(values))
    if not flat:
        return Unknown()
    tensors = [v for v in flat if isinstance(v, Tensor)]
    if len(tensors) > 1:
        flat = [v for v in flat if not isinstance(v, Tensor)] + [_join_tensors(tensors)]
    if len(flat) == 1:
        return flat[0]
    if len(flat) > MAX_ALTERNATIVES:
        return Unknown(tokens_of(OneOf(tuple(flat))))
    return OneOf(tuple(flat))


def has_new_kind(before: Value | None, after: Value | None) -> bool:
    """Whether something may be of a kind at the end of a loop's body that it was not at its beginning.

    What was not bound at the beginning is not read before it is bound.
    """
    if before is None or after is None or before is after:
        return False
    return not _kinds(after) <= _kinds(before)


def _kinds(value: Value) -> set[object]:
    return {_kind(option) for option in (value.options if isinstance(value, OneOf) else (value,))}


def _kind(value: Value) -> object:
    match value:
        case Tensor(attached=attached, activation=activation):
            return attached, activation
        case Const(value=literal):
            return (type(literal), literal) if isinstance(literal, bool) else type(literal)
        case Instance() | Function() | LocalClass() | LocalModule():
            return value
        case Ref(name=name):
            return name
        case _:
            return type(value)


def same(a: Value, b: Value) -> bool:
    """Whether two values are the same one, or literals or imported things that are equal."""
    if a is b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return type(a.value) is type(b.value) and a.value == b.value
    if isinstance(a, Ref) and isinstance(b, Ref):
        return a.name == b.name
    return isinstance(a, Number) and isinstance(b, Number)


def _join_tensors(tensors: list[Tensor]) -> Tensor:
    first = tensors[0]
    same_activation = all(t.activation == first.activation for t in tensors)
    return Tensor(
        attached=first.attached if all(t.attached == first.attached for t in tensors) else None,
        certain=all(t.certain for t in tensors),
        activation=first.activation if same_activation else None,
        made_at=first.made_at if all(t.made_at is first.made_at for t in tensors) else None,
        tokens=frozenset().union(*(t.tokens for t in tensors)),
        parameter=all(t.parameter for t in tensors),
        dtype=first.dtype if all(t.dtype == first.dtype for t in tensors) else "",
        device=first.device if all(t.device == first.device for t in tensors) else "",
        made_by=first.made_by if all(t.made_by == first.made_by for t in tensors) else "",
    )


def tokens_of(value: Value, depth: int = 3) -> frozenset[Token]:
    """Where `value`, or anything in it, came from. Containers are looked into `depth` levels deep."""
    match value:
        case Unknown(tokens=tokens) | Tensor(tokens=tokens):
            return tokens
        case OneOf(options=parts):
            return frozenset[Token]().union(*(tokens_of(part, depth) for part in parts))
        case Container(element=element) if depth:
            return tokens_of(element, depth - 1)  # `element` is the join of all items
        case Iterable(element=element) if depth:
            return tokens_of(element, depth - 1)
        case _:
            return NO_TOKENS


def tokens_of_all(values: ManyOf[Value]) -> frozenset[Token]:
    """Where any of `values` came from."""
    return frozenset[Token]().union(*(tokens_of(value) for value in values))


def holds(holder: Value | None, held: Value | None) -> bool:
    """Whether `held` is `holder`, or can be reached from it."""
    return holder is not None and held is not None and any(part is held for part in reachable(holder))


def came_from(value: Value | None, token: Token) -> bool:
    """Whether `value`, or something that hangs on it, was made by way of `token`."""
    return value is not None and any(token in tokens_of(part) for part in reachable(value, depth=3))


def reachable(value: Value, depth: int = 4) -> Iterator[Value]:
    """`value` and what can be reached from it: items, attributes, what a closure sees of objects."""
    seen: set[int] = set()
    stack = [(value, depth)]
    while stack:
        current, left = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if left:
            stack.extend((part, left - 1) for part in _parts(current))


def _parts(value: Value) -> Iterator[Value]:
    match value:
        case OneOf(options=parts):
            yield from parts
        case Container(items=items, element=element, keyed=keyed):
            yield from items or ()
            yield element
            yield from keyed.values()
        case Iterable(element=element):
            yield element
        case Instance(attributes=attributes, arguments=arguments):
            yield from attributes.values()
            if arguments is not None:
                yield from arguments.all()
        case Params(owners=owners) | Grads(owners=owners):
            yield from owners or ()
        case Function(receiver=receiver):
            if receiver is not None:
                yield receiver
        case BoundMethod(receiver=receiver):
            yield receiver
        case _:
            return
