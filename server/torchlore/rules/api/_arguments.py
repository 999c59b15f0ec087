"""Edits of the arguments of a call that leave the others, and their formatting, as they are."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from torchlore.analysis import Analysis
from torchlore.rules import arguments
from torchlore.rules.api._uses import Use
from torchlore.text import Edit, Source, Span


def argument_edits(analysis: Analysis, use: Use) -> list[Edit] | None:
    """What becomes of the arguments where the name is another one; None where that is not certain."""
    rewrite, call = use.change.rewrite, use.call
    insert, append = rewrite.get("insert"), rewrite.get("append")
    if call is None:
        if insert or "named" in rewrite:
            return None
        if append is None:
            return []
        end = analysis.source.span(use.node).end
        return [Edit(Span(end, end), f"({', '.join(append)})")] if _is_decorator(use) else None
    edits: list[Edit | None] = []
    if "named" in rewrite:
        named = name_positional(analysis, call, rewrite["named"])
        if named is None:
            return None
        edits += named
    if insert:
        edits.insert(0, arguments.put_first(analysis, call, insert))
    if append:
        edits.append(arguments.added(analysis, call, *append))
    edits += rename_keywords(analysis.source, call, rewrite.get("renamed", {}))
    known = [edit for edit in edits if edit is not None]
    return _joined(known) if len(known) == len(edits) else None


def _joined(edits: list[Edit]) -> list[Edit]:
    """One insertion for several at one place."""
    texts: dict[Span, str] = {}
    for edit in edits:
        texts[edit.span] = texts.get(edit.span, "") + edit.text
    return [Edit(span, text) for span, text in texts.items()]


def _is_decorator(use: Use) -> bool:
    return use.node in getattr(use.outer[-1], "decorator_list", ())


def name_positional(analysis: Analysis, call: ast.Call, names: Sequence[str]) -> list[Edit] | None:
    """Gives positional arguments by these names; None where that is not certain."""
    if len(call.args) > len(names):
        return None
    edits: list[Edit] = []
    for given, name in zip(call.args, names, strict=False):
        start = analysis.source.span(given).start
        before = analysis.source.text[:start].rstrip()
        if isinstance(given, ast.Starred) or not before.endswith((",", "(")):
            return None
        if before.endswith("(") and len(before) - 1 != arguments.opening(analysis, call):
            return None  # `f((x))`
        edits.append(Edit(Span(start, start), f"{name}="))
    return edits


def rename_keywords(source: Source, call: ast.Call, names: Mapping[str, str]) -> list[Edit]:
    """Gives keyword arguments by other names."""
    edits: list[Edit] = []
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg in names:
            start = source.span(keyword).start
            edits.append(Edit(Span(start, start + len(keyword.arg)), names[keyword.arg]))
    return edits
