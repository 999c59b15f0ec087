"""Small questions about names."""

from __future__ import annotations

import ast
from weakref import WeakKeyDictionary


def stored_names(loop: ast.For | ast.AsyncFor | ast.While) -> frozenset[str]:
    """The names of the enclosing scope that an iteration of `loop` may bind."""
    return frozenset(_stored([loop])[0])


def bound_names(statement: ast.stmt) -> frozenset[str]:
    """The names of the scope that a statement stands in that it may bind."""
    return frozenset(_stored([statement])[0])


def local_names(function: ast.AST) -> frozenset[str]:
    """The names that are a function's own as its body binds them, before it does as well as afterwards.

    Those that only an expression binds (`:=`) count where it is the test of an `if` or a `while`.
    """
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return _NONE
    known = _LOCAL.get(function)
    if known is None:
        stored, declared = _stored([*function.body])
        known = _LOCAL[function] = frozenset(stored - declared)
    return known


_NONE: frozenset[str] = frozenset()


_LOCAL: WeakKeyDictionary[ast.AST, frozenset[str]] = WeakKeyDictionary()
"""What `local_names` found: a function of an imported file is asked about by everyone who imports it."""


def _stored(stack: list[ast.AST]) -> tuple[set[str], set[str]]:
    """The names that statements bind, and those that they declare to be of another scope."""
    found: set[str] = set()
    declared: set[str] = set()
    while stack:
        node = stack.pop()
        cls = node.__class__
        if cls is ast.Name:
            if node.ctx.__class__ is ast.Store:  # type: ignore[attr-defined]
                found.add(node.id)  # type: ignore[attr-defined]
            continue
        for field in HOLDING.get(cls, ()):
            part = getattr(node, field)
            if part.__class__ is list:
                stack += part
            elif part is not None:
                stack.append(part)
        if cls in _NAMING:
            (declared if cls is ast.Global or cls is ast.Nonlocal else found).update(_named(node))
    return found, declared


def _named(node: ast.AST) -> list[str]:
    """The names that stand in a node itself."""
    match node:
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [(alias.asname or alias.name).partition(".")[0] for alias in aliases]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return names
        case ast.MatchMapping(rest=name):
            return [name] if name is not None else []
        case _:
            name = getattr(node, "name", None)
            return [name] if name is not None else []


_NAMING = frozenset(
    {
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.ExceptHandler),
        *(ast.Global, ast.Nonlocal, ast.MatchAs, ast.MatchStar, ast.MatchMapping),
    }
)

HOLDING: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Assign: ("targets",),
    ast.AugAssign: ("target",),
    ast.AnnAssign: ("target",),
    ast.If: ("test", "body", "orelse"),
    ast.While: ("test", "body", "orelse"),
    ast.For: ("target", "body", "orelse"),
    ast.AsyncFor: ("target", "body", "orelse"),
    ast.With: ("items", "body"),
    ast.AsyncWith: ("items", "body"),
    ast.withitem: ("optional_vars",),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.ExceptHandler: ("body",),
    ast.Match: ("cases",),
    ast.match_case: ("pattern", "body"),
    ast.MatchAs: ("pattern",),
    ast.MatchOr: ("patterns",),
    ast.MatchSequence: ("patterns",),
    ast.MatchMapping: ("patterns",),
    ast.MatchClass: ("patterns", "kwd_patterns"),
    ast.Tuple: ("elts",),
    ast.List: ("elts",),
    ast.Starred: ("value",),
    ast.NamedExpr: ("target", "value"),
    ast.BoolOp: ("values",),
    ast.UnaryOp: ("operand",),
    ast.Compare: ("left", "comparators"),
    ast.BinOp: ("left", "right"),
    ast.Call: ("func", "args"),
    ast.Attribute: ("value",),
    ast.Subscript: ("value", "slice"),
}
"""Where names are bound in a statement: its blocks, its targets, and what a test binds on the way."""
if hasattr(ast, "TryStar"):  # Python 3.11
    HOLDING[ast.TryStar] = HOLDING[ast.Try]


def words(text: str) -> frozenset[str]:
    """A set of names, written as a list of words."""
    return frozenset(text.split())


def mentions_torch(text: str) -> bool:
    """Whether a file can be about torch at all: a cheap test before anything is parsed."""
    return "torch" in text
