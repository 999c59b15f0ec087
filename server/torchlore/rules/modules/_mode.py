"""Whether a place asks for training mode: what applies in `train()` only is right without an argument."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from torchlore.analysis import Analysis
from torchlore.analysis.members import lookup
from torchlore.analysis.values import Const, Function, Number
from torchlore.rules import support
from torchlore.rules.modules._classes import Method, calls_of, method_around
from torchlore.text.nodes import blocks, nodes_in

_DEPTH = 5
"""Definitions and calls are followed back so far."""


def always_applies(analysis: Analysis, method: Method, node: ast.AST, depth: int = _DEPTH) -> bool:
    """Whether `forward` comes by `node` in both modes, as far as the file tells, and surely does.

    Args:
        analysis: of the file.
        method: the method that `node` is in.
        node: what runs there.
    """
    if any(_may_be_switch(analysis, method, test) for test in _tests_before(analysis, method, node)):
        return False
    if method.node.name == "forward":
        return True
    if method.node.name == "__init__" or not depth:
        return False
    calls = list(calls_of(analysis, method))
    ways = [(method_around(analysis, call), call) for call in calls]
    return bool(ways) and all(
        caller is not None
        and caller.node is not method.node
        and always_applies(analysis, caller, call, depth - 1)
        for caller, call in ways
    )


def _tests_before(analysis: Analysis, method: Method, node: ast.AST) -> Iterator[ast.expr]:
    """The tests in a method that decide whether it comes to `node`."""
    outer = analysis.around(node) or ()
    way = [*outer[outer.index(method.node) :], node]
    for around, inner in pairwise(way):
        match around:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if inner is not test:
                yield test
            case ast.BoolOp(values=values):
                yield from (value for value in values if value is not inner)
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.Match(subject=subject):
                yield subject
        for block in blocks(around):
            if inner in block:
                yield from _tests_that_leave(block[: block.index(inner)])


def _tests_that_leave(block: list[ast.stmt]) -> Iterator[ast.expr]:
    """`if not self.training: return x`, above in the same block.

    What raises asks whether arguments are right, unless it names the mode.
    """
    for statement in block:
        if isinstance(statement, ast.If):
            last = [branch[-1] for branch in (statement.body, statement.orelse) if branch]
            leaves = any(isinstance(end, ast.Return | ast.Continue | ast.Break) for end in last)
            if leaves or (any(isinstance(end, ast.Raise) for end in last) and _names_mode(statement.test)):
                yield statement.test


def _names_mode(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "training" for node in nodes_in(test))


def _may_be_switch(analysis: Analysis, method: Method, test: ast.expr, depth: int = _DEPTH) -> bool:
    """Whether a test may ask, in whatever words, whether the model is being trained.

    What is compared with a number or with None, or asks for a type, does not.
    """
    match test:
        case ast.BoolOp(values=parts):
            return any(_may_be_switch(analysis, method, part, depth) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _may_be_switch(analysis, method, inner, depth)
        case ast.Compare(left=left, comparators=[right]) if _is_plain(left) or _is_plain(right):
            return any(
                follows_mode(analysis, method, part, depth)
                for part in (left, right)
                if not (isinstance(part, ast.Name) and part.id in _parameters(method))
            )
        case ast.Compare(ops=ops) if all(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in ops):
            return follows_mode(analysis, method, test, depth)  # a mode is not more or less than another
        case ast.Call(func=ast.Name(id="isinstance" | "hasattr" | "len")):
            return follows_mode(analysis, method, test, depth)
    value = analysis.value(test)
    is_number = isinstance(value, Number) or (
        isinstance(value, Const) and not isinstance(value.value, bool | str)
    )
    return not is_number or follows_mode(analysis, method, test, depth)


def _is_plain(node: ast.expr) -> bool:
    is_literal = isinstance(node, ast.Constant) and not isinstance(node.value, bool | str)
    return is_literal or (isinstance(node, ast.UnaryOp) and _is_plain(node.operand))


def follows_mode(analysis: Analysis, method: Method, node: ast.expr, depth: int = _DEPTH) -> bool:
    """Whether a value may be another one in training than in evaluation.

    `self.p if self.training else 0.0`, by whatever names it comes here; a parameter, which callers may
    choose so; an attribute that is set elsewhere than in `__init__`.
    """
    if not depth:
        return True
    match node:
        case ast.Attribute(attr="training"):
            return True
        case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == method.receiver:
            return _is_set_later(method, attr)
        case ast.Name(id=name):
            return _name_follows_mode(analysis, method, name, depth)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name == method.receiver:
            return True
    parts = (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
    return any(follows_mode(analysis, method, part, depth) for part in parts)


def _name_follows_mode(analysis: Analysis, method: Method, name: str, depth: int) -> bool:
    if name in _parameters(method):
        return name != method.receiver
    for part in nodes_in(method.node):
        match part:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                tests = _tests_before(analysis, method, part)
                if any(_may_be_switch(analysis, method, test, depth - 1) for test in tests):
                    return True
                if follows_mode(analysis, method, value, depth - 1):
                    return True
            case ast.AugAssign(target=ast.Name(id=bound), value=value) if bound == name:
                if follows_mode(analysis, method, value, depth - 1):
                    return True
            case ast.Name(id=bound, ctx=ast.Store()) if bound == name:
                if not _is_plainly_assigned(analysis, part):
                    return True
    return False


def _parameters(method: Method) -> set[str]:
    arguments = method.node.args
    return {part.arg for part in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}


def _is_plainly_assigned(analysis: Analysis, target: ast.Name) -> bool:
    outer = support.parent(analysis, target)
    return isinstance(outer, ast.AugAssign) or (isinstance(outer, ast.Assign) and outer.targets == [target])


def _is_set_later(method: Method, attr: str) -> bool:
    """Whether an attribute is a property, or a method of the class other than `__init__` sets it."""
    if isinstance(lookup(method.cls, attr), Function):
        return True
    others = (
        part for part in method.cls.node.body if isinstance(part, ast.FunctionDef) and part.name != "__init__"
    )
    return any(
        isinstance(part, ast.Attribute) and part.attr == attr and isinstance(part.ctx, ast.Store)
        for other in others
        for part in nodes_in(other)
    )
