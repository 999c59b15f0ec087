"""Apply every safe fix of the file at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lsprotocol import types

from torchlore.fixing import fix_text
from torchlore.lsp.analyses import configuration
from torchlore.lsp.code_actions.model import Asked, wanted
from torchlore.lsp.names import FIX_ALL_KIND
from torchlore.rules.model import Severity
from torchlore.text import Edit, LineTable, Source, Span

KINDS = (FIX_ALL_KIND,)


def actions(asked: Asked) -> Iterator[types.CodeAction]:
    """One action, where it would change anything.

    Without a filter it is listed only beside a finding: computing it means mending the whole file.
    """
    requested = bool(asked.only) and wanted(FIX_ALL_KIND, asked.only)
    if not requested and (asked.unasked or not asked.findings()):
        return
    source = asked.known.source
    if not any(fix.safe for finding in asked.known.findings() for fix in finding.fixes[:1]):
        return
    fixed = fix_text(source, configuration(source.path), unsafe=False, mildest=Severity.HINT)
    edits = line_edits(source, fixed.text)
    if edits:
        yield types.CodeAction(
            title="Fix all safe torchlore findings", kind=FIX_ALL_KIND, edit=asked.edit(edits)
        )


def line_edits(source: Source, after: str) -> tuple[Edit, ...]:
    """Edits of whole lines that turn `source` into `after`, so that cursors and folds elsewhere stay."""
    old, new = _lines(source.lines), _lines(LineTable(after))
    same = _common_start(old, new)
    until = _common_start(old[same:][::-1], new[same:][::-1])
    # Not `autojunk=False`, which takes the product of two files' lengths where most lines are alike.
    matcher = difflib.SequenceMatcher(None, old[same : len(old) - until], new[same : len(new) - until])
    start = source.lines.start
    return tuple(
        Edit(Span(start(same + i1), start(same + i2)), "".join(new[same + j1 : same + j2]))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    )


def _common_start(one: list[str], other: list[str]) -> int:
    """How many lines the two begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _lines(table: LineTable) -> list[str]:
    text = table.whole
    return [text[table.start(n) : table.start(n + 1)] for n in range(len(table))]
