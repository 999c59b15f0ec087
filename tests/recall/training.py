"""Mistakes in the order of a training loop."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.binding import self_attribute
from tests.recall.devices import CLIPPING
from tests.recall.layers import makes_module
from tests.recall.mutants import (
    Mutant,
    emptied,
    inserted,
    mutant,
    plants,
    replaced,
    rewritten,
    with_keyword,
)
from tests.recall.syntax import (
    blocks_below,
    bound_to,
    calls,
    full_name,
    functions,
    imported,
    is_made_by,
    is_managed,
    is_optimizer,
    loops,
    own_statements,
    receiver,
    statement_call,
    written,
)

_SCHEDULERS = "torch.optim.lr_scheduler."


@plants("missing-zero-grad", "zero_grad")
def never_cleared(source: Source) -> Iterator[Mutant]:
    """All `zero_grad` of a loop that steps and differentiates are gone, if the file has no others."""
    if is_managed(source):
        return
    everywhere = len(calls(source.tree, "zero_grad"))
    for function in functions(source):
        for loop in loops(function):
            own = [*own_statements(loop)]
            clearing = [statement for statement in own if statement_call(statement, "zero_grad")]
            stepped = {receiver(call) for call in calls(loop, "step")}
            cleared = {receiver(call) for s in clearing if (call := statement_call(s, "zero_grad"))}
            if not clearing or len(clearing) != everywhere or not cleared <= stepped:
                continue
            if any(isinstance(s, ast.For | ast.While) and calls(s, "zero_grad") for s in own):
                continue  # the loop within is the one
            if calls(loop, "backward") and all(is_optimizer(source, name) for name in cleared):
                yield from mutant(source, loop.lineno, [emptied(source, statement) for statement in clearing])


@plants("zero-grad-before-step", "zero_grad")
def cleared_too_late(source: Source) -> Iterator[Mutant]:
    """`zero_grad` of the optimizer stands between `backward` and `step` in a straight line."""
    for block in blocks_below(source.tree):
        found = [(i, call) for i, s in enumerate(block) if (call := statement_call(s, "zero_grad"))]
        backwards = [i for i, s in enumerate(block) if statement_call(s, "backward")]
        steps = [(i, call) for i, s in enumerate(block) if (call := statement_call(s, "step"))]
        if len(found) != 1 or len(backwards) != 1 or is_managed(source):
            continue
        at, clearing = found[0]
        mine = [i for i, call in steps if receiver(call) == receiver(clearing) and i > backwards[0]]
        is_known = is_optimizer(source, receiver(clearing))
        if is_known and len(mine) == 1 and not backwards[0] < at < mine[0]:
            moved = inserted(source, block[mine[0]], written(block[at]))
            yield from mutant(source, block[mine[0]].lineno, [emptied(source, block[at]), moved])


@plants("training-in-eval-mode", ".train()")
def never_back_in_training(source: Source) -> Iterator[Mutant]:
    """All `model.train()` are gone from a file in which each epoch trains and evaluates a model with dropout.

    The loop over epochs has to do both, itself or in functions of the file that it calls by their names.
    """
    if is_managed(source) or not any(word in source.text for word in ("Dropout", "BatchNorm", "dropout")):
        return
    training = [s for s in source.every(ast.Expr) if (call := statement_call(s, "train")) and not call.args]
    evaluating = {receiver(call) for call in calls(source.tree, "eval")}
    named = {function.name: function for function in source.every(ast.FunctionDef)}
    for loop in _outermost(source):
        own = [node for node in ast.walk(loop) if isinstance(node, ast.Call)]
        called = [
            named[call.func.id] for call in own if isinstance(call.func, ast.Name) and call.func.id in named
        ]
        parts = [loop, *called]
        trains = [part for part in parts if calls(part, "backward") and calls(part, "step")]
        evaluates = [part for part in parts if any(receiver(c) in evaluating for c in calls(part, "eval"))]
        inside = [s for s in training if any(s in ast.walk(part) for part in parts)]
        receivers = {receiver(call) for s in training if (call := statement_call(s, "train"))}
        if trains and evaluates and inside and receivers <= evaluating:
            yield from mutant(source, loop.lineno, [emptied(source, statement) for statement in training])


def _outermost(source: Source) -> Iterator[ast.For | ast.While]:
    """The loops that stand in no other loop of their function."""
    for function in functions(source):
        found = [*loops(function)]
        yield from (loop for loop in found if not any(loop in loops(other) for other in found))


@plants("misplaced-clipping", "clip_grad_norm_", "clip_grad_value_")
def clipped_after_the_step(source: Source) -> Iterator[Mutant]:
    """Clipping changes places with the `step` of the optimizer below it, or with the `backward` above it."""
    for block in blocks_below(source.tree):
        clips = [i for i, s in enumerate(block) if _is_clipping(source, s)]
        backwards = [i for i, s in enumerate(block) if statement_call(s, "backward")]
        steps = [i for i, s in enumerate(block) if (call := statement_call(s, "step")) and not call.args]
        clears = [s for s in block if statement_call(s, "zero_grad")]
        if len(clips) != 1 or len(backwards) != 1 or len(clears) != 1 or is_managed(source):
            continue
        (clip,), (backward,) = clips, backwards
        mine = [i for i in steps if receiver(_call(block[i])) == receiver(_call(clears[0]))]
        is_known = is_optimizer(source, receiver(_call(clears[0])))
        if not is_known or len(mine) != 1 or not backward < clip < mine[0]:
            continue
        for lower, upper in ((mine[0], clip), (clip, backward)):
            swap = [
                replaced(source, block[upper], written(block[lower])),
                replaced(source, block[lower], written(block[upper])),
            ]
            yield from mutant(source, block[clip].lineno, swap)


def _is_clipping(source: Source, statement: ast.stmt) -> bool:
    """Whether a statement clips gradients and does not look at their norm."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Call) and full_name(source, value.func) in CLIPPING


