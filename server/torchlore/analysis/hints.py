"""What annotations say. `list[Tensor]` is a value of its own until something is annotated so."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from torchlore.analysis import libraries, members, plain, tensors, torch_facts
from torchlore.analysis.names import words
from torchlore.analysis.queries import is_none, join
from torchlore.analysis.values import (
    Const,
    Container,
    Instance,
    Iterable,
    LocalClass,
    Number,
    OneOf,
    Ref,
    Tensor,
    Unknown,
    Value,
)


@dataclass(eq=False, repr=False, slots=True)
class Subscripted(Value):
    """`origin[arguments]`, a type."""

    origin: str
    arguments: list[Value]


def subscripted(owner: Ref, key: Value) -> Value:
    """`owner[key]` of something imported: a type where `owner` is generic, else what `owner` is."""
    home, _, last = owner.name.rpartition(".")
    arguments = key.items if isinstance(key, Container) and key.items is not None else [key]
    if owner.name in ("os.environ", "sys.argv"):
        return plain.STR
    if not torch_facts.is_class_name(owner.name) and home not in _HOMES:
        return Unknown(made_by=owner.name)
    if home not in _HOMES:
        return owner
    if last == "Optional":
        return union([*arguments, Const(None)])
    if last == "Union":
        return union(arguments)
    if last in _TRANSPARENT and arguments:
        return arguments[0]
    return Subscripted(last.lower(), arguments) if last.lower() in _GENERIC else owner


_HOMES = frozenset({"typing", "typing_extensions", "collections.abc", "collections", "builtins"})
_TRANSPARENT = words("Annotated Final ClassVar Required NotRequired ReadOnly")
_LISTS = words("list sequence mutablesequence deque")
_SETS = words("set frozenset abstractset mutableset")
_DICTS = words("dict mapping mutablemapping ordereddict defaultdict")
_ITERABLES = words("iterable iterator generator collection asynciterator asyncgenerator reversible")
_GENERIC = _LISTS | _SETS | _DICTS | _ITERABLES | words("tuple literal callable type")


def union(parts: list[Value]) -> Value:
    """`A | B`. Types are told apart by identity, so that two `list[…]` stay two."""
    return join(parts)


def with_self(annotation: Value, own: Value) -> Value:
    """An annotation with `own` in the place of `Self`."""
    match annotation:
        case Ref(name="typing.Self" | "typing_extensions.Self"):
            return own
        case OneOf(options=parts):
            meant_parts = [with_self(part, own) for part in parts]
            changed = any(a is not b for a, b in zip(meant_parts, parts, strict=True))
            return join(meant_parts) if changed else annotation
        case Subscripted(origin=origin, arguments=arguments):
            return Subscripted(origin, [with_self(argument, own) for argument in arguments])
        case _:
            return annotation


def meant(annotation: Value, node: ast.AST) -> Value:
    """What something annotated so is.

    Args:
        annotation: the annotation, evaluated.
        node: what is annotated; it stands for where the value was made.
    """
    if not isinstance(annotation, OneOf):
        return _one(annotation, node)
    found = [Const(None) if is_none(option) else _one(option, node) for option in annotation.options]
    if any(isinstance(value, Unknown) for value in found):
        return Unknown()
    return join(found)


def _one(annotation: Value, node: ast.AST) -> Value:
    match annotation:
        case Ref(name=name):
            return _imported(annotation, name, node)
        case LocalClass():
            return Instance(annotation, node)
        case Subscripted(origin=origin, arguments=arguments):
            return _generic(origin, arguments, node)
        case Const(value=None):
            return annotation
        case _:
            return Unknown()


def _imported(annotation: Ref, name: str, node: ast.AST) -> Value:
    if torch_facts.is_tensor_type(name):
        dtype = tensors.dtype_named(annotation)
        return Tensor(dtype="" if dtype == "float32" else dtype)  # it is written for halves, too
    if torch_facts.is_parameter(name):
        return Tensor(attached=None, parameter=True)
    if name == "torch.Size":
        return Container("tuple", None, Number())
    home, _, last = name.rpartition(".")
    if home in _HOMES and last.lower() in _GENERIC:
        return _generic(last.lower(), [], node)
    known = plain.of_class(name)
    if known is None and (members.kind_of_class(annotation) != "Unknown" or libraries.family(name)):
        return Instance(name, node)
    return known or Unknown()


def _generic(origin: str, arguments: list[Value], node: ast.AST) -> Value:
    some = Unknown(frozenset({node}))  # not empty: it holds something that is not known
    parts = [meant(argument, node) for argument in arguments if not _is_ellipsis(argument)]
    parts = [some if isinstance(part, Unknown) else part for part in parts]
    first = parts[0] if parts else some
    if origin == "tuple":
        open_ended = len(parts) < len(arguments) or not parts
        return Container("tuple", None if open_ended else parts, first if open_ended else join(parts))
    if origin == "literal":
        texts = all(isinstance(a, Const) and isinstance(a.value, str) for a in arguments)
        return join(arguments) if len(arguments) == 1 else plain.STR if texts else Unknown()
    if origin in _DICTS:
        return Container("dict", None, parts[1] if len(parts) > 1 else some)
    if origin in _LISTS:
        return Container("list", None, first)
    if origin in _SETS:
        return Container("set", None, first)
    return Iterable(first) if origin in _ITERABLES else Unknown()


def _is_ellipsis(value: Value) -> bool:
    return isinstance(value, Const) and value.value is Ellipsis
