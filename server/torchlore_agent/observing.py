"""What is seen of a snippet besides what it prints: the value of its last expression, warnings, pictures."""

from __future__ import annotations
import __future__

import ast
import contextlib
import io
import math
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from torchlore_agent import values

Report = Callable[[dict[str, Any]], None]

MOST = 20
"""Warnings, and pictures, that are told of one run."""

MOST_LINES = 100
MOST_NAMES = 4
"""Lines whose values are told of one run, and names of one line."""

MOST_CURVES = 4
MOST_POINTS = 500
"""Lists of numbers that are told of one run, and numbers of one list."""

_LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class Step:
    """A part of a snippet, compiled.

    Attributes:
        gives: whether it is an expression.
        line: its last, from 1, where it is told what is there after it; None elsewhere.
        names: what it binds, to be told.
    """

    code: types.CodeType
    gives: bool
    line: int | None = None
    names: tuple[str, ...] = ()


def steps(text: str, name: str, told: Sequence[int] | None = None) -> list[Step]:
    """The snippet in parts: all of it but a last expression, then that.

    Args:
        text: the snippet. What stands in `if True:` stands for itself: an excerpt of a file has kept its
            indentation with it.
        name: what tracebacks call it.
        told: the first and the last line, from 1, whose statements are parts of their own.

    Raises:
        SyntaxError: as `compile`.
        ValueError: the text holds a null character.
    """
    tree = ast.parse(text, name)
    body = list(_opened(tree.body))
    flags = 0
    for one in body:
        if isinstance(one, ast.ImportFrom) and one.module == "__future__":
            flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in one.names)
    first, last = told or (math.inf, math.inf)
    alone = [one for one in body if first <= one.lineno and (one.end_lineno or one.lineno) <= last]
    if body and body[-1] not in alone and (len(body) > 1 or _says_something(body)):
        alone += [body[-1]] if isinstance(body[-1], ast.Expr) else []
    found: list[Step] = []
    together: list[ast.stmt] = []
    for one in body:
        if one not in alone:
            together.append(one)
            continue
        found += _compiled(together, name, flags)
        together = []
        found.append(_compiled_alone(one, name, flags, told is not None))
    return [*found, *_compiled(together, name, flags)]


def _opened(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for one in body:
        if isinstance(one, ast.If) and not one.orelse and _is_true(one.test):
            yield from _opened(one.body)
        else:
            yield one


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and test.value is True


def _compiled(body: list[ast.stmt], name: str, flags: int) -> list[Step]:
    if not body:
        return []
    code = compile(ast.Module(body, []), name, "exec", flags=flags, dont_inherit=True)
    return [Step(code, gives=False)]


def _compiled_alone(one: ast.stmt, name: str, flags: int, told: bool) -> Step:
    line = one.end_lineno if told else None
    if isinstance(one, ast.Expr):
        code = compile(ast.Expression(one.value), name, "eval", flags=flags, dont_inherit=True)
        return Step(code, gives=True, line=line)
    code = compile(ast.Module([one], []), name, "exec", flags=flags, dont_inherit=True)
    return Step(code, gives=False, line=line, names=tuple(dict.fromkeys(_bound(one)))[:MOST_NAMES])


def _bound(one: ast.AST) -> Iterator[str]:
    """The variables that a statement binds, the blocks in it included; functions and classes are none."""
    if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.comprehension)):
        return
    if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
        yield one.id
    for part in ast.iter_child_nodes(one):
        yield from _bound(part)


def report_warnings(name: str, report: Report) -> None:
    """Has each warning reported that will be shown from now on, and shown all the same."""
    show = warnings.showwarning
    count = 0

    def shown(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        nonlocal count
        count += 1
        if count <= MOST:
            found = {"category": category.__name__, "message": str(message)[:_LONGEST_MESSAGE]}
            with contextlib.suppress(Exception):
                report({"type": "warning", **found, "line": lineno if filename == name else None})
        show(message, category, filename, lineno, file, line)

    warnings.showwarning = shown


def report_value(value: Any, folder: str, report: Report) -> None:
    """Reports the value of the last expression, and a picture of it where it looks like one."""
    if value is None:
        return
    report({"type": "value", "value": values.told(value)})
    drawn = values.picture(value)
    if drawn is not None:
        _keep(drawn, "value.png", folder, report)


def report_line(step: Step, value: Any, names: dict[str, Any], report: Report) -> None:
    """Reports what a line gave, or what the names are that it has bound."""
    told = [(name, names[name]) for name in step.names if name in names]
    if step.gives and value is not None:
        told = [("", value)]
    for name, one in told:
        report({"type": "line", "line": step.line, "name": name, "value": values.told(one)})


def report_curves(value: Any, names: dict[str, Any], report: Report) -> None:
    """Reports the lists of numbers that the snippet leaves: the course of a loss, say."""
    held = [("", value), *((name, one) for name, one in names.items() if one is not value)]
    count = 0
    for name, one in held:
        numbers = values.course(one)
        if numbers is None or name.startswith("_"):
            continue
        count += 1
        if count > MOST_CURVES:
            return
        step = -(-len(numbers) // MOST_POINTS)
        points = [float(number) for number in numbers[::step]]
        told = [number if math.isfinite(number) else None for number in points]
        report({"type": "curve", "name": name, "values": told, "count": len(numbers)})


def report_figures(folder: str, report: Report) -> None:
    """Saves the figures of matplotlib that are open, where the snippet used it."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    with contextlib.suppress(Exception):
        for number in pyplot.get_fignums()[:MOST]:
            drawn = io.BytesIO()
            pyplot.figure(number).savefig(drawn, format="png")
            _keep(drawn.getvalue(), f"figure-{number}.png", folder, report)


def _says_something(body: list[ast.stmt]) -> bool:
    """A single string is a docstring, not an answer."""
    return bool(body) and not (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )


def _keep(data: bytes, name: str, folder: str, report: Report) -> None:
    with contextlib.suppress(OSError), open(os.path.join(folder, name), "xb") as file:
        file.write(data)
        report({"type": "picture", "file": name})
