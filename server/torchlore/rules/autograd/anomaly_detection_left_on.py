"""TL212: anomaly detection is switched on for good."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class AnomalyDetectionLeftOn(Rule):
    """
    ## What it does

    Looks for `torch.autograd.set_detect_anomaly(True)` that nothing guards and nothing takes back.

    ## Why is this bad?

    In this mode every operation records where in the program it was called, and every `backward` checks each
    gradient for nan, which waits for the device. It is for finding one nan, and makes all else slow.

    ## Example

    ```py
    import torch

    torch.autograd.set_detect_anomaly(True)
    model = torch.nn.Linear(4, 1)
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    ```

    ## Fix safety

    Unsafe: a nan that would have raised RuntimeError goes unnoticed without the line.

    ## Known limits

    Silent under an `if`, where a flag decides, in functions, and in files that switch it off again.

    ## References

    - [torch.autograd.set_detect_anomaly](https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.set_detect_anomaly)
    - [Disable debugging APIs](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html#disable-debugging-apis)
    """

    code = "TL212"
    name = "anomaly-detection-left-on"
    family = Family.AUTOGRAD
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "nan-debugging"
    trigger = r"\bset_detect_anomaly\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return source.text.count("set_detect_anomaly(") == 1

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        top = {s.value: s for s in analysis.source.tree.body if isinstance(s, ast.Expr)}
        for call in analysis.called("torch.autograd.set_detect_anomaly"):
            statement = top.get(call.node)
            if statement is None or call.literal(0, "mode") is not True or not analysis.is_whole(statement):
                continue
            name = support.written(analysis, call.node.func)
            message = f"`{name}` is on for the whole program: each operation keeps where it was called, "
            message += "and each `backward` looks for nan everywhere"
            lines = support.own_lines(analysis, statement)
            fixes = (Fix("Remove it", (Edit(lines, ""),), safe=False),) if lines is not None else ()
            yield self.finding(message, analysis.source.span(call.node), fixes=fixes)
