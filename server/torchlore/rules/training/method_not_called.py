"""TL105: a method is named on a line of its own, and never called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.members import class_name
from torchlore.analysis.values import Function, Instance
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._uncalled import Uncalled, are_in, uncalled
from torchlore.text import Edit, Source, Span


class MethodNotCalled(Rule):
    """
    ## What it does

    Looks for statements that name a method or function of torch without calling it: `optimizer.zero_grad`.

    ## Why is this bad?

    Without the parentheses the line is a valid expression whose value nobody uses: nothing runs.
    No gradient is cleared, no parameter updated, no mode changed, and nothing is reported.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Safe: a line without any effect cannot have been right. Where the method needs an argument (a closure for
    LBFGS, the metric of ReduceLROnPlateau) there is no fix.

    ## Known limits

    Only methods that change something and can be called as they stand are known, and only of objects that are
    surely of torch. Silent in a `try` that catches AttributeError: there the line asks whether the method
    exists.

    ## References

    - [torch.optim.Optimizer.zero_grad](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html)
    - [torch.nn.Module.eval](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval)
    """

    code = "TL105"
    name = "method-not-called"
    family = Family.TRAINING
    severity = Severity.ERROR
    since = "0.1.0"
    card = "loss-not-decreasing"
    trigger = r"\btorch\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return are_in(source) and _ENDS_SO.search(source.text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in uncalled(analysis) if self.concerns(analysis.source) else ():
            missing = _MISSING.get(found.name)
            if missing is None and found.name.startswith("Tensor.") and found.node.attr in _IN_PLACE:
                missing = "the tensor stays as it is"
            if missing is not None:
                yield self._report(analysis, found, missing)

    def _report(self, analysis: Analysis, found: Uncalled, missing: str) -> Finding:
        span = analysis.source.span(found.node)
        written = " ".join(analysis.source.segment(span).split())
        message = f"`{written}` is named but not called, so that {missing}"
        fixes: tuple[Fix, ...] = ()
        if not _needs_arguments(analysis, found):
            edit = Edit(Span(span.end, span.end), "()")
            fixes = (Fix(f"Call `{written}()`", (edit,), safe=True),)
        return self.finding(message, span, fixes=fixes)


def _needs_arguments(analysis: Analysis, found: Uncalled) -> bool:
    """Whether a call without arguments raises."""
    method = analysis.value(found.node)
    if isinstance(method, Function) and isinstance(method.node, ast.FunctionDef):
        args = method.node.args
        required = len(args.posonlyargs) + len(args.args) - 1 - len(args.defaults)
        return required > 0 or any(default is None for default in args.kw_defaults)
    if not isinstance(found.receiver, Instance):
        return found.name in ("Optimizer.step", "Scheduler.step")
    return class_name(found.receiver) in _NEED_ARGUMENTS and found.node.attr == "step"


_NEED_ARGUMENTS = ("torch.optim.LBFGS", "torch.optim.lr_scheduler.ReduceLROnPlateau")

_MISSING = {
    "Optimizer.zero_grad": "no gradient is cleared",
    "Optimizer.step": "no parameter is updated",
    "Scheduler.step": "the learning rate stays as it is",
    "GradScaler.update": "the scale stays as it is",
    "Tensor.backward": "no gradient is computed",
    "Module.zero_grad": "no gradient is cleared",
    "Module.train": "the mode stays as it is",
    "Module.eval": "the mode stays as it is",
    "Module.requires_grad_": "nothing is frozen or unfrozen",
    **{
        f"Module.{name}": "the module stays as it is"
        for name in ("cuda", "cpu", "half", "float", "double", "bfloat16", "share_memory", "compile")
    },
    **{
        f"torch.{name}": "nothing runs"
        for name in (
            *(
                "cuda.synchronize",
                "cuda.empty_cache",
                "cuda.reset_peak_memory_stats",
                "accelerator.synchronize",
            ),
            *("mps.synchronize", "mps.empty_cache", "xpu.synchronize", "xpu.empty_cache"),
            *("distributed.barrier", "distributed.destroy_process_group"),
        )
    },
}
"""What does not happen, by what is not called."""

_IN_PLACE = frozenset(
    {"detach_", "requires_grad_", "zero_", "retain_grad", "abs_", "neg_", "exp_", "log_", "sqrt_", "relu_"}
    | {"sigmoid_", "tanh_", "round_", "floor_", "ceil_", "normal_", "uniform_", "squeeze_", "t_"}
)
"""Methods of a tensor that change it and need no argument."""

_NAMES = {name.rpartition(".")[2] for name in _MISSING} | _IN_PLACE
_ENDS_SO = re.compile(rf"\.(?:{'|'.join(sorted(_NAMES))})[ \t]*(?:[#;\r\n]|\Z)")
"""A line that ends with one of them: to look at all statements of a file takes longer."""
