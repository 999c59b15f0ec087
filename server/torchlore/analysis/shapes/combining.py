"""What two tensors or more give: element by element, multiplied as matrices, put together."""

from __future__ import annotations

from collections.abc import Sequence

from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.shapes.reading import first, shape_of, whole
from torchlore.analysis.shapes.reshaping import batched
from torchlore.analysis.shapes.shape import (
    SCALAR,
    Clash,
    Dim,
    Shape,
    broadcast,
    dim_at,
    ending,
    place,
    replaced,
    with_dims,
)
from torchlore.analysis.values import Arguments, Const, Container, Number, Tensor, Value


def elementwise(arguments: Arguments) -> Shape | None:
    """`x.add(y)`, `torch.where(c, x, y)`: all tensors that are given are broadcast."""
    return of_operands([*arguments.positional, *_named(arguments)])


def _named(arguments: Arguments) -> list[Value]:
    return [value for name, value in arguments.keywords.items() if name in ("input", "other", "weight")]


def of_operands(operands: Sequence[Value]) -> Shape | None:
    """The shape of what operands give that are tensors and numbers.

    Raises:
        Clash: they cannot be broadcast.
        NotKnown: one of them is something else, or of no known shape.
    """
    found: Shape | None = None
    for operand in operands:
        if isinstance(operand, Number | Const):
            continue
        shape = shape_of(operand)
        if shape is None:
            raise NotKnown
        found = shape if found is None else broadcast(found, shape)
        if found is None:
            raise NotKnown
    return SCALAR if found is None else found


def matmul(arguments: Arguments) -> Shape | None:
    """`a @ b`, `torch.matmul(a, b)`."""
    left, right = first(arguments), shape_of(arguments.get(1, "other"))
    if right is None:
        raise NotKnown
    return product(left, right)


def product(left: Shape, right: Shape) -> Shape | None:
    """`left @ right`.

    Raises:
        Clash: the last size of the one is not the last but one of the other.
        NotKnown: it is not known how many dimensions matter.
    """
    if right.is_open and len(right.dims) < 2:
        raise NotKnown
    inner, rows = left.dims[-1:], right.dims[-2:-1] or right.dims
    if not inner or not rows:
        raise NotKnown
    after = _product(left, right)
    if inner[0] is not None and rows[0] is not None and inner[0] != rows[0]:
        raise Clash("matmul", rows[0], inner[0], (left, right), after)
    return after


def _product(left: Shape, right: Shape) -> Shape | None:
    columns: tuple[Dim, ...] = right.dims[-1:] if len(right.dims) > 1 else ()
    if len(right.dims) <= 2 and not right.is_open:  # whatever is before stays
        return with_dims(left, (*left.dims[:-1], *columns))
    if left.is_open or right.is_open:
        return None
    rows = left.dims[-2:-1]
    before = broadcast(Shape(left.dims[:-2]), Shape(right.dims[:-2]))
    return None if before is None else Shape((*before.dims, *rows, *columns))


def linear(arguments: Arguments) -> Shape | None:
    """`F.linear(x, weight)`, whose weight is of as many rows as there are outputs."""
    weight = shape_of(arguments.get(1, "weight"))
    if weight is None or weight.is_open or len(weight.dims) != 2:
        raise NotKnown
    given = shape_of(arguments.get(0, "input"))
    out, wanted = weight.dims
    if given is None:
        return Shape((out,), True) if out is not None else None
    after = with_dims(given, (*given.dims[:-1], out))
    got = dim_at(given, -1)
    if got is not None and wanted is not None and got != wanted:
        raise Clash("matmul", wanted, got, (given, Shape((wanted, out))), after)
    return after


def attention(arguments: Arguments) -> Shape | None:
    """`F.scaled_dot_product_attention(q, k, v)`: as many rows as queries, as wide as the values."""
    query, value = first(arguments), shape_of(arguments.get(2, "value"))
    return replaced(query, -1, None if value is None else dim_at(value, -1))


def cat(arguments: Arguments) -> Shape | None:
    """`torch.cat([a, b], dim)`."""
    shapes, axis = _listed(arguments), whole(_axis(arguments), 0)
    shapes = [batched(shape) for shape in shapes] if axis >= 0 else shapes
    if any(shape.dims == (0,) for shape in shapes):  # an empty one fits to everything
        raise NotKnown
    result = shapes[0]
    for shape in shapes[1:]:
        result = _put_together(result, shape, axis)
    return result._replace(given_by=None) if len(shapes) > 1 else result


def _put_together(one: Shape, other: Shape, axis: int) -> Shape:
    """Two tensors behind one another along an axis; all other sizes must be the same.

    Raises:
        Clash: they are not.
    """
    if not one.is_open and not other.is_open and len(one.dims) != len(other.dims):
        raise Clash("cat", len(one.dims), len(other.dims), (one, other))
    closed = other if one.is_open else one
    if axis >= 0 and closed.is_open:
        raise NotKnown
    at = axis if axis < 0 else axis - len(closed.dims)
    length = min(len(one.dims), len(other.dims))
    dims: list[Dim] = []
    for index in range(-length, 0):
        a, b = one.dims[index], other.dims[index]
        if index == at:
            dims.append(None if a is None or b is None else a + b)
        elif a is not None and b is not None and a != b:
            raise Clash("cat", a, b, (one, other))
        else:
            dims.append(a if b is None else b)
    found = ending(dims) if one.is_open or other.is_open else Shape(tuple(dims))
    if found is None:
        raise NotKnown
    return found


def stack(arguments: Arguments) -> Shape | None:
    """`torch.stack([a, b], dim)`."""
    shapes, axis = _listed(arguments), whole(_axis(arguments), 0)
    result = shapes[0]
    for shape in shapes[1:]:
        result = _same(result, shape)
    if result.is_open and axis == 0:
        return result
    index = place(result, axis, extra=1)
    return with_dims(result, (*result.dims[:index], len(shapes), *result.dims[index:]))


def _same(one: Shape, other: Shape) -> Shape:
    """What is known of a shape that both have.

    Raises:
        Clash: they cannot have the same.
    """
    if not one.is_open and not other.is_open and len(one.dims) != len(other.dims):
        raise Clash("stack", len(one.dims), len(other.dims), (one, other))
    longer, shorter = (one, other) if len(one.dims) >= len(other.dims) else (other, one)
    dims = list(longer.dims)
    for index in range(-len(shorter.dims), 0):
        a, b = longer.dims[index], shorter.dims[index]
        if a is not None and b is not None and a != b:
            raise Clash("stack", one.dims[index] or 0, other.dims[index] or 0, (one, other))
        dims[index] = a if b is None else b
    return Shape(tuple(dims), longer.is_open)


def _axis(arguments: Arguments) -> Value | None:
    return arguments.get(1, "dim") or arguments.keywords.get("axis")


def _listed(arguments: Arguments) -> list[Shape]:
    """The shapes of the tensors of a list.

    Raises:
        NotKnown: one of them is not known.
    """
    given = arguments.get(0, "tensors")
    if not isinstance(given, Container) or not given.items:
        raise NotKnown
    shapes = [item.shape for item in given.items if isinstance(item, Tensor) and item.shape is not None]
    if len(shapes) < len(given.items):
        raise NotKnown
    return shapes
