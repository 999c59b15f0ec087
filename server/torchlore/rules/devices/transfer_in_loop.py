"""TL630: the same tensor is moved to a device in every iteration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis, tensor_facts
from torchlore.analysis.called import Called
from torchlore.analysis.queries import options
from torchlore.analysis.values import Tensor
from torchlore.rules import support
from torchlore.rules.devices._moves import MOVES, device_of, moved
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source
from torchlore.text.nodes import nodes_in

_Loop = ast.For | ast.While
_MOVED = re.compile(r"\.(?:to|cuda)\(")
_LAST_NAME = re.compile(r"(\w+)\Z")
_ON_HOST = frozenset(f"torch.{name}" for name in (*tensor_facts.FACTORIES, "from_numpy"))
"""What makes a tensor in the host's memory, where no device is asked for."""


class TransferInLoop(Rule):
    """
    ## What it does

    Looks for tensors that a loop moves to a device in every iteration, although they are always the same.

    ## Why is this bad?

    A tensor stays where it is when a copy of it is made: the next iteration copies it over the bus again.

    ## Example

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weights = torch.tensor([0.2, 0.8])
    for outputs in torch.randn(100, 8, 2).to(device):
        print((outputs * weights.to(device)).sum())
    ```

    ## Use instead

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weights = torch.tensor([0.2, 0.8])
    weights = weights.to(device)
    for outputs in torch.randn(100, 8, 2).to(device):
        print((outputs * weights).sum())
    ```

    ## Fix safety

    Not safe: from the loop on the name stands for the tensor on the device.

    ## Known limits

    Speaks only of tensors that a factory of torch surely made in the memory of the host, and that the loop
    neither binds nor changes. Silent where the tensor is moved on some iterations only.

    ## References

    - [torch.Tensor.to](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html)
    - [Performance tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html)
    """

    code = "TL630"
    name = "transfer-in-loop"
    family = Family.DEVICES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "gpu-underused"
    trigger = r"\b(?:to|cuda)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        ends = (source.text[max(0, end.start() - 40) : end.start()] for end in _MOVED.finditer(source.text))
        names = {match[1] for match in map(_LAST_NAME.search, ends) if match is not None}
        return any(f"{name} = " in source.text for name in names)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*MOVES[:2]):
            tensor = moved(call)
            if not isinstance(tensor, ast.Name) or not _is_on_host(analysis, tensor):
                continue
            loop = _loop(analysis, call, tensor)
            if loop is not None and device_of(analysis, call) not in ("", '"cpu"'):
                yield self._report(analysis, call, tensor, loop)

    def _report(self, analysis: Analysis, call: Called, tensor: ast.Name, loop: _Loop) -> Finding:
        source, name = analysis.source, tensor.id
        message = (
            f"`{name}` is moved in every iteration of the loop on line {loop.lineno}, and always the same"
        )
        code = support.written(analysis, call.node)
        before = support.insert_before(analysis, loop, f"{name} = {code}")
        edit = Edit(source.span(call.node), name)
        title = f"Move `{name}` once, before the loop"
        fixes = (Fix(title, (before, edit), safe=False),) if before is not None else ()
        return self.finding(message, source.span(call.node), fixes=fixes)


def _is_on_host(analysis: Analysis, tensor: ast.Name) -> bool:
    found = options(analysis.value(tensor))
    return all(
        isinstance(option, Tensor) and option.made_by in _ON_HOST and option.device in ("", "cpu")
        for option in found
    )


def _loop(analysis: Analysis, call: Called, tensor: ast.Name) -> _Loop | None:
    """The innermost loop around, where each of its iterations moves the tensor and none changes it."""
    for outer in reversed(analysis.around(call.node) or ()):
        if isinstance(outer, ast.For | ast.While):
            names = {node.id for node in nodes_in(call.node) if isinstance(node, ast.Name)}
            is_inside = call.node not in nodes_in(outer.iter if isinstance(outer, ast.For) else outer.test)
            return outer if is_inside and not any(_changes(node, names) for node in nodes_in(outer)) else None
        if not isinstance(outer, ast.expr | ast.keyword | ast.With | ast.withitem | ast.stmt):
            return None
        if isinstance(outer, ast.If | ast.IfExp | ast.BoolOp | ast.Try | ast.Lambda | ast.FunctionDef):
            return None
        if isinstance(outer, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            return None
    return None


def _changes(node: ast.AST, names: set[str]) -> bool:
    """Whether something binds one of these names, or changes what it stands for."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return name in names
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name in names
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name in names
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method.endswith("_"):
            return name in names
        case ast.keyword(arg="out", value=ast.Name(id=name)):
            return name in names
        case _:
            return False
