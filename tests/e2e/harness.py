"""An editor for tests: the real server process behind the capabilities that a real editor declares.

Lines and columns are counted here without torchlore's code, so that both would have to be wrong alike.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Union

import pytest_lsp.client
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.protocol import default_converter
from pygls.uris import to_fs_path
from pytest_lsp import LanguageClient

CLIENTS = {path.stem: path for path in sorted((Path(__file__).parent / "clients").glob("*.json"))}
SECONDS = 30.0
"""Far more than anything needs; only a hang takes so long."""


def server_environment() -> dict[str, str]:
    server = str(Path(__file__).parents[2] / "server")
    return {**os.environ, "PYTHONPATH": server}


def server_command() -> list[str]:
    return [sys.executable, "-m", "torchlore", "serve"]


class Client(LanguageClient):
    """pytest-lsp's client, which also keeps the version of what is published."""

    def __init__(self) -> None:
        super().__init__(converter_factory=_converter)
        self.published: dict[str, types.PublishDiagnosticsParams] = {}
        self.arrived = asyncio.Event()
        features = dict(pytest_lsp.client.DEFAULT_CLIENT_FEATURES)
        features[types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS] = functools.partial(self._publish)
        self.questions: list[types.ShowMessageRequestParams] = []
        features[types.WINDOW_SHOW_MESSAGE_REQUEST] = functools.partial(self._agree)
        pytest_lsp.client.register_lsp_features(self, features)

    def _agree(self, params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        self.questions.append(params)
        return params.actions[0] if params.actions else None

    def _publish(self, params: types.PublishDiagnosticsParams) -> None:
        self.published[params.uri] = params
        self.arrived.set()


class Editor:
    """A client that has introduced itself, and the texts that it shows."""

    def __init__(self, client: Client, capabilities: types.ClientCapabilities) -> None:
        self.client = client
        self.capabilities = capabilities
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.encoding = "utf-16"
        self.pulls = False
        self.server: types.ServerCapabilities

    async def initialize(
        self, root: Path, info: types.ClientInfo | None = None, options: object = None
    ) -> None:
        uri = root.as_uri()
        folders = [types.WorkspaceFolder(uri, root.name)]
        result = await self.client.initialize_session(
            types.InitializeParams(
                capabilities=self.capabilities,
                client_info=info,
                root_uri=uri,
                workspace_folders=folders,
                initialization_options=options,
            )
        )
        self.server = result.capabilities
        encoding = self.server.position_encoding or "utf-16"
        self.encoding = str(getattr(encoding, "value", encoding))
        self.pulls = self.server.diagnostic_provider is not None

    def open(self, uri: str, text: str, language: str = "python") -> str:
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def close(self, uri: str) -> None:
        del self.texts[uri]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.identifier(uri)))

    def change(self, uri: str, *edits: tuple[int, int, str]) -> None:
        """Replaces stretches of the text, one after the other, in one notification."""
        changes: list[types.TextDocumentContentChangeEvent] = []
        for start, end, new in edits:
            place = types.Range(self.position(uri, start), self.position(uri, end))
            changes.append(types.TextDocumentContentChangePartial(place, new))
            self.texts[uri] = self.texts[uri][:start] + new + self.texts[uri][end:]
        self.versions[uri] += 1
        identifier = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, changes))

    def identifier(self, uri: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(uri)

    def position(self, uri: str, offset: int) -> types.Position:
        before = re.split(r"\r\n|\n|\r", self.texts[uri][:offset])
        return types.Position(len(before) - 1, units(before[-1], self.encoding))

    def offset(self, text: str, position: types.Position) -> int:
        starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]
        start = starts[position.line]
        column = 0
        while units(text[start : start + column], self.encoding) < position.character:
            column += 1
            assert start + column <= len(text), f"{position} is outside the text"
        return start + column

    def segment(self, uri: str, place: types.Range) -> str:
        text = self.texts[uri]
        return text[self.offset(text, place.start) : self.offset(text, place.end)]

    async def hover(self, uri: str, marker: str, inside: int = 0) -> types.Hover | None:
        """The hover on the first occurrence of `marker`, `inside` characters into it."""
        at = self.position(uri, self.texts[uri].index(marker) + inside)
        params = types.HoverParams(self.identifier(uri), at)
        return await self.client.text_document_hover_async(params)

    async def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        """The diagnostics of the version that is shown, asked for or waited for."""
        if self.pulls:
            params = types.DocumentDiagnosticParams(self.identifier(uri))
            report = await self.client.text_document_diagnostic_async(params)
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            return list(report.items)
        return list((await self.published(uri, self.versions[uri])).diagnostics)

    async def published(self, uri: str, version: int | None) -> types.PublishDiagnosticsParams:
        async def wait() -> types.PublishDiagnosticsParams:
            while uri not in self.client.published or self.client.published[uri].version != version:
                self.client.arrived.clear()
                await self.client.arrived.wait()
            return self.client.published[uri]

        return await asyncio.wait_for(wait(), SECONDS)

    async def actions(
        self,
        uri: str,
        start: int,
        end: int | None = None,
        only: Sequence[str] | None = None,
        trigger: types.CodeActionTriggerKind | None = None,
    ) -> list[types.CodeAction]:
        place = types.Range(self.position(uri, start), self.position(uri, start if end is None else end))
        context = types.CodeActionContext([], only=only, trigger_kind=trigger)  # type: ignore[arg-type]
        params = types.CodeActionParams(self.identifier(uri), place, context)
        found = await self.client.text_document_code_action_async(params) or []
        assert all(isinstance(action, types.CodeAction) for action in found)
        return [await self._resolved(action) for action in found if isinstance(action, types.CodeAction)]

    async def _resolved(self, action: types.CodeAction) -> types.CodeAction:
        """The action as it is when it is chosen."""
        if action.data is None:
            return action
        assert self.declares("text_document", "code_action", "resolve_support")
        assert action.edit is None and action.command is None
        return await self.client.code_action_resolve_async(action)

    async def execute(self, command: str, *arguments: Any) -> Any:
        params = types.ExecuteCommandParams(command, list(arguments))
        return await self.client.workspace_execute_command_async(params)

    def apply(self, edit: types.WorkspaceEdit | None) -> dict[str, str]:
        """The texts that `edit` changes, after it; nothing is sent. Checks that the form was declared."""
        assert edit is not None
        edits = dict(edit.changes or {})
        for change in edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            assert self.declares("workspace", "workspace_edit", "document_changes")
            assert change.text_document.version in (None, self.versions[change.text_document.uri])
            edits[change.text_document.uri] = list(change.edits)  # type: ignore[arg-type]
        return {uri: self._applied(self.texts[uri], found) for uri, found in edits.items()}

    def accept(self, uri: str, edit: types.WorkspaceEdit | None) -> str:
        """Applies `edit` and tells the server, as an editor does."""
        (text,) = self.apply(edit).values()
        self.change(uri, (0, len(self.texts[uri]), text))
        return text

    def declares(self, *path: str) -> bool:
        value: Any = self.capabilities
        for name in path:
            value = getattr(value, name, None)
        return bool(value)

    def _applied(self, text: str, edits: Sequence[Any]) -> str:
        places = []
        for edit in edits:
            new = edit.snippet.value if isinstance(edit, types.SnippetTextEdit) else edit.new_text
            if isinstance(edit, types.SnippetTextEdit):
                assert self.declares("workspace", "workspace_edit", "snippet_edit_support")
            places.append((self.offset(text, edit.range.start), self.offset(text, edit.range.end), new))
        for (_, end, _), (start, _, _) in zip(sorted(places), sorted(places)[1:], strict=False):
            assert end <= start, "edits of one answer must not overlap"
        for start, end, new in sorted(places, reverse=True):
            text = text[:start] + new + text[end:]
        return text


