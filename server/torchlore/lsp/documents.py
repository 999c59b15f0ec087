"""The server's mirror of the open files.

pygls' own document splits lines with `str.splitlines`, which also breaks at form feeds, `\\x1c`, `\\x85`
and U+2028: one such character shifts every later position and corrupts the mirror at the next edit. Its
position codec also writes into the request that it is given. `Document` replaces both by `text.LineTable`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from torchlore.lsp.uris import is_uri, path_of
from torchlore.text import Cell, Encoding, LineTable, Notebook, Source

log = logging.getLogger(__name__)

MAX_CHARACTERS = 1_000_000
"""Longer files are mirrored but not analysed: they are data or generated code."""


class Document(TextDocument):
    """One open file, its text equal to the client's after every change.

    Attributes:
        encoding: the unit of the client's columns.
    """

    encoding: Encoding

    def __init__(
        self, uri: str, text: str, version: int | None, language: str | None, encoding: Encoding
    ) -> None:
        super().__init__(uri if is_uri(uri) else "", source=text, version=version, language_id=language)
        self.uri = uri
        self.encoding = encoding
        self._text = text
        self._table: LineTable | None = None
        self._snapshot: Source | None = None
        self._making = threading.Lock()

    @property
    def source(self) -> str:
        """The text. Never read from disk, unlike pygls': only what the client told us counts."""
        return self._text

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines with their ends, as the protocol counts them."""
        table = self._lines()
        return tuple(self._text[table.start(n) : table.start(n + 1)] for n in range(len(table)))

    @property
    def table(self) -> LineTable:
        """The lines of the current version."""
        return self._lines()

    @property
    def snapshot(self) -> Source:
        """The current version, immutable. The same object until the text changes."""
        with self._making:  # the worker asks too, for what other files import
            if self._snapshot is None:
                self._snapshot = Source(self._text, self.path or self.uri, self.version or 0, self._lines())
            return self._snapshot

    def holds(self, source: Source) -> bool:
        """Whether `source` is the current version. Makes no snapshot, so that any thread may ask."""
        return self._snapshot is source

    @property
    def analysable(self) -> bool:
        """Whether torchlore has anything to say about this file at all."""
        return len(self._text) <= MAX_CHARACTERS and self.is_python

    @property
    def is_python(self) -> bool:
        return self.language_id == "python" or (self.path or "").endswith((".py", ".pyi"))

    def offset_at_position(self, client_position: types.Position) -> int:
        """The offset (code points) of a position, moved into the text; the position stays as it was."""
        return self._lines().offset(client_position.line, client_position.character, self.encoding)

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Applies one change of a `textDocument/didChange`."""
        if isinstance(change, types.TextDocumentContentChangePartial):
            table = self._lines()
            start = self.offset_at_position(change.range.start)
            end = self.offset_at_position(change.range.end)
            start, end = min(start, end), max(start, end)
            self._table = table.edited(start, end, change.text)
            self._text = self._table.whole
        else:
            self._table = None
            self._text = change.text
        self._source = self._text
        self._snapshot = None

    def _lines(self) -> LineTable:
        if self._table is None:
            self._table = LineTable(self._text)
        return self._table


