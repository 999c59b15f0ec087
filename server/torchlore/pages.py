"""Cards, rules and symbols as whole Markdown pages, for the terminal, the editor and the documentation."""

from __future__ import annotations

import re

from torchlore.knowledge import Card, Symbol, card, card_for, deprecation_note, version_note
from torchlore.knowledge.model import ParameterChange
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


def symbol_page(shown: Symbol) -> str:
    """What is known of a name of torch: signature, versions, line, parameters that came or went."""
    parts = [f"# {shown.name}", fenced(signature_of(shown), "python")]
    parts += [version_note(shown), deprecation_note(shown), shown.summary]
    changes = [_told_change(change) for change in shown.changes]
    parts.append("\n".join(f"- {change}" for change in changes))
    answer = card_for(shown.name)
    if answer is not None:
        parts.append(f"{answer.question} `torchlore explain {answer.slug}`")
    return _joined([part for part in (*parts, shown.url) if part])


def signature_of(symbol: Symbol) -> str:
    """A symbol as a line of code: what it is, its name and its arguments."""
    if symbol.kind in ("class", "exception"):
        return f"class {symbol.name}{symbol.signature.removesuffix(' -> None')}"
    head = "module " if symbol.kind == "module" else ""
    return f"{head}{symbol.name}{symbol.signature}"


def fenced(code: str, language: str = "") -> str:
    """`code` as a fenced block whose fence is longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"


def _told_change(change: ParameterChange) -> str:
    told = [f"new in torch {change.since}"] if change.since else []
    told += [f"removed in torch {change.removed}"] if change.removed else []
    return f"`{change.name}`: {', '.join(told)}"


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
