"""Calls of the libraries that `libraries` knows: what they give, and what happens on the way.

The words of the table for what something gives:

    nothing, number, unknown    as they say
    object                      a new object of the class, or of the class that a method is called on
    receiver, first, all        what it is called on; its first argument (or the one that `over` and `at`
                                name); its arguments, in order
    tensor                      a tensor computed from the arguments, graph and all
    tensor new                  a tensor without a graph
    tensor by convention        most likely a tensor: good for a hover, not for a finding
    tensor like first           its first argument reshaped, where that is a tensor
    like first                  its first argument with other tensors in it, alike but for their values
    context                     a context manager that leaves grad mode alone
    as torch.…                  what that function of torch gives (and does) with the same arguments
    a dotted name               an object of that class, or the result of that name
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import copy

from torchlore.analysis import functions, libraries, members, methods, plain, targets
from torchlore.analysis.events import Kind
from torchlore.analysis.libraries import Fact
from torchlore.analysis.names import words
from torchlore.analysis.queries import join, options, reachable, tokens_of, tokens_of_all
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Instance,
    LocalClass,
    Number,
    Ref,
    Tensor,
    Unknown,
    Value,
)

ITEMS = "[]"
"""The attribute under which a result holds what indexing it gives."""

_OF_MODULES = words(
    """
    __call__ add_module apply bfloat16 buffers children compile cpu cuda double eval float forward get_buffer
    get_parameter get_submodule half load_state_dict modules named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_module register_parameter requires_grad_
    reset_parameters share_memory state_dict to to_empty train type xpu zero_grad
    """
)
"""Methods of every module, and the one that all layers have which begin with random numbers.

What a library's module has beside them may do anything to it.
"""


def call(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value | None:
    """Calls a class or function by its dotted name. None where the table does not know it."""
    made = libraries.family(name)
    if made is not None:
        functions.call_back(run, arguments, node)
        if not made.hands_off:
            run.escape(node, list(arguments.all()))
        return _object(run, name, arguments, node)
    fact = libraries.function(name)
    if fact is None:
        return None
    return _apply(run, fact, name, None, arguments, node)


def call_method(
    run: Run, receiver: Instance, name: str, arguments: Arguments, node: ast.expr
) -> Value | None:
    """Calls a method of an object whose class is one of a library, or derives from one.

    Returns:
        What it gives; None where torch's own rules, or those of unknown classes, say it.
    """
    cls = _library_class(receiver)
    known = libraries.family(cls)
    if known is None:
        return None
    fact = known.methods.get(name)
    if fact is not None:
        return _apply(run, fact, f"{cls}.{name}", receiver, arguments, node)
    if isinstance(receiver.cls, LocalClass) or (known.base.startswith("torch.") and name in _OF_MODULES):
        return None
    if known.base.startswith("torch.") and not members.is_module_like(receiver):
        return None  # optimizers, datasets and loaders: torch's own methods
    functions.call_back(run, arguments, node)
    if not known.hands_off or members.is_module_like(receiver):
        run.escape(node, [receiver, *arguments.all()])
    return Unknown(_tokens(receiver, arguments), made_by=f"{cls}.{name}")


def output(run: Run, instance: Instance, arguments: Arguments, node: ast.expr) -> Value | None:
    """What calling an object of a library's class gives. None where the table does not know the class."""
    assert isinstance(instance.cls, str)
    known = libraries.family(instance.cls)
    if known is None:
        return None
    functions.call_back(run, arguments, node)
    fact = known.output or Fact("unknown")
    made = instance.arguments
    if made is not None and fact.unless and not (made.complete and fact.unless.isdisjoint(made.keywords)):
        fact = Fact("unknown")
    if not _is_met(fact, arguments):
        fact = Fact("unknown")
    if libraries.fields(fact.gives):
        tensor: Value = Tensor(attached=False, certain=False)
        if members.is_module_like(instance):
            tensor = methods.module_output(run, instance, _tensor(arguments, None, certain=False), node)
        return _result(fact.gives, tensor, node)
    return _given(run, fact, instance.cls, instance, arguments, node)


def _is_met(fact: Fact, arguments: Arguments) -> bool:
    """Whether a call has the keywords on which a fact depends."""
    given = ((arguments.keywords.get(name), literal) for name, literal in fact.when)
    return all(isinstance(value, Const) and value.value == literal for value, literal in given)


def attribute(owner: Instance, attr: str, node: ast.AST) -> Value | None:
    """An attribute of an object of a library's class. None where the table does not know it."""
    known = libraries.family(_library_class(owner))
    fact = known.attributes.get(attr) if known is not None else None
    if fact is None:
        return None
    match fact.gives:
        case "number":
            return Number()
        case "tensor by convention":
            return Tensor(certain=False, tokens=_tokens(owner, None))
        case "unknown":
            return Unknown()
        case name:
            return Instance(name, node)


def _library_class(value: Instance) -> str:
    """The library's class that an object is of: its own, or the first one that its class derives from."""
    if isinstance(value.cls, str):
        return value.cls
    bases = (base.name for base in members.imported_bases(value.cls) if isinstance(base, Ref))
    return next((name for name in bases if libraries.family(name) is not None), "")


def _apply(
    run: Run, fact: Fact, name: str, receiver: Instance | None, arguments: Arguments, node: ast.expr
) -> Value:
    functions.call_back(run, arguments, node)
    if not fact.unless.isdisjoint(arguments.keywords) or not _is_met(fact, arguments):
        return Unknown(_tokens(receiver, arguments), made_by=name)
    for effect in fact.does:
        _happen(run, effect, receiver, fact, arguments, node)
    result = _given(run, fact, name, receiver, arguments, node)
    if "eval" in fact.does and isinstance(result, Instance):
        run.emit(Kind.EVAL, node, subject=result)
    return result


