"""`check --add-noqa`: a comment for every finding, which switches it off."""

from __future__ import annotations

from dataclasses import replace

from torchlore.cli.checking import FileReport
from torchlore.rules.suppression import ignore_edit
from torchlore.text import Notebook, source_of
from torchlore.text.ipynb import rewritten


def silenced(report: FileReport) -> FileReport:
    """`report` after a comment was added for each of its findings, which then count as mended.

    From the end of the file upwards: what stands above a comment stays where it is.
    """
    if not report.findings:
        return report
    source = before = source_of(report.text, str(report.path))
    for finding in sorted(report.findings, key=lambda finding: finding.span.start, reverse=True):
        source = source.edited([ignore_edit(source, finding)])
    after = source.text
    if isinstance(before, Notebook) and isinstance(source, Notebook):
        after = rewritten(report.text, before, source)
    return replace(report, text=after, before=report.text, findings=(), fixed=report.findings)
