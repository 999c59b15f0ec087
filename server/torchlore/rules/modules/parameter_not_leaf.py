"""TL303: `nn.Parameter(…).cuda()` on a module is no parameter of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.members import is_module_like
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.values import Const, Instance, Ref, Unknown
from torchlore.rules import support
from torchlore.rules.arguments import is_written_out
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import method_around
from torchlore.text import Edit, Span


class ParameterNotLeaf(Rule):
    """
    ## What it does

    Looks for attributes of modules that are set to a result computed from a new `nn.Parameter`:
    `self.scale = nn.Parameter(torch.ones(4)).cuda()`.

    ## Why is this bad?

    Only an `nn.Parameter` itself is registered. What `.cuda()`, `.view(...)` or `* 0.1` gives is a plain
    tensor: it is missing from `parameters()` and `state_dict()`, and the parameter behind it, which would get
    the gradients, is known to nobody. It is never trained. Nothing is reported.

    ## Example

    ```py
    import torch
    import torch.nn as nn


    class Scale(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(size)).cuda()

        def forward(self, x):
            return x * self.scale
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn as nn


    class Scale(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(size).cuda())

        def forward(self, x):
            return x * self.scale
    ```

    ## Fix safety

    Not safe: checkpoints get the parameter that they lacked, so that older ones no longer load strictly.

    ## Known limits

    `.to(...)`, `.cpu()` and `.float()` give the parameter itself where nothing is to be done: of these only
    `.to("cuda")` and the like is reported. Silent where the parameter is kept under another name as well.

    ## References

    - [torch.nn.Parameter](https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html)
    - [torch.Tensor.is_leaf](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_leaf.html)
    """

    code = "TL303"
    name = "parameter-not-leaf"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "parameters-and-buffers"
    trigger = r"\bParameter\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.nn.Parameter"):
            made = call.node
            outer = list(analysis.around(made) or ())
            computed, steps = _computed(analysis, made, outer)
            statement = outer[-1] if outer else None
            target = _target(statement, computed)
            if call.literal(1, "requires_grad") is False or not is_written_out(made):
                continue
            if not steps or not isinstance(target, ast.Attribute) or not isinstance(statement, ast.stmt):
                continue
            method = method_around(analysis, made)
            if method is None or not _is_on_module(analysis, target) or not analysis.is_whole(statement):
                continue
            name, step = support.written(analysis, target), steps[0]
            message = (
                f"`{name}` is what {step} gives, not the `nn.Parameter` itself: "
                "it is not registered, and never trained"
            )
            span = analysis.source.span(target)
            yield self.finding(message, span, fixes=_fixes(analysis, made, computed, steps))


def _target(statement: ast.AST | None, value: ast.expr) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=[target], value=assigned) if assigned is value:
            return target
        case ast.AnnAssign(target=target, value=assigned) if assigned is value:
            return target
        case _:
            return None


def _is_on_module(analysis: Analysis, target: ast.Attribute) -> bool:
    owners = options(analysis.value(target.value))
    return all(isinstance(owner, Instance) and is_module_like(owner) for owner in owners)


def _computed(analysis: Analysis, made: ast.expr, outer: list[ast.AST]) -> tuple[ast.expr, list[str]]:
    """What is computed from a new parameter right there, and by which steps; `outer` is what is around it."""
    steps: list[str] = []
    while outer:
        match outer[-2:]:
            case [ast.Call(func=func) as called, ast.Attribute(value=value, attr=attr)] if (
                value is made
                and func is outer[-1]
                and ((steps and attr in _KEEP_GRAPH) or _gives_another(analysis, called, made))
            ):
                made = called
                steps.append(f"`.{attr}()`")
                del outer[-2:]
                continue
        match outer[-1]:
            case (
                ast.BinOp(left=left, right=right, op=ast.Mult() | ast.Div() | ast.Add() | ast.Sub()) as result
            ):
                other = right if left is made else left
                if not isinstance(other, ast.Constant | ast.Name | ast.Attribute | ast.UnaryOp):
                    break
                made = result
                steps.append("the calculation")
                del outer[-1:]
            case _:
                break
    return made, steps


def _gives_another(analysis: Analysis, call: ast.Call, made: ast.expr) -> bool:
    """Whether a method of a new parameter surely gives another tensor.

    Of one that has that dtype, or is on that device, already, moving it gives the tensor itself.
    """
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if method in _SHAPES:
        return True
    is_moved = method in _MOVES
    if method == "to":
        device = analysis.value(call.args[0]) if len(call.args) == 1 and not call.keywords else Unknown()
        literal = device.value if isinstance(device, Const) else None
        is_moved = isinstance(literal, str) and literal.partition(":")[0] in ("cuda", "mps", "xpu")
    return is_moved and _is_default(analysis, _data(made))


def _data(made: ast.expr) -> ast.expr | None:
    """What a parameter is made of."""
    if not isinstance(made, ast.Call):
        return None
    given = [keyword.value for keyword in made.keywords if keyword.arg == "data"]
    return next(iter([*made.args[:1], *given]), None)


def _is_default(analysis: Analysis, data: ast.expr | None) -> bool:
    """Whether data is made as torch does by default: in float32, on the CPU."""
    match data:
        case ast.BinOp(left=left, right=right):
            return all(isinstance(n, ast.Constant) or _is_default(analysis, n) for n in (left, right))
        case ast.Call(func=func, keywords=keywords):
            called = analysis.value(func)
            is_made = isinstance(called, Ref) and called.name in _FACTORIES
            is_told = any(keyword.arg in ("dtype", "device", None) for keyword in keywords)
            return is_made and not is_told and "set_default_" not in analysis.source.text
        case _:
            return False


_FACTORIES = frozenset(
    f"torch.{name}" for name in ("empty", "zeros", "ones", "rand", "randn", "eye", "Tensor", "FloatTensor")
)
_MOVES = frozenset({"cuda", "half", "double", "bfloat16"})
_SHAPES = words("view reshape clone t transpose permute unsqueeze squeeze expand repeat mul div add sub")
"""Methods whose result is never the tensor itself."""

_KEEP_GRAPH = frozenset({*_MOVES, *_SHAPES, "to", "float", "cpu", "contiguous"})


def _fixes(analysis: Analysis, made: ast.Call, computed: ast.expr, steps: list[str]) -> tuple[Fix, ...]:
    """Takes the steps into the call: `nn.Parameter(torch.ones(4).cuda())`.

    What is expanded has fewer numbers than it shows: as a parameter it would be another one.
    """
    source, data = analysis.source, _data(made)
    if data is None or isinstance(data, ast.Starred) or {"`.expand()`", "`.repeat()`"} & {*steps}:
        return ()
    whole, inner = source.span(computed), source.span(made)
    before, after = source.text[whole.start : inner.start], source.text[inner.end : whole.end]
    if "(" in before or "\n" in before + after or after.count("(") != after.count(")"):
        return ()
    written = support.bracketed(analysis, data)
    opening = source.text[inner.start : source.span(data).start]
    rest = source.text[source.span(data).end : inner.end]
    if opening.count("(") != 1 or not opening.endswith(("(", "(data=")):
        return ()
    text = f"{opening}{before}{written}{after}{rest}"
    edit = Edit(Span(whole.start, whole.end), text)
    return (Fix("Compute it before it becomes a parameter", (edit,), safe=False),)
