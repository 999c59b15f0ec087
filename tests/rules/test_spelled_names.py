"""How repairs spell names of torch in a file."""

from __future__ import annotations

import ast

import pytest
from torchlore.analysis import Analysis, analyze
from torchlore.rules import spellings
from torchlore.text import Source, apply_edits


def place_of(text: str) -> tuple[Analysis, ast.expr]:
    """The file, and what is called in the last `…()` of it."""
    analysis = analyze(Source(text))
    calls = [node for node in ast.walk(analysis.source.tree) if isinstance(node, ast.Call)]
    return analysis, max(calls, key=lambda call: (call.lineno, call.col_offset)).func


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("import torch\nx()\n", "torch.nn.Linear"),
        ("import torch as th\nx()\n", "th.nn.Linear"),
        ("import torch\nimport torch.nn as nn\nx()\n", "nn.Linear"),
        ("from torch import nn\nfrom torch.nn import Linear\nx()\n", "Linear"),
        ("from torch import nn\nfrom torch.nn import Linear\nnn.Conv2d()\n", "nn.Linear"),
        ("try:\n    import torch\nexcept ImportError:\n    raise\nx()\n", "torch.nn.Linear"),
        ("if is_torch_available():\n    import torch\nx()\n", "torch.nn.Linear"),
        ("def f():\n    from torch import nn\n    x()\n", "nn.Linear"),
        ("import torch\ndef f(torch):\n    return x()\n", None),
        ("import torch\nf = lambda torch: x()\n", None),
        ("import torch\ndef f():\n    torch = 1\n    return x()\n", None),
        ("import torch\ntorch = 1\nx()\n", None),
        ("from torch.nn import functional\nx()\n", None),
        ("x()\nimport torch\n", None),
        ("from a import torch\nx()\n", None),
        ("if TYPE_CHECKING:\n    import torch\nx()\n", None),
        ("if FAST:\n    from torch import nn\nelse:\n    nn = None\nx()\n", None),
    ],
)
def test_a_name_is_spelled_by_what_is_imported_above(text: str, written: str | None) -> None:
    analysis, at = place_of(text)
    assert spellings.spelled(analysis, at, "torch.nn.Linear") == written


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from torch import nn\nx()\n", "import torch\nfrom torch import nn\nx()\n"),
        ("import torch\nx()\n", "import torch\nx()\n"),
        ("from torch import nn\ndef f(torch):\n    x()\n", None),
        ("from torch import nn\ntorch = 1\nx()\n", None),
        ("import sys; from torch import nn\nx()\n", None),
    ],
)
def test_the_package_is_imported_where_nothing_leads_to_a_name(before: str, after: str | None) -> None:
    analysis, at = place_of(before)
    found = spellings.spelled_anyhow(analysis, at, "torch.stack")
    assert (found and (found[0], apply_edits(before, found[1]))) == (after and ("torch.stack", after))
