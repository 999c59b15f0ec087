"""Mistakes planted in correct code: what a mutant is, and what mutators share.

A mutator looks at the syntax alone. It must not ask the analysis what an expression is: what that does not
know is just what is to be measured. What it plants must be a mistake for whoever reads the file; where the
syntax cannot tell, it plants nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torchlore.text import Edit, Source, Span, apply_edits
from torchlore.text.nodes import blocks

Mutator = Callable[[Source], Iterator["Mutant"]]

MUTATORS: dict[str, list[Mutator]] = {}
"""By the name of the rule that should find what they plant."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One file with one mistake.

    Attributes:
        text: the file.
        line: where the mistake was planted, 1-based.
    """

    text: str
    line: int


def plants(rule: str) -> Callable[[Mutator], Mutator]:
    """Names the rule that should find what a mutator plants."""

    def keep(mutator: Mutator) -> Mutator:
        MUTATORS.setdefault(rule, []).append(mutator)
        return mutator

    return keep


def mutant(source: Source, line: int, edits: list[Edit]) -> Iterator[Mutant]:
    """The file after `edits`; nothing where that does not parse."""
    text = apply_edits(source.text, edits)
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return
    yield Mutant(text, line)


def replaced(source: Source, node: ast.expr | ast.stmt, text: str) -> Edit:
    """Puts `text` in the place of a node."""
    return Edit(source.span(node), text)


def emptied(source: Source, statement: ast.stmt) -> Edit:
    """Leaves `pass` of a statement."""
    return Edit(source.span(statement), "pass")


def inserted(source: Source, statement: ast.stmt, text: str) -> Edit:
    """Puts a statement on a line of its own above another one."""
    start = source.lines.start(statement.lineno - 1)
    indent = source.text[start : source.span(statement).start]
    return Edit(Span(start, start), f"{indent}{text}\n")


def method_call(node: ast.AST | None, *names: str) -> ast.Call | None:
    """`x.name(...)`, as an expression or as a statement; None where it is something else."""
    node = node.value if isinstance(node, ast.Expr) else node
    is_method = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
    )
    return node if is_method else None  # type: ignore[return-value]


def receiver(call: ast.Call) -> str:
    """What a method is called on, as it is written."""
    return ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def written(node: ast.AST) -> str:
    return ast.unparse(node)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Module]:
    """The functions of a file, and the file itself."""
    yield source.tree
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def own_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements in a function, loop or class, without those of functions and classes in it."""
    for block in blocks(node):
        for statement in block:
            yield statement
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from own_statements(statement)


def loops(node: ast.AST) -> Iterator[ast.For | ast.While]:
    """The loops in a function, not those of functions in it."""
    return (s for s in own_statements(node) if isinstance(s, ast.For | ast.While))


def blocks_below(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every block of statements in a node."""
    for block in blocks(node):
        yield block
        for statement in block:
            yield from blocks_below(statement)


def calls(node: ast.AST, *names: str) -> list[ast.Call]:
    """The method calls of these names below a node."""
    return [
        call for inner in ast.walk(node) if (call := method_call(inner, *names)) is not None and call is inner
    ]
