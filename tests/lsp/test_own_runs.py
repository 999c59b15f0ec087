"""Running what the cursor points at: what is asked, what the client hears, what stays in the editor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from in_process import URI, Session
from torchlore.device import (
    Block,
    Layer,
    LayerTable,
    LineValue,
    NotAllowed,
    Optimizer,
    RunError,
    RunResult,
    Value,
)
from torchlore.lsp import runs
from torchlore.lsp.code_actions import run as run_actions
from torchlore.lsp.server import Server

FILE = """\
import torch
from torch import nn

print("not asked for")
x = torch.ones(2, 4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)


def main():
    optimizer = torch.optim.SGD(Net().parameters(), momentum=0.9)
    print(Net()(x))
"""
FINISHED = RunResult(True, "finished", 0, "42\n", "", False, None, 0.1, "cpu", None)
VALUES = (LineValue(5, "x", Value("object", "int", "3")),)
TABLE = LayerTable((Layer("fc", "Linear", ((2, 2),), 16, 1, 10, 40, 16),), 10, 10, 40, 16, ((2, 2),))


class Device:
    """Notes what it is asked to run, and answers what it is told to."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer = FINISHED
        self.says: list[tuple[str, str]] = []
        self.refuses = ""

    async def run(self, code: str, **arguments: Any) -> RunResult:
        self.asked.append({"code": code, **arguments})
        if self.refuses:
            raise NotAllowed(self.refuses)
        for stream, text in self.says:
            arguments["on_output"](stream, text)
        return self.answer


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    found = Device()
    monkeypatch.setattr(runs, "run_on_device", found.run)
    return found


HINTS = {"textDocument": {"inlayHint": {}}}


def opened(text: str = FILE, capabilities: dict[str, Any] | None = None, **options: Any) -> Session:
    session = Session()
    session.start(capabilities, {"runOwnCode": True, **options})
    session.open(text)
    return session


def lines(first: int, last: int | None = None) -> dict[str, Any]:
    """A range of whole lines, or the cursor in one of them."""
    if last is None:
        return {"start": {"line": first, "character": 0}, "end": {"line": first, "character": 0}}
    return {"start": {"line": first, "character": 0}, "end": {"line": last + 1, "character": 0}}


async def commanded(session: Session, name: str, number: int, **argument: Any) -> Any:
    arguments = [{"uri": URI, "wait": True, **argument}]
    session.send("workspace/executeCommand", {"command": f"torchlore.{name}", "arguments": arguments}, number)
    return (await session.until(number))["result"]


async def test_a_selection_is_run_with_what_it_needs_and_nothing_else(device: Device) -> None:
    await commanded(opened(), "run", 1, range=lines(4, 4))
    (asked,) = device.asked
    assert asked["code"] == "import torch\n\n\n\nx = torch.ones(2, 4)\n"
    assert (asked["lines"], asked["name"]) == ((5, 5), "train")


async def test_the_function_under_the_cursor(device: Device) -> None:
    await commanded(opened(), "run", 1, range=lines(17))
    code = device.asked[0]["code"]
    assert code.rstrip().endswith("main()") and "class Net" in code and "not asked for" not in code


@pytest.mark.parametrize(
    ("said", "processes"), [(2, 2), (64, 64), (0, None), (65, None), (True, None), ("2", None), (None, None)]
)
async def test_in_several_processes(said: object, processes: int | None, device: Device) -> None:
    await commanded(opened(), "run", 1, range=lines(17), processes=said)
    assert device.asked[0]["processes"] == processes


async def test_several_processes_are_offered_where_the_file_has_them_speak() -> None:
    session = opened()
    assert "Run `main()`" in await titles(session, 1, lines(17))
    session.replace(f"{FILE}\n\ntorch.distributed.init_process_group()\n", 2)
    assert "Run `main()` in 2 processes" in await titles(session, 2, lines(17))


async def test_own_code_runs_in_the_folder_of_its_file(device: Device, tmp_path: Path) -> None:
    session = Session()
    session.start(options={"runOwnCode": True})
    uri = (tmp_path / "a.py").as_uri()
    session.open("x = 1\n", uri)
    await commanded(session, "run", 1, uri=uri, range=lines(0, 0))
    await commanded(session, "run", 2, slug="zero-grad")
    assert [asked["home"] for asked in device.asked] == [tmp_path, None]