class Documents(Workspace):
    """The open files and notebooks and the workspace folders. Each cell of a notebook is a document too."""

    def __init__(
        self, root_uri: str | None, folders: list[types.WorkspaceFolder] | None, encoding: Encoding
    ) -> None:
        super().__init__(
            root_uri,
            types.TextDocumentSyncKind.Incremental,
            folders,
            types.PositionEncodingKind(encoding.value),
        )
        self.encoding = encoding
        self._notebook_sources: dict[str, Notebook] = {}

    def document(self, uri: str) -> Document | None:
        """The open document of `uri`; None where the client never opened it."""
        found = self._text_documents.get(unquote(uri))
        return found if isinstance(found, Document) else None

    def documents(self) -> Iterator[Document]:
        for document in list(self._text_documents.values()):
            if isinstance(document, Document):
                yield document

    def opened(self, path: str) -> Source | None:
        """The text that the client has of the file at `path`; None where it has none. Any thread may ask."""
        found = next((document for document in self.documents() if document.path == path), None)
        return found.snapshot if found is not None and found.analysable else None

    def folder_paths(self) -> list[str]:
        """The workspace folders."""
        paths = [path for folder in self._folders.values() if (path := path_of(folder.uri))]
        return paths or [path for path in (self.root_path,) if path]

    def homes(self) -> list[str]:
        """The URIs of the open files and notebooks."""
        return list(dict.fromkeys(self.home(document.uri) for document in self.documents()))

    def home(self, uri: str) -> str:
        """The notebook of which the document `uri` is a cell; `uri` itself where it is none."""
        notebook = self.get_notebook_document(cell_uri=uri)
        return uri if notebook is None else str(notebook.uri)

    def snapshot(self, uri: str) -> Source | None:
        """The current version of a file, or of the notebook that `uri` names or is a cell of.

        The same object until something changes. None where it is not open, not Python or too long.
        """
        notebook = self.get_notebook_document(notebook_uri=self.home(uri))
        if notebook is not None:
            return self._notebook_snapshot(notebook)
        document = self.document(uri)
        return document.snapshot if document is not None and document.analysable else None

    def is_current(self, uri: str, source: Source) -> bool:
        """Whether `source` is still what the client has on its screen. Any thread may ask."""
        if isinstance(source, Notebook):
            return self._notebook_sources.get(unquote(self.home(uri))) is source
        document = self.document(uri)
        return document is not None and document.holds(source)

    def folder_of(self, uri: str) -> str | None:
        """The path of the innermost workspace folder that holds `uri`; the first root where none does.

        A cell lies where its notebook lies: its own URI may name no file.
        """
        path = unquote(self.home(uri))
        holders = [folder for folder in self._folders if path.startswith(folder.rstrip("/") + "/")]
        if holders:
            return path_of(self._folders[max(holders, key=len)].uri)
        root: str | None = self.root_path
        if root is None and self._folders:
            root = path_of(next(iter(self._folders.values())).uri)
        return root

    def put_notebook_document(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Opens a notebook and its cells."""
        self._notebook_sources.pop(unquote(params.notebook_document.uri), None)
        super().put_notebook_document(params)

    def update_notebook_document(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Applies a change; one of a notebook that was never opened is logged and dropped."""
        uri = params.notebook_document.uri
        notebook = self.get_notebook_document(notebook_uri=uri)
        if notebook is None:
            log.warning("ignoring a change of %s, which is not open", uri)
            return
        cells = params.change.cells
        structure = cells.structure if cells is not None else None
        if structure is not None and structure.did_close:
            # pygls opens before it closes: a cell that is moved by closing and opening it would be lost.
            opened = {unquote(document.uri) for document in structure.did_open or ()}
            structure.did_close = [d for d in structure.did_close if unquote(d.uri) not in opened]
        kinds = [cell.kind for cell in notebook.cells]
        super().update_notebook_document(params)
        # Results of running a cell come as a change too, and leave the code as it is.
        if structure or (cells and cells.text_content) or kinds != [cell.kind for cell in notebook.cells]:
            self._notebook_sources.pop(unquote(uri), None)

    def remove_notebook_document(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Closes a notebook and its cells, also those that the client does not list."""
        notebook = self.get_notebook_document(notebook_uri=params.notebook_document.uri)
        self._notebook_sources.pop(unquote(params.notebook_document.uri), None)
        super().remove_notebook_document(params)
        for cell in notebook.cells if notebook is not None else ():
            self.remove_text_document(cell.document)

    def update_text_document(
        self, text_doc: types.VersionedTextDocumentIdentifier, change: types.TextDocumentContentChangeEvent
    ) -> None:
        """Applies a change; one for a file that was never opened is logged and dropped."""
        if self.document(text_doc.uri) is None:
            log.warning("ignoring a change of %s, which is not open", text_doc.uri)
            return
        self._notebook_sources.pop(unquote(self.home(text_doc.uri)), None)
        super().update_text_document(text_doc, change)

    def _notebook_snapshot(self, notebook: types.NotebookDocument) -> Notebook | None:
        key = unquote(notebook.uri)
        if key not in self._notebook_sources:
            cells = [
                Cell(number, document.table, document.uri, document.version or 0)
                for number, cell in enumerate(notebook.cells, 1)
                if cell.kind == types.NotebookCellKind.Code
                and (document := self.document(cell.document)) is not None
                and document.is_python
            ]
            if sum(len(cell.text) for cell in cells) > MAX_CHARACTERS:
                return None
            path = path_of(notebook.uri) or notebook.uri
            self._notebook_sources[key] = Notebook(cells, path, notebook.version)
        return self._notebook_sources[key]

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> Document:
        return Document(doc_uri, source or "", version, language_id, self.encoding)
