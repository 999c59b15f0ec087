"""TL906: `pretrained=True` of torchvision's models."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from torchlore.analysis import Analysis
from torchlore.analysis.values import Ref
from torchlore.rules import arguments, support
from torchlore.rules.api._uses import may_be_told
from torchlore.rules.api._versions import newest, oldest
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class DeprecatedTorchvisionWeights(Rule):
    """
    ## What it does

    Looks for `pretrained=` and `pretrained_backbone=` of torchvision's models, by name or as the first
    argument (`resnet18(True)`).

    ## Why is this bad?

    Since torchvision 0.13 there are several weights for a model, and `weights=` says which. `pretrained=True`
    warns, stands for the oldest of them, and may be removed.

    ## Example

    ```py
    from torchvision.models import resnet50

    model = resnet50(pretrained=True)
    ```

    ## Use instead

    ```py
    from torchvision.models import resnet50

    model = resnet50(weights="IMAGENET1K_V1")
    ```

    ## Fix safety

    Safe: the weights are those that `pretrained=True` loads. `weights="DEFAULT"` would load the best ones,
    which are others, and want other transforms.

    ## Known limits

    Models of which the weights depend on another argument (`quantize=`) are reported without a fix, unless
    `pretrained` is literally false.

    ## References

    - [Models and pre-trained weights](https://docs.pytorch.org/vision/stable/models.html)
    """

    code = "TL906"
    name = "deprecated-torchvision-weights"
    family = Family.API
    severity = Severity.WARNING
    since = "0.1.0"
    card = "freeze-and-finetune"
    trigger = r"\btorchvision\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "pretrained" in text or any(f"({literal}" in text for literal in ("True", "False"))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if newest(analysis) < _NEW:
            return
        for call in analysis.run.calls:
            value = analysis.run.values.get(call.func)
            for parameter, weights in _stands_for(value.name).items() if isinstance(value, Ref) else ():
                given = _given(call, parameter)
                outer = analysis.around(call) if given is not None else None
                if given is not None and outer is not None and may_be_told(analysis, call, outer):
                    yield self._told(analysis, call, parameter, given, weights)

    def _told(
        self, analysis: Analysis, call: ast.Call, parameter: str, given: ast.expr | ast.keyword, weights: str
    ) -> Finding:
        new = _NAMES[parameter]
        span = analysis.source.span(given)
        written = support.written(analysis, given.value) if isinstance(given, ast.keyword) else parameter
        name = Span(span.start, span.start + len(parameter)) if isinstance(given, ast.keyword) else span
        text = None if "#" in analysis.source.segment(span) else _value(analysis.source, given, weights)
        is_followed = given in call.args and len(call.args) > 1
        can_follow = oldest(analysis) >= _NEW and arguments.opening(analysis, call) is not None
        edits = (Edit(span, f"{new}={text}"),) if text and can_follow and not is_followed else ()
        fixes = (Fix(f"Use `{new}={text}`", edits, safe=True),) if edits else ()
        shown = (
            f"{parameter}={written}" if isinstance(given, ast.keyword) and len(written) < 20 else parameter
        )
        message = f"`{shown}` is deprecated since torchvision 0.13: say which weights, with `{new}`"
        return self.finding(message, name, fixes=fixes, severity=None if can_follow else Severity.INFORMATION)


_NEW = (1, 12)
"""The torch of torchvision 0.13."""

_NAMES = {"pretrained": "weights", "pretrained_backbone": "weights_backbone"}


def _given(call: ast.Call, parameter: str) -> ast.expr | ast.keyword | None:
    """The argument, by name, or the first one where it is a literal: weights are no literal true or false."""
    for keyword in call.keywords:
        if keyword.arg == parameter:
            return keyword
    match call.args:
        case [ast.Constant(value=True | False) as first, *_] if parameter == "pretrained":
            return first
    return None


def _value(source: Source, given: ast.expr | ast.keyword, weights: str) -> str | None:
    """What `weights` is given for what `pretrained` was; None where that depends on something else."""
    value = given.value if isinstance(given, ast.keyword) else given
    match value:
        case ast.Constant(value=False | None):
            return "None"
        case ast.Constant(value=True) if weights:
            return f'"{weights}"'
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.UnaryOp() if weights:
            return f'"{weights}" if {source.segment(source.span(value))} else None'
        case _:
            return None


def _stands_for(name: str) -> dict[str, str]:
    """The weights that each parameter of a model stands for; the name may be in the file that defines it."""
    if not name.startswith("torchvision.models."):
        return {}
    home, _, model = name.rpartition(".")
    known = weights_by_model()
    return known.get(f"{home}.{model}") or known.get(f"{home.rpartition('.')[0]}.{model}") or {}


@lru_cache(maxsize=1)
def weights_by_model() -> dict[str, dict[str, str]]:
    """The weights that each parameter stands for, by the dotted name of a model."""
    table: dict[str, Any] = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = {}
    for entry in table["weights"]:
        for model in entry["models"]:
            found.setdefault(f"{entry['home']}.{model}", {})[entry["parameter"]] = entry["name"]
    return found


_TABLE = Path(__file__).with_name("torchvision_weights.toml")
