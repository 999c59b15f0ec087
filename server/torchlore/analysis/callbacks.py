"""Functions of the file in the hands of code that we cannot see: it may call them at any later time."""

from __future__ import annotations

import ast

from torchlore.analysis.events import Kind
from torchlore.analysis.queries import can_be_called
from torchlore.analysis.run import Run
from torchlore.analysis.values import Arguments, BoundMethod, Unknown, Value


def entrust(run: Run, callee: Value | str, arguments: Arguments, result: Value, node: ast.expr) -> None:
    """Something that we cannot see was called: with functions of the file, or while it had some already.

    Args:
        run: the interpretation.
        callee: what was called: an unknown object (or one whose method it was), or a dotted name.
        arguments: what it was given. It has escaped already, and may have been called at once.
        result: what it gave.
        node: the call.
    """
    given = any(map(can_be_called, arguments.all()))
    if not given and not run.entrusted:
        return
    holders = _holders(callee)
    known = not run.entrusted.isdisjoint(holders)
    if known and isinstance(callee, str):  # objects have escaped, and were seen to hold a function
        run.emit(Kind.HAVOC, node)
    if given or known:
        run.entrusted.update(holders, [result] if isinstance(result, Unknown) else [])


def _holders(callee: Value | str) -> list[Value | str]:
    """What may keep a function that `callee` is given: an object, and the package that it comes from."""
    if isinstance(callee, str):
        return [callee.partition(".")[0]]
    while isinstance(callee, BoundMethod):  # `engine.hooks.append(update)`
        callee = callee.receiver
    made_by = callee.made_by if isinstance(callee, Unknown) else ""
    return [callee, made_by.partition(".")[0]] if made_by else [callee]
