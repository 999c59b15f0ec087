"""Mistakes in modules and losses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.mutants import Mutant, emptied, method_call, mutant, plants, replaced, written


@plants("missing-super-init")
def base_is_not_made(source: Source) -> Iterator[Mutant]:
    """`super().__init__()` of a class that derives from `nn.Module` itself is gone."""
    for cls in source.every(ast.ClassDef):
        if [written(base) for base in cls.bases] not in (["nn.Module"], ["torch.nn.Module"], ["Module"]):
            continue
        init = next((s for s in cls.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None)
        if init is None or cls.decorator_list or cls.keywords:
            continue
        made = [
            s for s in init.body if (call := method_call(s, "__init__")) and "super" in written(call.func)
        ]
        registers = any(isinstance(s, ast.Assign) and "nn." in written(s.value) for s in init.body)
        if len(made) == 1 and registers:
            yield from mutant(source, init.lineno, [emptied(source, made[0])])


@plants("softmax-before-cross-entropy")
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
