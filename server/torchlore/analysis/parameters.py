"""Which parameters an optimizer is given, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis.queries import join, reachable
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Instance,
    Iterable,
    OneOf,
    Params,
    Tensor,
    Value,
)

_DEEPEST = 16
"""Modules in modules, in lists of them: those that are frozen with one are looked for so deep."""


def of(module: Instance) -> Params:
    """`module.parameters()`."""
    return Params(frozenset({module}))


def owners(given: Value) -> frozenset[Value] | None:
    """Whose parameters an optimizer over `given` updates: modules, and tensors that the user made as leaves.

    Args:
        given: its first argument: parameters, tensors, groups of them.

    Returns:
        None where some of them are not known.
    """
    found: set[Value] = set()
    for part in _given(given, depth=4):
        match part:
            case Params(owners=None):
                return None
            case Params(owners=frozenset() as some):
                found |= some
            case Tensor(leaf=True) | Tensor(parameter=True):
                found.add(part)
            case Tensor():
                return None
    return frozenset(found) or None


def _given(value: Value, depth: int) -> Iterator[Value]:
    """The parameters and tensors in `value`: alone, in lists, in groups."""
    match value:
        case Params() | Tensor():
            yield value
        case OneOf(options=parts):
            for part in parts:
                yield from _given(part, depth)
        case Container(kind="dict", keyed={"params": inner}) if depth:
            yield from _given(inner, depth - 1)
        case Container(items=items, element=element, keyed=keyed) if depth:
            for part in [*items] if items else [element, *keyed.values()]:
                yield from _given(part, depth - 1)
        case Iterable(element=element) if depth:
            yield from _given(element, depth - 1)
        case _:
            pass


def set_trainable(run: Run, module: Instance, trained: bool | None) -> None:
    """Parameters of `module`, and of the modules in it, stop or start to require gradients.

    Args:
        run: tells whether this happens on one of several paths only.
        module: whose parameters.
        trained: whether they require gradients from now on; None where that is not known.
    """
    frozen = None if trained is None else not trained
    for part in reachable(module, depth=_DEEPEST):
        if isinstance(part, Instance) and part.frozen is not frozen:
            part.frozen = None if run.branches else frozen
            run.heap_changes += 1
            run.changes += 1


def with_group(arguments: Arguments, group: Value) -> Arguments:
    """The arguments of an optimizer that was given one more group of parameters."""
    before = arguments.get(0, "params")
    parts = [before, group] if before is not None else [group]
    keywords = {name: value for name, value in arguments.keywords.items() if name != "params"}
    together = Container("list", parts, join(parts))
    return Arguments([together, *arguments.positional[1:]], keywords, arguments.complete, arguments.nodes)


def optimizer_of(scheduler: Instance, depth: int = 4) -> Value | None:
    """The optimizer that a scheduler drives; None where it is not known."""
    if scheduler.arguments is None or not depth:
        return None
    found = scheduler.arguments.get(0, "optimizer")
    if isinstance(found, Container):  # ChainedScheduler([a, b])
        found = scheduler.arguments.keywords.get("optimizer") or found
    several = scheduler.arguments.keywords.get("schedulers")
    chained = found if isinstance(found, Container) else several
    if isinstance(chained, Container) and (found is None or found is chained):
        inner = chained.items[0] if chained.items else chained.element
        return optimizer_of(inner, depth - 1) if isinstance(inner, Instance) else None
    return found if found is not None and not isinstance(found, Const) else None
