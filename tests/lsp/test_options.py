"""The options that the schema names are those that the server reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from in_process import Session
from torchlore.device import Environment, Interpreter, Trust
from torchlore.lsp import environment
from torchlore.lsp.options import OPTIONS, Option, schema
from torchlore.lsp.settings import DEFAULTS, settings_from


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_server_reads_each_option(option: Option) -> None:
    kinds = option.schema["type"]
    other = "another" if kinds == "string" else not option.schema["default"]
    values = [True, False] if isinstance(kinds, list) else [other]
    assert settings_from({option.name: option.schema["default"]}) == DEFAULTS
    assert any(settings_from({option.name: value}) != DEFAULTS for value in values)
    for value in values:
        assert settings_from({"settings": {option.name: value}}) == settings_from({option.name: value})


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_what_editors_call_the_choices_says_all_of_them(option: Option) -> None:
    is_open = isinstance(option.schema["type"], list)
    meanings = [meaning for meaning, _ in option.words.values()]
    assert meanings == ([option.schema["default"], True, False] if is_open else [])


@pytest.mark.parametrize("name", ["runOwnCode", "warm"])
def test_a_workspace_can_neither_allow_nor_start_anything(name: str) -> None:
    assert {option.name: option.scope for option in OPTIONS}[name] == "application"


def test_the_schema_describes_each_option() -> None:
    properties = json.loads(schema())["properties"]
    assert list(properties) == [option.name for option in OPTIONS]
    assert all(described["description"] for described in properties.values())


def test_a_folder_has_the_interpreter_that_was_chosen_for_it() -> None:
    options = {"interpreter": "/all/python", "interpreters": {"/a": "/a/python", "/b": " ", "/c": 3}}
    settings = settings_from(options)
    assert settings.interpreter_of("/a") == "/a/python"
    assert [settings.interpreter_of(folder) for folder in ("/b", "/c", "/d", None)] == ["/all/python"] * 4


async def told(session: Session, argument: dict[str, Any], number: int) -> dict[str, Any]:
    command = {"command": "torchlore.environment", "arguments": [argument]}
    session.send("workspace/executeCommand", command, number)
    result: dict[str, Any] = (await session.until(number))["result"]
    return result


async def test_the_environment_is_told_without_starting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Interpreter] = []

    async def describe(interpreter: Interpreter, trust: Trust, crew: object) -> Environment:
        looked.append(interpreter)
        return Environment("3.13.0", interpreter.path, "2.13.0", (), None)

    monkeypatch.setattr(environment, "describe", describe)
    session = Session()
    session.start(options={"interpreter": "/nowhere/python"})
    known = await told(session, {}, 1)
    assert (known["interpreter"], known["torch"], known["devices"]) == (
        {"path": "/nowhere/python", "origin": "setting"},
        None,
        None,
    )
    assert looked == []
    seen = await told(session, {"look": True}, 2)
    assert (seen["torch"], seen["devices"]) == ("2.13.0", [])
    assert [interpreter.path for interpreter in looked] == ["/nowhere/python"]


async def test_without_trust_nobody_looks() -> None:
    session = Session()
    session.start(options={"untrustedWorkspace": True})
    seen = await told(session, {"look": True}, 1)
    assert seen["devices"] is None
    assert "trust" in seen["problem"]
    assert (await told(session, {}, 2))["problem"] == seen["problem"]


@pytest.mark.parametrize(("untrusted", "count"), [(True, 1), ("malformed", 1), (False, 0)])
async def test_why_nothing_runs_stands_in_the_log(untrusted: object, count: int) -> None:
    session = Session()
    session.start(options={"untrustedWorkspace": untrusted})
    session.send("initialized", {})
    said = [message["params"]["message"] for message in session.sent("window/logMessage")]
    assert len([one for one in said if "not trusted" in one]) == count
