"""TL211: an operation with a backward of its own is called as an object, which torch no longer allows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.members import is_autograd_function, is_open, lookup
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance, LocalClass
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span


class LegacyAutogradFunction(Rule):
    """
    ## What it does

    Looks for classes of `torch.autograd.Function` that are made and called: `Square()(x)`.

    ## Why is this bad?

    That was the way until 2018. Since then such a call raises RuntimeError, whether `forward` is static or
    not: it is `Square.apply(x)` that records the operation.

    ## Example

    ```py
    import torch


    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return 2 * x * gradient


    y = Square()(torch.ones(3, requires_grad=True))
    ```

    ## Use instead

    ```py
    import torch


    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return 2 * x * gradient


    y = Square.apply(torch.ones(3, requires_grad=True))
    ```

    ## Fix safety

    Safe: the call could not run. None is offered where the object was made with arguments, which `forward`
    has to be given instead.

    ## Known limits

    Silent where a base of the class cannot be seen, or where the class says itself what a call does.

    ## References

    - [Extending torch.autograd](https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch-autograd)
    - [torch.autograd.Function](https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function)
    """

    code = "TL211"
    name = "legacy-autograd-function"
    family = Family.AUTOGRAD
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "custom-autograd-function"
    trigger = r"\bFunction\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("Unknown()"):
            made = _made(call)
            if made is None or not isinstance(made.cls, LocalClass):
                continue
            if _is_operation(made.cls) and analysis.is_whole(made.cls.node) and analysis.is_whole(call.node):
                name = made.cls.node.name
                message = f"`{name}` is called as an object, which raises RuntimeError: call `{name}.apply`"
                span = analysis.source.span(call.node.func)
                yield self.finding(message, span, fixes=tuple(_fixes(analysis, call, made)))


def _made(call: Called) -> Instance | None:
    """The object that is called, or one of them where they are of one class: each caller's call makes one."""
    found = options(call.receiver) if call.receiver is not None else ()
    made = [one for one in found if isinstance(one, Instance)]
    is_one_class = len(made) == len(found) and all(one.cls is made[0].cls for one in made)
    return made[0] if made and is_one_class else None


def _is_operation(cls: LocalClass) -> bool:
    """Whether calls of its objects end up in those of `torch.autograd.Function`."""
    return is_autograd_function(cls) and not is_open(cls) and lookup(cls, "__call__") is None


def _fixes(analysis: Analysis, call: Called, made: Instance) -> Iterator[Fix]:
    """`.apply` of the class, as it was named where the object was made."""
    making = made.node
    if not isinstance(making, ast.Call) or making.args or making.keywords or not analysis.owns(making):
        return
    if not isinstance(making.func, ast.Name | ast.Attribute):
        return
    cls = support.written(analysis, making.func)
    span = analysis.source.span(call.node.func)
    yield Fix(f"Record it: `{cls}.apply`", (Edit(Span(span.start, span.end), f"{cls}.apply"),), safe=True)
