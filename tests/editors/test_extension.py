"""What the VS Code extension promises in its manifest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from torchlore.lsp import names
from torchlore.lsp.options import OPTIONS
from torchlore.lsp.pages import Pages
from torchlore.lsp.settings import settings_from

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"


def test_version_is_the_servers() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.*)"', project, re.MULTILINE)
    assert version and manifest()["version"] == version.group(1)


def test_nothing_that_names_a_program_is_read_from_an_untrusted_workspace() -> None:
    properties = manifest()["contributes"]["configuration"]["properties"]
    trust = manifest()["capabilities"]["untrustedWorkspaces"]
    assert trust["supported"] == "limited"
    programs = {"torchlore.interpreter", "torchlore.path"}
    assert programs <= set(trust["restrictedConfigurations"]) <= set(properties)
    assert all(properties[name]["scope"] == "machine-overridable" for name in programs)


def test_what_is_made_from_the_servers_options_is_fresh() -> None:
    specification = spec_from_file_location("manifest", EXTENSION / "manifest.py")
    assert specification is not None and specification.loader is not None
    made = module_from_spec(specification)
    specification.loader.exec_module(made)
    for name, text in made.FILES.items():
        there = (EXTENSION / name).read_text(encoding="utf-8")
        assert there == text(), f"{name} is stale: run `make -C editors/vscode manifest`"


def test_settings_in_the_code_are_those_of_the_manifest() -> None:
    properties = manifest()["contributes"]["configuration"]["properties"]
    code = (EXTENSION / "src" / "vscodeapi.ts").read_text(encoding="utf-8")
    read = {f"torchlore.{name}" for name in re.findall(r"configuration\.get(?:<[^>]*>)?\(\"(\w+)\"", code)}
    options = {f"torchlore.{option.name}" for option in OPTIONS}
    # The language client itself reads the trace setting, by the client's name.
    assert read | options | {"torchlore.trace.server"} == set(properties)


def test_every_picture_is_shown_somewhere() -> None:
    there = {path.name for path in (ROOT / "docs" / "images").iterdir()}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), EXTENSION / "package.json"]
    texts = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert there == set(re.findall(r"(?:images|media)/([\w-]+\.png)", texts))


def test_the_readme_names_every_setting_and_command_of_the_palette() -> None:
    readme = (EXTENSION / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(torchlore\.[\w.]+)`", readme, re.MULTILINE))
    assert named == set(manifest()["contributes"]["configuration"]["properties"])
    for command in manifest()["contributes"]["commands"]:
        assert command["title"] in readme, command["command"]


def test_no_workspace_can_allow_or_start_a_run() -> None:
    properties = manifest()["contributes"]["configuration"]["properties"]
    assert properties["torchlore.runOwnCode"]["scope"] == "application"
    assert properties["torchlore.runOwnCode"]["default"] == "ask"
    assert properties["torchlore.warm"]["scope"] == "application"


def test_the_server_has_the_same_switches_with_the_same_defaults() -> None:
    properties = manifest()["contributes"]["configuration"]["properties"]
    switches = {n: p["default"] for n, p in properties.items() if p["type"] == "boolean"}
    assert len(switches) >= 6
    for name, default in switches.items():
        option = name.removeprefix("torchlore.")
        field = re.sub(r"[A-Z]", lambda m: f"_{m[0].lower()}", option)
        assert getattr(settings_from({}), field) is default
        assert getattr(settings_from({option: not default}), field) is not default


def test_commands_of_the_server_are_not_registered_a_second_time() -> None:
    code = (EXTENSION / "src" / "extension.ts").read_text(encoding="utf-8")
    registered = set(re.findall(r'registerCommand\("([\w.]+)"', code))
    assert commands() - registered == {
        names.ASK,
        names.RUN,
        names.EXPLAIN,
        names.PROVE,
        names.SHAPES,
        names.FIT,
    }
    assert registered <= commands()


def test_the_walkthrough_leads_to_what_is_there() -> None:
    (walkthrough,) = manifest()["contributes"]["walkthroughs"]
    assert len(walkthrough["steps"]) == 4
    for step in walkthrough["steps"]:
        assert (ROOT / "docs" / "images" / Path(step["media"]["image"]).name).is_file()
        linked = re.findall(r"\(command:([\w.]+)", step["description"])
        waited_for = re.findall(r"onCommand:([\w.]+)", " ".join(step["completionEvents"]))
        for command in (*linked, *waited_for):
            assert command in commands() or not command.startswith("torchlore."), command


def test_pages_of_the_server_open_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    defaults = manifest()["contributes"]["configurationDefaults"]["workbench.editorAssociations"]
    ((pattern, editor),) = defaults.items()
    assert editor == "vscode.markdown.preview.editor"
    pages = Pages()
    assert pages.write("explain-missing-zero-grad", "# It").match(pattern)
    assert not Path("/home/somebody/torchlore-notes/README.md").match(pattern)
    pages.remove()


def test_works_without_another_extension() -> None:
    assert manifest()["extensionDependencies"] == []


def test_the_panel_runs_no_script_but_its_own() -> None:
    """What holds even if something were not escaped; that all is, `src/test/runs.test.ts` tries."""
    frame = (EXTENSION / "src" / "webview.ts").read_text(encoding="utf-8")
    (policy,) = re.findall(r"const policy = `(.*)`", frame)
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "${webview.cspSource}",
        "script-src": "'nonce-${nonce}'",
    }


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((EXTENSION / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"], "an empty lock file proves nothing"
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert lock["packages"][""]["version"] == manifest()["version"]


def test_start_script_takes_its_own_libraries_and_nothing_of_the_workspace(tmp_path: Path) -> None:
    """The script, beside a stand-in for the server, from a folder that tries to take its place."""
    start = tmp_path / "extension" / "server" / "start.py"
    start.parent.mkdir(parents=True)
    start.write_text((EXTENSION / "server" / "start.py").read_text(encoding="utf-8"), encoding="utf-8")
    write_server(tmp_path / "extension" / "bundled" / "libs", "bundled")
    workspace = tmp_path / "workspace"
    write_server(workspace, "workspace")
    done = subprocess.run(
        [sys.executable, "-I", str(start)],
        cwd=workspace,
        env={"PYTHONPATH": str(workspace)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "bundled\n", done.stderr


def commands() -> set[str]:
    """What the palette offers."""
    return {command["command"] for command in manifest()["contributes"]["commands"]}


def write_server(folder: Path, name: str) -> None:
    package = folder / "torchlore" / "lsp"
    package.mkdir(parents=True)
    (folder / "torchlore" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "start.py").write_text(f"def serve_stdio():\n    print({name!r})\n", encoding="utf-8")


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    return loaded
