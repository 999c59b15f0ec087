"""TL511: the workers of a loader use the GPU."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis, members
from torchlore.analysis.called import Called
from torchlore.analysis.queries import options
from torchlore.analysis.values import Function, Instance, LocalClass, Ref, Value
from torchlore.rules import support
from torchlore.rules.data import _loaders, _starting, _transfers
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit, Source


class CudaInWorkers(Rule):
    """
    ## What it does

    Looks for `__getitem__` of a dataset, or a `collate_fn`, that puts tensors on a GPU although the loader
    has workers.

    ## Why is this bad?

    Workers are forked. CUDA cannot be used in a process that was forked after CUDA was, by a model that is on
    the GPU already for example: the first batch raises a `RuntimeError`. Where it can be used, each worker
    takes some hundred megabytes of the GPU for itself, and the batches are sent back through handles that
    have to be kept alive. Workers are for the CPU: pin the batches, and move them where they are used.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, Dataset


    class Rows(Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, index):
            return torch.full((4,), float(index)).cuda()


    def loader():
        return DataLoader(Rows(), batch_size=16, num_workers=4)
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import DataLoader, Dataset


    class Rows(Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, index):
            return torch.full((4,), float(index))


    def loader():
        return DataLoader(Rows(), batch_size=16, num_workers=4, pin_memory=True)
    ```

    ## Fix safety

    Unsafe: it gives the workers up, and all is loaded in the process that trains. To keep them, take the
    moves out of the dataset, and move each batch in the loop instead.

    ## Known limits

    Looks at `__getitem__` and the `collate_fn` themselves, not at what they call, and not at branches in
    them. Silent where the program says how processes are started.

    ## References

    - [torch.utils.data, Multi-process data loading](https://docs.pytorch.org/docs/stable/data.html#multi-process-data-loading)
    - [Multiprocessing best practices, CUDA in multiprocessing](https://docs.pytorch.org/docs/stable/notes/multiprocessing.html#cuda-in-multiprocessing)
    """

    code = "TL511"
    name = "cuda-in-workers"
    family = Family.DATA
    severity = Severity.WARNING
    since = "0.1.0"
    card = "dataloader-hangs"
    trigger = r"\bnum_workers\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "cuda" in text and any(word in text for word in ("__getitem__", "__iter__", "collate_fn"))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        loaders = [call for call in analysis.called(_loaders.LOADER) if _forks(call)]
        if not loaders or any(analysis.called(*_starting.SETTERS)):
            return
        told: set[ast.AST] = set()
        for call in loaders:
            found = next(_on_gpu(analysis, call), None)
            if found is not None and found.node not in told and _loaders.should_work(analysis, call):
                told.add(found.node)
                yield self._finding(analysis, call, found)

    def _finding(self, analysis: Analysis, call: Called, found: _Use) -> Finding:
        number = _loaders.literal(call, "num_workers")
        workers = "the worker" if number == 1 else f"the {number} workers"
        message = (
            f"`{support.written(analysis, found.node)}` in `{found.function}` runs in {workers} of the "
            f"loader {support.on_line(analysis, call.node)}: CUDA cannot be used in a process that is forked "
            "after CUDA was, and each that can takes memory of the GPU for itself"
        )
        written = _loaders.written(call, "num_workers")
        related: tuple[Related, ...] = ()
        fixes: tuple[Fix, ...] = ()
        if written is not None and analysis.owns(written):
            related = support.related(analysis, written, "the workers")
            edit = Edit(analysis.source.span(written), "0")
            fixes = (Fix("Load in the process that trains: `num_workers=0`", (edit,), safe=False),)
        shown = found.node if analysis.owns(found.node) else call.node.func
        return self.finding(message, analysis.source.span(shown), fixes=fixes, related=related)


@dataclass(frozen=True, slots=True)
class _Use:
    """A call that puts something on a GPU, and the function of the workers that it stands in."""

    node: ast.Call
    function: str


def _forks(call: Called) -> bool:
    number = _loaders.literal(call, "num_workers")
    default = _loaders.is_left_out(call, "multiprocessing_context")
    return isinstance(number, int) and number > 0 and default


def _on_gpu(analysis: Analysis, call: Called) -> Iterator[_Use]:
    """What the workers of a loader put on a GPU, whichever dataset and function they are given."""
    dataset, collate = _loaders.value(call, "dataset"), _loaders.value(call, "collate_fn")
    for found in (_items(dataset), _functions(collate)):
        for name, function in found:
            for node in _run_in(function):
                if _puts_on_gpu(analysis, node):
                    yield _Use(node, name)


def _items(dataset: Value | None) -> list[tuple[str, Function]]:
    """The methods that make the items; none where it may be something that is not known."""
    found = []
    for one in options(dataset) if dataset is not None else ():
        inner = _loaders.whole(one) if isinstance(one, Instance) else None
        if not isinstance(inner, Instance) or not isinstance(inner.cls, LocalClass):
            return []
        name = "__iter__" if _loaders.is_iterable_dataset(inner) else "__getitem__"
        method = members.lookup(inner.cls, name)
        if not isinstance(method, Function):
            return []
        found.append((f"{inner.cls.node.name}.{name}", method))
    return found


def _functions(collate: Value | None) -> list[tuple[str, Function]]:
    """The functions that make the batches; none where it may be something that is not known."""
    parts = options(collate) if collate is not None else ()
    found = [part for part in parts if isinstance(part, Function)]
    if len(found) < len(parts):
        return []
    return [(getattr(one.node, "name", "collate_fn"), one) for one in found]


def _run_in(function: Function) -> Iterator[ast.Call]:
    """The calls that run whenever a function does: none that stands in a branch."""
    body = function.node.body
    waiting: list[ast.AST] = [body] if isinstance(body, ast.expr) else list(body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, _SOMETIMES):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


_SOMETIMES = (ast.If, ast.IfExp, ast.Try, ast.FunctionDef, ast.Lambda, ast.BoolOp)


def _puts_on_gpu(analysis: Analysis, call: ast.Call) -> bool:
    """Whether a call surely asks for a GPU, if there is one: `x.cuda()`, `x.to(device)`, `device="cuda"`."""
    match call:
        case ast.Call(func=ast.Attribute(attr="cuda"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Attribute(attr="to"), args=[device, *_]):
            return _is_gpu(analysis, device)
    callee = analysis.value(call.func)
    if not isinstance(callee, Ref) or not callee.name.startswith("torch."):
        return False
    return any(given.arg == "device" and _is_gpu(analysis, given.value) for given in call.keywords)


def _is_gpu(analysis: Analysis, device: ast.expr) -> bool:
    return any(map(_transfers.is_gpu, options(analysis.value(device))))
