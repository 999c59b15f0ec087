"""TL410: a target of a dtype that the loss does not take."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, tensor_facts, torch_facts
from torchlore.analysis.called import Called
from torchlore.analysis.values import Ref, Tensor, Unknown, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class WrongTargetDtype(Rule):
    """
    ## What it does

    Looks for targets that are surely whole numbers or truth values where a binary cross-entropy takes
    floating point, and for class numbers that are surely not int64 where `nll_loss` or `cross_entropy` is
    computed.

    ## Why is this bad?

    A binary cross-entropy computes with its target and raises `RuntimeError` where that is not floating
    point. `cross_entropy` and `nll_loss` look the class up: a number of a class is int64 (or uint8), and a
    one-hot target of `cross_entropy` is probabilities, that is, floating point. The message names dtypes
    and not the line that made them.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, requires_grad=True)
    target = torch.randint(2, (8,))
    loss = F.binary_cross_entropy_with_logits(logits, target)
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, requires_grad=True)
    target = torch.randint(2, (8,))
    loss = F.binary_cross_entropy_with_logits(logits, target.float())
    ```

    ## Fix safety

    Safe: the call raised, whatever its values were.

    ## Known limits

    Silent where the dtype is not certain: that of a batch from a DataLoader, for example, unless it is
    converted right in the call (`labels.int()`). `cross_entropy`
    of floating-point targets is not looked at, as these may be probabilities of the classes.

    ## References

    - [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html)
    - [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
    - [torch.nn.NLLLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html)
    """

    code = "TL410"
    name = "wrong-target-dtype"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "cross-entropy-logits"
    trigger = (
        r"\b(?:binary_cross_entropy|binary_cross_entropy_with_logits|BCELoss|BCEWithLogitsLoss"
        r"|cross_entropy|CrossEntropyLoss|nll_loss|NLLLoss)\b"
    )
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_NAMES):
            value, argument = call.value(1, "target"), call.argument(1, "target")
            target = _as_tensor(value, argument)
            if target is None or argument is None:
                continue
            loss = torch_facts.LOSSES[call.name.removesuffix("()")]
            wanted = _wanted(loss, target)
            if wanted is None or support.expects_an_error(analysis, call.node):
                continue
            yield self._report(analysis, call, argument, target, wanted)

    def _report(
        self, analysis: Analysis, call: Called, argument: ast.expr, target: Tensor, wanted: str
    ) -> Finding:
        loss, given = support.written(analysis, call.node.func), support.written(analysis, argument)
        kind = "floating-point targets" if wanted == "float" else "the numbers of classes as int64"
        what = "one-hot and " if target.made_by == _ONE_HOT else ""
        message = f"`{loss}` takes {kind}, but `{given}` is {what}{target.dtype}: it raises RuntimeError"
        text = f"{support.bracketed(analysis, argument)}.{wanted}()"
        fix = Fix(
            f"Convert the target with `.{wanted}()`",
            (Edit(analysis.source.span(argument), text),),
            safe=True,
        )
        ids = _ids(analysis, argument)
        whole = Fix(
            "Give the numbers of the classes instead", (Edit(analysis.source.span(argument), ids),), True
        )
        fixes = (fix, whole) if ids and wanted == "float" else (fix,)
        return self.finding(message, analysis.source.span(argument), fixes=fixes)


_NAMES = tuple(
    name if name.startswith("torch.nn.functional.") else f"{name}()"
    for name, loss in torch_facts.LOSSES.items()
    if loss != "kl_div"
)
_ONE_HOT = "torch.nn.functional.one_hot"
_NOT_CLASSES = frozenset({"int8", "int16", "int32", "bool"})


def _as_tensor(value: Value | None, argument: ast.expr | None) -> Tensor | None:
    """The target, where its dtype is sure.

    A loss takes nothing but tensors: what is converted right in its call is one, of whatever it was made.
    """
    if isinstance(value, Tensor) and value.certain:
        return value
    if not isinstance(value, Unknown | Tensor) or not isinstance(argument, ast.Call):
        return None
    func = argument.func
    is_plain = isinstance(func, ast.Attribute) and not argument.args and not argument.keywords
    dtype = tensor_facts.CASTS.get(func.attr) if is_plain else None  # type: ignore[attr-defined]
    return Tensor(dtype=dtype) if dtype is not None else None


def _wanted(loss: str, target: Tensor) -> str | None:
    """The method that makes of the target what the loss takes; None where it may be that already."""
    match loss:
        case "binary_cross_entropy" | "binary_cross_entropy_with_logits":
            return "float" if target.dtype in tensor_facts.WHOLE or target.dtype == "bool" else None
        case "nll_loss" if target.dtype in tensor_facts.FLOATING:
            return "long"
        case "cross_entropy" if target.made_by == _ONE_HOT and target.dtype == "int64":
            return "float"
        case "cross_entropy" | "nll_loss" if target.dtype in _NOT_CLASSES:
            return "long"
        case _:
            return None


def _ids(analysis: Analysis, argument: ast.expr) -> str:
    """What the call of `one_hot` that stands there is given; empty where none does."""
    if not isinstance(argument, ast.Call) or not argument.args or isinstance(argument.args[0], ast.Starred):
        return ""
    called = analysis.value(argument.func)
    is_one_hot = isinstance(called, Ref) and called.name == _ONE_HOT
    return support.written(analysis, argument.args[0]) if is_one_hot else ""
