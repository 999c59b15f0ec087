"""What a callable of torch takes: each argument with its meaning, its default and its likely values."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from torchlore.knowledge import signatures
from torchlore.knowledge.arguments import exact_names, meaning
from torchlore.knowledge.model import Symbol
from torchlore.knowledge.signatures import Parameter
from torchlore.text.nodes import nodes_in


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that an argument may have, as Python writes it (`'mean'`), and what it says, if known."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a callable.

    Attributes:
        name: of the parameter.
        declared: as the signature has it, with annotation and default.
        text: what it means, in Markdown; empty where nothing is written about it.
        choices: the values that the knowledge, or its annotation, lists.
        wants: "dtype", "device" or "device type" (no number), where only such values make sense; else empty.
        kind: as of `signatures.Parameter`.
    """

    name: str
    declared: str
    text: str
    choices: tuple[Choice, ...]
    wants: str
    kind: str


@lru_cache(maxsize=256)
def arguments_of(symbol: Symbol) -> tuple[Argument, ...]:
    """The arguments of a function, a method or a class, in the order of its signature.

    A signature that hides them (`Tensor.to(*args, **kwargs)`) has those that the knowledge names for it.
    """
    known = signatures.parameters(symbol.signature)
    found = [_argument(symbol, parameter) for parameter in known]
    if not known or any(parameter.kind == "**" for parameter in known):
        names = {parameter.name for parameter in known}
        hidden = [name for name in exact_names(symbol.name) if name not in names]
        at = next((n for n, one in enumerate(found) if one.kind == "**"), len(found))
        found[at:at] = [_argument(symbol, Parameter(name, "", "", "keyword")) for name in hidden]
    return tuple(found)


def argument_at(symbol: Symbol, position: int, keyword: str) -> Argument | None:
    """The argument that is given by a name, or, where that is empty, at a position; None where none is."""
    known = arguments_of(symbol)
    if keyword:
        return next((one for one in known if one.name == keyword), None)
    if position < 0:
        return None
    if (symbol.name.rpartition(".")[2], position) in _DEVICE_FIRST:
        return Argument("device", "device", "", (), "device", "positional")
    slots = [one for one in known if one.kind == "positional"]
    if position < len(slots):
        return slots[position]
    return next((one for one in known if one.kind == "*"), None)


_DEVICE_FIRST = {("device", 0), ("to", 0)}
"""Callables whose signature does not say that they begin with a device."""


def open_arguments(symbol: Symbol, position: int, named: tuple[str, ...]) -> tuple[Argument, ...]:
    """The arguments that can still be given by name: those that must be, then those that are written about.

    A name that begins with an underscore is torch's own.

    Args:
        symbol: what is called.
        position: how many arguments are given by their places; -1 where that is not known.
        named: the names of those that are given by name.
    """
    known = arguments_of(symbol)
    slots = [one.name for one in known if one.kind == "positional"]
    parameters = signatures.parameters(symbol.signature)
    required = {one.name for one in parameters if one.kind[0] != "*" and not one.default}
    taken = {*slots[: max(0, position)], *named}
    free = [one for one in known if one.kind in ("positional", "keyword") and one.name not in taken]
    public = [one for one in free if not one.name.startswith("_")]
    return tuple(sorted(public, key=lambda one: (one.name not in required, _is_rare(one))))


def _is_rare(argument: Argument) -> bool:
    """Whether few will want it: nothing is written about it, or that it is deprecated."""
    return not argument.text or argument.text.startswith("Deprecated")


def _argument(symbol: Symbol, parameter: Parameter) -> Argument:
    known = meaning(symbol.name, parameter.name) if parameter.kind[0] != "*" else None
    written = known.choices.items() if known is not None else ()
    choices = {value: Choice(value, text) for value, text in written}
    for value in _literals(parameter.annotation):
        choices.setdefault(value, Choice(value, ""))
    return Argument(
        name=parameter.name,
        declared=signatures.declared(parameter),
        text=known.text if known is not None else "",
        choices=tuple(choices.values()),
        wants=_WANTED.get(parameter.name, ""),
        kind=parameter.kind,
    )


_WANTED = {
    "dtype": "dtype",
    "param_dtype": "dtype",
    "reduce_dtype": "dtype",
    "device": "device",
    "map_location": "device",
    "device_type": "device type",
}


def _literals(annotation: str) -> tuple[str, ...]:
    """The values of `Literal['zeros', 'reflect']` in an annotation, as Python writes them."""
    if "Literal[" not in annotation:
        return ()
    try:
        tree = ast.parse(annotation, mode="eval")
    except SyntaxError:
        return ()
    inner = [
        node.slice
        for node in nodes_in(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).rpartition(".")[2] == "Literal"
    ]
    values = [node for part in inner for node in nodes_in(part) if isinstance(node, ast.Constant)]
    return tuple(repr(node.value) for node in values)
