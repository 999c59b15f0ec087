"""Findings that are known: a file of them, so that `check` reports only what is new.

A finding is known by its file, its rule and the text of its lines, not by their numbers: code may move.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from torchlore.cli.checking import FileReport
from torchlore.config import ConfigError
from torchlore.rules.model import Finding
from torchlore.text import Source, source_of

_VERSION = 1

_Key = tuple[str, str, str]
"""The path from the folder of the baseline, the rule's code, the text of the lines."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The findings of a baseline file, each with how often it is known, and the file's folder."""

    folder: Path
    known: Counter[_Key]

    def new(self, reports: Iterable[FileReport]) -> list[FileReport]:
        """The reports without the findings that are known. One more of the same kind is new."""
        left = Counter(self.known)
        found: list[FileReport] = []
        for report in reports:
            new = []
            for key, finding in _keys(report, self.folder):
                left[key] -= 1
                if left[key] < 0:
                    new.append(finding)
            found.append(replace(report, findings=tuple(new)))
        return found


def read_baseline(file: Path) -> Baseline:
    """A baseline.

    Raises:
        ConfigError: it is not there, or was not written by `write_baseline`.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        entries = document["findings"]
        known = Counter({(e["path"], e["code"], e["text"]): int(e["count"]) for e in entries})
        if document["version"] != _VERSION:
            raise ConfigError(f"{file}: made by another version of torchlore; write it anew")
    except FileNotFoundError:
        raise ConfigError(f"{file} is not there; `--update-baseline` writes it") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(f"{file}: no baseline of torchlore's; `--update-baseline` writes one") from None
    return Baseline(file.absolute().parent, known)


def write_baseline(file: Path, reports: Iterable[FileReport]) -> None:
    """Writes the findings of `reports` into `file`, sorted, so that a change of them reads well in a diff.

    Raises:
        ConfigError: it cannot be written.
    """
    folder = file.absolute().parent
    counts = Counter(key for report in reports for key, _ in _keys(report, folder))
    entries = [
        {"path": path, "code": code, "text": text, "count": count}
        for (path, code, text), count in sorted(counts.items())
    ]
    document = {"version": _VERSION, "findings": entries}
    try:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror or error}") from None


def _keys(report: FileReport, folder: Path) -> list[tuple[_Key, Finding]]:
    if not report.findings:
        return []
    source = source_of(report.text, str(report.path))
    path = os.path.relpath(report.path.absolute(), folder).replace(os.sep, "/")
    return [((path, found.code, _lines(source, found)), found) for found in report.findings]


def _lines(source: Source, finding: Finding) -> str:
    first = source.lines.line_of(finding.span.start)
    last = source.lines.line_of(max(finding.span.start, finding.span.end - 1))
    return "\n".join(source.lines.text(line).strip() for line in range(first, last + 1))
