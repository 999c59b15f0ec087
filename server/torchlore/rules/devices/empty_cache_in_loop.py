"""TL605: the cache of the allocator is emptied in every iteration."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Kind
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit

_CALLS = tuple(f"torch.{backend}.empty_cache" for backend in ("cuda", "xpu", "mps", "accelerator"))
_WORK = (Kind.BACKWARD, Kind.STEP, Kind.FORWARD)


class EmptyCacheInLoop(Rule):
    """
    ## What it does

    Looks for `torch.cuda.empty_cache()` in every iteration of a loop that runs a model.

    ## Why is this bad?

    Torch keeps the memory that tensors no longer need, and the next iteration takes it from there.
    Emptying the cache gives it back to the driver, which waits for the device to do so, only to ask for it
    again; no tensor of this program gets more memory by it.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1).cuda()
    for x in torch.randn(100, 8, 4).cuda():
        print(model(x).mean())
        torch.cuda.empty_cache()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1).cuda()
    for x in torch.randn(100, 8, 4).cuda():
        print(model(x).mean())
    ```

    ## Fix safety

    Not safe: another program on the same device may count on that memory.

    ## Known limits

    Silent where the call stands under a condition, after an out-of-memory error, or in a loop around the one
    that runs the model, as once in an epoch.

    ## References

    - [torch.cuda.memory.empty_cache](https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.empty_cache.html)
    - [CUDA semantics: memory management](https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-memory-management)
    """

    code = "TL605"
    name = "empty-cache-in-loop"
    family = Family.DEVICES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "cuda-memory"
    trigger = r"\bempty_cache\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_CALLS):
            loop = _loop(analysis, call)
            if loop is not None and _works(analysis, loop):
                yield self._report(analysis, call, loop)

    def _report(self, analysis: Analysis, call: Called, loop: ast.For | ast.While) -> Finding:
        name = support.written(analysis, call.node)
        message = (
            f"`{name}` in every iteration of the loop on line {loop.lineno} gives back the memory that the "
            "next one asks for again"
        )
        statement = support.statement_of(analysis, call.node)
        lines = support.own_lines(analysis, statement) if statement is not None else None
        fixes = (Fix(f"Remove `{name}`", (Edit(lines, ""),), safe=False),) if lines is not None else ()
        return self.finding(message, analysis.source.span(call.node), fixes=fixes)


def _loop(analysis: Analysis, call: Called) -> ast.For | ast.While | None:
    """The loop in whose every iteration a call stands as a statement."""
    match (*(analysis.around(call.node) or ()),)[-2:]:
        case [ast.For() | ast.While() as loop, ast.Expr() as statement] if statement in loop.body:
            return loop
        case _:
            return None


def _works(analysis: Analysis, loop: ast.For | ast.While) -> bool:
    """Whether a model runs in a loop itself, and not only in one inside it."""
    found = (place for root in analysis.roots for kind in _WORK for place in root.places_of(kind))
    inside = (place for place in found if place.loops and place.loops[-1].node is loop)
    return any(support.is_seen_whole(analysis, place) for place in inside)
