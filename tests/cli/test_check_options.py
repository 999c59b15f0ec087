"""The options of `torchlore check` that people put into their CI: baselines, statistics, ignored files, …"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli_support import CLEAN, MISTAKE, SERVER, torchlore
from torchlore.gitignore import ignored_in

TWICE = MISTAKE + MISTAKE.replace("class Net", "class Other").partition("\n\n\n")[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one mistake in `net.py`."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "net.py").write_text(MISTAKE, encoding="utf-8")
    return folder


def codes(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [record["code"] for record in json.loads(done.stdout)]


def test_a_baseline_leaves_what_is_new(project: Path) -> None:
    written = torchlore("check", "--baseline", "known.json", "--update-baseline", cwd=project)
    assert (written.returncode, written.stdout) == (0, "Wrote 1 mistake to known.json.\n")
    assert torchlore("check", "--baseline", "known.json", cwd=project).returncode == 0

    (project / "net.py").write_text("# moved\n\n" + TWICE, encoding="utf-8")
    done = torchlore("check", "--baseline", "known.json", "--output-format", "json", cwd=project)
    assert done.returncode == 1 and codes(done) == ["TL301"]
    again = torchlore("check", "--baseline", project / "known.json", "--exit-zero", cwd=project.parent)
    assert "No Python files" not in again.stderr and again.returncode == 0


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 1, "findings": [1]}', "{" * 9999])
def test_a_file_that_is_no_baseline_is_told_in_a_line(project: Path, text: str) -> None:
    (project / "known.json").write_text(text, encoding="utf-8")
    done = torchlore("check", "--baseline", "known.json", cwd=project)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "known.json" in done.stderr


def test_a_baseline_that_is_not_there_says_how_to_write_it(project: Path) -> None:
    done = torchlore("check", "--baseline", "known.json", cwd=project)
    assert done.returncode == 2 and "--update-baseline" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--update-baseline"],
        ["--fix", "--add-noqa"],
        ["--watch", "--diff"],
        ["-", "--watch"],
        ["-", "--add-noqa"],
    ],
)
def test_what_does_not_go_together_ends_with_2(project: Path, arguments: list[str]) -> None:
    done = torchlore("check", *arguments, cwd=project)
    assert done.returncode == 2 and done.stderr.startswith("torchlore: ") and done.stderr.count("\n") == 1


def test_statistics_count_each_rule(project: Path) -> None:
    (project / "other.py").write_text(TWICE, encoding="utf-8")
    done = torchlore("check", "--statistics", cwd=project)
    assert done.stdout == "3  TL301  [*]  missing-super-init\nFound 3 mistakes.\n"
    assert done.returncode == 1
    record = json.loads(torchlore("check", "--statistics", "--output-format", "json", cwd=project).stdout)
    assert record == [{"code": "TL301", "name": "missing-super-init", "count": 3, "fixable": True}]


def test_comments_are_added_once_and_then_nothing_is_found(project: Path) -> None:
    (project / "net.py").write_text(TWICE, encoding="utf-8")
    done = torchlore("check", "--add-noqa", cwd=project)
    assert (done.returncode, done.stdout) == (0, "Switched 2 mistakes off.\n")
    text = (project / "net.py").read_text(encoding="utf-8")
    assert text.count("# torchlore: ignore[TL301]") == 2
    assert torchlore("check", cwd=project).returncode == 0
    assert torchlore("check", "--add-noqa", cwd=project).stdout == "Nothing to switch off.\n"
    assert (project / "net.py").read_text(encoding="utf-8") == text


def test_comments_are_added_to_the_cells_of_a_notebook(project: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    notebook = {"cells": [{**cell, "source": MISTAKE}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (project / "nb.ipynb").write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    assert torchlore("check", "--add-noqa", "nb.ipynb", cwd=project).returncode == 0
    (after,) = json.loads((project / "nb.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "# torchlore: ignore[TL301]" in "".join(after["source"])
    assert torchlore("check", "nb.ipynb", cwd=project).returncode == 0


def test_explain_prints_a_rule_and_checks_nothing(project: Path) -> None:
    done = torchlore("check", "--explain", "TL301", cwd=project)
    assert done.returncode == 0 and "missing-super-init (TL301)" in done.stdout
    assert torchlore("check", "--explain", "TL999", cwd=project).returncode == 2


def test_what_git_ignores_is_left_out(project: Path) -> None:
    (project / ".gitignore").write_text("generated/\n*.tmp.py\n!kept.tmp.py\n", encoding="utf-8")
    for name in ("generated/a.py", "src/b.tmp.py", "src/kept.tmp.py", "src/c.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(MISTAKE, encoding="utf-8")
    (project / "src" / ".gitignore").write_text("/c.py\n", encoding="utf-8")

    def found(*arguments: str) -> list[str]:
        done = torchlore("check", "--output-format", "concise", *arguments, cwd=project)
        lines = done.stdout.splitlines()
        return sorted(line.partition(":")[0].replace(os.sep, "/") for line in lines if ": TL" in line)

    assert found() == ["net.py", "src/kept.tmp.py"]
    assert found("src") == ["src/kept.tmp.py"]
    assert found("generated", "src/c.py") == ["generated/a.py", "src/c.py"]  # they were asked for
    assert len(found("--no-respect-gitignore")) == 5
    (project / "torchlore.toml").write_text("respect-gitignore = false\n", encoding="utf-8")
    assert len(found()) == 5


def test_outside_of_a_repository_nothing_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.py\n", encoding="utf-8")
    assert not ignored_in(tmp_path)(str(tmp_path / "net.py"), is_folder=False)


def test_a_gitignore_that_means_nothing_is_passed_over(project: Path) -> None:
    (project / ".gitignore").write_bytes(b"\xff\xfe[z-a]\n\0\n")
    assert torchlore("check", cwd=project).returncode == 1


def test_options_about_rules_add_to_the_configuration(project: Path) -> None:
    (project / "torchlore.toml").write_text('ignore = ["TL301"]\n', encoding="utf-8")
    assert torchlore("check", cwd=project).returncode == 0
    (project / "torchlore.toml").write_text('select = ["training"]\n', encoding="utf-8")
    assert torchlore("check", cwd=project).returncode == 0
    assert torchlore("check", "--extend-select", "TL301", cwd=project).returncode == 1
    ignored = ["--extend-select", "TL301", "--per-file-ignores", "n*.py:TL3"]
    assert torchlore("check", *ignored, cwd=project).returncode == 0
    assert torchlore("check", "--extend-select", "TL301", "--exclude", "net.py", cwd=project).returncode == 0
    for wrong in (["--per-file-ignores", "a.py:TL999"], ["--exclude", "[z-a]"]):
        done = torchlore("check", *wrong, cwd=project)
        assert done.returncode == 2 and done.stderr.startswith("torchlore: "), wrong


def test_a_hook_may_name_what_is_excluded(project: Path) -> None:
    (project / "torchlore.toml").write_text('exclude = ["net.py"]\n', encoding="utf-8")
    assert torchlore("check", "net.py", cwd=project).returncode == 1
    done = torchlore("check", "--force-exclude", "net.py", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_hooks_and_the_action_use_options_that_exist() -> None:
    root = SERVER.parent
    hooks = (root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    action = (root / ".github/actions/check/action.yml").read_text(encoding="utf-8")
    known = torchlore("check", "--help", cwd=root, COLUMNS="200").stdout
    lines = [line for line in (hooks + action).splitlines() if "torchlore check" in line]
    options = set(re.findall(r"--[a-z-]+", "\n".join(lines)))
    assert {"--force-exclude", "--fix", "--output-format"} <= options
    assert [option for option in options if option not in known] == []


def test_a_file_of_our_own_wins_over_pyproject(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.torchlore]\nignore = ['ALL']\n", encoding="utf-8")
    assert torchlore("check", cwd=project).returncode == 0
    (project / "torchlore.toml").write_text("", encoding="utf-8")
    assert torchlore("check", cwd=project).returncode == 1
    (project / "torchlore.toml").write_text("selct = []\n", encoding="utf-8")
    done = torchlore("check", cwd=project)
    assert done.returncode == 2
    assert "torchlore.toml: unknown key `selct`; known keys" in done.stderr


def test_formats_for_other_services(project: Path) -> None:
    (project / "net.py").write_text(TWICE, encoding="utf-8")
    lines = torchlore("check", "--output-format", "json-lines", cwd=project).stdout.splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["TL301", "TL301"]

    issues = json.loads(torchlore("check", "--output-format", "gitlab", cwd=project).stdout)
    assert [issue["check_name"] for issue in issues] == ["TL301", "TL301"]
    assert len({issue["fingerprint"] for issue in issues}) == 2
    assert issues[0]["severity"] == "critical"
    assert issues[0]["location"]["path"] == "net.py"
    (project / "net.py").write_text("\n\n" + TWICE, encoding="utf-8")
    moved = json.loads(torchlore("check", "--output-format", "gitlab", cwd=project).stdout)
    assert [issue["fingerprint"] for issue in moved] == [issue["fingerprint"] for issue in issues]

    root = ElementTree.fromstring(torchlore("check", "--output-format", "junit", cwd=project).stdout)
    assert (root.get("tests"), root.get("failures")) == ("2", "2")
    assert [case.get("name") for case in root.iter("testcase")] == ["TL301 missing-super-init"] * 2


@pytest.mark.parametrize("output_format", ["json", "json-lines", "gitlab", "junit", "sarif", "github"])
def test_nothing_found_is_a_valid_answer_in_every_format(project: Path, output_format: str) -> None:
    (project / "net.py").write_text(CLEAN, encoding="utf-8")
    done = torchlore("check", "--output-format", output_format, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    if output_format == "junit":
        assert ElementTree.fromstring(done.stdout).get("tests") == "0"
    elif output_format in ("json", "gitlab", "sarif"):
        json.loads(done.stdout)
    else:
        assert done.stdout == ""


@pytest.mark.skipif(os.name == "nt", reason="sends an interrupt as POSIX has it")
def test_watching_checks_again_when_a_file_changes(project: Path) -> None:
    command = [sys.executable, "-m", "torchlore", "check", "--watch", "--output-format", "concise"]
    environment = {**os.environ, "PYTHONPATH": str(SERVER), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heeds_interrupts,
    ) as process:
        assert process.stdout is not None
        try:
            seen = _read_until(process, "Watching")
            assert "TL301" in seen
            time.sleep(0.05)
            (project / "net.py").write_text(CLEAN, encoding="utf-8")
            assert "All checks passed." in _read_until(process, "Watching")
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def _heeds_interrupts() -> None:
    """A shell has what it runs in the background ignore them, and so do all that are started from there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or word not in lines[-1]:
        line = process.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    return "".join(lines)
