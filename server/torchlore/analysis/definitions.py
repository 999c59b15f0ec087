"""Functions where they are defined: their defaults, their parameters, what annotations say."""

from __future__ import annotations

import ast
from dataclasses import replace

from torchlore.analysis import calls, expressions, hints
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    BoundMethod,
    Function,
    Instance,
    LocalClass,
    Ref,
    Unknown,
    Value,
)
from torchlore.text.parse import parse_expression


def make_function(
    run: Run, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, decorators: tuple[Value, ...]
) -> Function:
    """A function value, its defaults evaluated where it is defined."""
    args = node.args
    defaults: dict[str, Value] = {}
    positional = [*args.posonlyargs, *args.args]
    for arg, default in zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True):
        defaults[arg.arg] = expressions.evaluate(run, default)
    for arg, kw_default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if kw_default is not None:
            defaults[arg.arg] = expressions.evaluate(run, kw_default)
    return Function(node, run.frame, defaults=defaults, decorators=decorators)


def all_args(args: ast.arguments) -> list[ast.arg]:
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return [*named, *(a for a in (args.vararg, args.kwarg) if a is not None)]


def decorated(run: Run, node: ast.FunctionDef | ast.AsyncFunctionDef, function: Function) -> Value:
    """What decorators make of a function, as far as all of them are functions of the workspace.

    Others are told of by the function itself (`Function.decorators`).
    """
    if not any(isinstance(decorator, Function) for decorator in function.decorators):
        return function
    value: Value = function
    plain = [d for d in function.decorators if not isinstance(d, Function)]
    value = replace(function, decorators=tuple(plain))
    for decorator, written in zip(reversed(function.decorators), reversed(node.decorator_list), strict=True):
        if isinstance(decorator, Function):
            value = calls.call_function(run, decorator, Arguments([value], {}), written)
    if not isinstance(value, Function):
        return function
    return replace(value, stands_for=function) if _is_wrapper(value) else value


def _is_wrapper(function: Function) -> bool:
    """Whether a function says of itself that it has the signature of another one."""
    return any(isinstance(d, Unknown) and d.made_by == "functools.wraps" for d in function.decorators)


def is_added_to_property(decorator: Value, name: str) -> bool:
    """Whether it is `@x.setter` on a function called `x`, which leaves a property, read as before."""
    match decorator:
        case BoundMethod(receiver=Function(node=ast.FunctionDef(name=getter)), name="setter" | "deleter"):
            return getter == name
        case _:
            return False


def annotated(run: Run, function: Function, annotation: ast.expr, node: ast.AST) -> Value:
    """What something is that a function annotates so; its text may be in quotes."""
    if annotation not in run.hints:
        run.hints[annotation] = _evaluated(run, function, annotation)
    hint = run.hints[annotation]
    return Unknown() if hint is None else from_annotation(hints.with_self(hint, _own_class(function)), node)


def _own_class(function: Function) -> Value:
    """The class that `Self` stands for in the annotations of a method: that of what it is called on."""
    match function.receiver:
        case Instance(cls=LocalClass() as cls) | (LocalClass() as cls):
            return cls
        case Instance(cls=str() as name):
            return Ref(name)
        case _:
            return function.owner or Unknown()


def _evaluated(run: Run, function: Function, annotation: ast.expr) -> Value | None:
    unquoted = _unquoted(annotation)
    if unquoted is None:
        return None
    outer, run.frame = run.frame, function.frame
    left, run.left = run.left, max(run.left, _ALWAYS)
    try:
        return expressions.evaluate(run, unquoted)
    finally:
        run.frame, run.left = outer, min(left, run.left)


_ALWAYS = 100
"""Evaluations that may always be spent on an annotation: it tells what following the code no longer can."""


def declared(run: Run, annotation: ast.expr, node: ast.AST) -> Value:
    """What something is that is annotated so where code is running; its text may be in quotes."""
    value = expressions.evaluate(run, annotation)
    unquoted = _unquoted(annotation)
    if unquoted is not None and unquoted is not annotation:
        value = expressions.evaluate(run, unquoted)
    return from_annotation(value, node)


def _unquoted(annotation: ast.expr) -> ast.expr | None:
    """An annotation without quotes around it or its parts; None where what they enclose does not parse."""
    match annotation:
        case ast.Constant(value=str() as text):
            try:
                return parse_expression(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
        case ast.Subscript(value=origin, slice=inner) if not _is_literal(origin):
            part = _unquoted(inner)
            made = ast.Subscript(origin, part, annotation.ctx) if part is not None else None
            return annotation if part is inner or made is None else ast.copy_location(made, annotation)
        case ast.Tuple(elts=elts):
            parts = [_unquoted(part) or part for part in elts]
            same = all(a is b for a, b in zip(parts, elts, strict=True))
            return annotation if same else ast.copy_location(ast.Tuple(parts, ast.Load()), annotation)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _unquoted(left) or left, _unquoted(right) or right
            same = a is left and b is right
            return annotation if same else ast.copy_location(ast.BinOp(a, op, b), annotation)
        case _:
            return annotation


def _is_literal(origin: ast.expr) -> bool:
    """Whether quotes in the brackets behind `origin` are text, and no types."""
    name = origin.attr if isinstance(origin, ast.Attribute) else getattr(origin, "id", "")
    return name in ("Literal", "Annotated")


def from_annotation(annotation: Value, node: ast.AST) -> Value:
    """What something annotated so is."""
    return hints.meant(annotation, node)
