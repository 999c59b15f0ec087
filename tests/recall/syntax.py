"""What mutators ask of the syntax of a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from torchlore.text import Source
from torchlore.text.nodes import blocks


@lru_cache(maxsize=8)
def imported(source: Source) -> dict[str, str]:
    """What the import statements of a file bind: each name, and what it stands for in full.

    A name that stands for two things is left out. What comes from the file's own package begins with a dot.
    """
    found: dict[str, set[str]] = {}
    for plain in source.every(ast.Import):
        for alias in plain.names:
            top = alias.name.partition(".")[0]
            found.setdefault(alias.asname or top, set()).add(alias.name if alias.asname else top)
    for statement in source.every(ast.ImportFrom):
        home = f"{'.' * statement.level}{statement.module or ''}"
        for alias in statement.names:
            found.setdefault(alias.asname or alias.name, set()).add(f"{home}.{alias.name}")
    return {name: full.pop() for name, full in found.items() if len(full) == 1}


def full_name(source: Source, node: ast.expr) -> str:
    """`torch.nn.Linear` of `nn.Linear`, by the imports; "" of what no import binds."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    top = imported(source).get(node.id) if isinstance(node, ast.Name) else None
    return ".".join([top, *reversed(parts)]) if top else ""


def calls_of(source: Source, node: ast.AST, *names: str) -> list[ast.Call]:
    """The calls below a node of what has one of these full names."""
    some = [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    return [call for call in some if full_name(source, call.func) in names]


def method_call(node: ast.AST | None, *names: str) -> ast.Call | None:
    """`x.name(...)`, as an expression or as a statement; None where it is something else."""
    node = node.value if isinstance(node, ast.Expr) else node
    is_method = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
    )
    return node if is_method else None  # type: ignore[return-value]


def receiver(call: ast.Call) -> str:
    """What a method is called on, as it is written."""
    return ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def written(node: ast.AST) -> str:
    return ast.unparse(node)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Module]:
    """The functions of a file, and the file itself."""
    yield source.tree
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def own_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements in a function, loop or class, without those of functions and classes in it."""
    for block in blocks(node):
        for statement in block:
            yield statement
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from own_statements(statement)


def loops(node: ast.AST) -> Iterator[ast.For | ast.While]:
    """The loops in a function, not those of functions in it."""
    return (s for s in own_statements(node) if isinstance(s, ast.For | ast.While))


def blocks_below(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every block of statements in a node."""
    for block in blocks(node):
        yield block
        for statement in block:
            yield from blocks_below(statement)


def calls(node: ast.AST, *names: str) -> list[ast.Call]:
    """The method calls of these names below a node."""
    return [
        call for inner in ast.walk(node) if (call := method_call(inner, *names)) is not None and call is inner
    ]


def bound_to(source: Source, name: str) -> list[ast.expr]:
    """What a file assigns to a name, or to an attribute: all that is written `name = …` anywhere in it."""
    return _bindings(source).get(name, [])


@lru_cache(maxsize=8)
def _bindings(source: Source) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for statement in source.every(ast.Assign):
        for target in statement.targets:
            found.setdefault(written(target), []).append(statement.value)
    for annotated in source.every(ast.AnnAssign):
        if annotated.value is not None:
            found.setdefault(written(annotated.target), []).append(annotated.value)
    return found


def is_made_by(source: Source, name: str, home: str) -> bool:
    """Whether a file assigns to a name, and nothing but calls of what lies in `home` (`torch.optim.`)."""
    values = bound_to(source, name)
    made = [
        isinstance(value, ast.Call) and full_name(source, value.func).startswith(home) for value in values
    ]
    return bool(made) and all(made)


def is_optimizer(source: Source, name: str) -> bool:
    """Whether the file itself makes an optimizer of torch under this name, and nothing else."""
    made = is_made_by(source, name, "torch.optim.")
    return made and not is_made_by(source, name, "torch.optim.lr_scheduler.")


def statement_call(statement: ast.stmt, *names: str) -> ast.Call | None:
    """The call `x.name(...)` that a statement consists of, its result thrown away; None of others."""
    return method_call(statement, *names) if isinstance(statement, ast.Expr) else None


def is_managed(source: Source) -> bool:
    """Whether a file imports a library that steps, clears or moves for it: most rules stand down there."""
    tops = {full.lstrip(".").partition(".")[0] for full in imported(source).values()}
    return not tops.isdisjoint(_MANAGERS)


_MANAGERS = (
    "accelerate",
    "lightning",
    "pytorch_lightning",
    "lightning_fabric",
    "deepspeed",
    "ignite",
    "transformers",
)


def called_from_the_top(source: Source) -> set[str]:
    """The names of functions that run when the file does."""
    named = {function.name: function for function in source.every(ast.FunctionDef)}
    found: set[str] = set()
    waiting: list[ast.AST] = [
        s for s in source.tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef)
    ]
    while waiting:
        for call in ast.walk(waiting.pop()):
            name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
            if name in named and name not in found:
                found.add(name)
                waiting.append(named[name])
    return found