def _call(statement: ast.stmt) -> ast.Call:
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    return statement.value


@plants("method-not-called", ".zero_grad()", ".backward()", ".step()", ".eval()", ".train()")
def named_only(source: Source) -> Iterator[Mutant]:
    """`optimizer.zero_grad()` without its parentheses, where the file shows whose method it is."""
    for statement in source.every(ast.Expr):
        call = statement_call(statement, "zero_grad", "backward", "step", "eval", "train")
        if call is None or call.args or call.keywords or not isinstance(call.func, ast.Attribute):
            continue
        whose = receiver(call)
        if is_optimizer(source, whose) or is_made_by(source, whose, "torch.nn."):
            yield from mutant(source, statement.lineno, [replaced(source, call, written(call.func))])


@plants("lbfgs-without-closure", "LBFGS")
def stepped_without_closure(source: Source) -> Iterator[Mutant]:
    """`optimizer.step(closure)` of LBFGS without the closure."""
    for call in calls(source.tree, "step"):
        if len(call.args) == 1 and is_made_by(source, receiver(call), "torch.optim.LBFGS"):
            yield from mutant(source, call.lineno, [rewritten(source, call, [], [])])


@plants("plateau-without-metric", "ReduceLROnPlateau")
def stepped_without_metric(source: Source) -> Iterator[Mutant]:
    """`scheduler.step(loss)` of ReduceLROnPlateau without the metric."""
    for call in calls(source.tree, "step"):
        if call.args and is_made_by(source, receiver(call), f"{_SCHEDULERS}ReduceLROnPlateau"):
            yield from mutant(source, call.lineno, [rewritten(source, call, [], [])])


@plants("scheduler-before-optimizer", "lr_scheduler")
def scheduled_first(source: Source) -> Iterator[Mutant]:
    """`scheduler.step()` at the end of a loop goes to its beginning, before what steps the optimizer.

    Either the loop steps an optimizer itself, or it hands the scheduler's optimizer to what does.
    """
    for function in functions(source):
        for loop in loops(function):
            body = loop.body
            at = [i for i, s in enumerate(body) if (call := statement_call(s, "step")) and not call.args]
            mine = [i for i in at if _is_scheduler(source, receiver(_call(body[i])))]
            if len(mine) != 1 or is_managed(source) or len(calls(source.tree, "step")) < 2:
                continue
            optimizer = _scheduled(bound_to(source, receiver(_call(body[mine[0]])))[0])
            before = body[: mine[0]]
            does = any(
                (
                    receiver(call) == optimizer
                    and isinstance(call.func, ast.Attribute)
                    and call.func.attr == "step"
                )
                or any(written(argument) == optimizer for argument in call.args)
                for statement in before
                for call in ast.walk(statement)
                if isinstance(call, ast.Call)
            )
            if does and before:
                moved = inserted(source, before[0], written(body[mine[0]]))
                yield from mutant(source, loop.lineno, [emptied(source, body[mine[0]]), moved])


