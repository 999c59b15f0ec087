"""Nothing of an untrusted workspace is started."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from device_support import execute, script
from torchlore.device import NotAllowed, Trust, describe, find_interpreter, trust_from


@pytest.mark.parametrize(
    "options",
    [
        None,
        {},
        {"untrustedWorkspace": False},
        {"other": 1},
        SimpleNamespace(),
        SimpleNamespace(untrustedWorkspace=False),
    ],
)
def test_trusted(options: object) -> None:
    assert trust_from(options) is Trust.TRUSTED


@pytest.mark.parametrize("said", [True, None, 0, 1, "", "false", "False", [], {}, float("nan")])
def test_anything_but_false_is_untrusted(said: object) -> None:
    assert trust_from({"untrustedWorkspace": said}) is Trust.UNTRUSTED
    assert trust_from(SimpleNamespace(untrustedWorkspace=said)) is Trust.UNTRUSTED


@pytest.mark.parametrize(
    "options", ["", "trusted", b"", 0, False, True, 1.5, [], [{"untrustedWorkspace": False}], ()]
)
def test_options_of_another_shape_are_untrusted(options: object) -> None:
    assert trust_from(options) is Trust.UNTRUSTED


async def test_nothing_is_started(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    evil = script(tmp_path / ".venv" / "bin" / "python", f"#!/bin/sh\ntouch {witness}\n")
    interpreters = [
        evil,
        find_interpreter(str(tmp_path), str(evil.path)),
        find_interpreter(str(tmp_path), None),
    ]
    for interpreter in interpreters:
        with pytest.raises(NotAllowed, match="not trusted") as refusal:
            await execute("print(1)", interpreter=interpreter, trust=Trust.UNTRUSTED)
        assert "\n" not in str(refusal.value)
        with pytest.raises(NotAllowed, match="not trusted"):
            await describe(interpreter, Trust.UNTRUSTED)
    assert not witness.exists()
    # The witness is a good one: with trust, it testifies.
    await describe(evil, Trust.TRUSTED)
    assert witness.exists()


@pytest.mark.parametrize("trust", [None, True, "TRUSTED", 1])
async def test_only_the_real_thing_is_trust(trust: object) -> None:
    with pytest.raises(NotAllowed):
        await execute("print(1)", trust=trust)
