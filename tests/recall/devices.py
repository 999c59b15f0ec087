"""Mistakes with devices, mixed precision and what waits for a device."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source

from tests.recall.binding import held, made, scopes
from tests.recall.mutants import (
    Mutant,
    emptied,
    inserted,
    mutant,
    plants,
    replaced,
    with_keyword,
    without_keyword,
)
from tests.recall.syntax import (
    blocks_below,
    bound_to,
    calls,
    calls_of,
    full_name,
    functions,
    is_made_by,
    is_managed,
    is_optimizer,
    loops,
    own_statements,
    receiver,
    statement_call,
    written,
)

CLIPPING = tuple(
    f"torch.nn.utils.{home}{name}"
    for home in ("", "clip_grad.")
    for name in ("clip_grad_norm_", "clip_grad_value_")
)
"""What clips gradients, by every name that it is imported by."""

_ONLY_TENSORS_HAVE = ("detach", "unsqueeze", "contiguous", "permute", "clamp", "float", "long")


@plants(
    "discarded-result",
    ".detach()",
    ".unsqueeze(",
    ".contiguous()",
    ".permute(",
    ".clamp(",
    ".float()",
    ".long()",
)
def thrown_away(source: Source) -> Iterator[Mutant]:
    """`x = x.unsqueeze(0)` without the assignment, of an `x` that a function of torch gave before."""
    for function in functions(source):
        made = {
            written(s.targets[0])
            for s in own_statements(function)
            if isinstance(s, ast.Assign)
            and isinstance(s.value, ast.Call)
            and full_name(source, s.value.func) in _GIVE_TENSORS
        }
        for statement in own_statements(function):
            call = statement.value if isinstance(statement, ast.Assign) else None
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            name = receiver(call)
            assert isinstance(statement, ast.Assign)
            if (
                call.func.attr in _ONLY_TENSORS_HAVE
                and name in made
                and written(statement.targets[0]) == name
            ):
                yield from mutant(source, statement.lineno, [replaced(source, statement, written(call))])


_FACTORIES = tuple(f"torch.{name}" for name in ("zeros", "ones", "empty", "full", "arange", "tensor", "eye"))
_GIVE_TENSORS = (
    *_FACTORIES,
    *(
        f"torch.{name}"
        for name in ("cat", "stack", "rand", "randn", "from_numpy", "sum", "matmul", "where", "exp")
    ),
)


@plants("factory-then-move", "device=")
def moved_after_making(source: Source) -> Iterator[Mutant]:
    """`torch.zeros(n).to(device)` in the place of `torch.zeros(n, device=device)`."""
    for call in calls_of(source, source.tree, *_FACTORIES):
        device = [keyword.value for keyword in call.keywords if keyword.arg == "device"]
        others = [keyword for keyword in call.keywords if keyword.arg != "device"]
        is_device = device and "device" in written(device[0]) and not isinstance(device[0], ast.IfExp)
        if is_device and not any(
            keyword.arg in (None, "requires_grad", "out", "pin_memory") for keyword in others
        ):
            made = ast.unparse(ast.Call(call.func, call.args, others))
            edit = replaced(source, call, f"{made}.to({written(device[0])})")
            yield from mutant(source, call.lineno, [edit])


@plants("hard-coded-cuda", "is_available()")
def cuda_or_nothing(source: Source) -> Iterator[Mutant]:
    """The only place of a file that asks for a GPU takes it for granted, and models are moved there."""
    asking = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.IfExp)
        and written(node.test) == "torch.cuda.is_available()"
        and isinstance(node.body, ast.Constant)
        and str(node.body.value).startswith("cuda")
    ]
    moves = [call for call in calls(source.tree, "to") if call.args and "device" in written(call.args[0])]
    others = ("device_count", "Stream", "CUDAGraph", "nccl", "triton", "cuda.synchronize")
    is_alone = len(asking) == 1 and source.text.count("is_available") == 1
    is_plain = not any(word in source.text for word in others) and "test" not in source.path
    if not (is_alone and is_plain and moves):
        return
    choices = [node for node in ast.walk(source.tree) if isinstance(node, ast.IfExp) and node not in asking]
    guards = [*choices, *(one for one in source.every(ast.If) if "__name__" not in written(one.test))]
    is_guarded = any(asking[0] in ast.walk(guard) for guard in guards)
    if not is_guarded and any(asking[0] in ast.walk(value) for value in bound_to(source, "device")):
        yield from mutant(source, asking[0].lineno, [replaced(source, asking[0], written(asking[0].body))])


@plants("set-to-none", ".zero_grad()")
def filled_with_zeros(source: Source) -> Iterator[Mutant]:
    """`optimizer.zero_grad(set_to_none=False)`, where the file makes the optimizer and reads no `.grad`."""
    if is_managed(source) or ".grad" in source.text.replace(".grad_", ""):
        return
    for call in calls(source.tree, "zero_grad"):
        if not call.args and not call.keywords and is_optimizer(source, receiver(call)):
            yield from mutant(source, call.lineno, [with_keyword(source, call, "set_to_none", "False")])


@plants("empty-cache-in-loop", ".backward()")
def emptied_in_every_iteration(source: Source) -> Iterator[Mutant]:
    """`torch.cuda.empty_cache()` at the end of a loop that trains."""
    if full_name(source, ast.parse("torch.x", mode="eval").body) != "torch.x":
        return
    for function in functions(source):
        for loop in loops(function):
            if any(statement_call(s, "backward") for s in loop.body) and "empty_cache" not in source.text:
                last = loop.body[-1]
                if not isinstance(last, ast.Return | ast.Break | ast.Continue | ast.Raise):
                    edit = inserted(source, last, "torch.cuda.empty_cache()")
                    yield from mutant(source, loop.lineno, [edit])


@plants("item-per-element", ".tolist()")
def one_number_at_a_time(source: Source) -> Iterator[Mutant]:
    """`[one.item() for one in x]` in the place of `x.tolist()`, of an `x` that torch makes on a device."""
    for call in calls(source.tree, "tolist"):
        made = call.func.value if isinstance(call.func, ast.Attribute) else None
        if not isinstance(made, ast.Call) or full_name(source, made.func) not in _GIVE_VECTORS:
            continue
        if any(keyword.arg == "device" for keyword in made.keywords):  # on the CPU nothing waits
            edit = replaced(source, call, f"[one.item() for one in {receiver(call)}]")
            yield from mutant(source, call.lineno, [edit])


_GIVE_VECTORS = ("torch.arange", "torch.randperm", "torch.rand", "torch.randn")


@plants("cat-in-loop", ".append(")
def grown_tensor(source: Source) -> Iterator[Mutant]:
    """`parts = torch.cat([parts, part])` instead of `parts.append(part)`, and no `torch.cat(parts)` below.

    The loop uses the list for nothing else, and only `torch.cat` reads it, once and after the loop.
    """
    for function in functions(source):
        for block in blocks_below(function):
            for i, statement in enumerate(block):
                if not isinstance(statement, ast.Assign) or written(statement.value) != "[]":
                    continue
                edits = _grown(source, function, statement, block[i + 1 :])
                if edits and isinstance(statement.targets[0], ast.Name):
                    yield from mutant(source, statement.lineno, edits)


def _grown(source: Source, function: ast.AST, made: ast.Assign, below: list[ast.stmt]) -> list[Edit]:
    name = written(made.targets[0])
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    looping = [
        s
        for s in below
        if isinstance(s, ast.For) and name in {written(n) for n in ast.walk(s) if isinstance(n, ast.Name)}
    ]
    adds = [
        s
        for loop in looping
        for s in own_statements(loop)
        if (c := statement_call(s, "append")) and receiver(c) == name
    ]
    cats = [c for c in calls_of(source, function, "torch.cat") if c.args and written(c.args[0]) == name]
    if len(looping) != 1 or len(adds) != 1 or len(cats) != 1 or len(uses) != 3:
        return []
    if any(node is cats[0] for node in ast.walk(looping[0])):  # all is put together in every iteration anyway
        return []
    added = statement_call(adds[0], "append")
    assert added is not None
    dim = "".join(f", dim={written(x)}" for x in [*cats[0].args[1:], *(k.value for k in cats[0].keywords)])
    return [
        replaced(source, made.value, "torch.empty(0)"),
        replaced(source, adds[0], f"{name} = torch.cat([{name}, {written(added.args[0])}]{dim})"),
        replaced(source, cats[0], name),
    ]


@plants("compiled-state-dict", "torch.save")
def saved_with_prefix(source: Source) -> Iterator[Mutant]:
    """`model = torch.compile(model)` above the loop of a function that saves `model.state_dict()`."""
    if "_orig_mod" in source.text or "compile(" in source.text or is_managed(source):
        return
    for function in functions(source):
        saved = [
            written(call.args[0].func.value)
            for call in calls_of(source, function, "torch.save")
            if call.args
            and isinstance(call.args[0], ast.Call)
            and isinstance(call.args[0].func, ast.Attribute)
            and call.args[0].func.attr == "state_dict"
        ]
        for statement in getattr(function, "body", []):
            target = written(statement.targets[0]) if isinstance(statement, ast.Assign) else ""
            is_made = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
            if target in saved and is_made and len(bound_to(source, target)) == 1:
                text = f"{written(statement)}\n{' ' * statement.col_offset}{target} = torch.compile({target})"
                yield from mutant(source, statement.lineno, [replaced(source, statement, text)])


@plants("transfer-in-loop", "device=")
def moved_in_every_iteration(source: Source) -> Iterator[Mutant]:
    """A tensor that a loop only reads is made without `device=`, and moved where the loop reads it."""
    for function in functions(source):
        for block in blocks_below(function):
            for i, statement in enumerate(block[:-1]):
                call = statement.value if isinstance(statement, ast.Assign) else None
                if not isinstance(call, ast.Call) or full_name(source, call.func) not in _FACTORIES:
                    continue
                assert isinstance(statement, ast.Assign)
                device = [k.value for k in call.keywords if k.arg == "device"]
                name = written(statement.targets[0])
                uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name][1:]
                loop = block[i + 1]
                own = [
                    call
                    for s in getattr(loop, "body", [])
                    for call in ast.walk(s)
                    if isinstance(call, ast.Call)
                ]
                read = [a for call in own for a in call.args if isinstance(a, ast.Name) and a.id == name]
                if (
                    device
                    and isinstance(loop, ast.For)
                    and len(uses) == len(read) == 1
                    and "device" in written(device[0])
                ):
                    edits = [
                        without_keyword(source, call, "device"),
                        replaced(source, read[0], f"{name}.to({written(device[0])})"),
                    ]
                    yield from mutant(source, loop.lineno, edits)


@plants("input-dtype-mismatch", "torch.rand")
def doubles_for_a_layer(source: Source) -> Iterator[Mutant]:
    """`torch.randn(…, dtype=torch.float64)` for a layer of torch that the same function makes and calls."""
    for scope in scopes(source) if "double" not in source.text else ():
        every = [node for node in scope.nodes if isinstance(node, ast.Call)]
        fed = {
            written(c.args[0])
            for c in every
            if c.args and made(source, scope, c.func).startswith(_WITH_WEIGHTS)
        }
        for statement in (node for node in scope.nodes if isinstance(node, ast.Assign)):
            call, name = statement.value, statement.targets[0]
            if not isinstance(name, ast.Name) or name.id not in fed or held(scope, name) is not call:
                continue
            is_random = isinstance(call, ast.Call) and full_name(source, call.func) in _RANDOM
            if is_random and not any(k.arg == "dtype" for k in call.keywords):
                edit = with_keyword(source, call, "dtype", "torch.float64")
                yield from mutant(source, statement.lineno, [edit])


_RANDOM = ("torch.rand", "torch.randn")
_WITH_WEIGHTS = ("torch.nn.Linear", "torch.nn.Conv", "torch.nn.LSTM", "torch.nn.GRU", "torch.nn.BatchNorm")


@plants("unsynchronized-timing", "cuda.synchronize()")
def not_waited_for(source: Source) -> Iterator[Mutant]:
    """All `torch.cuda.synchronize()` of a function that reads the clock are gone."""
    for function in functions(source):
        waiting = [
            s
            for s in own_statements(function)
            if isinstance(s, ast.Expr) and written(s) == "torch.cuda.synchronize()"
        ]
        clocks = calls_of(source, function, "time.time", "time.perf_counter")
        if waiting and len(clocks) >= 2 and not isinstance(function, ast.Module):
            yield from mutant(source, waiting[0].lineno, [emptied(source, s) for s in waiting])


def _scaled(source: Source) -> Iterator[tuple[ast.Expr, str, str]]:
    """Statements `scaler.scale(loss).backward()`, with how the scaler and the loss are written.

    The file makes the scaler, and never switches it off by an argument.
    """
    for statement in source.every(ast.Expr):
        call = statement_call(statement, "backward")
        scaling = call.func.value if call and isinstance(call.func, ast.Attribute) else None
        if isinstance(scaling, ast.Call) and isinstance(scaling.func, ast.Attribute) and scaling.args:
            scaler = receiver(scaling)
            makes = any(is_made_by(source, scaler, home) for home in ("torch.cuda.amp.", "torch.amp."))
            if scaling.func.attr == "scale" and makes and not is_managed(source):
                yield statement, scaler, written(scaling.args[0])


@plants("unscaled-loss", "GradScaler")
def scale_is_left_out(source: Source) -> Iterator[Mutant]:
    """`loss.backward()` in the place of the only `scaler.scale(loss).backward()`."""
    found = [*_scaled(source)]
    if len(found) == 1:
        statement, _, loss = found[0]
        if loss.isidentifier():
            yield from mutant(source, statement.lineno, [replaced(source, statement, f"{loss}.backward()")])


@plants("step-bypasses-scaler", "GradScaler")
def step_without_the_scaler(source: Source) -> Iterator[Mutant]:
    """`optimizer.step()` in the place of `scaler.step(optimizer)`."""
    scalers = {scaler for _, scaler, _ in _scaled(source)}
    for statement in source.every(ast.Expr):
        call = statement_call(statement, "step")
        if call and receiver(call) in scalers and len(call.args) == 1 and "unscale_" not in source.text:
            edit = replaced(source, call, f"{written(call.args[0])}.step()")
            yield from mutant(source, statement.lineno, [edit])


@plants("missing-scaler-update", "GradScaler")
def never_updated(source: Source) -> Iterator[Mutant]:
    """All `scaler.update()` of the file are gone, one of which a loop comes by: a single step misses none."""
    scalers = {scaler for _, scaler, _ in _scaled(source)}
    told = [
        s for s in source.every(ast.Expr) if (c := statement_call(s, "update")) and receiver(c) in scalers
    ]
    if told and len(scalers) == 1 and any(_is_repeated(source, statement) for statement in told):
        yield from mutant(source, told[0].lineno, [emptied(source, s) for s in told])


def _is_repeated(source: Source, statement: ast.stmt) -> bool:
    """Whether a statement stands in a loop, or in a function whose name is called in one."""
    function = next((f for f in functions(source) if statement in own_statements(f)), None)
    name = getattr(function, "name", None)
    for outer in functions(source):
        for loop in loops(outer):
            called = [node.func for node in ast.walk(loop) if isinstance(node, ast.Call)]
            if statement in own_statements(loop) or name in {written(f).rpartition(".")[2] for f in called}:
                return True
    return False


@plants("clip-before-unscale", "unscale_(")
def clipped_while_scaled(source: Source) -> Iterator[Mutant]:
    """`scaler.unscale_(optimizer)` above a clipping is gone."""
    scalers = {scaler for _, scaler, _ in _scaled(source)}
    for block in blocks_below(source.tree):
        told = [s for s in block if (c := statement_call(s, "unscale_")) and receiver(c) in scalers]
        clips = [s for s in block if calls_of(source, s, *CLIPPING)]
        if len(told) == 1 and clips:
            yield from mutant(source, told[0].lineno, [emptied(source, told[0])])
