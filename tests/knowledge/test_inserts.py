"""Every insertable snippet has the form that the editor relies on, and suits the program it is put into."""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib.util
import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from knowledge_support import repeated, said_in, seed_hashes
from torchlore.analysis import analyze
from torchlore.knowledge import Insert, inserts
from torchlore.lsp.filling import fill, import_edit, names_for
from torchlore.rules import check
from torchlore.text import Source, Span, apply_edits

ROOT = Path(__file__).parents[2]
FROM_SCOPE = {"save-checkpoint": {"epoch"}}  # names that a snippet takes as they are, without a hole
NEEDS = {"load-checkpoint": "save-checkpoint"}  # whose file is read

PROGRAM = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
backbone = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU())
head = nn.Linear(8, 3)
net = nn.Sequential(backbone, head)
backbone.requires_grad_(False)
opt = torch.optim.SGD(head.parameters(), lr=0.1)
decay = torch.optim.lr_scheduler.StepLR(opt, step_size=2)
loss_function = nn.CrossEntropyLoss()
features = torch.randn(128, 4)
samples = TensorDataset(features, features[:, :3].argmax(dim=1))
held_out = DataLoader(samples, batch_size=64)
batches = DataLoader(samples, batch_size=16, shuffle=True)
where = torch.device("cpu")
epoch = 3
"""
IN_A_FUNCTION = "\n\ndef main(net, opt):\n    "


def each_insert(test: Callable[..., None]) -> Callable[..., None]:
    known = inserts()
    return pytest.mark.parametrize("found", known, ids=[one.slug for one in known])(test)


def test_there_are_snippets_for_what_one_writes_again_and_again() -> None:
    assert len(inserts()) >= 25
    titles = [found.title for found in inserts()]
    assert len(set(titles)) == len(titles)


def test_every_file_is_a_snippet_and_is_tried_on_real_objects() -> None:
    files = {path.stem for path in (ROOT / "knowledge" / "inserts").glob("*.py")}
    assert files == {found.slug for found in inserts()}
    text = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_inserts_*.py")
    )
    assert [slug for slug in sorted(files) if f'("{slug}"' not in text] == []


@each_insert
def test_it_says_briefly_what_it_is(found: Insert) -> None:
    assert found.title[0].isupper() and not found.title.endswith(".") and len(found.title) <= 50
    assert found.description.endswith(".") and len(found.description) <= 110
    assert len(found.body.splitlines()) <= 35


@each_insert
def test_words_are_our_own(found: Insert) -> None:
    assert repeated(f"{found.title}\n{found.description}\n{said_in(found.body)}", seed_hashes()) == []


@each_insert
def test_free_names_are_holes_or_imports(found: Insert) -> None:
    tree = ast.parse("\n".join([*found.imports, found.body]))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported, bound = imported_names(tree), bound_names(tree)
    holes = {hole.name for hole in found.holes}
    assert holes <= used, "a hole that the body never mentions"
    assert imported <= used, "an import that the body never needs"
    free = used - bound - imported - holes - set(dir(builtins)) - {"__name__"}
    assert free == FROM_SCOPE.get(found.slug, set())


def imported_names(tree: ast.Module) -> set[str]:
    statements = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in statements for alias in node.names}


def bound_names(tree: ast.Module) -> set[str]:
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
    return bound


@each_insert
def test_no_parameter_has_the_name_of_a_hole(found: Insert) -> None:
    """It would keep its name, while the uses of it in the function's body were filled."""
    parameters = {node.arg for node in ast.walk(ast.parse(found.body)) if isinstance(node, ast.arg)}
    assert parameters.isdisjoint(hole.name for hole in found.holes)


@each_insert
def test_holes_may_be_filled_with_attributes(found: Insert) -> None:
    names = {hole.name: f"self.{hole.name}" for hole in found.holes}
    filled = fill(found, names, Source(""), "")
    compile(filled, found.slug, "exec")
    assert all(text in filled for text in names.values())


def test_the_program_fills_every_hole() -> None:
    """So that the tests below look at snippets as they are in use, with the user's names."""
    for found in inserts():
        names = names_for(found, analyze(Source(PROGRAM)).names_at(len(PROGRAM)))
        assert set(names) == {hole.name for hole in found.holes}, found.slug


@each_insert
@pytest.mark.parametrize("place", ["", IN_A_FUNCTION], ids=["module", "function"])
def test_no_rule_finds_fault_with_it(found: Insert, place: str) -> None:
    assert check(analyze(Source(inserted(found, PROGRAM + place), "train.py", 0))) == []


@each_insert
def test_no_rule_finds_fault_with_it_unfilled(found: Insert) -> None:
    source = Source("\n".join([*found.imports, found.body]), f"{found.slug}.py", 0)
    assert check(analyze(source)) == []


def inserted(found: Insert, program: str) -> str:
    """`program` with the snippet at its end, as the editor inserts it."""
    source = Source(program)
    end = Span(len(program), len(program))
    indent = source.indent(len(source.lines) - 1)
    names = names_for(found, analyze(source).names_at(end.start))
    imports = import_edit(source, found.imports, end)
    text = program + fill(found, names, source, indent).removeprefix(indent) + "\n"
    return apply_edits(text, [imports] if imports else [])


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the program trains a real model")
@each_insert
def test_a_program_runs_with_it(found: Insert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("MASTER_PORT", str(free_port()))
    known = {one.slug: one for one in inserts()}
    for one in [known[slug] for slug in [NEEDS.get(found.slug)] if slug] + [found]:
        with contextlib.redirect_stdout(io.StringIO()), missing_packages_told(one):
            code = compile(inserted(one, PROGRAM), f"{one.slug}.py", "exec")
            exec(code, {"__name__": "__main__"})  # noqa: S102


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def missing_packages_told(found: Insert) -> Iterator[None]:
    """A snippet may end for want of a package, if its description tells how to get that."""
    try:
        yield
    except ModuleNotFoundError as error:
        assert error.name and f"{error.name}" in found.description and "pip install" in found.description
