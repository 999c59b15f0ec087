"""TL706: every rank of a DDP training goes through the whole dataset."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis, members
from torchlore.analysis.events import Kind, Loop, Place, events
from torchlore.analysis.queries import is_none, options
from torchlore.analysis.values import Instance, Value
from torchlore.rules import arguments, imports, support
from torchlore.rules.data import _loaders
from torchlore.rules.distributed import _epochs, _frameworks, _ranks
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit


class MissingDistributedSampler(Rule):
    """
    ## What it does

    Looks for the training of a model in `DistributedDataParallel` with batches of a loader that has no
    sampler.

    ## Why is this bad?

    Each process has the whole dataset, and without a `DistributedSampler` it goes through all of it. An epoch
    is no shorter than on one device; where the processes have the same seed, they compute the same gradients
    from the same batches, and the other devices add nothing. Nothing is reported.

    ## Example

    ```py
    import torch
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DataLoader
    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor


    def main():
        dataset = MNIST(".", transform=ToTensor())
        loader = DataLoader(dataset, batch_size=64, shuffle=True)
        model = DistributedDataParallel(torch.nn.Linear(784, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            for x, y in loader:
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x.flatten(1)), y).backward()
                optimizer.step()
    ```

    ## Use instead

    ```py
    import torch
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DataLoader, DistributedSampler
    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor


    def main():
        dataset = MNIST(".", transform=ToTensor())
        loader = DataLoader(dataset, batch_size=64, sampler=DistributedSampler(dataset))
        model = DistributedDataParallel(torch.nn.Linear(784, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            loader.sampler.set_epoch(epoch)
            for x, y in loader:
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x.flatten(1)), y).backward()
                optimizer.step()
    ```

    ## Fix safety

    Unsafe: it changes which samples each process sees, and how many steps an epoch has.

    ## Known limits

    Silent where the dataset may be another one on each rank: a stream, one made with ranks or by chance, or
    by code that the analysis cannot see. Silent where ranks share a model (tensor parallel, RPC), so that
    some of them need the same data, and where a library manages the training.

    ## References

    - [torch.utils.data.distributed.DistributedSampler](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler)
    """

    code = "TL706"
    name = "missing-distributed-sampler"
    family = Family.DISTRIBUTED
    severity = Severity.WARNING
    since = "0.1.0"
    card = "samplers-and-splits"
    trigger = r"\bDistributedDataParallel\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        wrapping = list(analysis.called("torch.nn.parallel.DistributedDataParallel"))
        models = {model for call in wrapping for model in _instances(call.value(0, "module"))}
        if not models or not any(analysis.called(_loaders.LOADER)):
            return
        source = analysis.source
        if _frameworks.manages_training(source) or _SHARING.search(source.text):
            return
        for root in analysis.roots:
            for place in root.places_of(Kind.STEP):
                for found in _undivided(analysis, place, models):
                    if not support.is_held(root, found.loader):
                        yield self._finding(analysis, found, wrapping[0].node)

    def _finding(self, analysis: Analysis, found: _Undivided, wrapped: ast.Call) -> Finding:
        call, dataset = found.made, found.dataset
        message = (
            f"Every rank trains on all of `{support.written(analysis, dataset)}`: this loader has no "
            f"`DistributedSampler`, and the model is wrapped in DDP {support.on_line(analysis, wrapped)}"
        )
        related = (
            *support.related(analysis, wrapped, "one process for each rank"),
            Related(support.code_of_line(analysis, found.batches), "its batches are trained on here"),
        )
        fix = _fix(analysis, found)
        span = analysis.source.span(call.func)
        return self.finding(message, span, fixes=(fix,) if fix is not None else (), related=related)


_SHARING = re.compile(r"DeviceMesh|device_mesh|parallelize_module|DTensor|\brpc\b|xla|[pP]ipeline")


def _instances(value: Value | None) -> tuple[Instance, ...]:
    return tuple(one for one in options(value) if isinstance(one, Instance)) if value is not None else ()


@dataclass(frozen=True, slots=True)
class _Undivided:
    """A loop of training over a loader that gives each rank everything.

    Attributes:
        loader: the loader, and `made`, the call that makes it.
        dataset: as it is written in that call.
        batches: the loop over the loader.
        epochs: the loop over epochs around it; None where there is none.
    """

    loader: Instance
    made: ast.Call
    dataset: ast.expr
    batches: ast.For
    epochs: _epochs.Epochs | None


def _undivided(analysis: Analysis, place: Place, models: set[Instance]) -> Iterator[_Undivided]:
    """The loaders without a sampler that a step is for, if it trains one of `models`."""
    loops = place.loops
    for index, loop in enumerate(loops):
        if not isinstance(loop.node, ast.For) or not analysis.owns(loop.node) or not _trains(loop, models):
            continue
        for loader in _loaders.loaders_in(analysis, loop.node.iter):
            made = loader.node
            if not isinstance(made, ast.Call) or not analysis.owns(made) or not _has_no_sampler(loader):
                continue
            dataset = _dataset(made)
            if dataset is not None and _is_shared(analysis, loader):
                around = _epochs.epochs(analysis, loops[index - 1]) if index else None
                if support.is_seen_whole(analysis, place, made):
                    yield _Undivided(loader, made, dataset, loop.node, around)


def _trains(loop: Loop, models: set[Instance]) -> bool:
    """Whether one of `models` is called in a loop, and gradients are computed."""
    found = events(loop.body)
    forwards = any(event.kind is Kind.FORWARD and event.subject in models for event in found)
    return forwards and any(event.kind is Kind.BACKWARD for event in found)


def _has_no_sampler(loader: Instance) -> bool:
    given = loader.arguments
    if given is None or not given.complete or loader.cls != _loaders.LOADER:
        return False
    parts = (given.get(3, "sampler"), given.get(4, "batch_sampler"))
    return all(part is None or is_none(part) for part in parts)


def _dataset(made: ast.Call) -> ast.expr | None:
    if made.args:
        return made.args[0]
    given = arguments.keyword(made, "dataset")
    return given.value if given is not None else None


def _is_shared(analysis: Analysis, loader: Instance) -> bool:
    """Whether all ranks surely make the same dataset, and one that has indices."""
    value = loader.arguments.get(0, "dataset") if loader.arguments is not None else None
    known = _instances(value)
    if value is None or not known or len(known) < len(options(value)):
        return False
    return all(
        members.kind_of(one) == "Dataset"
        and not _loaders.is_iterable_dataset(one)
        and isinstance(one.node, ast.Call)
        and analysis.owns(one.node)
        and not _ranks.may_tell_ranks(analysis, one.node, (Value,))
        for one in known
    )


def _fix(analysis: Analysis, found: _Undivided) -> Fix | None:
    """Gives each rank its part, in another order in each epoch."""
    call, dataset = found.made, found.dataset
    if not isinstance(dataset, ast.Name | ast.Attribute) or not found.made.keywords:
        return None
    shuffle = arguments.keyword(call, "shuffle")
    is_shuffled = (
        shuffle is not None and isinstance(shuffle.value, ast.Constant) and shuffle.value.value is True
    )
    if arguments.keyword(call, "sampler") is not None or (shuffle is not None and not is_shuffled):
        return None
    options_of = "" if is_shuffled else ", shuffle=False"
    sampler = f"sampler=DistributedSampler({support.written(analysis, dataset)}{options_of})"
    imported = imports.missing(analysis, "from torch.utils.data import DistributedSampler")
    if imported is None:
        return None
    if shuffle is not None:
        edits = [Edit(analysis.source.span(shuffle), sampler)]
    else:
        edits = [arguments.put_before(analysis, call.keywords[0], sampler)]
    if is_shuffled and found.epochs is not None:
        told = _tell_epoch(analysis, found, found.epochs)
        if told is None:
            return None
        edits.append(told)
    return Fix("Give each rank its part: `DistributedSampler`", (*imported, *edits), safe=False)


def _tell_epoch(analysis: Analysis, found: _Undivided, epochs: _epochs.Epochs) -> Edit | None:
    """`loader.sampler.set_epoch(epoch)`, where the loader has a name that means the same in both loops."""
    target, body = epochs.node.target, epochs.node.body
    if not isinstance(target, ast.Name) or target.id == "_" or not analysis.owns(epochs.node):
        return None
    for node in (found.batches.iter, *getattr(found.batches.iter, "args", ())):
        is_loader = analysis.run.values.get(node) is found.loader
        if is_loader and _epochs.is_same_name(analysis, node, node, epochs.node):
            code = f"{support.written(analysis, node)}.sampler.set_epoch({target.id})"
            return support.insert_before(analysis, body[0], code)
    return None
