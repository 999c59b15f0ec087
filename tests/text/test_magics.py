"""What IPython adds to Python is taken out of a cell, and what is Python stays where it is."""

from __future__ import annotations

import ast

import pytest
from client_text import clients_lines
from hypothesis import given, settings
from notebook_support import cells, notebook
from torchlore.text.magics import mask

# The cell, and what is left of it: `·` stands for a blank that is put in, `@` for what is unknown.
CASES = [
    ("%matplotlib inline\nx = 1", "pass··············\nx = 1"),
    ("!ls", "0··"),
    ("!ls -l\n", "pass··\n"),
    ("%time", "pass·"),
    ("x\n\n%%html\n<b>\n", "x\n\npass··\n<b>\n"),  # Only the first line makes a cell magic.
    ("?torch", "pass··"),
    ("torch.nn.Linear?", "pass············"),
    ("torch.nn.Linear??  ", "pass···············"),
    ("x[0]?\ny = 1", "pass·\ny = 1"),
    ("*int*?", "pass··"),
    ("  %cd ..\n  x = 1", "  pass··\n  x = 1"),
    ("if x:\n    !ls\nelse:\n\t%cd a\n", "if x:\n    0··\nelse:\n\tpass·\n"),
    ("for x in y:\n    %tb\n", "for x in y:\n    0··\n"),
    ("!pip install \\\n  torch \\\n  numpy\nx = 1", "pass··········\n·········\n·······\nx = 1"),
    ("!echo {loss} $x 'unclosed\nx = 1", "pass·····················\nx = 1"),
    ("!!ls\n", "pass\n"),
    ("files = !ls *.py\n", "files = @·······\n"),
    ("files = !ls \\\n  *.py\nx", "files = @····\n······\nx"),
    ("x = %sql select 1\n", "x = @············\n"),
    ("x = %time f(a)\n", "x = ······f(a)\n"),
    ("a, b = !ls", "a, b = @··"),
    ("%time f(x)", "0;····f(x)"),
    ("%time x = f(x)\n", "0;····x = f(x)\n"),
    ("    %time f(x)\n", "    0;····f(x)\n"),
    ("%time for x in y: f(x)\n", "pass··················\n"),
    ("%timeit -n 10 -r3 -q f(x)", "0;···················f(x)"),
    ("%timeit x = f()", "pass···········"),  # What it binds is gone when it is done.
    ("%prun -s cumulative f(x)", "0;··················f(x)"),
    ("%%time\nx = 1\n", "······\nx = 1\n"),
    ("\n# note\n%%timeit -n 3\nx = 1\n", "\n······\n·············\nx = 1\n"),
    ("%%capture out\n%%time\n%cd x\ny", "·············\n······\npass·\ny"),
    ("%%prun\nx", "······\nx"),
    ("%%bash\nls 'a\n", "······\n·····\n"),
    ("%%writefile a.py\nimport torch\n", "················\n············\n"),
    ("%%html\n<b>\n", "······\n···\n"),
    ("%%javascript\nlet x\n", "············\n·····\n"),
    ("%%anything else\nx = 1", "···············\n·····"),
    ("%%!\nls", "···\n··"),
    (",f a b\n", "pass··\n"),
    ("/f a\n", "pass\n"),
    # Python that looks like a magic.
    ("x = (a\n% b)\n", None),
    ("x = a \\\n    % b\n", None),
    ("x = [\n    '%d'\n    % y,\n    z\n]\n", None),
    ("x = '''\n!ls\n%cd\nwhat?\n'''\n", None),
    ('x = """a\\"""\n!ls\n"""\n', None),
    ("x = 'a\\\n!ls'\n", None),
    ("# why?\n", None),
    ("x = 1  # why?\n", None),
    ("print('what?')\n", None),
    ("x = y != z\n", None),
    ("f(a=b, c='%s')\n", None),
    ("x = '%s' % y\n", None),
    ("assert x == '!'\n", None),
    ("lambda x=1: x\n", None),
    ("await f()\nasync with a as b:\n    pass\n", None),
    ("model.train();\n", None),
    ("", None),
    # Brackets and strings that are never closed do not hide the commands below.
    ("f(\n!ls -l\nx = 1\n", "f(\npass··\nx = 1\n"),
    ("x = '''\n!ls -l\n", "x = '''\npass··\n"),
    ("x = [1,\n     2\n%cd ..\n", "x = [1,\n     2\npass··\n"),
    ("x = 'what\n%cd ..\n", "x = 'what\npass··\n"),
    ("!ls\r\n%cd a\r\nx = 1\r\n", "0··\r\npass·\r\nx = 1\r\n"),
    ("%cd a\rx = 1", "pass·\rx = 1"),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[repr(text) for text, _ in CASES])
def test_what_is_left_of_a_cell(text: str, expected: str | None) -> None:
    shown = "".join("·" if new == " " != old else new for old, new in zip(text, mask(text).code, strict=True))
    assert shown.replace("\u01c3", "@") == (text if expected is None else _blanks_of(text, expected))


def _blanks_of(text: str, expected: str) -> str:
    """A blank that replaces a blank cannot be told from one that stays."""
    return "".join(" " if old == " " and new == "·" else new for old, new in zip(text, expected, strict=True))


@pytest.mark.parametrize(("text", "_"), CASES, ids=[repr(text) for text, _ in CASES])
def test_what_is_left_parses_where_nothing_else_is_broken(text: str, _: str | None) -> None:
    left = mask(text).code
    if text.startswith(("f(", "x = '''\n!", "x = [1,", "x = 'what", "  ", "    %time", "x\n\n%%html")):
        return  # Broken by intent.
    ast.parse(left)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("%run a.py\nx = 1", {0}),
        ("x = 1\nfor y in x:\n    %run \\\n    a.py\n", {2, 3}),
        ("x = %run a.py", {0}),
        ("!ls\nfiles = !ls\nx?", set()),
        ("%time f(x)", set()),
        ("%time", set()),
        ("%time for x in y: f(x)", {0}),
        ("%matplotlib inline\n%cd ..\n%load_ext autoreload\n%env A=1\n%pip install torch", set()),
        ("%timeit x = f()\n%load a.py", {0, 1}),
        ("%%bash\nls", set()),
        ("%%cython\ndef f(): pass", {0, 1}),
        ("%%time\nx = 1", set()),
    ],
)
def test_lines_that_may_do_anything_are_told(text: str, hidden: set[int]) -> None:
    assert mask(text).hidden == hidden
    assert notebook("y = 1", text).parsed.blanked == {line + 2 for line in hidden}


@given(cells)
@settings(max_examples=400)
def test_masking_moves_nothing(text: str) -> None:
    masked = mask(text)
    assert len(masked.code) == len(text)
    assert len(clients_lines(masked.code)) == len(clients_lines(text))
    kept = set(range(len(text))) - {n for span in masked.masks for n in range(span.start, span.end)}
    assert all(masked.code[n] == text[n] for n in kept)
    assert all(a.end <= b.start for a, b in zip(masked.masks, masked.masks[1:], strict=False))
    assert all(masked.code[n] == text[n] for n in range(len(text)) if text[n] in "\r\n")
