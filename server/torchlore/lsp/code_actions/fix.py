"""Mend a finding, or say that it is none."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from torchlore.lsp.code_actions.model import Asked
from torchlore.lsp.findings import to_diagnostic
from torchlore.lsp.names import QUICK_FIX
from torchlore.rules.model import Finding
from torchlore.rules.suppression import ignore_edit

KINDS = (QUICK_FIX,)


def actions(asked: Asked) -> Iterator[types.CodeAction]:
    """The fixes of the findings here, the preferred one of each first, then a comment that ignores it."""
    findings = asked.findings()
    for finding in findings:
        yield from _fixes(asked, finding)
    for finding in findings:
        yield from _ignore(asked, finding)


def _fixes(asked: Asked, finding: Finding) -> Iterator[types.CodeAction]:
    for number, fix in enumerate(finding.fixes):
        action = types.CodeAction(
            title=fix.title,
            kind=QUICK_FIX,
            diagnostics=[to_diagnostic(finding, asked.known, asked.server)],
            edit=asked.edit(fix.edits),
        )
        if asked.server.client.preferred:
            # "Auto fix" commands apply the preferred action unseen, so an unsafe one is never preferred.
            action.is_preferred = number == 0 and fix.safe
        yield action


def _ignore(asked: Asked, finding: Finding) -> Iterator[types.CodeAction]:
    edit = asked.edit((ignore_edit(asked.known.source, finding),))
    if edit is not None:
        yield types.CodeAction(
            title=f"Ignore {finding.code} on this line",
            kind=QUICK_FIX,
            diagnostics=[to_diagnostic(finding, asked.known, asked.server)],
            edit=edit,
        )
