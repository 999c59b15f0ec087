"""`torchlore check`: what is wrong in files and folders."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore.cli.terminal import fail, warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchlore.cli.checking import FileReport, Fixing
    from torchlore.config import Config


_RULES, _FILES, _FIXING, _REPORT = "Which rules", "Which files", "Fixing", "What is reported"
"""The panels of `--help`."""


class OutputFormat(str, Enum):
    """How findings are printed."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    JSON_LINES = "json-lines"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"
    JUNIT = "junit"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for.

    Attributes:
        paths: files and folders; a single `-` is standard input.
        adapted: a configuration under the options about rules and files.
        force_exclude: whether files that are named may be left out.
        name: of the text on standard input.
        fixing: which fixes to apply.
        jobs: processes; None: as many as pay.
        use_cache: whether what earlier runs found may be taken.
        baseline: the file of the findings that are known; None where there is none.
        output_format: how findings are printed.
        statistics: whether they are only counted.
        diff: whether fixes are only shown.
    """

    paths: list[Path]
    adapted: Callable[[Config], Config]
    force_exclude: bool
    name: Path
    fixing: Fixing
    jobs: int | None
    use_cache: bool
    baseline: Path | None
    output_format: OutputFormat
    statistics: bool
    diff: bool

    @property
    def from_stdin(self) -> bool:
        return self.paths == [Path("-")]


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; `-` reads standard input.", show_default="."),
    ] = None,
    output_format: Annotated[
        OutputFormat, typer.Option(help="How to print findings.", rich_help_panel=_REPORT)
    ] = OutputFormat.FULL,
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="Rules to use: codes, prefixes, families, names or ALL; comma-separated.",
            rich_help_panel=_RULES,
        ),
    ] = None,
    extend_select: Annotated[
        list[str] | None,
        typer.Option(
            help="Rules to use as well, whatever their severity; as --select.", rich_help_panel=_RULES
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Rules to leave out; as --select.", rich_help_panel=_RULES)
    ] = None,
    per_file_ignores: Annotated[
        list[str] | None,
        typer.Option(
            help="Rules to leave out in some files: PATTERN:RULE, comma-separated.", rich_help_panel=_RULES
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            help="Files and folders to leave out: patterns, comma-separated.", rich_help_panel=_FILES
        ),
    ] = None,
    no_respect_gitignore: Annotated[
        bool,
        typer.Option(
            "--no-respect-gitignore", help="Also check files that git ignores.", rich_help_panel=_FILES
        ),
    ] = False,
    force_exclude: Annotated[
        bool,
        typer.Option(
            "--force-exclude",
            help="Leave excluded files out even where they are named.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Apply safe fixes.", rich_help_panel=_FIXING)] = False,
    unsafe_fixes: Annotated[
        bool,
        typer.Option(
            "--unsafe-fixes",
            help="With --fix or --diff: also fixes that may change behaviour.",
            rich_help_panel=_FIXING,
        ),
    ] = False,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Show what --fix would change; write nothing.", rich_help_panel=_FIXING),
    ] = False,
    add_noqa: Annotated[
        bool,
        typer.Option(
            "--add-noqa",
            help="Switch every finding off by a `# torchlore: ignore[...]` comment.",
            rich_help_panel=_FIXING,
        ),
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(help="Report only what is not in this file of known findings.", rich_help_panel=_REPORT),
    ] = None,
    update_baseline: Annotated[
        bool,
        typer.Option(
            "--update-baseline",
            help="Write what is found now into the file of --baseline.",
            rich_help_panel=_REPORT,
        ),
    ] = False,
    statistics: Annotated[
        bool,
        typer.Option("--statistics", help="Print how many findings each rule has.", rich_help_panel=_REPORT),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Check again whenever a file changes, until Ctrl-C.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="Print the documentation of a rule, and check nothing.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes; by default one for few files.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Check every file afresh.")] = False,
    stdin_filename: Annotated[
        Path | None, typer.Option(help="The name of the text on standard input.", rich_help_panel=_FILES)
    ] = None,
    exit_zero: Annotated[
        bool,
        typer.Option(
            "--exit-zero", help="End with 0 even where there are findings.", rich_help_panel=_REPORT
        ),
    ] = False,
    exit_non_zero_on_fix: Annotated[
        bool,
        typer.Option(
            "--exit-non-zero-on-fix", help="End with 1 where anything was fixed.", rich_help_panel=_REPORT
        ),
    ] = False,
) -> None:
    """Report mistakes in PyTorch code. Ends with 0: none; 1: some, or an unreadable file; 2: cannot run."""
    from torchlore.cli.checking import Fixing
    from torchlore.cli.overriding import overriding
    from torchlore.config import ConfigError
    from torchlore.rules.selection import SelectionError

    if explain is not None:
        _explain(explain)
        return
    fixing = Fixing.NONE
    if fix or diff:
        fixing = Fixing.UNSAFE if unsafe_fixes else Fixing.SAFE
    _refuse_what_does_not_go_together(paths, baseline, fixing, add_noqa, update_baseline, watch)
    try:
        adapted = overriding(select, extend_select, ignore, per_file_ignores, exclude, no_respect_gitignore)
        asked = _Asked(
            paths or [Path()],
            adapted,
            force_exclude,
            stdin_filename or Path("-"),
            fixing,
            jobs,
            not no_cache,
            None if update_baseline else baseline,
            output_format,
            statistics,
            diff,
        )
        if watch:
            _watch(asked)
        elif add_noqa:
            raise typer.Exit(_add_comments(asked))
        elif update_baseline and baseline is not None:
            raise typer.Exit(_write_baseline(asked, baseline))
        else:
            reports = _run(asked)
            if diff:
                raise typer.Exit(int(any(report.fixed or report.problems for report in reports)))
            bad = any(r.findings or r.problems for r in reports) and not exit_zero
            raise typer.Exit(int(bad or (exit_non_zero_on_fix and any(r.fixed for r in reports))))
    except (ConfigError, SelectionError) as error:
        fail(str(error))


def _refuse_what_does_not_go_together(
    paths: list[Path] | None,
    baseline: Path | None,
    fixing: Fixing,
    add_noqa: bool,
    update_baseline: bool,
    watch: bool,
) -> None:
    if update_baseline and baseline is None:
        fail("`--update-baseline` needs `--baseline FILE`: which file to write")
    writing = [
        name
        for name, is_asked in (
            ("--fix or --diff", fixing.value != "none"),
            ("--add-noqa", add_noqa),
            ("--update-baseline", update_baseline),
            ("--watch", watch),
        )
        if is_asked
    ]
    if len(writing) > 1:
        fail(f"{writing[0]} and {writing[1]} do not go together")
    if paths == [Path("-")] and (watch or add_noqa):
        fail(f"{writing[0]} needs files; standard input is none")


def _explain(name: str) -> None:
    from torchlore.cli.explain import TextFormat, explain

    explain(name, TextFormat.TEXT)


def _run(asked: _Asked) -> list[FileReport]:
    """Checks, writes what was mended, and prints; gives the reports with what is left."""
    from torchlore.cli.checking import Fixing
    from torchlore.cli.printing import print_diffs, print_findings, print_problems

    given = sys.stdin.buffer.read() if asked.from_stdin else b""
    reports = [_check_stdin(given, asked)] if asked.from_stdin else _check_paths(asked)
    if asked.baseline is not None:
        from torchlore.cli.baseline import read_baseline

        reports = read_baseline(asked.baseline).new(reports)
    if asked.diff:
        print_problems(reports)
        print_diffs(reports)
        return reports
    findings_go_to = sys.stdout
    if asked.from_stdin and asked.fixing is not Fixing.NONE:
        reports = [_pass_on(reports[0], given)]
        findings_go_to = sys.stderr
    else:
        reports = [_written(report) for report in reports]
    print_problems(reports)
    print_findings(reports, asked.output_format.value, findings_go_to, statistics=asked.statistics)
    return reports


def _watch(asked: _Asked) -> None:
    from torchlore.cli.watching import rounds
    from torchlore.files import config_finder, python_files

    with suppress(KeyboardInterrupt):
        for _ in rounds(lambda: python_files(asked.paths, config_finder(asked.adapted))):
            _run(asked)


def _add_comments(asked: _Asked) -> int:
    """Switches every finding off by a comment; 1 where a file could not be read or written."""
    from torchlore.cli.printing import counted, print_problems
    from torchlore.cli.silencing import silenced

    found = _check_paths(asked)
    reports = [_written(silenced(report)) for report in found]
    print_problems(reports)
    count = sum(len(report.fixed) for report in reports)
    typer.echo(f"Switched {counted(count)} off." if count else "Nothing to switch off.")
    return int(any(report.problems for report in reports))


def _write_baseline(asked: _Asked, file: Path) -> int:
    """Writes what is found into a file; 1 where a file could not be read."""
    from torchlore.cli.baseline import write_baseline
    from torchlore.cli.printing import counted, print_problems

    given = sys.stdin.buffer.read() if asked.from_stdin else b""
    reports = [_check_stdin(given, asked)] if asked.from_stdin else _check_paths(asked)
    print_problems(reports)
    write_baseline(file, reports)
    typer.echo(f"Wrote {counted(sum(len(report.findings) for report in reports))} to {file}.")
    return int(any(report.problems for report in reports))


def _check_paths(asked: _Asked) -> list[FileReport]:
    from torchlore.cli.cache import open_cache
    from torchlore.cli.checking import check_files
    from torchlore.cli.progress import progress
    from torchlore.files import config_finder, python_files

    config_of = config_finder(asked.adapted)
    files = python_files(asked.paths, config_of, force_exclude=asked.force_exclude)
    work = [(file, config_of(file.absolute().parent)) for file in files]
    if not work and not asked.force_exclude:
        warn("no Python files or notebooks found under the given path(s)")
    cache = open_cache(_cache_folder(work)) if asked.use_cache and work else None
    with progress(len(work)) as advance:
        return list(check_files(work, asked.fixing, asked.jobs, cache, advance))


def _cache_folder(work: list[tuple[Path, Config]]) -> Path:
    """The folder of the first configuration, so that all runs in a project share a cache; else this one."""
    return next((config.root for _, config in work if config.root is not None), Path.cwd())


def _check_stdin(data: bytes, asked: _Asked) -> FileReport:
    from torchlore.cli.checking import FileReport, check_text
    from torchlore.files import config_finder
    from torchlore.text import decode

    name = asked.name
    try:
        text = decode(data)
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        return FileReport(name, problems=(f"cannot be decoded: {error}",))
    config = config_finder(asked.adapted)(name.absolute().parent)
    return check_text(text, name, config, asked.fixing)


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
