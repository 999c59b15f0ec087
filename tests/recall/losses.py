"""Mistakes in what losses are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import written


@plants("softmax-before-cross-entropy", "CrossEntropyLoss", "cross_entropy")
def probabilities_for_logits(source: Source) -> Iterator[Mutant]:
    """A softmax around what cross-entropy is given."""
    criterions = {
        written(statement.targets[0])
        for statement in source.every(ast.Assign)
        if isinstance(statement.value, ast.Call)
        and written(statement.value.func).endswith("CrossEntropyLoss")
    }
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        name = written(node.func)
        if name in criterions or name in ("F.cross_entropy", "nn.functional.cross_entropy"):
            first = node.args[0]
            if not isinstance(first, ast.Starred) and "softmax" not in written(first):
                edit = replaced(source, first, f"torch.softmax({written(first)}, dim=1)")
                yield from mutant(source, node.lineno, [edit])
