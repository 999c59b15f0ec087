"""A very small editor: it starts the real server and asks what an editor asks. For `torchlore demo`.

Everything that leaves this module is plain data, so that its callers need not know the protocol.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.uris import to_fs_path

from torchlore import __version__
from torchlore.text import Edit, Encoding, Source, Span, apply_edits

FIX_ALL = "source.fixAll.torchlore"
_ENCODING = Encoding.UTF16
_SECONDS_TO_LEAVE = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """One diagnostic; rows and columns count from 1, columns in code points, the end is not included."""

    row: int
    column: int
    end_row: int
    end_column: int
    code: str
    message: str


@dataclass(slots=True)
class Editor:
    """One open file in a running server. Made by `editing`.

    Attributes:
        source: the file's current text.
        pages: the texts of the documents that the server asked to be shown, oldest first.
        messages: what the server told the user in one line, and the titles of its progress.
    """

    client: LanguageClient
    uri: str
    source: Source
    pages: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    async def hover(self, offset: int) -> str:
        """The Markdown of the hover at `offset`; "" where there is none."""
        line, character = self.source.position(offset, _ENCODING)
        params = types.HoverParams(types.TextDocumentIdentifier(self.uri), types.Position(line, character))
        hover = await self.client.text_document_hover_async(params)
        return hover.contents.value if hover and isinstance(hover.contents, types.MarkupContent) else ""

    async def diagnostics(self) -> list[Shown]:
        """What is underlined in the file now."""
        return [self._shown(item) for item in await self._diagnostics()]

    async def fix(self) -> list[str]:
        """Applies the first quick fix of one diagnostic after the other; the titles of those fixes."""
        titles: list[str] = []
        while (action := await self._first_fix()) is not None and action.edit is not None:
            titles.append(action.title)
            self._apply(action.edit)
        return titles

    async def run(self, slug: str) -> dict[str, Any] | None:
        """Runs a card's snippet through the server and waits; the outcome that the server answers with."""
        params = types.ExecuteCommandParams("torchlore.run", [{"slug": slug, "wait": True}])
        outcome = await self.client.workspace_execute_command_async(params)
        return outcome if isinstance(outcome, dict) else None

    async def _diagnostics(self) -> list[types.Diagnostic]:
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(self.uri))
        report = await self.client.text_document_diagnostic_async(params)
        return list(report.items) if isinstance(report, types.RelatedFullDocumentDiagnosticReport) else []

    async def _first_fix(self) -> types.CodeAction | None:
        """The first quick fix that mends something. Edits move what follows, so every fix asks anew."""
        for diagnostic in await self._diagnostics():
            context = types.CodeActionContext([diagnostic], only=[types.CodeActionKind.QuickFix])
            where = types.TextDocumentIdentifier(self.uri)
            params = types.CodeActionParams(where, diagnostic.range, context)
            for action in await self.client.text_document_code_action_async(params) or []:
                if isinstance(action, types.CodeAction) and action.edit and not _only_ignores(action):
                    return action
        return None

    @property
    def process_id(self) -> int | None:
        """Of the server."""
        return self.client._server.pid if self.client._server is not None else None

    def _apply(self, edit: types.WorkspaceEdit) -> None:
        self.replace(
            apply_edits(self.source.text, [self._edit(item) for item in _text_edits(edit, self.uri)])
        )

    def replace(self, text: str) -> None:
        """Makes `text` the file's next version."""
        self.source = Source(text, self.source.path, self.source.version + 1)
        identifier = types.VersionedTextDocumentIdentifier(self.source.version, self.uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))

    def _edit(self, edit: types.TextEdit) -> Edit:
        start, end = edit.range.start, edit.range.end
        begin = self.source.offset(start.line, start.character, _ENCODING)
        return Edit(Span(begin, self.source.offset(end.line, end.character, _ENCODING)), edit.new_text)

    def _shown(self, diagnostic: types.Diagnostic) -> Shown:
        row, column = self._place(diagnostic.range.start)
        end_row, end_column = self._place(diagnostic.range.end)
        return Shown(row, column, end_row, end_column, str(diagnostic.code), diagnostic.message)

    def _place(self, position: types.Position) -> tuple[int, int]:
        offset = self.source.offset(position.line, position.character, _ENCODING)
        line, column = self.source.position(offset)
        return line + 1, column + 1


