"""Where a hover leads: to the whole answer, its proof, PyTorch's documentation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from pygls.uris import from_fs_path

from torchlore import knowledge
from torchlore.device import Trust
from torchlore.knowledge import Card, Symbol
from torchlore.lsp.names import EXPLAIN, RUN
from torchlore.lsp.server import Server


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links of the kind that the client follows.

    Attributes:
        uri: of the file that the hover is in.
        commands: the client runs commands that are linked in a hover.
        markdown: it shows Markdown.
        runs: snippets may be run.
    """

    uri: str
    commands: bool
    markdown: bool
    runs: bool

    def whole(self, card: Card, title: str = "Whole answer") -> str:
        """Where the whole of a card is: a command, the card's file, or the command line."""
        if self.commands:
            return f"[{title}]({_command(EXPLAIN, {'slug': card.slug})})"
        if self.markdown:
            return f"[{title}]({from_fs_path(str(knowledge.data_root() / card.path))})"
        colon = "" if title.endswith(("?", ".")) else ":"
        return f"{title}{colon} torchlore explain {card.slug}"

    def proof(self, card: Card) -> str:
        """What runs a card's snippet; empty where nothing can."""
        if not self.runs or not card.snippet:
            return ""
        if self.commands:
            return f"[Run the proof]({_command(RUN, {'slug': card.slug, 'uri': self.uri})})"
        return "" if self.markdown else f"Proof: torchlore run {card.slug}"

    def documentation(self, symbol: Symbol | None) -> str:
        """PyTorch's page about a symbol."""
        return f"[PyTorch documentation]({symbol.url})" if symbol is not None and symbol.url else ""


def links_for(server: Server, uri: str) -> Links:
    """What the client on the other side can follow."""
    markdown = server.client.markdown
    trusted = server.settings.trust is Trust.TRUSTED
    return Links(uri, markdown and server.settings.command_links, markdown, trusted)


def _command(name: str, argument: dict[str, str]) -> str:
    return f"command:{name}?{quote(json.dumps([argument]))}"
