"""Signatures of builtins from the `.pyi` files that torch ships: for those that no docstring describes."""

from __future__ import annotations

import ast
from pathlib import Path

# Which stub describes which public namespace: (file, class inside it or None, prefix of the names).
_SOURCES = (
    ("_C/_VariableFunctions.pyi", None, "torch."),
    ("_C/__init__.pyi", None, "torch."),
    ("_C/__init__.pyi", "TensorBase", "torch.Tensor."),
    ("_C/_nn.pyi", None, "torch.nn.functional."),
    ("_C/__init__.pyi", "device", "torch.device."),
    ("_C/__init__.pyi", "Generator", "torch.Generator."),
    ("_C/__init__.pyi", "Size", "torch.Size."),
    ("_C/_distributed_c10d.pyi", None, "torch.distributed."),
)


def stub_signatures(root: Path) -> dict[str, str]:
    """Signature by dotted name, the first overload of each; nothing where a file is missing or unreadable."""
    found: dict[str, str] = {}
    trees: dict[str, ast.Module] = {}
    for file, class_name, prefix in _SOURCES:
        if file not in trees:
            trees[file] = _parse(root / file)
        body = _body(trees[file], class_name)
        for node in body:
            if isinstance(node, ast.FunctionDef):
                found.setdefault(prefix + node.name, signature(node))
            elif isinstance(node, ast.ClassDef) and class_name is None:
                for member in node.body:
                    if isinstance(member, ast.FunctionDef):
                        found.setdefault(f"{prefix}{node.name}.{member.name}", signature(member))
    return found


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def _body(tree: ast.Module, class_name: str | None) -> list[ast.stmt]:
    if class_name is None:
        return tree.body
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            return node.body
    return []


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The signature of a definition as text, with parentheses, without `self`."""
    arguments = node.args
    if arguments.posonlyargs or arguments.args:
        first = (arguments.posonlyargs or arguments.args)[0]
        if first.arg in ("self", "cls"):
            (arguments.posonlyargs or arguments.args).pop(0)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(arguments)}){returns}"
