"""Where a hover leads: to the whole answer, its proof, PyTorch's documentation."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from pygls.uris import from_fs_path

from torchlore import knowledge
from torchlore.device import Trust
from torchlore.knowledge import Card, Symbol
from torchlore.lsp.markdown import escaped
from torchlore.lsp.names import EXPLAIN, INSERT, RUN
from torchlore.lsp.server import Server
from torchlore.pages import picture_files

_PICTURE_WIDTH = 400
"""In pixels: as wide as the narrowest of the hovers."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links of the kind that the client follows.

    Attributes:
        uri: of the file that the hover is in.
        commands: the client runs commands that are linked in a hover.
        markdown: it shows Markdown.
        runs: snippets may be run.
        ran: how the last run of each card's snippet went.
        here: the document, a cell perhaps, and its line (0-based) under the cursor; None where nothing can be
            inserted.
        pictures: it shows pictures in a hover.
    """

    uri: str
    commands: bool
    markdown: bool
    runs: bool
    here: tuple[str, int] | None = None
    ran: Mapping[str, str] = field(default_factory=dict)
    pictures: bool = False

    def of(self, card: Card) -> tuple[str, str, str]:
        """Where a card leads: to the whole of it, to its proof, to what it has to insert; empty ones too."""
        return self.whole(card), self.proof(card), self.insertion(card)

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
        last = f"Last run: {escaped(self.ran[card.slug])}" if card.slug in self.ran else ""
        if self.commands:
            link = f"[Run the proof]({_command(RUN, {'slug': card.slug, 'uri': self.uri})})"
            return f"{link} · {last}" if last else link
        return last if self.markdown else last or f"Proof: torchlore run {card.slug}"

    def rule(self, code: str, name: str) -> str:
        """Where the whole documentation of a rule is: a command, or the command line."""
        if self.commands:
            return f"[All about this rule]({_command(EXPLAIN, {'code': code})})"
        return f"All about this rule: `torchlore explain {name}`"

    def insertion(self, card: Card) -> str:
        """What inserts the snippet that a card explains; empty where there is none, or where nothing can."""
        found = knowledge.inserts_of(card) if self.commands and self.here is not None else ()
        if not found or self.here is None:
            return ""
        argument = {"slug": found[0].slug, "uri": self.here[0], "line": self.here[1]}
        return f"[Insert: {found[0].title}]({_command(INSERT, argument)})"

    def picture(self, card: Card) -> str:
        """The first picture of a card, whole: a hover on another machine cannot read our files."""
        return _picture(card) if self.markdown and self.pictures else ""

    def documentation(self, symbol: Symbol | None) -> str:
        """PyTorch's page about a symbol."""
        return f"[PyTorch documentation]({symbol.url})" if symbol is not None and symbol.url else ""


def links_for(server: Server, uri: str, here: tuple[str, int]) -> Links:
    """What the client on the other side can follow from a place; see `Links`."""
    markdown = server.client.markdown
    trusted = server.settings.trust is Trust.TRUSTED
    commands = markdown and server.settings.command_links
    place = here if server.client.apply_edit else None
    return Links(uri, commands, markdown, trusted, place, server.last_runs, server.settings.pictures)


@lru_cache(maxsize=64)
def _picture(card: Card) -> str:
    file = next(iter(picture_files(card)), None)
    if file is None:
        return ""
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    return f"![{file.stem}](data:image/svg+xml;base64,{data}|width={_PICTURE_WIDTH})"


def _command(name: str, argument: Mapping[str, object]) -> str:
    return f"command:{name}?{quote(json.dumps([argument]))}"
