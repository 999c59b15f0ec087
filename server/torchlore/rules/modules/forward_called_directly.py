"""TL315: `model.forward(x)` instead of `model(x)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.members import is_module_like, lookup
from torchlore.analysis.queries import options
from torchlore.analysis.values import BoundMethod, Function, Instance, LocalClass, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import is_module_class, method_around
from torchlore.text import Edit, Source, Span


class ForwardCalledDirectly(Rule):
    """
    ## What it does

    Looks for `model.forward(...)` where `model` is a module.

    ## Why is this bad?

    `model(...)` runs hooks before and after `forward`; `model.forward(...)` runs none of them.
    What rests on hooks then silently does not happen: the weights of `weight_norm` and pruning are not
    recomputed, FSDP gathers no parameters, profilers and feature extractors see nothing, and what
    `model.compile()` made is not used.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    y = model.forward(torch.randn(3, 4))
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    y = model(torch.randn(3, 4))
    ```

    ## Fix safety

    Safe: a module without hooks does the same.

    ## Known limits

    `self.forward(...)` and `super().forward(...)` are how a class calls its own code, and not reported.
    Silent where it is not known what the object is, and where its class has a `__call__` of its own.

    ## References

    - [torch.nn.Module.forward](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.forward)
    """

    code = "TL315"
    name = "forward-called-directly"
    family = Family.MODULES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "forward-method"
    trigger = r"\bforward\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return any(
            not text.endswith(("self", "super()", "cls"), 0, call.start())
            for call in re.finditer(r"\.forward\(", text)
        )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.run.calls:
            func = call.func
            if not isinstance(func, ast.Attribute) or func.attr != "forward":
                continue
            callees = options(analysis.value(func))
            if not all(map(_is_of_module, callees)) or _is_own(analysis, func.value):
                continue
            end = analysis.source.span(func).end
            start = analysis.source.span(func.value).end
            name = support.written(analysis, func.value)
            message = f"`{name}.forward(...)` runs none of the hooks that `{name}(...)` runs"
            span = Span(end - len(func.attr), end)
            yield self.finding(message, span, fixes=_fixes(analysis, name, Span(start, end)))


def _is_own(analysis: Analysis, node: ast.expr) -> bool:
    """Whether this is `self` or `super()`: what a method calls its own object."""
    method = method_around(analysis, node)
    match node:
        case ast.Name(id=name):
            return method is not None and method.receiver == name
        case ast.Call(func=ast.Name(id="super")):
            return True
        case _:
            return False


def _is_of_module(callee: Value) -> bool:
    """Whether this is the `forward` of an object whose call does nothing but run it, and hooks."""
    match callee:
        case BoundMethod(receiver=Instance() as module, name="forward"):
            return is_module_like(module)
        case Function(receiver=Instance(cls=LocalClass() as cls, attributes=held)):
            return is_module_class(cls) and lookup(cls, "__call__") is None and "forward" not in held
        case _:
            return False


def _fixes(analysis: Analysis, name: str, span: Span) -> tuple[Fix, ...]:
    """Takes `.forward` out; not where the object stands in brackets, or on another line."""
    if analysis.source.segment(span) != ".forward":
        return ()
    return (Fix(f"Call `{name}` itself", (Edit(span, ""),), safe=True),)
