"""TL309: `nn.Sequential` is given a list instead of its items."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.queries import options
from torchlore.analysis.values import Container, Instance, Iterable, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span


class SequentialOfList(Rule):
    """
    ## What it does

    Looks for `nn.Sequential(layers)` where `layers` is a list, a tuple, a generator, a dict that is written
    there, or an `nn.ModuleList`.

    ## Why is this bad?

    `nn.Sequential` takes layers one by one, or one `OrderedDict` of them.
    A list raises `TypeError: list is not a Module subclass`. An `nn.ModuleList` is a module, so that it is
    taken for one layer: the first call raises `NotImplementedError`.

    ## Example

    ```py
    import torch.nn as nn

    layers = [nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)]
    model = nn.Sequential(layers)
    ```

    ## Use instead

    ```py
    import torch.nn as nn

    layers = [nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)]
    model = nn.Sequential(*layers)
    ```

    ## Fix safety

    Safe: the call raised.

    ## Known limits

    Silent where what is given may be something else on another path.

    ## References

    - [torch.nn.Sequential](https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html)
    """

    code = "TL309"
    name = "sequential-of-list"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "sequential-vs-module"
    trigger = r"\bSequential\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.nn.Sequential"):
            if len(call.node.args) != 1 or call.node.keywords or isinstance(call.node.args[0], ast.Starred):
                continue
            given = call.node.args[0]
            value = call.value(0, "")
            kinds = [_kind(option) for option in options(value)] if value is not None else []
            if isinstance(given, ast.Dict | ast.DictComp):
                kinds = ["a dict"]
            kind = kinds[0] if kinds else ""
            if kind == "" or any(other != kind for other in kinds):
                continue
            written = support.written(analysis, given)
            shown = f"`{written}`" if len(written) <= 40 else "what it is given"
            harm = (
                "the first call raises NotImplementedError"
                if kind == "an `nn.ModuleList`"
                else "this raises TypeError"
            )
            message = f"`nn.Sequential` takes layers one by one, but {shown} is {kind}: {harm}"
            span = analysis.source.span(given)
            yield self.finding(message, span, fixes=_fixes(analysis, call.node, given))


def _kind(value: Value) -> str:
    """What a value is that `nn.Sequential` does not take apart; empty where it may be fine."""
    match value:
        case Container(kind="list" | "tuple" | "set" as kind):
            return f"a {kind}"
        case Iterable():
            return "a generator"
        case Instance(cls="torch.nn.ModuleList"):
            return "an `nn.ModuleList`"
        case _:
            return ""


def _fixes(analysis: Analysis, call: ast.Call, given: ast.expr) -> tuple[Fix, ...]:
    span = analysis.source.span(given)
    start, end = Span(span.start, span.start), Span(span.end, span.end)
    if isinstance(given, ast.Dict | ast.DictComp):
        edits: tuple[Edit, ...] = (Edit(start, "*"), Edit(end, ".values()"))
    elif isinstance(given, ast.GeneratorExp) and span.end == analysis.source.span(call).end:
        edits = (Edit(start, "(*"), Edit(end, ")"))  # its brackets are those of the call
    else:
        edits = (Edit(start, "*"),)
    return (Fix("Give it the items", edits, safe=True),)
