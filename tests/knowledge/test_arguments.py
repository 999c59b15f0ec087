"""What arguments mean: every entry names a callable that has the argument, and its claims hold when run."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from pathlib import Path

import pytest
from knowledge_support import repeated, seed_hashes
from torchlore.knowledge import all_symbols, signatures, symbol
from torchlore.knowledge.arguments import Meaning, meaning, meanings

torch = pytest.importorskip("torch", reason="the claims are about torch")

import argument_proofs  # noqa: E402

ENTRIES = meanings()
PAIRS = [(name, entry) for entry in ENTRIES for name in entry.of if "*" not in name]


def named(entry: Meaning) -> str:
    return f"{entry.of[0]}-{entry.name}"


@functools.cache
def stubs() -> str:
    """The stubs in which torch declares its overloads."""
    home = Path(torch.__file__).parent / "_C"
    return "\n".join((home / name).read_text("utf-8") for name in ("__init__.pyi", "_VariableFunctions.pyi"))


def overloads_with(function: str, argument: str) -> bool:
    """Whether torch's stubs, or the docstring, have an overload of the function with that argument."""
    last = function.rpartition(".")[2]
    declared = re.findall(rf"def {last}\((.*?)\)\s*->", stubs(), re.DOTALL)
    if any(re.search(rf"\b{argument}:", one) for one in declared):
        return True
    found = functools.reduce(getattr, function.split(".")[1:], torch)
    return re.search(rf"\b{argument}=", inspect.getdoc(found) or "") is not None


def test_there_are_many() -> None:
    assert len(PAIRS) >= 300
    assert len({entry.name for entry in ENTRIES}) >= 80


@pytest.mark.parametrize(("function", "entry"), PAIRS, ids=[f"{name}-{entry.name}" for name, entry in PAIRS])
def test_the_callable_has_the_argument(function: str, entry: Meaning) -> None:
    known = symbol(function)
    assert known is not None and known.name == function, "not its canonical name"
    assert signatures.parameter(known.signature, entry.name) or overloads_with(function, entry.name)
    assert meaning(function, entry.name) is entry, "another entry comes first"


def test_patterns_fit_something() -> None:
    for entry in ENTRIES:
        for pattern in entry.of:
            if "*" in pattern:
                home = pattern.removesuffix("*")
                fitting = [
                    s.name
                    for s in all_symbols()
                    if s.name.startswith(home) and meaning(s.name, entry.name) is entry
                ]
                assert fitting, (pattern, entry.name)


def test_no_pair_is_told_twice() -> None:
    seen: set[tuple[str, str]] = set()
    for entry in ENTRIES:
        for name in entry.of:
            assert (name, entry.name) not in seen, (name, entry.name)
            seen.add((name, entry.name))


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_texts_are_short_and_our_own(entry: Meaning) -> None:
    assert entry.text.endswith(".") and len(entry.text) <= 330
    assert all(text.endswith(".") and len(text) <= 130 for text in entry.choices.values())
    assert all(repr(ast.literal_eval(value)) == value for value in entry.choices), "as Python writes them"
    assert repeated(" ".join([entry.text, *entry.choices.values()]), seed_hashes()) == []


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.choices], ids=named)
def test_choices_are_among_those_that_torch_declares(entry: Meaning) -> None:
    for name in entry.of:
        found = signatures.parameter(symbol(name).signature, entry.name)
        declared = re.search(r"Literal\[(.*?)\]", found.annotation) if found is not None else None
        if declared is not None:
            assert set(entry.choices) <= {item.strip() for item in declared[1].split(",")}


@pytest.mark.parametrize("pair", argument_proofs.PROOFS, ids="-".join)
@pytest.mark.filterwarnings("ignore")
def test_claim(pair: tuple[str, str]) -> None:
    function, argument = pair
    assert any(function in entry.of and argument == entry.name for entry in ENTRIES), "nothing claims that"
    torch.manual_seed(0)
    argument_proofs.PROOFS[pair]()
