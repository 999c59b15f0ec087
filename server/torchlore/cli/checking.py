"""Checking files: one, or many over several processes."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from torchlore.cli.terminal import set_up_logging
from torchlore.text import decode

if TYPE_CHECKING:
    from torchlore.analysis.workspace import Dependencies
    from torchlore.cli.cache import Cache
    from torchlore.config import Config
    from torchlore.rules.model import Finding

MANY_FILES = 64
"""From here on several processes pay for their start."""

_CHUNK = 16
"""Files handed to a process at a time: few enough that no process waits long for another at the end."""


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
    work, run = list(files), next(_RUNS)
    chunks = [work[i : i + _CHUNK] for i in range(0, len(work), _CHUNK)]
    processes = min(jobs or (_cores() if len(work) >= MANY_FILES else 1), max(1, len(chunks)))
    if processes == 1:
        for chunk in chunks:
            yield from _check_chunk(chunk, fixing, cache, run)
            advance(len(chunk))
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(processes, initializer=set_up_logging) as pool:
        futures = [pool.submit(_check_chunk, chunk, fixing, cache, run) for chunk in chunks]
        for chunk, future in zip(chunks, futures, strict=True):
            yield from future.result()
            advance(len(chunk))


def check_text(text: str, path: Path, config: Config, fixing: Fixing) -> FileReport:
    """Reports on a text; `path` names it and decides the per-file ignores."""
    return _report_on(text, path, config, fixing, next(_RUNS))


def _report_on(text: str, path: Path, config: Config, fixing: Fixing, run: int) -> FileReport:
    from torchlore.cli.analysing import report_on  # Where nothing has changed there is nothing to analyse.

    return report_on(text, path, config, fixing, run)


_RUNS = count(1)
"""Each run has a number: what files hold is asked once in each."""


def _check_chunk(
    chunk: list[tuple[Path, Config]], fixing: Fixing, cache: Cache | None, run: int
) -> list[FileReport]:
    reports = (_check_file(path, config, fixing, cache, run) for path, config in chunk)
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


def _check_file(path: Path, config: Config, fixing: Fixing, known: Cache | None, run: int) -> FileReport:
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
    report = _report_on(text, path, config, fixing, run)
    if kept is not None and not report.problems and report.dependencies is not None:
        kept.store(key, report.findings, report.dependencies)
    return report


def _cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
