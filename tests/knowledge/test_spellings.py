"""The table of torch's names that the analysis reads says what the symbol index and torch itself say."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from torchlore.analysis.torch_names import HEADING, TABLE, canonical, member, starred
from torchlore.knowledge import symbol
from torchlore.knowledge.index_file import read_index
from torchlore.knowledge.spellings import respelled
from torchlore.knowledge.symbols import index_path

LINES = TABLE.read_text(encoding="utf-8").splitlines()


def _index() -> dict:
    shipped = index_path()
    assert shipped is not None
    return read_index(shipped)


def test_other_spellings_are_those_of_the_index() -> None:
    assert LINES[0] == HEADING
    assert [line for line in LINES[1:] if " * " not in line] == respelled(_index()), (
        "stale: run `python -m torchlore.knowledge symbols`"
    )


def test_the_analysis_spells_a_name_as_the_index_does() -> None:
    aliases = _index()["aliases"]
    assert {name: canonical(name) for name in aliases} == aliases
    assert canonical("torch.optim.sgd.SGD") == member("torch.optim.sgd", "SGD").name == "torch.optim.SGD"


@pytest.mark.parametrize(
    "name", ["torch", "torch.nn.Linear", "torch.nn.modules", "torch.no_such", "torch.optim.sgd.NoSuch", "SGD"]
)
def test_what_has_no_other_name_keeps_its_own(name: str) -> None:
    assert canonical(name) == name


def test_a_star_import_binds_what_it_binds_in_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch itself says what a star import binds")
    if torch.__version__.partition("+")[0] != _index()["torch"].partition("+")[0]:
        pytest.skip(f"the table was made with another torch than {torch.__version__}")
    for module in ("torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.utils.data"):
        bound: dict[str, object] = {}
        exec(f"from {module} import *", bound)  # noqa: S102 - the statement is what is asked about
        surely = starred(module)
        assert surely <= bound.keys()
        assert {n for n in bound if symbol(f"{module}.{n}") is not None} - surely <= {"__builtins__"}


def test_star_imports_of_what_is_not_torch_are_not_known() -> None:
    assert starred("torchvision.models") == starred("helpers") == starred("torch.no_such") == frozenset()


def test_the_table_is_read_when_a_name_of_torch_is_met_and_not_before() -> None:
    program = (
        "import json, sys, torchlore.analysis as a; from torchlore.analysis import torch_names as n;"
        "from torchlore.text import Source;"
        "before = n._table.cache_info().currsize; a.analyze(Source('import os\\nos.path')).run;"
        "print(json.dumps([before, n._table.cache_info().currsize]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0, 0]
