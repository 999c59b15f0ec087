"""Where somebody expects that something fails: a finding there would tell them what they know."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis


def expects_an_error(analysis: Analysis, node: ast.AST) -> bool:
    """Whether somebody expects that what happens at `node` may fail: a test, a `try`."""
    inner: ast.AST = node
    for outer in reversed(analysis.around(node) or ()):
        if isinstance(outer, ast.With) and any(map(_is_about_errors, outer.items)):
            return True
        if isinstance(outer, ast.Try) and outer.handlers and inner in outer.body:
            return True
        inner = outer
    return False


def _is_about_errors(item: ast.withitem) -> bool:
    """`pytest.raises(…)`, `self.assertRaisesRegex(…)`, `contextlib.suppress(…)`."""
    call = item.context_expr
    if not isinstance(call, ast.Call):
        return False
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in ("raises", "suppress") or name.startswith("assertRaises")
