"""`functools.partial`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torchlore.analysis.values import Arguments, BoundMethod, Function, Value


@dataclass(eq=False, repr=False, slots=True)
class Partial(Value):
    """Something callable and the first of its arguments. Calling it is its `__call__`."""

    callee: Value
    arguments: Arguments


def bound(callee: Value, arguments: Arguments) -> Value:
    """What `partial(callee, …)` gives, `arguments` being the rest of its arguments.

    Keywords of a function of the file become its defaults: a caller may give them again.
    """
    if not arguments.positional and isinstance(callee, Function):
        return replace(callee, defaults={**callee.defaults, **arguments.keywords})
    if not arguments.positional and not arguments.keywords:
        return callee
    return BoundMethod(Partial(callee, arguments), "__call__")


def completed(partial: Partial, arguments: Arguments) -> Arguments:
    """The arguments of a call of `partial`."""
    return Arguments(
        [*partial.arguments.positional, *arguments.positional],
        {**partial.arguments.keywords, **arguments.keywords},
        arguments.complete,
        arguments.nodes,
    )
