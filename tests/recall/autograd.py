"""Mistakes with graphs and gradients."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.layers import is_layer, makes_module
from tests.recall.mutants import (
    Mutant,
    inserted,
    mutant,
    plants,
    replaced,
    unwrapped,
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
    is_made_by,
    is_managed,
    loops,
    own_statements,
    receiver,
    statement_call,
    written,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module

_NO_GRAD = ("torch.no_grad", "torch.inference_mode", "torch.autograd.no_grad")


@plants("loss-keeps-graph", ".item(", ".detach(")
def summed_with_its_graph(source: Source) -> Iterator[Mutant]:
    """`total += loss.item()` or `losses.append(loss.item())` without the `.item()`.

    The loop differentiates the loss, which a function or a loss of torch gives. What it is added to must
    outlive the iteration.
    """
    computed = [(function, written(statement.targets[0])) for function, statement in losses(source)]
    for function in functions(source):
        for loop in loops(function):
            own = [*own_statements(loop)]
            named = {name for home, name in computed if home is function}
            trained = named & {receiver(call) for call in calls(loop, "backward")}
            rebound = {written(t) for s in own if isinstance(s, ast.Assign) for t in s.targets}
            for statement in own:
                kept = _kept(statement)
                if kept is None or kept[0] in rebound or kept[0].partition("[")[0] in rebound:
                    continue
                for call in calls(kept[1], "item", "detach"):
                    if receiver(call) in trained and written(kept[1]).count(receiver(call)) == 1:
                        edit = replaced(source, call, receiver(call))
                        yield from mutant(source, statement.lineno, [edit])


def _kept(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """What a statement adds to, and what it adds."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        return written(statement.target), statement.value
    appended = statement_call(statement, "append")
    return (receiver(appended), appended.args[0]) if appended and len(appended.args) == 1 else None


@plants("eval-without-no-grad", "no_grad", "inference_mode")
def evaluated_with_gradients(source: Source) -> Iterator[Mutant]:
    """`with torch.no_grad():` around, or in, a loop of a function that calls `model.eval()` is gone.

    The loop runs that model. The file calls the function at its top level, or in the function that it calls
    there: nobody else may have switched gradients off.
    """
    called = called_from_the_top(source)
    for function in functions(source):
        if isinstance(function, ast.Module) or function.name not in called or calls(function, "backward"):
            continue
        evaluated = {receiver(call) for call in calls(function, "eval")}
        withs = [*without_gradients(source, function)]
        if len(withs) != 1 or function.decorator_list:
            continue
        is_looped = any(withs[0] in own_statements(loop) for loop in loops(function))
        looped = [withs[0]] if is_looped else [*loops(withs[0])]
        running = {written(c.func) for part in looped for c in ast.walk(part) if isinstance(c, ast.Call)}
        if evaluated & running:
            yield from mutant(source, withs[0].lineno, [unwrapped(source, withs[0])])


def without_gradients(source: Source, function: ast.AST) -> Iterator[ast.With]:
    """The `with torch.no_grad():` of a function."""
    for statement in own_statements(function):
        if isinstance(statement, ast.With) and len(statement.items) == 1:
            context = statement.items[0].context_expr
            if isinstance(context, ast.Call) and full_name(source, context.func) in _NO_GRAD:
                yield statement


@plants("context-not-entered", "with torch.", "no_grad()")
def made_and_not_entered(source: Source) -> Iterator[Mutant]:
    """`torch.no_grad()` stands above its block, which nothing enters."""
    for statement in source.every(ast.With):
        context = statement.items[0].context_expr
        if len(statement.items) > 1 or statement.items[0].optional_vars or not isinstance(context, ast.Call):
            continue
        if full_name(source, context.func) in (
            *_NO_GRAD,
            "torch.autocast",
            "torch.cuda.amp.autocast",
            "torch.enable_grad",
        ):
            above = inserted(source, statement, written(context))
            yield from mutant(source, statement.lineno, [above, unwrapped(source, statement)])


@plants("grad-left-disabled", "no_grad()")
def switched_off_for_good(source: Source) -> Iterator[Mutant]:
    """`torch.set_grad_enabled(False)` instead of `with torch.no_grad():`, in a loop that goes on to train.

    The block must stand in a loop that calls `backward` itself, or in a function that such a loop calls.
    """
    if is_managed(source) or "set_grad_enabled" in source.text or "enable_grad" in source.text:
        return
    if full_name(source, ast.parse("torch.x", mode="eval").body) != "torch.x":
        return
    named = {function.name: function for function in source.every(ast.FunctionDef)}
    for function in functions(source):
        for loop in loops(function):
            inner = [
                c.func.id for c in ast.walk(loop) if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)
            ]
            parts = [loop, *(named[name] for name in dict.fromkeys(inner) if name in named)]
            if not any(statement_call(s, "backward") for part in parts for s in own_statements(part)):
                continue
            for part in parts:
                for statement in without_gradients(source, part):
                    if not calls(statement, "backward"):
                        off = inserted(source, statement, "torch.set_grad_enabled(False)")
                        yield from mutant(source, statement.lineno, [off, unwrapped(source, statement)])
            break


