"""TL954: a file that may run any code, where weights would do."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.analysis.queries import options
from torchlore.rules import support
from torchlore.rules.api import _loads
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class UnsafeLoad(Rule):
    """
    ## What it does

    Looks for `torch.load(…, weights_only=False)`.

    ## Why is this bad?

    A checkpoint is a pickle, and unpickling runs whatever code the file names: who gives you the file, runs
    programs on your machine. With `weights_only=True`, the default since torch 2.6, only tensors and plain
    data are read.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    model.load_state_dict(torch.load("weights.pt", weights_only=False))
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    model.load_state_dict(torch.load("weights.pt", weights_only=True))
    ```

    ## Fix safety

    Not applied on save: a file that holds more than weights can no longer be loaded then.

    ## Known limits

    A warning where what is loaded goes straight into `load_state_dict`, so that nothing but weights is
    needed; elsewhere information. Silent where what is loaded is used as a module, which needs
    `weights_only=False`.

    ## References

    - [torch.load](https://docs.pytorch.org/docs/stable/generated/torch.load.html)
    - [torch.serialization](https://docs.pytorch.org/docs/stable/notes/serialization.html)
    """

    code = "TL954"
    name = "unsafe-load"
    family = Family.API
    severity = Severity.WARNING
    since = "0.1.0"
    card = "weights-only-load"
    trigger = r"\bweights_only\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.load"):
            argument = call.argument(-1, "weights_only")
            if call.literal(-1, "weights_only") is not False or argument is None:
                continue
            if _loads.used_as_module(analysis, call.node) is not None:
                continue
            given = _loads.given_by(analysis, call.node)
            loads = (event for root in analysis.roots for event in root.of(Kind.LOAD_STATE))
            direct = any(event.value is not None and given & {*options(event.value)} for event in loads)
            what = "loads a state, for which weights are enough, but" if direct else "may"
            does = "runs" if direct else "run"
            message = (
                f"`{support.written(analysis, call.node.func)}` {what} {does} any code that the file holds"
            )
            fix = Fix("Load weights only", (Edit(analysis.source.span(argument), "True"),), safe=False)
            severity = Severity.WARNING if direct else Severity.INFORMATION
            span = analysis.source.span(argument)
            yield self.finding(message, span, fixes=(fix,), severity=severity)
