"""The table of what torch removed and deprecates, which the rules read, says what the symbol index says."""

from __future__ import annotations

import sys

import pytest
from torchlore.knowledge.build import BuildError
from torchlore.knowledge.changes import TABLE, changed, decorated, table
from torchlore.knowledge.index_file import read_index
from torchlore.knowledge.symbols import index_path
from torchlore.rules.api import _table


def _index() -> dict:
    shipped = index_path()
    assert shipped is not None
    return read_index(shipped)


def test_the_table_is_made_from_the_index() -> None:
    torch = pytest.importorskip("torch", reason="torch itself says what it has decorated")
    content = _index()
    if torch.__version__.partition("+")[0] != content["torch"].partition("+")[0]:
        pytest.skip(f"the table was made with another torch than {torch.__version__}")
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    assert lines == table(content, sys.executable), "stale: run `python -m torchlore.knowledge symbols`"


def test_members_go_with_what_holds_them_and_private_names_are_nobodys_business() -> None:
    ranges = {
        "torch.gone": {"removed": "2.5"},
        "torch.gone.member": {"removed": "2.5"},
        "torch.kept.member": {"removed": "2.6"},
        "torch._private": {"removed": "2.5"},
        "torch.old": {"deprecated": "2.4"},
        "torch.old.__init__": {"deprecated": "2.4"},
        "torch.new": {"since": "2.4"},
    }
    content = {"symbols": {}, "other_symbols": {}, "ranges": ranges}
    assert [*changed(content)] == ["torch.gone", "torch.kept.member", "torch.old"]


def test_an_interpreter_that_cannot_be_asked_is_named(tmp_path: object) -> None:
    with pytest.raises(BuildError, match="no-such-python"):
        decorated("/no-such-python", ["torch.qr"])


def test_the_rules_read_the_table_that_is_written() -> None:
    assert _table.TABLE == TABLE
    assert _table.changes()["torch.cuda.amp.GradScaler"].deprecated == (2, 4)
    assert _table.changes()["torch.optim.lr_scheduler.StepLR(verbose)"].removed == (2, 7)
