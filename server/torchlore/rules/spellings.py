"""How a module is written in a file, and the import that a fix has to add."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.values import Ref
from torchlore.text import Edit, Span
from torchlore.text.nodes import first_line


def spelled(analysis: Analysis, module: str) -> tuple[str, tuple[Edit, ...]]:
    """The name under which a file knows `module` ("torch"), and the edits that import it if it does not."""
    for name, value in analysis.run.home.names.items():
        if isinstance(value, Ref) and value.name == module and name.isidentifier():
            return name, ()
    return module, (_imported(analysis, module),)


def _imported(analysis: Analysis, module: str) -> Edit:
    """Puts `import module` above the first statement that is neither a docstring nor of `__future__`."""
    source = analysis.source
    body = source.tree.body
    first = next((statement for statement in body if not _comes_first(statement)), None)
    at = source.lines.start(first_line(first)) if first is not None else len(source.text)
    return Edit(Span(at, at), f"import {module}{source.newline}")


def _comes_first(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def functional(analysis: Analysis) -> tuple[str, tuple[Edit, ...]]:
    """How `torch.nn.functional` is written: by the name that it has, or by way of torch."""
    name, edits = spelled(analysis, "torch.nn.functional")
    if not edits:
        return name, ()
    torch, edits = spelled(analysis, "torch")
    return f"{torch}.nn.functional", edits


def torch_name(analysis: Analysis) -> str | None:
    """What the file calls torch."""
    frame = analysis.run.frames[analysis.run.module]
    names = (name for name, value in frame.names.items() if isinstance(value, Ref) and value.name == "torch")
    return next(names, None)
