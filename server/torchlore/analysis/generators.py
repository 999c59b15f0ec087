"""Generators of the workspace: what happens in them happens bit by bit, in the loop over them.

A call of a generator is followed at once, so that it is known what it yields. Its events are put where they
belong when a loop goes over it: the loop that has the `yield` in it and the loop that waits for it are one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from torchlore.analysis import loops, summaries
from torchlore.analysis.events import Branch, Call, Event, Finally, Kind, Loop, Path, Step, events, has_jump
from torchlore.analysis.run import Run
from torchlore.analysis.values import Iterable, Value

_LEAVES = frozenset({"break", "continue"})


def pause(run: Run, node: ast.Yield | ast.YieldFrom, value: Value) -> None:
    """A generator waits at a `yield`; at a `yield from` it waits wherever the other generator does."""
    code = run.frame.node
    call = value.call if isinstance(node, ast.YieldFrom) and isinstance(value, Iterable) else None
    if call is None or not run.path or run.path[-1] is not call:
        run.emit(Kind.YIELD, node, value=value, key=code)
        return
    for event in _pauses(call.body, call.callee):
        event.key = code


def loop(
    run: Run,
    node: ast.For | ast.AsyncFor,
    iterated: Value,
    body: Callable[[], bool],
    stored: frozenset[str],
    orelse: Callable[[], bool],
) -> None:
    """Runs a loop (see `loops.loop`) over something that may be a generator."""
    call = iterated.call if isinstance(iterated, Iterable) else None
    if call is None or not isinstance(iterated, Iterable) or not any(step is call for step in run.path):
        loops.loop(run, node, body, stored, orelse)
        return
    iterated.call = None
    path: Path = []
    with run.writing(path):
        loops.loop(run, node, body, stored, orelse)
    first = path[0] if path else None
    if not isinstance(first, Loop) or first.node is not node:  # nothing happens in it
        run.path += path
        return
    function = run.functions.get(call.callee)
    woven = _woven(call, first, is_home=function is not None and run.is_home(function))
    if woven is not None:
        run.path[:] = [step for step in run.path if step is not call]
        run.path += [*woven, *path[1:]]
        return
    if summaries.matters(call.body):  # it happens at some time in the loop
        first.body.insert(0, Event(Kind.HAVOC, node))
    run.path += path


def _pauses(path: Path, code: ast.AST) -> list[Event]:
    return [event for event in events(path) if event.kind is Kind.YIELD and event.key is code]


def _woven(call: Call, waiting: Loop, is_home: bool) -> Path | None:
    """The events of a generator with those of the loop that waits for it; None where these do not fit."""
    pauses = _pauses(call.body, call.callee)
    if len(pauses) != 1 or has_jump(call.body, frozenset({"return"})):
        return None
    around = [step for step in _around(call.body, pauses[0]) if isinstance(step, Loop)]
    if not is_home and any(has_jump(step.body, _LEAVES) for step in around):  # see `_apart`
        return None
    if has_jump(waiting.body, _LEAVES) and not _ends_with(call.body, pauses[0]):
        return None
    return _with_body(call.body, pauses[0], call, waiting)


def _ends_with(path: Path, pause: Event) -> bool:
    """Whether a generator does nothing more once it has yielded, but for its next round."""
    last = path[-1] if path else None
    return isinstance(last, Loop) and bool(last.body) and last.body[-1] is pause


def _with_body(path: Path, pause: Event, call: Call, waiting: Loop, in_loop: bool = False) -> Path | None:
    """`path` of a generator, with what happens in the loop that waits for it in the place of the `yield`."""
    index = next(i for i, step in enumerate(path) if _holds(step, pause))
    before, after = _apart(path[:index], call), _apart(path[index + 1 :], call)
    step = path[index]
    middle: Path | None = None
    if step is pause:
        middle = list(waiting.body) if in_loop else None
    elif isinstance(step, Loop):
        inner = _with_body(step.body, pause, call, waiting, in_loop=True)
        is_innermost = not any(isinstance(part, Loop) for part in _around(step.body, pause))
        middle = None if inner is None else [Loop(waiting.node if is_innermost else step.node, inner)]
    elif isinstance(step, Branch):
        arms = [_with_body(a, pause, call, waiting, in_loop) if _has(a, pause) else a for a in step.arms]
        whole = [arm for arm in arms if arm is not None]
        middle = [Branch(step.node, tuple(whole))] if len(whole) == len(arms) else None
    elif isinstance(step, Call) and not has_jump(step.body, frozenset({"return"})):  # `yield from`
        middle = _with_body(step.body, pause, step, waiting, in_loop)
    elif isinstance(step, Finally) and _has(step.body, pause):
        inner = _with_body(step.body, pause, call, waiting, in_loop)
        middle = None if inner is None else [Finally(step.node, inner, step.final)]
    return None if middle is None else [*before, *middle, *after]


def _apart(path: Path, call: Call) -> Path:
    """What happens in the generator alone, as code of its function; not where it leaves the loop there."""
    if not path or has_jump(path, _LEAVES):
        return path
    return [Call(call.node, call.callee, path)]


def _has(path: Path, event: Event) -> bool:
    return any(part is event for part in events(path))


def _holds(step: Step, event: Event) -> bool:
    return _has([step], event)


def _around(path: Path, event: Event) -> list[Step]:
    """The steps below `path` that an event lies in."""
    step = next(step for step in path if _holds(step, event))
    match step:
        case Branch(arms=arms):
            inner = next((arm for arm in arms if _has(arm, event)), [])
        case Loop(body=inner) | Call(body=inner) | Finally(body=inner):
            pass
        case _:
            inner = []
    return [step, *(_around(inner, event) if _has(inner, event) else [])]
