"""Questions about values: whether two are the same, what several have in common, what hangs on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from collections.abc import Iterable as ManyOf
from typing import Any

from torchlore.analysis.shapes.shape import joined as shape_in_common
from torchlore.analysis.values import (
    NO_TOKENS,
    Batch,
    BoundMethod,
    Const,
    Container,
    Coroutine,
    Function,
    Grads,
    Instance,
    Iterable,
    Lazy,
    LocalClass,
    LocalModule,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Token,
    Unknown,
    Value,
)

MAX_ALTERNATIVES = 5
"""A value that may be more different things than this is unknown."""

_DEPTH = 4
"""Things that hang on a value are looked for so deep."""

_TOO_MANY = 40
"""Alternatives compared with one another (tensors, of which many make one) before a join gives up."""


def options(value: Value) -> tuple[Value, ...]:
    """The things that `value` may be. None is left out where it may be something else too."""
    if not isinstance(value, OneOf):
        return (value,)
    solid = [v for v in value.options if not (v.__class__ is Const and v.value is None)]
    return tuple(solid) if solid else value.options


def is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def has_unknown(value: Value) -> bool:
    """Whether `value` may be something of which nothing is known: where it came from alone says little."""
    if value.__class__ is OneOf:
        return any(option.__class__ in _OPEN for option in options(value))
    return value.__class__ in _OPEN


_OPEN = frozenset({Unknown, BoundMethod})


def filled(value: Value, said: Value | None) -> Value:
    """`value`, of which what is not known is what an annotation says; None where it says nothing.

    Of several things that are known those count that the annotation allows, if it allows any.
    """
    if said is None or isinstance(said, Unknown):
        return value
    parts = value.options if isinstance(value, OneOf) else (value,)
    known = [part for part in parts if part.__class__ not in _OPEN]
    sorts = {_sort(option) for option in (said.options if isinstance(said, OneOf) else (said,))}
    allowed = [part for part in known if "" in sorts or _sort(part) in {*sorts, "", "none"}]
    if any(_sort(part) not in ("", "none") for part in allowed):
        known = allowed
    if len(known) == len(parts):
        return value
    is_open = any(part.__class__ in _OPEN for part in parts)
    return join([*known, said] if is_open else known)


def _sort(value: Value) -> str:
    """What tells values apart that cannot be the same; empty where it is not known what a value is."""
    match value:
        case Tensor():
            return "tensor"
        case Container(kind="list" | "tuple"):
            return "sequence"
        case Container(kind=kind):
            return kind
        case Instance():
            return "object"
        case Const(value=None):
            return "none"
        case Number() | Const(value=bool() | int() | float()):
            return "number"
        case Const(value=str()):
            return "str"
        case _:
            own: str = getattr(value, "kind", "")  # plain objects tell themselves
            return "number" if own == "bool" else own


def join(values: list[Value]) -> Value:
    """What is known of a value that may be any of `values`."""
    if not values:
        return Unknown()
    flat: list[Value] = []
    tensors: list[Tensor] = []
    for value in values:
        if value.__class__ is Lazy:
            value = value.resolve()
        if value.__class__ is OneOf:
            for option in value.options:
                _add(option, flat, tensors)
            if len(flat) + len(tensors) > _TOO_MANY:
                return Unknown(tokens_of_all(values))
        else:
            _add(value, flat, tensors)
    if len(flat) + len(tensors) > _TOO_MANY:
        return Unknown(tokens_of_all(values))
    if tensors:
        flat.append(tensors[0] if len(tensors) == 1 else _join_tensors(tensors))
    if len(flat) == 1:
        return flat[0]
    if len(flat) > MAX_ALTERNATIVES:
        return Unknown(tokens_of(OneOf(tuple(flat))))
    return OneOf(tuple(flat))


def _add(value: Value, flat: list[Value], tensors: list[Tensor]) -> None:
    """Adds an alternative that is not there yet. This is where joins spend their time."""
    cls = value.__class__
    if cls is Tensor:
        for tensor in tensors:
            if tensor is value:
                return
        tensors.append(value)  # type: ignore[arg-type]
        return
    for known in flat:
        if known is value or (cls is known.__class__ and cls in _EQUAL and same(known, value)):
            return
    flat.append(value)


_EQUAL = frozenset({Const, Ref, Number})
"""Kinds of values of which two may be the same although they are two objects."""


def has_new_kind(before: Value | None, after: Value | None) -> bool:
    """Whether something may be of a kind at the end of a loop's body that it was not at its beginning.

    What was not bound at the beginning is not read before it is bound.
    """
    if before is None or after is None or before is after:
        return False
    known = _kinds(before)
    return not _kinds(after) <= (known | _NUMBERS if Number in known else known)


_NUMBERS = {int, float, Unknown}
"""Kinds that are no news where any number may be: what is counted on with something unknown is one again."""


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
    if a.__class__ is not b.__class__:
        return False
    if isinstance(a, Const) and isinstance(b, Const):
        return type(a.value) is type(b.value) and a.value == b.value
    if isinstance(a, Ref) and isinstance(b, Ref):
        return a.name == b.name
    return isinstance(a, Number)


def alike(a: Value | None, b: Value | None) -> bool:
    """Whether nothing that reads `a` would come to another result with `b`, but for where they came from."""
    if a is b:
        return True
    if a is None or a.__class__ is not b.__class__:
        return False
    match a, b:
        case Tensor(), Tensor():
            return all(getattr(a, name) == getattr(b, name) for name in _SEEN)
        case OneOf(), OneOf():
            return len(a.options) == len(b.options) and all(map(alike, a.options, b.options))
        case Batch(), Batch():
            return True
        case _:
            return same(a, b)


_SEEN = (
    "attached",
    "certain",
    "activation",
    "made_at",
    "parameter",
    "dtype",
    "device",
    "leaf",
    "made_by",
    "shape",
)
"""What there is to know of a tensor, but for its tokens."""


def _join_tensors(tensors: list[Tensor]) -> Tensor:
    """What all of them have in common: one loop, as a generator for each attribute takes thrice as long."""
    first = tensors[0]
    joined = Tensor(
        first.attached,
        first.certain,
        first.activation,
        first.made_at,
        first.tokens,
        first.parameter,
        first.dtype,
        first.device,
        made_by=first.made_by,
        shape=first.shape,
    )
    for tensor in tensors[1:]:
        joined.tokens |= tensor.tokens
        joined.certain &= tensor.certain
        joined.parameter &= tensor.parameter
        if tensor.attached is not joined.attached:
            joined.attached = None
        if tensor.activation != joined.activation:
            joined.activation = None
        if tensor.made_at is not joined.made_at:
            joined.made_at = None
        if tensor.dtype != joined.dtype:
            joined.dtype = ""
        if tensor.device != joined.device:
            joined.device = ""
        if tensor.made_by != joined.made_by:
            joined.made_by = ""
        if joined.shape is not None and tensor.shape != joined.shape:
            joined.shape = shape_in_common(joined.shape, tensor.shape)
    return joined


def tokens_of(value: Value, depth: int = 3) -> frozenset[Token]:
    """Where `value`, or anything in it, came from. Containers are looked into `depth` levels deep."""
    if isinstance(value, Tensor | Unknown):
        return value.tokens
    match value:
        case OneOf(options=parts):
            return frozenset[Token]().union(*(tokens_of(part, depth) for part in parts))
        case Container(element=element) if depth:
            return tokens_of(element, depth - 1)  # `element` is the join of all items
        case Iterable(element=element) | Coroutine(result=element) if depth:
            return tokens_of(element, depth - 1)
        case _:
            return NO_TOKENS


def tokens_of_all(values: ManyOf[Value]) -> frozenset[Token]:
    """Where any of `values` came from."""
    found = NO_TOKENS
    for value in values:
        if value.__class__ not in _WITHOUT_TOKENS:
            tokens = tokens_of(value)
            if tokens:
                found = found | tokens if found else tokens
    return found


_WITHOUT_TOKENS = frozenset({Const, Number, Ref, Instance, Function, LocalClass, BoundMethod, Params})


def holds(holder: Value | None, held: Value | None) -> bool:
    """Whether `held` is `holder`, or can be reached from it."""
    if holder is None or held is None:
        return False
    if holder is held:
        return True
    if _PARTS[holder.__class__] is _none:  # most values are asked about in vain
        return False
    return any(part is held for part in _reachable(holder, _DEPTH))


def holds_any(holder: Value, some: Set[object]) -> bool:
    """Whether one of `some` is `holder`, or can be reached from it."""
    return any(part in some for part in reachable(holder))


def can_be_called(value: Value) -> bool:
    """Whether who gets hold of `value` can call a function of the file: it is one, or holds some."""
    if isinstance(value, Container):
        return any(isinstance(part, Function) for part in (*(value.items or ()), *options(value.element)))
    return isinstance(value, Function)


def came_from(value: Value | None, token: Token) -> bool:
    """Whether `value`, or something that hangs on it, was made by way of `token`."""
    return value is not None and any(token in tokens_of(part) for part in reachable(value, depth=3))


def reachable(value: Value, depth: int = _DEPTH) -> ManyOf[Value]:
    """`value` and what can be reached from it: items, attributes, what a closure sees of objects."""
    return (value,) if _PARTS[value.__class__] is _none else _reachable(value, depth)


def _reachable(value: Value, depth: int) -> Iterator[Value]:
    yield value
    seen = {id(value)}
    holders = [value]
    while holders and depth:
        depth -= 1
        parts = [part for holder in holders for part in _PARTS[holder.__class__](holder)]
        holders = []
        for part in parts:
            if id(part) not in seen:
                seen.add(id(part))
                if _PARTS[part.__class__] is not _none:
                    holders.append(part)
                yield part


def _none(_: Value) -> ManyOf[Value]:
    return ()


def _in_container(value: Container) -> ManyOf[Value]:
    return (*(value.items or ()), value.element, *value.keyed.values())


def _on_instance(value: Instance) -> ManyOf[Value]:
    held = value.attributes.values()
    return held if value.arguments is None else (*held, *value.arguments.all())


_Parts = Callable[[Any], ManyOf[Value]]


class _ByKind(dict[type[Value], _Parts]):
    """A kind that has no entry is as the one that it derives from; most hold nothing."""

    def __missing__(self, kind: type[Value]) -> _Parts:
        self[kind] = next((self[base] for base in kind.__mro__[1:] if base in self), _none)
        return self[kind]


_PARTS = _ByKind(
    {
        OneOf: lambda value: value.options,
        Container: _in_container,
        Iterable: lambda value: (value.element,),
        Coroutine: lambda value: (value.result,),
        Instance: _on_instance,
        Params: lambda value: value.owners or (),
        Grads: lambda value: value.owners or (),
        Function: lambda value: () if value.receiver is None else (value.receiver,),
        BoundMethod: lambda value: (value.receiver,),
    }
)
"""What hangs directly on a value, by its kind: asked of everything that is handed to code we cannot see."""
