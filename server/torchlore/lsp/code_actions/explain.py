"""Read the whole answer, or run its proof."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from torchlore import knowledge
from torchlore.device import Trust
from torchlore.knowledge import Card
from torchlore.lsp.code_actions.model import Asked
from torchlore.lsp.code_actions.run import on_devices
from torchlore.lsp.findings import to_diagnostic
from torchlore.lsp.names import EXPLAIN, EXPLAIN_KIND, PROVE, QUICK_FIX, RUN, RUN_KIND
from torchlore.proof import versions_of
from torchlore.rules import rule_by_code_or_name

KINDS = (QUICK_FIX, EXPLAIN_KIND, RUN_KIND)


def actions(asked: Asked) -> Iterator[types.CodeAction]:
    """Explain each finding here and the symbol under the cursor, and run the snippets of their cards."""
    cards: dict[str, Card] = {}
    explained: set[str] = set()
    for finding in asked.findings():
        if finding.code not in explained:
            explained.add(finding.code)
            action = _command(f"Explain {finding.name}", QUICK_FIX, EXPLAIN, {"code": finding.code})
            action.diagnostics = [to_diagnostic(finding, asked.known, asked.server)]
            yield action
        rule = rule_by_code_or_name(finding.code)
        behind = knowledge.card(rule.card) if rule is not None else None
        if behind is not None:
            cards[behind.slug] = behind
    if asked.unasked:
        return  # These alone are no reason for a light bulb on every line that names torch.
    here = _card_under_cursor(asked)
    if here is not None:
        yield _command(f"Explain: {here.question}", EXPLAIN_KIND, EXPLAIN, {"slug": here.slug})
        cards[here.slug] = here
    if asked.server.settings.trust is Trust.TRUSTED:
        for code in sorted(explained):
            rule = rule_by_code_or_name(code)
            if rule is not None and versions_of(rule) is not None:
                title = f"Show that this is wrong: run the example of {rule.name} both ways"
                yield _command(title, RUN_KIND, PROVE, {"code": code, "uri": asked.known.uri})
        for card in cards.values():
            if card.snippet:
                arguments = {"slug": card.slug, "uri": asked.known.uri}
                yield from on_devices(f"Run the proof: {card.question}", RUN, arguments, asked)


def _card_under_cursor(asked: Asked) -> Card | None:
    at = asked.known.analysis.symbol_at(asked.span.start)
    if at is None:
        return None
    found = knowledge.find_card(at.candidates, knowledge.resolve(at.candidates))
    return found.card if found is not None and found.is_near else None


def _command(title: str, kind: str, command: str, argument: dict[str, str]) -> types.CodeAction:
    run = types.Command(title, command, arguments=[argument])
    return types.CodeAction(title=title, kind=kind, command=run)
