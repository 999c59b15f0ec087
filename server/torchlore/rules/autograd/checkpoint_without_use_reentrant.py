"""TL209: `checkpoint` is not told which of its two implementations to use."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class CheckpointWithoutUseReentrant(Rule):
    """
    ## What it does

    Looks for `torch.utils.checkpoint.checkpoint(...)` and `checkpoint_sequential(...)` without
    `use_reentrant`.

    ## Why is this bad?

    There are two implementations. The older one, which is still taken where nothing is said, gives parameters
    no gradients when none of the inputs requires one, knows neither keyword arguments nor
    `torch.autograd.grad`, and ignores what is in nested containers. Torch warns at every call, and announces
    that it will raise.

    ## Example

    ```py
    import torch
    from torch.utils.checkpoint import checkpoint

    block = torch.nn.Linear(4, 4)
    out = checkpoint(block, torch.randn(8, 4))
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.checkpoint import checkpoint

    block = torch.nn.Linear(4, 4)
    out = checkpoint(block, torch.randn(8, 4), use_reentrant=False)
    ```

    ## Fix safety

    Unsafe. `use_reentrant=False` is what torch recommends, and mends gradients that were missing;
    `use_reentrant=True` keeps everything as it is, and is offered second.

    ## Known limits

    Silent where the call spreads a dict of keyword arguments that is not known (`**kwargs`).

    ## References

    - [torch.utils.checkpoint](https://docs.pytorch.org/docs/stable/checkpoint.html)
    """

    code = "TL209"
    name = "checkpoint-without-use-reentrant"
    family = Family.AUTOGRAD
    severity = Severity.WARNING
    since = "0.1.0"
    card = "activation-checkpointing"
    trigger = r"\b(?:checkpoint|checkpoint_sequential)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "checkpoint(" in source.text or "checkpoint_sequential(" in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_CHECKPOINTS):
            if any(keyword.arg in ("use_reentrant", None) for keyword in call.node.keywords):
                continue
            if any(given.get(-1, "use_reentrant") is not None for given in call.given):
                continue
            if not call.node.args or not analysis.is_whole(call.node):
                continue
            name = support.written(analysis, call.node.func)
            message = (
                f"`{name}` is not told `use_reentrant`: torch warns, and takes the older implementation, "
                "which gives no gradients where no input requires one"
            )
            fixes = tuple(_fixes(analysis, call.node))
            yield self.finding(message, analysis.source.span(call.node.func), fixes=fixes)


_CHECKPOINTS = tuple(f"torch.utils.checkpoint.{name}" for name in ("checkpoint", "checkpoint_sequential"))


def _fixes(analysis: Analysis, call: ast.Call) -> Iterator[Fix]:
    for value, title in (("False", "as torch recommends"), ("True", "as it is now")):
        edit = arguments.added(analysis, call, f"use_reentrant={value}")
        if edit is not None:
            yield Fix(f"Say `use_reentrant={value}`, {title}", (edit,), safe=False)
