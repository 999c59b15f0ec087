"""Evaluates expressions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import partial

from torchlore.analysis import (
    calls,
    definitions,
    displays,
    generators,
    hints,
    instances,
    members,
    narrowing,
    operators,
    plain,
    targets,
    tensors,
    torch_facts,
    unpacking,
)
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import MAX_ALTERNATIVES, is_none, join, options, same
from torchlore.analysis.run import MAX_NESTING, Run
from torchlore.analysis.shapes import following
from torchlore.analysis.values import (
    Batch,
    BoundMethod,
    Const,
    Container,
    Coroutine,
    Function,
    Grads,
    Instance,
    Iterable,
    Lazy,
    LocalClass,
    LocalModule,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)

_COMPARE: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


_CONSTANT, _NAME = ast.Constant, ast.Name


def evaluate(run: Run, node: ast.expr) -> Value:
    """What `node` is. What it does on the way is written to the path."""
    left = run.left = run.left - 1
    cls = node.__class__
    if cls is _CONSTANT:
        return Const(node.value)  # type: ignore[attr-defined]
    if left <= 0 or run.depth >= MAX_NESTING:
        return Unknown()
    if cls is _NAME:
        frame = run.frame
        found = frame.names.get(node.id)  # type: ignore[attr-defined]
        if found is None or found.__class__ is Lazy or frame.foreign:
            found = _name(run, node)  # type: ignore[arg-type]
        value = found
    else:
        run.depth += 1
        value = _HANDLERS[cls](run, node)
        run.depth -= 1
        if cls not in _REMEMBERED:
            return value
    known = run.values.setdefault(node, value)
    if known is not value:
        if known.__class__ is Unknown:
            run.values[node] = value
        elif not _teaches_nothing(value, known):
            run.values[node] = join([known, value])  # a place that is come by twice is all that it was
    return value


def _teaches_nothing(value: Value, known: Value) -> bool:
    """Whether `value` says no more than `known`: most places come by what they came by before."""
    cls = value.__class__
    if cls is Unknown or cls is BoundMethod:
        return True
    if isinstance(value, OneOf):  # of which one may be anything
        return all(part.__class__ is not Unknown and _teaches_nothing(part, known) for part in value.options)
    if isinstance(known, OneOf):
        is_full = len(known.options) >= MAX_ALTERNATIVES
        return is_full or any(_teaches_nothing(value, option) for option in known.options)
    if known.__class__ is not cls:
        return False
    if isinstance(value, Tensor) and isinstance(known, Tensor):
        return (known.attached is None or known.attached is value.attached) and (
            (known.activation is None or known.activation == value.activation)
            and (known.shape is None or known.shape == value.shape)
        )
    return cls in _ALIKE or known is value or same(known, value)


_ALIKE = frozenset({Number, Batch, Container, Iterable, Params, Grads})
"""Kinds of values of which one is as good as another for a hover: joining them anew each time costs more."""

_REMEMBERED = frozenset({ast.Attribute, ast.Call})
"""What is remembered besides names."""


def truth(value: Value) -> bool | None:
    """Whether `value` is true; None where that is not known."""
    match value:
        case Const(value=literal):
            return bool(literal)
        case Instance():
            return None if members.may_be_false(value) else True
        case Function() | LocalClass() | LocalModule():
            return True
        case _:
            return None


def _name(run: Run, node: ast.Name) -> Value:
    value = run.frame.find(node.id) or Unknown()
    if value.__class__ is Ref and value.name == "builtins.__name__":
        return Const("__main__") if run.frame.outermost is run.home else plain.STR
    return value


def _attribute(run: Run, node: ast.Attribute) -> Value:
    """`owner.attr`. Whoever asks for an attribute knows that what it is asked of has it."""
    owner = evaluate(run, node.value)
    if owner.__class__ is OneOf:  # a loss that begins as 0 is a tensor where `backward` is called on it
        able = [option for option in options(owner) if not _lacks(option, node.attr)]
        owner = join(able) if len(able) < len(options(owner)) else owner
    elif owner.__class__ in _CLOSED and _lacks(owner, node.attr):
        owner = Unknown()
    if run.owners.setdefault(node, owner).__class__ is Unknown:
        run.owners[node] = owner
    if owner.__class__ is not OneOf:
        found = members.attribute(run, owner, node.attr, node)
        is_method = found.__class__ is BoundMethod and owner.__class__ is Instance
        if is_method and members.cannot_have(owner, node.attr):
            run.owners[node] = Unknown()
        return found
    return join([members.attribute(run, option, node.attr, node) for option in options(owner)])


def _lacks(value: Value, attr: str) -> bool:
    match value:
        case Const(value=literal):
            return not hasattr(literal, attr)
        case Number():
            return not hasattr(0, attr) and not hasattr(0.0, attr)
        case Plain():
            return plain.lacks(value, attr)
        case Container(kind=kind, keyed=keyed):
            return kind in _BUILTIN and not hasattr(_BUILTIN[kind], attr) and attr not in keyed
        case _:
            return False


_CLOSED = frozenset({Const, Number, Plain, Container})
"""Kinds of values that have no other attributes than those of their type."""

_BUILTIN = {"list": list, "tuple": tuple, "set": set, "dict": dict}


def _subscript(run: Run, node: ast.Subscript) -> Value:
    owner = evaluate(run, node.value)
    key = evaluate(run, node.slice)
    is_slice = node.slice.__class__ is ast.Slice
    if isinstance(owner, Instance) and isinstance(owner.cls, LocalClass):
        found = instances.item(run, owner, owner.cls, key, node)
        if found is not None:
            return found
    if owner.__class__ is not OneOf:
        return operators.item(owner, key, is_slice)
    return join([operators.item(option, key, is_slice) for option in options(owner)])


def _bin_op(run: Run, node: ast.BinOp) -> Value:
    left, right = evaluate(run, node.left), evaluate(run, node.right)
    if isinstance(node.op, ast.BitOr) and (_is_type(left) or _is_type(right)):
        return hints.union([left, right])  # nn.Module | None, an annotation
    if isinstance(node.op, ast.Mod) and isinstance(left, Const) and isinstance(left.value, str):
        return plain.STR
    if left.__class__ is Const and right.__class__ is Const and not _is_counted(run, node):
        return operators.folded(left, right, node.op) or operators.combine(left, right, node.op)
    if left.__class__ is Tensor and right.__class__ is Tensor:
        following.check_operator(run, node, left, right)
    return tensors.recorded(run, operators.combine(left, right, node.op))


def _is_counted(run: Run, node: ast.BinOp) -> bool:
    """Whether an operand may change from one iteration to the next: names are looked after by the loop."""
    return run.loops > 0 and any(isinstance(part, ast.Attribute) for part in (node.left, node.right))


def _is_type(value: Value) -> bool:
    return isinstance(value, LocalClass | hints.Subscripted) or (
        isinstance(value, Ref) and torch_facts.is_class_name(value.name)
    )


def _unary_op(run: Run, node: ast.UnaryOp) -> Value:
    operand = evaluate(run, node.operand)
    if isinstance(node.op, ast.Not):
        holds = truth(operand)
        return plain.BOOL if holds is None else Const(not holds)
    if (
        isinstance(node.op, ast.USub)
        and isinstance(operand, Const)
        and isinstance(operand.value, int | float)
    ):
        return Const(-operand.value)
    return tensors.recorded(run, operators.combine(operand, Const(0)))


def _bool_op(run: Run, node: ast.BoolOp) -> Value:
    seen: list[Value] = []
    _operand(run, node, 0, seen)
    return join(seen)


def _operand(run: Run, node: ast.BoolOp, index: int, seen: list[Value]) -> bool:
    """Evaluates operands from `index` on, as far as they are; what the result may be is added to `seen`."""
    value = evaluate(run, node.values[index])
    holds = truth(value)
    goes_on = holds is not isinstance(node.op, ast.Or) and index + 1 < len(node.values)
    if holds is None or not goes_on:
        seen.append(value)
    if goes_on and holds is None:
        run.branch(node, [partial(_operand, run, node, index + 1, seen), lambda: False])
    elif goes_on:
        _operand(run, node, index + 1, seen)
    return False


def _compare(run: Run, node: ast.Compare) -> Value:
    left = evaluate(run, node.left)
    rights = [evaluate(run, c) for c in node.comparators]
    if len(rights) != 1:
        return Unknown()
    right, op = rights[0], node.ops[0]
    if isinstance(op, ast.Is | ast.IsNot):
        same = _is_nothing(left) if is_none(right) else None
        return plain.BOOL if same is None else Const(same == isinstance(op, ast.Is))
    if isinstance(op, ast.In | ast.NotIn):
        return plain.BOOL
    if type(op) in _COMPARE and isinstance(left, Const) and isinstance(right, Const):
        return Const(_COMPARE[type(op)](left.value, right.value))
    return operators.compared(left, right)


def _is_nothing(value: Value) -> bool | None:
    """Whether a value is None; None where it may be."""
    if is_none(value):
        return True
    solid = Const | Container | Tensor | Number | Plain | Instance | Function | LocalClass | LocalModule
    return False if isinstance(value, solid) else None


def _if_exp(run: Run, node: ast.IfExp) -> Value:
    holds = truth(evaluate(run, node.test))
    if holds is not None:
        return evaluate(run, node.body if holds else node.orelse)
    found: list[Value] = []

    def arm(expression: ast.expr, holds: bool) -> Callable[[], bool]:
        def go() -> bool:
            narrowed = narrowing.begin(run, node.test, holds)
            found.append(evaluate(run, expression))
            narrowing.end(run, narrowed)
            return False

        return go

    run.branch(node, [arm(node.body, True), arm(node.orelse, False)])
    return join(found)


def _lambda(run: Run, node: ast.Lambda) -> Value:
    return definitions.make_function(run, node, ())


def _named_expr(run: Run, node: ast.NamedExpr) -> Value:
    value = evaluate(run, node.value)
    outer = frame = run.frame
    while isinstance(frame.node, _COMPREHENSIONS) and frame.parent is not None:
        frame = frame.parent  # `:=` in a comprehension binds in the scope around it
    run.frame = frame
    targets.assign(run, node.target, value)
    run.frame = outer
    return value


def _joined_str(run: Run, node: ast.JoinedStr) -> Value:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            evaluate(run, part.value)
    return plain.STR


def _await(run: Run, node: ast.Await) -> Value:
    awaited = evaluate(run, node.value)
    results = [option.result if isinstance(option, Coroutine) else option for option in options(awaited)]
    return awaited if len(results) == 1 and results[0] is awaited else join(results)


def _yield(run: Run, node: ast.Yield | ast.YieldFrom) -> Value:
    value = Const(None) if node.value is None else evaluate(run, node.value)
    frame = run.frame
    if frame.yields is None:
        frame.yields = []
    frame.yields.append(unpacking.element(value) if isinstance(node, ast.YieldFrom) else value)
    if frame.pause is not None:
        frame.pause(value)
    elif run.is_aside and len(run.stack) == 1:  # nobody that we see asks for the values
        run.escape(node, [value])
    else:
        generators.pause(run, node, value)
    return Unknown()


def _starred(run: Run, node: ast.Starred) -> Value:
    return evaluate(run, node.value)


def _slice(run: Run, node: ast.Slice) -> Value:
    bounds = [Const(None) if b is None else evaluate(run, b) for b in (node.lower, node.upper, node.step)]
    literals = [bound.value for bound in bounds if isinstance(bound, Const)]
    exact = len(literals) == 3 and all(b is None or type(b) is int for b in literals) and literals[2] != 0
    return Const(slice(*literals)) if exact else Unknown()


_HANDLERS: dict[type[ast.expr], Callable[[Run, ast.expr], Value]] = {
    ast.Attribute: _attribute,  # type: ignore[dict-item]
    ast.Call: lambda run, node: calls.call(run, node),  # type: ignore[arg-type]
    ast.Subscript: _subscript,  # type: ignore[dict-item]
    ast.BinOp: _bin_op,  # type: ignore[dict-item]
    ast.UnaryOp: _unary_op,  # type: ignore[dict-item]
    ast.BoolOp: _bool_op,  # type: ignore[dict-item]
    ast.Compare: _compare,  # type: ignore[dict-item]
    ast.IfExp: _if_exp,  # type: ignore[dict-item]
    ast.List: displays.sequence,  # type: ignore[dict-item]
    ast.Tuple: displays.sequence,  # type: ignore[dict-item]
    ast.Set: displays.sequence,  # type: ignore[dict-item]
    ast.Dict: displays.dictionary,  # type: ignore[dict-item]
    ast.ListComp: displays.comprehension,  # type: ignore[dict-item]
    ast.SetComp: displays.comprehension,  # type: ignore[dict-item]
    ast.GeneratorExp: displays.comprehension,  # type: ignore[dict-item]
    ast.DictComp: displays.comprehension,  # type: ignore[dict-item]
    ast.Lambda: _lambda,  # type: ignore[dict-item]
    ast.NamedExpr: _named_expr,  # type: ignore[dict-item]
    ast.JoinedStr: _joined_str,  # type: ignore[dict-item]
    ast.Await: _await,  # type: ignore[dict-item]
    ast.Yield: _yield,  # type: ignore[dict-item]
    ast.YieldFrom: _yield,  # type: ignore[dict-item]
    ast.Starred: _starred,  # type: ignore[dict-item]
    ast.Slice: _slice,  # type: ignore[dict-item]
}
_HANDLERS = {**dict.fromkeys(ast.expr.__subclasses__(), lambda run, node: Unknown()), **_HANDLERS}
"""Of the rest, and of what later versions of Python bring, nothing is known."""
