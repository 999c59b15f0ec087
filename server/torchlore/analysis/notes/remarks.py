"""What stands beside the code in the editor: what is known and the eye does not see.

Every remark is certain. What can be read off its own line is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import members
from torchlore.analysis.accumulation import gate, remainder
from torchlore.analysis.events import Branch, Kind, Loop, places
from torchlore.analysis.notes import optimizers, schedules
from torchlore.analysis.notes.certainty import way
from torchlore.analysis.notes.loaders import batch_size
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.shapes.shape import Shape, told
from torchlore.analysis.values import Const, Instance, Tensor, Value
from torchlore.text import Source, Span
from torchlore.text.nodes import nodes_in


@dataclass(frozen=True, slots=True)
class Remark:
    """A few words about a place.

    Attributes:
        offset: behind which they stand, in code points.
        text: the words.
        more: a sentence that says how they are meant.
    """

    offset: int
    text: str
    more: str


def remarks(source: Source, run: Run, span: Span) -> Iterator[Remark]:
    """The remarks on the statements that begin within `span`, in no order."""
    for statement in (*source.every(ast.Assign), *source.every(ast.AnnAssign), *source.every(ast.Expr)):
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call) and span.start <= source.span(statement).start <= span.end:
            yield from _of_call(source, run, statement, value)
    for test, text, more in _accumulations(run):
        if _is_here(source, test) and span.start <= source.span(test).start <= span.end:
            yield Remark(source.span(test).end, text, more)


def _of_call(source: Source, run: Run, statement: ast.stmt, call: ast.Call) -> Iterator[Remark]:
    value = run.values.get(call)
    if isinstance(value, Instance) and value.node is call:
        found = _of_object(run, value)
        if found is not None:
            yield Remark(source.span(call).end, *found)
    elif isinstance(value, Tensor) and isinstance(statement, ast.Assign):
        yield from _of_tensor(source, statement, call, value)


def _of_object(run: Run, made: Instance) -> tuple[str, str] | None:
    match members.kind_of(made):
        case "Optimizer":
            count = optimizers.parameters(run, made)
            if count:
                return f"{count:,} parameters", "So many numbers it updates in a step."
        case "Scheduler" if way(run, made) is not None:
            course = schedules.course(run, made)
            if course is not None:
                return f"lr {course}", "The learning rate, by the step of the schedule."
    return None


def _of_tensor(source: Source, statement: ast.Assign, call: ast.Call, value: Tensor) -> Iterator[Remark]:
    """The shape of what a name is bound to, where all of it is known and it is not written on the line."""
    target = statement.targets[0]
    shape = value.shape
    if len(statement.targets) > 1 or not isinstance(target, ast.Name) or shape is None or not value.certain:
        return
    if shape.is_open or None in shape.dims or not shape.dims or _is_written(call, shape):
        return
    where = f" on {value.device}" if value.device else ""
    text = f": {value.dtype or 'tensor'}{told(shape)}{where}"
    yield Remark(source.span(target).end, text, "As this file makes it.")


def _is_written(call: ast.Call, shape: Shape) -> bool:
    """Whether the sizes stand in the call itself."""
    arguments = (node for part in (*call.args, *call.keywords) for node in nodes_in(part))
    numbers = {node.value for node in arguments if isinstance(node, ast.Constant)}
    return set(shape.dims) <= numbers


def _accumulations(run: Run) -> Iterator[tuple[ast.expr, str, str]]:
    """The tests under which an optimizer steps after several batches, and how many items that makes."""
    seen: set[ast.AST] = set()
    for root in run.roots:
        for place in root.places_of(Kind.STEP):
            loop = place.loops[-1] if place.loops else None
            around = gate(loop, place) if loop is not None else None
            if loop is None or around is None or around in seen:
                continue
            seen.add(around)
            found = _effective(run, loop, around)
            if found is not None:
                times, size = found
                more = f"The gradients of {times} batches of {size} items go into one step."
                yield around.test, f"{times} × {size} = {times * size:,} items a step", more


def _effective(run: Run, loop: Loop, around: ast.If) -> tuple[int, int] | None:
    """How many batches go into a step, and how large each is; None where that is not certain."""
    taken = remainder(around.test, loop)
    times = _number(run, taken.right) if taken is not None else None
    is_and = isinstance(around.test, ast.BoolOp) and isinstance(around.test.op, ast.And)
    size = _batch_size(run, loop.node.iter) if isinstance(loop.node, ast.For) else None
    if times is None or size is None or times < 2 or is_and or not _adds_up(loop, around):
        return None
    return times, size


def _adds_up(loop: Loop, around: ast.If) -> bool:
    """Whether each iteration computes gradients, and they are cleared only where the step is."""
    inside = places(loop.body)
    computing = [place for place in inside if place.event.kind is Kind.BACKWARD]
    clearing = [place for place in inside if place.event.kind is Kind.CLEAR]
    is_always = any(not any(isinstance(step, Branch) for step in place.within) for place in computing)
    return is_always and all(
        any(isinstance(step, Branch) and step.node is around for step in place.within) for place in clearing
    )


def _number(run: Run, node: ast.expr) -> int | None:
    value = node if isinstance(node, ast.Constant) else run.values.get(node)
    found = value.value if isinstance(value, ast.Constant | Const) else None
    return found if type(found) is int else None


def _batch_size(run: Run, iterated: ast.expr) -> int | None:
    """How many items a loader that is iterated over, by itself or counted, gives at a time."""
    if isinstance(iterated, ast.Call) and iterated.args and not isinstance(iterated.args[0], ast.Starred):
        called = iterated.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return _batch_size(run, iterated.args[0]) if name in ("enumerate", "tqdm", "track") else None
    value: Value | None = run.values.get(iterated)
    loaders = [one for one in options(value) if isinstance(one, Instance)] if value is not None else []
    if len(loaders) != 1 or value is not loaders[0] or way(run, loaders[0]) is None:
        return None
    return batch_size(loaders[0])


def _is_here(source: Source, node: ast.expr) -> bool:
    """Whether a node is of this file; nodes of others have lines of other texts."""
    return any(statement.test is node for statement in source.every(ast.If))
