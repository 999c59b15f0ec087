"""The cache of `check`: it never changes an answer, and it knows when an answer is old."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from cli_support import CLEAN, MISTAKE, torchlore
from torchlore.analysis.workspace import Dependencies, Workspace
from torchlore.cli import cache as cache_module
from torchlore.cli.cache import FOLDER, Cache, open_cache
from torchlore.config import Config
from torchlore.rules.model import Finding, Fix, Related, Severity
from torchlore.text import Edit, Span

FINDING = Finding(
    "TL101",
    "missing-zero-grad",
    Severity.WARNING,
    "a message with 'é'",
    Span(3, 7),
    (Fix("Mend it", (Edit(Span(3, 3), "new\n"), Edit(Span(5, 7), "")), False),),
    (Related(Span(0, 1), "here"),),
    "https://example.org",
    card="zero-grad",
)


needs_links = pytest.mark.skipif(sys.platform == "win32", reason="making links needs a right there")


def entries(folder: Path) -> list[Path]:
    return [p for p in (folder / FOLDER).glob("*/*") if p.is_file()]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    opened = open_cache(tmp_path)
    assert opened is not None
    return opened


def rests_on(*files: Path, missed: tuple[Path, ...] = ()) -> Dependencies:
    """Dependencies on files that were read."""
    workspace = Workspace()
    found = {str(path): file for path in files if (file := workspace.file(str(path))) is not None}
    for file in found.values():
        assert file.source is not None
    return Dependencies(found, frozenset(map(str, missed)))


def test_what_is_stored_comes_back(cache: Cache) -> None:
    key = cache.key(b"torch", Config(), Path("a.py"))
    assert cache.load(key) is None
    cache.store(key, (FINDING,), rests_on())
    assert cache.load(key) == (FINDING,)
    cache.store(key, (), rests_on())
    assert cache.load(key) == ()


def test_an_answer_is_old_when_what_it_rests_on_changes(tmp_path: Path) -> None:
    """Each run of `check` is a process of its own; so is each look here."""
    opened = open_cache(tmp_path)
    assert opened is not None
    net, missing = tmp_path / "net.py", tmp_path / "utils.py"
    net.write_text("class Net: ...")
    opened.store("key", (FINDING,), rests_on(net, missed=(missing,)))

    def is_known() -> bool:
        cache_module._digest.cache_clear()
        cache_module._exists.cache_clear()
        return opened.load("key") is not None

    assert is_known()
    net.write_text("class Other: ...")
    assert not is_known()
    net.write_text("class Net: ...")
    assert is_known()
    missing.write_text("")
    assert not is_known()
    missing.unlink()
    net.unlink()
    assert not is_known()


@pytest.mark.parametrize(
    "damage", [b"", b"[{", b"null", b'[{"code": 1}]', b"\xff", b'{"a": 1}', b"[1]", b"[" * 100_000]
)
def test_a_damaged_entry_is_none(cache: Cache, damage: bytes) -> None:
    (cache.generation / "key").write_bytes(damage)
    assert cache.load("key") is None


def test_the_key_is_the_content_and_the_rules(cache: Cache, tmp_path: Path) -> None:
    here = Path("a.py")
    key = cache.key(b"torch", Config(), here)
    assert cache.key(b"torch", Config(), Path("b.py")) != key, "what it imports may lie elsewhere"
    ignores = (("a.py", ("TL301",)),)
    others = [
        cache.key(b"torch ", Config(), here),
        cache.key(b"torch", Config(select=("TL3",)), here),
        cache.key(b"torch", Config(ignore=("TL3",)), here),
        cache.key(b"torch", Config(severity=Severity.HINT), here),
        cache.key(b"torch", Config(per_file_ignores=ignores, root=Path.cwd()), here),
        cache.key(b"torch", Config(type_checked_deprecations=False), here),
    ]
    assert len({key, *others}) == 7


def test_the_key_is_the_torch_that_the_project_declares(cache: Cache, tmp_path: Path) -> None:
    here = tmp_path / "project" / "a.py"
    here.parent.mkdir()
    keys = [cache.key(b"torch", Config(), here)]
    for version in ("2.3", "2.4"):
        (here.parent / "requirements.txt").write_text(f"torch=={version}\n", encoding="utf-8")
        os.utime(here.parent / "requirements.txt", (len(keys), len(keys)))
        keys.append(cache.key(b"torch", Config(), here))
    assert len(set(keys)) == 3


def test_old_generations_go(tmp_path: Path) -> None:
    for number in range(6):
        old = tmp_path / FOLDER / f"old{number}"
        old.mkdir(parents=True)
        (old / "entry").write_text("[]")
        os.utime(old, (number, number))
    open_cache(tmp_path)
    left = sorted(p.name for p in (tmp_path / FOLDER).iterdir() if p.is_dir())
    assert len(left) == 3
    assert {"old4", "old5"} < set(left)


def test_a_second_run_answers_alike_and_sees_a_change(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    (tmp_path / "good.py").write_text(CLEAN, encoding="utf-8")
    first = torchlore("check", cwd=tmp_path)
    assert len(entries(tmp_path)) == 2
    assert torchlore("check", cwd=tmp_path).stdout == first.stdout
    (tmp_path / "net.py").write_text(CLEAN, encoding="utf-8")
    assert torchlore("check", cwd=tmp_path).returncode == 0


def test_the_answer_comes_from_the_cache(tmp_path: Path) -> None:
    """Shown by an entry that says something else than the rules would."""
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    torchlore("check", cwd=tmp_path)
    (entry,) = entries(tmp_path)
    entry.write_text(json.dumps({**json.loads(entry.read_text()), "findings": []}))
    assert torchlore("check", cwd=tmp_path).returncode == 0
    assert torchlore("check", "--no-cache", cwd=tmp_path).returncode == 1


def test_a_change_of_an_imported_file_is_seen(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SOFTMAX_NET, encoding="utf-8")
    (tmp_path / "train.py").write_text(USES_NET, encoding="utf-8")
    assert torchlore("check", cwd=tmp_path).returncode == 1
    assert torchlore("check", cwd=tmp_path).returncode == 1
    (tmp_path / "net.py").write_text(SOFTMAX_NET.replace(".softmax(-1)", ""), encoding="utf-8")
    assert torchlore("check", cwd=tmp_path).returncode == 0


SOFTMAX_NET = """\
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x).softmax(-1)
"""

USES_NET = """\
import torch
from net import Net

