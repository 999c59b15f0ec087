"""Loops that compute gradients in every iteration and step in some: the accumulation of gradients."""

from __future__ import annotations

import ast

from torchlore.analysis.events import Branch, Event, Kind, Loop, Place
from torchlore.analysis.values import Grads, Instance
from torchlore.rules import support


def gate(loop: Loop, place: Place) -> ast.If | None:
    """The `if` around a step, in its loop, that takes a remainder."""
    for step in place.within[place.within.index(loop) + 1 :]:
        if isinstance(step, Branch) and isinstance(step.node, ast.If) and remainder(step.node.test, loop):
            return step.node
    return None


def remainder(test: ast.expr, loop: Loop) -> ast.BinOp | None:
    """The remainder that a condition takes, by itself or by a name that the loop binds to one."""
    names = set()
    for node in ast.walk(test):
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
    taken = (node for value in bound for node in ast.walk(value))
    return next(
        (node for node in taken if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)), None
    )


def is_conditional(place: Place) -> bool:
    return any(isinstance(step, Branch) for step in place.within)


def interferes(event: Event, optimizer: Instance) -> bool:
    """Whether gradients may come from elsewhere than `backward`, or unknown code has the optimizer."""
    if event.kind is Kind.WRITE_GRADS or (event.kind is Kind.ACCUMULATE and isinstance(event.subject, Grads)):
        return True
    return support.holds_on_to(event, optimizer)
