"""TL411: `size_average` and `reduce`, which `reduction` has replaced."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import MISSING, Called
from torchlore.rules import arguments, support
from torchlore.rules.losses import _reductions
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity


class LegacyReduction(Rule):
    """
    ## What it does

    Looks for losses that are given `size_average` or `reduce`, by name or by position.

    ## Why is this bad?

    Both have been deprecated since 2018 and warn whenever the loss is made. Given by position they are
    easily mistaken for something else, and where one of them is given, `reduction` is ignored:
    `size_average=True` makes a mean of a loss that was told `reduction="none"`.

    ## Example

    ```py
    import torch
    from torch import nn

    criterion = nn.MSELoss(size_average=False)
    loss = criterion(torch.randn(8), torch.randn(8))
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    criterion = nn.MSELoss(reduction="sum")
    loss = criterion(torch.randn(8), torch.randn(8))
    ```

    ## Fix safety

    Safe: `reduction` is what torch makes of the two. Not applied on save where a `reduction` is given that
    is ignored now, as it may be what was meant.

    ## Known limits

    Silent where one of them is given something that is not a literal: it may be None, which says nothing.

    ## References

    - [torch.nn.MSELoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html)
    - [torch.nn.functional.mse_loss](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html)
    """

    code = "TL411"
    name = "legacy-reduction"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "regression-and-metric-losses"
    trigger = (
        r"\b(?:size_average|reduce|MSELoss|L1Loss|SmoothL1Loss|CrossEntropyLoss|NLLLoss|BCELoss"
        r"|BCEWithLogitsLoss|KLDivLoss)\b"
    )
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call, at in _reductions.calls(analysis):
            average, reduce = _told(call, at.size_average, "size_average"), _told(call, at.reduce, "reduce")
            if MISSING in (average, reduce) or (average is None and reduce is None):
                continue
            old = {
                name: argument
                for index, name in ((at.size_average, "size_average"), (at.reduce, "reduce"))
                if (argument := _reductions.argument(call, index, name)) is not None
            }
            if old and call.is_complete:
                yield self._report(analysis, call, at, old, _reduction(average, reduce))

    def _report(
        self,
        analysis: Analysis,
        call: Called,
        at: _reductions.Positions,
        old: dict[str, ast.expr | ast.keyword],
        reduction: str,
    ) -> Finding:
        loss = support.written(analysis, call.node.func)
        asked = call.literal(at.reduction, "reduction")
        is_ignored = asked not in (MISSING, reduction)
        said = " and ".join(_as_given(analysis, name, argument) for name, argument in old.items())
        if is_ignored:
            message = (
                f'`{loss}` ignores `reduction="{asked}"`, as it is given {said}: it reduces by "{reduction}"'
            )
        else:
            message = f'`{loss}` is given {said}, which is deprecated: it means `reduction="{reduction}"`'
        given = _reductions.argument(call, at.reduction, "reduction")
        out = [*old.values(), *([given] if given is not None else [])]
        fixes = []
        for kind in dict.fromkeys((asked, reduction) if is_ignored else (reduction,)):
            edits = arguments.replaced(analysis, call.node, out, f'reduction="{kind}"')
            if edits is not None:
                fixes.append(Fix(f'Write `reduction="{kind}"` instead', edits, safe=not is_ignored))
        severity = Severity.ERROR if is_ignored else Severity.WARNING
        span = analysis.source.span(next(iter(old.values())))
        return self.finding(message, span, fixes=tuple(fixes), severity=severity)


def _as_given(analysis: Analysis, name: str, argument: ast.expr | ast.keyword) -> str:
    """`size_average=False`, or that it is given by position."""
    text = analysis.source.segment(analysis.source.span(argument))
    return f"`{text}`" if isinstance(argument, ast.keyword) else f"`{text}` for `{name}`"


def _told(call: Called, index: int, name: str) -> object:
    """What is said for one of the two; None where nothing is, `MISSING` where that is not known."""
    if all(given.get(index, name) is None for given in call.given):
        return None
    told = call.literal(index, name)
    return told if told is None or isinstance(told, bool) else MISSING


def _reduction(average: object, reduce: object) -> str:
    """What torch makes of the two: what is not told counts as True."""
    if reduce is False:
        return "none"
    return "sum" if average is False else "mean"
