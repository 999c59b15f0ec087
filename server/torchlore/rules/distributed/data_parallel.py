"""TL707: training with `DataParallel`, which one process drives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Kind
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Rule, Severity
from torchlore.text import Source


class DataParallel(Rule):
    """
    ## What it does

    Looks for programs that train a model in `torch.nn.DataParallel`.

    ## Why is this bad?

    One process drives all devices, with threads that wait for each other in Python. In every step it copies
    the whole model to all devices, and gathers all outputs on the first, which runs out of memory before the
    others. What `forward` sets on the model is set on a copy, and lost. `DistributedDataParallel` has a
    process for each device and sends gradients only, while backward still computes others: PyTorch
    recommends it on one machine as well.

    ## Example

    ```py
    import torch

    model = torch.nn.DataParallel(torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import os

    import torch
    import torch.distributed as dist

    dist.init_process_group()  # started with: torchrun --nproc-per-node=gpu train.py
    device = int(os.environ["LOCAL_RANK"])
    model = torch.nn.Linear(4, 1).to(device)
    model = torch.nn.parallel.DistributedDataParallel(model, device_ids=[device])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4, device=device):
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
    dist.destroy_process_group()
    ```

    ## Fix safety

    There is no fix: the program has to be started in another way (`torchrun`), each process has to get its
    part of the data (`DistributedSampler`), and one of them has to save.

    ## Known limits

    Silent where nothing is trained: for a quick inference on several devices it does. Silent as well where
    the file offers `DistributedDataParallel` too.

    ## References

    - [torch.nn.DataParallel](https://docs.pytorch.org/docs/stable/generated/torch.nn.DataParallel.html)
    - [CUDA semantics, Use nn.parallel.DistributedDataParallel instead of multiprocessing or nn.DataParallel](https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-nn-ddp-instead)
    """

    code = "TL707"
    name = "data-parallel"
    family = Family.DISTRIBUTED
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "ddp"
    trigger = r"\bDataParallel\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _CALLED.search(source.text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        calls = list(analysis.called("torch.nn.DataParallel"))
        if not calls or any(analysis.called("torch.nn.parallel.DistributedDataParallel")):
            return
        if any(root.of(Kind.STEP) and root.of(Kind.BACKWARD) for root in analysis.roots):
            yield from (self._finding(analysis, call) for call in calls)

    def _finding(self, analysis: Analysis, call: Called) -> Finding:
        module = call.argument(0, "module")
        model = support.written(analysis, module) if module is not None else ""
        name = f"`{model}`" if model.replace(".", "").isidentifier() else "the model"
        message = (
            f"`DataParallel` drives all devices from one process, and copies {name} to each of them in every "
            "step: `DistributedDataParallel` does neither, and is recommended on one machine as well"
        )
        return self.finding(message, analysis.source.span(call.node.func))


_CALLED = re.compile(r"\bDataParallel\(")
