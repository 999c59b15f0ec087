"""Mistakes with graphs and gradients."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import calls, functions, loops, own_statements, receiver, written


@plants("loss-keeps-graph", ".item(", ".detach(")
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


@plants("eval-without-no-grad", "no_grad", "inference_mode")
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
