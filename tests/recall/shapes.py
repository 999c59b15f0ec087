"""Mistakes in sizes: what is written out is changed so that it no longer fits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from math import prod

from torchlore.text import Source

from tests.recall.arguments import given, is_seen_whole, text, value
from tests.recall.binding import Scope, held, scopes
from tests.recall.layers import module_classes
from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import full_name, method_call

_IN_OUT = {
    "torch.nn.Linear": ("in_features", "out_features"),
    **{f"torch.nn.Conv{n}d": ("in_channels", "out_channels") for n in (1, 2, 3)},
    **{f"torch.nn.ConvTranspose{n}d": ("in_channels", "out_channels") for n in (1, 2, 3)},
}
_NORMS = {f"torch.nn.BatchNorm{n}d": ("num_features", "num_features") for n in (2, 3)}
_SAME = frozenset(
    f"torch.nn.{name}"
    for name in ("ReLU", "LeakyReLU", "ELU", "GELU", "SELU", "SiLU", "Tanh", "Sigmoid", "Dropout", "Identity")
)
_SAME_FUNCTIONS = frozenset(
    f"torch.{home}{name}"
    for home in ("", "nn.functional.")
    for name in ("relu", "tanh", "sigmoid", "dropout", "leaky_relu", "elu", "gelu", "silu")
)


@plants("mismatched-layers", "Linear", "Conv", "BatchNorm")
def wider_layer(source: Source) -> Iterator[Mutant]:
    """A layer takes one feature more than the layer before it gives, where both sizes are numbers."""
    for scope in scopes(source):
        for node in scope.nodes:
            if isinstance(node, ast.Call) and full_name(source, node.func) == "torch.nn.Sequential":
                yield from _widened(source, node.args)
    for scope in scopes(source):
        if scope.cls in module_classes(source) and getattr(scope.node, "name", "") == "forward":
            for row in _rows(source, scope):
                yield from _widened(source, row)


def _widened(source: Source, row: list[ast.expr]) -> Iterator[Mutant]:
    """Mutants of layers that follow one another, but for what leaves the width as it is."""
    sized = [layer for layer in row if full_name(source, getattr(layer, "func", layer)) not in _SAME]
    for one, other in pairwise(sized):
        out, taken = _width(source, one, 1), _width(source, other, 0)
        if out is None or taken is None or out.value != taken.value or _has_groups(other):
            continue
        yield from mutant(source, taken.lineno, [replaced(source, taken, str(int(taken.value) + 1))])


def _width(source: Source, layer: ast.expr, side: int) -> ast.Constant | None:
    """The number of features that a layer takes (0) or gives (1), where it is a number."""
    if not isinstance(layer, ast.Call) or not is_seen_whole(layer):
        return None
    name = full_name(source, layer.func)
    names = _IN_OUT.get(name) or _NORMS.get(name)
    if names is None:
        return None
    width = value(given(layer, side if name in _IN_OUT else 0, names[side]))
    return width if isinstance(width, ast.Constant) and isinstance(width.value, int) else None


def _has_groups(layer: ast.expr) -> bool:
    return isinstance(layer, ast.Call) and given(layer, 6, "groups") is not None


def _rows(source: Source, scope: Scope) -> Iterator[list[ast.expr]]:
    """The layers that `forward` calls on what the layer before gave, statement by statement."""
    row: list[ast.expr] = []
    name = ""
    for statement in getattr(scope.node, "body", []):
        computed = statement.value if isinstance(statement, ast.Assign | ast.Return) else None
        innermost, layers = _unwrapped(source, scope, computed) if computed is not None else ("", None)
        if layers is None or innermost != name:
            yield row
            row = []
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        row += layers or []
        name = target.id if layers is not None and isinstance(target, ast.Name) else ""
    yield row


def _unwrapped(source: Source, scope: Scope, node: ast.expr) -> tuple[str, list[ast.expr] | None]:
    """The name in the middle of `relu(self.fc(x))` and the layers that are called on it, in turn."""
    if isinstance(node, ast.Name):
        return node.id, []
    if not isinstance(node, ast.Call) or not node.args:
        return "", None
    name, layers = _unwrapped(source, scope, node.args[0])
    if layers is None or full_name(source, node.func) in _SAME_FUNCTIONS:
        return name, layers
    layer = held(scope, node.func)
    return (name, [*layers, layer]) if isinstance(layer, ast.Call) and len(node.args) == 1 else ("", None)


_FACTORIES = frozenset(f"torch.{name}" for name in ("randn", "rand", "zeros", "ones", "empty"))


def written_sizes(source: Source, scope: Scope, node: ast.expr | None) -> list[int] | None:
    """The sizes of a tensor that is made with all of them written out, here or where its name is set."""
    node = held(scope, node) if isinstance(node, ast.Name) else node
    if not isinstance(node, ast.Call):
        return None
    name = full_name(source, node.func)
    if name == "torch.arange" and len(node.args) == 1:
        sizes = [node.args[0]]
    elif name in _FACTORIES:
        is_one = len(node.args) == 1 and isinstance(node.args[0], ast.Tuple | ast.List)
        sizes = node.args[0].elts if is_one else node.args  # type: ignore[attr-defined]
    else:
        return None
    return _numbers(sizes)


def _numbers(nodes: list[ast.expr]) -> list[int] | None:
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    numbers = [number for number in values if isinstance(number, int) and not isinstance(number, bool)]
    return numbers if len(numbers) == len(nodes) and numbers else None


@plants("impossible-view", ".view(", ".reshape(")
def view_of_more(source: Source) -> Iterator[Mutant]:
    """The last size of a view of a tensor whose sizes are written out is one more."""
    for scope in scopes(source):
        if _waits_for_an_error(source, scope):
            continue
        for call in (
            method_call(node, "view", "reshape") for node in scope.nodes if isinstance(node, ast.Call)
        ):
            if call is None or not isinstance(call.func, ast.Attribute) or call.keywords:
                continue
            is_one = len(call.args) == 1 and isinstance(call.args[0], ast.Tuple | ast.List)
            asked = call.args[0].elts if is_one else call.args  # type: ignore[attr-defined]
            sizes, wanted = written_sizes(source, scope, call.func.value), _numbers(asked)
            if sizes is not None and wanted is not None and prod(sizes) == prod(wanted) > 0:
                edit = replaced(source, asked[-1], str(wanted[-1] + 1))
                yield from mutant(source, call.lineno, [edit])


def _waits_for_an_error(source: Source, scope: Scope) -> bool:
    """Whether a function is a test that something raises: an error more may be what it wants."""
    return not isinstance(scope.node, ast.Module) and "aises" in text(source, scope.node)  # type: ignore[arg-type]


@plants("mismatched-concatenation", "torch.cat", "torch.stack")
def one_is_longer(source: Source) -> Iterator[Mutant]:
    """One of the tensors that are put together is longer in another dimension; all sizes are written out."""
    for scope in scopes(source):
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            name = full_name(source, call.func)
            if name not in ("torch.cat", "torch.stack") or not call.args:
                continue
            tensors, dim = call.args[0], value(given(call, 1, "dim"))
            if not isinstance(tensors, ast.List | ast.Tuple) or len(tensors.elts) < 2:
                continue
            sizes = [written_sizes(source, scope, tensor) for tensor in tensors.elts]
            along = _numbers([dim]) if dim is not None else [0]
            if None in sizes or along is None:
                continue
            last = tensors.elts[-1]
            place = held(scope, last) if isinstance(last, ast.Name) else last
            others = [held(scope, one) if isinstance(one, ast.Name) else one for one in tensors.elts[:-1]]
            if place in others:
                continue
            yield from _longer(source, place, None if name == "torch.stack" else along[0])


def _longer(source: Source, call: ast.expr | None, along: int | None) -> Iterator[Mutant]:
    if not isinstance(call, ast.Call):
        return
    is_one = len(call.args) == 1 and isinstance(call.args[0], ast.Tuple | ast.List)
    sizes: list[ast.expr] = call.args[0].elts if is_one else call.args  # type: ignore[attr-defined]
    other = next((at for at in range(len(sizes)) if along is None or at != along % len(sizes)), None)
    numbers = _numbers(sizes)
    if other is not None and numbers is not None:
        edit = replaced(source, sizes[other], str(numbers[other] + 1))
        yield from mutant(source, call.lineno, [edit])


@plants("impossible-broadcast", *(f"torch.{name}(" for name in ("randn", "rand", "zeros", "ones", "empty")))
def one_does_not_fit(source: Source) -> Iterator[Mutant]:
    """The last size of one operand is one more: those of both are written out, and are not 1."""
    for scope in scopes(source):
        for node in scope.nodes:
            match node:
                case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
                    one, other = written_sizes(source, scope, left), written_sizes(source, scope, right)
                    place = held(scope, right) if isinstance(right, ast.Name) else right
                    if one and other and one[-1] == other[-1] > 1:
                        yield from _last_longer(source, place)


@plants("mismatched-matmul", "torch.matmul", "torch.mm", " @ ", "torch.bmm")
def rows_do_not_fit(source: Source) -> Iterator[Mutant]:
    """The last size of the left factor is one more: those of both are written out."""
    products = ("torch.matmul", "torch.mm", "torch.bmm")
    for scope in scopes(source):
        for node in scope.nodes:
            match node:
                case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                    factors = [left, right]
                case ast.Call(func=func, args=[left, right]) if full_name(source, func) in products:
                    factors = [left, right]
                case _:
                    continue
            one, other = (written_sizes(source, scope, factor) for factor in factors)
            place = held(scope, factors[0]) if isinstance(factors[0], ast.Name) else factors[0]
            if one and other and len(one) > 1 and len(other) > 1 and one[-1] == other[-2]:
                yield from _last_longer(source, place)


def _last_longer(source: Source, call: ast.expr | None) -> Iterator[Mutant]:
    if isinstance(call, ast.Call):
        is_one = len(call.args) == 1 and isinstance(call.args[0], ast.Tuple | ast.List)
        last = call.args[0].elts[-1] if is_one else call.args[-1]  # type: ignore[attr-defined]
        numbers = _numbers([last])
        if numbers is not None:
            yield from mutant(source, call.lineno, [replaced(source, last, str(numbers[0] + 1))])
