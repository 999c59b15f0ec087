"""What is outside a broken statement keeps its facts: edits of real files, and the places where people stop typing."""

from __future__ import annotations

import ast
import random
from functools import cache
from pathlib import Path

import pytest
from breaking import KINDS, Whole, break_text, compare_facts, facts, lost_statements
from torchlore.text import Source

ROOT = Path(__file__).parents[2]
FILES = [
    ROOT / "examples" / "train_classifier.py",
    *sorted((ROOT / "knowledge" / "snippets").glob("*.py")),
    *(ROOT / "server" / "torchlore" / "text" / name for name in ("source.py", "lines.py", "parse.py")),
]
EDITS = 120


@cache
def whole(path: Path) -> Whole:
    return Whole(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_edits_of_real_files_cost_what_they_touch(kind: str) -> None:
    """Some edits cannot be told from others (which of many quotes is missing?): a few lose more."""
    rng = random.Random(20)
    statements = lost = known = gone = wrong = edits = 0
    while edits < EDITS:
        file = whole(rng.choice(FILES))
        broken = break_text(file.text, kind, rng)
        if _parses(broken.text):
            continue
        edits += 1
        missing, count = lost_statements(file, broken)
        statements, lost = statements + count, lost + len(missing)
        score = compare_facts(file, broken)
        known, gone, wrong = known + score.count, gone + len(score.lost), wrong + len(score.wrong)
    assert statements > 1000
    assert known > 1000
    assert lost <= 0.02 * statements
    assert gone <= 0.02 * known
    assert wrong <= 0.005 * known


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


BEFORE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = nn.Linear(4, width)
"""
AFTER = """\
        self.second = nn.ReLU()

    def forward(self, x):
        return self.second(self.first(x))


net = Net(8)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for batch in torch.randn(10, 8, 4):
    loss = net(batch).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
TYPED = [
    *(
        "x = ",
        "x = foo(",
        "x = foo(1,",
        "x = [1,",
        "x = {'a': ",
        "x = (1, 2))",
        "x = y.",
        "x += ",
        "x = 1 \\",
        "x: ",
    ),
    *(
        "self.",
        "self.x = ",
        "self.x = nn.Linear(",
        "print(f'{x",
        'x = "abc',
        "x = 'a' 'b",
        '"""',
        "'''Text of",
    ),
    *(
        "import ",
        "from torch import (",
        "from torch import",
        "global ",
        "del ",
        "return (",
        "raise E(",
        "assert x,",
    ),
    *(
        "if",
        "if x",
        "if x:",
        "if foo(",
        "while",
        "while True:",
        "for",
        "for i in",
        "for i in foo(",
        "for i in y:",
    ),
    *(
        "with",
        "with foo(",
        "with torch.no_grad():",
        "try:",
        "except E:",
        "else:",
        "elif x:",
        "finally:",
        "match x:",
    ),
    *(
        "def f(",
        "def f(x, ",
        "def f(self):",
        "class A(",
        "class A:",
        "@",
        "@foo(",
        "async def f(",
        "lambda x",
        "case 1:",
    ),
    *(
        "(",
        ")",
        "]",
        "}",
        "\\",
        "$",
        "=",
        ":",
        "'",
        '"',
        "\0",
        "\ud800",
        "\t",
        "   x = (",
        "yield (",
        "not",
        "*",
    ),
]


def facts_after(text: str, first: int) -> dict[tuple[int, int, str], str]:
    """What is known in `AFTER`, which begins at line `first` (1-based) of `text`."""
    return {
        (line - first, column, name): fact
        for (line, column, name), fact in facts(text).items()
        if first <= line < first + AFTER.count("\n")
    }


EXPECTED = facts_after(BEFORE + AFTER, BEFORE.count("\n") + 1)


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_line_that_is_being_typed_takes_nothing_with_it(typed: str, ending: str) -> None:
    text = f"{BEFORE}        {typed}\n{AFTER}".replace("\n", ending)
    assert facts_after(text, BEFORE.count("\n") + 2) == EXPECTED


@pytest.mark.parametrize("typed", TYPED)
def test_two_lines_that_are_being_typed_take_nothing_with_them(typed: str) -> None:
    text = f"x = foo(\n{BEFORE}        {typed}\n{AFTER}for i in\n"
    assert facts_after(text, BEFORE.count("\n") + 3) == EXPECTED


def dumped(text: str) -> str:
    """The statements of a text, names and headers only, as the tree has them."""
    found: list[str] = []

    def visit(node: ast.AST, depth: int) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                name = getattr(child, "name", "")
                found.append(f"{'  ' * depth}{type(child).__name__}{f' {name}' if name else ''}")
            visit(child, depth + isinstance(child, ast.stmt))

    visit(Source(text).tree, 0)
    return "\n".join(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for x in \n    a = 1\nb = 2\n", "For\n  Assign\nAssign"),
        ("for x in y\n    a = 1\n", "For\n  Expr\n  Assign"),
        ("if \n    a = 1\nelse:\n    b = 2\n", "If\n  Assign\n  Assign"),
        ("while \n    a = 1\n", "While\n  Assign"),
        ("with open(x, as f:\n    a = f\n", "With\n  Assign"),
        ("class A(\n    def f(self):\n        return 1\n", "ClassDef A\n  FunctionDef f\n    Return"),
        ("class A(B\n    x = 1\n", "ClassDef A\n  Assign"),
        ("def f(x, \n    return x\n", "FunctionDef f\n  Return"),
        ("def f(\n    x,\n    y=2,\n    return x\n", "FunctionDef f\n  Return"),
        ("def f(x) -> \n    return x\n", "FunctionDef f\n  Return"),
        ("def \n    return x\n", "FunctionDef ____\n  Return"),
        ("tr\n    a = 1\nexcept E:\n    b = 2\n", "Expr\nTry\n  Assign\n  Assign"),
        ("try:\n    a = 1\nexce\nb = 2\n", "Try\n  Assign\n  Expr\nExpr\nAssign"),
        ("try:\n    a = 1\nb = 2\n", "Try\n  Assign\n  Expr\nAssign"),
        ("try:\n    a = 1\nexcept (E, \n    b = 2\n", "Try\n  Assign\n  Expr\n  Assign"),
        ("match x\n    case 1:\n        a = 1\n", "Match\n  Assign"),
        ("match x:\n    case (1, \n        a = 1\n    case 2:\n        b = 2\n", "Match\n  Assign\n  Assign"),
        ("x = 1\nelse:\n    a = 1\n", "Assign\nIf\n  Assign"),
        ("x = 1\nexcept E:\n    a = 1\n", "Assign\nIf\n  Assign"),
        ("if a:\n    b = 1\nx = foo(\nelse:\n    c = 1\n", "If\n  Assign\n  Assign"),
        ("x = 1\n    def f(self):\n        return 1\n", "Assign\nClassDef ____\n  FunctionDef f\n    Return"),
        ("x = 1\n    self.y = 2\n    return 3\n", "Assign\nFunctionDef ____\n  Assign\n  Return"),
        ("x = 1\n    y = 2\nz = 3\n", "Assign\nIf\n  Assign\nAssign"),
        ("def f():\n    x = 1\n     y = 2\n    z = 3\n", "FunctionDef f\n  Assign\n  Assign\n  Assign"),
        ("def f():\n    x = 1\n   y = 2\n    z = 3\n", "FunctionDef f\n  Assign\n  Assign\n  Assign"),
        ("@foo(\ndef f():\n    x = 1\n", "FunctionDef f\n  Assign"),
        ("if x:\ny = 1\n", "If\n  Expr\nAssign"),
        ("def f():\ny = 1\n", "FunctionDef f\n  Expr\nAssign"),
        ("class A:\n\nclass B:\n    x = 1\n", "ClassDef A\n  Expr\nClassDef B\n  Assign"),
        ("x = '''\ny = 1\nz = 2\n", "Assign\nAssign\nAssign"),
        ('def f():\n    Text.\n    """\n    x = 1\n\ndef g():\n    """Text."""\n', None),
    ],
)
def test_blocks_keep_their_shape(text: str, expected: str | None) -> None:
    if expected is None:
        assert "FunctionDef g" in dumped(text).splitlines()
    else:
        assert dumped(text) == expected


