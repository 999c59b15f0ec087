"""TL902: a name that torch deprecates."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.api import _telling, _words
from torchlore.rules.api._rewriting import fixes
from torchlore.rules.api._table import Change
from torchlore.rules.api._uses import Use, is_run, is_type, uses
from torchlore.rules.api._versions import has_what_to_use, is_deprecated, written
from torchlore.rules.model import Family, Finding, Rule, Severity
from torchlore.text import Source


class DeprecatedName(Rule):
    """
    ## What it does

    Looks for functions, classes, methods and constants that torch deprecates: called, named, and as methods
    of tensors, modules and schedulers.

    ## Why is this bad?

    Torch warns when the line first runs, and a later version removes the name: then the line raises.

    ## Example

    ```py
    import torch

    scaler = torch.cuda.amp.GradScaler()
    with torch.cuda.amp.autocast():
        loss = torch.ones(3).sum()
    ```

    ## Use instead

    ```py
    import torch

    scaler = torch.amp.GradScaler("cuda")
    with torch.amp.autocast("cuda"):
        loss = torch.ones(3).sum()
    ```

    ## Fix safety

    Safe where the new spelling gives the same, which is tried out for each name. Where it does not quite
    (`torch.nn.utils.weight_norm`, whose parameters have other names in a checkpoint today) the fix is offered
    but not applied on save; where a call must be thought over, the message says what takes its place.

    ## Known limits

    Speaks for the versions that the project declares. Where the oldest of them does not have what to use
    instead, it is an information, without a fix. What only torch's documentation calls deprecated is a hint;
    what warns in a way that Python hides by default (`torch.jit.script`) is an information.
    A function that is only named, as in a table of functions, is not reported.
    Type checkers underline what carries `@deprecated` too; `type-checked-deprecations = false` leaves it to
    them.

    ## References

    - [torch.amp](https://docs.pytorch.org/docs/stable/amp.html)
    - [torch.linalg](https://docs.pytorch.org/docs/stable/linalg.html)
    """

    code = "TL902"
    name = "deprecated-name"
    family = Family.API
    severity = Severity.WARNING
    since = "0.1.0"
    card = "mixed-precision"
    trigger = _words.trigger()
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _words.concerns(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for use in uses(analysis):
            if is_deprecated(analysis, use.change) and is_run(use) and not is_type(use):
                yield self._told(analysis, use)

    def _told(self, analysis: Analysis, use: Use) -> Finding:
        change = use.change
        can_follow = has_what_to_use(analysis, change)
        severity = _SEVERITIES.get(change.run, self.severity)
        if not can_follow and severity is self.severity:
            severity = Severity.INFORMATION
        return self.finding(
            f"`{_telling.shown(analysis, use)}` is deprecated{_telling.since(change)}{_later(change)}"
            f"{_telling.instead(change)}{'' if can_follow else _from_when(change)}",
            _telling.underlined(analysis, use),
            fixes=fixes(analysis, use) if can_follow else (),
            severity=severity,
            is_type_checked=change.is_decorated,
        )


_SEVERITIES = {"quiet": Severity.HINT, "discouraged": Severity.INFORMATION}


def _later(change: Change) -> str:
    return f" and raises an error since torch {written(change.removed)}" if change.removed else ""


def _from_when(change: Change) -> str:
    return f" (torch {written(change.use_since)} and newer)" if change.use_since else ""
