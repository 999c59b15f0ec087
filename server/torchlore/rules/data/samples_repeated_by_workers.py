"""TL505: every worker yields the whole of an `IterableDataset`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis, members
from torchlore.analysis.called import Called
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.values import Container, Function, Instance, LocalClass, Ref, Tensor
from torchlore.rules import imports, support
from torchlore.rules.data import _loaders
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit
from torchlore.text.nodes import nodes_in


class SamplesRepeatedByWorkers(Rule):
    """
    ## What it does

    Looks for a `DataLoader` with workers over an `IterableDataset` whose `__iter__` goes through a list, a
    range or a file without asking which worker it runs in.

    ## Why is this bad?

    Every worker has a copy of the dataset and iterates over all of it. With four workers each sample comes
    four times in every epoch: training takes four times as long for one epoch, and a validation counts
    everything fourfold. Nothing is reported.

    ## Example

    ```py
    from torch.utils.data import DataLoader, IterableDataset


    class Lines(IterableDataset):
        def __iter__(self):
            with open("lines.txt") as file:
                for line in file:
                    yield line.strip()


    loader = DataLoader(Lines(), batch_size=4, num_workers=4)
    ```

    ## Use instead

    ```py
    import itertools

    from torch.utils.data import DataLoader, IterableDataset, get_worker_info


    class Lines(IterableDataset):
        def __iter__(self):
            worker = get_worker_info()
            first, step = (worker.id, worker.num_workers) if worker else (0, 1)
            with open("lines.txt") as file:
                for line in itertools.islice(file, first, None, step):
                    yield line.strip()


    loader = DataLoader(Lines(), batch_size=4, num_workers=4)
    ```

    ## Fix safety

    Unsafe: it changes how many samples an epoch has. Each worker still reads what it skips; where that is
    slow, give each worker its own files.

    ## Known limits

    Silent where a `worker_init_fn` is given, where the class speaks of workers, shards, ranks or chance, and
    where what it iterates over is not known: a queue or a generator may share itself out.

    ## References

    - [torch.utils.data.IterableDataset](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset)
    - [torch.utils.data, Multi-process data loading](https://docs.pytorch.org/docs/stable/data.html#multi-process-data-loading)
    """

    code = "TL505"
    name = "samples-repeated-by-workers"
    family = Family.DATA
    severity = Severity.WARNING
    since = "0.1.0"
    card = "dataloader-workers"
    trigger = r"\bnum_workers\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(_loaders.LOADER):
            number = _loaders.literal(call, "num_workers")
            written = _loaders.written(call, "num_workers")
            if not isinstance(number, int) or number < 2 or written is None or not _is_alone(call):
                continue
            repeated = _repeated(analysis, call)
            if repeated is not None and _loaders.should_work(analysis, call):
                yield self._finding(analysis, call, repeated, number, written)

    def _finding(
        self, analysis: Analysis, call: Called, repeated: _Repeated, number: int, written: ast.expr
    ) -> Finding:
        dataset = _loaders.written(call, "dataset")
        name = support.written(analysis, dataset) if dataset is not None else "the dataset"
        message = (
            f"Each of the {number} workers yields all of `{name}`, so that every sample comes {number} times:"
            f" `{repeated.cls.node.name}.__iter__` never asks which worker it runs in"
        )
        related: tuple[Related, ...] = ()
        if analysis.owns(repeated.source):
            related = (Related(analysis.source.span(repeated.source), "every worker goes through all of it"),)
        fix = _fix(analysis, repeated)
        alone = Fix(
            "Load in the process that trains: `num_workers=0`",
            (Edit(analysis.source.span(written), "0"),),
            safe=False,
        )
        fixes = (alone,) if fix is None else (fix, alone)
        return self.finding(message, analysis.source.span(written), fixes=fixes, related=related)


@dataclass(frozen=True, slots=True)
class _Repeated:
    """An `__iter__` that does the same in every worker, and what it goes through."""

    cls: LocalClass
    method: ast.FunctionDef
    source: ast.expr


def _is_alone(call: Called) -> bool:
    """Whether nobody tells the workers what is theirs."""
    none = _loaders.literal(call, "worker_init_fn") is None
    return none or _loaders.is_left_out(call, "worker_init_fn")


def _repeated(analysis: Analysis, call: Called) -> _Repeated | None:
    """What every worker surely repeats; None where the dataset may share itself out."""
    dataset = _loaders.value(call, "dataset")
    if dataset is None or not _loaders.is_iterable_dataset(dataset):
        return None
    found = [_of_class(analysis, one) for one in options(dataset)]
    return found[0] if found and all(found) else None


def _of_class(analysis: Analysis, dataset: object) -> _Repeated | None:
    if not isinstance(dataset, Instance) or not isinstance(dataset.cls, LocalClass):
        return None
    method = members.lookup(dataset.cls, "__iter__")
    if not isinstance(method, Function) or not isinstance(method.node, ast.FunctionDef) or method.decorators:
        return None
    for part in members.mro(dataset.cls):
        source = analysis.source_of(part.node)
        if _SHARING.search(source.segment(source.span(part.node))) or not analysis.is_whole(part.node):
            return None
    gone_through = _source(method.node)
    if gone_through is None or not _is_fixed(analysis, method.node, gone_through):
        return None
    return _Repeated(dataset.cls, method.node, gone_through)


_SHARING = re.compile(
    r"worker|shard|rank|world|rand|shuffle|choice|permut|queue|socket|lock|islice|partition|\bnext\b|seed",
    re.I,
)
"""Words of a class that may give each worker something else: silence, where one of them is there."""


def _source(method: ast.FunctionDef) -> ast.expr | None:
    """What all that `__iter__` yields comes from; None where that is more than one thing."""
    found: list[ast.expr] = []
    for statement in method.body:
        found += _sources(statement)
    return found[0] if len(found) == 1 else None


def _sources(statement: ast.stmt) -> Iterator[ast.expr]:
    """The iterables that a statement gives on: of loops in one another the outer one."""
    match statement:
        case ast.For(iter=iterated):
            yield iterated
        case ast.With(body=body):
            for inner in body:
                yield from _sources(inner)
        case ast.Expr(value=ast.YieldFrom(value=iterated)):
            yield iterated
        case ast.Return(value=ast.Call(func=ast.Name(id="iter"), args=[iterated])):
            yield iterated
        case ast.Expr(value=ast.Constant()) | ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            return
        case _:
            yield from (ast.Constant(None), ast.Constant(None))  # anything: more than one thing


def _is_fixed(analysis: Analysis, method: ast.FunctionDef, node: ast.expr, depth: int = 5) -> bool:
    """Whether every worker finds the same things in it: a list, a range, a file, or something over them."""
    if not depth:
        return False
    match node:
        case ast.Name(id=name):
            made = _made(method, name)
            return made is not None and _is_fixed(analysis, method, made, depth - 1)
        case ast.Call(func=func, args=args):
            called = analysis.value(func)
            if not isinstance(called, Ref):
                return False
            if called.name in ("builtins.range", "builtins.open"):
                return True
            over = args[1:] if called.name in ("builtins.map", "builtins.filter") else args
            return called.name in _OVER and any(_is_fixed(analysis, method, one, depth - 1) for one in over)
        case ast.Attribute():
            value = analysis.value(node)
            return isinstance(value, Container) or (isinstance(value, Tensor) and value.certain)
        case _:
            return False


_OVER = words(
    """
    builtins.enumerate builtins.filter builtins.iter builtins.list builtins.map builtins.reversed
    builtins.sorted builtins.tuple builtins.zip csv.DictReader csv.reader
    """
)
"""What gives something for each of the things that it is given."""


def _made(method: ast.FunctionDef, name: str) -> ast.expr | None:
    """What a variable of `__iter__` is bound to, where only one statement binds it."""
    found: list[ast.expr | None] = []
    for node in nodes_in(method):
        match node:
            case ast.withitem(context_expr=context, optional_vars=ast.Name(id=bound)) if bound == name:
                found.append(context)
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                found.append(value)
            case ast.Name(id=bound, ctx=ast.Store()) if bound == name:
                found.append(None)
    known = [value for value in found if value is not None]
    return known[0] if len(known) == 1 and len(found) == 2 else None


_NAMES = frozenset({"worker", "first", "step", "itertools", "get_worker_info"})


def _fix(analysis: Analysis, repeated: _Repeated) -> Fix | None:
    """Gives each worker every n-th sample."""
    method, gone_through = repeated.method, repeated.source
    used = {node.id for node in nodes_in(method) if isinstance(node, ast.Name)}
    if not analysis.owns(method) or used & _NAMES:
        return None
    body = method.body[1:] if ast.get_docstring(method) is not None else method.body
    above = support.insert_before(analysis, body[0], "worker = get_worker_info()", _PART)
    imported = imports.missing(analysis, "import itertools", "from torch.utils.data import get_worker_info")
    if above is None or imported is None:
        return None
    part = support.wrapped(analysis, gone_through, "itertools.islice(", ", first, None, step)")
    return Fix("Give each worker its own samples", (*imported, above, *part), safe=False)


_PART = "first, step = (worker.id, worker.num_workers) if worker else (0, 1)"
