"""What dtype an array of NumPy, or a tensor made of it, has: told from the expressions that make it."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.names import words
from torchlore.analysis.values import Ref
from torchlore.rules import bindings
from torchlore.text.nodes import nodes_in

_FLOAT64 = frozenset(f"numpy.{name}" for name in words("zeros ones empty eye identity linspace logspace")) | {
    f"numpy.random.{name}"
    for name in words("rand randn random random_sample uniform normal standard_normal exponential beta gamma")
}
"""Functions that give float64 where no dtype is asked for."""

_KEEP = words(
    "copy reshape flatten ravel squeeze transpose swapaxes clip repeat round"
    " view unsqueeze permute contiguous clone detach cuda cpu"
)
"""Methods of arrays and of tensors that keep the dtype."""

_TENSORS = frozenset({"torch.from_numpy", "torch.as_tensor", "torch.tensor"})
"""Functions that make a tensor of the array's dtype, where no other one is asked for."""

_NAMED = {"double": "float64", "float": "float64", "single": "float32", "half": "float16", "int": "int64"}
_MOST = 8
"""Expressions that one is traced through."""


def dtype_of(analysis: Analysis, node: ast.expr, left: int = _MOST) -> str:
    """The dtype ("float64") of the array or tensor that `node` surely is; empty where that is not known."""
    if not left:
        return ""
    match node:
        case ast.Name():
            bound = bindings.last_value(analysis, node)
            return dtype_of(analysis, bound, left - 1) if bound is not None else ""
        case ast.Attribute(value=inner, attr="T"):
            return dtype_of(analysis, inner, left - 1)
        case ast.Call(func=ast.Attribute(value=inner, attr="astype"), args=[dtype, *_]):
            return _named(analysis, dtype) if _is_array(analysis, inner, left) else ""
        case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in _KEEP and not _name(
            analysis, node.func
        ):
            return dtype_of(analysis, inner, left - 1)
        case ast.Call(args=[array], keywords=[]) if _name(analysis, node.func) in _TENSORS:
            return dtype_of(analysis, array, left - 1)
        case ast.Call():
            return _made(analysis, node)
        case ast.BinOp(left=one, right=ast.Constant(value=int() | float())):
            return dtype_of(analysis, one, left - 1)
        case _:
            return ""


def _is_array(analysis: Analysis, node: ast.expr, left: int) -> bool:
    return (
        dtype_of(analysis, node, left - 1) != ""
        or getattr(analysis.value(node), "kind", "") == "numpy.ndarray"
    )


def _made(analysis: Analysis, call: ast.Call) -> str:
    """What a function of NumPy makes: of the dtype that is asked for, or of its own."""
    name = _name(analysis, call.func)
    if not name.startswith("numpy.") or any(keyword.arg is None for keyword in call.keywords):
        return ""
    asked = next((keyword.value for keyword in call.keywords if keyword.arg == "dtype"), None)
    if asked is not None:
        return _named(analysis, asked)
    if name in ("numpy.array", "numpy.asarray") and len(call.args) == 1:
        return _of_literals(call.args[0])
    takes_dtype_second = name in ("numpy.zeros", "numpy.ones", "numpy.empty")
    return "float64" if name in _FLOAT64 and not (takes_dtype_second and len(call.args) > 1) else ""


def _of_literals(node: ast.expr) -> str:
    """What lists of numbers give: one that is no whole number makes all of them float64."""
    literals = [part.value for part in nodes_in(node) if isinstance(part, ast.Constant)]
    plain = (ast.List, ast.Tuple, ast.Constant, ast.UnaryOp, ast.USub, ast.Load)
    if not literals or not all(isinstance(part, plain) for part in nodes_in(node)):
        return ""
    if not all(type(literal) in (int, float) for literal in literals):
        return ""
    return "float64" if any(isinstance(literal, float) for literal in literals) else "int64"


def _named(analysis: Analysis, node: ast.expr) -> str:
    """What an expression for a dtype names: `np.float32`, `"float32"`, `float`."""
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
    else:
        package, _, text = _name(analysis, node).rpartition(".")
        if package not in ("numpy", "builtins"):
            return ""
    return _NAMED.get(text, text)


def _name(analysis: Analysis, node: ast.expr) -> str:
    value = analysis.value(node)
    return value.name if isinstance(value, Ref) else ""
