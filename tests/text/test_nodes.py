"""Questions about syntax trees, compared with a map of all nodes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from torchlore.analysis import analyze
from torchlore.text import Source
from torchlore.text.nodes import around, nodes_in, on_line

_ROOT = Path(__file__).parents[2]
_ODD = """
import torch; x = 1; y = 2
@first
@second(lambda f: f)
def f(a, *b: int, c=[i for i in range(3)], **d): return a
z = '''
two'''; w = (x,
  y); v = 1

class C(
    f(1),
    metaclass=type):
    @property
    def g(self): pass
    try:
        a = 1
    except (A, B) as e:
        pass
    else: b = 2; c = 3
    finally:
        match x:
            case [1, *_] if y: pass
            case {"k": C(a=1)}: pass
    if x: pass
    elif y: pass
    else:
        with a as b, c as (d, e): del x, y; u = 5
"""
_SHARED = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
"""Of these Python makes one object for the whole program."""

_TEXTS = [_ODD, *(p.read_text() for p in sorted((_ROOT / "server/torchlore/text").glob("*.py")))]


@pytest.mark.parametrize("text", _TEXTS, ids=range(len(_TEXTS)))
def test_what_a_node_lies_in_is_found_by_its_line_as_by_a_map(text: str) -> None:
    tree = ast.parse(text)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in above:
        if isinstance(node, _SHARED):
            continue
        assert around(node, tree) == _climbed(node, above)
    assert around(tree, tree) == ()
    assert around(ast.parse(text).body[0], tree) is None


@pytest.mark.parametrize("text", _TEXTS, ids=range(len(_TEXTS)))
def test_all_nodes_but_contexts(text: str) -> None:
    tree = ast.parse(text)
    assert nodes_in(tree) == [n for n in ast.walk(tree) if not isinstance(n, ast.expr_context)]


def _climbed(node: ast.AST, above: dict[ast.AST, ast.AST]) -> tuple[ast.AST, ...]:
    found: list[ast.AST] = []
    while node in above:
        node = above[node]
        found.append(node)
    return tuple(reversed(found))


def test_statements_on_a_line() -> None:
    body = ast.parse(_ODD).body
    lines = {line: [body.index(part) for part in on_line(body, line)] for line in range(1, 12)}
    assert lines[1] == []
    assert lines[2] == [0, 1, 2]
    assert lines[3] == lines[4] == lines[5] == [3]
    assert lines[6] == [4]
    assert lines[7] == [4, 5]
    assert lines[8] == [5, 6]
    assert lines[9] == []


@pytest.mark.parametrize("text", [_ODD, "f(); " * 300 + "g()\n", "def f():\n    g(h(x))\n"])
def test_who_asks_often_is_told_the_same(text: str) -> None:
    source = Source(f"import torch\n{text}", "train.py")
    analysis = analyze(source)
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    expected = [around(node, source.tree) for node in calls]
    for _ in range(-(-600 // len(calls))):
        assert [analysis.around(node) for node in calls] == expected
    assert analysis.around(ast.Name("x", ast.Load(), lineno=3, col_offset=0)) is None
