"""TL316: `squeeze()` on the output of a layer with one feature."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, submodules
from torchlore.analysis.called import Called
from torchlore.analysis.queries import options
from torchlore.analysis.values import Const, Instance, Value
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import method_around


class SqueezeDropsBatch(Rule):
    """
    ## What it does

    Looks for `squeeze()` without a dimension on what an `nn.Linear` with one output feature gives, in the
    methods of a module.

    ## Why is this bad?

    `squeeze()` removes every dimension of size one. For a batch of one, such as the last one of an epoch,
    that is the batch too: the output has no dimension at all, and the loss broadcasts it or raises.

    ## Example

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 1)

        def forward(self, x):
            return self.fc(x).squeeze()
    ```

    ## Use instead

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 1)

        def forward(self, x):
            return self.fc(x).squeeze(-1)
    ```

    ## Fix safety

    Not safe: for a batch of one the output has a dimension more than before.

    ## Known limits

    Speaks only where the layer is called in the same expression, and its number of output features is known.

    ## References

    - [torch.squeeze](https://docs.pytorch.org/docs/stable/generated/torch.squeeze.html)
    """

    code = "TL316"
    name = "squeeze-drops-batch"
    family = Family.MODULES
    severity = Severity.HINT
    since = "0.1.0"
    card = "view-vs-reshape"
    trigger = r"\bsqueeze\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("Tensor.squeeze", "torch.squeeze"):
            squeezed = _squeezed(call)
            if not isinstance(squeezed, ast.Call):
                continue
            if not all(map(_gives_one_feature, options(analysis.value(squeezed.func)))):
                continue
            if method_around(analysis, call.node) is None or not analysis.is_whole(call.node):
                continue
            name = support.written(analysis, squeezed.func)
            message = f"For a batch of one, `squeeze()` removes the batch of what `{name}` gives as well"
            edit = arguments.added(analysis, call.node, "-1")
            fixes = (Fix("Remove the last dimension only", (edit,), safe=False),) if edit is not None else ()
            yield self.finding(message, analysis.source.span(call.node), fixes=fixes)


def _squeezed(call: Called) -> ast.expr | None:
    """What is squeezed, where no dimension is given."""
    match call.node:
        case ast.Call(func=ast.Attribute(value=squeezed), args=[], keywords=[]) if call.receiver is not None:
            return squeezed
        case ast.Call(args=[squeezed], keywords=[]) if call.receiver is None:
            return squeezed
        case _:
            return None


def _gives_one_feature(layer: Value) -> bool:
    """Whether the last dimension of a layer's output surely is one."""
    if not isinstance(layer, Instance) or layer.arguments is None:
        return False
    if layer.cls == "torch.nn.Sequential":
        parts = submodules.children(layer)
        return bool(parts) and parts is not None and _gives_one_feature(parts[-1])
    features = layer.arguments.get(1, "out_features")
    return layer.cls == "torch.nn.Linear" and isinstance(features, Const) and features.value == 1