def _happen(
    run: Run, effect: str, receiver: Instance | None, fact: Fact, arguments: Arguments, node: ast.expr
) -> None:
    first = arguments.get(fact.at, fact.over)
    match effect:
        case "backward":
            keeps = not {"retain_graph", "create_graph"}.isdisjoint(arguments.keywords)
            run.emit(Kind.BACKWARD, node, subject=first, value=first, keeps_graph=keeps)
        case "perhaps clear":
            run.branch(node, [lambda: bool(run.emit(Kind.CLEAR, node)), lambda: False])  # type: ignore[func-returns-value]
        case "freeze receiver":
            targets.freeze(run, node, receiver, Unknown())
        case "freeze first":
            for option in options(first) if first is not None else ():
                targets.freeze(run, node, option, Unknown())
        case "set attributes" if receiver is not None:
            _set_attributes(run, receiver, arguments.keywords, node)


def _set_attributes(run: Run, owner: Instance, values: Mapping[str, Value], node: ast.expr) -> None:
    for attr, value in values.items():
        run.emit(Kind.RESET, node, key=(owner, attr))
        known = owner.attributes.get(attr)
        owner.attributes[attr] = value if known is None else join([known, value])


def _given(
    run: Run, fact: Fact, name: str, receiver: Instance | None, arguments: Arguments, node: ast.expr
) -> Value:
    first = arguments.get(fact.at, fact.over)
    match fact.gives:
        case "nothing":
            return Const(None)
        case "number":
            return Number()
        case "unknown" | "context":
            return Unknown(_tokens(receiver, arguments), made_by=name)
        case "object":
            cls = name.rpartition(".")[0]
            return _object(run, cls, arguments, node)
        case "receiver" if receiver is not None:
            return receiver
        case "first" if first is not None and not (fact.otherwise and isinstance(first, Unknown)):
            return first
        case "first" if fact.otherwise:
            return Instance(fact.otherwise, node)
        case "all":
            return _all(arguments, fact.then)
        case "tensor":
            return _tensor(arguments, receiver, certain=True)
        case "tensor new":
            return Tensor(attached=False)
        case "tensor by convention":
            attached = False if run.grad is False else None
            return Tensor(attached, certain=False, tokens=_tokens(receiver, arguments))
        case "tensor like first":
            return _reshaped(first) if first is not None else Unknown()
        case "like first":
            return _alike(first) if first is not None else Unknown()
        case word if word.startswith("as "):
            return functions.call_imported(run, word.removeprefix("as "), arguments, node)
        case word if "." in word:
            return _made(run, word, fact, receiver, arguments, node)
        case _:
            return Unknown(_tokens(receiver, arguments))


def _object(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Instance:
    made = Instance(name, node, arguments)
    run.emit(Kind.RESET, node, key=made)
    return made


def _made(
    run: Run, name: str, fact: Fact, receiver: Instance | None, arguments: Arguments, node: ast.expr
) -> Value:
    outside = plain.of_class(name)
    if outside is not None:
        return outside
    if libraries.fields(name):
        attached = False if run.grad is False else None
        return _result(name, Tensor(attached, certain=False, tokens=_tokens(receiver, arguments)), node)
    if not fact.over:
        return Instance(name, node)
    over = arguments.get(fact.at, fact.over)
    return Instance(name, node, Arguments([over] if over is not None else [], {}, complete=over is not None))


def _result(name: str, tensor: Value, node: ast.AST) -> Instance:
    """An object whose attributes are the outputs of a model; what they were made from stays known."""
    held = {attr: _held(word, tensor, node) for attr, word in libraries.fields(name).items()}
    return Instance(name, node, attributes=held)


def _held(word: str, tensor: Value, node: ast.AST) -> Value:
    match word:
        case "tensor":
            return copy(tensor)
        case "tensors":
            return Container("tuple", None, copy(tensor))
        case _:
            return Instance(word, node, attributes={ITEMS: tensor})


def _all(arguments: Arguments, then: str) -> Value:
    values = list(arguments.positional)
    if not arguments.complete or not values:
        return Unknown(tokens_of_all(arguments.all()))
    if len(values) == 1:
        return values[0]
    last = arguments.keywords.get(then)
    values += [last] if last is not None else []
    return Container("tuple", values, join(values))


def _tensor(arguments: Arguments, receiver: Instance | None, certain: bool) -> Tensor:
    inputs = [option for argument in arguments.all() for option in options(argument)]
    return Tensor(functions.attached(inputs), certain, tokens=_tokens(receiver, arguments))


def _reshaped(value: Value) -> Value:
    if isinstance(value, Tensor):
        return Tensor(value.attached, value.certain, tokens=value.tokens)
    return Unknown(tokens_of(value))


def _alike(value: Value) -> Value:
    """Tensors of the same make, gathered from elsewhere: where that was one process, graph and all."""
    match value:
        case Tensor(attached=attached, certain=certain, tokens=tokens):
            return Tensor(None if attached else attached, certain, tokens=tokens)
        case Container(kind=kind, items=items, element=element, keyed=keyed):
            parts = None if items is None else [_alike(item) for item in items]
            return Container(kind, parts, _alike(element), {key: _alike(part) for key, part in keyed.items()})
        case Const() | Number():
            return Number()
        case _:
            return Unknown(tokens_of(value))


def _tokens(receiver: Value | None, arguments: Arguments | None) -> frozenset[ast.AST]:
    parts = list(arguments.all()) if arguments is not None else []
    if receiver is not None:
        parts += [part for part in reachable(receiver, depth=1) if isinstance(part, Tensor)]
    return tokens_of_all(parts)
