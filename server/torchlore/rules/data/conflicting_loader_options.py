"""TL501: a `DataLoader` is given options that exclude each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import MISSING, Called
from torchlore.rules import arguments
from torchlore.rules.data import _loaders
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class ConflictingLoaderOptions(Rule):
    """
    ## What it does

    Looks for a `DataLoader` that is told twice how to choose its samples: `shuffle=True` beside a `sampler`;
    `batch_size`, `shuffle`, `sampler` or `drop_last` beside a `batch_sampler`; `drop_last=True` where
    `batch_size=None` turns batching off.

    ## Why is this bad?

    A sampler decides the order, a batch sampler decides the batches as well. What else is asked for cannot
    be done, and the constructor raises a `ValueError`.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

    dataset = TensorDataset(torch.arange(8.0))
    sampler = WeightedRandomSampler([0.1] * 8, num_samples=8)
    loader = DataLoader(dataset, batch_size=4, shuffle=True, sampler=sampler)
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

    dataset = TensorDataset(torch.arange(8.0))
    sampler = WeightedRandomSampler([0.1] * 8, num_samples=8)
    loader = DataLoader(dataset, batch_size=4, sampler=sampler)
    ```

    ## Fix safety

    Safe. The sampler stays and the option that it excludes goes; the call could only fail before. The other
    repair, to give up the sampler, is offered as well.

    ## Known limits

    Speaks only where both options are surely given: silent for `shuffle=(sampler is None)`, and where the
    sampler may be None.

    ## References

    - [torch.utils.data, Data Loading Order and Sampler](https://docs.pytorch.org/docs/stable/data.html#data-loading-order-and-sampler)
    """

    code = "TL501"
    name = "conflicting-loader-options"
    family = Family.DATA
    severity = Severity.ERROR
    since = "0.1.0"
    card = "samplers-and-splits"
    trigger = r"\b(?:sampler|batch_sampler|drop_last)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(_loaders.LOADER):
            for chooser, option in _conflicts(call):
                node = _loaders.written(call, option)
                if node is not None and _loaders.should_work(analysis, call):
                    yield self._finding(analysis, call.node, chooser, option, node)

    def _finding(
        self, analysis: Analysis, call: ast.Call, chooser: str, option: str, node: ast.expr
    ) -> Finding:
        shown = arguments.shown(analysis, call, option, node)
        message = (
            f"`DataLoader` raises a ValueError: `{shown}` and `{chooser}` exclude each other, {_WHY[chooser]}"
        )
        given = arguments.keyword(call, option)
        span = analysis.source.span(given if given is not None else node)
        return self.finding(message, span, fixes=tuple(_fixes(analysis, call, chooser, option, node)))


_WHY = {
    "batch_sampler": "because a batch sampler decides alone what is in each batch",
    "sampler": "because a sampler decides the order by itself",
    "batch_size=None": "because nothing is put into batches",
}
"""What excludes other options, and in words why it does."""


def _conflicts(call: Called) -> Iterator[tuple[str, str]]:
    """What decides how samples are chosen, with each option that is surely given beside it in vain."""
    if _loaders.is_iterable_dataset(_loaders.value(call, "dataset")):
        return  # that it takes no sampler at all is another mistake (TL503)
    size = _loaders.literal(call, "batch_size")
    has_sampler = _loaders.is_something(_loaders.value(call, "sampler"))
    if _loaders.is_something(_loaders.value(call, "batch_sampler")):
        if size is not MISSING and size != 1:  # 1 cannot be told from the default
            yield "batch_sampler", "batch_size"
        if has_sampler:
            yield "batch_sampler", "sampler"
        for option in ("shuffle", "drop_last"):
            if _loaders.literal(call, option) is True:
                yield "batch_sampler", option
        return
    if has_sampler and _loaders.literal(call, "shuffle") is True:
        yield "sampler", "shuffle"
    if size is None and _loaders.literal(call, "drop_last") is True:
        yield "batch_size=None", "drop_last"


def _fixes(analysis: Analysis, call: ast.Call, chooser: str, option: str, node: ast.expr) -> Iterator[Fix]:
    out = arguments.removed(analysis, call, option)
    if out is not None:
        yield Fix(f"Remove `{arguments.shown(analysis, call, option, node)}`", (out,), safe=True)
    elif option in ("shuffle", "drop_last"):
        edit = Edit(analysis.source.span(node), "False")
        yield Fix(f"Turn `{option}` off: `False`", (edit,), safe=True)
    instead = arguments.removed(analysis, call, chooser)
    if instead is not None:
        yield Fix(f"Give up `{chooser}`", (instead,), safe=False)
