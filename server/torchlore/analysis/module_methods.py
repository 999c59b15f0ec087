"""Methods of `torch.nn.Module`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial

from torchlore.analysis import calls, expressions, loops, parameters, plain, submodules, targets
from torchlore.analysis.events import Kind
from torchlore.analysis.names import words
from torchlore.analysis.queries import join
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    Params,
    Tensor,
    Unknown,
    Value,
)

_MODULE_MOVES = words(
    """
    to cuda cpu float double half bfloat16 type requires_grad_ share_memory apply to_empty xpu ipu
    """
)


def call_module_method(run: Run, module: Instance, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of `torch.nn.Module`."""
    if name in ("forward", "__call__"):
        return calls.call_instance(run, module, arguments, node)
    if name == "zero_grad":
        run.emit(Kind.CLEAR, node, subject=module)
        return Const(None)
    if name in ("train", "eval"):
        run.emit(_mode(name, arguments), node, subject=module)
        return module
    if name == "requires_grad_":
        flag = arguments.get(0, "requires_grad")
        targets.freeze(run, node, module, flag or Const(True))
        return module
    if name in _MODULE_MOVES:
        _apply(run, module, arguments, node)
        return module
    if name == "compile":  # in place
        return Const(None)
    if name == "state_dict":
        return _state_dict(run, module, node)
    if name == "load_state_dict":
        run.emit(Kind.LOAD_STATE, node, subject=module, value=arguments.get(0, "state_dict"))
        return Unknown()
    found = _PARTS.get(name)
    if found is not None:
        return found(module, arguments)
    if name in ("add_module", "register_module", "register_buffer", "register_parameter"):
        return _register(run, module, name, arguments, node)
    if name in ("append", "insert", "extend") and arguments.positional:
        submodules.add(module, arguments.positional[-1])
        return module
    if name == "pop" and module.arguments is not None:
        module.arguments.complete = False
        return submodules.any_child(module)
    if name.startswith("register_") and "hook" in name:
        run.escape(node, list(arguments.all()))
    return Unknown()


def _apply(run: Run, module: Instance, arguments: Arguments, node: ast.expr) -> None:
    """`model.apply(function)` calls it with every module."""
    given = Arguments([submodules.some(module)], {})
    for function in arguments.all():
        if isinstance(function, Function):
            loops.loop(run, node, partial(_calls, run, function, given, node))


def _calls(run: Run, function: Function, given: Arguments, node: ast.expr) -> bool:
    calls.call_function(run, function, given, node)
    return False


def _register(run: Run, module: Instance, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """`add_module`, `register_buffer`, `register_parameter`: sets an attribute by its name."""
    value = arguments.get(1, {"register_buffer": "tensor", "register_parameter": "param"}.get(name, "module"))
    run.emit(Kind.REGISTER, node, subject=module, value=value)
    key = arguments.get(0, "name")
    if name == "register_buffer" and isinstance(value, Unknown):
        value = Tensor()  # torch accepts nothing else
    if isinstance(key, Const) and isinstance(key.value, str) and value is not None:
        run.changes += 1
        known = module.attributes.get(key.value)
        module.attributes[key.value] = value if known is None else join([known, value])
    return Const(None)


def _named(inner: Value) -> Value:
    return Iterable(Container("tuple", [plain.STR, inner], inner))


def _parameters(module: Instance, arguments: Arguments) -> Value:
    return parameters.of(module)


def _named_parameters(module: Instance, arguments: Arguments) -> Value:
    return _named(parameters.of(module))


def _buffers(module: Instance, arguments: Arguments) -> Value:
    return Iterable(Tensor(attached=False))


def _named_buffers(module: Instance, arguments: Arguments) -> Value:
    return _named(Tensor(attached=False))


def _modules(module: Instance, arguments: Arguments) -> Value:
    return Iterable(submodules.some(module))


def _named_modules(module: Instance, arguments: Arguments) -> Value:
    return _named(submodules.some(module))


def _children(module: Instance, arguments: Arguments) -> Value:
    return Iterable(submodules.any_of(module))


def _named_children(module: Instance, arguments: Arguments) -> Value:
    return _named(submodules.any_of(module))


def _state_dict(run: Run, module: Instance, node: ast.expr) -> Value:
    """The tensors of a module themselves, not copies: the same ones when a loop comes by again."""
    key = (node, run.context, "state_dict")
    known = run.made.setdefault(key, Container("dict", None, Tensor(attached=False)))
    run.emit(Kind.STATE, node, subject=module, value=known)
    return known


def _get_submodule(module: Instance, arguments: Arguments) -> Value:
    path = arguments.get(0, "target")
    if isinstance(path, Const) and isinstance(path.value, str):
        return submodules.at(module, path.value.split("."))
    return submodules.some(module)


def _get_parameter(module: Instance, arguments: Arguments) -> Value:
    return Params(frozenset({module}), one=True)


def _get_buffer(module: Instance, arguments: Arguments) -> Value:
    return Tensor(attached=False)


def _keys(module: Instance, arguments: Arguments) -> Value:
    return Iterable(plain.STR)


def _values(module: Instance, arguments: Arguments) -> Value:
    return Iterable(submodules.any_child(module))


def _items(module: Instance, arguments: Arguments) -> Value:
    return Iterable(submodules.named(module))


_PARTS: dict[str, Callable[[Instance, Arguments], Value]] = {
    "parameters": _parameters,
    "named_parameters": _named_parameters,
    "buffers": _buffers,
    "named_buffers": _named_buffers,
    "modules": _modules,
    "named_modules": _named_modules,
    "children": _children,
    "named_children": _named_children,
    "get_submodule": _get_submodule,
    "get_parameter": _get_parameter,
    "get_buffer": _get_buffer,
    "keys": _keys,
    "values": _values,
    "items": _items,
}
"""Methods that give a part of a module."""


def _mode(name: str, arguments: Arguments) -> Kind:
    if name == "eval":
        return Kind.EVAL
    flag = arguments.get(0, "mode")
    holds = True if flag is None else expressions.truth(flag)
    return Kind.MODE if holds is None else Kind.TRAIN if holds else Kind.EVAL
