"""Whether what a model gives is judged: compared with something, or given to a loss."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.members import kind_of

_PICKS = frozenset({"argmax", "max", "topk", "eq"})
"""Functions and methods that pick the answer of an output, or compare it."""


def is_judged(analysis: Analysis, within: ast.AST, forward: ast.Call) -> bool:
    """Whether what comes out of a call, or what is made of it, is judged in the same scope, in `within`.

    It is where its largest item is looked for, where it is compared, and where a loss is computed of it.
    """
    judge = _Judge(analysis, forward)
    return any(map(judge.judges, parts_in_order(within)))


class _Judge:
    """Follows what a call gives through a block, in the order in which it is evaluated."""

    def __init__(self, analysis: Analysis, forward: ast.Call) -> None:
        self._analysis = analysis
        self._made_of_it: set[ast.AST] = {forward}
        self._names: set[str] = set()

    def judges(self, node: ast.AST) -> bool:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            return False
        if any(map(self.judges, parts_in_order(node))):
            return True
        match node:
            case ast.Compare(left=left, comparators=rights):
                return self._is_known(left, *rights)
            case ast.Call(func=func, args=args, keywords=keywords):
                owner = [func.value] if isinstance(func, ast.Attribute) else []
                if self._is_known(*owner, *args, *(keyword.value for keyword in keywords)):
                    self._made_of_it.add(node)
                    return self._is_verdict(node)
            case ast.Attribute(value=owner) | ast.Subscript(value=owner) if self._is_known(owner):
                self._made_of_it.add(node)
            case ast.BinOp(left=left, right=right) if self._is_known(left, right):
                self._made_of_it.add(node)
            case ast.Assign(value=ast.Tuple(elts=values), targets=[ast.Tuple(elts=targets)]):
                are_known = [self._is_known(value) for value in values]
                for target, is_known in zip(targets, are_known, strict=False):
                    self._bind(target, is_known)
            case ast.Assign(value=value, targets=targets):
                for target in targets:
                    self._bind(target, self._is_known(value))
        return False

    def _is_known(self, *nodes: ast.expr) -> bool:
        return any(
            node in self._made_of_it or (isinstance(node, ast.Name) and node.id in self._names)
            for node in nodes
        )

    def _bind(self, target: ast.expr, is_known: bool) -> None:
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                (self._names.add if is_known else self._names.discard)(part.id)

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
