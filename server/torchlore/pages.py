"""Cards, rules and symbols as whole Markdown pages, for the terminal, the editor and the documentation."""

from __future__ import annotations

import re

from torchlore.knowledge import Card, Symbol, card
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


def answer_page(found: list[Card]) -> str:
    """The first of the cards that were found, and the questions of the others."""
    others = "\n".join(f"- {other.question} (`{other.slug}`)" for other in found[1:])
    return _joined([card_page(found[0]), *(["## Next best", others] if others else [])])


def rule_page(rule: type[Rule]) -> str:
    """The whole documentation of a rule, and which card has the answer behind it."""
    facts = f"Family **{rule.family.value}** · severity **{rule.severity.value}** · since {rule.since}"
    parts = [f"# {rule.name} ({rule.code})", facts, rule.documentation()]
    behind = card(rule.card)
    if behind is not None:
        parts += ["## Read more", f"{behind.question} (`torchlore explain {behind.slug}`)"]
    return _joined(parts)


def symbol_page(shown: Symbol) -> str:
    """What PyTorch itself says of a symbol: signature, its line of documentation, where to read on."""
    parts = [fenced(signature(shown), "python")]
    if shown.deprecated:
        parts.append(f"*Deprecated.* {shown.deprecated}")
    if shown.summary:
        parts.append(shown.summary)
    if shown.url:
        parts.append(f"[PyTorch documentation]({shown.url})")
    return _joined(parts)


def signature(shown: Symbol) -> str:
    """A symbol as code: `class torch.nn.Linear(in_features: int, …)`."""
    if shown.kind in ("class", "exception"):
        return f"class {shown.name}{shown.signature.removesuffix(' -> None')}"
    head = "module " if shown.kind == "module" else ""
    return f"{head}{shown.name}{shown.signature}"


def fenced(code: str, language: str = "") -> str:
    """`code` as a fenced block whose fence is longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
