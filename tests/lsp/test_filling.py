"""Insertable snippets in the user's file: names, indentation, imports."""

from __future__ import annotations

import ast
import re

import pytest
from torchlore.analysis import ScopeName
from torchlore.knowledge import Hole, Insert
from torchlore.lsp.filling import fill, fill_snippet, import_edit, names_for
from torchlore.text import Source, Span, apply_edits

BODY = """\
for batch in loader:
    out = model(batch, model=1, device=device)  # model of $5
    print(f"{model}: {out.model!r} {{model}} model", "model")
    model.model = loader.model
"""
HOLES = (
    Hole("model", "Module", "model"),
    Hole("loader", "DataLoader", "loader"),
    Hole("device", "Device", "device"),
)
LOOP = Insert("loop", "Loop", "", "", HOLES, (), BODY)
EMPTY = Source("")


def test_only_uses_of_the_name_are_filled() -> None:
    assert fill(LOOP, {"model": "self.net", "loader": "batches"}, EMPTY, "") == (
        "for batch in batches:\n"
        "    out = self.net(batch, model=1, device=device)  # model of $5\n"
        '    print(f"{self.net}: {out.model!r} {{model}} model", "model")\n'
        "    self.net.model = batches.model"
    )


def test_open_holes_are_tab_stops_and_the_rest_is_escaped() -> None:
    text = fill_snippet(LOOP, {"model": "net"}, EMPTY, "", head="$x")
    assert text.startswith("\\$xfor batch in ${1:loader}:\n")
    assert "device=${2:device})  # model of \\$5" in text
    assert 'f"{net\\}: {out.model!r\\}' in text
    assert "net.model = ${1:loader}.model$0" in text


@pytest.mark.parametrize(
    ("before", "indent", "expected"),
    [
        ("def f():\n    ", "    ", ["    for", "        out"]),
        ("def f():\n\t", "\t", ["\tfor", "\t\tout"]),
        ("if 1:\n\tpass\n", "", ["for", "\tout"]),
        ("if 1:\n  pass\n", "", ["for", "    out"]),
    ],
)
def test_the_indentation_is_the_lines(before: str, indent: str, expected: list[str]) -> None:
    lines = fill(LOOP, {}, Source(before), indent).split("\n")
    assert [re.match(r"\s*\w+", line)[0] for line in lines[:2]] == expected  # type: ignore[index]


def test_line_ends_are_the_files() -> None:
    assert fill(LOOP, {}, Source("a\r\nb\r\n"), "").count("\r\n") == 3


def names(*pairs: str) -> list[ScopeName]:
    return [ScopeName(*pair.split(":")) for pair in pairs]


@pytest.mark.parametrize(
    ("in_scope", "expected"),
    [
        (["net:Module", "other:Module"], {"model": "net"}),
        (["net:Module", "model:Module"], {"model": "model"}),
        (["model:Tensor", "net:Module"], {"model": "net"}),
        (["model:Unknown"], {}),
        (["d:Device", "l:DataLoader", "m:Module"], {"model": "m", "loader": "l", "device": "d"}),
    ],
)
def test_a_hole_takes_its_own_name_then_the_innermost_of_its_kind(
    in_scope: list[str], expected: dict[str, str]
) -> None:
    assert names_for(LOOP, names(*in_scope)) == expected


def test_no_name_fills_two_holes() -> None:
    pair = Insert("pair", "", "", "", (Hole("a", "Tensor", "a"), Hole("b", "Tensor", "b")), (), "a + b\n")
    assert names_for(pair, names("x:Tensor", "y:Tensor")) == {"a": "x", "b": "y"}
    assert names_for(pair, names("b:Tensor")) == {"b": "b"}


def with_imports(text: str, *imports: str) -> str:
    """`text` after its imports and a snippet `pass` at its end."""
    source = Source(text)
    place = source.line_span(len(source.lines) - 1)
    edit = import_edit(source, imports, place)
    if edit is not None and edit.span == place:
        return apply_edits(text, [edit]) + "pass"
    return apply_edits(text, [edit] if edit else []) + "pass"


@pytest.mark.parametrize(
    ("text", "imports", "expected"),
    [
        ("import torch\n\n", ["import torch"], "import torch\n\npass"),
        ("from torch import nn\n\n", ["import torch.nn as nn"], "from torch import nn\n\npass"),
        ("import torch\nx = 1\n", ["import copy"], "import torch\nimport copy\nx = 1\npass"),
        ("", ["import torch"], "import torch\n\npass"),
        ('"""Doc."""\nx = 1\n', ["import torch"], '"""Doc."""\nimport torch\nx = 1\npass'),
        (
            "from __future__ import annotations\nx = 1\n",
            ["import torch"],
            "from __future__ import annotations\nimport torch\nx = 1\npass",
        ),
        (
            "#!/usr/bin/env python\nx = 1\n",
            ["import torch"],
            "#!/usr/bin/env python\nimport torch\nx = 1\npass",
        ),
        ("import a\r\nx = 1\r\n", ["import torch"], "import a\r\nimport torch\r\nx = 1\r\npass"),
        (
            "import (\nimport os\nx = 1\n",
            ["import os", "import re"],
            "import (\nimport os\nimport re\nx = 1\npass",
        ),
    ],
)
def test_missing_imports_are_added_after_the_first_ones(text: str, imports: list[str], expected: str) -> None:
    assert with_imports(text, *imports) == expected


def test_a_snippet_above_the_imports_brings_its_own() -> None:
    source = Source("def f():\n    \n    return 1\n\nimport os\n")
    place = source.line_span(1)
    edit = import_edit(source, ["import torch"], place)
    assert edit is not None
    ast.parse(apply_edits(source.text, [edit]))


def test_an_import_in_a_function_is_none_at_the_top() -> None:
    source = Source("import os\n\ndef f():\n    import torch\n\n")
    edit = import_edit(source, ["import torch"], Span(len(source.text), len(source.text)))
    assert edit is not None and edit.text == "import torch\n"
