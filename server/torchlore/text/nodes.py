"""Small questions about syntax trees."""

from __future__ import annotations

import ast
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


def statements(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements of a block and of the blocks in them, in the order of the text."""
    found: list[ast.stmt] = []
    waiting = [*reversed(body)]
    while waiting:
        statement = waiting.pop()
        found.append(statement)
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
        stack += [(child, inner) for child in ast.iter_child_nodes(current) if _covers(child, line)]
    return None


def _covers(node: ast.AST, line: int | None) -> bool:
    """Whether `line` can be one of a node's; operators, arguments and such have no lines of their own."""
    if line is None or getattr(node, "lineno", None) is None:
        return True
    last: int = getattr(node, "end_lineno", None) or node.lineno  # type: ignore[attr-defined]
    return first_line(node) < line <= last


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
