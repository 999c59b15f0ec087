"""Small questions about names."""

from __future__ import annotations

import ast

HOLDING_TARGETS = (
    "target",
    "targets",
    "optional_vars",
    "items",
    "body",
    "orelse",
    "finalbody",
    "handlers",
    "cases",
)
"""The fields of statements in which targets of assignments are found, not the expressions that they read."""


def stored_names(loop: ast.For | ast.AsyncFor | ast.While) -> frozenset[str]:
    """The names of the enclosing scope that an iteration of `loop` may bind."""
    found: set[str] = set()
    stack: list[ast.AST] = [loop]
    while stack:
        node = stack.pop()
        cls = node.__class__
        if cls is ast.Name:
            found.add(node.id)  # type: ignore[attr-defined]
            continue
        for field in _PARTS.get(cls, ()):  # statements without an entry bind nothing
            part = getattr(node, field)
            if part.__class__ is list:
                stack += part
            elif part.__class__ is str:
                found.add(part)
            elif part is not None:
                stack.append(part)
        if cls is ast.If or cls is ast.While:
            _add_assigned_within(node.test, found)  # type: ignore[attr-defined]
        elif cls is ast.Import or cls is ast.ImportFrom:
            aliases: list[ast.alias] = node.names  # type: ignore[attr-defined]
            found.update((alias.asname or alias.name).partition(".")[0] for alias in aliases)
    return frozenset(found)


def _add_assigned_within(test: ast.expr, found: set[str]) -> None:
    """Adds the names that `:=` binds in a test; most tests are a name, or compare two."""
    if test.__class__ in _PLAIN:
        return
    if isinstance(test, ast.NamedExpr):
        found.add(test.target.id)
    for part in ast.iter_child_nodes(test):
        if isinstance(part, ast.expr):
            _add_assigned_within(part, found)


_PLAIN = frozenset({ast.Name, ast.Constant, ast.Attribute})

_PARTS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Assign: ("targets",),
    ast.AnnAssign: ("target",),
    ast.AugAssign: ("target",),
    ast.Delete: ("targets",),
    ast.For: ("target", "body", "orelse"),
    ast.AsyncFor: ("target", "body", "orelse"),
    ast.While: ("body", "orelse"),
    ast.If: ("body", "orelse"),
    ast.With: ("items", "body"),
    ast.AsyncWith: ("items", "body"),
    ast.withitem: ("optional_vars",),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.ExceptHandler: ("name", "body"),
    ast.Match: ("cases",),
    ast.match_case: ("pattern", "body"),
    ast.MatchAs: ("name", "pattern"),
    ast.MatchStar: ("name",),
    ast.MatchMapping: ("rest", "patterns"),
    ast.MatchSequence: ("patterns",),
    ast.MatchClass: ("patterns", "kwd_patterns"),
    ast.MatchOr: ("patterns",),
    ast.FunctionDef: ("name",),
    ast.AsyncFunctionDef: ("name",),
    ast.ClassDef: ("name",),
    ast.Tuple: ("elts",),
    ast.List: ("elts",),
    ast.Starred: ("value",),
}
"""What of a statement, a pattern or a target may bind names, not the expressions that it reads."""
if hasattr(ast, "TryStar"):  # Python 3.11
    _PARTS[ast.TryStar] = _PARTS[ast.Try]


def words(text: str) -> frozenset[str]:
    """A set of names, written as a list of words."""
    return frozenset(text.split())


def mentions_torch(text: str) -> bool:
    """Whether a file can be about torch at all: a cheap test before anything is parsed."""
    return "torch" in text
