"""What `check` prints for machines: JSON, SARIF, GitHub annotations, one line per finding. Needs no rich."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchlore import __version__
from torchlore.cli.checking import FileReport
from torchlore.cli.views import View, place, shown, views
from torchlore.rules import all_rules
from torchlore.rules.model import Finding, Fix, Severity
from torchlore.text import Edit, Notebook, Source, Span, is_notebook, source_of
from torchlore.text.ipynb import file_edits, lines_in_file

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
    return json.dumps(_records(reports), indent=2) + "\n"


def to_json_lines(reports: list[FileReport]) -> str:
    """The records of `to_json`, one on each line."""
    return "".join(json.dumps(record) + "\n" for record in _records(reports))


def to_concise(reports: list[FileReport]) -> str:
    """`path:row:column: code message`, with `[*]` where `--fix` mends it."""
    lines = []
    for report in reports:
        for view in views(report):
            finding = view.finding
            row, column = place(view.source, finding.span.start)
            mark = " [*]" if any(fix.safe for fix in finding.fixes) else ""
            lines.append(f"{view.name}:{row}:{column}: {finding.code}{mark} {finding.message}\n")
    return "".join(lines)


def to_github(reports: list[FileReport]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    return "".join(_annotation(report, view) for report in reports for view in views_in_file(report))


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
    results = [_sarif_result(report, view, rules) for report in reports for view in views_in_file(report)]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class InFile:
    """A finding for a reader who sees the file itself, which for a notebook is JSON.

    Attributes:
        view: the finding.
        lines: of a notebook: for each line of the cell the line of the file (0-based) that holds it.
    """

    view: View
    lines: list[int] | None

    def region(self, span: Span) -> dict[str, int]:
        """Where `span` of the view's text is in the file; of a notebook whole lines."""
        if self.lines is None:
            return _region(self.view.source, span)
        line_of = self.view.source.lines.line_of
        return {
            "startLine": self.lines[line_of(span.start)] + 1,
            "endLine": self.lines[line_of(span.end)] + 1,
        }


def views_in_file(report: FileReport) -> Iterator[InFile]:
    """The findings of a file as places in the file."""
    by_cell = lines_in_file(report.text) if is_notebook(report.path) else {}
    for view in views(report):
        yield InFile(view, by_cell[view.cell.number] if view.cell else None)


def _annotation(report: FileReport, found: InFile) -> str:
    finding, message = found.view.finding, found.view.finding.message
    if found.view.cell is not None:
        row, _ = place(found.view.source, finding.span.start)
        message = f"cell {found.view.cell.number}, line {row}: {message}"
    region = found.region(finding.span)
    names = {"startLine": "line", "startColumn": "col", "endLine": "endLine", "endColumn": "endColumn"}
    properties = {
        "title": f"torchlore ({finding.code} {finding.name})",
        "file": shown(report.path),
        **{name: str(region[key]) for key, name in names.items() if key in region},
    }
    joined = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    return f"::{_GITHUB_LEVELS[finding.severity]} {joined}::{_escaped(message)}\n"


def _records(reports: list[FileReport]) -> list[dict[str, Any]]:
    return [_record(report, view) for report in reports for view in views(report)]


def _record(report: FileReport, view: View) -> dict[str, Any]:
    finding = view.finding
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "filename": str(report.path.absolute()) if str(report.path) != "-" else "-",
        "cell": view.cell.number if view.cell is not None else None,
        **_range(view.source, finding.span),
        "fix": _fix_record(view.source, finding),
        "url": finding.url,
    }


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


def _sarif_result(report: FileReport, found: InFile, rules: dict[str, int]) -> dict[str, Any]:
    view, finding = found.view, found.view.finding
    artifact = {
        "uri": Path(shown(report.path)).as_posix() if report.path.is_absolute() else report.path.as_posix()
    }

    def location(span: Span) -> dict[str, Any]:
        physical = {"physicalLocation": {"artifactLocation": artifact, "region": found.region(span)}}
        if view.cell is None:
            return physical
        return {**physical, "logicalLocations": [{"name": f"cell {view.cell.number}"}]}

    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rules.get(finding.code, -1),
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [location(finding.span)],
    }
    if finding.related:
        result["relatedLocations"] = [
            {"message": {"text": related.message}, **location(related.span)} for related in finding.related
        ]
    if finding.fixes:
        source, edits = _edits_of_file(report, view, finding.fixes[0])
        change = {
            "artifactLocation": artifact,
            "replacements": [_replacement(source, edit) for edit in edits],
        }
        result["fixes"] = [
            {"description": {"text": finding.fixes[0].title}, "artifactChanges": [change]},
        ]
    return result


def _edits_of_file(report: FileReport, view: View, fix: Fix) -> tuple[Source, tuple[Edit, ...]]:
    """What `fix` changes in the file itself."""
    notebook = source_of(report.text, str(report.path))
    if not isinstance(notebook, Notebook) or view.cell is None:
        return view.source, fix.edits
    at = notebook.start(next(cell for cell in notebook.cells if cell.number == view.cell.number))
    moved = [Edit(Span(edit.span.start + at, edit.span.end + at), edit.text) for edit in fix.edits]
    return Source(report.text), tuple(file_edits(report.text, notebook, notebook.edited(moved)))


def _replacement(source: Source, edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": _region(source, edit.span), "insertedContent": {"text": edit.text}}


def _region(source: Source, span: Span) -> dict[str, int]:
    row, column = place(source, span.start)
    end_row, end_column = place(source, span.end)
    return {"startLine": row, "startColumn": column, "endLine": end_row, "endColumn": end_column}


def _escaped(text: str, more: str = "") -> str:
    """As GitHub's runner unescapes it: `%`, line ends and, in properties, the separators."""
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + more else c for c in text)
