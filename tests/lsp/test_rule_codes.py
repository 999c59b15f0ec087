"""Codes of rules in comments and in the configuration: what hovers say of them, and where links lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from in_process import URI, Session
from pygls.uris import to_fs_path
from recorded import CLIENTS, capabilities
from torchlore.config_schema import PROPERTIES
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.hover import hover_text
from torchlore.lsp.hover_links import Links
from torchlore.pages import rule_page
from torchlore.rules import all_rules, rule_by_code_or_name
from torchlore.rules.mentioned import mentioned_rules
from torchlore.text import Source

VSCODE = Links(URI, commands=True, markdown=True, runs=True)
NEOVIM = Links(URI, commands=False, markdown=True, runs=True)
FULL = "visual_studio_code_v1.139.1"


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("x = 1  # noqa: TL101", ["TL101"]),
        ("x = 1  # noqa: E501, TL101,TL113", ["TL101", "TL113"]),
        ("x = 1  # torchlore: ignore[missing-zero-grad, TL113]", ["missing-zero-grad", "TL113"]),
        ("x = 1  # torchlore: ignore[TL999]", []),
        ("x = 1  # noqa", []),
        ("x = 1  # noqa: E501", []),
        ("x = '# noqa: TL101'", []),
        ("x = 1  # TL101 is fine here", []),
    ],
)
def test_rules_that_a_comment_names(line: str, codes: list[str]) -> None:
    source = Source(f"import torch\n{line}\n")
    assert [source.segment(span) for span, _ in mentioned_rules(source)] == codes


@pytest.mark.parametrize("links", [VSCODE, NEOVIM], ids=["vscode", "neovim"])
def test_a_hover_on_a_code_says_what_the_rule_looks_for(links: Links) -> None:
    for rule in all_rules():
        known = Analysed(URI, Source(f"import torch\nx = 1  # noqa: {rule.code}\n"), {}, None)
        found = hover_text(known, known.source.text.index(rule.code) + 2, links)
        assert found is not None
        span, text = found
        assert known.source.segment(span) == rule.code
        assert text.startswith(f"**{rule.code} {rule.name}**")
        assert rule.documentation().split("\n\n")[1].split("\n")[0][:60] in text


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_a_code_is_a_link_to_the_page_of_its_rule(client: str) -> None:
    declared = capabilities(client)["textDocument"].get("documentLink")
    session = Session()
    session.start(capabilities(client))
    started = session.answer(0)
    assert started is not None
    assert ("documentLinkProvider" in started["result"]["capabilities"]) == (declared is not None)
    if declared is None:
        return
    session.open("import torch\n\nx = 1  # noqa: TL101\n")
    session.send("textDocument/documentLink", {"textDocument": {"uri": URI}}, 1)
    (link,) = (await session.until(1))["result"]
    assert link["range"] == {
        "start": {"line": 2, "character": 15},
        "end": {"line": 2, "character": 20},
    }
    assert ("tooltip" in link) == declared.get("tooltipSupport", False)
    session.send("documentLink/resolve", link, 2)
    path = to_fs_path((await session.until(2))["result"]["target"])
    rule = rule_by_code_or_name("TL101")
    assert path is not None and rule is not None
    assert read(path) == rule_page(rule)
    session.server.pages.remove()


MISTAKE = "import torch\n\nx = torch.tensor(torch.ones(3), requires_grad=True)  # noqa: TL101\n"


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_the_code_of_a_diagnostic_leads_to_the_page_of_its_rule(client: str) -> None:
    text_document = capabilities(client)["textDocument"]
    session = Session()
    session.start(capabilities(client))
    session.open("import torch\n", version=1)
    assert not await diagnostics(session, client, 1)
    assert session.server.pages._folder is None, "no page without a finding"
    session.replace(MISTAKE, 2)
    found = await diagnostics(session, client, 2)
    assert found
    declared = text_document["diagnostic"] if pulls(client) else text_document["publishDiagnostics"]
    for item in found:
        assert ("codeDescription" in item) == declared.get("codeDescriptionSupport", False)
        if "codeDescription" in item:
            path, rule = to_fs_path(item["codeDescription"]["href"]), rule_by_code_or_name(item["code"])
            assert path is not None and rule is not None
            assert read(path) == rule_page(rule)
    folder = session.server.pages._folder
    session.server.pages.remove()
    assert folder is None or not folder.exists()


async def test_a_page_that_cannot_be_written_is_not_led_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", no_room)
    session = Session()
    session.start(capabilities(FULL))
    session.open(MISTAKE)
    found = await diagnostics(session, FULL, 1)
    assert found and all("codeDescription" not in item for item in found)
    assert not session.sent("window/logMessage")


def no_room(**_: Any) -> str:
    raise OSError("No space left on device")


def pulls(client: str) -> bool:
    declared = capabilities(client)
    refreshes = declared.get("workspace", {}).get("diagnostics", {}).get("refreshSupport", False)
    return "diagnostic" in declared["textDocument"] and bool(refreshes)


async def diagnostics(session: Session, client: str, version: int) -> list[dict[str, Any]]:
    """What is said of a version, whichever way the client is told."""
    if pulls(client):
        session.send("textDocument/diagnostic", {"textDocument": {"uri": URI}}, f"look {version}")
        items: list[dict[str, Any]] = (await session.until(f"look {version}"))["result"]["items"]
        return items

    def published() -> list[dict[str, Any]]:
        sent = session.sent("textDocument/publishDiagnostics")
        return [one["params"] for one in sent if one["params"]["version"] == version]

    await session.eventually(lambda: bool(published()))
    return list(published()[0]["diagnostics"])


def read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


PYPROJECT = """\
[project]
name = "größe"
select = "not ours"

