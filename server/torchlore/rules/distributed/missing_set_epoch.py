"""TL701: a `DistributedSampler` is not told the epoch, so that every epoch has the same order."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind, Place, Root, events
from torchlore.analysis.queries import is_none, options
from torchlore.analysis.values import Arguments, Const, Instance, OneOf
from torchlore.rules import indentation, support
from torchlore.rules.data import _loaders
from torchlore.rules.distributed import _epochs, _frameworks
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity


class MissingSetEpoch(Rule):
    """
    ## What it does

    Looks for training over several epochs whose loader draws from a shuffling `DistributedSampler`, and that
    never calls the sampler's `set_epoch`.

    ## Why is this bad?

    The sampler shuffles with `seed + epoch`, so that all ranks agree on the order, and the epoch is what
    `set_epoch` last said: 0. Without it every epoch goes through the data in the same order, in the same
    batches. Nothing is reported.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

    dataset = TensorDataset(torch.randn(64, 4))
    sampler = DistributedSampler(dataset, num_replicas=2, rank=0)
    loader = DataLoader(dataset, batch_size=8, sampler=sampler)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        for (x,) in loader:
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

    dataset = TensorDataset(torch.randn(64, 4))
    sampler = DistributedSampler(dataset, num_replicas=2, rank=0)
    loader = DataLoader(dataset, batch_size=8, sampler=sampler)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        for (x,) in loader:
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
    ```

    ## Fix safety

    Unsafe: it changes which batches training sees, from the second epoch on.

    ## Known limits

    Speaks only of a loop over a range of numbers in which an optimizer that was made before it is stepped,
    for each batch of the loader. Silent where the sampler or the loader is handed to code that the analysis
    cannot see, and where a library such as accelerate or Lightning is imported, which tells samplers the
    epoch itself.

    ## References

    - [torch.utils.data.distributed.DistributedSampler](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler)
    """

    code = "TL701"
    name = "missing-set-epoch"
    family = Family.DISTRIBUTED
    severity = Severity.WARNING
    since = "0.1.0"
    card = "samplers-and-splits"
    trigger = r"\bDistributedSampler\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if _frameworks.manages_training(analysis.source) or _is_said_elsewhere(analysis):
            return
        told = _told(analysis)
        if told is None:
            return
        for root in analysis.roots:
            for place in root.places_of(Kind.STEP):
                for pass_ in _passes(analysis, place):
                    if pass_.sampler.node not in told and _is_certain(analysis, root, place, pass_):
                        yield from self._report(analysis, pass_)

    def _report(self, analysis: Analysis, pass_: _Pass) -> Iterator[Finding]:
        made, around = pass_.sampler.node, pass_.epochs.node
        shown = made if analysis.owns(made) else around.iter if analysis.owns(around) else None
        if not isinstance(shown, ast.expr):
            return
        at = "" if analysis.owns(made) else f" made {support.on_line(analysis, made)}"
        message = (
            f"The `DistributedSampler`{at} shuffles every epoch alike: nothing tells it which epoch begins "
            f"in the loop {support.on_line(analysis, around)}"
        )
        related: tuple[Related, ...] = ()
        if analysis.owns(around):
            related = (Related(support.code_of_line(analysis, around), "an epoch begins here"),)
        fix = _fix(analysis, pass_)
        span = analysis.source.span(shown)
        yield self.finding(message, span, fixes=(fix,) if fix is not None else (), related=related)


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass over a loader in a loop of epochs.

    Attributes:
        epochs: the loop around it.
        batches: the loop over the loader.
        loader: what is iterated over.
        sampler: the shuffling sampler that it draws from.
        way: what lies between the loops, outermost first.
    """

    epochs: _epochs.Epochs
    batches: ast.For
    loader: Instance
    sampler: Instance
    way: tuple[ast.Call, ...]


def _is_said_elsewhere(analysis: Analysis) -> bool:
    """Whether a file that this one imports speaks of `set_epoch`: whom it tells is not asked."""
    files = analysis.dependencies.files.values()
    return any(
        file.was_read and "set_epoch" in file.source.text
        for file in files
        if file.path != analysis.source.path
    )


def _told(analysis: Analysis) -> set[ast.AST] | None:
    """Where samplers are made that the file tells the epoch; None where it tells something not known."""
    found: set[ast.AST] = set()
    calls = list(analysis.called("Sampler.set_epoch"))
    for call in calls:
        receivers = options(call.receiver) if call.receiver is not None else ()
        found.update(sampler.node for sampler in receivers if isinstance(sampler, Instance))
    return found if analysis.source.text.count("set_epoch") == len(calls) else None


def _passes(analysis: Analysis, place: Place) -> Iterator[_Pass]:
    """The passes over loaders with such a sampler that a step is in."""
    for outer, inner in pairwise(place.loops):
        epochs = _epochs.epochs(analysis, outer)
        if epochs is None or not isinstance(inner.node, ast.For):
            continue
        for loader in _loaders.loaders_in(analysis, inner.node.iter):
            for sampler in _shuffling(loader):
                way = place.within[place.within.index(outer) + 1 : place.within.index(inner)]
                calls = tuple(step.node for step in way if isinstance(step.node, ast.Call))
                yield _Pass(epochs, inner.node, loader, sampler, calls)


def _shuffling(loader: Instance) -> Iterator[Instance]:
    """The shuffling `DistributedSampler`s that a loader draws from, by itself or through batches."""
    for sampler in _samplers(loader):
        given = sampler.arguments
        if sampler.cls == _SAMPLER and given is not None and given.complete:
            shuffle = given.get(3, "shuffle")
            if shuffle is None or (isinstance(shuffle, Const) and shuffle.value is True):
                yield sampler


_SAMPLER = "torch.utils.data.DistributedSampler"


def _samplers(loader: Instance) -> Iterator[Instance]:
    given = loader.arguments or Arguments([], {})
    for part in (given.get(3, "sampler"), given.get(4, "batch_sampler")):
        for sampler in options(part) if part is not None else ():
            if not isinstance(sampler, Instance):
                continue
            yield sampler
            inner = sampler.arguments.get(0, "sampler") if sampler.arguments is not None else None
            if sampler.cls == "torch.utils.data.BatchSampler" and inner is not None:
                yield from (one for one in options(inner) if isinstance(one, Instance))


def _is_certain(analysis: Analysis, root: Root, place: Place, pass_: _Pass) -> bool:
    """Whether the same sampler and optimizer serve all epochs, and nobody else can tell the sampler."""
    if "epoch" in pass_.sampler.attributes:
        return False  # `sampler.epoch = epoch`
    kept = (pass_.sampler, place.event.subject)
    for event in events(pass_.epochs.loop.body):
        if event.kind is Kind.RESET and any(event.key is one for one in kept):
            return False
    if support.is_held(root, pass_.sampler):
        return False
    return support.is_seen_whole(analysis, place, pass_.sampler.node)


def _fix(analysis: Analysis, pass_: _Pass) -> Fix | None:
    """Tells the sampler where an epoch begins, by a name that it has there."""
    loop = pass_.epochs.node
    name = _name_there(analysis, pass_)
    if name is None or not analysis.owns(loop) or not isinstance(loop.target, ast.Name):
        return None
    if loop.target.id == "_":
        return None
    code = [f"{name}.set_epoch({loop.target.id})"]
    given = pass_.loader.arguments.get(3, "sampler") if pass_.loader.arguments is not None else None
    if isinstance(given, OneOf) and any(is_none(part) for part in given.options):
        code = [f"if {name} is not None:", indentation.step(analysis.source) + code[0]]
    edit = support.insert_before(analysis, loop.body[0], *code)
    return Fix(f"Tell `{name}` which epoch begins", (edit,), safe=False) if edit is not None else None


def _name_there(analysis: Analysis, pass_: _Pass) -> str | None:
    """What the sampler is called where the loop of epochs stands; None where it has no name there."""
    if not analysis.owns(pass_.epochs.node):
        return None
    made = pass_.loader.node
    if isinstance(made, ast.Call) and analysis.owns(made):
        written = next((given.value for given in made.keywords if given.arg == "sampler"), None)
        if written is not None and _epochs.is_same_name(analysis, written, made, pass_.epochs.node):
            return support.written(analysis, written)
    given = pass_.loader.arguments
    if given is None or given.keywords.get("sampler") is not pass_.sampler:
        return None
    for node in _candidates(pass_):
        known = analysis.owns(node) and analysis.run.values.get(node) is pass_.loader
        if known and _epochs.is_same_name(analysis, node, node, pass_.epochs.node):
            return f"{support.written(analysis, node)}.sampler"
    return None


def _candidates(pass_: _Pass) -> Iterator[ast.expr]:
    """Where the loader may have a name: what calls on the way are given, and what is iterated over."""
    for call in pass_.way:
        yield from (*call.args, *(keyword.value for keyword in call.keywords))
    yield pass_.batches.iter
    if isinstance(pass_.batches.iter, ast.Call):
        yield from pass_.batches.iter.args
