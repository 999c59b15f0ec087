"""TL705: every process of a DDP training writes the same checkpoint."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance, Value
from torchlore.rules import bindings, indentation, spellings, support
from torchlore.rules.distributed import _frameworks, _ranks
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text.nodes import nodes_in


class SavedByEveryRank(Rule):
    """
    ## What it does

    Looks for `torch.save` of the state of a model in `DistributedDataParallel` that all ranks run, with the
    same path.

    ## Why is this bad?

    All replicas are alike, so that one copy is enough. Several processes that write one file at the same
    time overwrite each other's bytes: sooner or later a checkpoint cannot be read, and it is noticed when it
    is needed.

    ## Example

    ```py
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel


    def main():
        dist.init_process_group()
        model = DistributedDataParallel(torch.nn.Linear(4, 1))
        torch.save(model.module.state_dict(), "model.pt")


    main()
    ```

    ## Use instead

    ```py
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel


    def main():
        dist.init_process_group()
        model = DistributedDataParallel(torch.nn.Linear(4, 1))
        if dist.get_rank() == 0:
            torch.save(model.module.state_dict(), "model.pt")


    main()
    ```

    ## Fix safety

    Unsafe: the others no longer write. Where each machine needs a file of its own, ask for the local rank;
    where another rank reads the file next, a barrier has to stand in between.

    ## Known limits

    Speaks only where the file shows the whole way from its top level, or from `spawn`, to the call, and
    nothing on it speaks of ranks, processes or devices. Silent for sharded models, of which each rank saves a
    part, and where a library manages the training.

    ## References

    - [Getting Started with Distributed Data Parallel, Save and Load Checkpoints](https://docs.pytorch.org/tutorials/intermediate/ddp_tutorial.html#save-and-load-checkpoints)
    """

    code = "TL705"
    name = "saved-by-every-rank"
    family = Family.DISTRIBUTED
    severity = Severity.WARNING
    since = "0.1.0"
    card = "ddp"
    trigger = r"\bDistributedDataParallel\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        saves = list(analysis.called("torch.save"))
        wrapping = list(analysis.called("torch.nn.parallel.DistributedDataParallel")) if saves else []
        models = {model for call in wrapping for model in _options(call.value(0, "module"))}
        if not models or not analysis.is_whole(analysis.source.tree):
            return
        if _frameworks.manages_training(analysis.source) or _SHARDED.search(analysis.source.text):
            return
        for call in saves:
            saved, path = call.argument(0, "obj"), call.argument(1, "f")
            if saved is None or path is None or not _holds_state(analysis, saved, models):
                continue
            if _ranks.may_tell_ranks(analysis, path) or not _ranks.every_rank_passes(analysis, call.node):
                continue
            yield self._finding(analysis, call, path, wrapping)

    def _finding(self, analysis: Analysis, call: Called, path: ast.expr, wrapping: list[Called]) -> Finding:
        message = (
            f"Every rank runs `{support.written(analysis, call.node.func)}` and writes the same "
            f"`{support.written(analysis, path)}` at the same time: the model is wrapped in DDP "
            f"{support.on_line(analysis, wrapping[0].node)}, and nothing here asks for the rank"
        )
        related = support.related(analysis, wrapping[0].node, "one process for each rank")
        fix = _fix(analysis, call.node, wrapping)
        span = analysis.source.span(call.node.func)
        return self.finding(message, span, fixes=(fix,) if fix is not None else (), related=related)


_SHARDED = re.compile(r"fsdp|FullySharded|fully_shard|DTensor|DeviceMesh|xla|torch\.distributed\.checkpoint")


def _options(value: Value | None) -> tuple[Value, ...]:
    return tuple(one for one in options(value) if isinstance(one, Instance)) if value is not None else ()


def _holds_state(analysis: Analysis, saved: ast.expr, models: set[Value], depth: int = 3) -> bool:
    """Whether what is saved is, or holds, the state of one of `models`, or the model itself."""
    if not depth:
        return False
    for node in nodes_in(saved):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            state = node.func.attr == "state_dict"
            if state and any(one in models for one in options(analysis.value(node.func.value))):
                return True
    bound = bindings.last_value(analysis, saved)
    return bound is not None and _holds_state(analysis, bound, models, depth - 1)


def _fix(analysis: Analysis, call: ast.Call, wrapping: list[Called]) -> Fix | None:
    """Lets the first rank alone save."""
    statement = support.statement_of(analysis, call)
    rank = spellings.spelled(analysis, call, "torch.distributed.get_rank")
    initialized = spellings.spelled(analysis, call, "torch.distributed.is_initialized")
    sometimes = any(_is_conditional(analysis, one.node) for one in wrapping)
    if not isinstance(statement, ast.Expr) or rank is None or (sometimes and initialized is None):
        return None
    test = f"not {initialized}() or {rank}() == 0" if sometimes else f"{rank}() == 0"
    edits = indentation.under_header(analysis, [statement], f"if {test}:")
    return Fix("Save on the first rank alone", tuple(edits), safe=False) if edits is not None else None


def _is_conditional(analysis: Analysis, node: ast.AST) -> bool:
    return any(isinstance(outer, ast.If | ast.IfExp) for outer in analysis.around(node) or ())
