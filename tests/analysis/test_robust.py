"""The analysis never raises, whatever the text is, and says the same thing twice."""

import ast
import codecs
import encodings
import pkgutil
import random
from pathlib import Path

import pytest
from breaking import KINDS, break_text, facts
from describing import all_cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import program
from torchlore.analysis import analyze
from torchlore.analysis.events import places
from torchlore.analysis.interpret import interpret
from torchlore.rules import all_rules
from torchlore.text import Source, decode

ROOT = Path(__file__).parents[2]
TEXTS = [case.files[case.main] for case in all_cases()]
OWN_FILES = sorted((ROOT / "server" / "torchlore").rglob("*.py"))
TORCH_FILES = [*sorted((ROOT / "knowledge" / "snippets").glob("*.py")), *(ROOT / "examples").rglob("*.py")]
EVERY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _shape(code: str) -> list[tuple[str, int, int]]:
    """What the analysis says of `code`, without the identity of its objects."""
    roots = interpret(Source(code)).roots  # `Analysis` would hide what is raised
    return [
        (place.event.kind.name, getattr(place.event.node, "lineno", 0), len(place.within))
        for root in roots
        for place in places(root.path)
    ]


def _findings(code: str) -> list[tuple[str, str]]:
    """What every rule finds. (`check` would hide what a rule raises.)"""
    analysis = analyze(Source(code))
    return [(finding.code, finding.message) for rule in all_rules() for finding in rule().check(analysis)]


