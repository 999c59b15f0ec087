"""Where the interpreter asks for shapes: first whether any is known, and only then what becomes of it.

Shapes that do not fit are told by an event (`Kind.CLASH`), unless it is only one of several things that the
call may be of: which of them goes with which tensor is not known then.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from torchlore.analysis.events import Kind
from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.run import Run
from torchlore.analysis.shapes import combining, layers, losses, reshaping
from torchlore.analysis.shapes.operations import FROM_NOTHING, OPERATIONS
from torchlore.analysis.shapes.reading import shape_of, size
from torchlore.analysis.shapes.shape import Clash, Dim, Shape, dim_at
from torchlore.analysis.values import Arguments, Const, Container, Instance, Number, Tensor, Value


def of_function(
    run: Run, name: str, last: str, given: Sequence[Tensor], arguments: Arguments, node: ast.expr
) -> Shape | None:
    """The shape of what the function of torch called `name` gives for the tensors `given`."""
    if last not in FROM_NOTHING and not any(tensor.shape is not None for tensor in given):
        return None
    if name not in (f"torch.{last}", f"torch.nn.functional.{last}"):
        return None  # `torch.linalg.norm` means another dimension
    if last in losses.KINDS:
        _check_loss(run, last, arguments, node)
    return _of_operation(run, last, arguments, node)


def _check_loss(run: Run, name: str, arguments: Arguments, node: ast.expr) -> None:
    """Tells of a loss whose input and target do not fit."""
    given, target = arguments.get(0, "input"), arguments.get(1, "target")
    if isinstance(given, Tensor) and isinstance(target, Tensor):
        try:
            losses.check(name, given, target)
        except Clash as clash:
            _report(run, node, clash, None, given)


def of_method(run: Run, tensor: Tensor, name: str, arguments: Arguments, node: ast.expr) -> Shape | None:
    """The shape of what a method of a tensor gives."""
    if tensor.shape is None and name not in FROM_NOTHING:
        return None
    given = Arguments([tensor, *arguments.positional], arguments.keywords, arguments.complete)
    return _of_operation(run, name, given, node)


def _of_operation(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Shape | None:
    operation = OPERATIONS.get(name)
    if operation is None or not arguments.complete:
        return None
    try:
        return operation(arguments)
    except NotKnown:
        return None
    except Clash as clash:
        _report(run, node, clash, None, arguments.get(0, "input"))
        return clash.after


def of_layer(run: Run, layer: Instance, arguments: Arguments, node: ast.expr) -> Shape | None:
    """The shape of what a layer of torch gives in the call `node`."""
    given = arguments.positional[0] if arguments.positional else arguments.keywords.get("input")
    name = layers.name_of(layer)
    if name in losses.KINDS:
        _check_loss(run, name, arguments, node)
    try:
        return layers.output(layer, name, shape_of(given))
    except Clash as clash:
        _report(run, node, clash, layer, given)
        return clash.after


def _report(run: Run, node: ast.AST, clash: Clash, subject: Value | None, value: Value | None) -> None:
    if not run.choices:
        run.clashes = True
        run.emit(Kind.CLASH, node, subject, value, clash)


def size_of(tensor: Tensor, arguments: Arguments) -> Value:
    """`x.size()`, `x.size(1)`, and `x.shape`, which is the first of these."""
    shape, axis = tensor.shape, arguments.get(0, "dim")
    if axis is None:
        if shape is None or shape.is_open:
            return Container("tuple", None, Number())
        return Container("tuple", [_number(dim) for dim in shape.dims], Number())
    literal = size(axis)
    return Number() if shape is None or literal is None else _number(dim_at(shape, literal))


def rank_of(tensor: Tensor) -> Value:
    """`x.ndim`, `x.dim()`."""
    return Number() if tensor.shape is None or tensor.shape.is_open else Const(len(tensor.shape.dims))


def _number(dim: Dim) -> Value:
    return Number() if dim is None else Const(dim)


def of_operator(left: Value, right: Value, op: ast.operator | None) -> Shape | None:
    """The shape of arithmetic."""
    if shape_of(left) is None and shape_of(right) is None:
        return None
    try:
        return _operated(left, right, op)
    except NotKnown:
        return None
    except Clash as clash:
        return clash.after


def _operated(left: Value, right: Value, op: ast.operator | None) -> Shape | None:
    if not isinstance(op, ast.MatMult):
        return combining.of_operands([left, right])
    return combining.matmul(Arguments([left, right], {}))


def check_operator(run: Run, node: ast.BinOp, left: Tensor, right: Tensor) -> None:
    """Tells of two tensors whose shapes do not fit to an operator."""
    if left.shape is None or right.shape is None:
        return
    try:
        _operated(left, right, node.op)
    except NotKnown:
        return
    except Clash as clash:
        _report(run, node, clash, right, left)


def of_attribute(shape: Shape, attr: str) -> Shape | None:
    """The shape of `x.T`, `x.mT`, `x.real`, …"""
    try:
        if attr in ("T", "H"):
            return reshaping.reversed_dims(shape)
        return reshaping.matrix_transposed(shape) if attr in ("mT", "mH") else shape
    except NotKnown:
        return None


def check_sequence(run: Run, sequence: Instance) -> None:
    """Tells of layers of an `nn.Sequential` that do not fit to one another, whatever goes in.

    Args:
        run: the interpretation.
        sequence: has just been made.
    """
    if not run.is_away and not run.choices:
        _through(run, sequence, sequence, None)


def _through(run: Run, whole: Instance, sequence: Instance, given: Shape | None) -> Shape | None:
    """What comes out of a sequence, or of one in it, for what is known of its input."""
    arguments = sequence.arguments
    if arguments is None or not arguments.complete:
        return None
    for part in arguments.positional:
        if not isinstance(part, Instance) or not isinstance(part.cls, str):
            given = None
        elif part.cls == "torch.nn.Sequential":
            given = _through(run, whole, part, given)
        else:
            given = _of_part(run, whole, part, given)
    return given


def _of_part(run: Run, whole: Instance, part: Instance, given: Shape | None) -> Shape | None:
    try:
        return layers.output(part, layers.name_of(part), given)
    except Clash as clash:
        _report(run, part.node, clash, part, whole)
        return clash.after
