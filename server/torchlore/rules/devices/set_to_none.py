"""TL606: `zero_grad` is told what it does anyway, or to fill gradients with zeros."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source

_WRAPPERS = re.compile(
    r"^\s*(?:from|import)\s+(?:accelerate|deepspeed|colossalai|lightning|pytorch_lightning)\b", re.M
)
"""Frameworks whose optimizers are not torch's own."""


class SetToNone(Rule):
    """
    ## What it does

    Looks for `zero_grad(set_to_none=False)`, and for `set_to_none=True`, which is the default.

    ## Why is this bad?

    Without the argument `zero_grad` sets gradients to None: their memory is free during the forward pass,
    nothing has to be filled with zeros, and `step` leaves parameters alone that got no gradient.
    With `set_to_none=False` all of them keep a tensor of zeros, which weight decay and momentum do step with.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad(set_to_none=False)
        model(x).mean().backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        model(x).mean().backward()
        optimizer.step()
    ```

    ## Fix safety

    Removing `set_to_none=True` is safe: it has been the default since torch 2.0.
    Removing `set_to_none=False` is offered: parameters without a gradient are no longer stepped.

    ## Known limits

    Silent about `set_to_none=False` in a file that reads `.grad`, which may rely on the zeros, or that
    captures CUDA graphs, which need the gradients to stay where they are.

    ## References

    - [torch.optim.Optimizer.zero_grad](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html)
    - [Performance tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html)
    """

    code = "TL606"
    name = "set-to-none"
    family = Family.DEVICES
    severity = Severity.HINT
    since = "0.1.0"
    card = "zero-grad"
    trigger = r"\bset_to_none\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _WRAPPERS.search(source.text) is None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source):  # rules may be asked about files that they do not concern
            return
        for call in analysis.called("Optimizer.zero_grad", "Module.zero_grad"):
            keyword = next((part for part in call.node.keywords if part.arg == "set_to_none"), None)
            written = keyword.value if keyword is not None else next(iter(call.node.args), None)
            if not isinstance(written, ast.Constant) or not isinstance(written.value, bool):
                continue
            if written.value or not _needs_zeros(analysis.source):
                yield self._report(analysis, call, keyword, written)

    def _report(
        self, analysis: Analysis, call: Called, keyword: ast.keyword | None, written: ast.Constant
    ) -> Finding:
        name = support.written(analysis, call.node.func)
        message = (
            f"`{name}` sets gradients to None without being told to"
            if written.value
            else f"`{name}` keeps all gradients and fills them with zeros: by default it sets them to None"
        )
        span = analysis.source.span(written if keyword is None else keyword)
        edit = Edit(span, "") if keyword is None else arguments.removed(analysis, call.node, "set_to_none")
        is_default = bool(written.value)
        title = f"Remove `set_to_none={is_default}`"
        fixes = (Fix(title, (edit,), safe=is_default),) if edit is not None else ()
        return self.finding(message, span, fixes=fixes)


def _needs_zeros(source: Source) -> bool:
    """Whether the file may rely on gradients that are there, and stay where they are."""
    return ".grad" in source.text.replace(".grad_fn", "") or _CAPTURES.search(source.text) is not None


_CAPTURES = re.compile(r"cuda\.graph|cuda_?graph|graphed|\bgraph\(|reduce-overhead", re.I)
"""Words of files that capture CUDA graphs; others speak of graphs too."""
