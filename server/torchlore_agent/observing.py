"""What is seen of a snippet besides what it prints: the value of its last expression, warnings, pictures."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any, TextIO

from torchlore_agent import values

Report = Callable[[dict[str, Any]], None]

MOST = 20
"""Warnings, and pictures, that are told of one run."""

_LONGEST_MESSAGE = 2000


def halves(text: str, name: str) -> tuple[types.CodeType, types.CodeType | None]:
    """The snippet compiled: all of it but a last expression, and that; None where it ends with none.

    Raises:
        SyntaxError: as `compile`.
        ValueError: the text holds a null character.
    """
    tree = ast.parse(text, name)
    last = tree.body[-1] if len(tree.body) > 1 or _says_something(tree.body) else None
    if not isinstance(last, ast.Expr):
        return compile(tree, name, "exec", dont_inherit=True), None
    tree.body.pop()
    body = compile(tree, name, "exec", dont_inherit=True)
    return body, compile(ast.Expression(last.value), name, "eval", dont_inherit=True)


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
