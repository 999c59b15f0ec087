"""Mistakes with leaves, frozen parameters and tensors of inference mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.autograd import losses, without_gradients
from tests.recall.binding import spelled
from tests.recall.layers import makes_module
from tests.recall.mutants import Mutant, inserted, mutant, plants, replaced, unwrapped
from tests.recall.syntax import (
    blocks_below,
    bound_to,
    called_from_the_top,
    calls,
    full_name,
    functions,
    is_managed,
    is_optimizer,
    own_statements,
    receiver,
    statement_call,
    written,
)

_FACTORIES = tuple(f"torch.{name}" for name in ("tensor", "randn", "rand", "zeros", "ones"))


@plants("leaf-changed-in-place", "no_grad")
def changed_with_gradients_on(source: Source) -> Iterator[Mutant]:
    """`with torch.no_grad():` around `parameter.add_(...)` is gone, of a parameter that the file makes.

    The file runs the function itself, or the function calls `backward`, too.
    """
    called = called_from_the_top(source)
    for function in functions(source):
        is_run = isinstance(function, ast.Module) or function.name in called
        if not is_run and not calls(function, "backward"):
            continue
        for context in without_gradients(source, function):
            if any(_changes_leaf(source, statement) for statement in own_statements(context)):
                yield from mutant(source, context.lineno, [unwrapped(source, context)])


def _changes_leaf(source: Source, statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    changes = call.func.attr.endswith("_") and call.func.attr not in ("requires_grad_", "zero_", "detach_")
    return changes and _is_leaf(source, receiver(call))


def _is_leaf(source: Source, name: str) -> bool:
    """Whether all that the file gives a name is a parameter, or made with `requires_grad=True`."""
    values = bound_to(source, name)
    return bool(values) and all(
        isinstance(value, ast.Call)
        and (full_name(source, value.func) == "torch.nn.Parameter" or _is_told(source, value))
        for value in values
    )


def _is_told(source: Source, call: ast.Call) -> bool:
    """`torch.randn(..., requires_grad=True)`."""
    told = [keyword.value for keyword in call.keywords if keyword.arg == "requires_grad"]
    return full_name(source, call.func) in _FACTORIES and [*map(written, told)] == ["True"]


@plants("grad-of-computed-tensor", "requires_grad=True")
def computed_from_the_leaf(source: Source) -> Iterator[Mutant]:
    """`x = torch.randn(3, requires_grad=True) * 2`, where the same function reads `x.grad`.

    To ask whether it is None is to know that it may be.
    """
    if "retain_grad(" in source.text or "backward(" not in source.text:
        return
    for function in functions(source):
        own = [*own_statements(function)]
        nodes = [node for statement in own for node in ast.walk(statement)]
        asked = {node.left for node in nodes if isinstance(node, ast.Compare) and _is_of_none(node)}
        read = {
            written(node.value)
            for node in nodes
            if isinstance(node, ast.Attribute)
            and node.attr == "grad"
            and isinstance(node.ctx, ast.Load)
            and node not in asked
        }
        for statement in own:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as made) if name in read:
                    if _is_told(source, made) and bound_to(source, name) == [made]:
                        edit = replaced(source, made, f"{written(made)} * 2")
                        yield from mutant(source, statement.lineno, [edit])


def _is_of_none(node: ast.Compare) -> bool:
    """`x is None`, `x is not None`."""
    return any(isinstance(part, ast.Constant) and part.value is None for part in node.comparators)


@plants("inference-tensor-in-graph", "no_grad")
def target_of_inference_mode(source: Source) -> Iterator[Mutant]:
    """`torch.inference_mode()` for the `torch.no_grad()` under which the target of a loss is computed."""
    mode = spelled(source, "torch.inference_mode")
    computed = [statement for _, statement in losses(source)] if mode is not None else []
    for block in blocks_below(source.tree):
        for at, loss in enumerate(block):
            if (
                loss not in computed
                or not isinstance(loss, ast.Assign)
                or not isinstance(loss.value, ast.Call)
            ):
                continue
            given = {written(argument) for argument in loss.value.args}
            for context in block[:at]:
                called = _makes_under_no_grad(source, context, given)
                if called is not None:
                    edit = replaced(source, called, f"{mode}()")
                    yield from mutant(source, context.lineno, [edit])


def _makes_under_no_grad(source: Source, context: ast.stmt, given: set[str]) -> ast.expr | None:
    """The `no_grad()` under which something of these names is computed."""
    if context not in [*without_gradients(source, ast.Module([context], []))]:
        return None
    assert isinstance(context, ast.With)
    assigned = [
        s for s in context.body if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call | ast.BinOp)
    ]
    made = {written(s.targets[0]) for s in assigned}
    return context.items[0].context_expr if made & given else None


@plants("optimizer-of-frozen-parameters", ".parameters()")
def frozen_and_trained(source: Source) -> Iterator[Mutant]:
    """`model.requires_grad_(False)` above the only optimizer of a model that the file makes and trains."""
    if is_managed(source) or "requires_grad" in source.text or not calls(source.tree, "backward"):
        return
    for statement in source.every(ast.Assign):
        name, made = written(statement.targets[0]), statement.value
        if not isinstance(made, ast.Call) or not made.args or not is_optimizer(source, name):
            continue
        listed = made.args[0]
        model = receiver(listed) if isinstance(listed, ast.Call) else ""
        values = bound_to(source, model)
        is_all = isinstance(listed, ast.Call) and written(listed) == f"{model}.parameters()"
        steps = any(statement_call(s, "step") for s in source.every(ast.Expr))
        if is_all and steps and len(values) == 1 and makes_module(source, values[0]):
            edit = inserted(source, statement, f"{model}.requires_grad_(False)")
            yield from mutant(source, statement.lineno, [edit])
