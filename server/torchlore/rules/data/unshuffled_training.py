"""TL510: every epoch of a training sees the same batches in the same order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from torchlore.analysis import Analysis, members
from torchlore.analysis.called import Called
from torchlore.analysis.events import Kind, Place, happens
from torchlore.analysis.queries import has_unknown, options
from torchlore.analysis.values import Container, Instance, LocalClass, Tensor, Value
from torchlore.rules import arguments, support
from torchlore.rules.data import _loaders
from torchlore.rules.distributed import _epochs
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Source


class UnshuffledTraining(Rule):
    """
    ## What it does

    Looks for a training over several epochs with a `DataLoader` that is given neither `shuffle` nor a
    sampler.

    ## Why is this bad?

    Batches come in the order of the dataset, the same ones in every epoch. Where that is sorted, by class or
    by source, each batch holds one kind only, and what the model learns from the last one hides the others.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.randn(64, 4), torch.randn(64, 1))
    loader = DataLoader(dataset, batch_size=16)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.randn(64, 4), torch.randn(64, 1))
    loader = DataLoader(dataset, batch_size=16, shuffle=True)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
    ```

    ## Fix safety

    Unsafe: it changes what is trained. Where the order is meant (a state is carried from batch to batch, a
    curriculum), say so with `shuffle=False`.

    ## Known limits

    Silent for `shuffle=False`; where the dataset is a stream, or of a class that speaks of chance; where the
    model has recurrent layers, which may carry a state; and for batches as large as the dataset.

    ## References

    - [torch.utils.data, Data Loading Order and Sampler](https://docs.pytorch.org/docs/stable/data.html#data-loading-order-and-sampler)
    """

    code = "TL510"
    name = "unshuffled-training"
    family = Family.DATA
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "samplers-and-splits"
    trigger = r"\bDataLoader\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "DataLoader(" in text and ".step(" in text and ".backward(" in text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        unordered = {call.node: call for call in analysis.called(_loaders.LOADER) if _has_no_order(call)}
        if not unordered or any(any(analysis.called(name)) for name in _OTHERWISE):
            return
        for root in analysis.roots:
            for place in root.places_of(Kind.STEP):
                for found in _passes(analysis, place, unordered):
                    del unordered[found.loader.node]
                    yield self._finding(analysis, found)

    def _finding(self, analysis: Analysis, found: _Pass) -> Finding:
        call, epochs = found.loader, found.epochs
        dataset = _loaders.written(call, "dataset")
        name = f"`{support.written(analysis, dataset)}`" if isinstance(dataset, ast.Name) else "the dataset"
        message = (
            f"Every epoch of the loop {support.on_line(analysis, epochs)} trains on the same batches of "
            f"{name}, in the same order: neither `shuffle` nor a sampler is given"
        )
        related: tuple[Related, ...] = ()
        if analysis.owns(found.batches):
            related = (
                Related(support.code_of_line(analysis, found.batches), "its batches are trained on here"),
            )
        edit = arguments.with_keyword(analysis, call.node, "shuffle", "True")
        fixes = (Fix("Shuffle: `shuffle=True`", (edit,), safe=False),) if edit is not None else ()
        return self.finding(message, analysis.source.span(call.node.func), fixes=fixes, related=related)


_OTHERWISE = (
    "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.LSTM",
    "torch.nn.GRU",
    "torch.nn.RNN",
    "torch.nn.LSTMCell",
    "torch.nn.GRUCell",
    "torch.nn.RNNCell",
)
"""What makes that order matter, or is given samples in another way (TL706)."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """A pass over a loader, and the loop over epochs around it."""

    epochs: ast.For
    batches: ast.For
    loader: Called


def _has_no_order(call: Called) -> bool:
    """Whether nothing tells a loader how to choose its samples, and its dataset surely has an order."""
    if not all(_loaders.is_left_out(call, option) for option in ("shuffle", "sampler", "batch_sampler")):
        return False
    size = _loaders.written(call, "batch_size")
    return not isinstance(size, ast.Call) and _is_ordered(_loaders.value(call, "dataset"))


def _is_ordered(dataset: Value | None) -> bool:
    if dataset is None or has_unknown(dataset):
        return False
    return all(map(_has_an_order, options(dataset)))


def _has_an_order(dataset: Value) -> bool:
    """Whether a loader takes items by number from what it is given: from a tensor, or a list, as well."""
    if isinstance(dataset, Tensor):
        return dataset.certain
    if isinstance(dataset, Container):
        return dataset.kind in ("list", "tuple")
    if not isinstance(dataset, Instance) or _loaders.is_iterable_dataset(dataset):
        return False
    return members.kind_of(dataset) == "Dataset" or _is_indexed(dataset)


def _is_indexed(dataset: Instance) -> bool:
    """Whether an object is of a class of the workspace that says itself how long it is, and gives items."""
    cls = dataset.cls
    if not isinstance(cls, LocalClass) or members.is_open(cls):
        return False
    return all(members.lookup(cls, name) is not None for name in ("__len__", "__getitem__"))


def _passes(analysis: Analysis, place: Place, unordered: dict[ast.Call, Called]) -> Iterator[_Pass]:
    """The passes over one of these loaders that a step of an optimizer is in, epoch by epoch."""
    for outer, inner in pairwise(place.loops):
        epochs = _epochs.epochs(analysis, outer)
        if epochs is None or not isinstance(inner.node, ast.For) or not happens(inner.body, Kind.BACKWARD):
            continue
        for loader in _loaders.loaders_in(analysis, inner.node.iter):
            call = unordered.get(loader.node)  # type: ignore[call-overload]
            if call is not None and not _chooses_by_chance(analysis, loader):
                yield _Pass(epochs.node, inner.node, call)


def _chooses_by_chance(analysis: Analysis, loader: Instance) -> bool:
    """Whether a class of the workspace that the dataset is of may draw its items itself."""
    dataset = loader.arguments.get(0, "dataset") if loader.arguments is not None else None
    for one in options(dataset) if dataset is not None else ():
        if isinstance(one, Instance) and isinstance(one.cls, LocalClass):
            for part in members.mro(one.cls):
                source = analysis.source_of(part.node)
                if _CHANCE.search(source.segment(source.span(part.node))):
                    return True
    return False


_CHANCE = re.compile(r"rand|shuffle|choice|permut|sampl(?:e|er)\(|generator|\brng", re.I)
