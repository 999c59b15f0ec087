"""TL311: a softmax that is not told along which dimension."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity


class SoftmaxWithoutDim(Rule):
    """
    ## What it does

    Looks for `F.softmax`, `F.log_softmax`, `F.softmin` and their layers without `dim`.

    ## Why is this bad?

    The dimension is then guessed from the number of dimensions: 0 for one and three of them, else 1.
    A batch of sequences, which has three, is normalized over the batch, and nothing but a warning tells so.
    The guess is deprecated.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    scores = torch.randn(8, 10, 5)
    weights = F.softmax(scores)
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    scores = torch.randn(8, 10, 5)
    weights = F.softmax(scores, dim=-1)
    ```

    ## Fix safety

    Not safe. `dim=1` is what inputs of two and of four dimensions get now, `dim=-1` is the last dimension of
    any input: both are offered, as only the shape of the input tells which one is meant.

    ## Known limits

    Silent where arguments come out of `*args` or `**kwargs`.

    ## References

    - [torch.nn.functional.softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html)
    - [torch.nn.Softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html)
    """

    code = "TL311"
    name = "softmax-without-dim"
    family = Family.MODULES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "activations"
    trigger = r"\b(?:softmax|log_softmax|softmin|Softmax|LogSoftmax|Softmin)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_DIM):
            index = _DIM[call.name]
            if (
                not arguments.is_written_out(call.node)
                or call.argument(index, "dim") is not None
                or not _is_given_input(call)
            ):
                continue
            name = support.written(analysis, call.node.func)
            message = (
                f"`{name}` is not told along which `dim`: "
                "it takes 0 for an input of one or three dimensions, else 1"
            )
            yield self.finding(message, analysis.source.span(call.node.func), fixes=_fixes(analysis, call))


_DIM = {
    "torch.nn.functional.softmax": 1,
    "torch.nn.functional.log_softmax": 1,
    "torch.nn.functional.softmin": 1,
    "torch.nn.Softmax": 0,
    "torch.nn.LogSoftmax": 0,
    "torch.nn.Softmin": 0,
}
"""Where `dim` stands among the arguments."""


def _is_given_input(call: Called) -> bool:
    """Whether the call is one that runs: without an input it raises anyway."""
    return _DIM[call.name] == 0 or bool(call.node.args or call.node.keywords)


def _fixes(analysis: Analysis, call: Called) -> tuple[Fix, ...]:
    found = []
    for dim, title in (("-1", "Normalize over the last dimension"), ("1", "Normalize over dimension 1")):
        edit = arguments.added(analysis, call.node, f"dim={dim}")
        if edit is not None:
            found.append(Fix(f"{title}: `dim={dim}`", (edit,), safe=False))
    return tuple(found)
