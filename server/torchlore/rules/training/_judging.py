"""Whether what a model gives is judged: compared with something, or given to a loss."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import options
from torchlore.analysis.values import Container, Tensor, Value

_PICKS = frozenset({"argmax", "max", "topk", "eq"})
"""Functions and methods that pick the answer of an output, or compare it."""


def is_judged(analysis: Analysis, within: ast.AST, forward: Event) -> bool:
    """Whether what came out of `forward`, or what is made of it, is judged somewhere in `within`.

    It is where its largest item is looked for, where it is compared, and where a loss is computed of it.
    """
    return _Judge(analysis, forward.value).judges(within)


class _Judge:
    """Follows values through the expressions of a block, in the order in which they are evaluated."""

    def __init__(self, analysis: Analysis, output: Value | None) -> None:
        self._analysis = analysis
        self._values: list[Value] = []
        self._nodes: set[ast.AST] = set()
        for option in options(output) if output is not None else ():
            self._values += [option, *(option.items or ())] if isinstance(option, Container) else [option]

    def judges(self, node: ast.AST) -> bool:
        if any(self.judges(child) for child in parts_in_order(node)):
            return True
        match node:
            case ast.Compare(left=left, comparators=rights) if self._is_known(left, *rights):
                return True
            case ast.Call(func=func, args=args, keywords=keywords):
                owner = [func.value] if isinstance(func, ast.Attribute) else []
                if self._is_known(*owner, *args, *(keyword.value for keyword in keywords)):
                    if self._is_verdict(node):
                        return True
                    self._follow(node)
            case ast.Attribute(value=owner) | ast.Subscript(value=owner) if self._is_known(owner):
                self._follow(node)
            case ast.BinOp(left=left, right=right) if self._is_known(left, right):
                self._follow(node)
            case ast.Assign(value=value, targets=[target]) if self._is_known(value):
                self._follow(target)
        return False

    def _is_known(self, *nodes: ast.expr) -> bool:
        return any(
            node in self._nodes or any(self._analysis.value(node) is value for value in self._values)
            for node in nodes
        )

    def _follow(self, node: ast.expr) -> None:
        self._nodes.add(node)
        value = self._analysis.value(node)
        if isinstance(value, Tensor | Container):
            self._values.append(value)

    def _is_verdict(self, node: ast.Call) -> bool:
        call = self._analysis.call_at(node)
        if call is None:
            return False
        home, _, name = call.name.rpartition(".")
        if home in ("torch", "Tensor"):
            return name in _PICKS
        is_loss = home == "torch.nn.functional" and (name.endswith("_loss") or "cross_entropy" in name)
        return is_loss or (call.receiver is not None and kind_of(call.receiver) == "Loss")


def parts_in_order(node: ast.AST) -> list[ast.AST]:
    """The parts of a node in the order in which they are evaluated: of an assignment, the value first."""
    match node:
        case ast.Assign(value=value, targets=targets):
            return [value, *targets]
        case ast.For(iter=iterated, target=target, body=body, orelse=orelse):
            return [iterated, target, *body, *orelse]
        case ast.comprehension(iter=iterated, target=target, ifs=ifs):
            return [iterated, target, *ifs]
        case (
            ast.ListComp(elt=element, generators=generators)
            | ast.GeneratorExp(elt=element, generators=generators)
        ):
            return [*generators, element]
        case _:
            return list(ast.iter_child_nodes(node))
