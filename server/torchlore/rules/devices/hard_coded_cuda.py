"""TL609: a program asks for CUDA without asking whether there is any."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source

_MOVED = ("Tensor.cuda", "Module.cuda", "Tensor.to", "Module.to", "torch.device")
_ASKS = re.compile(
    r"\b(?:is_available|is_built|device_count|current_accelerator|set_device|Stream|CUDAGraph|nccl|triton|cupy"
    r"|pytest\.mark|TestCase|bitsandbytes)\b"
)
"""Words of a file that asks, or that is about nothing but CUDA."""


class HardCodedCuda(Rule):
    """
    ## What it does

    Looks for files that move models and tensors to `"cuda"` and never ask whether there is such a device.
    The first such place is reported.

    ## Why is this bad?

    On a machine without an NVIDIA or AMD GPU the program stops with `Torch not compiled with CUDA enabled` or
    `Found no NVIDIA driver`, a Mac's and an Intel GPU are left alone, and tests on a CPU cannot run it.

    ## Example

    ```py
    import torch

    device = torch.device("cuda")
    model = torch.nn.Linear(4, 1).to(device)
    ```

    ## Use instead

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = torch.nn.Linear(4, 1).to(device)
    ```

    ## Fix safety

    Not safe: on a machine without a GPU the program now runs, and takes its time. Offered where there is one
    place only; the others are better given one device by the name.

    ## Known limits

    Silent where one of the places stands under a condition, in methods that are called `cuda` themselves, of
    devices that something is only compared with, and in files that mention `is_available`,
    `device_count`, streams, CUDA graphs, NCCL or Triton, and in tests.

    ## References

    - [torch.cuda.is_available](https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_available.html)
    - [torch.accelerator](https://docs.pytorch.org/docs/stable/accelerator.html)
    """

    code = "TL609"
    name = "hard-coded-cuda"
    family = Family.DEVICES
    severity = Severity.HINT
    since = "0.1.0"
    card = "accelerator-api"
    trigger = r"\bcuda\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return (".cuda(" in text or '"cuda' in text or "'cuda" in text) and _ASKS.search(text) is None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source):  # rules may be asked about files that they do not concern
            return
        if analysis.source.parsed.blanked or analysis.rests_on_broken:  # what is typed may be what asks
            return
        places = [place for call in analysis.called(*_MOVED) for place in _places(analysis, call)]
        if places and not any(_is_chosen(analysis, place) for place in places):
            yield self._report(analysis, places)

    def _report(self, analysis: Analysis, places: list[ast.expr]) -> Finding:
        message = (
            f"`{support.written(analysis, places[0])}` is asked for here, "
            "but nothing in this file asks whether there is such a device"
        )
        fix = _fix(analysis, places[0]) if len(places) == 1 else None
        return self.finding(message, analysis.source.span(places[0]), fixes=() if fix is None else (fix,))


def _places(analysis: Analysis, call: Called) -> Iterator[ast.expr]:
    """What a call names CUDA by: its literal, or the method `cuda`."""
    argument = call.argument(0, "type" if call.name == "torch.device" else "device")
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        if argument.value.partition(":")[0] == "cuda" and not _is_only_compared(analysis, call.node):
            yield argument
    elif call.name.endswith(".cuda") and argument is None and not _hands_on(analysis, call.node):
        yield call.node.func


def _is_only_compared(analysis: Analysis, device: ast.Call) -> bool:
    """Whether it is `torch.device("cuda").type`, a word, or one side of a comparison."""
    outer = support.parent(analysis, device)
    return isinstance(outer, ast.Compare) or (isinstance(outer, ast.Attribute) and outer.attr == "type")


def _hands_on(analysis: Analysis, call: ast.Call) -> bool:
    """Whether it stands in a method `cuda` itself: who calls that asks for the device."""
    around = analysis.around(call) or ()
    return any(isinstance(outer, ast.FunctionDef) and outer.name == "cuda" for outer in around)


def _is_chosen(analysis: Analysis, place: ast.expr) -> bool:
    """Whether something decides about the device: an option, the name of one."""
    return any(
        isinstance(outer, ast.If | ast.IfExp | ast.Try | ast.Match) and not _is_main_guard(outer)
        for outer in analysis.around(place) or ()
    )


def _is_main_guard(node: ast.AST) -> bool:
    """`if __name__ == "__main__":`, which asks about nothing else."""
    match node:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case _:
            return False


def _fix(analysis: Analysis, place: ast.expr) -> Fix | None:
    if not isinstance(place, ast.Constant):
        return None
    frame = analysis.run.frames[analysis.run.module]
    if getattr(frame.names.get("torch"), "name", "") != "torch":
        return None
    literal = analysis.source.segment(analysis.source.span(place))
    code = f'{literal} if torch.cuda.is_available() else "cpu"'
    return Fix("Take the CPU where there is no GPU", (Edit(analysis.source.span(place), code),), safe=False)
