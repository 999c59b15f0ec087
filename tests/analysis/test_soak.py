"""Hours of editing cost no memory: nothing of a version that was replaced stays."""

from __future__ import annotations

import gc
import random
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

from breaking import KINDS, break_text
from torchlore.analysis import Analysis, analyze
from torchlore.rules import check
from torchlore.text import Source

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "examples" / "train_classifier.py").read_text(encoding="utf-8")
STEPS = 60


def _versions(text: str, rng: random.Random, steps: int) -> Iterator[str]:
    """What an editor sends while someone types, deletes and takes it back; the text is broken half of the time."""
    history = [text]
    for _ in range(steps):
        if len(history) > 1 and rng.random() < 0.4:
            history.pop()
        else:
            lines = history[-1].splitlines(keepends=True)
            edited = break_text(history[-1], rng.choice(KINDS[1:]), rng).text
            history.append(
                edited if rng.random() < 0.7 and len(lines) > 20 else f"{history[-1]}x = torch.ones(1)\n"
            )
        yield history[-1]


def _ask(text: str) -> Analysis:
    analysis = analyze(Source(text))
    check(analysis)
    for offset in range(0, len(text), 50):
        analysis.symbol_at(offset)
        analysis.notes_at(offset)
    analysis.names_at(len(text))
    return analysis


def test_nothing_of_an_earlier_version_stays() -> None:
    earlier: list[weakref.ref[object]] = []
    for text in _versions(TEXT, random.Random(1), STEPS // 3):
        analysis = _ask(text)
        earlier += [weakref.ref(analysis), weakref.ref(analysis.source), weakref.ref(analysis.source.tree)]
    del analysis
    gc.collect()
    assert [ref() for ref in earlier if ref() is not None] == []


def test_editing_for_long_takes_no_more_memory() -> None:
    def edit(seed: int) -> int:
        for text in _versions(TEXT, random.Random(seed), STEPS):
            _ask(text)
        gc.collect()
        return sys.getallocatedblocks()

    edit(2)  # Caches that have an end fill first.
    before = edit(3)
    assert edit(3) < before * 1.01
    assert edit(4) < before * 1.02
