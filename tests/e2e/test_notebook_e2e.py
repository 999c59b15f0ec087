"""Notebooks in an editor: the cells are documents of their own, and are understood together."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

_numbers = itertools.count()

IMPORTS = "%matplotlib inline\nimport torch\nfrom torch import nn, optim"
MODEL = (
    "model = nn.Linear(2, 3)\n"
    "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
    "criterion = nn.MSELoss()\n"
    "!nvidia-smi\n"
)
LOOP = (
    "%%time\n"
    "for step in range(10):\n"
    "    loss = criterion(model(torch.randn(4, 2)), torch.zeros(4, 3))\n"
    "    loss.backward()\n"
    "    '😀'; optimizer.step()"
)
CLEARED = f"{LOOP}\n    optimizer.zero_grad()"


class OpenNotebook:
    """A notebook in an editor. Cells are named by their URI."""

    def __init__(self, shown: Editor, root: Path, *texts: str) -> None:
        self.shown = shown
        number = next(_numbers)
        self.uri = (root / f"nb{number}.ipynb").as_uri()
        self.version = 1
        self.cells: list[str] = []
        self._names = (
            f"vscode-notebook-cell:{(root / f'nb{number}.ipynb').as_posix()}#W{n}" for n in itertools.count()
        )
        documents = [self._new(text) for text in texts]
        self.cells = [document.uri for document in documents]
        notebook = types.NotebookDocument(
            self.uri, "jupyter-notebook", 1, [self._cell(uri) for uri in self.cells]
        )
        shown.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, documents))

    def change(self, uri: str, *edits: tuple[int, int, str]) -> None:
        """Replaces stretches of a cell's text, one after the other."""
        changes: list[types.TextDocumentContentChangeEvent] = []
        for start, end, new in edits:
            place = types.Range(self.shown.position(uri, start), self.shown.position(uri, end))
            changes.append(types.TextDocumentContentChangePartial(place, new))
            text = self.shown.texts[uri]
            self.shown.texts[uri] = text[:start] + new + text[end:]
        self.shown.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(self.shown.versions[uri], uri)
        content = types.NotebookDocumentCellContentChanges(document, changes)
        self._changed(types.NotebookDocumentCellChanges(text_content=[content]))

    def replace(self, uri: str, text: str) -> None:
        self.change(uri, (0, len(self.shown.texts[uri]), text))

    def insert(self, index: int, text: str) -> str:
        document = self._new(text)
        array = types.NotebookCellArrayChange(index, 0, [self._cell(document.uri)])
        self.cells.insert(index, document.uri)
        structure = types.NotebookDocumentCellChangeStructure(array, did_open=[document])
        self._changed(types.NotebookDocumentCellChanges(structure=structure))
        return document.uri

    def remove(self, uri: str) -> None:
        index = self.cells.index(uri)
        self.cells.remove(uri)
        structure = types.NotebookDocumentCellChangeStructure(
            types.NotebookCellArrayChange(index, 1), did_close=[types.TextDocumentIdentifier(uri)]
        )
        self._changed(types.NotebookDocumentCellChanges(structure=structure))

    def move(self, uri: str, to: int, *, reopens: bool = False) -> None:
        """Moves a cell: a stretch of the array is replaced, as editors do it."""
        self.cells.remove(uri)
        self.cells.insert(to, uri)
        array = types.NotebookCellArrayChange(0, len(self.cells), [self._cell(cell) for cell in self.cells])
        structure = types.NotebookDocumentCellChangeStructure(array)
        if reopens:
            item = types.TextDocumentItem(uri, "python", self.shown.versions[uri], self.shown.texts[uri])
            structure.did_open, structure.did_close = [item], [types.TextDocumentIdentifier(uri)]
        self._changed(types.NotebookDocumentCellChanges(structure=structure))

    def ran(self, uri: str) -> None:
        """What an editor tells after a cell was run."""
        cell = self._cell(uri)
        cell.execution_summary = types.ExecutionSummary(1, True)
        self._changed(types.NotebookDocumentCellChanges(data=[cell]))

    def save(self) -> None:
        identifier = types.NotebookDocumentIdentifier(self.uri)
        self.shown.client.notebook_document_did_save(types.DidSaveNotebookDocumentParams(identifier))

    def close(self) -> None:
        cells = [types.TextDocumentIdentifier(uri) for uri in self.cells]
        params = types.DidCloseNotebookDocumentParams(types.NotebookDocumentIdentifier(self.uri), cells)
        self.shown.client.notebook_document_did_close(params)

    async def diagnostics(self, uri: str) -> Sequence[types.Diagnostic]:
        return (await self.shown.published(uri, self.shown.versions[uri])).diagnostics

    async def renewed(self) -> dict[str, list[str]]:
        """The codes that are published next for each cell, once each was published anew."""
        published = self.shown.client.published
        while not all(uri in published for uri in self.cells):
            self.shown.client.arrived.clear()
            await asyncio.wait_for(self.shown.client.arrived.wait(), 30)
        return {uri: [str(item.code) for item in published[uri].diagnostics] for uri in self.cells}

    def forget(self) -> None:
        """Forgets what was published so far, for `renewed` to wait for."""
        self.shown.client.published.clear()

    def _new(self, text: str) -> types.TextDocumentItem:
        uri = next(self._names)
        self.shown.texts[uri], self.shown.versions[uri] = text, 1
        return types.TextDocumentItem(uri, "python", 1, text)

    def _cell(self, uri: str) -> types.NotebookCell:
        return types.NotebookCell(types.NotebookCellKind.Code, uri)

    def _changed(self, cells: types.NotebookDocumentCellChanges) -> None:
        self.version += 1
        document = types.VersionedNotebookDocumentIdentifier(self.version, self.uri)
        params = types.DidChangeNotebookDocumentParams(
            document, types.NotebookDocumentChangeEvent(cells=cells)
        )
        self.shown.client.notebook_document_did_change(params)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["utf-8", "utf-16", "vscode"])
