"""Whether a statement is there to be tried, or measured, and not for what it does."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis


def is_tried(analysis: Analysis, statement: ast.stmt) -> bool:
    """Whether an error is expected: in the body of `try`, in `with pytest.raises(...)` and their kin."""
    outer = analysis.around(statement) or ()
    if outer and isinstance(outer[-1], ast.Try) and statement in outer[-1].body and outer[-1].handlers:
        return True
    return any(_expects_errors(item) for node in outer if isinstance(node, ast.With) for item in node.items)


def _expects_errors(item: ast.withitem) -> bool:
    match item.context_expr:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name.startswith(("raises", "warns", "assertRaises", "assertWarns", "suppress", "profile"))
        case _:
            return False
