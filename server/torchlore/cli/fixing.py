"""Applying fixes until none is left, and showing what they change."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from torchlore.analysis import analyze
from torchlore.config import Config, check_source
from torchlore.rules.model import Finding, Fix, Severity
from torchlore.text import Edit, Source, apply_edits

_MAX_ROUNDS = 50
"""Fixes that touch wait for the next round; a file that changes for ever has two fixes that fight."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A text after its fixes: what was mended, what is left, and what went wrong (one sentence each)."""

    text: str
    fixed: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    problems: tuple[str, ...] = ()


def fix_text(source: Source, config: Config, *, unsafe: bool) -> Fixed:
    """`source` with the fixes of its findings applied, round after round.

    A round whose result no longer parses where it parsed before is taken back.

    Args:
        source: what to mend.
        config: decides which findings there are.
        unsafe: whether fixes that may change behaviour count.
    """
    fixed: list[Finding] = []
    findings = _check(source, config)
    for _ in range(_MAX_ROUNDS):
        edits, mended = _compatible(findings, unsafe)
        if not edits:
            return Fixed(source.text, tuple(fixed), tuple(findings))
        new = Source(apply_edits(source.text, edits), source.path)
        if len(new.parsed.blanked) > len(source.parsed.blanked):
            codes = ", ".join(sorted({f.code for f in mended}))
            problem = (
                f"the fix of {codes} would break the syntax of this file and was left out; please report it"
            )
            return Fixed(source.text, tuple(fixed), tuple(findings), (problem,))
        source, findings = new, _check(new, config)
        fixed += mended
    codes = ", ".join(sorted({f.code for f in mended}))
    return Fixed(
        source.text, tuple(fixed), tuple(findings), (f"the fixes of {codes} undo each other; stopped",)
    )


def applicable(finding: Finding, unsafe: bool) -> Fix | None:
    """The first fix of `finding` that may be applied."""
    return next((fix for fix in finding.fixes if fix.safe or unsafe), None)


def unified_diff(before: str, after: str, name: str) -> str:
    """A unified diff of one file; "" where nothing changed."""
    lines = difflib.unified_diff(_lines(before), _lines(after), fromfile=name, tofile=name, lineterm="\n")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def write_text(path: Path, text: str) -> None:
    """Writes a Python file in the encoding that it declares.

    Raises:
        OSError: it cannot be written.
        UnicodeEncodeError: the declared encoding has no such character.
    """
    import tokenize

    with path.open("rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
    path.write_bytes(text.encode(encoding))


def _check(source: Source, config: Config) -> list[Finding]:
    return check_source(analyze(source), config, Severity.WARNING)


def _compatible(findings: list[Finding], unsafe: bool) -> tuple[list[Edit], list[Finding]]:
    """Edits of as many findings as do not touch each other, and those findings."""
    edits: list[Edit] = []
    mended: list[Finding] = []
    for finding in findings:
        fix = applicable(finding, unsafe)
        if fix is None or not fix.edits:
            continue
        if any(new.span.overlaps(old.span) for new in fix.edits for old in edits):
            continue
        edits += fix.edits
        mended.append(finding)
    return edits, mended


def _lines(text: str) -> list[str]:
    """Split at `\\n` alone: a form feed inside a line must not become a line of the diff."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + (
        [text.rpartition("\n")[2]] if not text.endswith("\n") else []
    )
