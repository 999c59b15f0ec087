"""Loops that step in some of their iterations only: what the step waits for."""

from __future__ import annotations

import ast

from torchlore.analysis.events import Branch, Loop, Place
from torchlore.text.nodes import nodes_in


def gate(loop: Loop, place: Place) -> ast.If | None:
    """The `if` around a step, in its loop, that takes a remainder."""
    for step in place.within[place.within.index(loop) + 1 :]:
        if isinstance(step, Branch) and isinstance(step.node, ast.If) and remainder(step.node.test, loop):
            return step.node
    return None


def remainder(test: ast.expr, loop: Loop) -> ast.BinOp | None:
    """The remainder that a condition takes, by itself or by a name that the loop binds to one."""
    names = set()
    for node in nodes_in(test):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return None if isinstance(node.left, ast.Constant) else node
        if isinstance(node, ast.Name):
            names.add(node.id)
    bound = (
        statement.value
        for statement in getattr(loop.node, "body", ())
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in names
    )
    taken = (node for value in bound for node in nodes_in(value))
    return next(
        (node for node in taken if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)), None
    )
