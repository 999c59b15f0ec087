"""Mistakes that are made by adding to a loop of training: steps that are put off, losses that are copied."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source

from tests.recall.binding import Scope, held, made, scopes, spelled
from tests.recall.devices import CLIPPING
from tests.recall.mutants import Mutant, emptied, mutant, plants, replaced
from tests.recall.syntax import (
    calls_of,
    full_name,
    is_made_by,
    is_managed,
    receiver,
    statement_call,
    written,
)


@plants("undivided-accumulation", "enumerate(")
def every_fourth_step(source: Source) -> Iterator[Mutant]:
    """A loop that clears, differentiates and steps does the first and the last every fourth time only.

    The loss is a mean, and the size of the gradients matters: the optimizer is SGD, or they are clipped.
    """
    for scope in scopes(source) if not is_managed(source) else ():
        for loop in (node for node in scope.nodes if isinstance(node, ast.For)):
            told = {name: [s for s in loop.body if statement_call(s, name)] for name in _OF_A_STEP}
            if not all(len(some) == 1 for some in told.values()) or not _counter(loop):
                continue
            clearing, differentiating, stepping = (some[0] for some in told.values())
            step, backward = statement_call(stepping, "step"), statement_call(differentiating, "backward")
            assert step is not None and backward is not None
            is_linear = is_made_by(source, receiver(step), "torch.optim.SGD") or calls_of(
                source, loop, *CLIPPING
            )
            others = [s for s in ast.walk(loop) if statement_call(s, "step", "zero_grad") and s in loop.body]  # type: ignore[arg-type]
            is_plain = not step.args and not backward.args and not backward.keywords and len(others) == 2
            if is_linear and is_plain and _is_mean(source, scope, backward):
                indent = " " * stepping.col_offset
                text = f"if ({_counter(loop)} + 1) % 4 == 0:\n{indent}    {written(stepping)}"
                edits = [
                    emptied(source, clearing),
                    replaced(source, stepping, f"{text}\n{indent}    {written(clearing)}"),
                ]
                yield from mutant(source, loop.lineno, edits)


_OF_A_STEP = ("zero_grad", "backward", "step")


def _counter(loop: ast.For) -> str:
    """`i` of `for i, batch in enumerate(loader)`, where the body leaves it alone; empty of others."""
    match loop:
        case ast.For(
            target=ast.Tuple(elts=[ast.Name(id=name), _]),
            iter=ast.Call(func=ast.Name(id="enumerate"), args=[_]),
        ):
            nodes = [node for statement in loop.body for node in ast.walk(statement)]
            stores = [n for n in nodes if isinstance(n, ast.Name) and n.id == name]
            return name if all(isinstance(n.ctx, ast.Load) for n in stores) else ""
    return ""


def _is_mean(source: Source, scope: Scope, backward: ast.Call) -> bool:
    """Whether what is differentiated is what a loss of torch gives by default."""
    loss = backward.func.value if isinstance(backward.func, ast.Attribute) else None
    computed = held(scope, loss) if isinstance(loss, ast.Name) else None
    return isinstance(computed, ast.Call) and _computes_loss(source, scope, computed)


def _computes_loss(source: Source, scope: Scope, call: ast.Call) -> bool:
    """Whether a call computes a loss of torch, averaged over the batch."""
    function = full_name(source, call.func)
    if function.startswith("torch.nn.functional.") and function.endswith(("_loss", "cross_entropy")):
        return not any(given.arg in (None, "reduction", "reduce", "size_average") for given in call.keywords)
    maker = held(scope, call.func)
    is_loss = made(source, scope, call.func).startswith("torch.nn.") and isinstance(maker, ast.Call)
    return is_loss and written(maker).partition("(")[0].endswith("Loss") and "reduc" not in written(maker)  # type: ignore[arg-type]


@plants("tensor-from-tensors", ".backward(")
def copied_loss(source: Source) -> Iterator[Mutant]:
    """`loss = torch.tensor(criterion(out, y), requires_grad=True)`, and `loss.backward()` below."""
    name = spelled(source, "torch.tensor")
    for scope in scopes(source) if name is not None else ():
        differentiated = {receiver(call) for s in scope.nodes if (call := _backward(s)) is not None}
        for statement in (node for node in scope.nodes if isinstance(node, ast.Assign)):
            target, value = statement.targets[0], statement.value
            if not isinstance(target, ast.Name) or target.id not in differentiated:
                continue
            if (
                held(scope, target) is value
                and isinstance(value, ast.Call)
                and _computes_loss(source, scope, value)
            ):
                before = Edit(source.span(value), f"{name}({written(value)}, requires_grad=True)")
                yield from mutant(source, statement.lineno, [before])


def _backward(node: ast.AST) -> ast.Call | None:
    return statement_call(node, "backward") if isinstance(node, ast.Expr) else None
