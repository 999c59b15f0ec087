"""Calls: functions and classes of the file are followed, those of torch are known, all others are unknown."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Literal

from torchlore.analysis import (
    callbacks,
    definitions,
    expressions,
    functions,
    inert,
    instances,
    members,
    methods,
    quiet,
    sequential,
    statements,
    submodules,
    summaries,
    unpacking,
)
from torchlore.analysis.circumstances import Summary
from torchlore.analysis.events import Kind, Path
from torchlore.analysis.frames import Frame
from torchlore.analysis.queries import filled, has_unknown, holds_any, is_none, join, options, tokens_of_all
from torchlore.analysis.run import MAX_DEPTH, Run
from torchlore.analysis.values import (
    NO_TOKENS,
    Arguments,
    BoundMethod,
    Const,
    Container,
    Coroutine,
    Function,
    Instance,
    Iterable,
    LocalClass,
    Managed,
    OneOf,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
)

_MANAGERS = ("contextlib.contextmanager", "contextlib.asynccontextmanager")


def call(run: Run, node: ast.Call) -> Value:
    """What a call gives. Its events are written to the path."""
    func = node.func
    if func.__class__ is ast.Name and func.id == "super" and run.frame.lookup("super").__class__ is Ref:
        return _super(run, node)
    callee = expressions.evaluate(run, func)
    arguments = _arguments(run, node)
    if not run.is_away:
        known = run.calls.get(node)
        if known is None:
            run.calls[node] = [arguments]
        else:
            known.append(arguments)
    if callee.__class__ is Unknown and _is_anybodys(run, node):
        run.emit(Kind.HAVOC, node)
    if callee.__class__ is not OneOf:
        return call_value(run, callee, arguments, node)
    alternatives = options(callee)
    if len(alternatives) == 1:
        return call_value(run, alternatives[0], arguments, node)
    results: list[Value] = []

    def arm(option: Value) -> bool:
        results.append(call_value(run, option, arguments, node))
        return False

    run.choices += 1
    run.branch(node, [lambda option=option: arm(option) for option in alternatives])  # type: ignore[misc]
    run.choices -= 1
    return join(results)


def _is_anybodys(run: Run, node: ast.Call) -> bool:
    """Whether any function of the file, with all that it sees, may be what is called, which is not known.

    A callback takes no arguments, or comes from a registry; a name that nothing binds may be that of the
    function whose `def` is being typed. Whoever is given arguments is taken to work on these.
    """
    if isinstance(node.func, ast.Name) and run.frame.find(node.func.id) is None:
        return True
    return isinstance(node.func, ast.Subscript) or not (node.args or node.keywords)


def _arguments(run: Run, node: ast.Call) -> Arguments:
    positional: list[Value] = []
    nodes: list[ast.expr] = []
    if not node.args and not node.keywords:
        return Arguments(positional, {}, True, nodes)
    complete = True
    evaluate = expressions.evaluate
    for arg in node.args:
        value = evaluate(run, arg)
        if arg.__class__ is not ast.Starred:
            positional.append(value)
            nodes.append(arg)
        elif isinstance(value, Container) and value.items is not None and value.kind != "dict":
            positional.extend(value.items)
            nodes.extend([arg] * len(value.items))
        else:
            positional.append(unpacking.element(value))
            nodes.append(arg)
            complete = False
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = evaluate(run, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif isinstance(value, Container) and value.whole and all(isinstance(k, str) for k in value.keyed):
            keywords.update((str(name), item) for name, item in value.keyed.items())
        else:
            complete = False
            keywords.setdefault("**", value)
    return Arguments(positional, keywords, complete, nodes)


def _super(run: Run, node: ast.Call) -> Value:
    """`super()` or `super(Net, self)` inside a method."""
    for arg in node.args:
        expressions.evaluate(run, arg)
    frame: Frame | None = run.frame
    while frame is not None:
        function = run.functions.get(frame.node)
        if function is not None and function.owner is not None:
            first = definitions.all_args(function.node.args)[:1]
            receiver = frame.names.get(first[0].arg, Unknown()) if first else Unknown()
            return Super(receiver, function.owner)
        frame = frame.parent
    return Unknown()


def call_value(run: Run, callee: Value, arguments: Arguments, node: ast.expr) -> Value:
    """Calls one definite thing."""
    if isinstance(callee, Ref):
        return functions.call_imported(run, callee.name, arguments, node)
    if isinstance(callee, BoundMethod):
        return methods.call_method(run, callee.receiver, callee.name, arguments, node)
    if isinstance(callee, Function):
        return call_function(run, callee, arguments, node)
    if isinstance(callee, Instance):
        return call_instance(run, callee, arguments, node)
    if isinstance(callee, LocalClass):
        return instances.instantiate(run, callee, arguments, node)
    return _call_unknown(run, callee, arguments, node)


def _call_unknown(run: Run, callee: Value, arguments: Arguments, node: ast.expr) -> Value:
    result = run.given(node, tokens_of_all(arguments.all()) | {node})
    if isinstance(callee, Unknown):
        run.emit(Kind.FORWARD, node, subject=callee, value=result)
    run.escape(node, list(arguments.all()))
    if run.entrusted and holds_any(callee, run.entrusted):
        run.emit(Kind.HAVOC, node)
    callbacks.entrust(run, callee, arguments, result, node)
    return result


def call_function(run: Run, function: Function, arguments: Arguments | None, node: ast.AST) -> Value:
    """Follows a function with these arguments; None stands for unknown ones (an entry point)."""
    decorators = function.decorators
    if decorators and arguments is not None and any(map(_makes_manager, decorators)):
        return Managed(function, arguments)
    code = function.node
    decorated = bool(decorators) and not all(map(methods.is_plain_decorator, decorators))
    if code in run.stack or len(run.stack) >= MAX_DEPTH or not run.spend():
        return _given_by(code, summaries.not_followed(run, function, arguments, node))
    if run.stack and summaries.is_spent(run, function):
        return _given_by(code, summaries.not_followed(run, function, arguments, node))
    before = summaries.circumstances(run, function, arguments, node)
    repeated = None if decorated or before is None else summaries.repeated(run, function, before)
    if repeated is not None:
        return _given_by(code, repeated)
    if before is not None and not decorated and not run.is_home(function):
        assert arguments is not None
        given = inert.call(run, function, arguments, node)
        if given is not None:
            return _given_by(code, given)
    making, decisions = run.making, run.decisions
    if decorated:  # what runs around the function cannot be seen
        run.emit(Kind.HAVOC, node)
    if arguments is not None and run.stack and summaries.is_maker(run, function):
        return _given_by(code, summaries.not_followed(run, function, arguments, node))
    path: Path = []
    frame = follow(run, function, arguments, node, path)
    if code in run.blurred:
        path = summaries.without_recursion(path, code)
    if not run.is_away and not run.is_home(function):
        path = quiet.heard(run, function, arguments, path, node)
    if decorated:
        result = summaries.declared(run, function, node) or run.given(node, NO_TOKENS)
    else:
        result = summaries.returned(run, function, frame, node)
    followed = summaries.write_call(run, function, node, path)
    if followed is not None and isinstance(result, Iterable):
        result.call = followed
    made, decided = run.making > making, run.decisions > decisions
    summaries.remember(run, function, Summary(result, path, before, run.grad, made, decided))
    return _given_by(code, result)


def _makes_manager(decorator: Value) -> bool:
    return isinstance(decorator, Ref) and decorator.name in _MANAGERS


def _given_by(code: ast.AST, result: Value) -> Value:
    """What a call gives of which `result` is returned: `async` functions give what is to be awaited."""
    is_awaited = code.__class__ is ast.AsyncFunctionDef and not isinstance(result, Iterable)
    return Coroutine(result) if is_awaited else result


def follow(
    run: Run,
    function: Function,
    arguments: Arguments | None,
    node: ast.AST,
    path: Path,
    pause: Callable[[Value], None] | None = None,
) -> Frame:
    """Runs the body of a function, whose events go to `path`.

    Args:
        run: the interpretation.
        function: what is called.
        arguments: what it is given; None: unknown things.
        node: the call.
        path: where events go.
        pause: told of what `yield` gives, where that is; None where the generator's caller is not followed.
    """
    code = function.node
    grad: bool | Literal["same"] | None = "same"
    if function.decorators:
        is_plain = all(map(methods.is_plain_decorator, function.decorators))
        grad = methods.decorated_grad(run, function.decorators) if is_plain else None
    frame = Frame(code, parent=function.frame, pause=pause)
    run.activations.append(frame)
    frame_before, path_before, grad_before = run.frame, run.path, run.grad
    charged = run.begin_following(function, node)
    try:
        _bind_parameters(run, frame, function, arguments)
        run.frame, run.path = frame, path
        if grad != "same":
            run.grad = grad
        if isinstance(code, ast.Lambda):
            frame.returns.append(expressions.evaluate(run, code.body))
        elif not statements.run_block(run, code.body):  # a body that was cut short gives anything
            frame.returns.append(Const(None) if run.goes_on else Unknown())
    finally:
        run.frame, run.path = frame_before, path_before
        if grad != "same":
            run.grad = grad_before
        run.end_following(charged)
    run.frames[code] = frame
    return frame


def _bind_parameters(run: Run, frame: Frame, function: Function, arguments: Arguments | None) -> None:
    """Gives every parameter a value: the argument, its default, what its annotation says, or unknown."""
    args = function.node.args
    positional = [*args.posonlyargs, *args.args]
    given: dict[str, Value] = {}
    rest: list[Value] = []
    offset = 0
    if function.receiver is not None and positional:
        given[positional[0].arg] = function.receiver
        offset = 1
    if arguments is not None:
        for index, argument in enumerate(arguments.positional):
            if index + offset < len(positional):
                given[positional[index + offset].arg] = argument
            else:
                rest.append(argument)
        given.update(arguments.keywords)
    spread = arguments is not None and not arguments.complete
    value: Value | None
    for arg in [*positional, *args.kwonlyargs]:
        value = given.get(arg.arg)
        if value is None and arguments is not None and not spread:
            value = function.defaults.get(arg.arg)
        if value is None or has_unknown(value):
            value = _unknown_parameter(run, function, arg, value)
        frame.names[arg.arg] = value
        run.values.setdefault(arg, value)
    if args.vararg is not None:
        is_known = arguments is not None and not spread
        frame.names[args.vararg.arg] = Container("tuple", rest if is_known else None, [*rest])
    if args.kwarg is not None:
        named = {arg.arg for arg in [*positional, *args.kwonlyargs]}
        extra: dict[object, Value] = {k: v for k, v in given.items() if k not in named and k != "**"}
        inner = join(list(extra.values())) if extra else Unknown()
        frame.names[args.kwarg.arg] = Container(
            "dict", None, inner, extra, arguments is not None and not spread
        )


def _unknown_parameter(run: Run, function: Function, arg: ast.arg, value: Value | None) -> Value:
    """What a parameter is that nothing known is given for: what its annotation says, or convention."""
    if arg.annotation is not None:
        known = definitions.annotated(run, function, arg.annotation, arg)
        if isinstance(known, Unknown):
            return value or known
        default = function.defaults.get(arg.arg)
        known = join([known, default]) if default is not None and is_none(default) else known
        return known if value is None else filled(value, known)
    if methods.is_forward(function):
        return Tensor(attached=None, certain=False)
    return value or Unknown()


def call_instance(run: Run, instance: Instance, arguments: Arguments, node: ast.expr) -> Value:
    """`model(x)`, `criterion(out, y)`, or an object with `__call__`."""
    if isinstance(instance.cls, LocalClass):
        dunder = members.lookup(instance.cls, "__call__")
        if isinstance(dunder, Function):
            return call_function(run, bound(dunder, instance), arguments, node)
        if members.kind_of(instance) in ("Module", "Loss"):
            if run.patched_methods and methods.is_patched(run, "__call__"):
                return methods.call_patched(run, instance, arguments, node)
            return _call_local_module(run, instance, arguments, node)
        result = Unknown(tokens_of_all(arguments.all()))
        run.escape(node, [instance, *arguments.all()])
        return result
    return methods.call_torch_instance(run, instance, arguments, node)


def bound(function: Function, receiver: Value) -> Function:
    """A function found on a class, as it is seen on `receiver`."""
    method = members.bind(function, receiver)
    assert isinstance(method, Function)
    return method


def _call_local_module(run: Run, instance: Instance, arguments: Arguments, node: ast.expr) -> Value:
    assert isinstance(instance.cls, LocalClass)
    forward = instance.attributes.get("forward") or members.lookup(instance.cls, "forward")
    if isinstance(forward, Function):
        method = forward if "forward" in instance.attributes else bound(forward, instance)
        said = summaries.declared(run, method, node) if run.is_away and not run.is_home(method) else None
        result = call_function(run, method, arguments, node) if said is None else said
    elif submodules.is_container(instance):
        result = sequential.output(run, instance, arguments)
    else:
        if forward in run.entrusted:  # another file may have put anything in its place
            run.emit(Kind.HAVOC, node)
        result = Unknown(tokens_of_all(arguments.all()))
    result = methods.module_output(run, instance, result, node)
    run.emit(Kind.FORWARD, node, subject=instance, value=result)
    return result
