"""What `check` prints for machines: JSON, SARIF, GitHub annotations, one line per finding. Needs no rich."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torchlore import __version__
from torchlore.cli.checking import FileReport
from torchlore.rules import all_rules
from torchlore.rules.model import Finding, Severity
from torchlore.text import Edit, Source, Span

_SARIF_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "note",
    Severity.HINT: "note",
}
_GITHUB_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "notice",
    Severity.HINT: "notice",
}


def to_json(reports: list[FileReport]) -> str:
    """A list of records, one per finding; rows and columns count from 1, columns in code points."""
    return json.dumps([record for report in reports for record in _records(report)], indent=2)


def to_concise(reports: list[FileReport]) -> str:
    """`path:row:column: code message`, with `[*]` where `--fix` mends it."""
    lines = []
    for report in reports:
        source = Source(report.text)
        for finding in report.findings:
            row, column = place(source, finding.span.start)
            mark = " [*]" if any(fix.safe for fix in finding.fixes) else ""
            lines.append(f"{shown(report.path)}:{row}:{column}: {finding.code}{mark} {finding.message}\n")
    return "".join(lines)


def to_github(reports: list[FileReport]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    lines = []
    for report in reports:
        source = Source(report.text)
        for finding in report.findings:
            row, column = place(source, finding.span.start)
            end_row, end_column = place(source, finding.span.end)
            properties = {
                "title": f"torchlore ({finding.code} {finding.name})",
                "file": shown(report.path),
                "line": str(row),
                "col": str(column),
                "endLine": str(end_row),
                "endColumn": str(end_column),
            }
            joined = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
            lines.append(f"::{_GITHUB_LEVELS[finding.severity]} {joined}::{_escaped(finding.message)}\n")
    return "".join(lines)


def to_sarif(reports: list[FileReport]) -> str:
    """SARIF 2.1.0, as code scanning services read it."""
    rules = {rule.code: index for index, rule in enumerate(all_rules())}
    driver = {
        "name": "torchlore",
        "version": __version__,
        "rules": [
            {
                "id": rule.code,
                "name": rule.name,
                "shortDescription": {"text": rule.name.replace("-", " ")},
                "help": {"text": rule.documentation(), "markdown": rule.documentation()},
                **({"helpUri": rule.url()} if rule.url() else {}),
                "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
            }
            for rule in all_rules()
        ],
    }
    results = [_sarif_result(report, finding, rules) for report in reports for finding in report.findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2)


def place(source: Source, offset: int) -> tuple[int, int]:
    """Row and column of an offset, both from 1."""
    line, column = source.position(offset)
    return line + 1, column + 1


def shown(path: Path) -> str:
    """`path` as a person wants to read it: relative where it is below the current folder."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _records(report: FileReport) -> list[dict[str, Any]]:
    source = Source(report.text)
    return [
        {
            "code": finding.code,
            "name": finding.name,
            "severity": finding.severity.value,
            "message": finding.message,
            "filename": str(report.path.absolute()) if str(report.path) != "-" else "-",
            **_range(source, finding.span),
            "fix": _fix_record(source, finding),
            "url": finding.url,
        }
        for finding in report.findings
    ]


def _fix_record(source: Source, finding: Finding) -> dict[str, Any] | None:
    if not finding.fixes:
        return None
    fix = finding.fixes[0]
    return {
        "title": fix.title,
        "applicability": "safe" if fix.safe else "unsafe",
        "edits": [{"content": edit.text, **_range(source, edit.span)} for edit in fix.edits],
    }


def _range(source: Source, span: Span) -> dict[str, dict[str, int]]:
    row, column = place(source, span.start)
    end_row, end_column = place(source, span.end)
    return {
        "location": {"row": row, "column": column},
        "end_location": {"row": end_row, "column": end_column},
    }


def _sarif_result(report: FileReport, finding: Finding, rules: dict[str, int]) -> dict[str, Any]:
    source = Source(report.text)
    artifact = {
        "uri": Path(shown(report.path)).as_posix() if report.path.is_absolute() else report.path.as_posix()
    }
    physical = {"artifactLocation": artifact, "region": _region(source, finding.span)}
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rules.get(finding.code, -1),
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": physical}],
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "message": {"text": related.message},
                "physicalLocation": {"artifactLocation": artifact, "region": _region(source, related.span)},
            }
            for related in finding.related
        ]
    if finding.fixes:
        fix = finding.fixes[0]
        replacements = [_replacement(source, edit) for edit in fix.edits]
        change = {"artifactLocation": artifact, "replacements": replacements}
        result["fixes"] = [{"description": {"text": fix.title}, "artifactChanges": [change]}]
    return result


def _replacement(source: Source, edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": _region(source, edit.span), "insertedContent": {"text": edit.text}}


def _region(source: Source, span: Span) -> dict[str, int]:
    row, column = place(source, span.start)
    end_row, end_column = place(source, span.end)
    return {"startLine": row, "startColumn": column, "endLine": end_row, "endColumn": end_column}


def _escaped(text: str, more: str = "") -> str:
    """As GitHub's runner unescapes it: `%`, line ends and, in properties, the separators."""
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + more else c for c in text)
