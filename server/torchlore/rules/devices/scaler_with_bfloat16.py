"""TL615: a gradient scaler beside an autocast that chooses bfloat16."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.tensors import dtype_named
from torchlore.analysis.values import Instance
from torchlore.rules import arguments, support
from torchlore.rules.devices import _autocast
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class ScalerWithBfloat16(Rule):
    """
    ## What it does

    Looks for `GradScaler` in files in which every autocast chooses `torch.bfloat16`.

    ## Why is this bad?

    A scaler keeps small gradients from becoming zero in float16, whose numbers end at 6e-8. bfloat16 has
    the range of float32, so that nothing is lost and nothing gained: the scale is a power of two and the
    weights come out the same. What is left is its price: every step looks through all gradients for inf, and
    waits for the device to say whether there was one.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = model(x).pow(2).mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda", enabled=False)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = model(x).pow(2).mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    ```

    ## Fix safety

    Not safe: a scaler that is on skips a step whose gradients hold inf or nan. Better, take it out for good.

    ## Known limits

    Silent where the dtype of one autocast is not known, and in files that mention float16 as well.

    ## References

    - [torch.amp: gradient scaling](https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling)
    - [torch.amp: autocasting](https://docs.pytorch.org/docs/stable/amp.html#autocasting)
    """

    code = "TL615"
    name = "scaler-with-bfloat16"
    family = Family.DEVICES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "mixed-precision"
    trigger = r"\bGradScaler\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "bfloat16" in text and "autocast" in text and _FLOAT16.search(text) is None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source) or analysis.source.parsed.blanked:
            return
        autocasts = [*analysis.called(*_autocast.AUTOCASTS)]
        on = [call for call in autocasts if not _is_off(call)]  # under a flag it chooses the same
        if not on or not all(map(_chooses_bfloat16, autocasts)):
            return
        for scaler in analysis.called(*_SCALERS):
            if _is_on(analysis, scaler):
                yield self._report(analysis, scaler, on[0])

    def _report(self, analysis: Analysis, scaler: Called, autocast: Called) -> Finding:
        name = support.written(analysis, scaler.node.func)
        message = (
            f"`{name}` has nothing to do: the autocast {support.on_line(analysis, autocast.node)} chooses "
            "bfloat16, in which small gradients do not become zero"
        )
        edit = arguments.with_keyword(analysis, scaler.node, "enabled", "False")
        fixes = () if edit is None else (Fix("Switch the scaler off: `enabled=False`", (edit,), safe=False),)
        related = support.related(analysis, autocast.node, "bfloat16 is chosen here")
        return self.finding(message, analysis.source.span(scaler.node), fixes=fixes, related=related)


_FLOAT16 = re.compile(r"(?<!b)float16|\bhalf\b|fp16", re.IGNORECASE)

_SCALERS = (
    "torch.amp.GradScaler",
    "torch.GradScaler",
    "torch.cuda.amp.GradScaler",
    "torch.cpu.amp.GradScaler",
)


def _is_on(analysis: Analysis, call: Called) -> bool:
    value = analysis.value(call.node)
    return isinstance(value, Instance) and _autocast.is_on(value)


def _chooses_bfloat16(call: Called) -> bool:
    """Whether an autocast surely chooses bfloat16, or is surely off."""
    return _is_off(call) or (call.is_complete and dtype_named(call.value(1, "dtype")) == "bfloat16")


def _is_off(call: Called) -> bool:
    return call.literal(_autocast.enabled_at(call.name), "enabled") is False