def _ask_everything(code: str) -> None:
    """All that an editor may ask about a text."""
    source = Source(code)
    interpret(source)
    analysis = analyze(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            analysis.symbol_at(source.span(node).end - 1)
    for offset in range(0, len(code) + 1, max(1, len(code) // 40)):
        analysis.symbol_at(offset)
        analysis.names_at(offset)
        analysis.notes_at(offset)
        analysis.object_at(offset)
        analysis.given_at(offset)
        analysis.argument_at(offset)
        analysis.quoted_at(offset)
    _findings(code)


@settings(EVERY, max_examples=200)
@given(st.randoms(use_true_random=False))
def test_programs_of_every_kind(rng: random.Random) -> None:
    code = program(rng)
    ast.parse(code)
    _ask_everything(code)


@settings(EVERY, max_examples=20)
@given(st.randoms(use_true_random=False))
def test_programs_are_understood_the_same_way_twice(rng: random.Random) -> None:
    code = program(rng)
    assert facts(code) == facts(code)
    assert _shape(code) == _shape(code)
    assert _findings(code) == _findings(code)


@settings(EVERY, max_examples=100)
@given(st.sampled_from([*TORCH_FILES, *OWN_FILES]), st.sampled_from(KINDS), st.randoms(use_true_random=False))
def test_edited_real_files(path: Path, kind: str, rng: random.Random) -> None:
    text = f"import torch\n{path.read_text(encoding='utf-8')[:8000]}"
    _ask_everything(break_text(text, kind, rng).text)


@settings(EVERY, max_examples=60)
@given(st.randoms(use_true_random=False), st.sampled_from(KINDS))
def test_edited_programs(rng: random.Random, kind: str) -> None:
    _ask_everything(break_text(program(rng), kind, rng).text)


@settings(EVERY, max_examples=150)
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
    _ask_everything("import torch\n" + "".join(lines))


@pytest.mark.parametrize("path", OWN_FILES, ids=[p.name for p in OWN_FILES])
def test_real_files_and_their_prefixes(path: Path) -> None:
    text = path.read_text(encoding="utf-8") + "\nimport torch\n"
    assert _shape(text) == _shape(text)
    _shape("import torch\n" + text[: len(text) // 2])


@pytest.mark.parametrize("path", TORCH_FILES, ids=[p.name for p in TORCH_FILES])
def test_comments_and_blank_lines_change_no_fact_and_no_finding(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    inside = _lines_inside_strings(text)
    rng = random.Random(path.name)
    spaced: list[str] = []
    places: dict[int, int] = {}
    for number, line in enumerate(lines, start=1):
        if number not in inside and rng.random() < 0.5:
            spaced += rng.choice([["# a comment"], ["", ""], ["        # another: (", "\f"], ["\t"]])
        ends = number + 1 not in inside and line and not line.endswith("\\")
        spaced.append(f'{line}  # said \' of "it"' if ends and rng.random() < 0.5 else line)
        places[number] = len(spaced)
    commented = "\n".join(spaced) + "\n"
    moved = {(places[line], column, name): fact for (line, column, name), fact in facts(text).items()}
    assert facts(commented) == moved
    assert [code for code, _ in _findings(commented)] == [code for code, _ in _findings(text)]


def _lines_inside_strings(text: str) -> set[int]:
    """The lines (1-based) that begin inside a string or after a backslash: no comment can stand before them."""
    inside = {number + 1 for number, line in enumerate(text.splitlines(), start=1) if line.endswith("\\")}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            inside.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return inside


STEPS = "\nopt = torch.optim.SGD([torch.ones(1)], lr=1)\nopt.step()\n"


def _still_steps(code: str) -> bool:
    """Whether the analysis gets through `code` and sees what comes after it."""
    return any(kind == "STEP" for kind, _, _ in _shape("import torch\n" + code + STEPS))


DEEP = {
    "parentheses": "x = " + "(" * 90 + "1" + ")" * 90,
    "too many parentheses": "x = " + "(" * 5000 + "1" + ")" * 5000,
    "brackets never closed": "x = " + "[" * 5000,
    "a bracket opened on every line": "x = [\n" * 3000,
    "sum": "x = " + "+".join(["torch.ones(1)"] * 400),
    "long sum": "x = " + "+".join(["x"] * 5000),
    "calls": "y = x" + ".a()" * 300,
    "attributes": "y = x" + ".a" * 3000,
    "subscripts": "y = x" + "[0]" * 3000,
    "minus": "y = " + "-" * 20000 + "1",
    "comparisons": "y = " + " < ".join(["x"] * 3000),
    "blocks": "".join(f"{'    ' * depth}if x:\n" for depth in range(60)) + "    " * 60 + "x.step()\n",
    "too many blocks": "".join(f"{' ' * depth}if x:\n" for depth in range(3000)) + " " * 3000 + "x.step()\n",
    "blocks that never end": "".join(f"{' ' * depth}for x in\n" for depth in range(500)),
    "elif": "if x == 0:\n    y = 0\n" + "".join(f"elif x == {n}:\n    y = {n}\n" for n in range(3000)),
    "broken elif": "if x == 0:\n    y = 0\n" + "".join(f"elif x == {n}\n    y = \n" for n in range(300)),
    "functions": "".join(f"{' ' * depth}def f():\n" for depth in range(90)) + " " * 90 + "pass\n",
    "lambdas": "f = " + "lambda: " * 150 + "1",
    "conditions": "y = " + "x if x else " * 800 + "x",
    "long line": "x = [" + "torch.ones(1), " * 10_000 + "]",
    "long broken line": "x = [" + "torch.ones(1), " * 10_000,
    "long string": "x = '" + "a" * 10_000_000 + "'",
    "long string without an end": "x = '" + "a" * 10_000_000,
    "long comment": "# " + "(" * 10_000_000,
    "many quotes": "x = " + "'''" * 100_001,
    "many lines of prose": "The loss (it's new) goes down: see below\n" * 20_000,
    "many orphans": "else:\n    x = 1\n" * 3000,
    "many broken headers": "for x in\n    y = 1\n" * 3000,
    "many decorators": "@\n" * 3000 + "def f(): pass\n",
    "many lines": "x = 1\n" * 20_000 + "x = (\n",
}


@pytest.mark.parametrize("code", DEEP.values(), ids=DEEP)
def test_deep_nesting_and_long_texts(code: str) -> None:
    _findings(f"import torch\n{code}{STEPS}")
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


@pytest.mark.parametrize(
    "char", ["\0", "\ud800", "\udcff", "\ufeff", "\f", "\x1c", "\u2028", "\x85", "\u200b", "\r"]
)
@pytest.mark.parametrize("where", ["first", "line", "string", "comment", "name"])
def test_strange_characters(char: str, where: str) -> None:
    line = {
        "first": "",
        "line": char,
        "string": f"s = 'a{char}b'",
        "comment": f"# {char}",
        "name": f"a{char}b = 1",
    }
    code = f"{char if where == 'first' else ''}import torch\n{line[where]}\n{STEPS}"
    _ask_everything(code)
    if where != "first" or char in "\ufeff\f\r":  # else the import itself is broken
        assert ("STEP", len(Source(code).lines) - 1, 0) in _shape(code)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_change_no_fact(end: str) -> None:
    for text in TEXTS[:40]:
        assert facts(text.replace("\n", end)) == facts(text)


def _python_encodings() -> list[str]:
    """Every codec of this Python that turns bytes into text."""
    names = sorted(module.name for module in pkgutil.iter_modules(encodings.__path__))
    found: list[str] = []
    for name in names:
        try:
            found += [name] if codecs.lookup(name)._is_text_encoding else []
        except LookupError:  # `mbcs` and `oem`, elsewhere than on Windows
            pass
    return found


@pytest.mark.parametrize("encoding", _python_encodings())
def test_every_encoding_declaration_is_read_or_refused(encoding: str) -> None:
    text = f"# -*- coding: {encoding} -*-\nimport torch\nprint('hello')\n"
    for data in (
        text.encode("ascii"),
        text.encode("ascii") + b"\xff\xfe\x80\n",
        codecs.BOM_UTF8 + text.encode("ascii"),
    ):
        try:
            decoded = decode(data)
        except (UnicodeError, SyntaxError, LookupError):
            continue
        _ask_everything(decoded)


@pytest.mark.parametrize(
    "declaration", ["unknown-8bit", "utf-8-", "hex", "zip", "", "rot13", "undefined", "\0", "idna"]
)
def test_unknown_encodings_are_refused_with_a_reason(declaration: str) -> None:
    data = f"# coding: {declaration}\nimport torch\n".encode()
    try:
        assert decode(data).endswith("import torch\n")
    except (UnicodeError, SyntaxError, LookupError) as error:
        assert str(error)
