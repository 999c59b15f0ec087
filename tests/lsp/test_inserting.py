"""A snippet that a hover leads to: which one, where it goes, with which names and imports."""

from __future__ import annotations

import ast

import pytest
from torchlore.knowledge import cards, insert, inserts, inserts_of
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.hover_links import Links
from torchlore.lsp.inserting import edits_below
from torchlore.text import Source, apply_edits

URI = "file:///project/train.py"
TRAINER = """\
from torch import nn, optim

def train(batches, where):
    net = nn.Linear(2, 3)
    opt = optim.SGD(
        net.parameters(), lr=0.1
    )
    for x, y in batches:
        opt.step()
    return net
"""


def inserted(slug: str, code: str, mark: str) -> str:
    """The code after a snippet was inserted from a hover on `mark`."""
    wanted = insert(slug)
    assert wanted is not None
    return apply_edits(code, edits_below(Analysed(URI, Source(code), {}, None), wanted, code.index(mark)))


def test_it_goes_below_the_statement_as_deep_as_that() -> None:
    text = inserted("parameter-groups", TRAINER, "optim.SGD(")
    ast.parse(text)
    assert "import torch\n" in text
    below = text[text.index("lr=0.1\n    )\n") :]
    assert below.startswith("lr=0.1\n    )\n    # What has one dimension")
    assert "net.parameters() if" in below
    assert below.rstrip("\n").endswith("    for x, y in batches:\n        opt.step()\n    return net")


def test_below_the_head_of_a_loop_it_goes_below_the_loop() -> None:
    text = inserted("gradient-norms", TRAINER, "for x, y")
    ast.parse(text)
    assert "        opt.step()\n    trained = [" in text


@pytest.mark.parametrize("code", ["", "\n\n", "import torch", "import torch\r\n\r\nx = 1\r\n", "x = (\n"])
@pytest.mark.parametrize("slug", [known.slug for known in inserts()])
def test_it_can_go_anywhere(slug: str, code: str) -> None:
    text = inserted(slug, code, "")
    assert text.count("\n\n\n\n") == 0
    if "(" not in code:
        ast.parse(text)
    if "\r" in code:
        assert "\n" not in text.replace("\r\n", "")


def test_every_snippet_has_a_card_and_comes_with_it() -> None:
    known = {found.slug: found for found in cards()}
    for one in inserts():
        assert one in inserts_of(known[one.card]), one.slug


def test_a_hover_offers_it_where_edits_are_taken() -> None:
    card = next(found for found in cards() if found.slug == "gradient-clipping")
    here = Links(URI, commands=True, markdown=True, runs=False, here=(URI, 3))
    assert here.insertion(card).startswith(
        "[Insert: Training loop with gradient clipping](command:torchlore.insert?"
    )
    assert not Links(URI, commands=True, markdown=True, runs=False).insertion(card)
    assert not Links(URI, commands=False, markdown=True, runs=False, here=(URI, 3)).insertion(card)
