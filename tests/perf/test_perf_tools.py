"""The benchmarks measure what they say. No test here asserts a time."""

from __future__ import annotations

import ast
import asyncio
import os
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import pytest
from torchlore.analysis import analyze
from torchlore.analysis.run import Run
from torchlore.rules import check
from torchlore.text import Source

from tests.perf import checking, corpus, generate, keystrokes, peers, receivers, scaling, stages, timing
from tests.perf.telling import UNKNOWN

SNIPPET = """
import torch, sys
from torch import nn

model = nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.to("cpu").train()
optimizer.step()
torch.sum(torch.ones(2)).backward()
"a b".split()
{}.update({})
sys.stdout.type("x")


def run(given):
    given.step()
    given.frobnicate()
    nothing = None
    nothing.backward()
"""


def _counted(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    found = receivers.receivers(corpus.files([tmp_path]), corpus.packages([tmp_path]))
    return {ast.unparse(receiver.node): receiver.kind for receiver in found}


def test_receivers_are_told_by_kind(tmp_path: Path) -> None:
    assert _counted(tmp_path, SNIPPET) == {
        "model.parameters": "Module",
        "model.to": "Module",
        "model.to('cpu').train": "Module",
        "optimizer.step": "Optimizer",
        "torch.sum": receivers.IMPORTED,
        "torch.sum(torch.ones(2)).backward": "Tensor",
        "'a b'.split": "str",
        "{}.update": "dict",
        "sys.stdout.type": receivers.IMPORTED,
        "given.step": UNKNOWN,
        "nothing.backward": UNKNOWN,
    }


def test_what_cannot_be_so_is_contradicted(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SNIPPET, encoding="utf-8")
    found = receivers.receivers(corpus.files([tmp_path]), frozenset())
    assert [ast.unparse(r.node) for r in found if r.contradicted or r.taken_back] == ["nothing.backward"]


def test_samples_are_stable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.py").write_text(SNIPPET, encoding="utf-8")
    found = list(receivers.receivers(corpus.files([tmp_path]), frozenset()))
    drawn = receivers.sample(found, 4, "0")
    assert drawn == receivers.sample(found[::-1], 4, "0") != receivers.sample(found, 4, "1")
    fewer = [receiver for receiver in found if receiver is not drawn[1]]
    assert receivers.sample(fewer, 3, "0") == [drawn[0], *drawn[2:]]
    receivers.main([str(tmp_path), "--sample", "known", "--size", "2"])
    assert capsys.readouterr().out.count("script.py:") == 2


def test_what_comes_from_the_workspace_is_unknown_until_it_is_read(tmp_path: Path) -> None:
    kinds = _counted(tmp_path, "import torch\nfrom script import missing\nmissing.step()\nmissing().to(1)\n")
    assert kinds == {"missing.step": UNKNOWN, "missing().to": UNKNOWN}


def test_generated_code_is_the_same_each_time_and_clean() -> None:
    text = generate.module(600, seed=3)
    assert text == generate.module(600, seed=3) != generate.module(600, seed=4)
    assert 600 <= text.count("\n") < 700
    ast.parse(text)
    assert check(analyze(Source(text)), checking.RULES) == []
    compile(generate.module(120, imports=("part_0000",)), "generated", "exec")


def test_generated_workspace_imports_in_rings(tmp_path: Path) -> None:
    names = generate.workspace(tmp_path, 12, lines=30)
    assert sorted(path.stem for path in tmp_path.glob("*.py")) == names
    imported = [(tmp_path / f"{name}.py").read_text(encoding="utf-8").split()[1] for name in names]
    assert imported[:3] == names[1:4] and imported[9] == names[0] and imported[11] == names[10]


def test_joined_files_do_not_hide_one_another() -> None:
    text = "from __future__ import annotations\ndef f():\n    return g\nclass g:\n    f = 1\n"
    text += "def h(k):\n    return k.f"
    code = [corpus.File(Path(), "a.py", f"{text}\ndef k(): f()\n") for _ in range(2)]
    joined = scaling.joined(code, 5)
    assert joined is not None
    assert [node.name for node in ast.parse(joined).body if hasattr(node, "name")] == [
        "f_0",
        "g_0",
        "h_0",
        "k",
    ]
    assert "return g_0" in joined and "f_0()" in joined and "k.f" in joined and "__future__" not in joined
    assert scaling.joined(code, 1000) is None


def test_typing_makes_versions_of_the_same_file() -> None:
    text = generate.module(200)
    versions = keystrokes.edits(text, 60)
    assert len(versions) == 60 and all(len(version) > len(text) for version in versions)
    whole = [version for version in versions if _parses(version)]
    assert 10 < len(whole) < 60


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def test_parts_of_the_analysis_by_frame() -> None:
    seen: list[FrameType] = []

    def look(run: Run) -> None:
        seen.append(sys._getframe())

    look(None)  # type: ignore[arg-type]
    assert stages.part_of(seen[0]) == stages.VALUES  # no function of torchlore is running
    assert stages.part("frames", "find") == stages.part("run", "join_names") == stages.NAMES
    assert stages.part("run", "emit") == stages.part("events", "places") == stages.EVENTS
    assert stages.part("parse", "parse") == stages.OTHERS
    assert stages.part("expressions", "evaluate") == stages.VALUES


def test_looks_count_only_during_the_work() -> None:
    with stages.sampled() as looks:
        sum(range(2_000_000))
        before = Counter(looks.found)
        looks.during(lambda: sum(range(10_000_000)))
    assert before == Counter() and not looks.on
    assert set(looks.found) <= {stages.VALUES}


def test_check_prints_every_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.py").write_text(generate.module(100), encoding="utf-8")
    checking.print_check([tmp_path])
    shown = capsys.readouterr().out
    for part in ("total", "collecting", "names", "values", "events", "rules"):
        assert part in shown
    for title in ("worst files", "script.py", "peak memory"):
        assert title in shown
    with pytest.raises(SystemExit, match="does not exist"):
        checking.print_check([tmp_path / "missing"])
    with pytest.raises(SystemExit, match="mentions torch"):
        corpus.files([tmp_path / "..." if (tmp_path / "...").exists() else _empty(tmp_path)])


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def test_keystrokes_through_the_real_server(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(keystrokes.print_workspace(size=3))
    assert capsys.readouterr().out.count("first diagnostics") == 4


def test_quantiles_are_in_milliseconds() -> None:
    assert timing.quantiles([0.001] * 9 + [0.1]).startswith("p50 1.0 ms")
    assert timing.within([0.1, 0.2, 0.3], 0.2) == "under 200 ms: holds"
    assert timing.within([0.1, 0.2, 0.3], 0.1) == "under 100 ms: DOES NOT HOLD"


@pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")
def test_peers_are_measured_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.py").write_text(SNIPPET, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    for name in ("torchfix", "torch-preflight"):
        stand_in = tmp_path / "bin" / name
        stand_in.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / name}\n', encoding="utf-8")
        stand_in.chmod(0o755)
    monkeypatch.setenv("PEERS", str(tmp_path))
    peers.print_peers([tmp_path / "script.py"])
    shown = [line for line in capsys.readouterr().out.splitlines() if line]
    assert [line.split()[0] for line in shown[1:-1]] == ["torchlore", "the", "torchfix", "torch-preflight"]
    assert " x ours (at least 30: DOES NOT HOLD)" in shown[3] and shown[3].endswith(" x the second time")
    asked = (tmp_path / "torch-preflight").read_text(encoding="utf-8").splitlines()
    assert asked[-1] == f"check -j1 {tmp_path / 'script.py'}" != asked[0]


def test_a_run_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "PATIENCE", 0.2)
    assert peers._took([sys.executable, "-c", "import time; time.sleep(60)"]) is None
