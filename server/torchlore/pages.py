"""Cards and rules as whole Markdown pages, for the terminal, the editor and the documentation."""

from __future__ import annotations

import re

from torchlore.knowledge import Card, card
from torchlore.rules import Rule

_SECTIONS = {
    "Details": "details",
    "Pitfalls": "pitfalls",
    "Corrections": "corrections",
    "Follow-ups": "follow_ups",
}


def card_page(shown: Card) -> str:
    """The whole of a card, its snippet included; empty sections are left out."""
    parts = [f"# {shown.question}", shown.answer]
    for title, field in _SECTIONS.items():
        text: str = getattr(shown, field)
        if text.strip():
            parts += [f"## {title}", text]
    if shown.snippet:
        parts += ["## Proof", f"Run it here: `torchlore run {shown.slug}`", fenced(shown.snippet, "python")]
    if shown.rules:
        parts += ["## Rules", "\n".join(f"- `{name}`" for name in shown.rules)]
    related = [found for slug in shown.see_also if (found := card(slug)) is not None]
    if related:
        parts += ["## See also", "\n".join(f"- {found.question} (`{found.slug}`)" for found in related)]
    if shown.sources:
        parts += ["## Sources", "\n".join(f"- {source}" for source in shown.sources)]
    parts.append(f"Checked with torch {shown.torch}.")
    return _joined(parts)


def rule_page(rule: type[Rule]) -> str:
    """The whole documentation of a rule, and which card has the answer behind it."""
    facts = f"Family **{rule.family.value}** · severity **{rule.severity.value}** · since {rule.since}"
    parts = [f"# {rule.name} ({rule.code})", facts, rule.documentation()]
    behind = card(rule.card)
    if behind is not None:
        parts += ["## Read more", f"{behind.question} (`torchlore explain {behind.slug}`)"]
    return _joined(parts)


def fenced(code: str, language: str = "") -> str:
    """`code` as a fenced block whose fence is longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
