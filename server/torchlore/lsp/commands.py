"""`workspace/executeCommand`: answer a question, explain a card or a rule, run a snippet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from torchlore import knowledge
from torchlore.device import Limits, NotAllowed, RunResult
from torchlore.device import run as run_on_device
from torchlore.device.as_json import as_json
from torchlore.lsp.consent import require_consent
from torchlore.lsp.installed import chosen_interpreter
from torchlore.lsp.markdown import plain
from torchlore.lsp.progress import Progress, begin
from torchlore.lsp.run_page import run_page
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


@dataclass(frozen=True, slots=True)
class _Snippet:
    """`ours`: it is shipped with torchlore, not the user's."""

    name: str
    title: str
    code: str
    uri: str | None
    device: str | None
    ours: bool


async def run(server: Server, arguments: list[Any]) -> dict[str, object] | None:
    """Runs the snippet of `{"slug": ...}` or the text of `{"code": ..., "uri": ...}`, on `"device"` if named.

    Answers at once, because several editors block until it does; with `"wait": true`, when the run is
    over, and then with its outcome, as `docs/torchlore-run.schema.json` describes it.
    """
    asked = first_of(arguments)
    snippet = _snippet(asked, server.settings.device)
    if snippet is None:
        tell(
            server,
            "torchlore has no snippet of that name, and no code was given to run",
            types.MessageType.Warning,
        )
        return None
    task = server.start_task(_run_and_show(server, snippet), f"running {snippet.name}")
    if asked.get("wait") is not True:
        return None
    try:
        result: RunResult | None = await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        raise
    return as_json(result) if result is not None else None


def _snippet(asked: dict[str, Any], usual_device: str | None) -> _Snippet | None:
    slug, code, uri = asked.get("slug"), asked.get("code"), asked.get("uri")
    place = uri if isinstance(uri, str) else None
    named = asked.get("device")
    device = named if isinstance(named, str) else usual_device
    if isinstance(slug, str):
        card = knowledge.card(slug)
        if card is None or card.snippet is None:
            return None
        return _Snippet(slug, card.question, card.snippet, place, device, ours=True)
    if isinstance(code, str) and code.strip():
        return _Snippet("selection", "Your selection", code, place, device, ours=False)
    return None


async def _run_and_show(server: Server, snippet: _Snippet) -> RunResult | None:
    running = asyncio.ensure_future(_run(server, snippet))
    progress = Progress(server, None)
    stopped_by_user = False

    def stop() -> None:
        nonlocal stopped_by_user
        stopped_by_user = True
        running.cancel()

    try:
        progress = await begin(server, f"Running {snippet.name}", stop)
        result = await running
    except NotAllowed as refusal:
        progress.end("not allowed")
        tell(server, str(refusal), types.MessageType.Warning)
        return None
    except asyncio.CancelledError:
        running.cancel()
        progress.end("cancelled")
        if stopped_by_user:
            return None
        raise
    except BaseException:
        running.cancel()
        progress.end("failed")
        raise
    progress.end(result.summary())
    page = run_page(snippet.title, snippet.code, result)
    await show_page(server, f"run-{snippet.name}", page, result.summary(), drawn=result.pictures)
    return result


async def _run(server: Server, snippet: _Snippet) -> RunResult:
    if not snippet.ours:
        await require_consent(server, snippet.uri)
    return await run_on_device(
        snippet.code,
        name=snippet.name,
        interpreter=chosen_interpreter(server, snippet.uri),
        trust=server.settings.trust,
        limits=Limits(network=not snippet.ours),
        device=snippet.device,
        crew=server.crew,
    )


def first_of(arguments: list[Any]) -> dict[str, Any]:
    """The command's one argument; whatever else a client sends counts as none."""
    first = arguments[0] if arguments else None
    return first if isinstance(first, dict) else {}
