"""TL503: a `DataLoader` is asked to choose samples of a dataset that is a stream."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.data import _loaders
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class ShuffledIterableDataset(Rule):
    """
    ## What it does

    Looks for a `DataLoader` over an `IterableDataset` that is given `shuffle=True`, a `sampler` or a
    `batch_sampler`.

    ## Why is this bad?

    An `IterableDataset` decides itself what comes next; there are no indices to shuffle or to draw from.
    The constructor raises a `ValueError`.

    ## Example

    ```py
    from torch.utils.data import DataLoader, IterableDataset


    class Lines(IterableDataset):
        def __iter__(self):
            yield from open("lines.txt")


    loader = DataLoader(Lines(), batch_size=4, shuffle=True)
    ```

    ## Use instead

    ```py
    from torch.utils.data import DataLoader, IterableDataset


    class Lines(IterableDataset):
        def __iter__(self):
            yield from open("lines.txt")


    loader = DataLoader(Lines(), batch_size=4)
    ```

    ## Fix safety

    Unsafe: it takes the option away, so that samples come as the dataset gives them. If they should be
    shuffled, `__iter__` has to do that, for example within a buffer of a few thousand samples.

    ## Known limits

    Speaks only where the dataset is surely an `IterableDataset` of torch or of the workspace.

    ## References

    - [torch.utils.data, Iterable-style datasets](https://docs.pytorch.org/docs/stable/data.html#iterable-style-datasets)
    """

    code = "TL503"
    name = "shuffled-iterable-dataset"
    family = Family.DATA
    severity = Severity.ERROR
    since = "0.1.0"
    card = "dataset-dataloader"
    trigger = r"\b(?:shuffle|sampler|batch_sampler|IterableDataset)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(_loaders.LOADER):
            dataset = _loaders.written(call, "dataset")
            if dataset is None or not _loaders.is_iterable_dataset(_loaders.value(call, "dataset")):
                continue
            for option in _choosing(call):
                node = _loaders.written(call, option)
                if node is not None and _loaders.should_work(analysis, call):
                    yield self._finding(analysis, call.node, dataset, option, node)

    def _finding(
        self, analysis: Analysis, call: ast.Call, dataset: ast.expr, option: str, node: ast.expr
    ) -> Finding:
        shown = arguments.shown(analysis, call, option, node)
        name = support.written(analysis, dataset)
        message = (
            f"`DataLoader` raises a ValueError: `{name}` is an `IterableDataset`, "
            f"which decides its order itself, so that `{shown}` can choose nothing"
        )
        given = arguments.keyword(call, option)
        out = arguments.removed(analysis, call, option)
        if out is not None:
            fix = Fix(f"Remove `{shown}`", (out,), safe=False)
        else:
            nothing = "False" if option == "shuffle" else "None"
            fix = Fix(f"Leave `{option}` out", (Edit(analysis.source.span(node), nothing),), safe=False)
        span = analysis.source.span(given if given is not None else node)
        return self.finding(message, span, fixes=(fix,))


def _choosing(call: Called) -> Iterator[str]:
    """The options that are surely given and would choose samples by index."""
    if _loaders.literal(call, "shuffle") is True:
        yield "shuffle"
    for option in ("sampler", "batch_sampler"):
        if _loaders.is_something(_loaders.value(call, option)):
            yield option
