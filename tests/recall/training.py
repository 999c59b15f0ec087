"""Mistakes in the order of a training loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.mutants import Mutant, emptied, inserted, mutant, plants
from tests.recall.syntax import (
    blocks_below,
    calls,
    functions,
    loops,
    method_call,
    own_statements,
    receiver,
    written,
)


@plants("missing-zero-grad", "zero_grad")
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


@plants("zero-grad-before-step", "zero_grad")
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
