"""Edits of the arguments of a call that leave the others, and their formatting, as they are."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from torchlore.rules.api._uses import Use
from torchlore.text import Edit, Source, Span


def argument_edits(source: Source, use: Use) -> list[Edit] | None:
    """What becomes of the arguments where the name is another one; None where that is not certain."""
    rewrite, call = use.change.rewrite, use.call
    insert, append = rewrite.get("insert"), rewrite.get("append")
    if call is None:
        if insert or "named" in rewrite:
            return None
        if append is None:
            return []
        end = source.span(use.node).end
        return [Edit(Span(end, end), f"({append})")] if _is_decorator(use) else None
    edits: list[Edit | None] = []
    if "named" in rewrite:
        named = name_positional(source, call, rewrite["named"])
        if named is None:
            return None
        edits += named
    if insert:
        edits.insert(0, put_first(source, call, insert))
    if append:
        edits.append(put_last(source, call, append))
    edits += rename_keywords(source, call, rewrite.get("renamed", {}))
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


def opening(source: Source, call: ast.Call) -> int | None:
    """Where the bracket of a call opens; None where something else than spaces stands before it."""
    end = source.span(call.func).end
    text = source.text[end:]
    return end + len(text) - len(text.lstrip()) if text.lstrip().startswith("(") else None


def put_first(source: Source, call: ast.Call, argument: str) -> Edit | None:
    """Puts an argument before the others; None where comments, or `*args`, are in the way."""
    start = opening(source, call)
    if start is None or any(isinstance(given, ast.Starred) for given in call.args):
        return None
    at = start + 1
    if not call.args and not call.keywords:
        return Edit(Span(at, at), argument)
    inside = source.text[at : source.span(call).end]
    at += len(inside) - len(inside.lstrip())
    return None if source.text[at] == "#" else Edit(Span(at, at), f"{argument}, ")


def put_last(source: Source, call: ast.Call, argument: str) -> Edit | None:
    """Puts a keyword argument behind the others; None where comments, or `**kwargs`, are in the way."""
    start = opening(source, call)
    if start is None or any(keyword.arg is None for keyword in call.keywords):
        return None
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    if not given:
        return Edit(Span(start + 1, start + 1), argument)
    end = max(source.span(each).end for each in given)
    behind = source.text[end : source.span(call).end - 1]
    if "#" in behind:
        return None
    at = end + (behind.index(",") if "," in behind else len(behind.rstrip()))
    return Edit(Span(at, at), f", {argument}")


def name_positional(source: Source, call: ast.Call, names: Sequence[str]) -> list[Edit] | None:
    """Gives positional arguments by these names; None where that is not certain."""
    if len(call.args) > len(names):
        return None
    edits: list[Edit] = []
    for given, name in zip(call.args, names, strict=False):
        start = source.span(given).start
        before = source.text[:start].rstrip()
        if isinstance(given, ast.Starred) or not before.endswith((",", "(")):
            return None
        if before.endswith("(") and len(before) - 1 != opening(source, call):
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


def remove(source: Source, call: ast.Call, argument: ast.keyword) -> Edit | None:
    """Takes a keyword argument out, with the comma that is its; None where a comment would go with it."""
    span = source.span(argument)
    others: list[ast.expr | ast.keyword] = [
        *call.args,
        *(each for each in call.keywords if each is not argument),
    ]
    ends = sorted(source.span(each).end for each in others)
    before = [end for end in ends if end <= span.start]
    start = opening(source, call)
    if start is None:
        return None
    if before:
        gap = source.text[before[-1] : span.start]
        cut = Span(before[-1] + gap.index(","), span.end)
    else:
        behind = source.text[span.end : source.span(call).end - 1]
        comma = len(behind) - len(behind.lstrip()) + 1 if behind.lstrip().startswith(",") else 0
        rest = behind[comma:]
        cut = Span(span.start, span.end + comma + (len(rest) - len(rest.lstrip()) if rest.strip() else 0))
    removed = source.text[cut.start : cut.end]
    return None if "#" in removed else Edit(cut, "")
