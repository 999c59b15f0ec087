"""What calls of `DataLoader` say, as the rules of this family ask for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, members
from torchlore.analysis.called import Called
from torchlore.analysis.queries import options
from torchlore.analysis.values import (
    Const,
    Container,
    Function,
    Instance,
    LocalClass,
    OneOf,
    Ref,
    Tensor,
    Value,
)
from torchlore.rules import support

LOADER = "torch.utils.data.DataLoader"

_OPTIONS = (
    "dataset",
    "batch_size",
    "shuffle",
    "sampler",
    "batch_sampler",
    "num_workers",
    "collate_fn",
    "pin_memory",
    "drop_last",
    "timeout",
    "worker_init_fn",
    "multiprocessing_context",
    "generator",
)
"""The parameters of `DataLoader` that may be given by their place, in order (torch 2.13)."""


def should_work(analysis: Analysis, call: Called) -> bool:
    """Whether a loader is written whole, and nobody expects that it cannot be made."""
    return analysis.is_whole(call.node) and not support.expects_an_error(analysis, call.node)


def value(call: Called, option: str) -> Value | None:
    """What an option of a loader is, whenever it is made; None where it is not given each time."""
    return call.value(_place(option), option)


def literal(call: Called, option: str) -> object:
    """The literal that an option surely is; `MISSING` where it is none, or is not given."""
    return call.literal(_place(option), option)


def written(call: Called, option: str) -> ast.expr | None:
    """The expression that is written for an option."""
    return call.argument(_place(option), option)


def is_left_out(call: Called, option: str) -> bool:
    """Whether an option is surely not given."""
    return call.is_complete and all(given.get(_place(option), option) is None for given in call.given)


def _place(option: str) -> int:
    return _OPTIONS.index(option) if option in _OPTIONS else -1


def loaders_in(analysis: Analysis, node: ast.expr) -> Iterator[Instance]:
    """The loaders that a `for` goes over: its iterable itself, or what that is made of (`enumerate(…)`)."""
    value: Value = analysis.value(node)
    found = [one for one in options(value) if members.kind_of(one) == "DataLoader"]
    if found:
        yield from (one for one in found if isinstance(one, Instance))
    elif isinstance(node, ast.Call):
        for argument in node.args:
            yield from loaders_in(analysis, argument)


def is_something(found: Value | None) -> bool:
    """Whether a value is surely something else than None."""
    if isinstance(found, OneOf):
        return all(is_something(part) for part in found.options)
    if isinstance(found, Const):
        return found.value is not None
    return isinstance(found, Instance | Container | Tensor | Function)


def is_iterable_dataset(found: Value | None) -> bool:
    """Whether a value is surely a `torch.utils.data.IterableDataset`."""
    if isinstance(found, OneOf):
        return all(is_iterable_dataset(part) for part in found.options)
    if not isinstance(found, Instance):
        return False
    if isinstance(found.cls, LocalClass):
        bases = members.imported_bases(found.cls)
        return any(isinstance(base, Ref) and base.name in _ITERABLE for base in bases)
    return found.cls in _ITERABLE


_ITERABLE = frozenset({"torch.utils.data.IterableDataset", "torch.utils.data.ChainDataset"})


def whole(dataset: Instance) -> Value | None:
    """The dataset that a `Subset` is of, None where that is not known; any other one is whole itself."""
    if dataset.cls != "torch.utils.data.Subset":
        return dataset
    given = dataset.arguments.get(0, "dataset") if dataset.arguments is not None else None
    return dataset.attributes.get("dataset") or given