async def test_what_cannot_be_run_by_itself_is_said(device: Device) -> None:
    session = opened()
    assert await commanded(session, "run", 1, range=lines(13, 13)) is None
    (message,) = session.sent("window/showMessage")
    assert "`self` (a parameter of `forward`)" in message["params"]["message"]
    assert not device.asked


@pytest.mark.parametrize(
    "said", [None, 3, {}, {"start": 1, "end": 2}, {"start": {"line": "x", "character": 0}, "end": {}}]
)
async def test_a_malformed_range_runs_nothing(said: object, device: Device) -> None:
    assert await commanded(opened(), "run", 1, range=said) is None
    assert not device.asked


async def test_without_consent_nothing_of_the_user_runs(device: Device) -> None:
    session = opened(runOwnCode=False)
    for number, (name, argument) in enumerate(
        (("run", {"range": lines(4, 4)}), ("shapes", {"class": "Net"}), ("fit", {"class": "Net"})), 1
    ):
        assert await commanded(session, name, number, **argument) is None
    assert not device.asked


async def test_a_model_is_asked_about_as_the_file_makes_it(device: Device) -> None:
    await commanded(opened(), "fit", 1, **{"class": "Net"})
    (asked,) = device.asked
    question = asked["question"]
    assert (question.kind, question.optimizer) == ("fit", Optimizer("SGD", (("momentum", 0.9),)))
    assert [one.shape for one in question.inputs] == [(2, 4)]
    assert asked["code"].rstrip().endswith("lambda: Net()")


async def test_what_only_the_user_can_know_is_asked_for(device: Device) -> None:
    session = opened(FILE.replace("(x))", "(unknown))"))
    answer = await commanded(session, "shapes", 1, **{"class": "Net"})
    assert answer["needs"] == "inputs" and not device.asked
    given = {"class": "Net", "inputs": ["8, 4", "2:int64"]}
    await commanded(session, "shapes", 2, **given)
    assert [(one.shape, one.dtype) for one in device.asked[0]["question"].inputs] == [
        ((8, 4), "float32"),
        ((2,), "int64"),
    ]


async def test_events_for_clients_that_want_them(device: Device) -> None:
    session = opened(runEvents=True)
    device.says = [("notice", "cuda:0 is busy"), ("stdout", "42\n")]
    await commanded(session, "run", 1, range=lines(4, 4))
    told = [message["params"] for message in session.sent("$/torchlore/run")]
    assert [one["kind"] for one in told] == ["started", "output", "output", "finished"]
    assert len({one["run"] for one in told}) == 1
    assert (told[2]["stream"], told[2]["text"]) == ("stdout", "42\n")
    assert told[3]["result"]["outcome"] == "finished"
    assert not session.sent("window/showMessage"), "the page of a run is for clients without a panel"


async def test_others_hear_nothing(device: Device) -> None:
    session = opened()
    device.says = [("stdout", "42\n")]
    await commanded(session, "run", 1, range=lines(4, 4))
    assert not session.sent("$/torchlore/run")


async def test_a_refusal_ends_the_stream(device: Device) -> None:
    session = opened(runEvents=True)
    device.refuses = "cuda:0 is full"
    await commanded(session, "run", 1, range=lines(4, 4))
    last = session.sent("$/torchlore/run")[-1]["params"]
    assert (last["kind"], last["reason"]) == ("stopped", "cuda:0 is full")


async def hints(session: Session, number: int) -> list[tuple[int, str]]:
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    session.send("textDocument/inlayHint", {"textDocument": {"uri": URI}, "range": whole}, number)
    found = (await session.until(number))["result"] or []
    return [(hint["position"]["line"], hint["label"]) for hint in found]


async def test_values_stand_at_the_ends_of_lines_until_the_next_edit(device: Device) -> None:
    shows = {"workspace": {"inlayHint": {"refreshSupport": True}}, "textDocument": {"inlayHint": {}}}
    session = opened(capabilities=shows)
    assert await hints(session, 1) == []
    device.answer = RunResult(True, "finished", 0, "", "", False, None, 0.1, "cpu", None, lines=VALUES)
    await commanded(session, "run", 2, range=lines(4, 4))
    assert session.sent("workspace/inlayHint/refresh")
    assert await hints(session, 3) == [(4, "⇒ x = 3")]
    session.replace(FILE + "\n", 2)
    assert await hints(session, 4) == []


