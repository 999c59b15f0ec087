"""Mistakes in datasets and loaders."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.mutants import (
    Mutant,
    mutant,
    plants,
    replaced,
    rewritten,
    with_keyword,
    without_keyword,
)
from tests.recall.syntax import (
    bound_to,
    called_from_the_top,
    calls,
    calls_of,
    full_name,
    functions,
    is_managed,
    loops,
    receiver,
    written,
)


def _loaders(source: Source) -> Iterator[tuple[ast.Call, dict[str, ast.expr]]]:
    """The calls of torch's own DataLoader that write out all their arguments, with those given by name."""
    made = calls_of(source, source.tree, "torch.utils.data.DataLoader")
    for call in made:
        is_written_out = not any(isinstance(argument, ast.Starred) for argument in call.args)
        if is_written_out and all(keyword.arg for keyword in call.keywords) and len(call.args) <= 2:
            yield call, {str(keyword.arg): keyword.value for keyword in call.keywords}


@plants("conflicting-loader-options", "sampler")
def shuffled_beside_a_sampler(source: Source) -> Iterator[Mutant]:
    """`shuffle=True` beside a sampler that the file makes, and `drop_last=True` beside a batch sampler."""
    for call, given in _loaders(source):
        sampler, batches = given.get("sampler"), given.get("batch_sampler")
        if sampler is not None and "batch_sampler" not in given and _is_made(source, sampler):
            yield from mutant(source, call.lineno, [with_keyword(source, call, "shuffle", "True")])
        if batches is not None and "sampler" not in given and _is_made(source, batches):
            yield from mutant(source, call.lineno, [with_keyword(source, call, "drop_last", "True")])


