"""Checking one text: what `check` does where no earlier run has the answer.

In a module of its own, since a run in which nothing has changed needs no analysis, and importing that takes a
third of its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from torchlore.analysis import analyze
from torchlore.analysis.store import default_store
from torchlore.analysis.workspace import Workspace
from torchlore.cli.checking import FileReport, Fixing
from torchlore.config import Config, check_source
from torchlore.fixing import Fixed, fix_text
from torchlore.rules.model import Severity
from torchlore.rules.triggers import follow_imports, triggered
from torchlore.text import Notebook, NotebookError, Source, source_of
from torchlore.text.ipynb import rewritten
from torchlore.text.parse import parse

_KEPT = 50_000_000
"""Characters of imported files kept: all of most projects, so that no statement is parsed twice."""


def report_on(text: str, path: Path, config: Config, fixing: Fixing, run: int) -> FileReport:
    """Reports on a text.

    Args:
        text: what to check.
        path: names it, and decides the per-file ignores.
        config: of the file.
        fixing: which fixes to apply.
        run: the number of the run of `check`: files may have changed since the one before.
    """
    if "torch" not in text:
        return FileReport(path, text=text)
    try:
        source = source_of(text, str(path))
    except NotebookError as error:
        return FileReport(path, problems=(str(error),))
    problems = tuple(_syntax_problems(source))
    if fixing is not Fixing.NONE:
        unsafe = fixing is Fixing.UNSAFE
        fixed = fix_text(source, config, unsafe=unsafe, workspace=_workspace(run))
        return _mended(text, path, source, problems, fixed)
    rules = config.rules_for(path, Severity.WARNING)
    follow = follow_imports(triggered(rules, source), source)
    analysis = analyze(source, workspace=_workspace(run), follow=follow)
    findings = check_source(analysis, config, Severity.WARNING)
    dependencies = analysis.dependencies
    analysis.forget()
    return FileReport(path, tuple(findings), problems, text, dependencies=dependencies)


@lru_cache(maxsize=1)
def _workspace(run: int) -> Workspace:
    """What files import from: one for all of a run in this process, so that each file is read once."""
    return Workspace(store=default_store(), kept=_KEPT, is_still=True)


def _mended(text: str, path: Path, source: Source, problems: tuple[str, ...], result: Fixed) -> FileReport:
    problems += result.problems
    if not result.fixed:
        return FileReport(path, result.findings, problems, text)
    after = result.source.text
    if isinstance(source, Notebook) and isinstance(result.source, Notebook):
        after = rewritten(text, source, result.source)
    return FileReport(path, result.findings, problems, after, text, result.fixed)


def _syntax_problems(source: Source) -> Iterator[str]:
    """Why lines were left out, where Python cannot parse them."""
    if not source.parsed.blanked:
        return
    if not isinstance(source, Notebook):
        yield from _syntax_problem(source)
        return
    for cell in source.cells:
        yield from (f"cell {cell.number}:{problem}" for problem in _syntax_problem(Source(source.code(cell))))


def _syntax_problem(source: Source) -> Iterator[str]:
    blanked = source.parsed.blanked
    left_out = f"{len(blanked)} line{'s' if len(blanked) > 1 else ''} left out"
    try:
        parse(source.text)
    except SyntaxError as error:
        yield f"{error.lineno or 1}:{error.offset or 1}: syntax error: {error.msg} ({left_out})"
    except (ValueError, RecursionError, MemoryError) as error:
        yield f"cannot be parsed: {error} ({left_out})"