@asynccontextmanager
async def editing(command: Sequence[str], path: Path, text: str) -> AsyncIterator[Editor]:
    """Starts a server, opens a file in it and shuts it down at the end.

    Args:
        command: the program to start and its arguments; it must speak the protocol on stdin and stdout.
        path: of the Python file, absolute; it is neither read nor written.
        text: what the file holds.

    Raises:
        OSError: the program cannot be started.
        RuntimeError: the server ended before it was asked to.
    """
    editor = Editor(LanguageClient("torchlore demo", __version__), path.as_uri(), Source(text, str(path), 1))
    _answer_server(editor)
    await editor.client.start_io(*command)
    drain = asyncio.create_task(_drain(editor.client))
    try:
        await editor.client.initialize_async(_initialize_params(path.parent))
        editor.client.initialized(types.InitializedParams())
        document = types.TextDocumentItem(editor.uri, types.LanguageKind.Python, 1, editor.source.text)
        editor.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        yield editor
        await asyncio.wait_for(editor.client.shutdown_async(None), _SECONDS_TO_LEAVE)
        editor.client.exit(None)
        await _end(editor.client, _SECONDS_TO_LEAVE)
    except BaseException:
        await _end(editor.client, 0)
        raise
    finally:
        drain.cancel()


def _answer_server(editor: Editor) -> None:
    """Answers what the server asks of an editor."""
    client = editor.client

    @client.feature(types.WINDOW_SHOW_DOCUMENT)  # type: ignore[untyped-decorator]
    def show_document(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
        path = to_fs_path(params.uri)
        if path is None:
            return types.ShowDocumentResult(success=False)
        editor.pages.append(Path(path).read_text(encoding="utf-8"))
        return types.ShowDocumentResult(success=True)

    @client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
    def show_message(params: types.ShowMessageParams) -> None:
        editor.messages.append(params.message)

    @client.feature(types.WINDOW_LOG_MESSAGE)  # type: ignore[untyped-decorator]
    def log_message(params: types.LogMessageParams) -> None:
        if params.type is types.MessageType.Error:
            editor.messages.append(params.message)

    @client.feature(types.WORKSPACE_DIAGNOSTIC_REFRESH)  # type: ignore[untyped-decorator]
    def refresh(_: None) -> None:
        """Nothing to do: diagnostics are asked for anew each time."""


def _initialize_params(folder: Path) -> types.InitializeParams:
    uri = folder.as_uri()
    return types.InitializeParams(
        process_id=os.getpid(),
        root_uri=uri,
        workspace_folders=[types.WorkspaceFolder(uri, folder.name)],
        client_info=types.ClientInfo("torchlore demo", __version__),
        capabilities=types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf16]),
            workspace=types.WorkspaceClientCapabilities(
                diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=True),
                workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True),
            ),
            text_document=types.TextDocumentClientCapabilities(
                hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
                diagnostic=types.DiagnosticClientCapabilities(),
                code_action=types.CodeActionClientCapabilities(
                    code_action_literal_support=types.ClientCodeActionLiteralOptions(
                        types.ClientCodeActionKindOptions(
                            [types.CodeActionKind.QuickFix, types.CodeActionKind.Source]
                        )
                    ),
                    is_preferred_support=True,
                ),
            ),
            window=types.WindowClientCapabilities(
                show_document=types.ShowDocumentClientCapabilities(support=True),
            ),
        ),
    )


def _only_ignores(action: types.CodeAction) -> bool:
    """Whether it adds a comment and mends nothing."""
    return action.title.startswith("Ignore ")


def _text_edits(edit: types.WorkspaceEdit, uri: str) -> list[types.TextEdit]:
    """The edits of one file, in either of the protocol's two forms."""
    found = list((edit.changes or {}).get(uri, ()))
    for change in edit.document_changes or ():
        if isinstance(change, types.TextDocumentEdit) and change.text_document.uri == uri:
            found += [item for item in change.edits if isinstance(item, types.TextEdit)]
    return found


async def _drain(client: LanguageClient) -> None:
    """Reads the server's log away: a full pipe would stop the server."""
    stderr = client._server.stderr if client._server is not None else None
    while stderr is not None and await stderr.read(65536):
        pass


async def _end(client: LanguageClient, seconds: float) -> None:
    """Waits for the server's end, and ends it by force when `seconds` are over."""
    process = client._server
    if process is None:
        return
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except asyncio.TimeoutError:
        with suppress(ProcessLookupError):  # It may have ended by itself just now.
            process.kill()
        await process.wait()
    await asyncio.gather(*client._async_tasks, return_exceptions=True)
