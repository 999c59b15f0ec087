"""What clients send, right and wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

FOLDER = "file:///project"
FILES = (f"{FOLDER}/train.py", f"{FOLDER}/models/net.py", "untitled:Untitled-1", f"{FOLDER}/notes.md")
SPELLINGS = {FILES[0]: f"{FOLDER}/tr%61in.py"}
"""The same file, as another client, or the same one elsewhere, may write it."""

NOTEBOOK = f"{FOLDER}/study.ipynb"
CELLS = tuple(f"vscode-notebook-cell:/project/study.ipynb#c{n}" for n in range(4))
NEVER_OPENED = (
    f"{FOLDER}/never.py",
    "",
    "file://",
    "file://[",
    "http://[::1",
    "x",
    "file:///%00.py",
    "\ud800",
)
URIS = (*FILES, *SPELLINGS.values(), NOTEBOOK, *CELLS, *NEVER_OPENED)

TEXTS = (
    "",
    "import torch\n",
    "from torch import nn, optim\nm = nn.Linear(2, 3)\no = optim.SGD(m.parameters(), lr=0.1)\n",
    "for x in range(3):\n    loss = m(x).sum()\n    loss.backward()\n    o.step()\n",
    "import torch\r\nif x:\r\n  torch.zeros(3).to('cuda')\r\n\telse\r\n",
    "def f(a, b: 'torch.Tensor = \x0c\u2028 [({\n    '😀é'; torch.relu(\n",
    "%matplotlib inline\n!pip install torch\ntorch.qr(torch.eye(3))  # noqa: TL901\n",
    "\x00\ud800 = torch.nn.functional.softmax(x, dim=\n",
    "x = " + "(" * 300 + "1" + ")" * 300 + "\nimport torch; torch.load(x)\n",
    "#" * 500 + "\nimport torch\nx = torch.tensor(torch.zeros(3))\n",
)

lines = st.one_of(st.integers(0, 6), st.sampled_from([-1, 10**6, 2**31 - 1, 2**70]))
positions = st.fixed_dictionaries({"line": lines, "character": lines})
ranges = st.fixed_dictionaries({"start": positions, "end": positions})
texts = st.sampled_from(TEXTS)
uris = st.sampled_from(URIS)
identifiers = st.fixed_dictionaries({"uri": uris})
changes = st.lists(
    st.one_of(
        st.fixed_dictionaries({"text": texts}), st.fixed_dictionaries({"range": ranges, "text": texts})
    ),
    max_size=3,
)
_contexts = st.fixed_dictionaries(
    {"diagnostics": st.just([])},
    optional={
        "only": st.lists(st.sampled_from(["", "quickfix", "source.fixAll", "refactor", "nothing"])),
        "triggerKind": st.sampled_from([1, 2, 77]),
    },
)
_arguments = st.sampled_from(
    [
        {},
        {"slug": "zero-grad"},
        {"code": "TL101"},
        {"words": "what is a gradient"},
        {"slug": 3},
        {"slug": "training-loop", "uri": FILES[0], "line": 0},
        {"slug": "training-loop", "uri": "file://[", "line": 10**9},
        {"uri": FILES[0]},
        {"uri": CELLS[0]},
        {"run": "none"},
    ]
)
_COMMANDS = (
    "torchlore.explain",
    "torchlore.ask",
    "torchlore.insert",
    "torchlore.debugInformation",
    "torchlore.environment",
    "torchlore.stop",
    "torchlore.nothing",
    "",
)
_data = st.one_of(
    st.fixed_dictionaries({"uri": uris}),
    st.sampled_from(
        [
            {"code": "TL101"},
            {"code": "none"},
            {"insert": "training-loop"},
            {"symbol": "torch.nn.Linear", "argument": "bias", "value": "True"},
            {"symbol": "torch.nn.Linear", "argument": 3},
            {"symbol": "", "argument": ""},
        ]
    ),
)
_queries = st.sampled_from(["", "grad", "why does", "\ud800é["])
_placed = {"textDocument": identifiers, "position": positions}
_ranged = {"textDocument": identifiers, "range": ranges}

REQUESTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "textDocument/hover": st.fixed_dictionaries(_placed),
    "textDocument/completion": st.fixed_dictionaries(_placed),
    "textDocument/signatureHelp": st.fixed_dictionaries(_placed),
    "textDocument/inlayHint": st.fixed_dictionaries(_ranged),
    "textDocument/codeLens": st.fixed_dictionaries({"textDocument": identifiers}),
    "textDocument/documentLink": st.fixed_dictionaries({"textDocument": identifiers}),
    "textDocument/codeAction": st.fixed_dictionaries({**_ranged, "context": _contexts}),
    "textDocument/diagnostic": st.fixed_dictionaries({"textDocument": identifiers}),
    "codeAction/resolve": st.fixed_dictionaries(
        {"title": st.just("Fix all")}, optional={"kind": st.just("source.fixAll.torchlore"), "data": _data}
    ),
    "completionItem/resolve": st.fixed_dictionaries({"label": st.just("bias=")}, optional={"data": _data}),
    "documentLink/resolve": st.fixed_dictionaries({"range": ranges}, optional={"data": _data}),
    "workspace/symbol": st.fixed_dictionaries({"query": _queries}),
    "workspace/executeCommand": st.fixed_dictionaries(
        {"command": st.sampled_from(_COMMANDS), "arguments": st.lists(_arguments, max_size=2)}
    ),
    "torchlore/unknown": st.just({"jsonrpc": "2.0", "method": "exit"}),
}
NOTIFICATIONS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "textDocument/didOpen": st.fixed_dictionaries(
        {
            "textDocument": st.fixed_dictionaries(
                {"uri": uris, "languageId": st.just("python"), "version": lines, "text": texts}
            )
        }
    ),
    "textDocument/didChange": st.fixed_dictionaries(
        {
            "textDocument": st.fixed_dictionaries({"uri": uris, "version": lines}),
            "contentChanges": changes,
        }
    ),
    "textDocument/didClose": st.fixed_dictionaries({"textDocument": identifiers}),
    "workspace/didChangeWatchedFiles": st.fixed_dictionaries(
        {"changes": st.lists(st.fixed_dictionaries({"uri": uris, "type": st.sampled_from([1, 2, 3, 9])}))}
    ),
    "workspace/didChangeConfiguration": st.fixed_dictionaries(
        {
            "settings": st.sampled_from(
                [None, {}, {"torchlore": {"device": "cpu"}}, {"torchlore": 3}, [1], "x"]
            )
        }
    ),
    "workspace/didChangeWorkspaceFolders": st.fixed_dictionaries(
        {
            "event": st.fixed_dictionaries(
                {
                    "added": st.lists(st.fixed_dictionaries({"uri": uris, "name": st.just("")}), max_size=2),
                    "removed": st.lists(
                        st.fixed_dictionaries({"uri": uris, "name": st.just("")}), max_size=2
                    ),
                }
            )
        }
    ),
    "$/cancelRequest": st.fixed_dictionaries({"id": st.one_of(st.integers(0, 99), st.text(max_size=2))}),
    "$/setTrace": st.fixed_dictionaries({"value": st.sampled_from(["off", "verbose", "loud"])}),
    "window/workDoneProgress/cancel": st.fixed_dictionaries({"token": st.text(max_size=3)}),
    "notebookDocument/didChange": st.fixed_dictionaries(
        {
            "notebookDocument": st.fixed_dictionaries({"uri": uris, "version": lines}),
            "change": st.fixed_dictionaries(
                {},
                optional={
                    "cells": st.fixed_dictionaries(
                        {},
                        optional={
                            "structure": st.fixed_dictionaries(
                                {
                                    "array": st.fixed_dictionaries(
                                        {"start": lines, "deleteCount": lines},
                                        optional={
                                            "cells": st.lists(
                                                st.fixed_dictionaries(
                                                    {"kind": st.sampled_from([1, 2]), "document": uris}
                                                ),
                                                max_size=2,
                                            )
                                        },
                                    )
                                },
                                optional={"didClose": st.lists(identifiers, max_size=2)},
                            ),
                            "textContent": st.lists(
                                st.fixed_dictionaries(
                                    {
                                        "document": st.fixed_dictionaries({"uri": uris, "version": lines}),
                                        "changes": changes,
                                    }
                                ),
                                max_size=2,
                            ),
                        },
                    )
                },
            ),
        }
    ),
    "notebookDocument/didClose": st.fixed_dictionaries(
        {
            "notebookDocument": st.fixed_dictionaries({"uri": uris}),
            "cellTextDocuments": st.lists(identifiers, max_size=2),
        }
    ),
}

junk = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=True),
        st.sampled_from(["", "x", "2.0", "\ud800", "python", "9" * 5000]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["jsonrpc", "id", "uri"]), inner, max_size=2),
    ),
    max_leaves=3,
)


def notebook(*cells: str) -> dict[str, Any]:
    """The parameters that open the notebook with these texts in its cells."""
    documents = [
        {"uri": uri, "languageId": "python", "version": 1, "text": text}
        for uri, text in zip(CELLS, cells, strict=False)
    ]
    shown = [{"kind": 2, "document": document["uri"]} for document in documents]
    return {
        "notebookDocument": {
            "uri": NOTEBOOK,
            "notebookType": "jupyter-notebook",
            "version": 1,
            "cells": shown,
        },
        "cellTextDocuments": documents,
    }


@st.composite
def mangled(draw: st.DrawFn, value: Any) -> Any:
    """`value` with something in it replaced by what does not belong there, or left out."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 3)):
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: draw(mangled(value[key]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], draw(mangled(value[at])), *value[at + 1 :]]
    return draw(junk)
