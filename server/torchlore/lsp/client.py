"""What the client on the other side can do. Read once, when it introduces itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from lsprotocol import types
from pygls.capabilities import get_capability

from torchlore.lsp.declared import Declared, declared_by
from torchlore.text import Encoding


@dataclass(frozen=True, slots=True)
class Client:
    """What the client declared; whatever it did not declare it does not get.

    Attributes:
        encoding: the unit of columns: the first in the client's list, UTF-16 where it has none.
        pulls: it asks for diagnostics and can be told to ask again. Without the second we publish.
        watches: it can be asked to tell of files that change on disk.
        configuration: it can be asked what is set.
        tells_settings: it can be asked to tell when settings change.
        literals: it understands code actions that carry an edit, not only commands.
        resolves: it asks for the edit of a code action when that is chosen.
        snippet_edits: it understands `SnippetTextEdit` in a workspace edit.
        declared: what it can show of completion and its like.
    """

    name: str = ""
    encoding: Encoding = Encoding.UTF16
    markdown: bool = False
    pulls: bool = False
    watches: bool = False
    configuration: bool = False
    tells_settings: bool = False
    related: bool = False
    code_description: bool = False
    diagnostic_tags: bool = False
    literals: bool = False
    resolves: bool = False
    preferred: bool = False
    document_changes: bool = False
    snippet_edits: bool = False
    apply_edit: bool = False
    progress: bool = False
    show_document: bool = False
    inlay_refresh: bool = False
    lens_refresh: bool = False
    declared: Declared = field(default_factory=Declared)


def client_of(params: types.InitializeParams) -> Client:
    """What `params` declare."""
    declared = params.capabilities

    def has(path: str) -> bool:
        return bool(get_capability(declared, path, False))

    pulls = get_capability(declared, "text_document.diagnostic", None) is not None
    pulls = pulls and has("workspace.diagnostics.refresh_support")
    diagnostics = "text_document.diagnostic" if pulls else "text_document.publish_diagnostics"
    formats = get_capability(declared, "text_document.hover.content_format", None) or ()
    resolved = get_capability(declared, "text_document.code_action.resolve_support.properties", None) or ()
    return Client(
        name=params.client_info.name if params.client_info else "",
        encoding=_encoding(get_capability(declared, "general.position_encodings", None) or ()),
        markdown=types.MarkupKind.Markdown in formats,
        pulls=pulls,
        watches=has("workspace.did_change_watched_files.dynamic_registration"),
        configuration=has("workspace.configuration"),
        tells_settings=has("workspace.did_change_configuration.dynamic_registration"),
        related=has(f"{diagnostics}.related_information"),
        code_description=has(f"{diagnostics}.code_description_support"),
        diagnostic_tags=has(f"{diagnostics}.tag_support"),
        literals=has("text_document.code_action.code_action_literal_support"),
        resolves="edit" in resolved and has("text_document.code_action.data_support"),
        preferred=has("text_document.code_action.is_preferred_support"),
        document_changes=has("workspace.workspace_edit.document_changes"),
        snippet_edits=has("workspace.workspace_edit.snippet_edit_support"),
        apply_edit=has("workspace.apply_edit"),
        progress=has("window.work_done_progress"),
        show_document=has("window.show_document.support"),
        declared=declared_by(declared),
        inlay_refresh=has("workspace.inlay_hint.refresh_support"),
        lens_refresh=has("workspace.code_lens.refresh_support"),
    )


def _encoding(offered: object) -> Encoding:
    for kind in offered if isinstance(offered, (list, tuple)) else ():
        try:
            return Encoding(getattr(kind, "value", kind))
        except ValueError:
            continue
    return Encoding.UTF16