@plants("ineffective-requires-grad", ".requires_grad = ")
def misspelled(source: Source) -> Iterator[Mutant]:
    """`parameter.requires_grad = False` with one letter less, of what the file shows to be a tensor."""
    listed = {written(loop.target) for loop in source.every(ast.For) if written(loop.iter).endswith(_LISTS)}
    for statement in source.every(ast.Assign):
        target = statement.targets[0]
        if not isinstance(target, ast.Attribute) or target.attr != "requires_grad":
            continue
        name = written(target.value)
        if name in listed or is_made_by(source, name, "torch.") or is_layer(source, _owner(source, target)):
            edit = replaced(source, target, f"{written(target.value)}.require_grad")
            yield from mutant(source, statement.lineno, [edit])


_LISTS = (".parameters()", ".parameters(recurse=False)")


def _owner(source: Source, target: ast.Attribute) -> ast.expr | None:
    """The layer that the file makes, of `self.fc.weight.requires_grad`."""
    owner = target.value.value if isinstance(target.value, ast.Attribute) else None
    values = bound_to(source, written(owner)) if owner is not None else []
    return values[0] if len(values) == 1 else None


@plants("ineffective-requires-grad", ".requires_grad = ")
def frozen_as_a_whole(source: Source) -> Iterator[Mutant]:
    """`model.requires_grad = False` in the place of a loop over `model.parameters()`; the file makes it."""
    for loop in source.every(ast.For):
        target = loop.body[0].targets[0] if isinstance(loop.body[0], ast.Assign) else None
        listed = isinstance(loop.iter, ast.Call) and isinstance(loop.iter.func, ast.Attribute)
        if len(loop.body) != 1 or not isinstance(target, ast.Attribute) or not listed:
            continue
        assert isinstance(loop.iter, ast.Call)
        is_whole = written(loop.iter.func).endswith(".parameters") and not loop.iter.args
        values = bound_to(source, receiver(loop.iter))
        is_whole = is_whole and bool(values) and all(makes_module(source, value) for value in values)
        if is_whole and written(target) == f"{written(loop.target)}.requires_grad":
            edit = replaced(source, loop, f"{receiver(loop.iter)}.requires_grad = False")
            yield from mutant(source, loop.lineno, [edit])


def losses(source: Source) -> Iterator[tuple[Function, ast.Assign]]:
    """`loss = …(…)` of functions that go on with `loss.backward()` and assign nothing else to the name.

    What is called is a function of torch, or a loss of torch that the file makes: so it gives a tensor.
    """
    for function in functions(source):
        own = [*own_statements(function)]
        calling = [call for s in own if (call := statement_call(s, "backward"))]
        differentiated = {receiver(call) for call in calling if not call.args}
        for statement in own:
            if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
                continue
            name, func = written(statement.targets[0]), statement.value.func
            is_function = full_name(source, func).startswith("torch.nn.functional.")
            if not is_function and not is_made_by(source, written(func), "torch.nn."):
                continue
            others = [s for s in own if _binds(s, name)]
            if name in differentiated and isinstance(statement.targets[0], ast.Name) and len(others) == 1:
                yield function, statement


def _binds(statement: ast.stmt, name: str) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    names = [node for target in targets if target is not None for node in ast.walk(target)]
    return any(isinstance(node, ast.Name) and node.id == name for node in names)


@plants("backward-on-number", ".backward(")
def differentiated_number(source: Source) -> Iterator[Mutant]:
    """`loss = criterion(…).item()`, and `loss.backward()` below."""
    for _, statement in losses(source):
        edit = replaced(source, statement.value, f"{written(statement.value)}.item()")
        yield from mutant(source, statement.lineno, [edit])


@plants("backward-without-gradient", ".backward(")
def differentiated_without_graph(source: Source) -> Iterator[Mutant]:
    """`loss = criterion(…).detach()`, and `loss.backward()` below."""
    for _, statement in losses(source):
        edit = replaced(source, statement.value, f"{written(statement.value)}.detach()")
        yield from mutant(source, statement.lineno, [edit])


