"""TL215: the gradient of a tensor that was computed is read, and torch keeps none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis, tensor_facts
from torchlore.analysis.names import words
from torchlore.analysis.values import Tensor
from torchlore.rules import arguments, bindings, indentation, spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span


class GradOfComputedTensor(Rule):
    """
    ## What it does

    Looks for `x.grad` where `x` was computed from other tensors, and nothing called `retain_grad()`.

    ## Why is this bad?

    `backward` keeps the gradients of leaves only: of what was made with `requires_grad=True`, and of
    parameters. A tensor that an operation gave is none, even if that operation is `.cuda()` or `w - step`.
    Its `.grad` stays None, whatever flowed through it; torch only warns.

    ## Example

    ```py
    import torch

    x = torch.randn(8, requires_grad=True) * 0.1
    x.pow(2).sum().backward()
    print(x.grad)
    ```

    ## Use instead

    ```py
    import torch

    x = torch.randn(8, requires_grad=True) * 0.1
    x.retain_grad()
    x.pow(2).sum().backward()
    print(x.grad)
    ```

    ## Fix safety

    Not safe: keeping the gradient takes memory, and who meant the leaf has to read the gradient of that.

    ## Known limits

    Speaks of names that are bound to what surely makes a new tensor. Silent about what a module gives, as
    that may be its input, about conversions that may have nothing to do, and in files that use `retain_grad`.

    ## References

    - [torch.Tensor.retain_grad](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html)
    - [torch.Tensor.is_leaf](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_leaf.html)
    """

    code = "TL215"
    name = "grad-of-computed-tensor"
    family = Family.AUTOGRAD
    severity = Severity.WARNING
    since = "0.1.0"
    card = "grad-attribute"
    trigger = r"\bgrad\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "retain_grad" not in text and "backward" in text and _READ.search(text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        told: set[tuple[ast.AST, str]] = set()
        reads = [node for node in analysis.run.owners if node.attr == "grad" and _is_read(analysis, node)]
        for node in sorted(reads, key=lambda node: (node.lineno, node.col_offset)):
            name, scope = node.value, bindings.scope_of(analysis, node)
            if not isinstance(name, ast.Name) or scope is None or (scope, name.id) in told:
                continue
            made = bindings.values_of(analysis, name) if analysis.is_whole(scope) else None
            computed, replaced = _computed(analysis, node, made or []), _replaced(analysis, node, made or [])
            if computed is not None or replaced is not None:
                told.add((scope, name.id))
            if computed is not None:
                yield self._of_computed(analysis, node, name, computed)
            elif replaced is not None:
                yield self._of_replaced(analysis, node, name, replaced)

    def _of_computed(
        self, analysis: Analysis, node: ast.Attribute, name: ast.Name, made: ast.expr
    ) -> Finding:
        message = (
            f"`{name.id}` was computed {support.on_line(analysis, made)} and is no leaf: "
            f"`backward` leaves its `.grad` None without `{name.id}.retain_grad()`"
        )
        related = support.related(analysis, made, "this makes a new tensor")
        fixes = tuple(_fixes(analysis, name, made))
        return self.finding(message, analysis.source.span(node), fixes=fixes, related=related)

    def _of_replaced(
        self, analysis: Analysis, node: ast.Attribute, name: ast.Name, step: ast.Assign
    ) -> Finding:
        message = (
            f"`{name.id}` is no leaf from the second iteration on: {support.on_line(analysis, step)} "
            "it becomes a tensor that was computed, whose `.grad` stays None"
        )
        related = support.related(analysis, step.value, "this makes a new tensor")
        fixes = tuple(_in_place(analysis, name, step))
        return self.finding(message, analysis.source.span(node), fixes=fixes, related=related)


_READ = re.compile(r"(?<!autograd)\.grad\b(?!\s*=[^=])")


def _is_read(analysis: Analysis, node: ast.Attribute) -> bool:
    """Whether what the gradient is gets used, not only whether there is one."""
    owner = analysis.run.owners[node]
    if not isinstance(owner, Tensor) or not owner.certain or not isinstance(node.ctx, ast.Load):
        return False
    outer = support.parent(analysis, node)
    asks_whether = isinstance(outer, ast.Compare) and any(map(_is_none, (outer.left, *outer.comparators)))
    return not asks_whether and not support.expects_an_error(analysis, node)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _computed(analysis: Analysis, node: ast.Attribute, made: list[ast.expr]) -> ast.expr | None:
    """Where what a gradient is read of was computed; None where it may be a leaf."""
    if not made or not all(_is_new(analysis, value) for value in made):
        return None
    before = [value for value in made if value.lineno <= node.lineno]
    return before[-1] if before else made[0]


def _replaced(analysis: Analysis, node: ast.Attribute, made: list[ast.expr]) -> ast.Assign | None:
    """Where the loop around puts a computed tensor in the place of a leaf: `w = w - lr * w.grad`."""
    outer = analysis.around(node) or ()
    loop = next((n for n in reversed(outer) if isinstance(n, ast.For | ast.While)), None)
    inside = [value for value in made if loop is not None and loop in (analysis.around(value) or ())]
    if loop is None or len(inside) != 1 or not _is_new(analysis, inside[0]):
        return None
    step = support.statement_of(analysis, inside[0])
    return step if isinstance(step, ast.Assign) and step in loop.body else None


def _is_new(analysis: Analysis, node: ast.expr) -> bool:
    """Whether an expression surely gives a new tensor with a graph, not one that was there before."""
    statement = support.statement_of(analysis, node)
    is_assigned = isinstance(statement, ast.Assign) and statement.value is node
    value = analysis.value(statement.targets[0] if is_assigned else node)  # type: ignore[union-attr]
    if not isinstance(value, Tensor) or not value.certain or value.attached is not True or value.leaf:
        return False
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return True
    call = analysis.call_at(node)
    home, _, name = call.name.rpartition(".") if call is not None else ("", "", "")
    if home == "Tensor" and name in _CONVERSIONS:
        return _converts(analysis, node, value)
    return name in _GIVE_NEW if home in _HOMES else home == "torch.nn" and name.endswith("Loss()")


_HOMES = ("torch", "torch.nn.functional", "torch.linalg", "Tensor")

_CONVERSIONS = words("to cuda float double half bfloat16 type")
"""Methods that give the very tensor that they are called on where there is nothing to do."""

_GIVE_NEW = words(
    """
    abs add addmm baddbmm bmm cat chunk clamp clone cos cosh cross_entropy cumsum div dot einsum exp expand
    flatten flip gather gelu index_select layer_norm linear log log_softmax logsumexp masked_fill matmul max
    mean min mm mse_loss mul mv neg nll_loss norm outer permute pow prod relu repeat reshape roll rsqrt
    sigmoid silu sin softmax softplus split sqrt square squeeze stack std sub sum tanh transpose tril triu
    unsqueeze var view where l1_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
    """
)
"""Functions and methods that give a new tensor, or a view that is one, whatever they are given."""


def _converts(analysis: Analysis, node: ast.expr, value: Tensor) -> bool:
    """Whether a conversion has something to do: to another dtype, or from the CPU to CUDA."""
    before = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else node
    given = analysis.value(before)
    if not isinstance(given, Tensor):
        return False
    if given.dtype and value.dtype and given.dtype != value.dtype:
        return True
    return value.device.startswith("cuda") and " or " not in value.device and _is_on_cpu(analysis, before)


def _is_on_cpu(analysis: Analysis, node: ast.expr) -> bool:
    """Whether a tensor is where torch makes them unless it is told otherwise."""
    call = analysis.call_at(node)
    if call is None or "set_default_device" in analysis.source.text or not call.is_complete:
        return False
    is_factory = call.name.startswith("torch.") and call.name.rpartition(".")[2] in tensor_facts.DEFAULT_FLOAT
    return is_factory and call.value(-1, "device") is None


def _fixes(analysis: Analysis, name: ast.Name, made: ast.expr) -> Iterator[Fix]:
    statement = support.statement_of(analysis, made)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or statement.value is not made:
        return
    leaf = _converted_leaf(analysis, made)
    if leaf is not None:
        end = analysis.source.span(made).end
        edits = (leaf, Edit(Span(end, end), ".requires_grad_()"))
        yield Fix(f"Make `{name.id}` the leaf: convert first, then `.requires_grad_()`", edits, safe=False)
    kept = support.insert_after(analysis, statement, f"{name.id}.retain_grad()")
    if kept is not None:
        yield Fix(f"Keep the gradient: `{name.id}.retain_grad()`", (kept,), safe=False)


def _converted_leaf(analysis: Analysis, made: ast.expr) -> Edit | None:
    """Takes `requires_grad=True` from the factory in `torch.randn(8, requires_grad=True).cuda()`."""
    call = analysis.call_at(made)
    inner = made.func.value if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) else None
    if call is None or call.name.rpartition(".")[2] not in _CONVERSIONS or not isinstance(inner, ast.Call):
        return None
    return arguments.removed(analysis, inner, "requires_grad")


def _in_place(analysis: Analysis, name: ast.Name, step: ast.Assign) -> Iterator[Fix]:
    """`w = w - lr * w.grad` as `w -= lr * w.grad`, unrecorded."""
    no_grad, value = spellings.spelled(analysis, step, "torch.no_grad"), step.value
    if no_grad is None or not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add | ast.Sub):
        return
    if not isinstance(value.left, ast.Name) or value.left.id != name.id or len(step.targets) != 1:
        return
    header = f"with {no_grad}():"
    edits = indentation.under_header(analysis, [step], header)
    if edits is not None:
        source, sign = analysis.source, "+" if isinstance(value.op, ast.Add) else "-"
        span = Span(source.span(step).start, source.span(value.right).start)
        edits.append(Edit(span, f"{name.id} {sign}= "))
        yield Fix(f"Change `{name.id}` in place, under `{header}`", tuple(edits), safe=False)
