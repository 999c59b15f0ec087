"""Notebook files: what is read of them, and that all but the code that changed stays as it is written."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchlore.text import Edit, NotebookError, Span, source_of
from torchlore.text.ipynb import lines_in_file, read_notebook, rewritten


def written(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def code(source: str | list[str], **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
        **more,
    }


def markdown(source: str | list[str]) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


PLAIN = written(
    markdown("# Title"),
    code(["import torch\n", "x = 1"]),
    code("y = 'é'\n!ls"),
    language_info={"name": "python"},
)


def test_cells_are_numbered_among_all_cells() -> None:
    source = read_notebook(json.dumps(PLAIN))
    assert [(cell.number, cell.text) for cell in source.cells] == [
        (2, "import torch\nx = 1"),
        (3, "y = 'é'\n!ls"),
    ]


def test_format_3_has_worksheets_and_calls_code_input() -> None:
    def cell(text: str, language: str = "python") -> dict[str, Any]:
        return {"cell_type": "code", "input": [text], "language": language, "outputs": [], "prompt_number": 1}

    heading = {"cell_type": "heading", "level": 1, "source": ["Title"]}
    sheets = [{"cells": [heading, cell("x = 1")]}, {"cells": [cell("y = 2"), cell("ls", "bash")]}]
    document = json.dumps(
        {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": sheets}
    )
    source = read_notebook(document)
    assert [(cell.number, cell.text) for cell in source.cells] == [(2, "x = 1"), (3, "y = 2")]
    after = source.edited([Edit(Span(0, 0), "z = 0\n")])
    assert json.loads(rewritten(document, source, after))["worksheets"][0]["cells"][1]["input"] == [
        "z = 0\n",
        "x = 1",
    ]


@pytest.mark.parametrize(
    ("metadata", "is_python"),
    [
        ({}, True),
        ({"kernelspec": {"name": "python3", "display_name": "Python 3"}}, True),
        ({"kernelspec": {"name": "x", "language": "python"}}, True),
        ({"language_info": {"name": "Python"}, "kernelspec": {"name": "x"}}, True),
        ({"language_info": {"name": "julia"}}, False),
        ({"kernelspec": {"name": "ir", "language": "R"}}, False),
        ({"kernelspec": {"name": "ir"}}, False),
        ({"kernelspec": None, "language_info": 3}, True),
    ],
)
def test_only_python_is_read(metadata: dict[str, Any], is_python: bool) -> None:
    source = read_notebook(json.dumps(written(code("x = 1"), **metadata)))
    assert bool(source.cells) == is_python


def test_a_cell_in_another_language_is_left_out() -> None:
    shell = code("ls", metadata={"vscode": {"languageId": "shellscript"}})
    assert [cell.number for cell in read_notebook(json.dumps(written(shell, code("x")))).cells] == [2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1:1: is no notebook: not valid JSON"),
        ('{"cells": [', "not valid JSON"),
        ("[]", "its JSON is not an object"),
        ("{}", "it has no list of cells"),
        ('{"cells": {}}', "it has no list of cells"),
        ('{"cells": [3]}', "its cell 1 is not an object"),
        ('{"cells": [{"cell_type": "code", "source": 3}]}', "the source of cell 1 is neither text nor lines"),
        ('{"cells": [{"cell_type": "code", "source": ["a", 3]}]}', "the source of cell 1"),
        ('{"nbformat": 3}', "it has no list of worksheets"),
        ('{"nbformat": 3, "worksheets": [3]}', "a worksheet of it has no list of cells"),
        ('{"nbformat": 2, "worksheets": []}', "of format 2, which is not read"),
        ('{"nbformat": "x"}', "of format 'x'"),
        ("[" * 200_000, "not readable as JSON"),
        ("9" * 10_000, "is no notebook"),
    ],
    ids=range(14),
)
def test_what_is_no_notebook_is_told(text: str, why: str) -> None:
    with pytest.raises(NotebookError) as caught:
        source_of(text, "a.ipynb")
    assert why in str(caught.value)


def test_a_huge_notebook_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchlore.text.ipynb.MAX_CHARACTERS", 100)
    with pytest.raises(NotebookError, match="is too large"):
        read_notebook(json.dumps(PLAIN))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=300)
def test_a_mutated_notebook_never_raises_anything_else(data: st.DataObject) -> None:
    document = json.loads(json.dumps(PLAIN))
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = document
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
                at = at[key]
                continue
            at[key] = data.draw(json_values)
            break
    text = json.dumps(document)
    if data.draw(st.booleans()):
        at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 20))
        text = text[:at] + data.draw(st.text(max_size=4)) + text[at + length :]
    try:
        source = read_notebook(text)
    except NotebookError:
        return
    assert rewritten(text, source, source) == text
    assert set(lines_in_file(text)) >= {cell.number for cell in source.cells}
    assert isinstance(source.tree, ast.Module)


styles = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 0, 1, 4, "\t"]),
        "ensure_ascii": st.booleans(),
        "sort_keys": st.booleans(),
    }
)
sources = st.lists(st.sampled_from(["x = 1", "é = '😀'", "", '"""', "\\", "y\t", "!ls"]), max_size=6)


@given(st.lists(sources, min_size=1, max_size=4), styles, st.booleans(), st.data())
@settings(max_examples=400)
def test_a_changed_cell_changes_nothing_else(
    texts: list[list[str]], style: dict[str, Any], as_lists: bool, data: st.DataObject
) -> None:
    joined = ["\n".join(lines) for lines in texts]
    document = written(*(code(text.splitlines(keepends=True) if as_lists else text) for text in joined))
    document["cells"].insert(1, markdown("source"))
    text = json.dumps(document, **style) + "\n"
    source = read_notebook(text)
    index = data.draw(st.integers(0, len(source.cells) - 1))
    cell = source.cells[index]
    table = cell.lines
    line = data.draw(st.integers(0, len(table) - 1))
    start = source.start(cell) + table.start(line)
    edit = Edit(Span(start, start + data.draw(st.integers(0, len(table.text(line))))), "neü\nx")
    after = source.edited([edit])
    new = rewritten(text, source, after)
    assert [c.text for c in read_notebook(new).cells] == [c.text for c in after.cells]
    # Everything but the one source is the same, also as text.
    old_document, new_document = json.loads(text), json.loads(new)
    old_document["cells"][cell.number - 1]["source"] = new_document["cells"][cell.number - 1]["source"]
    assert old_document == new_document
    assert isinstance(new_document["cells"][cell.number - 1]["source"], list) == as_lists
    assert new.endswith("}\n") and (not text.isascii() or "\\u" not in text or new.isascii())
    if style["indent"] == 1 and as_lists and cell.text:
        removed = [one for one in text.splitlines() if one not in new.splitlines()]
        assert len(removed) <= 2  # The line, and the last one where it gets a comma.


def test_each_line_of_a_cell_is_found_in_the_file() -> None:
    document = written(markdown(["a\n", "b"]), code(["import torch\n", "x = 1\n", "y"]), code("z\nz"))
    text = json.dumps(document, indent=1)
    lines = text.split("\n")
    found = lines_in_file(text)
    assert [lines[line].strip() for line in found[2]] == ['"import torch\\n",', '"x = 1\\n",', '"y"']
    assert [lines[line].strip() for line in found[3]] == ['"source": "z\\nz"'] * 2
