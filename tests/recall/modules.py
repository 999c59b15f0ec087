"""Mistakes in modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.mutants import Mutant, emptied, mutant, plants
from tests.recall.syntax import method_call, written


@plants("missing-super-init", "super")
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
