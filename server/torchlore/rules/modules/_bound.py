"""What a name holds at a place, told from the statements above it: a name is often given a new value."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.rules import support


def bound_to(analysis: Analysis, name: ast.Name) -> tuple[ast.expr, tuple[int, ...]] | None:
    """What the assignment that bound `name` last gave, and the places in it that were unpacked.

    `out, (h, c) = lstm(x)` gives the call for each of the names, with `(0,)`, `(1, 0)` and `(1, 1)`. None
    where no statement above, in the same block, surely is that assignment.
    """
    statement = support.statement_of(analysis, name)
    block = support.block_of(analysis, statement) if statement is not None else []
    for before in reversed(block[: block.index(statement)] if statement in block else []):
        match before:
            case ast.Assign(targets=[target], value=value):
                place = _place_in(target, name.id)
                if place is not None:
                    return value, place
        if _binds(before, name.id):
            return None
    return None


def _place_in(target: ast.expr, name: str) -> tuple[int, ...] | None:
    """Where in a target a name stands; None where it does not, or a star makes that depend."""
    match target:
        case ast.Name(id=bound) if bound == name:
            return ()
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            if any(isinstance(part, ast.Starred) for part in parts):
                return None
            for index, part in enumerate(parts):
                inner = _place_in(part, name)
                if inner is not None:
                    return (index, *inner)
    return None


def _binds(statement: ast.stmt, name: str) -> bool:
    """Whether something in a statement may give a name another value."""
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=bound, ctx=ast.Store() | ast.Del()) if bound == name:
                return True
            case ast.Global(names=names) | ast.Nonlocal(names=names) if name in names:
                return True
            case ast.alias() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                own = getattr(node, "asname", None) or node.name
                if own == name:
                    return True
            case ast.ExceptHandler(name=bound) | ast.MatchAs(name=bound) | ast.MatchStar(name=bound):
                if bound == name:
                    return True
    return False
