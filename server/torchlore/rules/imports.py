"""Adds the imports that a repair needs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.text import Edit


def missing(analysis: Analysis, *statements: str) -> tuple[Edit, ...] | None:
    """Adds those of the import statements that are not there yet, in isort's order, to the first of the file.

    None where that is not possible: there are none, or they share their line with other code.
    """
    body = analysis.source.tree.body
    known = {name for statement in body for name in _imported(statement)}
    edits = [_added(analysis, new, _first_imports(body)) for new in statements if new not in known]
    found = tuple(edit for edit in edits if edit is not None)
    return found if len(found) == len(edits) else None


def _added(analysis: Analysis, new: str, there: list[_Import]) -> Edit | None:
    """Puts an import into its section; where it is the first of one, a blank line keeps that apart."""
    place = _place(ast.parse(new).body[0])
    section = [statement for statement in there if _place(statement)[0] == place[0]]
    apart = () if section else ("",)
    later = next((statement for statement in section or there if _place(statement) > place), None)
    if later is not None:
        return support.insert_before(analysis, later, new, *apart)
    return support.insert_after(analysis, (section or there)[-1], *apart, new) if there else None


def _place(statement: ast.stmt) -> tuple[int, bool, str]:
    """What isort sorts by: the section, then `import` before `from`, then the name of the module."""
    if isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
    else:
        module = statement.names[0].name if isinstance(statement, ast.Import) else ""
    package = module.partition(".")[0]
    section = 1 if package in sys.stdlib_module_names else 2 if package else 3
    return section if package != "__future__" else 0, isinstance(statement, ast.ImportFrom), module


def _imported(statement: ast.stmt) -> Iterator[str]:
    """Each name that a statement imports under its own name, as a statement of its own."""
    match statement:
        case ast.Import(names=names):
            yield from (f"import {part.name}" for part in names if part.asname is None)
        case ast.ImportFrom(module=module, names=names, level=0):
            yield from (f"from {module} import {part.name}" for part in names if part.asname is None)


_Import = ast.Import | ast.ImportFrom


def _first_imports(body: list[ast.stmt]) -> list[_Import]:
    """The first imports of a file that stand together."""
    found: list[_Import] = []
    for statement in body:
        if isinstance(statement, _Import):
            found.append(statement)
        elif found:
            break
    return found
