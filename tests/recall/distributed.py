"""Mistakes with several processes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.layers import makes_module
from tests.recall.mutants import (
    Mutant,
    emptied,
    mutant,
    plants,
    replaced,
    with_keyword,
    without_keyword,
)
from tests.recall.syntax import (
    bound_to,
    calls,
    calls_of,
    full_name,
    is_made_by,
    is_managed,
    own_statements,
    receiver,
    statement_call,
    written,
)

_WRAPPERS = ("DistributedDataParallel", "DataParallel")


@plants("missing-set-epoch", "set_epoch(")
def same_order_every_epoch(source: Source) -> Iterator[Mutant]:
    """All `sampler.set_epoch(epoch)` of a file that makes the sampler itself are gone."""
    if is_managed(source):
        return
    told = [s for s in source.every(ast.Expr) if statement_call(s, "set_epoch")]
    whose = {receiver(call) for s in told if (call := statement_call(s, "set_epoch"))}
    if (
        told
        and len(calls(source.tree, "set_epoch")) == len(told)
        and all(_draws(source, name) for name in whose)
    ):
        yield from mutant(source, told[0].lineno, [emptied(source, statement) for statement in told])


def _draws(source: Source, name: str) -> bool:
    """Whether the file makes a DistributedSampler of torch under this name, and nothing else."""
    return is_made_by(source, name, "torch.utils.data.") and all(
        "DistributedSampler" in written(value) for value in bound_to(source, name)
    )


@plants("attribute-through-wrapper", ".module.")
def read_from_the_wrapper(source: Source) -> Iterator[Mutant]:
    """`model.module.encoder` without the `module`, of a model that the file wraps."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute) or node.attr in _OF_EVERY_MODULE:
            continue
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "module" and _is_wrapped(source, inner.value):
            yield from mutant(source, node.lineno, [replaced(source, inner, written(inner.value))])


def _is_wrapped(source: Source, node: ast.expr) -> bool:
    """Whether what the file gives a name last is a wrapper, under no condition."""
    last = bound_to(source, written(node))[-1:]
    homes = [full_name(source, value.func) for value in last if isinstance(value, ast.Call)]
    is_wrapper = bool(homes) and homes[0].startswith("torch.") and homes[0].rpartition(".")[2] in _WRAPPERS
    return is_wrapper and not any(
        statement in own_statements(guard)
        for statement in source.every(ast.Assign)
        if statement.value is last[0]
        for guard in source.every(ast.If)
    )


_OF_EVERY_MODULE = frozenset(
    [
        "parameters",
        "named_parameters",
        "buffers",
        "named_buffers",
        "children",
        "named_children",
        "modules",
        "named_modules",
        "state_dict",
        "load_state_dict",
        "train",
        "eval",
        "training",
        "to",
        "cuda",
        "cpu",
        "float",
        "half",
        "double",
        "bfloat16",
        "type",
        "apply",
        "zero_grad",
        "requires_grad_",
        "forward",
        "register_buffer",
        "register_parameter",
        "share_memory",
        "extra_repr",
        "add_module",
        "register_forward_hook",
        "device",
        "dim",
        "module",
        "device_ids",
        "output_device",
    ]
)


@plants("unwaited-work", "all_reduce", "broadcast", "all_gather", "reduce_scatter")
def not_waited_for(source: Source) -> Iterator[Mutant]:
    """A collective whose result nobody looks at, with `async_op=True`."""
    names = ("all_reduce", "broadcast", "all_gather", "reduce_scatter", "all_gather_into_tensor", "reduce")
    for call in calls_of(source, source.tree, *(f"torch.distributed.{name}" for name in names)):
        is_alone = any(statement.value is call for statement in source.every(ast.Expr))
        if is_alone and not any(keyword.arg in (None, "async_op") for keyword in call.keywords):
            yield from mutant(source, call.lineno, [with_keyword(source, call, "async_op", "True")])


