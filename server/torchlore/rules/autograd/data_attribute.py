"""TL218: a tensor is taken out of its graph by `.data`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.analysis.values import Tensor, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span


class DataAttribute(Rule):
    """
    ## What it does

    Looks for tensors that were computed, with a graph, whose `.data` is read.

    ## Why is this bad?

    Like `.detach()`, `.data` gives the same numbers without their graph. But torch counts the changes of a
    detached tensor, and not those of `.data`: what is changed there in place, `backward` takes for the
    numbers that were used, and computes wrong gradients without a word.

    ## Example

    ```py
    import torch

    x = torch.randn(8, requires_grad=True)
    gate = torch.sigmoid(x)
    mask = gate.data
    mask[mask < 0.5] = 0
    gate.sum().backward()
    ```

    ## Use instead

    ```py
    import torch

    x = torch.randn(8, requires_grad=True)
    gate = torch.sigmoid(x)
    mask = gate.detach()
    mask = torch.where(mask < 0.5, 0.0, mask)
    gate.sum().backward()
    ```

    ## Fix safety

    Not safe: where the numbers are changed in place, and needed, `backward` raises RuntimeError from then on.

    ## Known limits

    Silent about parameters and other leaves: `w.data.normal_()` is how these were set before `no_grad`, and
    does no harm there. Silent too where `.data` is assigned to or changed on the spot.

    ## References

    - [torch.Tensor.detach](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html)
    - [PyTorch 0.4.0 migration guide: what about .data?](https://pytorch.org/blog/pytorch-0_4_0-migration-guide/)
    """

    code = "TL218"
    name = "data-attribute"
    family = Family.AUTOGRAD
    severity = Severity.HINT
    since = "0.1.0"
    card = "detach-clone-item"
    trigger = r"\bdata\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _READ.search(source.text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        read = [node for node in analysis.run.owners if node.attr == "data"]
        differentiated = _differentiated(analysis) if read else set()
        found = [node for node in read if _is_read(analysis, node, differentiated)]
        for node in sorted(found, key=lambda node: (node.lineno, node.end_col_offset or 0)):
            name = support.written(analysis, node.value)
            message = (
                f"`{name}.data` leaves the graph behind, and torch does not see what is changed in it: "
                "`.detach()` does the same and is watched"
            )
            end = analysis.source.span(node).end
            span = Span(end - len("data"), end)
            fix = Fix(f"Use `{name}.detach()`", (Edit(span, "detach()"),), safe=False)
            yield self.finding(message, span, fixes=(fix,))


_READ = re.compile(r"\.data\b(?<!utils\.data)(?! import)(?!\s*[-+*/]?=[^=])")


def _differentiated(analysis: Analysis) -> set[Value | None]:
    """What `backward` is called on: it has a graph, else that would raise."""
    calls = {event.node for root in analysis.roots for event in root.of(Kind.BACKWARD)}
    methods = (call.func for call in calls if isinstance(call, ast.Call))
    return {analysis.run.owners.get(func) for func in methods if isinstance(func, ast.Attribute)}


def _is_read(analysis: Analysis, node: ast.Attribute, differentiated: set[Value | None]) -> bool:
    """Whether it is read of a tensor that surely was computed, and not to change that on the spot."""
    owner = analysis.run.owners[node]
    if not isinstance(owner, Tensor) or not owner.certain or owner.leaf or owner.parameter:
        return False
    if not owner.attached and (owner.attached is False or owner not in differentiated):
        return False
    outer = support.parent(analysis, node)
    if isinstance(outer, ast.Attribute) and outer.attr.endswith("_"):
        return False
    is_set = isinstance(outer, ast.Subscript) and not isinstance(outer.ctx, ast.Load)
    return isinstance(node.ctx, ast.Load) and not is_set and analysis.is_whole(node)
