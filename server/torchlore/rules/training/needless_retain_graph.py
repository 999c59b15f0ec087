"""TL115: `backward` keeps a graph that nothing goes through again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind, happens
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._iterations import is_made_anew
from torchlore.text import Source


class NeedlessRetainGraph(Rule):
    """
    ## What it does

    Looks for `backward(retain_graph=True)` in a loop where it is the only one, and where all that the loss is
    computed from is made in the same iteration.

    ## Why is this bad?

    `backward` frees what it has used. Told to keep it, it leaves the whole graph in memory until the loss is
    bound anew, which is after the next forward pass: two graphs exist at a time, where one would do.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward(retain_graph=True)
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Not safe: whatever goes through the graph a second time after all raises RuntimeError.

    ## Known limits

    Silent where something computed before the loop, or kept from one iteration to the next, may be a part of
    the graph: there it is needed, or `.detach()` is.

    ## References

    - [torch.Tensor.backward](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html)
    - [torch.autograd.backward](https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html)
    """

    code = "TL115"
    name = "needless-retain-graph"
    family = Family.TRAINING
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "backpropagation"
    trigger = r"\bretain_graph\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "retain_graph=True" in source.text and source.text.count("backward(") == 1

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        found = [(root, place) for root in analysis.roots for place in root.places_of(Kind.BACKWARD)]
        nodes = {place.event.node for _, place in found}
        if len(nodes) != 1 or any(root.of(Kind.DIFFERENTIATE) for root, _ in found):
            return
        if any(place.loops and happens(place.loops[-1].body, Kind.HAVOC) for _, place in found):
            return
        for _, place in found[:1]:
            call, loop = place.event.node, place.loops[-1] if place.loops else None
            if (
                not isinstance(call, ast.Call)
                or not _retains(call)
                or not analysis.owns(call)
                or loop is None
            ):
                continue
            if analysis.is_whole(loop.node) and is_made_anew(analysis, loop.node, call):
                yield self._report(analysis, call)

    def _report(self, analysis: Analysis, call: ast.Call) -> Finding:
        given = arguments.keyword(call, "retain_graph")
        assert given is not None
        name = support.written(analysis, call.func)
        message = (
            f"`{name}` is the only one in this loop, and nothing goes through its graph again: "
            "`retain_graph=True` keeps it beside that of the next iteration"
        )
        edit = arguments.removed(analysis, call, "retain_graph")
        fixes = (Fix("Let `backward` free the graph", (edit,), safe=False),) if edit is not None else ()
        return self.finding(message, analysis.source.span(given), fixes=fixes)


def _retains(call: ast.Call) -> bool:
    given = arguments.keyword(call, "retain_graph")
    is_true = given is not None and isinstance(given.value, ast.Constant) and given.value.value is True
    return is_true and arguments.keyword(call, "create_graph") is None
