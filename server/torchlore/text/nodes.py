"""Small questions about syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence


def blocks(node: ast.AST | None) -> Iterator[list[ast.stmt]]:
    """The blocks of statements that stand in a statement: its body, `else`, `finally`, handlers and cases."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


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
