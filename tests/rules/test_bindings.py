"""What rules know of where a name got what it holds."""

from __future__ import annotations

import ast

import pytest
from torchlore.analysis import analyze
from torchlore.rules import bindings
from torchlore.text import Source


def bound(text: str) -> str | None:
    """What `x` was last bound to where `use(x)` reads it, and its place in there."""
    analysis = analyze(Source(text))
    calls = [node for node in ast.walk(analysis.source.tree) if isinstance(node, ast.Call)]
    use = next(call.args[0] for call in calls if getattr(call.func, "id", "") == "use")
    found = bindings.last_bound(analysis, use)
    return None if found is None else "".join((ast.unparse(found[0]), *(f"[{index}]" for index in found[1])))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = a\nx = b\nuse(x)\n", "b"),
        ("x: int = a\nuse(x)\n", "a"),
        ("x = a\nx = use(x)\n", "a"),
        ("x = y = a\nuse(x)\n", "a"),
        ("y, (x, z) = a\nuse(x)\n", "a[1][0]"),
        ("x = a\nwith b:\n    if c:\n        use(x)\n", "a"),
        ("x = a\nfor y in b:\n    use(x)\n", "a"),
        ("x = a\nwith use(x) as x:\n    pass\n", "a"),
        ("x = a\nimport x as y\nuse(x)\n", "a"),
    ],
)
def test_the_last_assignment_is_found(text: str, value: str) -> None:
    assert bound(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "use(x)\n",
        "x = a\ndel x\nuse(x)\n",
        "x = a\nx += b\nuse(x)\n",
        "x = a\nif b:\n    x = c\nuse(x)\n",
        "y, *x = a\nuse(x)\n",
        "x = a\nimport x.y\nuse(x)\n",
        "x = a\nfor y in b:\n    use(x)\n    x = c\n",
        "x = a\nfor x in b:\n    use(x)\n",
        "x = a\nwith b as x:\n    use(x)\n",
        "x = a\nif (x := b):\n    use(x)\n",
        "x = a\ntry:\n    pass\nexcept E as x:\n    use(x)\n",
        "x = a\ntry:\n    x = b\nfinally:\n    use(x)\n",
        "x = a\nmatch b:\n    case [x]:\n        use(x)\n",
        "x = a\ndef f():\n    use(x)\n",
        "x = a\ny = [use(x) for x in b]\n",
    ],
)
def test_where_other_ways_lead_to_a_name_nothing_is_said(text: str) -> None:
    assert bound(text) is None
