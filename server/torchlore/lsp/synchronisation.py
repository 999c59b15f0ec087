"""Opening, changing and closing files. pygls updates the mirror before these are called."""

from __future__ import annotations

from lsprotocol import types

from torchlore.lsp import diagnostics
from torchlore.lsp.server import Server


def register(server: Server) -> None:
    """Registers the document notifications. They are synchronous: their order is the order of the edits."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        diagnostics.text_changed(server, params.text_document.uri)
        server.learn(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        diagnostics.text_changed(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.analyses.forget(params.text_document.uri)
        diagnostics.closed(server, params.text_document.uri)