@pytest.mark.parametrize(
    ("text", "name", "known"),
    [
        ("x = 1\nx = foo(\nx\n", "x", "unknown"),
        ("x = y = 1\nx = y = foo(\ny\n", "y", "unknown"),
        ("x: int = 1\nx: int = (\nx\n", "x", "unknown"),
        ("import torch\nfrom torch import nn, (\nnn\n", "nn", "torch.nn"),
        ("import torch\nfrom torch import nn,\nnn\n", "nn", "torch.nn"),
        ("import torch\nloss = torch.ones(1)\nloss.\nloss\n", "loss", "tensor"),
    ],
)
def test_what_a_half_typed_statement_still_says(text: str, name: str, known: str) -> None:
    found = facts("import torch\n" + text)
    last = max(key for key in found if key[2] == name)
    assert found[last].startswith(known)


def test_places_in_lines_that_were_moved_are_places_in_the_text() -> None:
    text = "def f():\n    x = 1\n     yy = 2\n        zz = 3\n    w = 4\n"
    names = {
        n.id: (n.lineno, n.col_offset, n.end_col_offset)
        for n in ast.walk(Source(text).tree)
        if isinstance(n, ast.Name)
    }
    lines = text.splitlines()
    for name in ("x", "yy", "zz", "w"):
        line, start, end = names[name]
        assert lines[line - 1][start:end] == name