net = Net()
torch.nn.functional.cross_entropy(net(torch.randn(3, 4)), torch.tensor([0, 1, 0])).backward()
"""


def test_no_cache_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    torchlore("check", "--no-cache", cwd=tmp_path)
    assert not (tmp_path / FOLDER).exists()


def test_the_cache_lies_beside_the_configuration_and_out_of_git(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.torchlore]\n", encoding="utf-8")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "net.py").write_text(MISTAKE, encoding="utf-8")
    torchlore("check", cwd=tmp_path / "src")
    assert not (tmp_path / "src" / FOLDER).exists()
    assert (tmp_path / FOLDER / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    (tmp_path / FOLDER).write_text("a file stands in the way")
    done = torchlore("check", "--output-format", "json", cwd=tmp_path)
    assert [record["code"] for record in json.loads(done.stdout)] == ["TL301"]
    assert done.stderr == ""


def test_problems_are_never_cached(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import torch\ndef f(:\n", encoding="utf-8")
    for _ in range(2):
        done = torchlore("check", cwd=tmp_path)
        assert done.returncode == 1
        assert "syntax error" in done.stderr


def precious(folder: Path) -> Path:
    """Folders of the user's own, more than the generations that are kept."""
    for number in range(5):
        (folder / f"work{number}").mkdir(parents=True)
        (folder / f"work{number}" / "thesis").write_text("years", encoding="utf-8")
    return folder


def listed(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


@needs_links
def test_a_link_in_the_cache_s_place_is_not_followed(tmp_path: Path) -> None:
    """A project that one has cloned may bring it along; what it leads to was once written to and removed."""
    home = precious(tmp_path / "home")
    before = listed(home)
    project = tmp_path / "project"
    project.mkdir()
    (project / FOLDER).symlink_to(home, target_is_directory=True)
    assert open_cache(project) is None
    assert listed(home) == before


@needs_links
def test_links_inside_the_cache_are_not_followed(tmp_path: Path) -> None:
    home = precious(tmp_path / "home")
    before = listed(home)
    root = tmp_path / FOLDER
    root.mkdir()
    for number in range(5):
        (root / f"old{number}").symlink_to(home / f"work{number}", target_is_directory=True)
    (root / ".gitignore").symlink_to(home / "new")
    (root / "CACHEDIR.TAG").symlink_to(home / "work0" / "thesis")
    assert open_cache(tmp_path) is not None
    assert listed(home) == before
    assert (home / "work0" / "thesis").read_text(encoding="utf-8") == "years"


@needs_links
def test_a_generation_that_is_a_link_is_not_written_to(tmp_path: Path, cache: Cache) -> None:
    home = precious(tmp_path / "home")
    before = listed(home)
    cache.generation.rmdir()
    cache.generation.symlink_to(home, target_is_directory=True)
    assert open_cache(tmp_path) is None
    assert listed(home) == before
