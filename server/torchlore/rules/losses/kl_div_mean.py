"""TL408: a divergence that is averaged over classes too."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.queries import is_none
from torchlore.rules import arguments, support
from torchlore.rules.losses import _reductions
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class KlDivMean(Rule):
    """
    ## What it does

    Looks for `kl_div` and `KLDivLoss` that are told nothing about the reduction, or `reduction="mean"`.

    ## Why is this bad?

    "mean" divides by the number of all elements, that is, by the batch size times the number of classes.
    The Kullback-Leibler divergence of a batch is the sum over classes, averaged over the batch:
    "batchmean". With a thousand classes the loss, and its weight beside any other loss, is a thousand times
    too small. torch warns of it once, at run time.

    ## Example

    ```py
    import torch
    from torch import nn

    criterion = nn.KLDivLoss()
    loss = criterion(torch.randn(8, 3).log_softmax(1), torch.randn(8, 3).softmax(1))
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    criterion = nn.KLDivLoss(reduction="batchmean")
    loss = criterion(torch.randn(8, 3).log_softmax(1), torch.randn(8, 3).softmax(1))
    ```

    ## Fix safety

    Not applied on save: the loss becomes larger, and a weight that was tuned to the small one no longer
    fits.

    ## Known limits

    Where "mean" is asked for by name, that is information, not a warning. Silent where the reduction is not
    a literal.

    ## References

    - [torch.nn.KLDivLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html)
    - [torch.nn.functional.kl_div](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html)
    """

    code = "TL408"
    name = "kl-div-mean"
    family = Family.LOSSES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "regression-and-metric-losses"
    trigger = r"\b(?:kl_div|KLDivLoss)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_reductions.DIVERGENCES):
            at = _reductions.POSITIONS[call.name]
            legacy = (call.value(at.size_average, "size_average"), call.value(at.reduce, "reduce"))
            if not call.is_complete or any(value is not None and not is_none(value) for value in legacy):
                continue
            is_told = any(given.get(at.reduction, "reduction") is not None for given in call.given)
            if is_told and call.literal(at.reduction, "reduction") != "mean":
                continue
            what = support.written(analysis, call.node.func)
            unless = "" if is_told else ", unless it is told not to"
            message = (
                f"`{what}` averages over all elements, classes too{unless}: "
                'the divergence of a batch is `reduction="batchmean"`'
            )
            written = call.argument(at.reduction, "reduction")
            edit = arguments.with_keyword(analysis, call.node, "reduction", '"batchmean"')
            if written is not None:
                edit = Edit(analysis.source.span(written), '"batchmean"')
            fix = (Fix('Take `reduction="batchmean"`', (edit,), safe=False),) if edit is not None else ()
            severity = Severity.INFORMATION if is_told else Severity.WARNING
            span = analysis.source.span(written or call.node.func)
            yield self.finding(message, span, fixes=fix, severity=severity)