@plants("unwaited-work", ".wait()")
def handle_without_wait(source: Source) -> Iterator[Mutant]:
    """`work.wait()` is gone, the only use of what `isend`, or a collective with `async_op=True`, gave."""
    for statement in source.every(ast.Expr):
        call = statement_call(statement, "wait")
        name = receiver(call) if call else ""
        made = bound_to(source, name)
        starts = [
            isinstance(value, ast.Call)
            and full_name(source, value.func).startswith("torch.distributed.")
            and ("async_op" in written(value) or written(value.func).endswith(("isend", "irecv")))
            for value in made
        ]
        uses = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and n.id == name]
        if starts and all(starts) and len(uses) == len(made) + 1:
            yield from mutant(source, made[0].lineno, [emptied(source, statement)])


@plants("saved-by-every-rank", "torch.save")
def saved_by_all(source: Source) -> Iterator[Mutant]:
    """`torch.save` of a wrapped model stands under `if True:` in the place of `if rank == 0:`."""
    if is_managed(source) or not any(word in source.text for word in _WRAPPERS):
        return
    for guard in source.every(ast.If):
        is_rank = isinstance(guard.test, ast.Compare) and "rank" in written(guard.test.left).lower()
        saves = [call for s in guard.body for call in calls_of(source, s, "torch.save")]
        of_model = [call for call in saves if call.args and "state_dict" in written(call.args[0])]
        if is_rank and of_model and not guard.orelse and "DistributedDataParallel" in source.text:
            yield from mutant(source, guard.lineno, [replaced(source, guard.test, "True")])


@plants("missing-distributed-sampler", "DistributedDataParallel")
def same_data_for_everyone(source: Source) -> Iterator[Mutant]:
    """The loader that a model in DistributedDataParallel is trained with has no sampler any more.

    Where all loops over the loader compute no gradients it is one for evaluation.
    """
    if is_managed(source):
        return
    for call in calls_of(source, source.tree, "torch.utils.data.DataLoader"):
        given = [keyword for keyword in call.keywords if keyword.arg == "sampler"]
        name = written(given[0].value) if given else ""
        if _evaluates_only(source, call):
            continue
        if given and is_made_by(source, name, "torch.utils.data.") and "DistributedSampler" in source.text:
            told = [
                s
                for s in source.every(ast.Expr)
                if (c := statement_call(s, "set_epoch")) and receiver(c) == name
            ]
            edits = [without_keyword(source, call, "sampler"), *(emptied(source, s) for s in told)]
            yield from mutant(source, call.lineno, edits)


def _evaluates_only(source: Source, loader: ast.Call) -> bool:
    """Whether the file loops over what it keeps a loader in, and computes no gradients there."""
    names = {written(s.targets[0]) for s in source.every(ast.Assign) if s.value is loader}
    over = [
        loop
        for loop in source.every(ast.For)
        if any(
            written(node) in names
            for node in ast.walk(loop.iter)
            if isinstance(node, ast.Name | ast.Attribute)
        )
    ]
    return bool(over) and not any(calls(loop, "backward") for loop in over)


@plants("process-group-not-destroyed", "destroy_process_group")
def never_destroyed(source: Source) -> Iterator[Mutant]:
    """All `destroy_process_group()` of a file that initializes NCCL are gone."""
    name = "torch.distributed.destroy_process_group"
    made = calls_of(source, source.tree, "torch.distributed.init_process_group")
    told = [s for s in source.every(ast.Expr) if s.value in calls_of(source, s, name)]
    is_nccl = [call for call in made if "'nccl'" in written(call)]
    if told and is_nccl and not is_managed(source):
        yield from mutant(source, is_nccl[0].lineno, [emptied(source, statement) for statement in told])


@plants("data-parallel", "optim")
def spread_by_threads(source: Source) -> Iterator[Mutant]:
    """`model = torch.nn.DataParallel(model)` below the line that makes the model that an optimizer trains."""
    if "Parallel" in source.text or is_managed(source) or not calls(source.tree, "backward"):
        return
    if full_name(source, ast.parse("torch.x", mode="eval").body) != "torch.x":
        return
    for statement in source.every(ast.Assign):
        name = written(statement.targets[0])
        is_alone = bound_to(source, name) == [statement.value] and name.isidentifier()
        trained = [
            c for c in calls(source.tree, "parameters") if receiver(c) == name and "optim" in source.text
        ]
        if is_alone and trained and makes_module(source, statement.value):
            text = f"{written(statement)}\n{' ' * statement.col_offset}{name} = torch.nn.DataParallel({name})"
            yield from mutant(source, statement.lineno, [replaced(source, statement, text)])
