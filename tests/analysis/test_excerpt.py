"""An excerpt runs by itself, on the lines that it has in the file, and has nothing in it that it does not need."""

from __future__ import annotations

import contextlib
import io

import pytest
from torchlore.analysis.excerpt import excerpt, statement_of, with_names
from torchlore.text import Source

PROGRAM = '''"""What this file is about."""
from __future__ import annotations

import math, os
try:
    import json as np
except ImportError:
    np = None

print("this is never run")
SIZE = 2
SIZE += 1
scale = math.sqrt(4)
items = [print("nor this")]


class Base:
    factor = SIZE


class Thing(Base):
    def value(self, items):
        scale = self.factor
        return helper(scale) + len(items)


def helper(x):
    return x + later()


def later():
    return 100


def work(given, n=2):
    total = SIZE
    for i in range(n):
        total += i
    else:
        total += 1
    with open(os.devnull) as file:
        text = file.read()
        total = text
    return given


async def serve():
    pass


if os.environ.get("NOT SET"):
    chosen = 1
elif SIZE:
    chosen = 2
    thing = Thing()
    print(thing.value([1]), chosen)
for epoch in range(3):
    loss = epoch
print(loss)
print(np is None)
'''
SOURCE = Source(PROGRAM)


def at(text: str) -> int:
    """The line, 0-based, that begins so."""
    return next(n for n, line in enumerate(PROGRAM.split("\n")) if line.strip().startswith(text))


def lines(first: str, last: str | None = None) -> str:
    found = excerpt(SOURCE, at(first), at(last or first))
    assert found is not None
    assert found.missing == ()
    return found.code


def printed(code: str) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "file", "exec"), {"__name__": "__main__"})  # noqa: S102
    return output.getvalue()


@pytest.mark.parametrize(
    ("first", "last", "output"),
    [
        ("print(thing", None, "104 2\n"),
        ("thing = Thing()", "print(thing", "104 2\n"),
        ("print(np", None, "False\n"),
        ("scale = math", None, ""),
        ("for i in range(n)", "total += 1", None),
    ],
)
def test_it_runs_and_nothing_else_does(first: str, last: str | None, output: str | None) -> None:
    found = excerpt(SOURCE, at(first), at(last or first))
    assert found is not None
    if output is None:
        assert found.missing == (("n", "a parameter of `work`"),)
    else:
        assert printed(found.code) == output


def test_every_line_stands_where_it_does_in_the_file() -> None:
    code = lines("thing = Thing()", "print(thing").split("\n")
    kept = [(n, line) for n, line in enumerate(code) if line and line.strip() != "if True:"]
    text = PROGRAM.split("\n")
    assert kept == [(n, text[n]) for n, _ in kept]
    assert not any("never" in line or "nor this" in line or "epoch" in line for line in code)


def test_names_of_functions_are_their_own() -> None:
    """`items` and `scale` are bound at the top, too, but the class does not read those."""
    code = lines("thing = Thing()")
    assert "items = [" not in code and "scale = math" not in code and "import json" not in code


@pytest.mark.parametrize(
    ("first", "missing"),
    [
        ("return given", ("given", "a parameter of `work`")),
        ("total += i", ("i", "the variable of a loop")),
        ("text = file", ("file", "what a `with` binds")),
        ("print(loss)", ("loss", "bound in a loop that is not run")),
    ],
)
def test_what_would_take_running_more_is_told(first: str, missing: tuple[str, str]) -> None:
    found = excerpt(SOURCE, at(first), at(first))
    assert found is not None and missing in found.missing


def test_a_selection_that_binds_a_name_itself_does_not_need_the_earlier_binding() -> None:
    source = Source("x = print('no')\nx = 1\ny = x\n")
    found = excerpt(source, 1, 2)
    assert found is not None and found.code == "\nx = 1\ny = x\n"


@pytest.mark.parametrize("line", [2, 9 + len(PROGRAM.split("\n"))])
def test_nothing_stands_there(line: int) -> None:
    assert excerpt(SOURCE, line, line) is None


def test_a_broken_line_elsewhere_does_no_harm() -> None:
    found = excerpt(Source("import math\nx = = 1\nprint(math.pi)\n"), 2, 2)
    assert found is not None and printed(found.code).startswith("3.14")


def test_an_expression_with_the_definitions_that_it_needs() -> None:
    found = with_names(SOURCE, "print(Thing().value([]))")
    assert found is not None and printed(found.code) == "103\n"
    elsewhere = with_names(SOURCE, "Thing().value(total)")
    assert elsewhere is not None and elsewhere.missing == (("total", "bound in a function only"),)
    assert with_names(SOURCE, "1 +") is None


def test_a_definition_by_its_name() -> None:
    assert getattr(statement_of(SOURCE, "Thing.value"), "lineno", 0) - 1 == at("def value")
    assert statement_of(SOURCE, "Thing.other") is None and statement_of(SOURCE, "SIZE") is None


def test_a_broken_line_is_not_passed_over() -> None:
    found = excerpt(Source("x = 1\nx = = 2\nprint(x)\n"), 0, 2)
    assert found is not None
    with pytest.raises(SyntaxError) as caught:
        printed(found.code)
    assert caught.value.lineno == 2