def _is_made(source: Source, sampler: ast.expr) -> bool:
    """Whether a sampler is surely not None: a call of a class, or a name that is bound to nothing else."""
    values = [sampler] if isinstance(sampler, ast.Call) else bound_to(source, written(sampler))
    names = [
        written(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else "" for value in values
    ]
    return bool(names) and all(name.endswith("Sampler") for name in names)


@plants("workers-option-without-workers", "DataLoader")
def kept_workers_that_are_none(source: Source) -> Iterator[Mutant]:
    """`persistent_workers=True` for a loader that has no workers."""
    for call, given in _loaders(source):
        workers = given.get("num_workers")
        if workers is None or (isinstance(workers, ast.Constant) and workers.value == 0):
            yield from mutant(source, call.lineno, [with_keyword(source, call, "persistent_workers", "True")])


@plants("workers-option-without-workers", "persistent_workers", "prefetch_factor")
def forgotten_workers(source: Source) -> Iterator[Mutant]:
    """`num_workers` is gone from beside `persistent_workers=True` or a `prefetch_factor`."""
    for call, given in _loaders(source):
        is_told = [
            isinstance(value := given.get(name), ast.Constant) and bool(value.value)
            for name in ("persistent_workers", "prefetch_factor")
        ]
        if "num_workers" in given and any(is_told):
            yield from mutant(source, call.lineno, [without_keyword(source, call, "num_workers")])


@plants("shuffled-iterable-dataset", "IterableDataset")
def shuffled_stream(source: Source) -> Iterator[Mutant]:
    """`shuffle=True` for a loader over a class of the file that derives from IterableDataset."""
    for call, given in _streams(source):
        if not {"sampler", "batch_sampler"} & given.keys():
            yield from mutant(source, call.lineno, [with_keyword(source, call, "shuffle", "True")])


def _streams(source: Source) -> Iterator[tuple[ast.Call, dict[str, ast.expr]]]:
    """The loaders over a dataset of the file's own that derives from IterableDataset."""
    homes = ("torch.utils.data.IterableDataset", "torch.utils.data.dataset.IterableDataset")
    own = {
        cls.name
        for cls in source.every(ast.ClassDef)
        if any(full_name(source, base) in homes for base in cls.bases)
    }
    for call, given in _loaders(source):
        dataset = [*call.args, *([given["dataset"]] if "dataset" in given else [])][:1]
        values = bound_to(source, written(dataset[0])) if dataset else []
        values = [dataset[0]] if dataset and isinstance(dataset[0], ast.Call) else values
        if values and all(isinstance(v, ast.Call) and written(v.func) in own for v in values):
            yield call, given


@plants("fractions-not-one", "random_split")
def fractions_of_less(source: Source) -> Iterator[Mutant]:
    """`random_split(dataset, [0.8, 0.1])` in the place of lengths that sum up."""
    for call in calls_of(source, source.tree, "torch.utils.data.random_split"):
        parts = call.args[1:2] or [keyword.value for keyword in call.keywords if keyword.arg == "lengths"]
        if parts and isinstance(parts[0], ast.List | ast.Tuple) and len(parts[0].elts) in (2, 3):
            fractions = [0.8, 0.1] if len(parts[0].elts) == 2 else [0.7, 0.1, 0.1]
            given = ast.parse(str(fractions), mode="eval").body
            keywords = [keyword for keyword in call.keywords if keyword.arg != "lengths"]
            yield from mutant(source, call.lineno, [rewritten(source, call, [call.args[0], given], keywords)])


def _loops_over(source: Source, function: ast.AST, loader: ast.Call) -> Iterator[ast.For]:
    """The loops of a function over a loader, perhaps counted, that the file keeps under one name."""
    for loop in loops(function):
        over = loop.iter if isinstance(loop, ast.For) else None
        if isinstance(over, ast.Call) and written(over.func) == "enumerate" and over.args:
            over = over.args[0]
        if isinstance(loop, ast.For) and over is not None and bound_to(source, written(over)) == [loader]:
            yield loop


@plants("workers-without-main-guard", "__main__")
def nothing_guards(source: Source) -> Iterator[Mutant]:
    """`if True:` for the main guard, where what runs from there loops over a loader with workers."""
    guards = [s for s in source.tree.body if isinstance(s, ast.If) and "__name__" in written(s.test)]
    called = called_from_the_top(source)
    parts = [f for f in functions(source) if isinstance(f, ast.FunctionDef) and f.name in called]
    for loader, given in _loaders(source) if len(guards) == 1 else ():
        workers = given.get("num_workers")
        has_workers = (
            isinstance(workers, ast.Constant) and isinstance(workers.value, int) and workers.value > 0
        )
        if has_workers and any(True for part in (*guards, *parts) for _ in _loops_over(source, part, loader)):
            yield from mutant(source, guards[0].lineno, [replaced(source, guards[0].test, "True")])
            return


def _moves(loop: ast.For) -> list[ast.Call]:
    """What moves a batch of a loop: `x.to(...)`, `x.cuda(...)` of what it runs over."""
    names = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    return [call for call in calls(loop, "to", "cuda") if receiver(call) in names]


@plants("unpinned-batches", "pin_memory=True")
def not_pinned(source: Source) -> Iterator[Mutant]:
    """`pin_memory=True` is gone, of a loader with workers whose batches a loop of the file moves.

    The number of workers is written out: where an option says it, there may be none.
    """
    for loader, given in _loaders(source):
        pinned, workers = given.get("pin_memory"), given.get("num_workers")
        is_pinned = isinstance(pinned, ast.Constant) and pinned.value is True and "collate_fn" not in given
        if is_pinned and isinstance(workers, ast.Constant) and workers.value:
            looped = [loop for f in functions(source) for loop in _loops_over(source, f, loader)]
            if any(_moves(loop) for loop in looped):
                yield from mutant(source, loader.lineno, [without_keyword(source, loader, "pin_memory")])


@plants("blocking-transfer", "non_blocking=True")
def waited_for(source: Source) -> Iterator[Mutant]:
    """All `non_blocking=True` are gone where a loop moves the batches of a loader with pinned memory."""
    for loader, given in _loaders(source):
        if "pin_memory" not in given or written(given["pin_memory"]) != "True":
            continue
        for function in functions(source):
            for loop in _loops_over(source, function, loader):
                moves = [c for c in _moves(loop) if any(k.arg == "non_blocking" for k in c.keywords)]
                if moves:
                    edits = [without_keyword(source, call, "non_blocking") for call in moves]
                    yield from mutant(source, loop.lineno, edits)


@plants("loader-without-workers", "num_workers")
def read_in_the_loop(source: Source) -> Iterator[Mutant]:
    """`num_workers` is gone, of a loader over a dataset of torchvision that reads a file for each item."""
    for loader, given in _loaders(source):
        dataset = [*loader.args, *([given["dataset"]] if "dataset" in given else [])][:1]
        made = bound_to(source, written(dataset[0])) if dataset else []
        names = {full_name(source, one.func) if isinstance(one, ast.Call) else "" for one in made}
        others = {"persistent_workers", "prefetch_factor"} & given.keys()
        if names and names <= _OF_FILES and "num_workers" in given and not others:
            yield from mutant(source, loader.lineno, [without_keyword(source, loader, "num_workers")])


_OF_FILES = {f"torchvision.datasets.{name}" for name in ("ImageFolder", "CocoDetection", "ImageNet")}


@plants("unshuffled-training", "shuffle=True")
def always_in_the_same_order(source: Source) -> Iterator[Mutant]:
    """`shuffle=True` is gone, of a loader that a loop in the loop over epochs trains with.

    A sampler that is given as the dataset draws by itself.
    """
    for loader, given in _loaders(source) if not is_managed(source) else ():
        dataset = [*loader.args, *([given["dataset"]] if "dataset" in given else [])][:1]
        if dataset and any("Sampler" in written(made) for made in bound_to(source, written(dataset[0]))):
            continue
        if "shuffle" not in given or written(given["shuffle"]) != "True":
            continue
        for function in functions(source):
            inner = [loop for outer in loops(function) for loop in _loops_over(source, outer, loader)]
            if any(calls(loop, "backward") and calls(loop, "step") for loop in inner):
                yield from mutant(source, loader.lineno, [without_keyword(source, loader, "shuffle")])
                break