def _is_scheduler(source: Source, name: str) -> bool:
    is_plateau = is_made_by(source, name, f"{_SCHEDULERS}ReduceLROnPlateau")
    return is_made_by(source, name, _SCHEDULERS) and len(bound_to(source, name)) == 1 and not is_plateau


def _scheduled(made: ast.expr) -> str:
    """The optimizer that a scheduler is made for."""
    assert isinstance(made, ast.Call)
    named = [keyword.value for keyword in made.keywords if keyword.arg == "optimizer"]
    return written([*made.args, *named][0])


@plants("missing-optimizer-step", ".step()")
def never_stepped(source: Source) -> Iterator[Mutant]:
    """The only `step()` of an optimizer of the file is gone."""
    for function in functions(source):
        for loop in loops(function):
            for statement in own_statements(loop):
                call = statement_call(statement, "step")
                if (
                    call is None
                    or call.args
                    or not is_optimizer(source, receiver(call))
                    or is_managed(source)
                ):
                    continue
                everywhere = [one for one in calls(source.tree, "step") if receiver(one) == receiver(call)]
                clears = any(receiver(one) == receiver(call) for one in calls(loop, "zero_grad"))
                inner = [one for one in loops(loop) if calls(one, "step")]
                if len(everywhere) == 1 and clears and calls(loop, "backward") and not inner:
                    yield from mutant(source, loop.lineno, [emptied(source, statement)])


@plants("cleared-accumulation", "zero_grad")
def cleared_in_every_iteration(source: Source) -> Iterator[Mutant]:
    """`zero_grad` leaves the `if i % n == 0:` of its `step` for the beginning of the loop."""
    for function in functions(source):
        for loop in loops(function):
            for guard in loop.body:
                if not isinstance(guard, ast.If) or "%" not in written(guard.test) or is_managed(source):
                    continue
                clears = [s for s in guard.body if statement_call(s, "zero_grad")]
                steps = [s for s in guard.body if statement_call(s, "step")]
                differentiates = any(statement_call(s, "backward") for s in loop.body)
                differentiates = differentiates and not calls(guard, "backward")  # else nothing accumulates
                if len(clears) == 1 and steps and differentiates and not guard.orelse:
                    moved = inserted(source, loop.body[0], written(clears[0]))
                    yield from mutant(source, loop.lineno, [emptied(source, clears[0]), moved])


@plants("optimizer-in-batch-loop", "optim.")
def made_for_every_batch(source: Source) -> Iterator[Mutant]:
    """An optimizer with a memory that was made before the loop is made in the innermost one that steps it."""
    for block in blocks_below(source.tree):
        for i, statement in enumerate(block):
            if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
                continue
            name, remembers = written(statement.targets[0]), _remembers(source, statement.value)
            if not remembers or len(bound_to(source, name)) != 1 or is_managed(source):
                continue
            using = [
                s
                for s in block[i + 1 :]
                if name in {written(n) for n in ast.walk(s) if isinstance(n, ast.Name)}
            ]
            if len(using) != 1 or not isinstance(using[0], ast.For | ast.While):
                continue
            stepping = [using[0], *(one for one in loops(using[0]) if calls(one, "step"))]
            loop = stepping[-1]
            direct = any((call := statement_call(s, "step")) and receiver(call) == name for s in loop.body)
            if direct:
                moved = inserted(source, loop.body[0], written(statement))
                yield from mutant(source, loop.lineno, [emptied(source, statement), moved])


