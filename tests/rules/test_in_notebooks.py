"""A file that is cut into cells, with magics between, has the findings that it has in one piece."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest
from torchlore.analysis import analyze
from torchlore.config import Config, check_source
from torchlore.rules.model import Severity
from torchlore.text import Cell, LineTable, Notebook, Source

CASES = [
    block
    for path in sorted(Path(__file__).parent.glob("*/*.md"))
    for block in re.findall(r"```py\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
][::6]
MAGICS = [
    "",
    "%matplotlib inline\n",
    "",
    "!ls 'a\n",
    "%%time\n",
    "files = !ls\n",
    "%%capture out\n",
    "torch?\n",
]

OF_FILES_ALONE = frozenset({"TL506"})
"""What is a mistake in a file, as workers run that anew, and none in a notebook."""


def cells(text: str) -> list[str]:
    """The top-level statements of `text`, with the comments above them."""
    lines = text.splitlines(keepends=True)
    starts = sorted(
        {
            min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
            for node in ast.parse(text).body
        }
    )
    cuts = [0, *starts[1:], len(lines)]
    return ["".join(lines[start:end]) for start, end in itertools.pairwise(cuts)]


def findings(source: Source) -> list[tuple[str, str]]:
    """Errors and warnings: a hint may go for a magic that stands between two statements."""
    found = check_source(analyze(source), Config(), Severity.WARNING)
    return [(f.code, source.segment(f.span)) for f in found]


@pytest.mark.parametrize("text", CASES, ids=range(len(CASES)))
def test_findings_are_those_of_the_file(text: str) -> None:
    try:
        pieces = cells(text)
    except SyntaxError:
        return  # The case is about broken text, which is broken otherwise in cells.
    magics = itertools.cycle(MAGICS)
    notebook = Notebook(Cell(n, LineTable(next(magics) + piece)) for n, piece in enumerate(pieces, 1))
    of_file = findings(Source(text))
    assert findings(notebook) == [found for found in of_file if found[0] not in OF_FILES_ALONE]


def test_what_a_worker_does_not_run_anew_needs_no_guard() -> None:
    text = (
        "import torch\n"
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "for x in DataLoader(TensorDataset(torch.ones(4)), num_workers=2):\n"
        "    print(x)\n"
    )
    assert [code for code, _ in findings(Source(text))] == ["TL506"]
    assert findings(Notebook([Cell(1, LineTable(text))])) == []
