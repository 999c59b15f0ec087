"""Runs statements. Every function returns whether control leaves the block it is in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial

from torchlore.analysis import (
    classes,
    contexts,
    definitions,
    exceptions,
    expressions,
    generators,
    imports,
    instances,
    loops,
    narrowing,
    patterns,
    reflection,
    replaying,
    targets,
    unpacking,
)
from torchlore.analysis.events import Jump, Kind
from torchlore.analysis.loops import END
from torchlore.analysis.names import stored_names, words
from torchlore.analysis.queries import is_none, join
from torchlore.analysis.run import MAX_NESTING, Run
from torchlore.analysis.values import Const, Ref, Value
from torchlore.text.nodes import jumps_out

_FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


def run_block(run: Run, body: Sequence[ast.stmt]) -> bool:
    """Runs statements in order, up to the first that leaves."""
    if run.depth >= MAX_NESTING:
        run.emit(Kind.HAVOC, body[0] if body else run.module)
        return False
    run.depth += 1
    left = False
    for index, statement in enumerate(body):
        handler = _HANDLERS.get(statement.__class__)
        run.left -= 1
        left = handler is not None and run.left > 0 and handler(run, statement)
        if run.left <= 0:  # before this statement, or in the middle of it
            run.emit(Kind.HAVOC, statement)
            left = False
            break
        if left:
            _define_unreached(run, body[index + 1 :])
            break
    run.depth -= 1
    return left


def _define_unreached(run: Run, body: Sequence[ast.stmt]) -> None:
    """Definitions after a `return` or a `raise` still exist for hovers; nothing else does."""
    for statement in body:
        if isinstance(statement, _FunctionDef | ast.ClassDef):
            _HANDLERS[type(statement)](run, statement)


def _expr(run: Run, node: ast.Expr) -> bool:
    expressions.evaluate(run, node.value)
    if not isinstance(node.value, ast.Call):
        return False
    called = run.values.get(node.value.func)
    if not isinstance(called, Ref) or called.name not in _EXITS:
        return False
    run.path.append(Jump("raise"))
    return True


_EXITS = words("sys.exit os._exit os.abort builtins.exit builtins.quit")


def _assign(run: Run, node: ast.Assign) -> bool:
    added = added_to_itself(node) if node.value.__class__ is ast.BinOp else None
    if added is not None:
        before = expressions.evaluate(run, node.targets[0])
        targets.accumulate(run, node, node.targets[0], before, expressions.evaluate(run, added))
        return False
    value = expressions.evaluate(run, node.value)
    for target in node.targets:
        targets.assign(run, target, value)
    return False


def added_to_itself(node: ast.Assign) -> ast.expr | None:
    """`loss` in `total = total + loss`, where that is what the statement does."""
    if (
        len(node.targets) != 1
        or not isinstance(node.value, ast.BinOp)
        or not isinstance(node.value.op, ast.Add)
    ):
        return None
    target = node.targets[0]
    if not isinstance(target, ast.Name | ast.Attribute):
        return None
    left, right = node.value.left, node.value.right
    return right if _is_same_place(left, target) else left if _is_same_place(right, target) else None


def _is_same_place(a: ast.expr, b: ast.expr) -> bool:
    """Whether two names, or attributes of what the same name stands for, are spelled alike."""
    match a, b:
        case ast.Name(id=name), ast.Name(id=other):
            return name == other
        case ast.Attribute(value=owner, attr=attr), ast.Attribute(value=other_owner, attr=other):
            return attr == other and _is_same_place(owner, other_owner)
        case _:
            return False


def _ann_assign(run: Run, node: ast.AnnAssign) -> bool:
    declared = definitions.declared(run, node.annotation, node)
    if node.value is not None:
        value = expressions.evaluate(run, node.value)
        if is_none(value) and isinstance(run.frame.node, ast.ClassDef):  # objects may hold what is declared
            value = join([declared, value])
        targets.assign(run, node.target, value)
    elif isinstance(node.target, ast.Name):
        run.frame.bind(node.target.id, declared)
    return False


def _aug_assign(run: Run, node: ast.AugAssign) -> bool:
    before = expressions.evaluate(run, node.target)
    added = expressions.evaluate(run, node.value)
    targets.augment(run, node, before, added)
    return False


def _delete(run: Run, node: ast.Delete) -> bool:
    for target in node.targets:
        targets.delete(run, target)
    return False


def _if(run: Run, node: ast.If) -> bool:
    holds = expressions.truth(expressions.evaluate(run, node.test))
    if holds is not None:
        run.decisions += bool(run.stack) and replaying.is_about_state(run, node.test)
        return run_block(run, node.body if holds else node.orelse)
    if not narrowing.subjects(node.test):
        return run.branch(node, [partial(run_block, run, node.body), partial(run_block, run, node.orelse)])
    left = [False, False]

    def arm(body: list[ast.stmt], index: int) -> Callable[[], bool]:
        def go() -> bool:
            narrowed = narrowing.begin(run, node.test, index == 0, node.body if index else node.orelse)
            left[index] = run_block(run, body)
            narrowing.end(run, narrowed)
            return left[index]

        return go

    run.branch(node, [arm(node.body, 0), arm(node.orelse, 1)])
    if left[0] is not left[1]:  # what the other arm left behind holds from here on
        narrowing.narrow(run, node.test, left[1])
    return all(left)


def _for(run: Run, node: ast.For | ast.AsyncFor) -> bool:
    iterated = instances.iterated(run, expressions.evaluate(run, node.iter), node.iter)
    items = unpacking.few_items(iterated) or reflection.named_items(run, node, iterated)
    if items is not None and not jumps_out(node.body, (ast.Break, ast.Continue)):
        rest = reflection.setting(node) if run.is_away and len(items) > 1 else node.body
        for index, item in enumerate(items):
            targets.assign(run, node.target, item)
            with run.within((node, index)):
                if run_block(run, rest if index else node.body):
                    return False
        return run_block(run, node.orelse)

    def body() -> bool:
        targets.assign(run, node.target, unpacking.element(iterated))
        return run_block(run, node.body)

    orelse = partial(run_block, run, node.orelse) if node.orelse else END
    generators.loop(run, node, iterated, body, _stored(run, node), orelse)
    return False


def _while(run: Run, node: ast.While) -> bool:
    def body() -> bool:
        if expressions.truth(expressions.evaluate(run, node.test)) is False:
            return False
        return run_block(run, node.body)

    endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
    orelse = partial(run_block, run, node.orelse) if node.orelse else END
    loops.loop(run, node, body, _stored(run, node), None if endless else orelse)
    return endless and not jumps_out(node.body, (ast.Break,))


def _stored(run: Run, node: ast.For | ast.AsyncFor | ast.While) -> frozenset[str]:
    known = run.stored.get(node)
    if known is None:
        known = run.stored[node] = stored_names(node)
    return known


def _with(run: Run, node: ast.With | ast.AsyncWith) -> bool:
    before = run.grad
    entered_contexts: list[tuple[ast.expr, Value]] = []
    for item in node.items:
        context = expressions.evaluate(run, item.context_expr)
        entered_contexts.append((item.context_expr, context))
        entered, run.grad = contexts.enter_context(run, item.context_expr, context)
        if item.optional_vars is not None:
            targets.assign(run, item.optional_vars, entered)
    inside = run.grad
    left = run_block(run, node.body)
    for expression, context in reversed(entered_contexts):
        contexts.leave_context(run, expression, context)
    if inside is not before:  # else what the block switched by hand stays
        run.grad = before
    return left


def _match(run: Run, node: ast.Match) -> bool:
    subject = expressions.evaluate(run, node.subject)
    arms: list[Callable[[], bool]] = []
    for case in node.cases:
        matches = patterns.matches(case.pattern, subject)
        if matches is not False:
            arms.append(_case(run, case, subject))
        if matches and case.guard is None:
            break
    else:
        arms.append(lambda: False)
    return arms[0]() if len(arms) == 1 else run.branch(node, arms)


def _case(run: Run, case: ast.match_case, subject: Value) -> Callable[[], bool]:
    def arm() -> bool:
        patterns.bind(run, case.pattern, subject)
        if case.guard is not None:
            expressions.evaluate(run, case.guard)
        return run_block(run, case.body)

    return arm


def _return(run: Run, node: ast.Return) -> bool:
    value = Const(None) if node.value is None else expressions.evaluate(run, node.value)
    run.frame.returns.append(value)
    run.path.append(Jump("return"))
    return True


def _raise(run: Run, node: ast.Raise) -> bool:
    if node.exc is not None:
        expressions.evaluate(run, node.exc)
    run.path.append(Jump("raise"))
    return True


def _break(run: Run, node: ast.Break) -> bool:
    return _jump(run, "break")


def _continue(run: Run, node: ast.Continue) -> bool:
    return _jump(run, "continue")


def _jump(run: Run, kind: str) -> bool:
    frame = run.frame
    if frame.jumps is not None:
        frame.jumps.append((kind, frame.now(frame.stored)))
    run.path.append(Jump(kind))
    return True


def _assert(run: Run, node: ast.Assert) -> bool:
    expressions.evaluate(run, node.test)
    narrowing.narrow(run, node.test, holds=True)
    return False


def _import(run: Run, node: ast.Import | ast.ImportFrom) -> bool:
    imports.bind_imports(run, node)
    return False


def _global(run: Run, node: ast.Global) -> bool:
    for name in node.names:
        run.frame.foreign[name] = run.frame.outermost
    return False


def _nonlocal(run: Run, node: ast.Nonlocal) -> bool:
    for name in node.names:
        frame = run.frame.parent
        while frame is not None and name not in frame.names:
            frame = frame.parent
        if frame is not None:
            run.frame.foreign[name] = frame
    return False


def _function(run: Run, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators: tuple[Value, ...] = ()
    if node.decorator_list:  # `@torch.set_grad_enabled(False)` switches only while the function runs
        with run.grad_mode(run.grad):
            decorators = tuple([expressions.evaluate(run, d) for d in node.decorator_list])
    function = definitions.make_function(run, node, decorators)
    if not run.is_away:  # for hovers; imported files have none
        for arg in definitions.all_args(node.args):
            if arg.annotation is not None:
                expressions.evaluate(run, arg.annotation)
        if node.returns is not None:
            expressions.evaluate(run, node.returns)
    run.functions[node] = function
    if not any(definitions.is_added_to_property(decorator, node.name) for decorator in decorators):
        run.frame.bind(node.name, definitions.decorated(run, node, function))
    return False


def _class(run: Run, node: ast.ClassDef) -> bool:
    classes.define(run, node)
    return False


_HANDLERS: dict[type[ast.stmt], Callable[[Run, ast.stmt], bool]] = {
    ast.Expr: _expr,  # type: ignore[dict-item]
    ast.Assign: _assign,  # type: ignore[dict-item]
    ast.AnnAssign: _ann_assign,  # type: ignore[dict-item]
    ast.AugAssign: _aug_assign,  # type: ignore[dict-item]
    ast.Delete: _delete,  # type: ignore[dict-item]
    ast.If: _if,  # type: ignore[dict-item]
    ast.For: _for,  # type: ignore[dict-item]
    ast.AsyncFor: _for,  # type: ignore[dict-item]
    ast.While: _while,  # type: ignore[dict-item]
    ast.With: _with,  # type: ignore[dict-item]
    ast.AsyncWith: _with,  # type: ignore[dict-item]
    ast.Try: exceptions.run_try,  # type: ignore[dict-item]
    ast.Match: _match,  # type: ignore[dict-item]
    ast.Return: _return,  # type: ignore[dict-item]
    ast.Raise: _raise,  # type: ignore[dict-item]
    ast.Break: _break,  # type: ignore[dict-item]
    ast.Continue: _continue,  # type: ignore[dict-item]
    ast.Assert: _assert,  # type: ignore[dict-item]
    ast.Import: _import,  # type: ignore[dict-item]
    ast.ImportFrom: _import,  # type: ignore[dict-item]
    ast.Global: _global,  # type: ignore[dict-item]
    ast.Nonlocal: _nonlocal,  # type: ignore[dict-item]
    ast.FunctionDef: _function,  # type: ignore[dict-item]
    ast.AsyncFunctionDef: _function,  # type: ignore[dict-item]
    ast.ClassDef: _class,  # type: ignore[dict-item]
}
if hasattr(ast, "TryStar"):  # Python 3.11
    _HANDLERS[ast.TryStar] = exceptions.run_try  # type: ignore[assignment]
