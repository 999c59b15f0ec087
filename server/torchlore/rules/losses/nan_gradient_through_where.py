"""TL415: `torch.where` hides a value that is not finite, but not its gradient."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Tensor
from torchlore.rules import bindings, spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class NanGradientThroughWhere(Rule):
    """
    ## What it does

    Looks for `torch.where(x > 0, x.log(), 0)` and its like: a branch computes something of `x` that is not
    finite exactly where the condition chooses the other branch, and gradients flow through it.

    ## Why is this bad?

    `where` computes both branches, and backward goes through both. The one that was not chosen gets a
    gradient of zero, and zero times the infinite slope of the logarithm, the root or the quotient is NaN.
    The loss is fine; one step of the optimizer later all parameters are NaN.

    ## Example

    ```py
    import torch

    x = torch.tensor([0.0, 1.0], requires_grad=True)
    entropy = -torch.where(x > 0, x * x.log(), 0.0).sum()
    entropy.backward()
    ```

    ## Use instead

    ```py
    import torch

    x = torch.tensor([0.0, 1.0], requires_grad=True)
    entropy = -torch.where(x > 0, x * torch.where(x > 0, x, 1.0).log(), 0.0).sum()
    entropy.backward()
    ```

    ## Fix safety

    Unsafe: results stay as they are, and gradients change where they were NaN. What is chosen away has a
    gradient of zero then; whether that is the slope that is wanted at this point is for you to say.

    ## Known limits

    Speaks only where the branch surely carries a graph, and the condition compares the very tensor with a
    number beyond which the function has no finite slope. `x.clamp(min=1e-6).log()` is silent: its slope is
    finite. Where the value would have to overflow first (`exp`), the finding is an information.

    ## References

    - [torch.where](https://docs.pytorch.org/docs/stable/generated/torch.where.html)
    - [Autograd mechanics, Gradients for non-differentiable functions](https://docs.pytorch.org/docs/stable/notes/autograd.html#gradients-for-non-differentiable-functions)
    """

    code = "TL415"
    name = "nan-gradient-through-where"
    family = Family.LOSSES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "nan-debugging"
    trigger = r"\bwhere\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        near = (text[max(0, m.start() - _NEAR) : m.end() + _NEAR] for m in _CALLED.finditer(text))
        return any(_STEEP.search(part) for part in near)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.where", "Tensor.where"):
            choice = _choice(analysis, call) if _has_graph(analysis, call.node) else None
            if choice is None:
                continue
            for branch in (choice.chosen, choice.other):
                for steep in _steep_parts(branch):
                    if _is_hidden(analysis, choice, branch, steep):
                        yield self._finding(analysis, choice, branch, steep)

    def _finding(self, analysis: Analysis, choice: _Choice, branch: ast.expr, steep: _Steep) -> Finding:
        name = support.written(analysis, steep.operand)
        message = (
            f"`{support.written(analysis, steep.node)}` has a gradient of NaN wherever "
            f"{_WHERE[steep.point].format(name)}: `where` does not choose it there, but backward "
            "multiplies its infinite slope by zero"
        )
        span = analysis.source.span(steep.node)
        severity = Severity.INFORMATION if steep.point == math.inf else None
        fixes = _fixes(analysis, choice, branch, steep)
        return self.finding(message, span, fixes=fixes, severity=severity)


_CALLED = re.compile(r"where\(")
_STEEP = re.compile(r"log|sqrt|exp|reciprocal|\*\*|/")
_NEAR = 200
"""In so many characters around a `where` there has to be something steep."""

_NEXT_TO = 0.01
"""A bound this far from a steep point tells that somebody saw it coming."""

_WHERE = {0.0: "`{}` is 0", -1.0: "`{}` is -1", math.inf: "`{}` is so large that it overflows"}
"""Where the functions of `_POINTS` have no finite slope, in words."""

_POINTS = {
    "log": 0.0,
    "log2": 0.0,
    "log10": 0.0,
    "sqrt": 0.0,
    "rsqrt": 0.0,
    "reciprocal": 0.0,
    "log1p": -1.0,
    "exp": math.inf,
    "expm1": math.inf,
}
"""Functions of one tensor, and where their slope is infinite."""

_SAFE = {0.0: "1.0", -1.0: "0.0", math.inf: "0.0"}
"""What is taken instead of a value at such a point: the slope of these functions is finite there."""


@dataclass(frozen=True, slots=True)
class _Guard:
    """What a condition asks: `operand` `op` `bound`."""

    operand: ast.expr
    op: type[ast.cmpop]
    bound: float
    test: ast.Compare


@dataclass(frozen=True, slots=True)
class _Choice:
    """A `where`: its condition, as it is written there and as it is understood, and both branches."""

    condition: ast.expr
    guard: _Guard
    chosen: ast.expr
    other: ast.expr


@dataclass(frozen=True, slots=True)
class _Steep:
    """`node` computes something of `operand` that has no finite slope at `point`."""

    node: ast.expr
    operand: ast.expr
    point: float


def _choice(analysis: Analysis, call: Called) -> _Choice | None:
    if call.receiver is None:
        parts = call.argument(0, "condition"), call.argument(1, "input"), call.argument(2, "other")
    else:
        called_on = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
        parts = call.argument(0, "condition"), called_on, call.argument(1, "other")
    condition, chosen, other = parts
    if condition is None or chosen is None or other is None or not analysis.is_whole(call.node):
        return None
    guard = _guard(analysis, condition)
    return _Choice(condition, guard, chosen, other) if guard is not None else None


def _guard(analysis: Analysis, condition: ast.expr) -> _Guard | None:
    """What a condition compares with a number, also where it got a name before."""
    if isinstance(condition, ast.Name):
        bound = bindings.values_of(analysis, condition)
        test = bound[0] if bound is not None and len(bound) == 1 else None
        found = _comparison(test) if isinstance(test, ast.Compare) else None
        if found is None or found.test.lineno >= condition.lineno:
            return None
        return found if _is_bound_before(analysis, found.operand, found.test) else None
    return _comparison(condition) if isinstance(condition, ast.Compare) else None


def _is_bound_before(analysis: Analysis, operand: ast.expr, test: ast.Compare) -> bool:
    """Whether a name is never bound again after `test` was computed of it."""
    if not isinstance(operand, ast.Name):
        return False
    scope = bindings.scope_of(analysis, operand)
    stores = (
        node
        for node in (bindings.within(scope) if scope is not None else ())
        if isinstance(node, ast.Name) and node.id == operand.id and not isinstance(node.ctx, ast.Load)
    )
    return scope is not None and all(node.lineno < test.lineno for node in stores)


_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
"""What a comparison is, read from its other side."""


def _comparison(test: ast.Compare) -> _Guard | None:
    if len(test.ops) != 1 or type(test.ops[0]) not in _MIRRORED:
        return None
    left, right, op = test.left, test.comparators[0], type(test.ops[0])
    for operand, other, read in ((left, right, op), (right, left, _MIRRORED[op])):
        bound = _number(other)
        if bound is not None and support.is_name(operand):
            return _Guard(operand, read, bound, test)
    return None


def _number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            number = _number(inner)
            return -number if number is not None else None
        case _:
            return None


def _steep_parts(branch: ast.expr) -> Iterator[_Steep]:
    """The functions in a branch through which its gradient surely flows."""
    match branch:
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            if support.is_name(right):
                yield _Steep(branch, right, 0.0)
            yield from _steep_parts(left)
            yield from _steep_parts(right)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            if support.is_name(left) and _has_steep_root(_number(right)):
                yield _Steep(branch, left, 0.0)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
            yield from _steep_parts(left)
            yield from _steep_parts(right)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            yield from _steep_parts(inner)
        case (
            ast.Call(func=ast.Attribute(value=inner, attr=name), args=[], keywords=[])
            | ast.Call(func=ast.Attribute(attr=name), args=[inner], keywords=[])
        ) if name in _POINTS:
            yield from _of_function(branch, name, inner)


def _of_function(node: ast.expr, name: str, inner: ast.expr) -> Iterator[_Steep]:
    if support.is_name(inner):
        yield _Steep(node, inner, _POINTS[name])
    else:
        yield from _steep_parts(inner)


def _has_steep_root(exponent: float | None) -> bool:
    return exponent is not None and exponent < 1 and exponent != 0


def _is_hidden(analysis: Analysis, choice: _Choice, branch: ast.expr, steep: _Steep) -> bool:
    """Whether the condition chooses the other branch at the steep point, and a graph is in this one."""
    guard = choice.guard
    if ast.dump(steep.operand) != ast.dump(guard.operand) or not _is_meant(steep.point, guard.bound):
        return False
    is_chosen = _holds(steep.point, guard.op, guard.bound) is (branch is choice.chosen)
    return not is_chosen and _has_graph(analysis, steep.node) and not _is_softmax(analysis, steep.operand)


def _is_softmax(analysis: Analysis, node: ast.expr) -> bool:
    """Whether TL412 tells of the logarithm, and has a better cure for it."""
    value = analysis.value(node)
    return isinstance(value, Tensor) and value.activation == "softmax"


def _is_meant(point: float, bound: float) -> bool:
    """Whether a bound is there for the sake of a steep point: `x > 1e-8` for the logarithm at 0."""
    return math.isinf(point) or abs(bound - point) <= _NEXT_TO


def _has_graph(analysis: Analysis, node: ast.expr) -> bool:
    """Whether what an expression gives is surely a tensor with a graph. No value is kept of arithmetic."""
    match node:
        case ast.BinOp(left=left, right=right):
            return _has_graph(analysis, left) or _has_graph(analysis, right)
        case ast.UnaryOp(operand=inner):
            return _has_graph(analysis, inner)
    value = analysis.value(node)
    return isinstance(value, Tensor) and value.certain and value.attached is True


def _holds(point: float, op: type[ast.cmpop], bound: float) -> bool:
    match op:
        case ast.Gt:
            return point > bound
        case ast.GtE:
            return point >= bound
        case ast.Lt:
            return point < bound
        case ast.LtE:
            return point <= bound
        case ast.Eq:
            return point == bound
        case _:
            return point != bound


def _fixes(analysis: Analysis, choice: _Choice, branch: ast.expr, steep: _Steep) -> tuple[Fix, ...]:
    """Gives the function only what it can take: `torch.where(x > 0, x, 1.0).log()`."""
    found = spellings.spelled_anyhow(analysis, steep.operand, "torch.where")
    if found is None:
        return ()
    name, imported = found
    operand, condition = support.written(analysis, steep.operand), support.written(analysis, choice.condition)
    instead = _SAFE[steep.point]
    taken = f"{operand}, {instead}" if branch is choice.chosen else f"{instead}, {operand}"
    edit = Edit(analysis.source.span(steep.operand), f"{name}({condition}, {taken})")
    title = f"Give it {instead} instead of the values of `{operand}` that are not chosen"
    return (Fix(title, (*imported, edit), safe=False),)