def _converter() -> Any:
    """pygls' converter, which takes every code action that carries a command for a bare command."""
    converter = default_converter()

    def structure(value: dict[str, Any], _: Any) -> types.Command | types.CodeAction:
        bare = isinstance(value.get("command"), str)
        return converter.structure(value, types.Command if bare else types.CodeAction)

    converter.register_structure_hook(types.Command | types.CodeAction, structure)
    converter.register_structure_hook(Union[types.Command, types.CodeAction], structure)  # noqa: UP007
    return converter


async def eventually(condition: Callable[[], bool]) -> None:
    """Waits until `condition` holds; fails where it never does."""

    async def wait() -> None:
        while not condition():  # noqa: ASYNC110  # Nothing tells when it holds.
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), SECONDS)


def page(uri: str) -> Path:
    """The file of a page that the server asked to show."""
    path = to_fs_path(uri)
    assert path is not None
    return Path(path)


def units(text: str, encoding: str) -> int:
    codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding]
    return len(text.encode(codec)) // width


def recorded(name: str) -> types.InitializeParams:
    """What a real editor sent, recorded from it. Its other parameters are not kept."""
    recording = json.loads(CLIENTS[name].read_text(encoding="utf-8"))
    recording.update({"processId": None, "rootUri": None})
    return get_converter().structure(recording, types.InitializeParams)


@asynccontextmanager
async def editor(
    root: Path,
    capabilities: types.ClientCapabilities | None = None,
    *,
    name: str | None = None,
    options: object = None,
) -> AsyncIterator[Editor]:
    """A server and an editor: a recorded one by its name, or one with the capabilities given."""
    params = recorded(name) if name else None
    declared = params.capabilities if params else capabilities or types.ClientCapabilities()
    client = Client()
    await client.start_io(*server_command(), env=server_environment())
    try:
        shown = Editor(client, declared)
        await shown.initialize(root, params.client_info if params else None, options)
        yield shown
        await asyncio.wait_for(client.shutdown_session(), SECONDS)
    finally:
        if client._server is not None and client._server.returncode is None:
            client._server.kill()  # a test that failed did not end the session: `stop` would wait for it
        await client.stop()
