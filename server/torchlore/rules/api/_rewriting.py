"""The fix that writes a use of an old name as it is written today."""

from __future__ import annotations

import ast
from dataclasses import replace

from torchlore.analysis import Analysis
from torchlore.rules import spellings
from torchlore.rules.api import _forms
from torchlore.rules.api._arguments import argument_edits
from torchlore.rules.api._importing import moved_import
from torchlore.rules.api._uses import Use
from torchlore.rules.api._versions import has_what_to_use
from torchlore.rules.model import Fix
from torchlore.text import Edit, Span


def fixes(analysis: Analysis, use: Use) -> tuple[Fix, ...]:
    """The mechanical repair of a use; none where there is none, or this call is not simple enough for it."""
    rewrite = use.change.rewrite
    fix: Fix | None = None
    if "forms" in rewrite:
        fix = _written_anew(analysis, use)
    elif "to" in rewrite:
        fix = _renamed(analysis, use)
    if fix is not None and not has_what_to_use(analysis, use.change):
        fix = replace(fix, safe=False)  # It runs in some versions of the project's, and would not any more.
    return () if fix is None else (fix,)


def _renamed(analysis: Analysis, use: Use) -> Fix | None:
    change = use.change
    new = str(change.rewrite["to"])
    if use.is_method:
        assert isinstance(use.node, ast.Attribute)
        last = new.rpartition(".")[2]
        end = analysis.source.span(use.node).end
        edit = Edit(Span(end - len(use.node.attr), end), last)
        return Fix(f"Use `{last}`", (edit,), change.is_safe)
    if isinstance(use.node, ast.Name):
        return moved_import(analysis, use)
    inside = argument_edits(analysis, use)
    found = spellings.spelled_anyhow(analysis, use.node, new)
    if inside is None or found is None:
        return None
    name, imported = found
    edits = (*imported, Edit(analysis.source.span(use.node), name), *inside)
    return Fix(f"Use `{name}`", edits, change.is_safe)


def _written_anew(analysis: Analysis, use: Use) -> Fix | None:
    source, change, call = analysis.source, use.change, use.call
    if call is None or "#" in source.segment(source.span(call)):
        return None
    receiver = use.node.value if use.is_method and isinstance(use.node, ast.Attribute) else None
    parameters = str(change.rewrite["parameters"])
    given = _forms.bound(source, call, receiver, parameters)
    replaced = _taken(use, call) if "take" in change.rewrite else (call, None)
    if given is None or replaced is None:
        return None
    imported: list[Edit] = []

    def spell(name: str) -> str | None:
        found = spellings.spelled_anyhow(analysis, call.func if receiver is None else call, name)
        if found is not None:
            imported.extend(edit for edit in found[1] if edit not in imported)
        return None if found is None else found[0]

    for form in change.forms:
        text = _forms.written(analysis, form, given, _forms.defaults(parameters), spell)
        if text is not None:
            node, target = replaced
            edits = [*imported, Edit(source.span(node), text)]
            if target is not None:
                first = source.segment(source.span(target.elts[0]))
                edits.append(Edit(source.span(target), first))
            return Fix(f"Use `{text.partition('(')[0]}`", tuple(edits), change.is_safe)
        imported.clear()
    return None


def _taken(use: Use, call: ast.Call) -> tuple[ast.expr, ast.Tuple | None] | None:
    """Of a call that gave several things: the expression, or the assignment, that takes the first of them."""
    wanted = use.change.rewrite["take"]
    parent = use.outer[-2] if len(use.outer) > 1 else None
    match parent:
        case ast.Subscript(slice=ast.Constant(value=0)) if "0" in wanted:
            return parent, None
        case ast.Attribute(attr=name) if name in wanted:
            return parent, None
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(), ast.Name(id="_")]) as target], value=value):
            return (call, target) if value is call else None
    return None
