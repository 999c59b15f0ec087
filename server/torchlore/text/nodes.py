"""Small questions about syntax trees."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def blocks(node: ast.AST | None) -> Sequence[list[ast.stmt]]:
    """The blocks of statements that stand in a statement: its body, `else`, `finally`, handlers and cases."""
    cls = node.__class__
    if cls in _PLAIN:
        return ()
    if cls in _WITH_A_BODY:
        return (node.body,)  # type: ignore[union-attr]
    parts = [getattr(node, field, None) for field in ("body", "orelse", "finalbody")]
    parts += [part.body for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ()))]
    return [part for part in parts if isinstance(part, list)]


def statements(body: Sequence[ast.stmt]) -> dict[type[ast.stmt], list[ast.stmt]]:
    """The statements of a block and of the blocks in them, by class, in the order of the text."""
    found: dict[type[ast.stmt], list[ast.stmt]] = {}
    waiting = [*reversed(body)]
    while waiting:
        statement = waiting.pop()
        cls = statement.__class__
        known = found.get(cls)
        if known is None:
            found[cls] = [statement]
        else:
            known.append(statement)
        if cls in _PLAIN:
            continue
        if cls in _WITH_A_BODY:
            waiting += reversed(statement.body)  # type: ignore[attr-defined]
            continue
        for block in reversed(blocks(statement)):
            waiting += reversed(block)
    return found


def around(node: ast.AST, tree: ast.AST) -> tuple[ast.AST, ...] | None:
    """The nodes that `node` lies in, `tree` first; None where it is not of that tree.

    Only what stands on its line is looked through: a map of all nodes takes longer than most rules.
    """
    line = getattr(node, "lineno", None)
    stack: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while stack:
        current, outer = stack.pop()
        if current is node:
            return outer
        inner = (*outer, current)
        for child in _children(current, line):
            begin = getattr(child, "lineno", None)
            if line is None or begin is None:  # operators, arguments and such have no lines of their own
                stack.append((child, inner))
                continue
            end = child.end_lineno or begin  # type: ignore[attr-defined]
            is_decorated = line < begin and getattr(child, "decorator_list", None)
            if begin <= line <= end or (is_decorated and first_line(child) < line):
                stack.append((child, inner))
    return None


def nodes_in(node: ast.AST) -> list[ast.AST]:
    """A node and all nodes below it but for contexts, level by level: `ast.walk` takes twice as long."""
    found = [node]
    for current in found:
        cls = current.__class__
        names = _HOLDING.get(cls)
        if names is None:
            names = _HOLDING[cls] = tuple(name for name in cls._fields if name not in _WITHOUT_NODES)
        for name in names:
            part = getattr(current, name, None)
            if part.__class__ is list:
                found += [item for item in part if isinstance(item, ast.AST)]
            elif isinstance(part, ast.AST):
                found.append(part)
    return found


_HOLDING: dict[type[ast.AST], tuple[str, ...]] = {}
"""The fields of each class that may hold nodes, of those that were met."""

_WITHOUT_NODES = frozenset(
    {
        *("arg", "asname", "attr", "conversion", "ctx", "id"),
        *("is_async", "kind", "level", "module", "simple", "type_comment"),
    }
)


def on_line(block: Sequence[ast.stmt], line: int) -> Sequence[ast.stmt]:
    """The statements of one block that a line (1-based) is a part of, its decorators included."""
    first = bisect_left(block, line, key=_lineno)
    after = bisect_right(block, line, lo=first, key=_lineno)
    if first and (block[first - 1].end_lineno or 0) >= line:
        first -= 1
    if after < len(block) and getattr(block[after], "decorator_list", None):
        after += first_line(block[after]) < line
    return block[first:after]


def _lineno(statement: ast.stmt) -> int:
    return statement.lineno


def _children(node: ast.AST, line: int | None) -> list[ast.AST]:
    """The nodes right below `node`; of statements at least those that stand on the line."""
    found: list[ast.AST] = []
    for name in node._fields:
        part = getattr(node, name, None)
        if part.__class__ is list:
            if line is not None and name in _BLOCKS and isinstance(part, list) and len(part) > _MANY:
                part = on_line(part, line)
            found += [item for item in part if isinstance(item, ast.AST)]
        elif isinstance(part, ast.AST):
            found.append(part)
    return found


_BLOCKS = frozenset({"body", "orelse", "finalbody"})
_MANY = 4
"""Statements of which the right one is looked for."""


def first_line(node: ast.AST) -> int:
    """0-based; a decorated definition begins with its first decorator."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    lines: list[int] = [node.lineno, *(part.lineno for part in decorators)]  # type: ignore[attr-defined]
    return min(lines) - 1


_PLAIN = frozenset(
    {ast.Assign, ast.Expr, ast.Return, ast.AugAssign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.Raise}
)
"""The commonest statements without blocks: most statements are one of these."""

_WITH_A_BODY = frozenset({ast.FunctionDef, ast.ClassDef, ast.With, ast.AsyncFunctionDef, ast.AsyncWith})
"""Those that have one block."""


def jumps_out(body: Sequence[ast.stmt], kinds: tuple[type[ast.stmt], ...]) -> bool:
    """Whether a `break` (or `continue`) in `body` belongs to the loop that `body` belongs to."""
    for statement in body:
        if isinstance(statement, kinds):
            return True
        if isinstance(statement, _LOOPS_AND_SCOPES):
            continue
        if any(jumps_out(block, kinds) for block in blocks(statement)):
            return True
    return False


_LOOPS_AND_SCOPES = (ast.For, ast.AsyncFor, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
