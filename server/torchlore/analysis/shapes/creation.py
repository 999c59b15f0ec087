"""The shapes of tensors that are made of no other one."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.shapes.reading import shape_of, size, sizes
from torchlore.analysis.shapes.shape import SCALAR, Shape
from torchlore.analysis.values import Arguments, Const, Container, Number, Tensor, Value

_MOST_LEVELS = 8
"""Lists in lists: a tensor that is written out has no more dimensions."""


def made(name: str, arguments: Arguments) -> Shape | None:
    """The shape of what the factory `torch.<name>` gives; None where it is not known."""
    maker = _MAKERS.get(name)
    if maker is None or not arguments.complete:
        return None
    try:
        return maker(arguments)
    except NotKnown:
        return None


def legacy(arguments: Arguments) -> Shape | None:
    """The shape of `torch.Tensor(2, 3)` and `torch.Tensor([[1.0, 2.0]])`."""
    given = arguments.positional
    if not given or not arguments.complete:
        return None
    if isinstance(given[0], Container | Tensor):
        return _of_data(arguments)
    try:
        return Shape(sizes(given))
    except NotKnown:
        return None


def _of_sizes(arguments: Arguments) -> Shape:
    return Shape(sizes(arguments.positional or [arguments.keywords["size"]]))


def _checked(maker: Callable[[Arguments], Shape | None]) -> Callable[[Arguments], Shape | None]:
    """A maker that is not known to give anything where an argument that it needs is missing."""

    def make(arguments: Arguments) -> Shape | None:
        try:
            return maker(arguments)
        except (KeyError, IndexError):
            raise NotKnown from None

    return make


def _full(arguments: Arguments) -> Shape:
    asked = arguments.get(0, "size")
    if asked is None:
        raise NotKnown
    return Shape(sizes([asked]))


def _randint(arguments: Arguments) -> Shape:
    """`randint(high, size)` or `randint(low, high, size)`."""
    asked = arguments.keywords.get("size") or next(
        (value for value in arguments.positional[1:3] if isinstance(value, Container)), None
    )
    if asked is None:
        raise NotKnown
    return Shape(sizes([asked]))


def _arange(arguments: Arguments) -> Shape:
    if arguments.keywords.keys() & {"start", "end", "step"}:
        raise NotKnown
    numbers = [value.value if isinstance(value, Const) else None for value in arguments.positional]
    if not numbers or not all(type(number) in (int, float) for number in numbers):
        return Shape((None,))
    start, end, step = (0, numbers[0], 1) if len(numbers) == 1 else (*numbers[:2], [*numbers, 1][2])
    return Shape((max(0, ceil((end - start) / step)) if step else None,))  # type: ignore[operator]


def _counted(index: int, name: str) -> Callable[[Arguments], Shape]:
    return lambda arguments: Shape((size(arguments.get(index, name)),))


def _eye(arguments: Arguments) -> Shape:
    rows, columns = size(arguments.get(0, "n")), arguments.get(1, "m")
    return Shape((rows, rows if columns is None else size(columns)))


def _of_data(arguments: Arguments) -> Shape | None:
    data = arguments.get(0, "data")
    return None if data is None else _nested(data, _MOST_LEVELS)


def _nested(value: Value, levels: int) -> Shape | None:
    """The shape of lists in lists of numbers; None where they are not all known."""
    match value:
        case Tensor():
            return shape_of(value)
        case Const(value=int() | float() | complex()) | Number():
            return SCALAR
        case Container(kind="list" | "tuple", items=list() as items) if levels:
            if not items:
                return Shape((0,))
            inner = {_nested(item, levels - 1) for item in items}
            found = inner.pop()
            return None if inner or found is None or found.is_open else Shape((len(items), *found.dims))
        case _:
            return None


_SIZED = ("zeros", "ones", "empty", "rand", "randn")

_MAKERS: dict[str, Callable[[Arguments], Shape | None]] = {
    **dict.fromkeys(_SIZED, _checked(_of_sizes)),
    "full": _full,
    "randint": _randint,
    "arange": _arange,
    "linspace": _counted(2, "steps"),
    "logspace": _counted(2, "steps"),
    "randperm": _counted(0, "n"),
    "hann_window": _counted(0, "window_length"),
    "hamming_window": _counted(0, "window_length"),
    "eye": _eye,
    "tensor": _of_data,
    "as_tensor": _of_data,
    "asarray": _of_data,
    "scalar_tensor": lambda _: SCALAR,
}
