"""TL216: a tensor that was made under `inference_mode` is to be differentiated through."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from torchlore.analysis import Analysis
from torchlore.analysis.called import MISSING, Called
from torchlore.analysis.names import words
from torchlore.analysis.values import Instance, Ref, Tensor, Value
from torchlore.rules import bindings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span


class InferenceTensorInGraph(Rule):
    """
    ## What it does

    Looks for tensors that are computed under `torch.inference_mode()` and given to a layer or a loss that
    records a graph.

    ## Why is this bad?

    Under `inference_mode` tensors keep no count of their changes, so that nothing may save them for
    `backward`. A layer saves its input, and a loss its target: torch raises RuntimeError, "Inference tensors
    cannot be saved for backward". `no_grad` costs a little more, and what it gives may be used anywhere.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    teacher = torch.nn.Linear(4, 2)
    student = torch.nn.Linear(4, 2)
    x = torch.randn(8, 4)
    with torch.inference_mode():
        target = teacher(x)
    F.mse_loss(student(x), target).backward()
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    teacher = torch.nn.Linear(4, 2)
    student = torch.nn.Linear(4, 2)
    x = torch.randn(8, 4)
    with torch.no_grad():
        target = teacher(x)
    F.mse_loss(student(x), target).backward()
    ```

    ## Fix safety

    Using `no_grad` is safe: the numbers are the same, and the line could not run. Copying the tensor with
    `.clone()` where it is used is offered as well: it leaves `inference_mode` where it is.

    ## Known limits

    Knows the layers and losses of torch that surely save what they are given. Silent about views and other
    tensors that may have been there before, and about what functions of the file hand through.

    ## References

    - [torch.inference_mode](https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html)
    - [Autograd mechanics: inference mode](https://docs.pytorch.org/docs/stable/notes/autograd.html#inference-mode)
    """

    code = "TL216"
    name = "inference-tensor-in-graph"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "no-grad-vs-inference-mode"
    trigger = r"\binference_mode\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "backward" in source.text and "inference_mode(False)" not in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        made = {
            tensor: origin for region in _regions(analysis) for tensor, origin in _made_in(analysis, region)
        }
        for call in analysis.called(*_SAVING) if made else ():
            result = analysis.value(call.node)
            if (
                not isinstance(result, Tensor)
                or result.attached is not True
                or not analysis.is_whole(call.node)
            ):
                continue
            for node in (*call.node.args, *(keyword.value for keyword in call.node.keywords)):
                origin = made.get(analysis.value(node))
                if origin is not None and not support.expects_an_error(analysis, call.node):
                    yield self._report(analysis, call, node, origin)

    def _report(self, analysis: Analysis, call: Called, node: ast.expr, origin: _Origin) -> Finding:
        name, called = support.written(analysis, node), support.written(analysis, call.node.func)
        message = (
            f"`{name}` is computed under `inference_mode` {support.on_line(analysis, origin.node)}: "
            f"`{called}` cannot save it for `backward` and raises RuntimeError"
        )
        related = support.related(analysis, origin.node, "made here")
        fixes = tuple(_fixes(analysis, node, origin))
        return self.finding(message, analysis.source.span(node), fixes=fixes, related=related)


class _Origin(NamedTuple):
    """Where a tensor is made, and what switched inference mode on there."""

    node: ast.expr
    mode: ast.expr


_LAYERS = words(
    """
    Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d BatchNorm1d
    BatchNorm2d BatchNorm3d LayerNorm GroupNorm LSTM GRU RNN
    """
)
_LOSSES = {
    "CrossEntropyLoss": "cross_entropy",
    "MSELoss": "mse_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
    "KLDivLoss": "kl_div",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
}
_SAVING = (
    *(f"torch.nn.{name}()" for name in sorted(_LAYERS | _LOSSES.keys())),
    *(f"torch.nn.functional.{name}" for name in sorted(_LOSSES.values())),
)
"""Layers and losses that save every tensor that they are given, where they record a graph at all."""

_GIVE_NEW = words(
    """
    abs add argmax bmm cat clamp clone cos cosine_similarity cumsum div exp gelu log log_softmax logsumexp
    matmul max mean min mm mul neg normalize one_hot pow relu round rsqrt sigmoid silu sin softmax sqrt square
    stack std sub sum tanh var where zeros ones rand randn full zeros_like ones_like rand_like randn_like
    """
)
"""Functions and methods that give a new tensor, never a view or the one that they are given."""


def _regions(analysis: Analysis) -> Iterator[tuple[list[ast.stmt], ast.expr]]:
    """The statements that run under inference mode as they stand there, and what switches it on."""
    source = analysis.source
    blocks: list[ast.With | ast.AsyncWith] = [*source.every(ast.With), *source.every(ast.AsyncWith)]
    for block in blocks:
        for item in block.items:
            if _is_inference_mode(analysis, item.context_expr):
                yield block.body, item.context_expr
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef]
    functions = [*source.every(ast.FunctionDef), *source.every(ast.AsyncFunctionDef)]
    for function in functions:
        for decorator in function.decorator_list:
            if _is_inference_mode(analysis, decorator):
                yield function.body, decorator


def _is_inference_mode(analysis: Analysis, node: ast.expr) -> bool:
    match analysis.value(node):
        case Ref(name="torch.inference_mode"):
            return True
        case Instance(cls="torch.inference_mode"):
            call = analysis.call_at(node)
            return call is not None and call.literal(0, "mode") in (True, MISSING) and call.is_complete
        case _:
            return False


def _made_in(analysis: Analysis, region: tuple[list[ast.stmt], ast.expr]) -> Iterator[tuple[Value, _Origin]]:
    """The tensors that statements make, which were surely not there before."""
    body, mode = region
    for statement in body:
        for node in (statement, *bindings.within(statement)):
            match node:
                case ast.Call() if _gives_new(analysis, node):
                    yield analysis.value(node), _Origin(node, mode)
                case ast.Assign(targets=[ast.Name() as target], value=ast.BinOp() as value):
                    if _is_without_graph(analysis.value(target)):
                        yield analysis.value(target), _Origin(value, mode)


def _gives_new(analysis: Analysis, node: ast.Call) -> bool:
    call = analysis.call_at(node)
    if call is None or not _is_without_graph(analysis.value(node)):
        return False
    home, _, name = call.name.rpartition(".")
    if home == "torch.nn" or call.name == "Module()":
        handed = (value for given in call.given for value in given.all())
        return name.removesuffix("()") not in _HAND_ON and analysis.value(node) not in handed
    return home in ("torch", "torch.nn.functional", "Tensor") and name in _GIVE_NEW


_HAND_ON = words("Identity Flatten Unflatten Dropout Dropout1d Dropout2d Dropout3d AlphaDropout")
"""Modules that may give what they are given, or a view of it."""


def _is_without_graph(value: Value) -> bool:
    return isinstance(value, Tensor) and value.certain and value.attached is False


def _fixes(analysis: Analysis, node: ast.expr, origin: _Origin) -> Iterator[Fix]:
    source, mode = analysis.source, origin.mode
    named = mode.func if isinstance(mode, ast.Call) else mode
    if isinstance(named, ast.Attribute) and not (isinstance(mode, ast.Call) and (mode.args or mode.keywords)):
        end = source.span(named).end
        edit = Edit(Span(end - len(named.attr), end), "no_grad")
        yield Fix("Compute it under `no_grad`, which lets it be used anywhere", (edit,), safe=True)
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        end = source.span(node).end
        title = f"Make an ordinary copy: `{support.written(analysis, node)}.clone()`"
        yield Fix(title, (Edit(Span(end, end), ".clone()"),), safe=True)