def _remembers(source: Source, made: ast.Call) -> bool:
    name = full_name(source, made.func)
    has_momentum = any(keyword.arg == "momentum" for keyword in made.keywords)
    return name in ("torch.optim.Adam", "torch.optim.AdamW", "torch.optim.RMSprop") or (
        name == "torch.optim.SGD" and has_momentum
    )


@plants("needless-retain-graph", ".backward()")
def graph_is_kept(source: Source) -> Iterator[Mutant]:
    """`loss.backward(retain_graph=True)`, the only `backward` of a file: it did without before.

    The file makes what the loop calls: of a model that a library or a configuration makes nobody can tell
    that it keeps nothing of its graph from one iteration to the next.
    """
    every = calls(source.tree, "backward")
    if len(every) != 1 or every[0].args or every[0].keywords or is_managed(source):
        return
    looped = [loop for f in functions(source) for loop in loops(f) if every[0] in calls(loop, "backward")]
    if looped and _makes_what_it_calls(source, looped[-1]):
        yield from mutant(source, every[0].lineno, [with_keyword(source, every[0], "retain_graph", "True")])


def _makes_what_it_calls(source: Source, loop: ast.For | ast.While) -> bool:
    """Whether all objects that a loop calls are modules of torch or of the file, and some are."""
    known = {*imported(source), *dir(builtins)}
    known |= {node.name for node in source.every(ast.FunctionDef)}
    called = [node.func for node in ast.walk(loop) if isinstance(node, ast.Call)]
    own = [func for func in called if isinstance(func, ast.Name) or self_attribute(func) is not None]
    objects = {written(func) for func in own} - known - {f"self.{name}" for name in known}
    made = [bound_to(source, name) for name in objects]
    return bool(made) and all(
        bool(values) and all(makes_module(source, value) or _is_of_torch(source, value) for value in values)
        for values in made
    )


def _is_of_torch(source: Source, value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and full_name(source, value.func).startswith("torch.")


@plants("undivided-accumulation", "%")
def losses_add_up(source: Source) -> Iterator[Mutant]:
    """`loss = loss / n` is gone from a loop that steps `if i % n == 0:`."""
    for function in functions(source):
        for loop in loops(function):
            guards = [s for s in loop.body if isinstance(s, ast.If) and "%" in written(s.test)]
            for statement in loop.body:
                match statement:
                    case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Div(), right=by)):
                        is_divided = written(target) == written(left)
                    case ast.AugAssign(target=target, op=ast.Div(), value=by):
                        is_divided = True
                    case _:
                        continue
                steps = [
                    guard for guard in guards if calls(guard, "step") and written(by) in written(guard.test)
                ]
                calling = [c for s in loop.body if (c := statement_call(s, "backward"))]
                if is_divided and steps and any(receiver(call) == written(target) for call in calling):
                    yield from mutant(source, statement.lineno, [emptied(source, statement)])


@plants("evaluation-in-training-mode", ".eval()")
def evaluated_while_training(source: Source) -> Iterator[Mutant]:
    """All `model.eval()` are gone where each epoch trains and evaluates a model with dropout."""
    if is_managed(source) or not any(word in source.text for word in ("Dropout", "BatchNorm", "dropout")):
        return
    evaluating = [s for s in source.every(ast.Expr) if (call := statement_call(s, "eval")) and not call.args]
    training = {receiver(call) for call in calls(source.tree, "train")}
    named = {function.name: function for function in source.every(ast.FunctionDef)}
    for loop in _outermost(source):
        own = [node for node in ast.walk(loop) if isinstance(node, ast.Call)]
        names = [call.func.id for call in own if isinstance(call.func, ast.Name)]
        parts = [loop, *(named[name] for name in dict.fromkeys(names) if name in named)]
        trains = [part for part in parts if calls(part, "backward") and calls(part, "step")]
        inside = [
            s for s in evaluating if any(s in ast.walk(part) for part in parts if part not in trains[1:])
        ]
        receivers = {receiver(call) for s in evaluating if (call := statement_call(s, "eval"))}
        if trains and inside and receivers <= training and "no_grad" in source.text:
            yield from mutant(source, loop.lineno, [emptied(source, statement) for statement in evaluating])
