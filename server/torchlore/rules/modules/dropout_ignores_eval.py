"""TL305: `F.dropout` in a module, which goes on after `eval()`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import Method, method_around
from torchlore.rules.modules._mode import always_applies, follows_mode
from torchlore.text import Source


class DropoutIgnoresEval(Rule):
    """
    ## What it does

    Looks for `F.dropout` without `training`, in the `forward` of a module or in a method that it calls.

    ## Why is this bad?

    A function does not know which module it is called in: `training` is True unless it is given.
    After `model.eval()` values are still dropped at random, so that predictions are worse and another run
    gives others. Nothing is reported.

    ## Example

    ```py
    import torch.nn as nn
    import torch.nn.functional as F


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(F.dropout(x, p=0.5))
    ```

    ## Use instead

    ```py
    import torch.nn as nn
    import torch.nn.functional as F


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(F.dropout(x, p=0.5, training=self.training))
    ```

    ## Fix safety

    Safe: in training nothing changes. Who wants dropout in evaluation as well (Monte Carlo dropout) says so
    with `training=True`, which is never reported.

    ## Known limits

    Silent where a condition on the way may ask for the mode in words of its own, where the probability may
    depend on the mode, and in functions and methods that `forward` does not call.

    ## References

    - [torch.nn.functional.dropout](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html)
    - [torch.nn.Module.eval](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval)
    """

    code = "TL305"
    name = "dropout-ignores-eval"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "dropout"
    trigger = r"\b(?:dropout|dropout1d|dropout2d|dropout3d)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        if "functional" not in source.text:
            return False
        calls = re.finditer(r"dropout(?:[123]d)?\(", source.text)
        return any(not source.text.endswith(_OTHERS, 0, call.start()) for call in calls)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_DROPS):
            if (
                not arguments.is_written_out(call.node)
                or call.argument(2, "training") is not None
                or _never_drops(call)
            ):
                continue
            method = method_around(analysis, call.node)
            if method is None or not analysis.is_whole(method.node):
                continue
            if not _may_follow_mode(analysis, method, call) and always_applies(analysis, method, call.node):
                name = support.written(analysis, call.node.func)
                message = (
                    f"`{name}` goes on dropping after `eval()`: "
                    f"it does not know the mode of `{method.cls.node.name}` unless it is given `training`"
                )
                span = analysis.source.span(call.node.func)
                yield self.finding(
                    message, span, fixes=_fixes(analysis, method, call), severity=_severity(call)
                )


_DROPS = tuple(f"torch.nn.functional.dropout{dims}" for dims in ("", "1d", "2d", "3d"))
"""Functions of which `training`, the third parameter, is True by default."""

_OTHERS = ("self.", "def ", "_")
"""What stands before calls of layers, and before other functions: most calls of that name are of these."""


def _never_drops(call: Called) -> bool:
    p = call.literal(1, "p")
    return isinstance(p, int | float) and p == 0


def _severity(call: Called) -> Severity:
    """A probability that is not written here may turn out to be zero."""
    is_written = call.argument(1, "p") is None or isinstance(call.argument(1, "p"), ast.Constant)
    return Severity.ERROR if is_written else Severity.WARNING


def _may_follow_mode(analysis: Analysis, method: Method, call: Called) -> bool:
    p = call.argument(1, "p")
    return p is not None and follows_mode(analysis, method, p)


def _fixes(analysis: Analysis, method: Method, call: Called) -> tuple[Fix, ...]:
    argument = f"training={method.receiver}.training"
    edit = arguments.added(analysis, call.node, argument)
    return (Fix(f"Give it `{argument}`", (edit,), safe=True),) if edit is not None else ()
