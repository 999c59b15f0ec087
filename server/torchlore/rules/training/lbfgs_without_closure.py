"""TL106: LBFGS is stepped without the closure that computes the loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._required import steps_without_argument
from torchlore.text import Edit
from torchlore.text.nodes import blocks, nodes_in


class LbfgsWithoutClosure(Rule):
    """
    ## What it does

    Looks for `step()` of `torch.optim.LBFGS` without a closure.

    ## Why is this bad?

    LBFGS computes the loss several times in one step, and needs a function for it that clears the gradients,
    computes the loss, calls `backward()` and returns the loss. Without it `step()` raises TypeError.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.LBFGS(model.parameters())
    x, y = torch.randn(8, 4), torch.randn(8, 1)
    for _ in range(10):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.LBFGS(model.parameters())
    x, y = torch.randn(8, 4), torch.randn(8, 1)
    for _ in range(10):

        def closure():
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
    ```

    ## Fix safety

    Not safe: what stands between `zero_grad()` and `step()` moves into a closure, which runs several times.
    It is offered where the lines stand together, and where only the loss is used outside of them.

    ## Known limits

    Silent where the optimizer may be of another class.

    ## References

    - [torch.optim.LBFGS](https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html)
    - [torch.optim: optimizer.step(closure)](https://docs.pytorch.org/docs/stable/optim.html#optimizer-step-closure)
    """

    code = "TL106"
    name = "lbfgs-without-closure"
    family = Family.TRAINING
    severity = Severity.ERROR
    since = "0.1.0"
    card = "optimizers"
    trigger = r"\bLBFGS\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in steps_without_argument(analysis, Kind.STEP, "torch.optim.LBFGS"):
            name = support.receiver(analysis, call.node)
            message = (
                f"`{name}` is an LBFGS: its `step` needs a closure that computes the loss, "
                "and raises TypeError without it"
            )
            fixes = _fixes(analysis, call.node, name)
            yield self.finding(message, analysis.source.span(call.node), fixes=fixes)


def _fixes(analysis: Analysis, step: ast.Call, name: str) -> tuple[Fix, ...]:
    """Moves everything from `zero_grad()` to `backward()` into a closure."""
    stepping = support.statement_of(analysis, step)
    if not isinstance(stepping, ast.Expr) or stepping.value is not step:
        return ()
    block = support.block_of(analysis, stepping)
    moved = _computation(analysis, block[: block.index(stepping)], name) if block else []
    loss = _differentiated(moved[-1]) if moved else ""
    if not loss or not _stays_inside(analysis, moved, loss):
        return ()
    edits = indentation.under_header(analysis, moved, "", "def closure():")
    if edits is None or support.own_lines(analysis, stepping) is None:
        return ()
    source = analysis.source
    indent = source.newline + source.indent(stepping.lineno - 1)
    code = f"{indentation.step(source)}return {loss}{source.newline}{indent}{loss} = {name}.step(closure)"
    edits.append(Edit(source.span(stepping), code))
    return (Fix("Move the computation into a closure", tuple(edits), safe=False),)


def _computation(analysis: Analysis, before: list[ast.stmt], name: str) -> list[ast.stmt]:
    """The statements that compute the gradients, from `zero_grad()` on: the last of those before `step`."""
    for index in range(len(before) - 1, -1, -1):
        statement = before[index]
        if isinstance(statement, ast.Expr) and support.written(analysis, statement.value).startswith(
            f"{name}.zero_grad("
        ):
            return before[index:]
    return []


def _differentiated(statement: ast.stmt) -> str:
    """`loss` in `loss.backward()`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="backward"), args=[])):
            return name
        case _:
            return ""


def _stays_inside(analysis: Analysis, moved: list[ast.stmt], loss: str) -> bool:
    """Whether the statements are plain, and no name that they bind is used elsewhere but the loss."""
    if any(list(blocks(statement)) for statement in moved):
        return False
    inside = {node for statement in moved for node in nodes_in(statement)}
    bound = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    augmented = any(isinstance(node, ast.AugAssign | ast.Global | ast.Await) for node in inside)
    if augmented or loss not in bound or any(isinstance(n, ast.Yield | ast.NamedExpr) for n in inside):
        return False
    others = (n for n in nodes_in(analysis.source.tree) if isinstance(n, ast.Name) and n not in inside)
    return not any(n.id in bound - {loss} for n in others)
