"""Loops over epochs, and the loops over loaders in them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.events import Loop
from torchlore.analysis.values import Const, Ref


@dataclass(frozen=True, slots=True)
class Epochs:
    """A loop over a range of numbers: the step of a path, and its statement."""

    loop: Loop
    node: ast.For


def epochs(analysis: Analysis, loop: Loop) -> Epochs | None:
    """A loop that runs by number, more than once; None where it goes over anything else."""
    node = loop.node
    if not isinstance(node, ast.For) or not _counts(analysis, node.iter):
        return None
    return Epochs(loop, node)


def _counts(analysis: Analysis, node: ast.expr) -> bool:
    """Whether `node` is `range(…)`, `trange(…)` or `count(…)`, or a progress bar over one of them."""
    if not isinstance(node, ast.Call):
        return False
    callee = analysis.value(node.func)
    if not isinstance(callee, Ref):
        return False
    if callee.name in _BARS and node.args:
        return _counts(analysis, node.args[0])
    only = analysis.value(node.args[0]) if len(node.args) == 1 else None
    if isinstance(only, Const) and only.value == 1 and not node.keywords:
        return False
    return callee.name in _RANGES


_BARS = frozenset({"tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "tqdm.rich.tqdm"})
_RANGES = frozenset({"builtins.range", "tqdm.trange", "tqdm.auto.trange", "itertools.count"})


def is_same_name(analysis: Analysis, name: ast.expr, there: ast.AST, here: ast.AST) -> bool:
    """Whether `name`, as it is written at `there`, means the same at `here`.

    A variable does within one function, an attribute of `self` within one class. That neither was bound
    to something else in between is not asked.
    """
    base = name
    while isinstance(base, ast.Attribute):
        base = base.value
    if not isinstance(base, ast.Name):
        return False
    one, other = _scopes(analysis, there), _scopes(analysis, here)
    if one == other:
        return True
    is_attribute = base is not name
    return is_attribute and base.id == "self" and len(one) > 1 and one[:-1] == other[:-1] and _in_class(one)


def _scopes(analysis: Analysis, node: ast.AST) -> tuple[ast.AST, ...]:
    """The functions and classes around a node, outermost first."""
    return tuple(outer for outer in analysis.around(node) or () if isinstance(outer, _SCOPES))


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _in_class(scopes: tuple[ast.AST, ...]) -> bool:
    return isinstance(scopes[-2], ast.ClassDef)
