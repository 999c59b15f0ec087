"""The analysis never raises, whatever the text is, and says the same thing twice."""

import ast
import random
from pathlib import Path

import pytest
from describing import all_cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchlore.analysis.events import places
from torchlore.analysis.interpret import interpret
from torchlore.text import Source

TEXTS = [case.files[case.main] for case in all_cases()]
OWN_FILES = sorted((Path(__file__).parents[2] / "server" / "torchlore").rglob("*.py"))


def _shape(code: str) -> list[tuple[str, int, int]]:
    """What the analysis says of `code`, without the identity of its objects."""
    roots = interpret(Source(code)).roots  # `Analysis` would hide what is raised
    return [
        (place.event.kind.name, getattr(place.event.node, "lineno", 0), len(place.within))
        for root in roots
        for place in places(root.path)
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_mutated_code(code: str, rng: random.Random) -> None:
    lines = code.splitlines(keepends=True)
    for _ in range(rng.randint(1, 3)):
        index = rng.randrange(len(lines))
        change = rng.choice(["drop", "cut", "double", "dedent", "junk"])
        if change == "drop" and len(lines) > 1:
            del lines[index]
        elif change == "cut":
            lines[index] = lines[index][: rng.randrange(len(lines[index]) + 1)] + "\n"
        elif change == "double":
            lines.insert(index, lines[index])
        elif change == "dedent":
            lines[index] = lines[index].lstrip()
        else:
            lines.insert(
                index, rng.choice(["x = (\n", "def\n", "    torch.\n", "'''\n", "\0\n", "if x:\n", "é = ‘\n"])
            )
    _shape("import torch\n" + "".join(lines))


@pytest.mark.parametrize("path", OWN_FILES, ids=[p.name for p in OWN_FILES])
def test_real_files_and_their_prefixes(path) -> None:
    text = path.read_text(encoding="utf-8") + "\nimport torch\n"
    assert _shape(text) == _shape(text)
    _shape("import torch\n" + text[: len(text) // 2])


def test_a_comment_changes_nothing() -> None:
    for code in TEXTS:
        tree = ast.parse(code)
        last = max(getattr(node, "end_lineno", 0) for node in ast.walk(tree))
        lines = code.splitlines(keepends=True)
        commented = "".join(lines[:last]) + "# a comment\n" + "".join(lines[last:])
        assert _shape(code) == _shape(commented)


STEPS = "\nopt = torch.optim.SGD([torch.ones(1)], lr=1)\nopt.step()\n"


def _still_steps(code: str) -> bool:
    """Whether the analysis gets through `code` and sees what comes after it."""
    return any(kind == "STEP" for kind, _, _ in _shape("import torch\n" + code + STEPS))


@pytest.mark.parametrize(
    "code",
    [
        "x = " + "(" * 90 + "1" + ")" * 90,
        "x = " + "+".join(["torch.ones(1)"] * 400),
        "y = x" + ".a()" * 300,
        "".join(f"{'    ' * depth}if x:\n" for depth in range(60)) + "    " * 60 + "x.step()\n",
    ],
    ids=["parentheses", "sum", "calls", "blocks"],
)
def test_deep_nesting_and_long_chains(code: str) -> None:
    assert _still_steps(code)


def test_containers_that_would_explode_are_cut() -> None:
    deep = "torch.ones(1)"
    for _ in range(60):
        deep = f"[{deep}, {{'a': 1}}]"
    assert _still_steps(f"x = {deep}\nprint(sum(x))")
    assert _still_steps("x = [" + "torch.nn.Linear(1, 1), " * 3000 + "]\nhelp(x)")


def test_calls_that_would_explode_are_cut() -> None:
    functions = "".join(f"def f{n}():\n    f{n + 1}()\n    f{n + 1}()\n    f{n + 1}()\n" for n in range(30))
    code = "import torch\n" + functions + "def f30(): torch.ones(1).backward()\nf0()"
    assert any(kind == "HAVOC" for kind, _, _ in _shape(code)), "what was not followed may do anything"
