"""TL508: batches are pinned, and yet the program waits for the GPU when it moves them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.data import _loaders, _transfers
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class BlockingTransfer(Rule):
    """
    ## What it does

    Looks for batches of a loader with `pin_memory=True` that are moved to a GPU without `non_blocking=True`.

    ## Why is this bad?

    Without it `to` comes back only when the copy is done, and the copy is done only after everything that was
    asked of the GPU before. The next kernels are not asked for meanwhile, and the GPU stands still between
    steps. From pinned memory the copy can run by itself, and what uses the batch on the GPU comes after it
    anyway.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.randn(64, 4))
    loader = DataLoader(dataset, batch_size=16, num_workers=2, pin_memory=True)
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

    Unsafe: where the program changes the batch on the host right after it, it may change what is still on its
    way.

    ## Known limits

    Speaks only where all loaders that the batch may come from surely pin it, and torch itself makes it (no
    `collate_fn`). Silent for `non_blocking=False`. How much it gains has to be measured.

    ## References

    - [CUDA semantics, Use pinned memory buffers](https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-memory-pinning)
    - [A guide on good usage of non_blocking and pin_memory() in PyTorch](https://docs.pytorch.org/tutorials/intermediate/pinmem_nonblock.html)
    """

    code = "TL508"
    name = "blocking-transfer"
    family = Family.DATA
    severity = Severity.HINT
    since = "0.1.0"
    card = "gpu-underused"
    trigger = r"\bpin_memory\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _transfers.may_stand_in(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not any(_pins(analysis, call) for call in analysis.called(_loaders.LOADER)):
            return
        for transfer in _transfers.transfers(analysis):
            call = transfer.call
            if not _transfers.is_decided(call) and all(
                _pins(analysis, loader) for loader in transfer.loaders
            ):
                yield self._finding(analysis, call, transfer.loaders[0])

    def _finding(self, analysis: Analysis, call: ast.Call, loader: Called) -> Finding:
        message = (
            f"`{support.written(analysis, call)}` waits for all that the GPU is still to do, although the "
            f"loader {support.on_line(analysis, loader.node)} pins its batches: `non_blocking=True` does not"
        )
        edit = arguments.with_keyword(analysis, call, "non_blocking", "True")
        fixes = (Fix("Do not wait: `non_blocking=True`", (edit,), safe=False),) if edit is not None else ()
        related = support.related(analysis, loader.node, "the loader")
        return self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


def _pins(analysis: Analysis, loader: Called) -> bool:
    """Whether a loader pins its batches, at least wherever there is a GPU."""
    if _loaders.literal(loader, "pin_memory") is True:
        return True
    written = _loaders.written(loader, "pin_memory")
    asked = analysis.call_at(written) if written is not None else None
    return asked is not None and asked.name in ("torch.cuda.is_available", "torch.accelerator.is_available")
