"""Hover on the code of a rule in a comment that switches it off: what it looks for, and why."""

from __future__ import annotations

import re

from torchlore import knowledge
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.hover_links import Links
from torchlore.lsp.hover_page import Page
from torchlore.rules import Rule
from torchlore.rules.mentioned import mentioned_rules
from torchlore.text import Span

_SECTION = re.compile(r"^## (?P<title>.+)\n+(?P<text>(?:(?!^## ).*\n?)*)", re.MULTILINE)


def rule_at(known: Analysed, offset: int, links: Links) -> tuple[Span, Page] | None:
    """The page of the rule whose code or name a comment has at `offset`; None where there is none."""
    for span, rule in mentioned_rules(known.source):
        if span.start <= offset <= span.end:
            return span, _page(rule, links)
    return None


def _page(rule: type[Rule], links: Links) -> Page:
    sections = {match["title"]: match["text"].strip() for match in _SECTION.finditer(rule.documentation())}
    card = knowledge.card(rule.card)
    whole = links.rule(rule.code, rule.name)
    answer = links.whole(card, title=card.question) if card is not None else ""
    return Page(
        question=f"{rule.code} {rule.name}",
        answer="\n\n".join(sections[title] for title in ("What it does", "Why is this bad?")),
        links=tuple(filter(None, (whole, answer))),
    )
