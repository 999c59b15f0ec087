"""The fix of a name that was imported by itself: the import and all uses of it change together."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.rules.api._arguments import argument_edits
from torchlore.rules.api._table import changes
from torchlore.rules.api._uses import Use, imports, is_type, uses
from torchlore.rules.model import Fix
from torchlore.text import Edit, Span
from torchlore.text.nodes import nodes_in
from torchlore.text.words import ends_of


def moved_import(analysis: Analysis, use: Use) -> Fix | None:
    """Imports a name from where it is today, and mends every use; None where one of them cannot be mended."""
    assert isinstance(use.node, ast.Name)
    bound = [entry for entry in imports(analysis) if entry[2] == use.node.id]
    if len(bound) != 1:
        return None
    statement = bound[0][0]
    home = _home(str(use.change.rewrite["to"]))
    moving: list[tuple[ast.alias, str]] = []
    edits: list[Edit] = []
    is_safe = True
    for alias in statement.names:
        change = changes().get(f"{statement.module}.{alias.name}")
        new = "" if change is None else str(change.rewrite.get("to", ""))
        mended = _mended(analysis, alias, new) if new and _home(new) == home else None
        if mended is None:
            if alias.name == use.change.name.rpartition(".")[2]:
                return None
            continue
        moving.append((alias, new))
        edits += mended
        is_safe = is_safe and change is not None and change.is_safe
    header = _header(analysis, statement, home, moving)
    if not header:
        return None
    names = " and ".join(f"`{new.rpartition('.')[2]}`" for _, new in moving)
    return Fix(f"Import {names} from `{home}`", (*header, *edits), is_safe)


def _home(name: str) -> str:
    return name.rpartition(".")[0]


def _mended(analysis: Analysis, alias: ast.alias, new: str) -> list[Edit] | None:
    """The edits of all uses of an imported name; None where one is not understood."""
    local, last = alias.asname or alias.name, new.rpartition(".")[2]
    renamed = alias.asname is None and last != alias.name
    known = {
        use.node: use for use in uses(analysis) if isinstance(use.node, ast.Name) and use.node.id == local
    }
    nodes: Iterable[ast.Name] = known
    text = analysis.source.text
    if renamed and (_stands(last, text) or f'"{local}"' in text or f"'{local}'" in text):
        return None  # The new name stands for something else, or the old one is looked up by name.
    if _stands(local, text) != len(known) + 1:  # the others are in comments, in strings, or not understood
        nodes = [n for n in nodes_in(analysis.source.tree) if isinstance(n, ast.Name) and n.id == local]
    edits: list[Edit] = []
    for node in nodes:
        use = known.get(node)
        if use is None:
            return None
        inside = [] if is_type(use) else argument_edits(analysis, use)
        if inside is None:
            return None
        edits += [Edit(analysis.source.span(node), last), *inside] if renamed else inside
    return edits


def _stands(word: str, text: str) -> int:
    """How often a word stands in a text."""
    return sum(1 for _ in ends_of(word, text))


def _header(
    analysis: Analysis, statement: ast.ImportFrom, home: str, moving: list[tuple[ast.alias, str]]
) -> list[Edit]:
    """The edits of the import statement: its module changes, or some names get a statement of their own."""
    source = analysis.source
    is_all = len(moving) == len(statement.names)
    if home != statement.module and not is_all:
        names = ", ".join(_entry(alias, new) for alias, new in moving)
        above = support.insert_before(analysis, statement, f"from {home} import {names}")
        return (
            [] if above is None else [above, *_without(analysis, statement, [alias for alias, _ in moving])]
        )
    edits: list[Edit] = []
    if home != statement.module and statement.module:
        start = source.span(statement).start
        start += source.segment(source.span(statement)).index(statement.module, len("from "))
        edits.append(Edit(Span(start, start + len(statement.module)), home))
    entries = [(source.span(alias), _entry(alias, new)) for alias, new in moving]
    return edits + [Edit(span, entry) for span, entry in entries if source.segment(span) != entry]


def _entry(alias: ast.alias, new: str) -> str:
    last = new.rpartition(".")[2]
    return f"{last} as {alias.asname}" if alias.asname and alias.asname != last else last


def _without(analysis: Analysis, statement: ast.ImportFrom, gone: list[ast.alias]) -> list[Edit]:
    """Takes names out of an import that keeps at least one."""
    source, names = analysis.source, statement.names
    last = max(at for at, alias in enumerate(names) if alias not in gone)
    edits = [
        Edit(Span(source.span(alias).start, source.span(names[at + 1]).start), "")
        for at, alias in enumerate(names[:last])
        if alias in gone
    ]
    if last + 1 < len(names):
        edits.append(Edit(Span(source.span(names[last]).end, source.span(names[-1]).end), ""))
    return edits