[tool.torchlore]  # ours
select = ["TL101", "TL9"]
respect-gitignore = true
severity = "hint"

[tool.torchlore.per-file-ignores]
"tests/*" = ["missing-zero-grad"]

[tool.ruff]
select = ["TL101"]
"""


async def hovered(text: str, name: str, marker: str, client: str = FULL) -> dict[str, Any] | None:
    session = Session()
    session.start(capabilities(client))
    document = {"uri": f"file:///project/{name}", "languageId": "toml", "version": 1, "text": text}
    session.send("textDocument/didOpen", {"textDocument": document})
    offset = text.index(marker) + marker.index("|") if "|" in marker else text.index(marker) + 1
    line = text.count("\n", 0, offset)
    session.hover(1, document["uri"], line, offset - text.rfind("\n", 0, offset) - 1)
    found: dict[str, Any] | None = (await session.until(1))["result"]
    return found


@pytest.mark.parametrize("key", sorted(PROPERTIES))
async def test_every_key_of_the_configuration_is_explained(key: str) -> None:
    for name, head in (("torchlore.toml", ""), ("pyproject.toml", "[tool.torchlore]\n")):
        found = await hovered(f"{head}{key} = 1\n", name, f"{key} =")
        assert found is not None
        assert found["contents"]["value"].startswith(f"**{key}**")
        assert str(PROPERTIES[key]["description"]) in found["contents"]["value"]
        line = head.count("\n")
        assert found["range"] == {
            "start": {"line": line, "character": 0},
            "end": {"line": line, "character": len(key)},
        }


async def test_keys_of_others_are_not_ours() -> None:
    assert await hovered(PYPROJECT, "pyproject.toml", 'select = "not') is None
    assert await hovered(PYPROJECT, "pyproject.toml", "name =") is None
    assert await hovered(PYPROJECT[PYPROJECT.index("[tool.ruff]") :], "pyproject.toml", "select") is None
    assert await hovered(PYPROJECT, "other.toml", "select = [") is None


async def test_rules_in_the_configuration_are_explained() -> None:
    for marker, shown in (("TL101", "TL101 missing-zero-grad"), ("missing-zero", "TL101 missing-zero-grad")):
        found = await hovered(PYPROJECT, "pyproject.toml", marker)
        assert found is not None and shown in found["contents"]["value"]
    assert await hovered(PYPROJECT, "pyproject.toml", "TL9") is None


async def test_who_shows_no_markdown_gets_none() -> None:
    found = await hovered("severity = 1\n", "torchlore.toml", "severity", "vim_v9.0_ale_v3.3.0")
    assert found is not None
    assert found["contents"]["kind"] == "plaintext" and "**" not in found["contents"]["value"]


async def test_a_line_that_is_gone_has_no_hover() -> None:
    session = Session()
    session.start()
    document = {"uri": "file:///project/torchlore.toml", "languageId": "toml", "version": 1, "text": ""}
    session.send("textDocument/didOpen", {"textDocument": document})
    session.hover(1, document["uri"], 7, 3)
    assert (await session.until(1))["result"] is None
