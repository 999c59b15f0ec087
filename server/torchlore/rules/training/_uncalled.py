"""Statements that name a method and do not call it: `optimizer.zero_grad` on a line of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import holds
from torchlore.analysis.values import BoundMethod, Const, Function, OneOf, Ref, Value
from torchlore.text import Source


@dataclass(frozen=True, eq=False, slots=True)
class Uncalled:
    """A statement that names something of torch's that acts when it is called.

    Attributes:
        node: what is written.
        name: the dotted name of a function, or a method with the kind of its object: `Optimizer.step`.
        receiver: what a method is one of; None of a function.
    """

    node: ast.Attribute
    name: str
    receiver: Value | None


def are_in(source: Source) -> bool:
    """Whether some statement is an attribute and nothing else."""
    return any(isinstance(statement.value, ast.Attribute) for statement in source.every(ast.Expr))


def uncalled(analysis: Analysis) -> Iterator[Uncalled]:
    """All of them, in the order of the text."""
    for statement in analysis.source.every(ast.Expr):
        node = statement.value
        if isinstance(node, ast.Attribute):
            named = _named(analysis.value(node))
            if named is not None and not _is_tried(analysis, node) and analysis.is_whole(node):
                yield Uncalled(node, *named)


def is_only_named(analysis: Analysis, method: str, value: Value, around: ast.AST) -> bool:
    """Whether a method of `value`, or of what holds it, is named and not called somewhere in `around`."""
    return are_in(analysis.source) and any(
        found.node.attr == method
        and (holds(found.receiver, value) or holds(value, found.receiver))
        and around in (analysis.around(found.node) or ())
        for found in uncalled(analysis)
    )


def _named(value: Value) -> tuple[str, Value | None] | None:
    match value:
        case Ref(name=name) if name.startswith("torch."):
            return name, None
        case BoundMethod(receiver=receiver, name=name) if kind_of(receiver) != "Unknown":
            return (f"{kind_of(receiver)}.{name}", receiver) if not _by_convention(receiver) else None
        case Function(node=ast.FunctionDef(name=name), receiver=receiver) if receiver is not None:
            return (f"{kind_of(receiver)}.{name}", receiver) if kind_of(receiver) != "Unknown" else None
        case OneOf(options=parts):
            named = [_named(part) for part in parts if not isinstance(part, Const)]
            first = named[0] if named else None
            return first if first and all(other and other[0] == first[0] for other in named) else None
        case _:
            return None


def _by_convention(value: Value) -> bool:
    """Whether only convention says that this is a tensor."""
    return getattr(value, "certain", True) is False


def _is_tried(analysis: Analysis, node: ast.AST) -> bool:
    """Whether the statement asks whether there is such an attribute."""
    return any(
        isinstance(outer, ast.Try) and any(map(_catches_it, outer.handlers))
        for outer in analysis.around(node) or ()
    )


def _catches_it(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id == "AttributeError" for kind in kinds)
