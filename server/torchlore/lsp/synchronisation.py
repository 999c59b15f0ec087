"""Opening, changing and closing files and notebooks. pygls updates the mirror before these are called."""

from __future__ import annotations

from lsprotocol import types

from torchlore.lsp import dependents, diagnostics
from torchlore.lsp.server import Server


def register(server: Server) -> None:
    """Registers the document notifications. They are synchronous: their order is the order of the edits."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        _changed(server, params.text_document.uri)
        server.learn(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        _changed(server, server.documents.home(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        _forget(server, params.text_document.uri)
        dependents.text_changed(server, params.text_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_did_open(params: types.DidOpenNotebookDocumentParams) -> None:
        diagnostics.text_changed(server, params.notebook_document.uri)
        server.learn(params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_did_change(params: types.DidChangeNotebookDocumentParams) -> None:
        diagnostics.text_changed(server, params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    def notebook_did_save(params: types.DidSaveNotebookDocumentParams) -> None:
        diagnostics.text_changed(server, params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_did_close(params: types.DidCloseNotebookDocumentParams) -> None:
        _forget(server, params.notebook_document.uri)


def _changed(server: Server, uri: str) -> None:
    diagnostics.text_changed(server, uri)
    dependents.text_changed(server, uri)


def _forget(server: Server, uri: str) -> None:
    server.analyses.forget(uri)
    diagnostics.closed(server, uri)
