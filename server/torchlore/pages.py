"""Cards, rules and symbols as whole Markdown pages, for the terminal, the editor and the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from torchlore import rules
from torchlore.analysis import analyze
from torchlore.knowledge import Card, Symbol, card, card_for, data_root, deprecation_note, version_note
from torchlore.knowledge.model import ParameterChange
from torchlore.text import Source

_SECTIONS = {
    "Details": "details",
    "Pitfalls": "pitfalls",
    "Corrections": "corrections",
    "Follow-ups": "follow_ups",
}
_PICTURE = re.compile(r"!\[([^\]\n]*)\]\(\.\./\.\./pictures/([a-z0-9-]+\.svg)\)")


def described(alt: str, file: str) -> str:
    """What stands for a picture where none can be shown."""
    return f"*Picture.* {alt}"


def beside_page(alt: str, file: str) -> str:
    """A picture whose file lies in the folder of the page."""
    return f"![{alt}]({file})"


def card_page(shown: Card, picture: Callable[[str, str], str] = described) -> str:
    """The whole of a card, its snippet included; empty sections are left out.

    Args:
        shown: the card.
        picture: what stands for a picture, from its alternative text and the name of its file. A card links
            to it from where the card itself lies, which is of no use on a page that is shown elsewhere.
    """
    parts = [f"# {shown.question}", shown.answer]
    for title, field in _SECTIONS.items():
        text: str = _PICTURE.sub(lambda found: picture(found[1], found[2]), getattr(shown, field))
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


def picture_files(shown: Card) -> tuple[Path, ...]:
    """The files of the pictures that a card shows, those that are there."""
    texts = "".join(getattr(shown, field) for field in _SECTIONS.values())
    paths = (data_root() / "pictures" / found[2] for found in _PICTURE.finditer(texts))
    return tuple(path for path in paths if path.is_file())


def answer_page(found: list[Card], picture: Callable[[str, str], str] = described) -> str:
    """The first of the cards that were found, and the questions of the others.

    Args:
        found: the cards, at least one.
        picture: what stands for a picture: see `card_page`.
    """
    others = "\n".join(f"- {other.question} (`{other.slug}`)" for other in found[1:])
    return _joined([card_page(found[0], picture), *(["## Next best", others] if others else [])])


def rule_page(rule: type[rules.Rule]) -> str:
    """The whole documentation of a rule, and which card has the answer behind it."""
    facts = f"Family **{rule.family.value}** · severity **{rule.severity.value}** · since {rule.since}"
    parts = [f"# {rule.name} ({rule.code})", facts, rule.documentation()]
    behind = card(rule.card)
    if behind is not None:
        parts += ["## Read more", f"{behind.question} (`torchlore explain {behind.slug}`)"]
    return _joined(parts)


def fix_of(rule: type[rules.Rule]) -> str:
    """What a rule does about the example in its documentation: "safe", "offered", or "" for nothing."""
    example = _EXAMPLE.search(rule.documentation())
    found = rules.check(analyze(Source(example[1]))) if example is not None else []
    fixes = [fix for finding in found if finding.code == rule.code for fix in finding.fixes]
    return "safe" if any(fix.safe for fix in fixes) else "offered" if fixes else ""


_EXAMPLE = re.compile(r"^## Example$.*?^```py\n(.*?)^```$", re.M | re.S)


def symbol_page(shown: Symbol) -> str:
    """What PyTorch itself says of a symbol: signature, versions, its line, parameters, where to read on."""
    parts = [fenced(signature(shown), "python")]
    parts += [version_note(shown), deprecation_note(shown), shown.summary]
    parts.append("\n".join(f"- {_told_change(change)}" for change in shown.changes))
    answer = card_for(shown.name)
    if answer is not None:
        parts.append(f"{answer.question} `torchlore explain {answer.slug}`")
    if shown.url:
        parts.append(f"[PyTorch documentation]({shown.url})")
    return _joined([part for part in parts if part])


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


def _told_change(change: ParameterChange) -> str:
    told = [f"new in torch {change.since}"] if change.since else []
    told += [f"removed in torch {change.removed}"] if change.removed else []
    return f"`{change.name}`: {', '.join(told)}"


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
