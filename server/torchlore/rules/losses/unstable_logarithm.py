"""TL413: logarithms and exponentials that lose what they are taken for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Tensor, Unknown
from torchlore.rules import spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class UnstableLogarithm(Rule):
    """
    ## What it does

    Looks for `log(1 + x)`, `exp(x) - 1` and `log(sum(exp(x)))` of tensors.

    ## Why is this bad?

    In float32, `1 + x` is 1 for every x below 6e-8, and `exp(x)` is infinite for every x above 88: what is
    left is 0, or infinity, and gradients that are NaN. `log1p`, `expm1` and `logsumexp` are exact there.

    ## Example

    ```py
    import torch

    x = torch.full((3,), 1e-9)
    y = torch.log(1 + x)
    ```

    ## Use instead

    ```py
    import torch

    x = torch.full((3,), 1e-9)
    y = torch.log1p(x)
    ```

    ## Fix safety

    Not applied on save: results differ in their last digits, and where the old ones were not finite.

    ## Known limits

    Looks at what is written in one expression only. Silent where that rounds the difference to whole numbers.

    ## References

    - [torch.log1p](https://docs.pytorch.org/docs/stable/generated/torch.log1p.html)
    - [torch.expm1](https://docs.pytorch.org/docs/stable/generated/torch.expm1.html)
    - [torch.logsumexp](https://docs.pytorch.org/docs/stable/generated/torch.logsumexp.html)
    """

    code = "TL413"
    name = "unstable-logarithm"
    family = Family.LOSSES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "elementwise-math"
    trigger = r"\b(?:log|exp)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "exp(" in text or ("log(" in text and any(one_more in text for one_more in _ONE_MORE))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        exponentials = {call.node: call for call in analysis.called("torch.exp", "Tensor.exp")}
        sums = (
            {call.node: call for call in analysis.called("torch.sum", "Tensor.sum")} if exponentials else {}
        )
        for call in analysis.called("torch.log", "Tensor.log"):
            argument = _operand(call)
            one_more = _without_one(argument, ast.Add)
            if one_more is not None and _is_tensor(call):
                yield self._report(analysis, call.node, "log1p", one_more)
            added = sums.get(argument) if isinstance(argument, ast.Call) else None
            inner = _operand(added) if added is not None else None
            if added is not None and isinstance(inner, ast.Call) and inner in exponentials:
                yield from self._check_sum(analysis, call.node, added, _operand(exponentials[inner]))
        for call in exponentials.values():
            outer = support.parent(analysis, call.node)
            inner = _operand(call)
            if _without_one(outer, ast.Sub) is not call.node or inner is None or not _is_tensor(call):
                continue
            if isinstance(outer, ast.BinOp) and not _is_rounded(analysis, outer):
                yield self._report(analysis, outer, "expm1", inner)

    def _check_sum(
        self, analysis: Analysis, node: ast.Call, added: Called, inner: ast.expr | None
    ) -> Iterator[Finding]:
        first = 1 if added.receiver is None else 0
        dim, keep = added.argument(first, "dim"), added.argument(first + 1, "keepdim")
        if inner is None or dim is None or not _is_tensor(added):
            return
        rest = f", dim={support.written(analysis, dim)}"
        if keep is not None:
            rest += f", keepdim={support.written(analysis, keep)}"
        yield self._report(analysis, node, "logsumexp", inner, rest)

    def _report(
        self, analysis: Analysis, node: ast.expr, better: str, inner: ast.expr, rest: str = ""
    ) -> Finding:
        lost = "overflows for large numbers" if better == "logsumexp" else "loses small numbers"
        message = f"`{support.written(analysis, node)}` {lost}: `{better}` does not"
        found = spellings.spelled_anyhow(analysis, node, f"torch.{better}")
        fixes: tuple[Fix, ...] = ()
        if found is not None:
            name, imported = found
            text = f"{name}({analysis.source.segment(analysis.source.span(inner))}{rest})"
            edits = (*imported, Edit(analysis.source.span(node), text))
            fixes = (Fix(f"Take `{better}` instead", edits, safe=False),)
        return self.finding(message, analysis.source.span(node), fixes=fixes)


_ONE_MORE = ("1 +", "+ 1", "1.0 +", "1+", "+1")


def _operand(call: Called) -> ast.expr | None:
    """What a function or method of one tensor is applied to, as it is written."""
    if call.receiver is None:
        return call.argument(0, "input")
    return call.node.func.value if isinstance(call.node.func, ast.Attribute) else None


def _is_tensor(call: Called) -> bool:
    """Whether it is called with one: functions of torch raise for anything else, whatever we know of it."""
    if call.receiver is not None:
        return isinstance(call.receiver, Tensor) and call.receiver.certain
    return isinstance(call.value(0, "input"), Tensor | Unknown)


def _without_one(node: ast.AST | None, kind: type[ast.operator]) -> ast.expr | None:
    """`x` of `1 + x`, `x + 1` or `x - 1`."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, kind):
        return None
    if _is_one(node.right):
        return node.left
    return node.right if kind is ast.Add and _is_one(node.left) else None


def _is_rounded(analysis: Analysis, node: ast.expr) -> bool:
    """Whether only whole numbers are left of it: `torch.round(x * 2)`, `x.round()`, `x.long()`."""
    inner: ast.AST = node
    for outer in reversed(analysis.around(node) or ()):
        if isinstance(outer, ast.Attribute) and outer.attr in _WHOLE:
            return True
        if isinstance(outer, ast.Call) and inner is not outer.func:
            return isinstance(outer.func, ast.Attribute) and outer.func.attr in _WHOLE
        if not isinstance(outer, ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Call):
            return False
        inner = outer
    return False


_WHOLE = ("round", "round_", "floor", "ceil", "long", "int")


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1 and not isinstance(node.value, bool)
