"""What the source of a function says of its own deprecation: a warning or an error that its body raises."""

from __future__ import annotations

import ast
import re

from . import prose

# `typing_extensions.deprecated` on these is about an older spelling of the same function: its message
# recommends the very name that carries it.
_MENTIONS_ITSELF = re.compile(r"[Uu]se `?(\w+)`? instead")
_REMOVED = re.compile(r"This (?:function|method|class) was deprecated .*now removed")


def note_in(tree: ast.AST, name: str) -> str | None:
    """Torch's advice where a body complains that the function called `name` is deprecated, else None."""
    says_so = re.compile(rf"(?<!\w){re.escape(name)}\W{{0,4}} (?:is|was|has been) (?:now )?deprecated")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _complains(node):
            message = literal(node.args[0]) if node.args else ""
            is_about_argument = message.startswith(("Passing ", "Setting "))
            if _REMOVED.search(message) or (says_so.search(message) and not is_about_argument):
                return prose.shorten(prose.to_markdown(message))
    return None


def recommends(message: str, name: str) -> bool:
    """Whether a deprecation message tells to use the very name that carries it."""
    return any(found == name for found in _MENTIONS_ITSELF.findall(message))


def literal(node: ast.expr) -> str:
    """The text of a string expression; what is computed inside it becomes nothing."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return literal(node.left) + literal(node.right)
    return ""


def _complains(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    return called in ("warnings.warn", "warn", "RuntimeError", "NotImplementedError")
