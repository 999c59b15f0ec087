"""Tolerant parsing: never raises, keeps what is whole, and keeps line numbers."""

from __future__ import annotations

import ast
import gc
import sysconfig
import threading
import time
from pathlib import Path

import pytest
from client_text import texts
from hypothesis import given, settings
from hypothesis import strategies as st
from torchlore.text import Source, parse_tolerantly
from torchlore.text.parse import parse_expression

_STDLIB = Path(sysconfig.get_path("stdlib"))
REAL = [
    _STDLIB / name
    for name in ("bisect.py", "textwrap.py", "contextlib.py", "queue.py", "shlex.py", "graphlib.py")
]
fragments = st.sampled_from(
    [
        "def f(",
        "):",
        "    ",
        "\n",
        "class A:",
        "if x:",
        "else:",
        "try:",
        "except E:",
        "'''",
        '"',
        "(",
        "]",
        "x = 1",
        "\\",
        "\t",
        "\x00",
        "f'{",
        "}'",
        "@",
        "async ",
        "match x:",
        "case _:",
        "lambda: ",
        "*",
        "=",
        "\ud800",
        "\f",
        "0x",
        "é",
        "return",
        "with a as b:",
    ]
)


@given(st.one_of(texts, st.text(max_size=60), st.lists(fragments, max_size=30).map("".join)))
@settings(max_examples=400)
def test_any_text_gives_a_tree_whose_lines_are_the_texts(text: str) -> None:
    parsed = parse_tolerantly(text)
    lines = len(Source(text).lines)
    assert all(1 <= node.lineno <= lines for node in ast.walk(parsed.tree) if isinstance(node, ast.stmt))
    assert all(0 <= line < lines for line in parsed.blanked)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_truncated_or_mutated_real_file_never_raises(path: Path, data: st.DataObject) -> None:
    text = path.read_text(encoding="utf-8")[:6000]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.one_of(st.integers(start, min(len(text), start + 30)), st.just(len(text))))
    broken = text[:start] + data.draw(st.one_of(st.just(""), fragments)) + text[end:]
    parsed = parse_tolerantly(broken)
    assert isinstance(parsed.tree, ast.Module)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_whole_real_file_is_parsed_whole(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parsed = parse_tolerantly(text)
    assert not parsed.blanked
    assert ast.dump(parsed.tree) == ast.dump(ast.parse(text))


HEALTHY = "import torch\n\ndef before():\n    return 1\n\n{broken}\n\ndef after():\n    return 2\n"


@pytest.mark.parametrize(
    "broken",
    [
        "x = foo(",
        "x = foo(1,",
        "x = ",
        "optimizer.",
        "for x in :",
        "for x in y:",
        "def f(:",
        "def f():",
        "class :",
        "if",
        "if x",
        "with torch.no_grad(",
        "with torch.no_grad():",
        "x = [1, 2",
        "x = {'a': ",
        "'abc",
        "x = f'{y'",
        "import",
        "from torch import",
        "@",
        "try:\n    pass",
        "return return",
        "    x = (",
        "else:\n    pass",
        "x = 1 +",
        "print('a' 'b",
        ")",
        "x = (1, 2))",
    ],
)
def test_what_is_typed_does_not_take_its_neighbours_with_it(broken: str) -> None:
    source = Source(HEALTHY.format(broken=broken))
    names = {node.name: node.lineno for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef)}
    lines = source.text.split("\n")
    assert names["before"] == lines.index("def before():") + 1
    assert names["after"] == lines.index("def after():") + 1


def test_deep_nesting_is_given_up_on() -> None:
    assert isinstance(parse_tolerantly("x = " + "(" * 5000 + ")" * 5000).tree, ast.Module)
    assert isinstance(parse_tolerantly("-" * 20000 + "1").tree, ast.Module)


METHOD = '''\
    def step_{n}(self, x):
        if x:
            return foo(
                x,
                {n},
            )
        return """
not code (
"""

'''
LONG = "import torch\n\n\nclass Trainer:\n" + "".join(METHOD.format(n=n) for n in range(8))


@pytest.mark.parametrize(
    "broken",
    [
        "x = foo(",
        "optimizer.",
        "for i in range(3)",
        "if",
        "x =",
        "'abc",
        "x = [1,",
        "print(f'{x",
        "@",
        "except",
    ],
)
@pytest.mark.parametrize("line", [6, 9, 16, 17, 25, 26])
def test_one_broken_line_costs_one_method_at_most(broken: str, line: int) -> None:
    lines = LONG.split("\n")
    lines.insert(line, " " * (len(lines[line]) - len(lines[line].lstrip())) + broken)
    parsed = parse_tolerantly("\n".join(lines))
    methods = [node.name for node in ast.walk(parsed.tree) if isinstance(node, ast.FunctionDef)]
    assert len(methods) >= 7
    assert len(parsed.blanked) <= 8


def test_prose_in_a_string_is_not_taken_for_code() -> None:
    text = '"""Usage:\n\nimport torch\nx = 1\n"""\n\ndef f(:\n    pass\n\ny = 2\n'
    parsed = parse_tolerantly(text)
    assigned = [node for node in ast.walk(parsed.tree) if isinstance(node, (ast.Assign, ast.Import))]
    assert [node.lineno for node in assigned] == [10]


def test_a_decorated_definition_is_one_statement() -> None:
    parsed = parse_tolerantly("@decorate\n@again\ndef f():\n    return 1\n\nx = (\n")
    assert isinstance(parsed.tree.body[0], ast.FunctionDef)
    assert len(parsed.tree.body[0].decorator_list) == 2


def test_several_threads_may_parse() -> None:
    """CPython counts the depth of trees for all threads together, and raises SystemError in both.

    Threads change in the middle of a parse where the garbage collector runs something written in Python.
    """
    text = "\n".join(f"x = {'-' * 60}{number}" for number in range(200))
    failures: list[BaseException] = []

    def parse_often() -> None:
        try:
            for _ in range(5):
                assert not parse_tolerantly(text).blanked
        except BaseException as failure:
            failures.append(failure)

    def change_threads(*_: object) -> None:
        time.sleep(0)

    before = gc.get_threshold()
    gc.callbacks.append(change_threads)
    gc.set_threshold(50, 1000, 1000)
    try:
        threads = [threading.Thread(target=parse_often) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(change_threads)
    assert failures == []


@pytest.mark.parametrize("text", ["x[0]", "  torch.Tensor ", "(x)  # comment"])
def test_one_expression(text: str) -> None:
    assert ast.dump(parse_expression(text)) == ast.dump(ast.parse(text.strip(), mode="eval").body)


@pytest.mark.parametrize("text", ["x = 1", "x; y", "", "x)\n(y", "(" * 1000])
def test_what_is_not_one_expression(text: str) -> None:
    with pytest.raises(SyntaxError):
        parse_expression(text)
