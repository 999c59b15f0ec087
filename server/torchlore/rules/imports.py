"""Adds the imports that a repair needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.text import Edit


def missing(analysis: Analysis, *statements: str) -> tuple[Edit, ...] | None:
    """Adds those of the import statements that are not there yet, below the first imports of the file.

    None where that is not possible: there are none, or they share their line with other code.
    """
    source = analysis.source
    body = source.tree.body
    known = {name for statement in body for name in _imported(statement)}
    new = [statement for statement in statements if statement not in known]
    if not new:
        return ()
    last = _last_of_first(body)
    edit = support.insert_after(analysis, last, source.newline.join(new)) if last is not None else None
    return (edit,) if edit is not None else None


def _imported(statement: ast.stmt) -> Iterator[str]:
    """Each name that a statement imports under its own name, as a statement of its own."""
    match statement:
        case ast.Import(names=names):
            yield from (f"import {part.name}" for part in names if part.asname is None)
        case ast.ImportFrom(module=module, names=names, level=0):
            yield from (f"from {module} import {part.name}" for part in names if part.asname is None)


_IMPORTS = (ast.Import, ast.ImportFrom)


def _last_of_first(body: list[ast.stmt]) -> ast.stmt | None:
    """The last of the first imports that stand together."""
    found: ast.stmt | None = None
    for statement in body:
        if isinstance(statement, _IMPORTS):
            found = statement
        elif found is not None:
            break
    return found
