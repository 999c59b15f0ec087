"""TL318: a convolution with a bias, right before a batch norm."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from torchlore.analysis import Analysis
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity


class BiasBeforeBatchnorm(Rule):
    """
    ## What it does

    Looks for convolutions with a bias whose output goes straight into a batch norm: in an `nn.Sequential`, or
    as `self.bn(self.conv(x))`.

    ## Why is this bad?

    A batch norm subtracts the mean of each channel, and the bias with it, and adds a shift of its own.
    The bias has no effect on the result and its gradient is zero: it costs memory and time for nothing.

    ## Example

    ```py
    import torch.nn as nn

    block = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU())
    ```

    ## Use instead

    ```py
    import torch.nn as nn

    block = nn.Sequential(nn.Conv2d(3, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU())
    ```

    ## Fix safety

    Not safe: checkpoints that hold the bias no longer load strictly.

    ## Known limits

    Silent where the layer is used in more than one place, or `bias` is given. Linear layers are not reported:
    of inputs with three dimensions the batch norm takes another one than the layer.

    ## References

    - [Performance tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html)
    - [torch.nn.BatchNorm2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html)
    """

    code = "TL318"
    name = "bias-before-batchnorm"
    family = Family.MODULES
    severity = Severity.HINT
    since = "0.1.0"
    card = "batchnorm"
    trigger = r"\b(?:BatchNorm1d|BatchNorm2d|BatchNorm3d|SyncBatchNorm)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for layer, norm in (*_in_sequentials(analysis), *_in_calls(analysis)):
            if not isinstance(layer.node, ast.Call) or not _has_default_bias(layer):
                continue
            made = layer.node
            name = support.written(analysis, made.func)
            message = f"The bias of `{name}` has no effect: `{norm}`, right after it, subtracts it again"
            edit = arguments.added(analysis, made, "bias=False")
            fixes = (Fix("Leave the bias out", (edit,), safe=False),) if edit is not None else ()
            yield self.finding(message, analysis.source.span(made.func), fixes=fixes)


_NORMS = tuple(f"torch.nn.{name}" for name in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"))
_BIAS = {f"torch.nn.{kind}{dims}d": 7 for kind in ("Conv", "ConvTranspose") for dims in (1, 2, 3)}
"""Where `bias` stands among the arguments."""


def _in_sequentials(analysis: Analysis) -> Iterator[tuple[Instance, str]]:
    """The layers that are made in a call of `nn.Sequential`, right before a batch norm, and its name."""
    for call in analysis.called("torch.nn.Sequential"):
        for layer, norm in pairwise(call.node.args):
            # Where several callers come by, each makes another object there.
            options_of_layer = options(analysis.value(layer))
            made = [part for part in options_of_layer if isinstance(part, Instance) and part.node is layer]
            is_made_here = len(made) == len(options_of_layer) and all(map(_has_default_bias, made))
            is_norm = all(
                isinstance(part, Instance) and part.cls in _NORMS for part in options(analysis.value(norm))
            )
            if is_made_here and is_norm and isinstance(norm, ast.Call):
                yield made[0], support.written(analysis, norm.func)


def _in_calls(analysis: Analysis) -> Iterator[tuple[Instance, str]]:
    """The layers whose output is given to a batch norm at the only place where they are called."""
    places: Counter[Instance] | None = None
    for call in analysis.called(*(f"{name}()" for name in _NORMS)):
        match call.node.args:
            case [ast.Call(func=func)]:
                layer = analysis.value(func)
                if not isinstance(layer, Instance) or not analysis.owns(layer.node):
                    continue
                places = places or _places_of_calls(analysis)
                if places[layer] == 1:
                    yield layer, support.written(analysis, call.node.func)


def _places_of_calls(analysis: Analysis) -> Counter[Instance]:
    """At how many places of the file each object is called, perhaps among others."""
    called = (value for call in analysis.run.calls for value in options(analysis.value(call.func)))
    return Counter(value for value in called if isinstance(value, Instance))


def _has_default_bias(layer: Instance) -> bool:
    """Whether a layer has the bias that it has when nothing is said about it."""
    if layer.cls not in _BIAS or layer.arguments is None or not layer.arguments.complete:
        return False
    return layer.arguments.get(_BIAS[layer.cls], "bias") is None
