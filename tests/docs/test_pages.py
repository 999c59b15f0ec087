"""What the pages for people promise: links that lead somewhere, commands that run, valid configurations."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from torchlore.cli.app import app
from torchlore.config import config_from_table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
GENERATED = {"rules.md", "cards.md"}
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name not in GENERATED),
    *sorted((ROOT / "editors").glob("*/README.md")),
]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

each_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md" and page.parent.name != "rules":
            reached.add(page)
            links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
            waiting += [(page.parent / link).resolve() for link in links]
    assert set(PAGES) - reached == set()


def commands(text: str, *, shown_only: bool = False) -> Iterator[str]:
    """The `torchlore …` lines of a page: in blocks that show a terminal, and, if wanted, in the prose."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        yield from re.findall(r"^\$ (torchlore\b.*)$", block, re.MULTILINE)
    if not shown_only:
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for words in re.findall(r"`(torchlore [a-z][^`]*)`", prose):
            yield re.sub(r"\s*(?:>|…|\|).*", "", " ".join(words.split()), flags=re.DOTALL)


@each_page
def test_commands_and_their_options_exist(page: Path) -> None:
    for line in commands(page.read_text(encoding="utf-8")):
        words = shlex.split(line, comments=True)
        command = typer.main.get_command(app)
        context = command.make_context("torchlore", [], resilient_parsing=True)
        names = words[1:]
        while hasattr(command, "commands") and names:
            found = command.commands.get(names[0])
            assert found is not None or names[0].startswith("-"), f"{line}: no command {names[0]}"
            if found is None:
                break
            command, names = found, names[1:]
            context = command.make_context(command.name, [], parent=context, resilient_parsing=True)
        options = {option for parameter in command.get_params(context) for option in parameter.opts}
        used = {word.partition("=")[0] for word in names if word.startswith("-") and word != "-"}
        assert used <= options, f"{line}: no such option {used - options}"


def test_an_option_that_does_not_exist_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("`torchlore check --no-such-option`\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="no-such-option"):
        test_commands_and_their_options_exist(tmp_path / "page.md")


@each_page
def test_configurations_are_valid(page: Path) -> None:
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        told = tomllib.loads(block)
        if "tool" in told:
            config_from_table(told["tool"]["torchlore"], page.name, None)


def test_hooks_and_action_that_the_pages_name_exist() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    hooks = set(
        re.findall(r"^- id: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"), re.MULTILINE)
    )
    named = set(re.findall(r"\{ id: ([\w-]+) \}", page)) | set(re.findall(r"# or (torchlore-[\w-]+)", page))
    assert named == hooks
    (action,) = re.findall(r"uses: OWNER/torchlore/(\S+)@", page)
    inputs = (ROOT / action / "action.yml").read_text(encoding="utf-8")
    (given,) = re.findall(r"with: \{ (.*) \}", page)
    assert all(re.search(rf"^  {name}:", inputs, re.MULTILINE) for name in re.findall(r"(\w+): ", given))
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version and set(re.findall(r"(?:rev: |@)v([\d.]+)", page)) == {version.group(1)}


def test_no_page_repeats_another() -> None:
    """Sentences of some length stand in one place, where they can be kept true."""
    where: defaultdict[str, set[str]] = defaultdict(set)
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for sentence in re.split(r"(?<=[.:;])\s+|\n\n|\|", text):
            plain = " ".join(sentence.split())
            if len(plain) >= 60:
                where[plain].add(page.name if page.parent.name == "docs" else str(page.relative_to(ROOT)))
    assert {sentence: sorted(pages) for sentence, pages in where.items() if len(pages) > 1} == {}


def readme_commands() -> list[str]:
    """Those of the README that end by themselves and need nobody at the keys."""
    lines = commands((ROOT / "README.md").read_text(encoding="utf-8"), shown_only=True)
    return [line for line in lines if "--watch" not in line and "quiz" not in line and "doctor" not in line]


RUNNING = ("run", "shapes", "fit", "prove")
"""Commands that start the Python that has torch."""


@pytest.mark.parametrize("line", readme_commands())
def test_commands_of_the_readme_run(line: str, tmp_path: Path) -> None:
    words = shlex.split(line, comments=True)
    if words[1] in RUNNING and find_spec("torch") is None:
        pytest.skip("needs torch in this environment")
    shutil.copy(ROOT / "examples" / "train_classifier.py", tmp_path / "train.py")
    (tmp_path / "src").mkdir()
    words += ["--interpreter", sys.executable] if words[1] in RUNNING else []
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "server"), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == (1 if words[1:] == ["check", "train.py", "src/"] else 0) or "--fix" in words, (
        done
    )
    assert done.stdout.strip() and "Traceback" not in done.stderr
