"""Whether what a model gives is judged: compared with something, or given to a loss or a metric."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from torchlore.analysis import Analysis
from torchlore.analysis.members import kind_of
from torchlore.analysis.values import BoundMethod, Function, Ref, Unknown, Value
from torchlore.text.nodes import nodes_in

_PICKS = frozenset({"argmax", "max", "topk", "eq"})
"""Functions and methods that pick the answer of an output, or compare it."""

_METRICS = ("ogb.", "sklearn.metrics.", "torcheval.metrics.", "torchmetrics.")
"""Where there is nothing but what scores predictions, and the data to score them on."""

_GATHER = frozenset({"add", "append", "extend"})

_DEEPEST = 3
"""Functions are looked into so deep."""


def is_judged(analysis: Analysis, within: ast.AST, forward: ast.Call) -> bool:
    """Whether what comes out of a call, or what is made of it, is judged in the same scope, in `within`.

    It is where its largest item is looked for, where it is compared, and where a loss or a metric is computed
    of it; in a function of the file, too, that it is given to.
    """
    judge = _Judge(analysis, {forward}, frozenset(), frozenset({"pick", "loss", "metric"}))
    return any(map(judge.judges, parts_in_order(within)))


def is_scored(analysis: Analysis, within: ast.AST, forward: ast.Call) -> bool:
    """Whether a metric is computed, in `within`, of what comes out of a call: of all batches, at the end.

    A loss does not count: what was computed before may be what a model is trained towards.
    """
    judge = _Judge(analysis, {forward}, frozenset(), frozenset({"metric"}))
    return any(map(judge.judges, parts_in_order(within)))


class _Judge:
    """Follows what a call gives through a block, in the order in which it is evaluated.

    Args:
        analysis: of the file.
        made_of_it: the call.
        names: what is bound to something made of it.
        verdicts: what counts: "pick" (its largest item, or a comparison), "loss", "metric".
        depth: how many functions the block is in.
    """

    def __init__(
        self,
        analysis: Analysis,
        made_of_it: set[ast.AST],
        names: Iterable[str],
        verdicts: frozenset[str],
        depth: int = 0,
    ) -> None:
        self._analysis = analysis
        self._made_of_it = made_of_it
        self._names = set(names)
        self._verdicts = verdicts
        self._depth = depth

    def judges(self, node: ast.AST) -> bool:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            return False
        if any(map(self.judges, parts_in_order(node))):
            return True
        match node:
            case ast.Compare(left=left, comparators=rights):
                return "pick" in self._verdicts and self._is_known(left, *rights)
            case ast.Call():
                return self._judges_call(node)
            case ast.Attribute(value=owner) | ast.Subscript(value=owner) | ast.Starred(value=owner):
                self._hand_on(node, owner)
            case ast.BinOp(left=left, right=right):
                self._hand_on(node, left, right)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Dict(values=parts):
                self._hand_on(node, *parts)
            case ast.AugAssign(target=changed, value=value) if self._is_known(value):
                self._bind(changed, is_known=True)
            case ast.Assign(value=ast.Tuple(elts=values), targets=[ast.Tuple(elts=targets)]):
                are_known = [self._is_known(value) for value in values]
                for target, is_known in zip(targets, are_known, strict=False):
                    self._bind(target, is_known)
            case ast.Assign(value=value, targets=targets):
                for target in targets:
                    self._bind(target, self._is_known(value))
        return False

    def _judges_call(self, node: ast.Call) -> bool:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(node.func, ast.Attribute) and node.func.attr in _GATHER and self._is_known(*given):
            self._bind(node.func.value, is_known=True)
        if not self._is_known(*given, *([] if owner is None else [owner])):
            return False
        self._made_of_it.add(node)
        return self._is_verdict(node)

    def _hand_on(self, node: ast.AST, *parts: ast.expr) -> None:
        if self._is_known(*parts):
            self._made_of_it.add(node)

    def _is_known(self, *nodes: ast.expr) -> bool:
        return any(
            node in self._made_of_it or (isinstance(node, ast.Name) and node.id in self._names)
            for node in nodes
        )

    def _bind(self, target: ast.expr, is_known: bool) -> None:
        for part in nodes_in(target):
            if isinstance(part, ast.Name) and (isinstance(part.ctx, ast.Store) or part is target):
                (self._names.add if is_known else self._names.discard)(part.id)

    def _is_verdict(self, node: ast.Call) -> bool:
        called = self._analysis.value(node.func)
        if isinstance(called, Function) and self._analysis.owns(called.node):
            return self._is_judged_in(called.node, node)
        return _verdict(self._analysis, node, called) in self._verdicts

    def _is_judged_in(self, code: ast.AST, call: ast.Call) -> bool:
        """Whether a function judges what it is given of it."""
        if not isinstance(code, ast.FunctionDef) or self._depth == _DEEPEST:
            return False
        parameters = [argument.arg for argument in code.args.posonlyargs + code.args.args]
        named = [*zip(parameters, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
        known = {name for name, value in named if name is not None and self._is_known(value)}
        inner = _Judge(self._analysis, set(), known, self._verdicts, self._depth + 1)
        return bool(known) and any(map(inner.judges, code.body))


def _verdict(analysis: Analysis, node: ast.Call, called: Value) -> str:
    """What a call says of what it is given: "pick", "loss" or "metric"; "" where it is none of these."""
    match called:
        case Ref(name=name) | BoundMethod(receiver=Unknown(made_by=name)) if name.startswith(_METRICS):
            return "metric"
    call = analysis.call_at(node)
    if call is None:
        return ""
    home, _, name = call.name.rpartition(".")
    kind = kind_of(call.receiver) if call.receiver is not None else ""
    if home in ("torch", "Tensor"):
        return "pick" if name in _PICKS else ""
    if home == "torch.nn.functional":
        return "loss" if name.endswith("_loss") or "cross_entropy" in name else ""
    return kind.lower() if kind in ("Loss", "Metric") else ""


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
