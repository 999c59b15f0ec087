"""What findings about changed names say."""

from __future__ import annotations

import re

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.rules.api._table import Change
from torchlore.rules.api._uses import Use
from torchlore.rules.api._versions import written
from torchlore.text import Span

_LONGEST = 48


def shown(analysis: Analysis, use: Use) -> str:
    """The name as it is written; of a method of a long expression, the method."""
    text = support.written(analysis, use.node)
    return text if len(text) <= _LONGEST or not use.is_method else f".{text.rpartition('.')[2]}"


def underlined(analysis: Analysis, use: Use) -> Span:
    """The name; of a method, what stands behind the dot."""
    span = analysis.source.span(use.node)
    attr = getattr(use.node, "attr", "")
    return Span(span.end - len(attr), span.end) if use.is_method else span


def instead(change: Change) -> str:
    """What to use, behind a colon; empty where nothing takes its place."""
    said = change.rewrite.get("say") or (f"`{change.use}`" if change.use else "")
    if said:
        return f": use {said}"
    advice = _advice(change.advice)
    return f": {advice}" if advice else ""


def _advice(text: str) -> str:
    """The first sentence of torch's advice that says more than that the name is deprecated."""
    for sentence in re.split(r"(?<=[a-z`)])[.!](?=\s|$)", text):
        words = " ".join(sentence.split()).removeprefix("Deprecated, ")
        is_said = re.search(r"\b(?:is|was|been|be) (?:now )?(?:deprecated|removed)\b", words)
        if words and not is_said and len(words) < 140:
            return words[0].lower() + words[1:] if words[:2] != words[:2].upper() else words
    return ""


def since(change: Change) -> str:
    return f" since torch {written(change.deprecated)}" if change.deprecated else ""
