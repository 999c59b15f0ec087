"""Checking files: one, or many over several processes."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from itertools import count
from pathlib import Path

from torchlore.analysis import analyze
from torchlore.analysis.store import default_store
from torchlore.analysis.workspace import Dependencies, Workspace
from torchlore.cli.cache import Cache
from torchlore.cli.terminal import set_up_logging
from torchlore.config import Config, check_source
from torchlore.fixing import Fixed, fix_text
from torchlore.rules.model import Finding, Severity
from torchlore.rules.triggers import follow_imports, triggered
from torchlore.text import Notebook, NotebookError, Source, decode, source_of
from torchlore.text.ipynb import rewritten
from torchlore.text.parse import parse

MANY_FILES = 64
"""From here on several processes pay for their start."""

_CHUNK = 16
"""Files handed to a process at a time: few enough that no process waits long for another at the end."""


_KEPT = 50_000_000
"""Characters of imported files kept: all of most projects, so that no statement is parsed twice."""


class Fixing(Enum):
    """Which fixes to apply."""

    NONE = "none"
    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What came of one file.

    Attributes:
        path: of the file.
        findings: what is wrong in `text`, by place.
        problems: why the file, or a part of it, could not be checked; one sentence each.
        text: what the file holds after fixes; "" where there was nothing to say. The findings are places in
            `source_of(text)`, which for a notebook is the code of its cells.
        before: the text as it was, where fixes changed it.
        fixed: the findings that are gone.
        dependencies: the other files that the findings rest on; None where they are not known.
    """

    path: Path
    findings: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()
    text: str = ""
    before: str | None = None
    fixed: tuple[Finding, ...] = ()
    dependencies: Dependencies | None = None


def check_files(
    files: Iterable[tuple[Path, Config]],
    fixing: Fixing,
    jobs: int | None,
    cache: Cache | None,
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[FileReport]:
    """Reports on files in the order given; those without anything to say are left out.

    Args:
        files: each with its configuration.
        fixing: which fixes to apply (to the reports' texts; nothing is written).
        jobs: processes; None: one for few files, one per core for many.
        cache: what earlier runs found; None: check everything.
        advance: told how many more files are done.
    """
    work = list(files)
    _workspace.cache_clear()  # files may have changed since the last time that this process was asked
    chunks = [work[i : i + _CHUNK] for i in range(0, len(work), _CHUNK)]
    processes = min(jobs or (_cores() if len(work) >= MANY_FILES else 1), max(1, len(chunks)))
    if processes == 1:
        for chunk in chunks:
            yield from _check_chunk(chunk, fixing, cache)
            advance(len(chunk))
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(processes, initializer=set_up_logging) as pool:
        futures = [pool.submit(_check_chunk, chunk, fixing, cache) for chunk in chunks]
        for chunk, future in zip(chunks, futures, strict=True):
            yield from future.result()
            advance(len(chunk))


def check_text(text: str, path: Path, config: Config, fixing: Fixing) -> FileReport:
    """Reports on a text; `path` names it and decides the per-file ignores."""
    _workspace.cache_clear()
    return _check_text(text, path, config, fixing)


def _check_text(text: str, path: Path, config: Config, fixing: Fixing) -> FileReport:
    if "torch" not in text:
        return FileReport(path, text=text)
    try:
        source = source_of(text, str(path))
    except NotebookError as error:
        return FileReport(path, problems=(str(error),))
    problems = tuple(_syntax_problems(source))
    if fixing is not Fixing.NONE:
        unsafe = fixing is Fixing.UNSAFE
        fixed = fix_text(source, config, unsafe=unsafe, workspace=_workspace())
        return _mended(text, path, source, problems, fixed)
    rules = config.rules_for(path, Severity.WARNING)
    follow = follow_imports(triggered(rules, source), source)
    analysis = analyze(source, workspace=_workspace(), follow=follow)
    findings = check_source(analysis, config, Severity.WARNING)
    dependencies = analysis.dependencies
    analysis.forget()
    return FileReport(path, tuple(findings), problems, text, dependencies=dependencies)


@cache
def _workspace() -> Workspace:
    """What files import from: one for all of this process, so that each file is read once."""
    return Workspace(store=default_store(), kept=_KEPT, is_still=True)


def _mended(text: str, path: Path, source: Source, problems: tuple[str, ...], result: Fixed) -> FileReport:
    problems += result.problems
    if not result.fixed:
        return FileReport(path, result.findings, problems, text)
    after = result.source.text
    if isinstance(source, Notebook) and isinstance(result.source, Notebook):
        after = rewritten(text, source, result.source)
    return FileReport(path, result.findings, problems, after, text, result.fixed)


def _check_chunk(chunk: list[tuple[Path, Config]], fixing: Fixing, cache: Cache | None) -> list[FileReport]:
    reports = (_check_file(path, config, fixing, cache) for path, config in chunk)
    gc.disable()
    try:
        worth_telling = [report for report in reports if report.findings or report.problems or report.fixed]
    finally:
        gc.enable()
    tidy()
    return [replace(report, dependencies=None) for report in worth_telling]  # these do not leave the process


def tidy() -> None:
    """Keeps the collector off what is there after a chunk, and has it look at everything now and then.

    What is there are modules, imported files, and the few circles that `Analysis.forget` does not cut: some
    kilobytes a file. Walking all of it after each chunk would take a third of the time of parsing.
    """
    if next(_CHUNKS) % _COLLECTED_AFTER == 0:
        gc.unfreeze()
        gc.collect()
    gc.freeze()


_CHUNKS = count(1)

_COLLECTED_AFTER = 256
"""Chunks, some thousand files."""


def _check_file(path: Path, config: Config, fixing: Fixing, known: Cache | None) -> FileReport:
    try:
        data = path.read_bytes()
    except OSError as error:
        return FileReport(path, problems=(f"cannot be read: {error.strerror or error}",))
    if b"torch" not in data:
        return FileReport(path)
    kept = known if fixing is Fixing.NONE else None
    key = kept.key(data, config, path) if kept is not None else ""
    findings = kept.load(key) if kept is not None else None
    if findings == ():
        return FileReport(path)
    try:
        text = decode(data)
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        return FileReport(path, problems=(f"cannot be decoded: {error}",))
    if findings is not None:
        return FileReport(path, findings, text=text)
    report = _check_text(text, path, config, fixing)
    if kept is not None and not report.problems and report.dependencies is not None:
        kept.store(key, report.findings, report.dependencies)
    return report


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


def _cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
