"""Where a loop over a loader moves the batches to a GPU."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.queries import has_unknown, is_none, options
from torchlore.analysis.values import Const, Container, Instance, Unknown, Value
from torchlore.rules import arguments
from torchlore.rules.data import _loaders
from torchlore.text import Source
from torchlore.text.nodes import nodes_in


@dataclass(frozen=True, slots=True)
class Transfer:
    """`x.to(device)`, where `x` is what a loader yields, or a part of it.

    Attributes:
        call: the move.
        loaders: the calls that make the loaders that it may come from.
    """

    call: ast.Call
    loaders: tuple[Called, ...]


def may_stand_in(source: Source) -> bool:
    """Whether a file makes a loader and moves something: where it does not, nothing is moved out of one."""
    text = source.text
    return "DataLoader(" in text and (".to(" in text or ".cuda(" in text)


def transfers(analysis: Analysis) -> Iterator[Transfer]:
    """The moves to a GPU of what torch's own `collate_fn` makes of items, in the order of the text."""
    for loop in analysis.source.every(ast.For):
        loaders = tuple(_loaders_of(analysis, loop.iter))
        if not loaders or not all(map(_collates_by_default, loaders)) or not analysis.is_whole(loop):
            continue
        names = _names(loop.target)
        inside = [node for statement in loop.body for node in nodes_in(statement)]
        names |= {name for node in inside for name in _names_of_parts(node, names)}
        for node in inside:
            moved = _moved(analysis, node)
            if moved is not None and moved.id in names and not _is_bound_before(inside, moved):
                yield Transfer(node, loaders)  # type: ignore[arg-type]


def is_decided(call: ast.Call) -> bool:
    """Whether a move says itself whether it waits."""
    return len(call.args) > 1 or arguments.keyword(call, "non_blocking") is not None


def is_gpu(device: Value) -> bool:
    """Whether something is a CUDA device, or one that is chosen when the program runs."""
    match device:
        case Const(value=str(name)):
            return name.startswith("cuda")
        case Const(value=int(index)):
            return not isinstance(index, bool)
        case Unknown(made_by="torch.accelerator.current_accelerator"):
            return True
        case Instance(cls="torch.device", arguments=arguments) if arguments is not None:
            given = arguments.get(0, "device")
            return given is not None and any(map(is_gpu, options(given)))
        case _:
            return False


def _loaders_of(analysis: Analysis, iterated: ast.expr) -> Iterator[Called]:
    """The loaders that a loop goes over; none of them where it may go over something else as well."""
    value = analysis.value(iterated)
    if isinstance(iterated, ast.Call) and not any(isinstance(one, Instance) for one in options(value)):
        for argument in iterated.args:
            yield from _loaders_of(analysis, argument)
        return
    calls = [_loader(analysis, one) for one in options(value)]
    if not has_unknown(value) and all(call is not None for call in calls):
        yield from (call for call in calls if call is not None)


def _loader(analysis: Analysis, value: Value) -> Called | None:
    call = analysis.call_at(value.node) if isinstance(value, Instance) else None
    return call if call is not None and call.name == _loaders.LOADER else None


def _collates_by_default(loader: Called) -> bool:
    collate = _loaders.value(loader, "collate_fn")
    return loader.is_complete and (collate is None or is_none(collate))


def _names(target: ast.AST) -> set[str]:
    return {node.id for node in nodes_in(target) if isinstance(node, ast.Name)}


def _names_of_parts(node: ast.AST, names: set[str]) -> set[str]:
    """The names of the parts of a batch in `[x.to(device) for x in batch]`, and of those of a dictionary."""
    match node:
        case ast.comprehension(
            target=target,
            iter=ast.Name(id=name)
            | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="items" | "values"), args=[]),
        ) if name in names:
            return _names(target)
        case _:
            return set()


def _moved(analysis: Analysis, node: ast.AST) -> ast.Name | None:
    """The name of what a node moves to a GPU, or of what that is an item of; None where it does more."""
    match node:
        case ast.Call(func=ast.Attribute(value=moved, attr="to" | "cuda" as method)):
            name = moved.value if isinstance(moved, ast.Subscript) else moved
        case _:
            return None
    if not isinstance(name, ast.Name) or isinstance(analysis.value(moved), Instance | Container):
        return None
    others = [keyword.arg for keyword in node.keywords if keyword.arg not in ("device", "non_blocking")]
    devices = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "device")]
    if others or len(devices) > 1:
        return None
    fits = any(map(is_gpu, options(analysis.value(devices[0])))) if devices else method == "cuda"
    return name if fits else None


def _is_bound_before(inside: list[ast.AST], name: ast.Name) -> bool:
    """Whether the loop binds a name to something else above its use."""
    return any(
        isinstance(node, ast.Name)
        and node.id == name.id
        and isinstance(node.ctx, ast.Store)
        and node.lineno < name.lineno
        for node in inside
    )
