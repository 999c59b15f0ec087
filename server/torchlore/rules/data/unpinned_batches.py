"""TL507: workers make batches for a GPU in memory that it cannot read."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.data import _loaders, _transfers
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class UnpinnedBatches(Rule):
    """
    ## What it does

    Looks for a `DataLoader` with workers, without `pin_memory`, whose batches are moved to a GPU.

    ## Why is this bad?

    A GPU reads page-locked ("pinned") memory only: of every other batch the driver first makes a copy there,
    while the program waits. With `pin_memory=True` a thread of the loader does so ahead of time.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.randn(64, 4))
    loader = DataLoader(dataset, batch_size=16, num_workers=2)
    if __name__ == "__main__":
        for (x,) in loader:
            print(x.to("cuda").sum())
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.randn(64, 4))
    loader = DataLoader(dataset, batch_size=16, num_workers=2, pin_memory=True)
    if __name__ == "__main__":
        for (x,) in loader:
            print(x.to("cuda", non_blocking=True).sum())
    ```

    ## Fix safety

    Unsafe: pinned memory cannot be swapped out, so that a machine with little memory may run short of it; and
    without a GPU the loader warns that there is none.

    ## Known limits

    Speaks only where this file moves the batches, and torch itself makes them (no `collate_fn`). Silent for
    `pin_memory=False`, and without workers: then the same process would have to wait for the copy.

    ## References

    - [torch.utils.data, Memory Pinning](https://docs.pytorch.org/docs/stable/data.html#memory-pinning)
    - [CUDA semantics, Use pinned memory buffers](https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-memory-pinning)
    """

    code = "TL507"
    name = "unpinned-batches"
    family = Family.DATA
    severity = Severity.HINT
    since = "0.1.0"
    card = "dataloader-workers"
    trigger = r"\bnum_workers\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _transfers.may_stand_in(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        unpinned = {call.node for call in analysis.called(_loaders.LOADER) if _could_pin(call)}
        told: set[ast.Call] = set()
        transfers = list(_transfers.transfers(analysis)) if unpinned else []
        for transfer in transfers:
            if not all(loader.node in unpinned for loader in transfer.loaders):
                continue  # what is moved may come from the others
            for loader in transfer.loaders:
                if loader.node not in told:
                    told.add(loader.node)
                    own = [
                        each.call for each in transfers if {one.node for one in each.loaders} == {loader.node}
                    ]
                    yield self._finding(analysis, loader, transfer.call, own)

    def _finding(self, analysis: Analysis, loader: Called, moved: ast.Call, own: list[ast.Call]) -> Finding:
        message = (
            f"`{support.written(analysis, moved)}` {support.on_line(analysis, moved)} waits while the driver "
            "copies the batch to memory that the GPU can read: `pin_memory=True` has that done ahead of time"
        )
        fixes = tuple(_fixes(analysis, loader, own))
        related = support.related(analysis, moved, "its batches are moved here")
        return self.finding(message, analysis.source.span(loader.node.func), fixes=fixes, related=related)


def _fixes(analysis: Analysis, loader: Called, moves: list[ast.Call]) -> Iterator[Fix]:
    """Pins the batches, and lets the program go on where only these are copied."""
    pinned = arguments.with_keyword(analysis, loader.node, "pin_memory", "True")
    waiting = [call for call in moves if not _transfers.is_decided(call)]
    freed = [arguments.with_keyword(analysis, call, "non_blocking", "True") for call in waiting]
    if pinned is not None and None not in freed:
        edits = (pinned, *(edit for edit in freed if edit is not None))
        yield Fix("Pin the batches, and copy them without waiting: `pin_memory=True`", edits, safe=False)


def _could_pin(call: Called) -> bool:
    """Whether a loader has workers, and nobody has decided that its batches stay where they are."""
    number = _loaders.literal(call, "num_workers")
    return isinstance(number, int) and number > 0 and _loaders.is_left_out(call, "pin_memory")
