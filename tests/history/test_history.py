"""The tool measures what it says; and what it finds in real histories, where there are mirrors of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from torchlore.rules import rule_by_code_or_name

from tests.history.__main__ import row
from tests.history.measure import lines, measured
from tests.history.repairs import Repair, read_repairs
from tests.history.trees import HistoryError, check_out, mirror_of

MODEL = """
from torch import nn


def build():
    return nn.Linear(4, 2)
"""

WRONG = """
import torch
from parts.model import build

model = build()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    loss = model(torch.ones(1, 4)).sum()
    loss.backward()
    optimizer.step()
"""

RIGHT = WRONG.replace("    loss.backward()", "    optimizer.zero_grad()\n    loss.backward()")

REPAIRS = read_repairs()


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of `someone/project`, whose last commit repairs its `train.py` and one before it does not."""
    top = tmp_path_factory.mktemp("mirrors")
    work = top / "work"
    (work / "parts").mkdir(parents=True)
    _git(work, "init", "-q")
    (work / "parts" / "model.py").write_text(MODEL)
    (work / "large.bin").write_bytes(bytes(10))
    for text in (WRONG, f"# a word\n{WRONG}", RIGHT):
        (work / "train.py").write_text(text)
        _git(work, "add", "--all")
        _git(work, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "one more")
    _git(top, "clone", "-q", "--bare", str(work), str(top / "someone+project" / "repo"))
    return top


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _repair(mirrors: Path, revision: str, **changed: object) -> Repair:
    commit = _git(mirrors / "work", "rev-parse", revision)
    given = {"path": "train.py", "line": 11, "rule": "TL101", **changed}
    return Repair("someone/project", commit, mistake="nothing clears the gradients", is_known=True, **given)  # type: ignore[arg-type]


def test_a_repair_is_found_in_the_tree_before_it(mirrors: Path) -> None:
    result = measured(_repair(mirrors, "HEAD"), mirrors)
    assert (result.before, result.after) == ((11,), ())
    assert result.is_found
    assert row(result).endswith("| nothing clears the gradients | TL101 | found | gone |")


def test_a_commit_that_repairs_nothing_is_not(mirrors: Path) -> None:
    result = measured(_repair(mirrors, "HEAD^", line=10), mirrors)
    assert (result.before, result.after) == ((10,), (11,))
    assert not result.is_found
    assert row(result).endswith("| found | still there |")


@pytest.mark.parametrize("changed", [{"line": 3}, {"rule": "TL401"}, {"path": "gone.py"}])
def test_a_finding_elsewhere_does_not_count(mirrors: Path, changed: dict[str, object]) -> None:
    result = measured(_repair(mirrors, "HEAD", **changed), mirrors)
    assert not result.is_found
    assert row(result).endswith("| - | - |")


def test_only_what_a_check_reads_is_checked_out(mirrors: Path, tmp_path: Path) -> None:
    check_out(mirror_of("someone/project", mirrors), "HEAD", tmp_path / "tree")
    found = {path.name for path in (tmp_path / "tree").rglob("*") if path.is_file()}
    assert found == {"model.py", "train.py"}
    assert lines(tmp_path / "tree" / "train.py", "TL101") == ()


def test_a_missing_mirror_or_commit_is_told(mirrors: Path, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="no mirror of no/body"):
        mirror_of("no/body", mirrors)
    with pytest.raises(HistoryError, match=r"someone\+project"):
        check_out(mirror_of("someone/project", mirrors), "0" * 40, tmp_path / "tree")


def test_a_bad_line_of_the_list_is_told(tmp_path: Path) -> None:
    file = tmp_path / "repairs.tsv"
    file.write_text("# for people\n\na/b\tc\td.py\tnine\tTL101\tfound\twrong\n")
    with pytest.raises(ValueError, match="line 3"):
        read_repairs(file)


def test_the_list_names_rules_and_whole_commits_once() -> None:
    assert all(rule_by_code_or_name(repair.rule) is not None for repair in REPAIRS)
    assert all(len(repair.commit) == 40 for repair in REPAIRS)
    keys = [(repair.commit, repair.rule) for repair in REPAIRS]
    assert len({*keys}) == len(keys)


MIRRORS = os.environ.get("TORCHLORE_MIRRORS", "")


@pytest.mark.skipif(not MIRRORS, reason="TORCHLORE_MIRRORS names no folder with mirrors of the repositories")
@pytest.mark.parametrize("repair", REPAIRS, ids=lambda repair: f"{repair.rule}-{repair.commit[:10]}")
def test_a_repair_of_history(repair: Repair) -> None:
    """Those that were found are found; one that no longer is missed is to be listed as found."""
    assert measured(repair, Path(MIRRORS)).is_found == repair.is_known
