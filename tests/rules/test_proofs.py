"""Every rule's harm is real, and its repair mends it: shown on real torch.

`proofs/<rule>.py` is a program with the mistake, and `prove(bad, good)`, which runs it as it is (`bad`) and
as the rule's own fixes make it (`good`), and asserts the harm and its absence. The program is a file like a
user's: `good` is not written by hand, but made by the rule.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import mdtest
import pytest
from torchlore.analysis import analyze
from torchlore.rules import Family, Rule, all_rules, check
from torchlore.text import Source, apply_edits

torch = pytest.importorskip("torch", reason="the proofs run on torch")
PROOFS = Path(__file__).parent / "proofs"
PROVEN = [rule for rule in all_rules() if rule.family is not Family.COMMENTS]  # those are about no torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small take far longer when threads wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("rule", PROVEN, ids=lambda rule: rule.name)
def test_the_harm_is_real_and_the_fix_mends_it(rule: type[Rule], tmp_path: Path) -> None:
    name = rule.name.replace("-", "_")
    path = PROOFS / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    found = mdtest.counted(check(analyze(Source(text))), rule.name)
    assert {finding.code for finding in found} == {rule.code}
    bad = load(path)
    repaired = tmp_path / f"{name}_repaired.py"
    repaired.write_text(repair(rule, text, getattr(bad, "REPAIRS", ())), encoding="utf-8")
    bad.prove(bad, load(repaired))


def repair(rule: type[Rule], text: str, by_hand: Sequence[tuple[str, str]]) -> str:
    """`text` after the fixes of `rule`, and those that are written by hand; nothing of it may be left."""
    for old, new in by_hand:
        text = text.replace(old, new)
    for _ in range(mdtest.MAX_ROUNDS):
        edits = mdtest.compatible_edits(check(analyze(Source(text)), [rule]))
        text = apply_edits(text, edits)
    assert mdtest.counted(check(analyze(Source(text))), rule.name) == []
    return text


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
