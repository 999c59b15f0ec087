"""TL901: a name that torch no longer has, or that only raises."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.api import _telling, _words
from torchlore.rules.api._rewriting import fixes
from torchlore.rules.api._table import Change, changes
from torchlore.rules.api._uses import Use, may_be_told, uses
from torchlore.rules.api._versions import is_gone, written
from torchlore.rules.model import Family, Finding, Rule, Severity
from torchlore.text import Source, Span


class RemovedName(Rule):
    """
    ## What it does

    Looks for functions, classes, methods and modules that torch has removed, or kept only to raise an error:
    called, named, imported, and as methods of tensors (`x.symeig()`).

    ## Why is this bad?

    The line raises: `AttributeError`, `ImportError`, or a `RuntimeError` that says what to use instead. It is
    found when it runs, which may be at the end of a long training.

    ## Example

    ```py
    import torch

    covariance = torch.eye(3)
    values, vectors = torch.symeig(covariance, eigenvectors=True)
    ```

    ## Use instead

    ```py
    import torch

    covariance = torch.eye(3)
    values, vectors = torch.linalg.eigh(covariance, UPLO="U")
    ```

    ## Fix safety

    Safe: the line raises as it is. Only calls whose new form gives the same are rewritten; for the others the
    message says what takes their place.

    ## Known limits

    Speaks for the versions that the project declares (`pyproject.toml`, requirements, `setup.py`,
    `environment.yml`), the newest of them; without a declaration, for torch 2.13.
    Silent in code that asks which torch there is: behind a look at a version or `hasattr`, or in a `try` that
    catches the error.

    ## References

    - [torch.linalg.eigh](https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigh.html)
    - [Linear algebra](https://docs.pytorch.org/docs/stable/linalg.html)
    """

    code = "TL901"
    name = "removed-name"
    family = Family.API
    severity = Severity.ERROR
    since = "0.1.0"
    card = "linear-algebra"
    trigger = _words.trigger()
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _words.concerns(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        imported = list(_imports_of_removed(analysis))
        for span, text, change in imported:
            message = f"`{text}` cannot be imported: it {_gone(change)}{_telling.instead(change)}"
            yield self.finding(message, span)
        names = {change.name for _, _, change in imported}
        for use in uses(analysis):
            if is_gone(analysis, use.change) and use.change.name not in names and _runs(use):
                message = (
                    f"`{_telling.shown(analysis, use)}` {_gone(use.change)}{_telling.instead(use.change)}"
                )
                yield self.finding(message, _telling.underlined(analysis, use), fixes=fixes(analysis, use))


def _runs(use: Use) -> bool:
    """Whether naming it fails; of what is kept only to raise, the call does."""
    return use.call is not None or use.change.run != "raises"


def _gone(change: Change) -> str:
    if change.removed is None:
        return "was removed and only raises an error"
    if change.run != "quiet":
        return f"raises an error since torch {written(change.removed)}"
    return f"was removed in torch {written(change.removed)}"


def _imports_of_removed(analysis: Analysis) -> Iterator[tuple[Span, str, Change]]:
    """What import statements look for in vain: where, its name, what became of it."""
    source = analysis.source
    statements: list[ast.Import | ast.ImportFrom] = [*source.every(ast.ImportFrom), *source.every(ast.Import)]
    for statement in statements:
        module = getattr(statement, "module", None)
        if getattr(statement, "level", 0):
            continue
        for alias in statement.names:
            name = alias.name if isinstance(statement, ast.Import) else f"{module}.{alias.name}"
            change = _missing(analysis, name)
            outer = None if change is None else analysis.around(statement)
            if change is None or outer is None or not may_be_told(analysis, statement, outer):
                continue
            start = source.span(alias).start
            span = Span(start, start + len(alias.name))
            if module is not None and f"{module}.".startswith(f"{change.name}."):
                start = source.span(statement).start
                start += source.segment(source.span(statement)).index(module, len("from "))
                yield Span(start, start + len(change.name)), change.name, change
                break
            yield span, change.name, change


def _missing(analysis: Analysis, name: str) -> Change | None:
    """What became of a name, or of what holds it, that an import looks for in vain."""
    while "." in name:
        change = changes().get(name)
        if change is not None and change.removed is not None and change.run == "quiet":
            return change if is_gone(analysis, change) else None
        name = name.rpartition(".")[0]
    return None
