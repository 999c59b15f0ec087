"""Small questions about syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def blocks(node: ast.AST | None) -> Iterator[list[ast.stmt]]:
    """The blocks of statements that stand in a statement: its body, `else`, `finally`, handlers and cases."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body
