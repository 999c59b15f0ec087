"""What helps while somebody types, registered where the client declares it and the user wants it.

Where the client tells what is set, in one folder or later, the user may want it yet. Where it is off the
handlers answer with nothing.
"""

from __future__ import annotations

from lsprotocol import types

from torchlore.lsp.server import Server, later


def register(server: Server) -> None:
    """Registers the requests. Called by `initialize`, when client and settings are known."""
    declared, settings = server.client.declared, server.settings
    may_change = server.client.configuration
    if declared.completion and (settings.completion or may_change):
        options = types.CompletionOptions(
            trigger_characters=[".", "=", '"', "'"], resolve_provider=declared.resolves_documentation
        )
        server.handle(types.TEXT_DOCUMENT_COMPLETION, later("completion", "completion"), options)
        if declared.resolves_documentation:
            server.handle(types.COMPLETION_ITEM_RESOLVE, later("completion", "resolved"))
    if declared.signature_help and (settings.signature_help or may_change):
        signature = types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=["=", ")"])
        server.handle(
            types.TEXT_DOCUMENT_SIGNATURE_HELP, later("signature_help", "signature_help"), signature
        )
    if declared.inlay_hints:  # also for what the user's own lines gave in a run
        server.handle(types.TEXT_DOCUMENT_INLAY_HINT, later("inlay_hints", "inlay_hints"))
    if declared.code_lenses and (settings.code_lens or may_change):
        lens = types.CodeLensOptions(resolve_provider=False)
        server.handle(types.TEXT_DOCUMENT_CODE_LENS, later("code_lenses", "code_lenses"), lens)
    if declared.document_links and (settings.document_links or may_change):
        link = types.DocumentLinkOptions(resolve_provider=True)
        server.handle(types.TEXT_DOCUMENT_DOCUMENT_LINK, later("document_links", "document_links"), link)
        server.handle(types.DOCUMENT_LINK_RESOLVE, later("document_links", "resolved"))
    if declared.symbols and (settings.workspace_symbols or may_change):
        server.handle(types.WORKSPACE_SYMBOL, later("workspace_symbols", "workspace_symbols"))
