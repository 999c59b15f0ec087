"""Mistakes in the order of a training loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.mutants import (
    Mutant,
    blocks_below,
    calls,
    emptied,
    functions,
    inserted,
    loops,
    method_call,
    mutant,
    own_statements,
    plants,
    receiver,
    replaced,
    written,
)


@plants("missing-zero-grad")
def never_cleared(source: Source) -> Iterator[Mutant]:
    """All `zero_grad` of a loop that steps and differentiates are gone, if the file has no others."""
    everywhere = len(calls(source.tree, "zero_grad"))
    for function in functions(source):
        for loop in loops(function):
            own = [*own_statements(loop)]
            clearing = [statement for statement in own if method_call(statement, "zero_grad")]
            stepped = {receiver(call) for call in calls(loop, "step")}
            cleared = {
                receiver(call) for statement in clearing if (call := method_call(statement, "zero_grad"))
            }
            if not clearing or len(clearing) != everywhere or not cleared <= stepped:
                continue
            if any(isinstance(s, ast.For | ast.While) and calls(s, "zero_grad") for s in own):
                continue  # the loop within is the one
            if calls(loop, "backward"):
                yield from mutant(source, loop.lineno, [emptied(source, statement) for statement in clearing])


@plants("zero-grad-before-step")
def cleared_too_late(source: Source) -> Iterator[Mutant]:
    """`zero_grad` of the optimizer stands between `backward` and `step` in a straight line."""
    for block in blocks_below(source.tree):
        found = [(i, call) for i, s in enumerate(block) if (call := method_call(s, "zero_grad"))]
        backwards = [i for i, s in enumerate(block) if method_call(s, "backward")]
        steps = [(i, call) for i, s in enumerate(block) if (call := method_call(s, "step"))]
        if len(found) != 1 or len(backwards) != 1:
            continue
        at, clearing = found[0]
        mine = [i for i, call in steps if receiver(call) == receiver(clearing) and i > backwards[0]]
        if len(mine) == 1 and not backwards[0] < at < mine[0]:
            moved = inserted(source, block[mine[0]], written(block[at]))
            yield from mutant(source, block[mine[0]].lineno, [emptied(source, block[at]), moved])


@plants("loss-keeps-graph")
def summed_with_its_graph(source: Source) -> Iterator[Mutant]:
    """`total += loss.item()` without the `.item()`, in a loop that differentiates that loss."""
    for function in functions(source):
        for loop in loops(function):
            losses = {receiver(call) for call in calls(loop, "backward")}
            for statement in own_statements(loop):
                if not isinstance(statement, ast.AugAssign) or not isinstance(statement.op, ast.Add):
                    continue
                for call in calls(statement.value, "item", "detach"):
                    if receiver(call) in losses and not calls(call.func, "backward"):
                        edit = replaced(source, call, receiver(call))
                        yield from mutant(source, statement.lineno, [edit])


@plants("eval-without-no-grad")
def evaluated_with_gradients(source: Source) -> Iterator[Mutant]:
    """`with torch.no_grad():` around, or in, a loop of a function that calls `eval()`, is gone."""
    for function in functions(source):
        if isinstance(function, ast.Module) or not calls(function, "eval") or calls(function, "backward"):
            continue
        if function.decorator_list or not any(True for _ in loops(function)):
            continue
        withs = [s for s in own_statements(function) if isinstance(s, ast.With) and _is_no_grad(s)]
        if len(withs) == 1:
            header = source.span(withs[0].items[0].context_expr)
            start = source.text.rindex("with", 0, header.start)
            yield from mutant(source, withs[0].lineno, [Edit(Span(start, header.end), "if True")])


def _is_no_grad(statement: ast.With) -> bool:
    names = ("torch.no_grad()", "torch.inference_mode()", "no_grad()", "inference_mode()")
    return len(statement.items) == 1 and written(statement.items[0].context_expr) in names
