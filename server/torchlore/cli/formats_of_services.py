"""What `check` prints for other services: GitLab's code quality report, JUnit's XML."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from torchlore.cli.checking import FileReport
from torchlore.cli.formats import InFile, views_in_file
from torchlore.cli.views import place, shown
from torchlore.rules.model import Severity

_GITLAB_SEVERITIES = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFORMATION: "minor",
    Severity.HINT: "info",
}


def to_gitlab(reports: list[FileReport]) -> str:
    """A Code Quality report as GitLab reads it (Code Climate's JSON, the fields that GitLab names)."""
    seen: Counter[tuple[str, str, str]] = Counter()
    issues = [_issue(report, found, seen) for report in reports for found in views_in_file(report)]
    return json.dumps(issues, indent=2) + "\n"


def _issue(report: FileReport, found: InFile, seen: Counter[tuple[str, str, str]]) -> dict[str, Any]:
    finding, path = found.view.finding, Path(shown(report.path)).as_posix()
    region = found.region(finding.span)
    # Not the line's number, which moves with the lines above it: GitLab tells by this what is new.
    key = path, finding.code, found.view.source.segment(finding.span)
    seen[key] += 1
    fingerprint = hashlib.sha256("\0".join((*key, str(seen[key]))).encode("utf-8", "replace")).hexdigest()
    return {
        "description": f"{finding.message} ({finding.name})",
        "check_name": finding.code,
        "fingerprint": fingerprint,
        "severity": _GITLAB_SEVERITIES[finding.severity],
        "location": {"path": path, "lines": {"begin": region["startLine"], "end": region["endLine"]}},
    }


def to_junit(reports: list[FileReport]) -> str:
    """A test suite for each file, with a failed test for each finding."""
    root = ElementTree.Element("testsuites", name="torchlore")
    for report in reports:
        found = list(views_in_file(report))
        count = str(len(found))
        name = Path(shown(report.path)).as_posix()
        suite = ElementTree.SubElement(root, "testsuite", name=name, tests=count, failures=count, errors="0")
        for one in found:
            _add_case(suite, one)
    root.set("tests", str(sum(len(report.findings) for report in reports)))
    root.set("failures", root.get("tests", "0"))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_clean(text)}\n'


def _add_case(suite: ElementTree.Element, found: InFile) -> None:
    view, finding = found.view, found.view.finding
    row, column = place(view.source, finding.span.start)
    line = str(found.region(finding.span)["startLine"])
    case = ElementTree.SubElement(
        suite, "testcase", name=f"{finding.code} {finding.name}", classname=view.name, line=line
    )
    where = f"{view.name}:{row}:{column}: {finding.code} {finding.message}"
    failure = ElementTree.SubElement(case, "failure", message=finding.message, type=finding.severity.value)
    failure.text = where


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold at all."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff"))
