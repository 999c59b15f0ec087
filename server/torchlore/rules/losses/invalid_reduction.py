"""TL409: a reduction that there is not."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import MISSING, Called
from torchlore.rules import support
from torchlore.rules.losses import _reductions
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class InvalidReduction(Rule):
    """
    ## What it does

    Looks for losses that are given a `reduction` other than "mean", "sum" and "none" ("batchmean" too, for
    divergences).

    ## Why is this bad?

    A loss of `torch.nn` takes any reduction when it is made and raises `ValueError` when it is first
    called, which may be after all the data has been read. Type checkers see a string and are content; None
    is no reduction either.

    ## Example

    ```py
    import torch
    from torch import nn

    criterion = nn.MSELoss(reduction="avg")
    loss = criterion(torch.randn(8), torch.randn(8))
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    criterion = nn.MSELoss(reduction="mean")
    loss = criterion(torch.randn(8), torch.randn(8))
    ```

    ## Fix safety

    Safe where it is plain what was meant ("avg", "Mean", None): the loss could not be computed before. Else
    every reduction is offered.

    ## Known limits

    Silent where the reduction is not a literal, and where `size_average` or `reduce` is given too, which
    torch goes by then.

    ## References

    - [torch.nn.MSELoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html)
    - [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
    """

    code = "TL409"
    name = "invalid-reduction"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "regression-and-metric-losses"
    trigger = r"\breduction\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call, at in _reductions.calls(analysis):
            told, argument = call.literal(at.reduction, "reduction"), call.argument(at.reduction, "reduction")
            allowed = _reductions.allowed(call.name)
            if told is MISSING or told in allowed or argument is None or _goes_by_others(call, at):
                continue
            if support.expects_an_error(analysis, call.node):
                continue
            loss = support.written(analysis, call.node.func)
            names = ", ".join(f'"{kind}"' for kind in allowed)
            raised = (
                "raises an error"
                if call.name.startswith("torch.nn.functional.")
                else "raises an error when called"
            )
            message = f"`{loss}` knows no reduction {_quoted(told)} and {raised}: it takes {names}"
            fixes = tuple(_fixes(analysis, argument, told, allowed))
            yield self.finding(message, analysis.source.span(argument), fixes=fixes)


def _goes_by_others(call: Called, at: _reductions.Positions) -> bool:
    """Whether `size_average` or `reduce` may be given, which say how to reduce then."""
    return any(
        given.get(at.size_average, "size_average") is not None or given.get(at.reduce, "reduce") is not None
        for given in call.given
    )


def _quoted(told: object) -> str:
    return f'"{told}"' if isinstance(told, str) else f"`{told}`"


def _fixes(analysis: Analysis, argument: ast.expr, told: object, allowed: tuple[str, ...]) -> Iterator[Fix]:
    if not isinstance(argument, ast.Constant):
        return
    meant = _meant(told, allowed)
    span = analysis.source.span(argument)
    for kind in (meant,) if meant is not None else allowed:
        yield Fix(f'Take `reduction="{kind}"`', (Edit(span, f'"{kind}"'),), safe=meant is not None)


def _meant(told: object, allowed: tuple[str, ...]) -> str | None:
    """Which reduction was meant; None where that may be several."""
    if told is None or told is False:
        return "none"
    if not isinstance(told, str) or told == "batchmean":
        return None
    word = told.strip().lower()
    if word in _OTHER_WORDS:
        return _OTHER_WORDS[word]
    close = difflib.get_close_matches(word, allowed, 1, 0.7)
    return close[0] if close else None


_OTHER_WORDS = {"avg": "mean", "average": "mean", "total": "sum", "add": "sum", "no": "none", "null": "none"}
