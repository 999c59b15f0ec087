"""`workspace/executeCommand`: answer a question, explain a card or a rule. Runs are in `runs.py`."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types

from torchlore import knowledge
from torchlore.lsp.markdown import plain
from torchlore.lsp.server import Server
from torchlore.lsp.show import show_page, tell
from torchlore.pages import answer_page, beside_page, card_page, picture_files, rule_page
from torchlore.rules import rule_by_code_or_name

_NEXT = 4
"""Cards named after the one that answers best."""


async def ask(server: Server, arguments: list[Any]) -> None:
    """Shows the card that answers best to `{"words": ...}`, and names those that come next."""
    words = first_of(arguments).get("words")
    asked = words.strip() if isinstance(words, str) else ""
    if not asked:
        tell(server, "Ask torchlore a question, for a name of PyTorch, or about an error message.")
        return
    # The first question reads and counts all cards, which takes a while.
    found = await asyncio.get_running_loop().run_in_executor(None, knowledge.search, asked, 1 + _NEXT)
    if not found:
        tell(
            server,
            f"torchlore has no card that answers “{asked}”. Try other words, or the name of a function.",
            types.MessageType.Warning,
        )
        return
    best = found[0]
    in_short = f"{best.question} {plain(best.summary)}"
    page = answer_page(found, beside_page)
    await show_page(server, f"explain-{best.slug}", page, in_short, picture_files(best))


async def explain(server: Server, arguments: list[Any]) -> None:
    """Shows the page of `{"slug": ...}` (a card) or `{"code": ...}` (a rule)."""
    asked = first_of(arguments)
    slug, code = asked.get("slug"), asked.get("code")
    card = knowledge.card(slug) if isinstance(slug, str) else None
    rule = rule_by_code_or_name(code) if isinstance(code, str) else None
    if card is not None:
        in_short = f"{card.question} {plain(card.summary)}"
        page, pictures = card_page(card, beside_page), picture_files(card)
        await show_page(server, f"explain-{card.slug}", page, in_short, pictures)
    elif rule is not None:
        behind = knowledge.card(rule.card)
        in_short = f"{rule.code} {rule.name}. {plain(behind.summary) if behind else ''}"
        await show_page(server, f"explain-{rule.name}", rule_page(rule), in_short)
    else:
        tell(
            server,
            f"torchlore has no card and no rule called “{slug or code or ''}”",
            types.MessageType.Warning,
        )


def first_of(arguments: list[Any]) -> dict[str, Any]:
    """The command's one argument; whatever else a client sends counts as none."""
    first = arguments[0] if arguments else None
    return first if isinstance(first, dict) else {}
