"""What people use of torch leads to a card.

`torch_usage.tsv` holds the thousand names of torch that twenty widely used public repositories mention most,
with how often they do, all spelled in full.
"""

from __future__ import annotations

from pathlib import Path

from torchlore.knowledge import card_for

USES = Path(__file__).with_name("torch_usage.tsv")
# The rest is backends outside of torch, its own tests and its internals.
WANTED = 0.98


def test_nearly_all_uses_lead_to_a_card() -> None:
    lines = [line.split("\t") for line in USES.read_text(encoding="utf-8").splitlines()]
    uses = {name: int(count) for name, count in lines}
    assert len(uses) == 1000
    without = {name: count for name, count in uses.items() if card_for(name) is None}
    share = 1 - sum(without.values()) / sum(uses.values())
    heaviest = sorted(without.items(), key=lambda use: -use[1])[:10]
    assert share >= WANTED, f"{share:.2%}; without a card: {heaviest}"
