"""Mistakes with mixed precision that need no scaler to go wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from torchlore.text import Edit, Source, Span

from tests.recall.mutants import Mutant, emptied, mutant, plants, replaced, with_keyword
from tests.recall.syntax import blocks_below, calls, calls_of, full_name, is_managed, statement_call, written

_AUTOCAST = ("torch.autocast", "torch.amp.autocast", "torch.cuda.amp.autocast")


def _with_autocast(source: Source, statement: ast.stmt) -> ast.Call | None:
    """`with autocast(...)`, nothing said about `enabled`."""
    context = statement.items[0].context_expr if isinstance(statement, ast.With) else None
    if not isinstance(context, ast.Call) or full_name(source, context.func) not in _AUTOCAST:
        return None
    return None if any(keyword.arg in ("enabled", None) for keyword in context.keywords) else context


@plants("backward-in-autocast", "autocast")
def differentiated_inside(source: Source) -> Iterator[Mutant]:
    """`loss.backward()` below `with autocast():` goes to its end."""
    for block in blocks_below(source.tree):
        for statement, below in pairwise(block):
            call = statement_call(below, "backward")
            if call is None or _with_autocast(source, statement) is None or is_managed(source):
                continue
            assert isinstance(statement, ast.With)
            last = statement.body[-1]
            indent = source.text[source.lines.start(last.lineno - 1) : source.span(last).start]
            end = source.span(last).end
            if not indent.strip():
                moved = Edit(Span(end, end), f"\n{indent}{written(below)}")
                yield from mutant(source, below.lineno, [moved, emptied(source, below)])


@plants("scaler-with-bfloat16", "GradScaler")
def scaled_for_nothing(source: Source) -> Iterator[Mutant]:
    """Every autocast of a file that makes a GradScaler chooses `torch.bfloat16`."""
    if (
        "float16" in source.text
        or ".half()" in source.text
        or "torch" not in source.text
        or is_managed(source)
    ):
        return
    scalers = ("torch.amp.GradScaler", "torch.cuda.amp.GradScaler")
    every = calls_of(source, source.tree, *_AUTOCAST)
    is_plain = all(not any(k.arg in ("dtype", None) for k in call.keywords) for call in every)
    has_torch = full_name(source, ast.parse("torch.x", mode="eval").body) == "torch.x"
    if every and is_plain and has_torch and calls_of(source, source.tree, *scalers):
        edits = [with_keyword(source, call, "dtype", "torch.bfloat16") for call in every]
        if calls(source.tree, "scale"):
            yield from mutant(source, every[0].lineno, edits)


@plants("scaler-with-bfloat16", "GradScaler")
def scaled_for_nothing_any_more(source: Source) -> Iterator[Mutant]:
    """`dtype=torch.bfloat16` for the `torch.float16` of every autocast of a file that makes a GradScaler."""
    scalers = ("torch.amp.GradScaler", "torch.cuda.amp.GradScaler")
    if is_managed(source) or not calls_of(source, source.tree, *scalers) or ".half()" in source.text:
        return
    every = calls_of(source, source.tree, *_AUTOCAST)
    told = [keyword.value for call in every for keyword in call.keywords if keyword.arg == "dtype"]
    is_half = all(full_name(source, dtype) == "torch.float16" for dtype in told)
    if told and is_half and len(told) == len(every) == source.text.count("float16"):
        yield from mutant(source, every[0].lineno, [replaced(source, one, "torch.bfloat16") for one in told])