async def shown(request: pytest.FixtureRequest, workspace: Path, vscode: Editor) -> AsyncIterator[Editor]:
    """Editors with notebooks: the recorded one, which pulls, and two that count columns in their own way."""
    if request.param == "vscode":
        yield vscode
        return
    capabilities = types.ClientCapabilities(
        general=types.GeneralClientCapabilities(
            position_encodings=[types.PositionEncodingKind(request.param)]
        ),
        notebook_document=types.NotebookDocumentClientCapabilities(
            types.NotebookDocumentSyncClientCapabilities()
        ),
        text_document=types.TextDocumentClientCapabilities(
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(related_information=True),
            code_action=types.CodeActionClientCapabilities(
                code_action_literal_support=types.ClientCodeActionLiteralOptions(
                    types.ClientCodeActionKindOptions([types.CodeActionKind.QuickFix])
                )
            ),
        ),
    )
    async with editor(workspace, capabilities) as started:
        yield started


async def test_only_python_cells_of_jupyter_notebooks_are_asked_for(shown: Editor) -> None:
    sync = shown.server.notebook_document_sync
    assert sync is not None
    (selector,) = sync.notebook_selector
    assert isinstance(selector, types.NotebookDocumentFilterWithNotebook)
    assert selector.notebook == types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook")
    assert list(selector.cells or ()) == [types.NotebookCellLanguage("python")]


async def test_a_mistake_is_shown_in_its_cell(shown: Editor, workspace: Path) -> None:
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, LOOP)
    imports, model, loop = notebook.cells
    (found,) = await notebook.diagnostics(loop)
    assert found.code == "TL101"
    assert shown.segment(loop, found.range).startswith("optimizer.step")
    assert "on line 4 adds" in found.message
    assert not await notebook.diagnostics(imports) and not await notebook.diagnostics(model)
    for other in found.related_information or ():
        assert other.location.uri == loop
    notebook.close()
    assert not (await shown.published(loop, None)).diagnostics


async def test_what_another_cell_explains_is_told_with_its_cell(shown: Editor, workspace: Path) -> None:
    softmax = "prob = nn.Softmax(dim=1)(model(torch.randn(4, 2)))"
    loss = "criterion = nn.CrossEntropyLoss()\nloss = criterion(prob, torch.zeros(4).long())"
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, softmax, loss)
    (found,) = await notebook.diagnostics(notebook.cells[3])
    assert found.code == "TL401"
    assert "on line 1 of an earlier cell" in found.message
    places = [
        (other.location.uri, other.location.range.start.line) for other in found.related_information or ()
    ]
    assert {uri for uri, _ in places} <= set(notebook.cells)
    notebook.close()


async def test_a_change_of_one_cell_renews_all(shown: Editor, workspace: Path) -> None:
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, LOOP)
    imports, model, loop = notebook.cells
    assert (await notebook.renewed())[loop] == ["TL101"]
    notebook.forget()
    notebook.replace(model, "model = optimizer = criterion = unknown()")
    assert await notebook.renewed() == {imports: [], model: [], loop: []}
    notebook.forget()
    notebook.replace(model, MODEL)
    assert await notebook.renewed() == {imports: [], model: [], loop: ["TL101"]}
    notebook.forget()
    notebook.replace(loop, CLEARED)
    assert await notebook.renewed() == {imports: [], model: [], loop: []}
    notebook.close()


async def test_a_broken_cell_harms_no_other(shown: Editor, workspace: Path) -> None:
    broken = 'print("""what\nfoo(torch'
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, broken, LOOP)
    assert list((await notebook.renewed()).values()) == [[], [], [], ["TL101"]]
    notebook.close()


async def test_cells_come_go_and_move(shown: Editor, workspace: Path) -> None:
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL)
    await notebook.renewed()
    loop = notebook.insert(2, LOOP)
    assert [item.code for item in await notebook.diagnostics(loop)] == ["TL101"]
    notebook.forget()
    notebook.move(loop, 0)  # Now the model is made after it is used.
    assert (await notebook.renewed())[loop] == []
    notebook.forget()
    notebook.move(loop, 2, reopens=True)
    assert (await notebook.renewed())[loop] == ["TL101"]
    notebook.remove(loop)
    assert not (await shown.published(loop, None)).diagnostics
    notebook.forget()
    added = notebook.insert(2, CLEARED)
    assert (await notebook.renewed())[added] == []
    notebook.close()


