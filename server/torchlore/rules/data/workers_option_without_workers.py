"""TL502: a `DataLoader` is given options for its workers, but no workers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import MISSING, Called
from torchlore.rules import arguments
from torchlore.rules.data import _loaders
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit


class WorkersOptionWithoutWorkers(Rule):
    """
    ## What it does

    Looks for a `DataLoader` that is told how its workers should work (`persistent_workers=True`,
    `prefetch_factor`, `multiprocessing_context`) and has none: `num_workers` is 0, or is not given.

    ## Why is this bad?

    The default is `num_workers=0`: samples are loaded in the process that trains.
    There is nothing to keep alive or to load ahead, and the constructor raises a `ValueError`.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.arange(8.0))
    loader = DataLoader(dataset, batch_size=4, persistent_workers=True)
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.arange(8.0))
    loader = DataLoader(dataset, batch_size=4, num_workers=2, persistent_workers=True)
    ```

    ## Fix safety

    Unsafe: whether workers were forgotten, or the option left over, is for you to say. Both repairs are
    offered. How many workers are best depends on the machine; 2 is a number to start from.

    ## Known limits

    Silent where the number of workers is not written in the code (a command line argument). Before torch
    2.0, `prefetch_factor=2` was the default and raised nothing.

    ## References

    - [torch.utils.data.DataLoader](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader)
    """

    code = "TL502"
    name = "workers-option-without-workers"
    family = Family.DATA
    severity = Severity.ERROR
    since = "0.1.0"
    card = "dataloader-workers"
    trigger = r"\b(?:persistent_workers|prefetch_factor|multiprocessing_context)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(_loaders.LOADER):
            if not _has_no_workers(call):
                continue
            for option in _asked_for(call):
                given = arguments.keyword(call.node, option)
                if given is not None and _loaders.should_work(analysis, call):
                    yield self._finding(analysis, call, given)

    def _finding(self, analysis: Analysis, call: Called, given: ast.keyword) -> Finding:
        written = arguments.shown(analysis, call.node, given.arg or "", given.value)
        number = _loaders.written(call, "num_workers")
        where = "`num_workers` is not given" if number is None else "`num_workers` is 0"
        message = f"`DataLoader` raises a ValueError: `{written}` needs workers, but {where}"
        related = () if number is None else (Related(analysis.source.span(number), "no workers"),)
        fixes = tuple(_fixes(analysis, call.node, number, given))
        return self.finding(message, analysis.source.span(given), fixes=fixes, related=related)


def _has_no_workers(call: Called) -> bool:
    number = _loaders.literal(call, "num_workers")
    return _loaders.is_left_out(call, "num_workers") or (number is not MISSING and number == 0)


def _asked_for(call: Called) -> Iterator[str]:
    """The options that only workers can follow, and that are surely asked for."""
    if _loaders.literal(call, "persistent_workers") is True:
        yield "persistent_workers"
    for option in ("prefetch_factor", "multiprocessing_context"):
        value = _loaders.literal(call, option)
        if value is not MISSING and value is not None:
            yield option


_FEW = 2
"""Workers to start from."""


def _fixes(analysis: Analysis, call: ast.Call, number: ast.expr | None, given: ast.keyword) -> Iterator[Fix]:
    title = f"Load with workers: `num_workers={_FEW}`"
    if isinstance(number, ast.Constant):
        yield Fix(title, (Edit(analysis.source.span(number), str(_FEW)),), safe=False)
    elif number is None:
        edit = arguments.put_before(analysis, _first(call), f"num_workers={_FEW}")
        yield Fix(title, (edit,), safe=False)
    out = arguments.removed(analysis, call, given.arg or "")
    if out is not None:
        written = arguments.shown(analysis, call, given.arg or "", given.value)
        yield Fix(f"Remove `{written}`", (out,), safe=False)


def _first(call: ast.Call) -> ast.keyword:
    """The first of the options that are for workers: several findings of one call share one repair."""
    return next(given for given in call.keywords if given.arg in _OPTIONS)


_OPTIONS = ("persistent_workers", "prefetch_factor", "multiprocessing_context")
