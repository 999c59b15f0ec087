"""What `check` prints: findings, why files could not be read, what fixes would change, how many there are."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TextIO

import typer

from torchlore.cli.checking import FileReport
from torchlore.cli.terminal import warn


def print_problems(reports: list[FileReport]) -> None:
    """Why files, or parts of them, could not be checked, on standard error."""
    from torchlore.cli.views import shown

    for report in reports:
        for problem in report.problems:
            joint = ":" if problem[:1].isdigit() or problem.startswith("cell ") else ": "
            warn(f"{shown(report.path)}{joint}{problem}")


def print_diffs(reports: list[FileReport]) -> None:
    """What fixes would change."""
    from torchlore.cli.patches import unified_diff
    from torchlore.cli.views import shown

    for report in reports:
        if report.before is not None:
            sys.stdout.write(unified_diff(report.before, report.text, shown(report.path)))
    count = sum(len(report.fixed) for report in reports)
    typer.echo(f"Would fix {counted(count)}." if count else "No fixes to show.", err=True)


def print_findings(
    reports: list[FileReport], output_format: str, stream: TextIO, *, statistics: bool = False
) -> None:
    """The findings, in one of the formats of `check --output-format`; or how many of each rule there are."""
    from torchlore.cli import formats

    found = [report for report in reports if report.findings]
    if statistics:
        stream.write(_statistics(found, as_json=output_format.startswith("json")))
        return
    if output_format in ("gitlab", "junit"):
        stream.write(_for_a_service(found, output_format))
    elif output_format in ("json", "json-lines", "github", "sarif"):
        stream.write(_for_a_machine(found, output_format))
    elif output_format == "concise":
        stream.write(formats.to_concise(found) + _summary(reports))
    else:
        _print_frames(found, stream)
        stream.write(_summary(reports))


def _for_a_machine(reports: list[FileReport], output_format: str) -> str:
    from torchlore.cli import formats

    written = {
        "json": formats.to_json,
        "json-lines": formats.to_json_lines,
        "github": formats.to_github,
        "sarif": formats.to_sarif,
    }
    return written[output_format](reports)


def _for_a_service(reports: list[FileReport], output_format: str) -> str:
    from torchlore.cli.formats_of_services import to_gitlab, to_junit

    return to_gitlab(reports) if output_format == "gitlab" else to_junit(reports)


def counted(count: int) -> str:
    """ "1 mistake", "2 mistakes"."""
    return f"{count} mistake{'' if count == 1 else 's'}"


def _print_frames(reports: list[FileReport], stream: TextIO) -> None:
    from torchlore.cli.frames import frames
    from torchlore.cli.terminal import print_lines

    for report in reports:
        print_lines(frames(report), stream)


def _statistics(reports: list[FileReport], *, as_json: bool) -> str:
    """How many findings each rule has, the most first, and whether `--fix` mends some."""
    findings = [finding for report in reports for finding in report.findings]
    counts = Counter((finding.code, finding.name) for finding in findings)
    safe = {finding.code for finding in findings if any(fix.safe for fix in finding.fixes)}
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    if as_json:
        import json

        records = [
            {"code": code, "name": name, "count": count, "fixable": code in safe}
            for (code, name), count in rows
        ]
        return json.dumps(records, indent=2) + "\n"
    width = len(str(rows[0][1])) if rows else 0
    lines = [
        f"{count:{width}}  {code}  {'[*]' if code in safe else '   '}  {name}\n"
        for (code, name), count in rows
    ]
    return "".join(lines) + f"Found {counted(len(findings))}.\n"


def _summary(reports: list[FileReport]) -> str:
    left = [finding for report in reports for finding in report.findings]
    mended = sum(len(report.fixed) for report in reports)
    safe = sum(any(fix.safe for fix in finding.fixes) for finding in left)
    unsafe = sum(bool(finding.fixes) for finding in left) - safe
    if not left and not mended:
        return "" if any(report.problems for report in reports) else "All checks passed.\n"
    lines = [
        f"Found {counted(mended + len(left))}" + (f" ({mended} fixed, {len(left)} left)." if mended else ".")
    ]
    if safe:
        lines.append(f"[*] {safe} can be fixed with `--fix`.")
    if unsafe:
        lines.append(f"{unsafe}{' more' if safe else ''} can be fixed with `--fix --unsafe-fixes`.")
    return "\n".join(lines) + "\n"