async def test_what_stands_below_the_file_has_no_line_in_it(device: Device) -> None:
    session = opened(capabilities=HINTS)
    below = (LineValue(FILE.count("\n") + 2, "", Value("object", "int", "3")),)
    device.answer = RunResult(True, "finished", 0, "", "", False, None, 0.1, "cpu", None, lines=below)
    await commanded(session, "run", 1, range=lines(17))
    assert await hints(session, 2) == []


async def test_an_error_stands_on_its_line(device: Device) -> None:
    session = opened(capabilities=HINTS)
    error = RunError("ValueError", "no\nmore", 5)
    device.answer = RunResult(False, "error", 1, "", "", False, error, 0.1, "cpu", None)
    await commanded(session, "run", 1, range=lines(4, 4))
    assert await hints(session, 2) == [(4, "⇒ ValueError: no")]


async def test_shapes_stand_beside_the_layers(device: Device) -> None:
    session = opened(capabilities=HINTS)
    device.answer = RunResult(True, "finished", 0, "", "", False, None, 0.1, "cpu", None, measured=TABLE)
    await commanded(session, "shapes", 1, **{"class": "Net"})
    assert await hints(session, 2) == [(10, "⇒ 2 × 2, 10 parameters")]
    whole = replace(TABLE, layers=(), blocks=(Block("fc", ((2, 3),), 12),))
    device.answer = replace(device.answer, measured=whole)
    await commanded(session, "shapes", 3, **{"class": "Net"})
    assert await hints(session, 4) == [(10, "⇒ 2 × 3, 12 parameters")]


async def test_the_last_run_is_in_the_hover_of_its_card(device: Device) -> None:
    session = opened("import torch\ntorch.optim.SGD([]).zero_grad()\n", {"textDocument": {"hover": {}}})
    await commanded(session, "run", 1, slug="zero-grad")
    session.hover(2, line=1, character=22)
    assert "Last run: Finished in 0.1 s on cpu." in (await session.until(2))["result"]["contents"]["value"]


async def titles(session: Session, number: int, place: dict[str, Any]) -> list[str]:
    context = {"diagnostics": [], "triggerKind": 1, "only": ["torchlore.run"]}
    params = {"textDocument": {"uri": URI}, "range": place, "context": context}
    session.send("textDocument/codeAction", params, number)
    return [action["title"] for action in (await session.until(number))["result"] or []]


LITERALS = {
    "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}}
}


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(server: Server) -> None:
        server.gpus = ("cuda:0", "cuda:1")

    monkeypatch.setattr(run_actions, "look_for_gpus", look)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("chosen", "devices"),
    [(None, ["cuda:0", "cuda:1", "cpu"]), ("cpu", ["cpu", "cuda:0", "cuda:1"])],
)
async def test_titles_name_the_devices(chosen: str | None, devices: list[str]) -> None:
    session = opened(capabilities=LITERALS, device=chosen)
    await titles(session, 1, lines(17))
    assert await titles(session, 2, lines(17)) == [f"Run `main()` on {device}" for device in devices]


async def test_actions_on_a_machine_without_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_actions, "is_worth_looking", lambda _: False)
    session = opened(capabilities=LITERALS)
    assert await titles(session, 1, lines(17)) == ["Run `main()`"]
    assert "Shapes of Net" in await titles(session, 2, lines(8))
    assert await titles(session, 3, lines(4, 4)) == ["Run line 5"]


@pytest.mark.parametrize("options", [{"untrustedWorkspace": True}, {"runOwnCode": False}])
async def test_no_actions_where_nothing_may_run(options: dict[str, Any]) -> None:
    session = opened(capabilities=LITERALS, **options)
    assert await titles(session, 1, lines(17)) == []


async def test_a_rule_is_proven_by_its_example(device: Device) -> None:
    session = opened()
    rows = await commanded(session, "prove", 1, code="TL101")
    bad, good = device.asked
    assert "zero_grad" not in bad["code"] and "zero_grad" in good["code"]
    assert not bad["limits"].network and bad["home"] is None
    assert rows[1] == ["outcome", "finished", "finished"]


async def test_a_rule_that_is_none_is_not_proven(device: Device) -> None:
    session = opened()
    assert await commanded(session, "prove", 1, code="TL000") is None
    assert session.sent("window/showMessage") and not device.asked
