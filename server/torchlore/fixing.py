"""Applying fixes until none is left: what the editor's "fix all" and the command line's `--fix` do."""

from __future__ import annotations

from dataclasses import dataclass

from torchlore.analysis import analyze
from torchlore.analysis.workspace import Workspace
from torchlore.config import Config, check_source
from torchlore.rules.model import Finding, Fix, Severity
from torchlore.text import Edit, Source

_MAX_ROUNDS = 50
"""Fixes that touch wait for the next round; a text that changes for longer than this has fixes that fight."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A file after its fixes: what was mended, what is left, and what went wrong (one sentence each)."""

    source: Source
    fixed: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    problems: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.source.text


def fix_text(
    source: Source,
    config: Config,
    *,
    unsafe: bool,
    mildest: Severity = Severity.WARNING,
    workspace: Workspace | None = None,
) -> Fixed:
    """`source` with the fixes of its findings applied, round after round.

    A round whose result no longer parses where it parsed before is taken back.

    Args:
        source: what to mend.
        config: decides which findings there are.
        unsafe: whether fixes that may change behaviour count.
        mildest: as for `check_source`.
        workspace: as for `analyze`.
    """
    fixed: list[Finding] = []
    mended: list[Finding] = []
    findings = check_source(analyze(source, workspace=workspace), config, mildest)
    for _ in range(_MAX_ROUNDS):
        edits, mended = _compatible(findings, unsafe)
        if not edits:
            return Fixed(source, tuple(fixed), tuple(findings))
        new = source.edited(edits)
        if len(new.parsed.blanked) > len(source.parsed.blanked):
            problem = f"the fix of {_codes(mended)} would break the syntax of this file and was left out"
            return Fixed(source, tuple(fixed), tuple(findings), (problem,))
        source, findings = new, check_source(analyze(new, workspace=workspace), config, mildest)
        fixed += mended
    problem = f"the fixes of {_codes(mended)} undo each other; stopped"
    return Fixed(source, tuple(fixed), tuple(findings), (problem,))


def applicable(finding: Finding, unsafe: bool) -> Fix | None:
    """The first fix of `finding` that may be applied."""
    return next((fix for fix in finding.fixes if fix.safe or unsafe), None)


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


def _codes(findings: list[Finding]) -> str:
    return ", ".join(sorted({finding.code for finding in findings}))
