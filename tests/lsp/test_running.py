"""What the editor's options and arguments make of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from in_process import Session
from torchlore.device import Crew, Interpreter, Picture, RunResult, Trust
from torchlore.lsp import runs
from torchlore.lsp.pages import Pages
from torchlore.lsp.settings import settings_from

FINISHED = RunResult(True, "finished", 0, "42\n", "", False, None, 0.1, "cpu", None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What runs were asked for; nothing is run."""
    requested: list[dict[str, Any]] = []

    async def run(code: str, **arguments: Any) -> RunResult:
        requested.append({"code": code, **arguments})
        return FINISHED

    monkeypatch.setattr(runs, "run_on_device", run)
    return requested


async def ran(session: Session, argument: dict[str, Any], number: int) -> dict[str, Any]:
    command = {"command": "torchlore.run", "arguments": [{**argument, "wait": True}]}
    session.send("workspace/executeCommand", command, number)
    result: dict[str, Any] = (await session.until(number))["result"]
    return result


async def test_shipped_snippets_have_no_network_and_all_share_one_crew(asked: list[dict[str, Any]]) -> None:
    session = Session()
    session.start(options={"runOwnCode": True})
    await ran(session, {"slug": "zero-grad"}, 1)
    await ran(session, {"code": "print(42)"}, 2)
    shipped, own = asked
    assert (shipped["limits"].network, own["limits"].network) == (False, True)
    assert isinstance(own["crew"], Crew) and own["crew"] is shipped["crew"]


@pytest.mark.parametrize(
    ("option", "argument", "device"),
    [
        (None, None, None),
        ("auto", None, None),
        ("cuda:1", None, "cuda:1"),
        ("cuda:1", "cpu", "cpu"),
        (3, 3, None),
        ("  ", None, None),
    ],
)
async def test_the_device(
    option: object, argument: object, device: str | None, asked: list[dict[str, Any]]
) -> None:
    session = Session()
    session.start(options={"device": option})
    await ran(session, {"slug": "zero-grad", "device": argument}, 1)
    assert asked[0]["device"] == device


async def test_the_answer_is_the_described_json(asked: list[dict[str, Any]]) -> None:
    session = Session()
    session.start(options={"runOwnCode": True})
    answer = await ran(session, {"code": "print(42)"}, 1)
    assert (answer["version"], answer["stdout"], answer["value"]) == (1, "42\n", None)


@pytest.mark.parametrize("warm", [True, False])
async def test_torch_is_imported_at_the_start_only_where_the_user_wants_it(
    warm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Trust] = []

    async def start(_crew: Crew, _interpreter: Interpreter, trust: Trust) -> None:
        started.append(trust)

    monkeypatch.setattr(Crew, "warm", start)
    session = Session()
    session.start(options={"warm": warm})
    session.send("initialized", {})
    await session.eventually(lambda: bool(started) is warm and not session.server.tasks)
    assert started == [Trust.TRUSTED] * warm


async def test_the_agents_go_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    dismissed: list[Crew] = []
    monkeypatch.setattr(Crew, "dismiss", lambda crew: dismissed.append(crew))
    session = Session()
    session.start()
    crew = session.server.crew
    session.send("shutdown", None, 1)
    await session.until(1)
    assert dismissed == [crew]


@pytest.mark.parametrize("said", ["true", 1, None, {}])
def test_malformed_options_mean_their_default(said: object) -> None:
    settings = settings_from({"warm": said, "runOwnCode": said, "device": {}})
    assert (settings.warm, settings.run_own_code, settings.device) == (False, None, None)


def test_pictures_of_a_run_lie_beside_its_page() -> None:
    pages = Pages()
    page = pages.write("run-x", "![](value.png)", drawn=(Picture("value.png", b"data"),))
    assert Path(page.parent, "value.png").read_bytes() == b"data"
    pages.remove()
    assert not page.parent.exists()
