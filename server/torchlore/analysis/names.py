"""What names mean before anything runs: imports, and which names a function binds."""

from __future__ import annotations

import ast

from torchlore.analysis.values import Ref, Value


def imported_names(node: ast.Import | ast.ImportFrom) -> tuple[dict[str, Value], bool]:
    """The names that an import binds, and whether it is a star import of something other than torch.

    A relative import keeps its dots (`.model.Net`), so that it can never be taken for a package.
    """
    names: dict[str, Value] = {}
    star = False
    for alias in node.names:
        if isinstance(node, ast.Import):
            if alias.asname is not None:
                names[alias.asname] = Ref(alias.name)
            else:
                first = alias.name.partition(".")[0]
                names[first] = Ref(first)
        elif alias.name == "*":
            star = True
        else:
            names[alias.asname or alias.name] = Ref(f"{dotted_module(node)}.{alias.name}")
    return names, star


def dotted_module(node: ast.ImportFrom) -> str:
    """The module of a `from` import as written, leading dots included."""
    return "." * node.level + (node.module or "")


def words(text: str) -> frozenset[str]:
    """A set of names, written as a list of words."""
    return frozenset(text.split())


def mentions_torch(text: str) -> bool:
    """Whether a file can be about torch at all: a cheap test before anything is parsed."""
    return "torch" in text
