"""The configuration files of editors that no test starts: what stands in them is what the editor reads.

The keys are those that each editor documents; a misspelt one would be passed over in silence.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from editor_support import ROOT
from torchlore.cli.app import app
from torchlore.lsp.settings import DEFAULTS, settings_from

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EDITORS = ROOT / "editors"
READMES = sorted(EDITORS.glob("*/README.md"))
OPTIONS = {"interpreter": ""}
COMMAND = ["torchlore", "serve"]

HELIX_SERVER = {"command", "args", "config", "environment", "required-root-patterns", "timeout"}
HELIX_FEATURES = {
    *("format", "goto-definition", "goto-declaration", "goto-type-definition", "goto-reference"),
    *("goto-implementation", "signature-help", "hover", "document-highlight", "completion", "code-action"),
    *(
        "workspace-command",
        "document-symbols",
        "workspace-symbols",
        "diagnostics",
        "rename-symbol",
        "inlay-hints",
    ),
}
ZED_SERVER = {"binary", "initialization_options", "settings", "enable_lsp_tasks"}
ZED_OWN_PYTHON_SERVERS = {"basedpyright", "pyright", "pylsp", "ruff", "ty"}
SUBLIME_CLIENT = {
    *("enabled", "command", "selector", "initializationOptions", "settings", "env", "priority_selector"),
    *("schemes", "tcp_port", "diagnostics_mode", "disabled_capabilities", "experimental_capabilities"),
}
KATE_SERVER = {
    *("command", "commandDebug", "path", "root", "rootIndicationFileNames", "rootIndicationFilePatterns"),
    *("url", "highlightingModeRegex", "documentLanguageId", "initializationOptions", "settings", "env"),
}
JUPYTER_SPEC = {
    *("argv", "config_schema", "debug_argv", "display_name", "env", "extend", "install", "languages"),
    *(
        "mime_types",
        "requires_documents_on_disk",
        "troubleshoot",
        "urls",
        "version",
        "workspace_configuration",
    ),
}


def test_helix() -> None:
    told = tomllib.loads((EDITORS / "helix" / "languages.toml").read_text(encoding="utf-8"))
    assert set(told) == {"language-server", "language"}
    server = told["language-server"]["torchlore"]
    assert set(server) <= HELIX_SERVER
    assert [server["command"], *server["args"]] == COMMAND
    assert server["config"] == OPTIONS
    (python,) = told["language"]
    assert python["name"] == "python"
    assert python["language-servers"][0] == "torchlore", "a Helix with one hover asks the first server"
    readme = (EDITORS / "helix" / "README.md").read_text(encoding="utf-8")
    excepted = re.findall(r"(?:except|only)-features = \[(.*?)\]", readme)
    assert (
        excepted and {json.loads(name) for names in excepted for name in names.split(", ")} <= HELIX_FEATURES
    )


def test_zed() -> None:
    told = read("zed/settings.json")
    servers = told["languages"]["Python"]["language_servers"]
    assert set(servers) <= ZED_OWN_PYTHON_SERVERS
    ((name, server),) = told["lsp"].items()
    assert name in servers
    assert set(server) <= ZED_SERVER
    assert [server["binary"]["path"], *server["binary"]["arguments"]] == COMMAND
    assert server["initialization_options"] == OPTIONS


def test_sublime() -> None:
    client = read("sublime/LSP.sublime-settings")["clients"]["torchlore"]
    assert set(client) <= SUBLIME_CLIENT
    assert client["enabled"] is True
    assert (client["command"], client["selector"]) == (COMMAND, "source.python")
    assert client["initializationOptions"] == OPTIONS


def test_kate() -> None:
    server = read("kate/settings.json")["servers"]["python"]
    assert set(server) <= KATE_SERVER
    assert server["command"] == COMMAND
    assert re.fullmatch(server["highlightingModeRegex"], "Python")
    assert server["initializationOptions"] == OPTIONS


def test_jupyterlab() -> None:
    spec = read("jupyterlab/torchlore.json")["LanguageServerManager"]["language_servers"]["torchlore"]
    assert set(spec) <= JUPYTER_SPEC
    assert {"argv", "languages", "version"} <= set(spec), "what jupyter-lsp requires"
    assert (spec["argv"], spec["languages"], spec["version"]) == (COMMAND, ["python"], 2)
    (servers,) = read("jupyterlab/overrides.json").values()
    assert set(servers["languageServers"]) == {"torchlore"}


def test_the_options_that_they_send_are_the_defaults() -> None:
    """They are written out so that people see where theirs goes; empty, they must change nothing."""
    assert settings_from(OPTIONS) == DEFAULTS


def test_the_command_that_they_start_exists() -> None:
    commands = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    assert COMMAND[1] in commands


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_readme_has_a_short_install_section_and_links_that_lead_somewhere(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    head = text.split("\n## ")[0]
    steps = re.findall(r"^(?:\d\. .*|[^`\n]+)$", install_block(head), re.MULTILINE)
    assert len(steps) <= 5
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (readme.parent / link).exists(), link


def test_every_editor_has_a_readme_that_tells_of_life_beside_another_server() -> None:
    assert {path.parent.name for path in READMES} == {
        path.name for path in EDITORS.iterdir() if path.is_dir()
    }
    for readme in READMES:
        text = readme.read_text(encoding="utf-8").lower()
        assert any(name in text for name in ("pyright", "pylsp", "several servers")), readme


def install_block(head: str) -> str:
    """The numbered steps, or the first block of code, whichever the page has."""
    numbered = [line for line in head.splitlines() if re.match(r"\d\. ", line)]
    if numbered:
        return "\n".join(numbered)
    block = re.search(r"```\w+\n(.*?)```", head, re.DOTALL)
    return "\n".join(without_continuations(block.group(1).splitlines())) if block else ""


def without_continuations(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.strip() and not line.startswith((" ", "}", ")"))]


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EDITORS / name).read_text(encoding="utf-8"))
    return loaded
