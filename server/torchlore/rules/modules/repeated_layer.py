"""TL312: `[layer] * n` holds one layer n times."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.queries import options
from torchlore.analysis.values import Const, Instance, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import has_parameters
from torchlore.text import Edit, Source
from torchlore.text.nodes import nodes_in


class RepeatedLayer(Rule):
    """
    ## What it does

    Looks for `[nn.Linear(4, 4)] * n`, whose list, given to a container or kept, is of layers with parameters.

    ## Why is this bad?

    Python makes the layer once and repeats the reference: all places of the list share one set of weights.
    The model has a fraction of the parameters it seems to have, and what was meant to be deep is one layer
    applied again and again. Nothing is reported.

    ## Example

    ```py
    import torch.nn as nn

    layers = nn.ModuleList([nn.Linear(4, 4)] * 6)
    ```

    ## Use instead

    ```py
    import torch.nn as nn

    layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(6)])
    ```

    ## Fix safety

    Not safe: weights that are shared on purpose would no longer be.

    ## Known limits

    Speaks only where the layer is made inside of the list. `[layer] * n` with a layer that has a name is how
    weights are shared on purpose; so is a comment nearby that says so (`shared`, `tied`).

    ## References

    - [torch.nn.ModuleList](https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html)
    """

    code = "TL312"
    name = "repeated-layer"
    family = Family.MODULES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "module-containers"
    trigger = r"\b(?:ModuleList|Sequential)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(sign in source.text for sign in ("] *", "]*", "* [")) or _is_multiplied(source.text)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for repeated, layers in _repeated(analysis):
            times = repeated.right if repeated.left is layers else repeated.left
            if _is_once(analysis, times) or not analysis.is_whole(repeated):
                continue
            if not _is_said_to_be_shared(analysis, repeated):
                yield self._found(analysis, repeated, layers, times)

    def _found(self, analysis: Analysis, repeated: ast.BinOp, layers: ast.List, times: ast.expr) -> Finding:
        trained = next(layer for layer in layers.elts if _is_trained(analysis, layer))
        name = support.written(analysis, trained)
        shown = name if len(name) <= 40 else f"{name[:39]}…"
        message = (
            f"`{shown}` is made once and repeated: "
            f"all `{support.written(analysis, times)}` places hold the same layer, with the same weights"
        )
        fix = _fix(analysis, repeated, layers, times)
        return self.finding(message, analysis.source.span(repeated), fixes=(fix,))


def _is_multiplied(text: str) -> bool:
    """Whether something is multiplied by a list without a blank between: `3*[…]`, which is not `(*[…])`."""
    at = text.find("*[")
    while at >= 0 and not (at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_)")):
        at = text.find("*[", at + 1)
    return at >= 0


def _repeated(analysis: Analysis) -> Iterator[tuple[ast.BinOp, ast.List]]:
    """The products with a list in which layers are made, some with parameters, and nothing else."""
    for node in _products(analysis.source):
        for layers in (node.left, node.right):
            made = layers.elts if isinstance(layers, ast.List) else []
            is_of_calls = all(isinstance(part, ast.Call) for part in made)
            if isinstance(layers, ast.List) and is_of_calls and any(_is_trained(analysis, p) for p in made):
                yield node, layers


def _products(source: Source) -> Iterator[ast.BinOp]:
    """What is multiplied where the text may multiply a list: most statements need not be looked into."""
    lines = {source.position(match.start())[0] + 1 for match in _TIMES.finditer(source.text)}
    for kind in (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr):
        for statement in source.every(kind):
            first, last = statement.lineno, statement.end_lineno or statement.lineno
            if any(first <= line <= last for line in lines):
                for node in nodes_in(statement):
                    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
                        yield node


_TIMES = re.compile(r"\]\s*\*|\*\s*\[")


def _is_trained(analysis: Analysis, made: ast.expr) -> bool:
    """Whether a layer surely has parameters, whoever makes it, that are trained at least on some paths."""
    return all(has_parameters(one) or _is_frozen_sometimes(one) for one in options(analysis.value(made)))


def _is_frozen_sometimes(layer: Value) -> bool:
    """Whether a layer of torch has parameters that are frozen on some paths only."""
    if not isinstance(layer, Instance) or layer.frozen is not None or not isinstance(layer.cls, str):
        return False
    return torch_facts.has_parameters(layer.cls)


def _is_once(analysis: Analysis, times: ast.expr) -> bool:
    value = analysis.value(times)
    return isinstance(value, Const) and value.value in (0, 1)


def _is_said_to_be_shared(analysis: Analysis, node: ast.expr) -> bool:
    """Whether a comment on the lines of the statement, or just above, says that weights are shared."""
    statement = support.statement_of(analysis, node) or node
    comments, lines = analysis.source.comments, analysis.source.lines
    first = support.line(statement) - 1
    while first > 0 and (not lines.text(first - 1).strip() or first - 1 in comments):
        first -= 1
        if lines.text(first).partition("#")[0].strip():  # it stands behind other code
            break
    own = range(first, statement.end_lineno or support.line(statement))
    return any(_SHARED.search(comments[number][1]) for number in own if number in comments)


_SHARED = re.compile(r"\b(?:shar|tie|tying|same|reus|recurr)", re.I)


def _fix(analysis: Analysis, repeated: ast.BinOp, layers: ast.List, times: ast.expr) -> Fix:
    count = support.written(analysis, times)
    if len(layers.elts) == 1:
        text = f"[{_segment(analysis, layers.elts[0])} for _ in range({count})]"
    else:
        inner = ", ".join(_segment(analysis, layer) for layer in layers.elts)
        text = f"[layer for _ in range({count}) for layer in ({inner})]"
    return Fix("Make a layer for each place", (Edit(analysis.source.span(repeated), text),), safe=False)


def _segment(analysis: Analysis, node: ast.expr) -> str:
    return analysis.source.segment(analysis.source.span(node))
