"""What a name's versions mean for whoever uses it: one line, where it matters."""

from __future__ import annotations

import re

from torchlore.knowledge.model import Symbol

OLDEST = "2.4"
"""The oldest torch that torchlore speaks of: what is newer may be missing where the code runs."""


def version_note(symbol: Symbol, torch: str | None = None) -> str:
    """One line of Markdown about the versions of torch that have a symbol; "" where that does not matter.

    Args:
        torch: the version that the user has, None where that is not known.
    """
    if symbol.removed:
        instead = f"; use `{symbol.replacement}`" if symbol.replacement else ""
        still = f" (torch {torch} has it)" if torch and _number(torch) < _number(symbol.removed) else ""
        return f"Removed in torch {symbol.removed}{still}{instead}."
    if symbol.since and torch and _number(torch) < _number(symbol.since):
        return f"New in torch {symbol.since}: torch {torch} does not have it."
    if symbol.since and _number(symbol.since) > _number(OLDEST):
        return f"New in torch {symbol.since}."
    return ""


def deprecation_note(symbol: Symbol) -> str:
    """Torch's advice about a deprecated symbol and since when it is given; "" where there is none.

    Nor where the symbol is gone and `version_note` says what to use.
    """
    if not symbol.deprecated or (symbol.removed and symbol.replacement):
        return ""
    says_when = symbol.deprecated_since is None or symbol.deprecated.startswith("Since torch")
    since = "" if says_when else f" since torch {symbol.deprecated_since}"
    return f"**Deprecated{since}.** {symbol.deprecated}"


def _number(version: str) -> tuple[int, ...]:
    """Major and minor: what a version has is decided by them."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
