"""Apply every safe fix of the file, or of the cell of a notebook, at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lsprotocol import types

from torchlore.fixing import fix_text
from torchlore.lsp.analyses import Analysed, configuration
from torchlore.lsp.code_actions.model import Asked, wanted
from torchlore.lsp.names import FIX_ALL_KIND
from torchlore.lsp.server import Server
from torchlore.rules.model import Severity
from torchlore.text import Edit, LineTable, Notebook, Source, Span

KINDS = (FIX_ALL_KIND,)


def actions(asked: Asked) -> Iterator[types.CodeAction]:
    """One action, where there is a safe fix.

    Its edit is left to `edit` for a client that asks again for the action that is chosen: computing it means
    mending the whole file. For the others it is listed without a filter only beside a finding.
    """
    requested = bool(asked.only) and wanted(FIX_ALL_KIND, asked.only)
    if not requested and (asked.unasked or not asked.findings()):
        return
    if not _is_mendable(asked.known, asked.span.start):
        return
    action = types.CodeAction(title="Fix all safe torchlore findings", kind=FIX_ALL_KIND)
    if asked.server.client.resolves:
        action.data = {"uri": asked.uri}
        yield action
        return
    action.edit = edit(asked.server, asked.known, asked.uri)
    if action.edit is not None:
        yield action


def edit(server: Server, known: Analysed, uri: str) -> types.WorkspaceEdit | None:
    """What applies every safe fix of the document `uri`, a file or a cell; None where nothing changes."""
    source, places = known.source, known.places(server.encoding)
    start = places.offset(uri, types.Position(0, 0))
    if not _is_mendable(known, start):
        return None
    config = configuration(source.path, known.settings)
    fixed = fix_text(source, config, unsafe=False, mildest=Severity.HINT, workspace=known.workspace)
    if isinstance(source, Notebook) and isinstance(fixed.source, Notebook):
        edits = _edits_of_cell(source, fixed.source, start)
    else:
        edits = line_edits(source, fixed.source.text)
    return places.workspace_edit(edits, server.client) if edits else None


def _is_mendable(known: Analysed, offset: int) -> bool:
    """Whether the file, or the cell at `offset`, has a finding with a safe fix."""
    source = known.source
    safe = (finding for finding in known.findings() for fix in finding.fixes[:1] if fix.safe)
    if not isinstance(source, Notebook):
        return any(True for _ in safe)
    cell = source.cell_at(offset)
    return any(source.cell_at(finding.span.start) is cell for finding in safe)


def _edits_of_cell(before: Notebook, after: Notebook, offset: int) -> tuple[Edit, ...]:
    """The edits of the cell at `offset`: an editor asks for each cell by itself."""
    pairs = zip(before.cells, after.cells, strict=True)
    old, new = next((old, new) for old, new in pairs if old is before.cell_at(offset))
    start = before.start(old)
    return tuple(
        Edit(Span(edit.span.start + start, edit.span.end + start), edit.text)
        for edit in line_edits(Source(old.text), new.text)
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