async def test_running_and_saving_keep_what_is_shown(shown: Editor, workspace: Path) -> None:
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, LOOP)
    await notebook.renewed()
    for what in (lambda: notebook.ran(notebook.cells[2]), notebook.save):
        notebook.forget()
        what()
        assert list((await notebook.renewed()).values()) == [[], [], ["TL101"]]
    notebook.close()


async def test_a_hover_sees_earlier_cells(shown: Editor, workspace: Path) -> None:
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, LOOP)
    loop = notebook.cells[2]
    hover = await shown.hover(loop, "loss.backward()", len("loss."))
    assert hover is not None and hover.range is not None
    assert shown.segment(loop, hover.range) == "backward"
    hover = await shown.hover(loop, "optimizer.step()", len("optimizer."))
    assert hover is not None and isinstance(hover.contents, types.MarkupContent)
    assert "torch.optim" in hover.contents.value
    assert await shown.hover(loop, "%%time", 3) is None
    hover = await shown.hover(notebook.cells[1], "!nvidia", 3)
    assert hover is None
    notebook.close()


async def test_the_fix_is_made_in_the_cell(shown: Editor, workspace: Path) -> None:
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, LOOP)
    loop = notebook.cells[2]
    at = LOOP.index("optimizer.step")
    actions = await shown.actions(loop, at)
    fix = next(action for action in actions if action.title.startswith("Clear the gradients"))
    ((uri, text),) = shown.apply(fix.edit).items()
    assert uri == loop
    assert text == LOOP.replace("    loss.b", "    optimizer.zero_grad()\n    loss.b")
    ignore = next(action for action in actions if action.title.startswith("Ignore"))
    assert shown.apply(ignore.edit) == {loop: f"{LOOP}  # torchlore: ignore[TL101]"}
    notebook.replace(loop, f"{LOOP}  # torchlore: ignore[TL101]")
    assert not await notebook.diagnostics(loop)
    notebook.close()


async def test_fix_all_mends_the_cell_it_is_asked_for(shown: Editor, workspace: Path) -> None:
    net = "class Net(nn.Module):\n    def __init__(self):\n        self.layer = nn.Linear(2, 2)"
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, LOOP, net)
    (action,) = await shown.actions(notebook.cells[3], 0, only=["source.fixAll.torchlore"])
    mended = net.replace("        self.layer", "        super().__init__()\n        self.layer")
    assert shown.apply(action.edit) == {notebook.cells[3]: mended}
    assert await shown.actions(notebook.cells[1], 0, only=["source.fixAll.torchlore"]) == []
    notebook.close()


async def test_an_insert_takes_names_of_earlier_cells_and_stays_in_its_cell(
    shown: Editor, workspace: Path
) -> None:
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, "\n\n", "%%bash\n\nls\n")
    blank, shell = notebook.cells[2:]
    actions = await shown.actions(blank, 1, only=["torchlore.insert"]) or await shown.actions(blank, 1)
    inserts = [action for action in actions if action.title.startswith("Insert snippet")]
    assert inserts
    texts = [shown.apply(action.edit) for action in inserts]
    assert all(list(text) == [blank] for text in texts)
    assert any("optimizer.step()" in text[blank] and "model" in text[blank] for text in texts)
    found = await shown.actions(shell, len("%%bash\n"))
    assert not [action for action in found if action.title.startswith("Insert snippet")]
    notebook.close()


async def test_a_pull_for_a_cell_has_nothing_to_add(vscode: Editor, workspace: Path) -> None:
    """What is pushed and pulled is shown twice."""
    notebook = OpenNotebook(vscode, workspace, IMPORTS, MODEL, LOOP)
    assert vscode.pulls
    assert await notebook.diagnostics(notebook.cells[2])
    assert await vscode.diagnostics(notebook.cells[2]) == []
    notebook.close()


async def test_files_stay_as_they_were_beside_a_notebook(vscode: Editor, workspace: Path) -> None:
    notebook = OpenNotebook(vscode, workspace, IMPORTS, MODEL, LOOP)
    text = (
        f"{IMPORTS.partition(chr(10))[2]}\n{MODEL.replace('!nvidia-smi', '')}\n{LOOP.partition(chr(10))[2]}\n"
    )
    uri = vscode.open((workspace / f"beside_{next(_numbers)}.py").as_uri(), text)
    assert [item.code for item in await vscode.diagnostics(uri)] == ["TL101"]
    vscode.close(uri)
    notebook.close()


async def test_a_change_of_a_notebook_that_is_not_open_is_dropped(shown: Editor, workspace: Path) -> None:
    stranger = OpenNotebook(shown, workspace, IMPORTS)
    stranger.close()
    stranger.change(stranger.cells[0], (0, 0, "#"))
    stranger.insert(1, LOOP)
    stranger.close()
    notebook = OpenNotebook(shown, workspace, IMPORTS, MODEL, LOOP)
    assert (await notebook.renewed())[notebook.cells[2]] == ["TL101"]
    assert not shown.client.messages
    notebook.close()
