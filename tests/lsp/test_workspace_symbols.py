"""Questions among the symbols of the workspace."""

from __future__ import annotations

import pytest
from in_process import Session
from pygls.uris import to_fs_path
from recorded import CLIENTS, capabilities
from torchlore.knowledge import cards, data_root
from torchlore.lsp.workspace_symbols import questions_like


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("zero_grad", "zero-grad"),
        ("zero grad", "zero-grad"),
        ("batchnorm", "batchnorm"),
        ("DATALOADER work", "dataloader-workers"),
    ],
)
def test_questions_are_found_by_their_words(query: str, slug: str) -> None:
    assert slug in [card.slug for card in questions_like(query)]


def test_every_card_is_found_by_its_question() -> None:
    for card in cards():
        assert questions_like(card.question)[0] is card


@pytest.mark.parametrize("query", ["", "  ", "?!", "no_such_function", "zero unrelated"])
def test_nothing_else_is_found(query: str) -> None:
    assert questions_like(query) == []


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_every_editor_that_asks_gets_the_cards(client: str) -> None:
    session = Session()
    session.start(capabilities(client))
    session.send("workspace/symbol", {"query": "zero_grad"}, 1)
    (first, *_) = (await session.until(1))["result"]
    assert to_fs_path(first["location"]["uri"]) in {str(data_root() / card.path) for card in cards()}
    assert "zero_grad" in first["name"]


async def test_a_short_query_is_for_somebody_else() -> None:
    session = Session()
    session.start({"workspace": {"symbol": {}}})
    for number, query in enumerate(("", "ze", "no_such_function"), 1):
        session.send("workspace/symbol", {"query": query}, number)
        assert (await session.until(number))["result"] is None


async def test_it_can_be_switched_off() -> None:
    session = Session()
    session.start({"workspace": {"symbol": {}}}, {"workspaceSymbols": False})
    started = session.answer(0)
    assert started is not None and "workspaceSymbolProvider" not in started["result"]["capabilities"]
