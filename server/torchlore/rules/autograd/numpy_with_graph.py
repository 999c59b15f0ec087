"""TL210: a tensor that requires gradients is to become an array of NumPy's."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Call, Kind
from torchlore.analysis.queries import tokens_of
from torchlore.analysis.values import Tensor, Value
from torchlore.rules import bindings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class NumpyWithGraph(Rule):
    """
    ## What it does

    Looks for `.numpy()`, `np.array(...)` and `np.asarray(...)` of tensors that carry a graph or are trained.

    ## Why is this bad?

    An array shares the memory of the tensor, and what is done to it cannot be recorded. Torch raises
    RuntimeError: "Can't call numpy() on Tensor that requires grad".

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    prediction = model(torch.randn(8, 4)).numpy()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    prediction = model(torch.randn(8, 4)).detach().numpy()
    ```

    ## Fix safety

    Safe: the line could not run.

    ## Known limits

    Whoever calls a function may have switched gradients off. So of what is computed in a function this speaks
    only where the file runs the function itself, or calls `backward` on what came of it.

    ## References

    - [torch.Tensor.numpy](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html)
    - [torch.Tensor.detach](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html)
    """

    code = "TL210"
    name = "numpy-with-graph"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "numpy-interop"
    trigger = r"\b(?:numpy|array|asarray)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        trains = "nn" in text or "requires_grad" in text
        return trains and any(made in text for made in (".numpy(", ".array(", ".asarray("))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("Tensor.numpy", "numpy.array", "numpy.asarray"):
            if call.name == "Tensor.numpy":
                func = call.node.func
                tensor = func.value if isinstance(func, ast.Attribute) else None
                if call.node.args or call.node.keywords:  # `force=True` detaches
                    continue
            else:
                tensor = call.argument(0, "object" if call.name == "numpy.array" else "a")
            if tensor is None or not _requires_gradients(analysis, tensor):
                continue
            if not analysis.is_whole(bindings.scope_of(analysis, tensor) or call.node):
                continue
            name = support.written(analysis, tensor)
            message = f"`{name}` requires gradients: making an array of it raises RuntimeError"
            fixes = (_detached(analysis, tensor),)
            yield self.finding(message, analysis.source.span(call.node), fixes=fixes)


def _requires_gradients(analysis: Analysis, node: ast.expr) -> bool:
    """Whether an expression surely is a tensor that requires gradients, whoever runs it."""
    value = analysis.value(node)
    if not isinstance(value, Tensor) or not value.certain or value.attached is not True:
        return False
    scope = bindings.scope_of(analysis, node)
    if value.leaf or isinstance(scope, ast.Module):
        return True
    return scope in _run_here(analysis) or _is_trained(analysis, value)


def _run_here(analysis: Analysis) -> set[ast.AST]:
    """The functions that the file itself runs."""
    places = (place for root in analysis.roots if root.certain for place in root.places)
    return {step.callee for place in places for step in place.within if isinstance(step, Call)}


def _is_trained(analysis: Analysis, value: Value) -> bool:
    """Whether gradients are computed for what came of the same computation."""
    backwards = (event for root in analysis.roots for event in root.of(Kind.BACKWARD))
    own = tokens_of(value)
    return any(event.value is not None and own & tokens_of(event.value) for event in backwards)


def _detached(analysis: Analysis, tensor: ast.expr) -> Fix:
    """`.detach()` behind the tensor; before `.cpu()`, so that this is not recorded either."""
    match tensor:
        case ast.Call(func=ast.Attribute(value=moved, attr="cpu")):
            tensor = moved
    edit = support.followed_by(analysis, tensor, ".detach()")
    return Fix(f"Leave the graph behind: `{support.written(analysis, tensor)}.detach()`", (edit,), safe=True)
