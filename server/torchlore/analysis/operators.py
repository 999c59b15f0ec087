"""What operators give: arithmetic, comparisons, subscripts."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from torchlore.analysis import containers, hints, loaders, plain, tensors
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import join, options, tokens_of, tokens_of_all
from torchlore.analysis.shapes import following, reducing
from torchlore.analysis.values import (
    Batch,
    Const,
    Container,
    Instance,
    LocalClass,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)


def combine(left: Value, right: Value, op: ast.operator | None = None) -> Value:
    """The result of arithmetic. `op` is None where something like it is meant."""
    alternatives = (_operands(left), _operands(right))
    parts = [*alternatives[0], *alternatives[1]]
    if Tensor in {part.__class__ for part in parts}:
        return _combined_tensor(alternatives, parts, op)
    if all(map(tensors.is_number, parts)):
        return plain.made("number")
    if any(isinstance(part, Plain) or _is_text(part) for part in parts):
        return join([_with_plain(a, b, op) for a in alternatives[0] for b in alternatives[1]])
    owned = [part for part in parts if isinstance(part, Params)]
    if owned and all(isinstance(part, Params) or _is_empty(part) for part in parts):
        known = [part.owners for part in owned if part.owners is not None]
        return Params(frozenset().union(*known) if len(known) == len(owned) else None)
    lists = [part for part in parts if isinstance(part, Container)]
    if len(parts) == 2 and lists:
        found = containers.combined(parts[0], parts[1], op)
        if found is not None:
            return found
    return Unknown(tokens_of_all(parts))


def _is_empty(value: Value) -> bool:
    """Whether something is a list of nothing: `(list(head.parameters()) if head else [])`."""
    return isinstance(value, Container) and value.kind in ("list", "tuple") and value.items == []


def folded(left: Const, right: Const, op: ast.operator) -> Const | None:
    """Arithmetic on two numbers that are known; None where it is not simple, or makes a huge number."""
    a, b, compute = left.value, right.value, _ARITHMETIC.get(type(op))
    if compute is None or type(a) not in (int, float) or type(b) not in (int, float):
        return None
    if isinstance(op, ast.Pow) and not (abs(a) < _LARGE and abs(b) <= _EXPONENT):  # type: ignore[arg-type]
        return None
    try:
        result = compute(a, b)
    except (ArithmeticError, ValueError):
        return None
    return Const(result) if isinstance(result, float) or abs(result) < _LARGE**2 else None


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LARGE = 1 << 31
_EXPONENT = 64


def _operands(value: Value) -> tuple[Value, ...]:
    """What takes part in arithmetic: a parameter as the tensor that it is."""
    if value.__class__ is not OneOf and value.__class__ is not Params:
        return (value,)
    return tuple(
        tensors.of_parameter(option) if isinstance(option, Params) and option.one else option
        for option in options(value)
    )


def _with_plain(left: Value, right: Value, op: ast.operator | None) -> Value:
    return plain.arithmetic(left, right, op) or Unknown(tokens_of_all((left, right)))


def _is_text(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, str)


def _combined_tensor(
    operands: tuple[tuple[Value, ...], ...], parts: list[Value], op: ast.operator | None
) -> Tensor:
    """The result of arithmetic with tensors. What an operand only may be says nothing for certain."""
    tokens = tokens_of_all(parts)
    certain = is_attached = False
    for operand in operands:
        found = [part for part in operand if isinstance(part, Tensor)]
        if len(found) == len(operand):
            certain = certain or all(part.certain for part in found)
            is_attached = is_attached or all(part.attached for part in found)
    attached = True if is_attached else False if all(map(_is_graphless, parts)) else None
    dtype, device = _kind_of_result(parts, op)
    shape = following.of_operator(parts[0], parts[1], op) if len(parts) == 2 else None
    return Tensor(attached, certain, tokens=tokens, dtype=dtype, device=device, shape=shape)


def _is_graphless(part: Value) -> bool:
    if isinstance(part, Tensor):
        return part.attached is False
    return isinstance(part, Const | Number)


def _kind_of_result(parts: list[Value], op: ast.operator | None) -> tuple[str, str]:
    """Dtype and device of the result; empty where an operand may be something that has a say."""
    found = [part for part in parts if isinstance(part, Tensor)]
    others = [part for part in parts if not isinstance(part, Tensor)]
    device = tensors.common_device(found) if all(map(tensors.is_number, others)) else ""
    if not others:
        dtype = tensors.common_dtype(found)
        if isinstance(op, ast.MatMult):  # autocast changes it
            dtype = dtype if dtype == "float64" else ""
        elif isinstance(op, ast.Pow) or (isinstance(op, ast.Div) and dtype not in tensors.FLOATING):
            dtype = dtype if dtype in ("float32", "float64") else ""
        return dtype, device
    dtypes = {tensor.dtype for tensor in found}
    if len(dtypes) != 1 or not all(map(tensors.is_number, others)):
        return "", device
    results = {tensors.scalar_dtype(found[0], other, op) for other in others}
    return (results.pop() if len(results) == 1 else ""), device


def item(owner: Value, key: Value, is_slice: bool = False) -> Value:
    """`owner[key]`, of one definite `owner`. Of a slice the bounds are not looked at."""
    match owner:
        case Container():
            return containers.part(owner, key) if is_slice else containers.item(owner, key)
        case Tensor():
            # Each row of `probabilities[mask]` is still what it was; of a sigmoid, each number.
            keeps = isinstance(key, Tensor) or owner.activation == "sigmoid"
            return Tensor(
                owner.attached,
                owner.certain,
                owner.activation if keeps else None,
                owner.made_at if keeps else None,
                tokens=owner.tokens,
                dtype=owner.dtype,
                device=owner.device,
                made_by=owner.made_by if keeps else "",
                shape=None if owner.shape is None else reducing.item(owner.shape, key),
            )
        case Params():
            return owner
        case Batch():
            return Batch()
        case Ref():
            return hints.subscripted(owner, key)
        case LocalClass():  # Generic[T]
            return owner
        case Instance():
            return loaders.part(owner, key) if is_slice else loaders.item(owner, key)
        case Plain():
            return owner if is_slice or _is_array_key(key) else plain.element(owner)
        case Const(value=str() | bytes()):
            return plain.STR if isinstance(owner.value, str) else plain.BYTES
        case _:
            return Unknown(tokens_of(owner))


def _is_array_key(key: Value) -> bool:
    """Whether a key takes an array out of an array, whatever its dimensions: a slice, a mask, indices."""
    if isinstance(key, Container) and key.kind == "tuple":
        return any(map(_is_array_key, key.items or ()))
    if isinstance(key, Const):
        return key.value is None or key.value is Ellipsis or isinstance(key.value, slice)
    return key is plain.NDARRAY or isinstance(key, Tensor | Container)


def compared(left: Value, right: Value) -> Value:
    """What a comparison of two values that are not both literals gives."""
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        found = [part for part in (left, right) if isinstance(part, Tensor)]
        return Tensor(
            attached=False,
            certain=any(tensor.certain for tensor in found),
            dtype="bool",
            device=tensors.common_device(found),
            shape=following.of_operator(left, right, None),
        )
    if plain.NDARRAY in (*options(left), *options(right)):
        return plain.NDARRAY
    simple = all(
        tensors.is_number(p) or isinstance(p, Plain | Const) for p in (*options(left), *options(right))
    )
    return plain.BOOL if simple else Unknown()
