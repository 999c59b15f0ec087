"""What is kept of functions of imported files is looked at again when what it rests on changes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from torchlore.analysis import analyze
from torchlore.analysis.describe import describe
from torchlore.analysis.workspace import Workspace
from torchlore.text import Source

MAIN = "import torch\nfrom util import find\n\nfound = find()\nfound\n"
UTIL = "from extra import make\n\n\ndef find():\n    return make()\n"


def said(workspace: Workspace, path: Path) -> str:
    analysis = analyze(Source(MAIN, str(path)), workspace=workspace)
    last = analysis.source.tree.body[-1]
    assert isinstance(last, ast.Expr)
    return describe(analysis.run.values[last.value])


@pytest.mark.parametrize("before", ["", "def make():\n    return 1\n"], ids=["missing", "another"])
def test_a_file_that_it_rests_on_changes(tmp_path: Path, before: str) -> None:
    main, extra = tmp_path / "main.py", tmp_path / "extra.py"
    (tmp_path / "util.py").write_text(UTIL, encoding="utf-8")
    if before:
        extra.write_text(before, encoding="utf-8")
    workspace = Workspace([tmp_path])
    assert said(workspace, main) == said(workspace, main) == ("1" if before else "unknown")
    extra.write_text("def make():\n    return 'a longer text'\n", encoding="utf-8")
    assert said(workspace, main) == "'a longer text'"
