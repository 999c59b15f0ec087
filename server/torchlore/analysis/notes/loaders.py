"""What the arguments of a DataLoader imply: how many batches, in which order, loaded by whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import members
from torchlore.analysis.queries import options
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Function,
    Instance,
    LocalClass,
    Ref,
    Value,
)

LOADER = "torch.utils.data.DataLoader"

_PLACES = (
    *("dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn"),
    *("pin_memory", "drop_last", "timeout", "worker_init_fn", "multiprocessing_context", "generator"),
)
_UNSET: dict[str, object] = {
    "batch_size": 1,
    "shuffle": None,
    "sampler": None,
    "batch_sampler": None,
    "num_workers": 0,
    "pin_memory": False,
    "drop_last": False,
    "persistent_workers": False,
    "prefetch_factor": None,
}
_DRAWN = {
    **dict.fromkeys(("MNIST", "FashionMNIST", "KMNIST"), (60_000, 10_000)),
    **dict.fromkeys(("CIFAR10", "CIFAR100"), (50_000, 10_000)),
}
"""How many pictures the sets of `torchvision.datasets` have for training and for testing."""

_NO_IDEA = object()


def told(loader: Instance) -> Iterator[str]:
    """Lines of Markdown about a loader; what is not certain is left out."""
    given = loader.arguments
    if loader.cls != LOADER or given is None or not given.complete:
        return
    set_to = {name: _setting(given, name) for name in _UNSET}
    if set_to["batch_sampler"] is None:
        batches = _batches(given, set_to)
        if batches:
            yield batches
    order = _order(given, set_to)
    if order:
        yield order
    yield from _workers(set_to)
    if set_to["pin_memory"] is True:
        yield (
            "`pin_memory=True`: batches lie in page-locked memory, so that `.to(device, non_blocking=True)` "
            "copies in the background. Without an accelerator it warns and does nothing."
        )


def batch_size(loader: Instance) -> int | None:
    """How many items the loader gives at a time; None where that is not certain."""
    given = loader.arguments
    if loader.cls != LOADER or given is None or not given.complete:
        return None
    size = _setting(given, "batch_size")
    is_plain = _setting(given, "batch_sampler") is None and type(size) is int
    return size if is_plain and isinstance(size, int) else None


def _setting(given: Arguments, name: str) -> object:
    """What an argument is set to; `_NO_IDEA` where it is no literal."""
    value = given.get(_PLACES.index(name) if name in _PLACES else -1, name)
    if value is None:
        return _UNSET[name]
    return value.value if isinstance(value, Const) else _NO_IDEA


def _batches(given: Arguments, set_to: dict[str, object]) -> str:
    per_batch, drops = set_to["batch_size"], set_to["drop_last"]
    if per_batch is None:
        return "`batch_size=None`: nothing is batched, items come as the dataset gives them."
    if type(per_batch) is not int or per_batch < 1 or set_to["sampler"] is not None or _is_stream(given):
        return ""
    dataset = given.get(0, "dataset")
    items = length(dataset) if dataset is not None else None
    if items is None or drops is _NO_IDEA:
        return ""
    whole, left = divmod(items, per_batch)
    if drops:
        lost = f", and {left:,} items are left out (`drop_last=True`)" if left else ""
        return f"{items:,} items in batches of {per_batch:,}: {_many(whole)} per epoch{lost}."
    if not left:
        return f"{items:,} items in batches of {per_batch:,}: {_many(whole)} per epoch, all of them full."
    last = f"the last one of {left:,}" if whole else "which holds all of them"
    return f"{items:,} items in batches of {per_batch:,}: {_many(whole + 1)} per epoch, {last}."


def _many(batches: int) -> str:
    return f"{batches:,} batch{'es' if batches != 1 else ''}"


def _order(given: Arguments, set_to: dict[str, object]) -> str:
    if set_to["batch_sampler"] is not None or set_to["sampler"] is not None or _is_stream(given):
        return ""
    if set_to["shuffle"] is True:
        return "`shuffle=True`: another order in every epoch."
    if set_to["shuffle"] is None or set_to["shuffle"] is False:
        return "Not shuffled: every epoch has the items in the same order."
    return ""


def _is_stream(given: Arguments) -> bool:
    """Whether the dataset may be one that says itself in which order items come."""
    dataset = given.get(0, "dataset")
    for option in options(dataset) if dataset is not None else ():
        if not isinstance(option, Instance | Container):
            return True
        if isinstance(option, Instance) and isinstance(option.cls, LocalClass):
            bases = {base.name for base in members.imported_bases(option.cls) if isinstance(base, Ref)}
            if bases - {"torch.utils.data.Dataset", "builtins.object"} or members.is_open(option.cls):
                return True
        elif isinstance(option, Instance) and option.cls not in _MAPS and not _drawn(option):
            return True
    return dataset is None


_MAPS = frozenset({"torch.utils.data.TensorDataset", "torch.utils.data.Subset"})


def _workers(set_to: dict[str, object]) -> Iterator[str]:
    workers = set_to["num_workers"]
    if type(workers) is not int:
        return
    if workers == 0:
        yield "`num_workers=0`: items are loaded in the process that trains, which waits meanwhile."
        if set_to["persistent_workers"] is True:
            yield "`persistent_workers=True` raises a ValueError: it needs `num_workers` above 0."
        if type(set_to["prefetch_factor"]) is int:
            yield "`prefetch_factor` raises a ValueError: it needs `num_workers` above 0."
        return
    ahead = 2 if set_to["prefetch_factor"] is None else set_to["prefetch_factor"]
    early = f", up to {workers * ahead:,} batches ahead" if isinstance(ahead, int) else ""
    stay = {True: "; they stay between epochs", False: "; they are started anew for every epoch"}
    kept = stay[bool(set_to["persistent_workers"])] if set_to["persistent_workers"] is not _NO_IDEA else ""
    yield f"{workers} worker process{'es' if workers > 1 else ''}{early}{kept}."


def length(dataset: Value) -> int | None:
    """How many items a dataset has; None where that is not certain."""
    match dataset:
        case Container(kind="list" | "tuple", items=list() as items):
            return len(items)
        case Instance(cls=LocalClass() as cls):
            return _length_of_class(dataset, cls)
        case Instance(cls="torch.utils.data.TensorDataset", node=ast.Call(args=[first, *_])):
            return _rows(first)
        case Instance():
            return _drawn(dataset)
        case _:
            return None


def _drawn(dataset: Instance) -> int | None:
    """The length of a set that torchvision has; None where it is none, or where its part is not known."""
    if not isinstance(dataset.cls, str):
        return None
    home, _, name = dataset.cls.rpartition(".")
    given = dataset.arguments
    if home not in ("torchvision.datasets", "torchvision.datasets.mnist", "torchvision.datasets.cifar"):
        return None
    if name not in _DRAWN or given is None or not given.complete:
        return None
    train = given.get(1, "train") or Const(True)
    if not isinstance(train, Const) or not isinstance(train.value, bool):
        return None
    return _DRAWN[name][0 if train.value else 1]


def _length_of_class(dataset: Instance, cls: LocalClass) -> int | None:
    """The length that `__len__` gives where it is one line: a number, an attribute, a list's length."""
    method = members.lookup(cls, "__len__")
    if not isinstance(method, Function) or isinstance(method.node, ast.Lambda):
        return None
    body = method.node.body
    if len(body) != 1 or not isinstance(body[0], ast.Return):
        return None
    match body[0].value:
        case ast.Constant(value=int() as value):
            return value
        case ast.Attribute(value=ast.Name(id="self"), attr=attr):
            held = dataset.attributes.get(attr)
            return held.value if isinstance(held, Const) and type(held.value) is int else None
        case ast.Call(func=ast.Name(id="len"), args=[ast.Attribute(value=ast.Name(id="self"), attr=attr)]):
            held = dataset.attributes.get(attr)
            return len(held.items) if isinstance(held, Container) and held.items is not None else None
        case _:
            return None


def _rows(tensor: ast.expr) -> int | None:
    """The first dimension of a tensor that is made on the spot: `torch.randn(1000, 3)`."""
    match tensor:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=made), args=[first, *_]):
            if made not in ("randn", "rand", "zeros", "ones", "empty"):
                return None
            if isinstance(first, ast.Tuple | ast.List) and first.elts:
                first = first.elts[0]
            is_number = isinstance(first, ast.Constant) and type(first.value) is int
            return first.value if is_number else None  # type: ignore[attr-defined]
        case _:
            return None