@plants("backward-on-unreduced", ".backward(")
def one_loss_per_sample(source: Source) -> Iterator[Mutant]:
    """The loss of torch that `loss.backward()` rests on is told `reduction="none"`."""
    for _, statement in losses(source):
        call = statement.value
        assert isinstance(call, ast.Call)
        made = bound_to(source, written(call.func))
        whose = full_name(source, call.func)
        is_function = whose.startswith("torch.nn.functional.") and whose.endswith(("_loss", "cross_entropy"))
        is_module = len(made) == 1 and is_made_by(source, written(call.func), "torch.nn.")
        told = call if is_function else made[0] if is_module else None
        if isinstance(told, ast.Call) and (is_function or written(told.func).endswith("Loss")):
            edit = with_keyword(source, told, "reduction", "'none'")
            yield from mutant(source, statement.lineno, [edit])


@plants("checkpoint-without-use-reentrant", "use_reentrant")
def unsaid_reentrance(source: Source) -> Iterator[Mutant]:
    """`checkpoint(…, use_reentrant=…)` without the choice."""
    for call in calls_of(source, source.tree, "torch.utils.checkpoint.checkpoint"):
        if any(keyword.arg == "use_reentrant" for keyword in call.keywords):
            yield from mutant(source, call.lineno, [without_keyword(source, call, "use_reentrant")])


@plants("legacy-autograd-function", ".apply(")
def made_and_called(source: Source) -> Iterator[Mutant]:
    """`Square()(x)` in the place of `Square.apply(x)`."""
    own = {
        cls.name
        for cls in source.every(ast.ClassDef)
        if [full_name(source, base) for base in cls.bases] == ["torch.autograd.Function"]
    }
    for call in calls(source.tree, "apply"):
        if receiver(call) in own:
            yield from mutant(source, call.lineno, [replaced(source, call.func, f"{receiver(call)}()")])


@plants("anomaly-detection-left-on", ".backward(")
def searched_and_forgotten(source: Source) -> Iterator[Mutant]:
    """`torch.autograd.set_detect_anomaly(True)` below the imports."""
    imports = [i for i, s in enumerate(source.tree.body) if isinstance(s, ast.Import | ast.ImportFrom)]
    names = [
        alias.name
        for s in source.tree.body
        if isinstance(s, ast.Import)
        for alias in s.names
        if not alias.asname
    ]
    after = source.tree.body[imports[-1] + 1 :][:1] if imports else []
    if (
        after
        and "torch" in names
        and "set_detect_anomaly" not in source.text
        and not getattr(after[0], "decorator_list", None)
    ):
        edit = inserted(source, after[0], "torch.autograd.set_detect_anomaly(True)")
        yield from mutant(source, after[0].lineno, [edit])


@plants("numpy-with-graph", ".item()", ".detach()")
def array_with_graph(source: Source) -> Iterator[Mutant]:
    """`loss.numpy()` of a loss that the same function differentiates, instead of `loss.item()`."""
    for function, statement in losses(source):
        name = written(statement.targets[0])
        for own in own_statements(function):
            if isinstance(
                own, ast.For | ast.While | ast.If | ast.With | ast.Try | ast.FunctionDef | ast.ClassDef
            ):
                continue
            for call in calls(own, "item"):
                if receiver(call) in (name, f"{name}.detach()", f"{name}.data"):
                    yield from mutant(source, own.lineno, [replaced(source, call, f"{name}.numpy()")])


@plants("data-attribute", ".detach()")
def read_past_the_graph(source: Source) -> Iterator[Mutant]:
    """`loss.data` in the place of `loss.detach()`, of a loss that the same function differentiates."""
    for function, statement in losses(source):
        name = written(statement.targets[0])
        for call in calls(function, "detach"):
            if receiver(call) == name:
                yield from mutant(source, call.lineno, [replaced(source, call, f"{name}.data")])


@plants("tensor-from-tensors", ".backward(")
def copied_numbers(source: Source) -> Iterator[Mutant]:
    """`loss = torch.tensor([a, b]).sum()` in the place of `loss = a + b`, and `loss.backward()` below."""
    if full_name(source, ast.parse("torch.x", mode="eval").body) != "torch.x":
        return
    for function in functions(source):
        own = [*own_statements(function)]
        differentiated = {receiver(call) for s in own if (call := statement_call(s, "backward"))}
        computed = {
            target.id
            for s in own
            if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call)
            for target in s.targets
            if isinstance(target, ast.Name)
        }
        for statement in own:
            if not isinstance(statement, ast.Assign) or written(statement.targets[0]) not in differentiated:
                continue
            value = statement.value
            if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
                continue
            sides = [written(value.left), written(value.right)]
            if set(sides) <= computed:
                edit = replaced(source, value, f"torch.tensor([{', '.join(sides)}]).sum()")
                yield from mutant(source, statement.lineno, [edit])
