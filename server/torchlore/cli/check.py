"""`torchlore check`: what is wrong in files and folders."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from torchlore.cli.terminal import fail, warn

if TYPE_CHECKING:
    from torchlore.cli.checking import FileReport, Fixing
    from torchlore.config import Config


class OutputFormat(str, Enum):
    """How findings are printed."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; `-` reads standard input.", show_default="."),
    ] = None,
    output_format: Annotated[OutputFormat, typer.Option(help="How to print findings.")] = OutputFormat.FULL,
    select: Annotated[
        list[str] | None,
        typer.Option(help="Rules to use: codes, prefixes, families, names or ALL; comma-separated."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Rules to leave out; as --select.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Apply safe fixes.")] = False,
    unsafe_fixes: Annotated[
        bool,
        typer.Option("--unsafe-fixes", help="With --fix or --diff: also fixes that may change behaviour."),
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what --fix would change; write nothing.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes; by default one for few files.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Check every file afresh.")] = False,
    stdin_filename: Annotated[
        Path | None, typer.Option(help="The name of the text on standard input.")
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="End with 0 even where there are findings.")
    ] = False,
    exit_non_zero_on_fix: Annotated[
        bool, typer.Option("--exit-non-zero-on-fix", help="End with 1 where anything was fixed.")
    ] = False,
) -> None:
    """Report mistakes in PyTorch code. Ends with 0: none; 1: some, or an unreadable file; 2: cannot run."""
    from torchlore.cli.checking import Fixing
    from torchlore.config import ConfigError
    from torchlore.rules.selection import SelectionError, check_selector, split_selectors

    fixing = Fixing.NONE
    if fix or diff:
        fixing = Fixing.UNSAFE if unsafe_fixes else Fixing.SAFE
    try:
        selected, ignored = split_selectors(select), split_selectors(ignore)
        for selector in (*selected, *ignored):
            check_selector(selector)
        from_stdin = paths == [Path("-")]
        if from_stdin:
            given = sys.stdin.buffer.read()
            reports = [_check_stdin(given, stdin_filename or Path("-"), selected, ignored, fixing)]
        else:
            reports = _check_paths(paths or [Path()], selected, ignored, fixing, jobs, use_cache=not no_cache)
    except (ConfigError, SelectionError) as error:
        fail(str(error))
    if diff:
        raise typer.Exit(_show_diff(reports))
    findings_go_to = sys.stdout
    if from_stdin and fixing is not Fixing.NONE:
        reports = [_pass_on(reports[0], given)]
        findings_go_to = sys.stderr
    else:
        reports = [_written(report) for report in reports]
    _print_problems(reports)
    _print_findings(reports, output_format, findings_go_to)
    bad = any(r.findings or r.problems for r in reports) and not exit_zero
    raise typer.Exit(int(bad or (exit_non_zero_on_fix and any(r.fixed for r in reports))))


def _check_paths(
    paths: list[Path],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fixing: Fixing,
    jobs: int | None,
    *,
    use_cache: bool,
) -> list[FileReport]:
    from torchlore.cli.cache import open_cache
    from torchlore.cli.checking import check_files
    from torchlore.cli.files import config_finder, python_files

    config_of = config_finder(select, ignore)
    work = [(file, config_of(file.absolute().parent)) for file in python_files(paths, config_of)]
    if not work:
        warn("no Python files or notebooks found under the given path(s)")
    return list(
        check_files(work, fixing, jobs, open_cache(_cache_folder(work)) if use_cache and work else None)
    )


def _cache_folder(work: list[tuple[Path, Config]]) -> Path:
    """The folder of the first configuration, so that all runs in a project share a cache; else this one."""
    return next((config.root for _, config in work if config.root is not None), Path.cwd())


def _check_stdin(
    data: bytes, name: Path, select: tuple[str, ...], ignore: tuple[str, ...], fixing: Fixing
) -> FileReport:
    from torchlore.cli.checking import FileReport, check_text
    from torchlore.cli.files import config_finder
    from torchlore.text import decode

    try:
        text = decode(data)
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        return FileReport(name, problems=(f"cannot be decoded: {error}",))
    return check_text(text, name, config_finder(select, ignore)(name.absolute().parent), fixing)


def _show_diff(reports: list[FileReport]) -> int:
    """Prints what fixes would change; 1 where they would change anything or a file could not be read."""
    from torchlore.cli.patches import unified_diff
    from torchlore.cli.views import shown

    _print_problems(reports)
    for report in reports:
        if report.before is not None:
            sys.stdout.write(unified_diff(report.before, report.text, shown(report.path)))
    count = sum(len(report.fixed) for report in reports)
    typer.echo(f"Would fix {_counted(count)}." if count else "No fixes to show.", err=True)
    return int(any(report.fixed or report.problems for report in reports))


def _written(report: FileReport) -> FileReport:
    """Puts a mended text into its file. Where that fails the report says so, and the other files go on."""
    from torchlore.cli.patches import write_text

    if report.before is None:
        return report
    try:
        write_text(report.path, report.before, report.text)
    except (OSError, UnicodeError, SyntaxError, LookupError) as error:
        return _unwritten(report, error)
    return report


def _pass_on(report: FileReport, given: bytes) -> FileReport:
    """Puts a mended text on standard output, byte for byte as it came where there is nothing to mend.

    Whatever is wrong with the text: an editor that sends a file through here puts what comes in its place.
    """
    from torchlore.cli.patches import encode

    data = given
    try:
        if report.before is not None:
            data = encode(report.text, given)
    except UnicodeError as error:
        report = _unwritten(report, error)
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    return report


def _unwritten(report: FileReport, error: Exception) -> FileReport:
    problem = f"the fixes cannot be written: {getattr(error, 'strerror', None) or error}"
    return replace(report, fixed=(), problems=(*report.problems, problem))


def _print_problems(reports: list[FileReport]) -> None:
    from torchlore.cli.views import shown

    for report in reports:
        for problem in report.problems:
            joint = ":" if problem[:1].isdigit() or problem.startswith("cell ") else ": "
            warn(f"{shown(report.path)}{joint}{problem}")


def _print_findings(reports: list[FileReport], output_format: OutputFormat, stream: TextIO) -> None:
    from torchlore.cli import formats

    found = [report for report in reports if report.findings]
    if output_format is OutputFormat.JSON:
        stream.write(formats.to_json(found) + "\n")
    elif output_format is OutputFormat.SARIF:
        stream.write(formats.to_sarif(found) + "\n")
    elif output_format is OutputFormat.GITHUB:
        stream.write(formats.to_github(found))
    elif output_format is OutputFormat.CONCISE:
        stream.write(formats.to_concise(found) + _summary(reports))
    else:
        _print_frames(found, stream)
        stream.write(_summary(reports))


def _print_frames(reports: list[FileReport], stream: TextIO) -> None:
    from torchlore.cli.frames import frames
    from torchlore.cli.terminal import print_lines

    for report in reports:
        print_lines(frames(report), stream)


def _summary(reports: list[FileReport]) -> str:
    left = [finding for report in reports for finding in report.findings]
    mended = sum(len(report.fixed) for report in reports)
    safe = sum(any(fix.safe for fix in finding.fixes) for finding in left)
    unsafe = sum(bool(finding.fixes) for finding in left) - safe
    if not left and not mended:
        return "" if any(report.problems for report in reports) else "All checks passed.\n"
    lines = [
        f"Found {_counted(mended + len(left))}" + (f" ({mended} fixed, {len(left)} left)." if mended else ".")
    ]
    if safe:
        lines.append(f"[*] {safe} can be fixed with `--fix`.")
    if unsafe:
        lines.append(f"{unsafe}{' more' if safe else ''} can be fixed with `--fix --unsafe-fixes`.")
    return "\n".join(lines) + "\n"


def _counted(count: int) -> str:
    return f"{count} mistake{'' if count == 1 else 's'}"
