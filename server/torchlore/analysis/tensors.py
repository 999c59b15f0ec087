"""What becomes of a tensor's dtype and device."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable as ManyOf
from copy import copy

from torchlore.analysis import tensor_facts
from torchlore.analysis.events import Kind
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    NO_TOKENS,
    Arguments,
    Const,
    Container,
    Instance,
    Iterable,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Token,
    Unknown,
    Value,
)

FLOATING = tensor_facts.FLOATING

_DEVICE = re.compile(r"\A[a-z]+(?::\d+)?\Z")

_DEFAULT = " default"
"""Begins the names under which a module's frame keeps torch's defaults: no variable is called so."""


def like(tensor: Tensor, attached: bool | None, tokens: frozenset[Token]) -> Tensor:
    """The same tensor as `tensor` but for its graph and what it was made from."""
    return Tensor(
        attached,
        tensor.certain,
        tensor.activation,
        tensor.made_at,
        tokens,
        dtype=tensor.dtype,
        device=tensor.device,
        made_by=tensor.made_by,
        shape=tensor.shape,
    )


def keep_past(run: Run, tensor: Tensor) -> None:
    """A tensor is about to be changed in place: places that it was seen at show it as it was."""
    past = copy(tensor)
    for node, value in run.values.items():
        if value is tensor:
            run.values[node] = past


def change_leaf(run: Run, node: ast.AST, value: Value) -> bool:
    """Tells that `value` is changed in place, if it is a leaf that requires gradients; whether it is one."""
    tensor = of_parameter(value) if isinstance(value, Params) and value.one else value
    if not isinstance(tensor, Tensor) or not tensor.leaf or tensor.attached is not True:
        return False
    run.emit(Kind.CHANGE, node, subject=value)
    return True


def forget_shape(run: Run, tensor: Tensor) -> None:
    """A tensor gets another shape in place."""
    if tensor.shape is not None:
        keep_past(run, tensor)
        tensor.shape = None


def dtype_named(value: Value | None) -> str:
    """The dtype that an argument names; empty where it is none, or not known."""
    match value:
        case Ref(name=name):
            head, _, last = name.rpartition(".")
            if head == "torch" and last in tensor_facts.DTYPES:
                return last
            if head == "torch":
                return tensor_facts.CASTS.get(last, "") or tensor_facts.LEGACY_TYPES.get(last, "")
            if head == "torch.cuda":
                return tensor_facts.LEGACY_TYPES.get(last, "")
            return tensor_facts.PYTHON_TYPES.get(name, "")
        case Const(value=str() as text) if text.startswith("torch."):
            return dtype_named(Ref(text))
        case _:
            return ""


def device_named(value: Value | None) -> str:
    """The device that an argument names: "cuda:0", "cpu or cuda" of several; empty if unknown."""
    match value:
        case Const(value=str() as text):
            return text if _DEVICE.match(text) else ""
        case Const(value=int() as index) if not isinstance(index, bool):
            return f"cuda:{index}"
        case Instance(cls="torch.device", arguments=Arguments() as arguments):
            kind, number = arguments.get(0, "type"), arguments.get(1, "index")
            if number is None:
                return device_named(kind)
            if isinstance(kind, Const) and isinstance(number, Const):
                return f"{kind.value}:{number.value}"
            return ""
        case OneOf():
            names = {device_named(option) for option in options(value)}
            return "" if "" in names else " or ".join(sorted(names))
        case _:
            return ""


def common_dtype(tensors: ManyOf[Tensor]) -> str:
    """The dtype of a result that promotes those of `tensors`; empty where that is not certain."""
    found = {tensor.dtype for tensor in tensors}
    if len(found) == 1:
        return found.pop()
    if not found or "" in found:
        return ""
    return _promoted(found)


def _promoted(dtypes: set[str]) -> str:
    """Between categories the higher one wins. Within one the number of dimensions has a say: not known."""
    for category in (tensor_facts.FLOATING, tensor_facts.WHOLE):
        inside = dtypes & category
        if inside and dtypes <= category | tensor_facts.WHOLE | {"bool"}:
            return inside.pop() if len(inside) == 1 else ""
    return ""


def common_device(tensors: ManyOf[Tensor]) -> str:
    """Where the result of an operation on `tensors` is: a CPU scalar may join in with tensors elsewhere."""
    found = {tensor.device for tensor in tensors}
    if len(found) == 1:
        return found.pop()
    definite = {device for device in found if device and " or " not in device and device != "cpu"}
    return definite.pop() if len(definite) == 1 else ""


def result_dtype(name: str, tensors: list[Tensor], arguments: Arguments) -> str:
    """The dtype of what a function or method called `name` gives for `tensors`."""
    asked = arguments.keywords.get("dtype")
    if asked is not None and not _is_none(asked):
        return dtype_named(asked)
    if name in tensor_facts.GIVE_BOOL:
        return "bool"
    if name in tensor_facts.GIVE_INT64:
        return "int64"
    if name in tensor_facts.CASTS:
        return tensor_facts.CASTS[name]
    if name in tensor_facts.KEEP:
        dtype = common_dtype(tensors)
        mixed = name in tensor_facts.ARITHMETIC and dtype not in tensor_facts.FLOATING
        return "" if mixed and any(is_number(argument) for argument in arguments.all()) else dtype
    if name in tensor_facts.KEEP_FLOAT:
        dtype = common_dtype(tensors)
        return dtype if dtype in ("float32", "float64") else ""
    return ""


def indices(name: str, arguments: Arguments, device: str) -> Iterable | None:
    """The tensors, one for each dimension, that `nonzero(as_tuple=True)` and `where(condition)` give."""
    if name == "nonzero":
        apart = arguments.keywords.get("as_tuple", Const(False))
        several = not (isinstance(apart, Const) and apart.value is False)
    else:
        several = name == "where" and arguments.complete and len(arguments.all()) == 1
    return Iterable(Tensor(False, dtype="int64", device=device)) if several else None


def result_device(tensors: list[Tensor], arguments: Arguments) -> str:
    """Where what a function or method gives for `tensors` is."""
    asked = arguments.keywords.get("device")
    if asked is not None and not _is_none(asked):
        return device_named(asked)
    return common_device(tensors)


def moved(tensor: Tensor, arguments: Arguments) -> tuple[str, str]:
    """Dtype and device after `tensor.to(…)`."""
    dtype, device = tensor.dtype, tensor.device
    if not arguments.complete:
        return "", ""
    for argument in [*arguments.positional[:2], *_named(arguments, "other")]:
        if isinstance(argument, Tensor):
            dtype, device = argument.dtype, argument.device
        elif dtype_named(argument):
            dtype = dtype_named(argument)
        elif _is_device(argument):
            device = device_named(argument)
        elif not _is_flag(argument):  # a dtype or a device that is not known
            dtype, device = "", ""
    for argument in _named(arguments, "dtype"):
        dtype = dtype_named(argument) or (dtype if _is_none(argument) else "")
    for argument in _named(arguments, "device"):
        device = device_named(argument) or (device if _is_none(argument) else "")
    return dtype, device


def _named(arguments: Arguments, name: str) -> list[Value]:
    found = arguments.keywords.get(name)
    return [found] if found is not None else []


def _is_device(value: Value) -> bool:
    return all(
        (isinstance(option, Instance) and option.cls == "torch.device")
        or (
            isinstance(option, Const)
            and isinstance(option.value, str | int)
            and not isinstance(option.value, bool)
        )
        for option in options(value)
    )


def _is_flag(value: Value) -> bool:
    return isinstance(value, Const) and (value.value is None or isinstance(value.value, bool))


def _is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def factory_dtype(run: Run, name: str, arguments: Arguments) -> str:
    """The dtype of what a factory such as `torch.zeros` gives."""
    asked = arguments.keywords.get("dtype")
    if asked is not None and not _is_none(asked):
        return dtype_named(asked)
    if name in tensor_facts.GIVE_INT64:
        return "int64"
    if name in tensor_facts.DEFAULT_FLOAT:
        return default_dtype(run)
    if name == "full":
        return _dtype_of_literals(run, [arguments.get(1, "fill_value") or Unknown()])
    if name == "arange":
        numbers = [
            *arguments.positional,
            *(arguments.keywords.get(n, Const(0)) for n in ("start", "end", "step")),
        ]
        return _dtype_of_literals(run, numbers)
    if name in ("tensor", "as_tensor", "asarray", "scalar_tensor") and arguments.positional:
        return _dtype_of_literals(run, [arguments.positional[0]])
    return ""


def _dtype_of_literals(run: Run, values: list[Value], depth: int = 4) -> str:
    """The dtype that torch infers of numbers, and of lists of them."""
    found: set[str] = set()
    for value in values:
        match value:
            case Const(value=bool()):
                found.add("bool")
            case Const(value=int()):
                found.add("int64")
            case Const(value=float()):
                found.add("float")
            case Tensor(dtype=dtype) if len(values) == 1:
                return dtype
            case Container(items=list() as items, kind="list" | "tuple") if items and depth:
                inner = _dtype_of_literals(run, items, depth - 1)
                found.add("float" if inner == default_dtype(run) else inner)
            case _:
                return ""
    if "float" in found and found <= {"float", "int64", "bool"}:
        return default_dtype(run)
    return next((dtype for dtype in ("int64", "bool") if dtype in found), "") if "" not in found else ""


def factory_device(run: Run, arguments: Arguments) -> str:
    """Where what a factory gives is."""
    asked = arguments.keywords.get("device")
    return device_named(asked) if asked is not None and not _is_none(asked) else ""


def graphs_left(node: ast.AST, given: ManyOf[Value], depth: int = 3) -> frozenset[Token]:
    """What marks a tensor that `node` makes of numbers of tensors: it leaves the graphs of these behind.

    Empty where none of them may carry one.
    """
    for value in given:
        match value:
            case Tensor(attached=attached) if attached is not False:
                return frozenset({node})
            case Container(kind="list" | "tuple", items=items) if depth:
                if graphs_left(node, items or [value.element], depth - 1):
                    return frozenset({node})
    return NO_TOKENS


def default_dtype(run: Run) -> str:
    """What torch's default dtype is now.

    It is known where the module itself runs: whoever calls a function that nothing in the file calls
    may have set
    another one.
    """
    if run.roots:
        return ""
    chosen = run.frame.outermost.names.get(f"{_DEFAULT} dtype")
    return "float32" if chosen is None else dtype_named(chosen)


def set_default_dtype(run: Run, value: Value) -> None:
    """`torch.set_default_dtype(value)`, and `set_default_tensor_type`."""
    run.frame.outermost.names[f"{_DEFAULT} dtype"] = value if dtype_named(value) else Unknown()


def scalar_dtype(tensor: Tensor, scalar: Value, op: ast.operator | None) -> str:
    """The dtype of arithmetic between a tensor and a Python number."""
    if isinstance(op, ast.Pow):
        return tensor.dtype if tensor.dtype in ("float32", "float64") else ""
    if tensor.dtype in tensor_facts.FLOATING:
        return tensor.dtype
    whole = isinstance(scalar, Const) and type(scalar.value) is int and isinstance(op, _WHOLE_OPERATORS)
    return tensor.dtype if whole and tensor.dtype in tensor_facts.WHOLE else ""


_WHOLE_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)
"""Operators that keep whole numbers whole."""


def is_number(value: Value) -> bool:
    return isinstance(value, Number) or (isinstance(value, Const) and isinstance(value.value, int | float))


def is_size(value: Value) -> bool:
    """Whether an argument of `view` is a size, or several, and not a dtype."""
    return is_number(value) or isinstance(value, Container)


def recorded(run: Run, result: Value) -> Value:
    """The result of an operation, without its graph where operations are not recorded."""
    if run.grad is True or not isinstance(result, Tensor) or result.attached is False:
        return result
    return like(result, graph(run, result.attached), result.tokens)


def graph(run: Run, attached: bool | None) -> bool | None:
    """Whether the result of an operation on such inputs carries a graph in the present grad mode."""
    if run.grad is True or not attached:
        return attached if run.grad is not False else False
    return None if run.grad is None else False


def with_graph(result: Value, attached: bool | None) -> Value:
    """What an operation gives, its tensors with such a graph: those of whole numbers have none."""
    match result:
        case Tensor(dtype=dtype):
            has = attached if not dtype or dtype in tensor_facts.CARRY_GRAPH else False
            return like(result, has, result.tokens)
        case Container(kind="tuple", items=list() as items):
            parts = [with_graph(part, attached) for part in items]
            return Container("tuple", parts, with_graph(result.element, attached))
        case OneOf(options=alternatives):
            return OneOf(tuple(with_graph(option, attached) for option in alternatives))
        case _:
            return result


def of_parameter(parameter: Params) -> Tensor:
    """The tensor that a parameter of a module is."""
    owners = parameter.owners
    trained = owners is not None and all(isinstance(o, Instance) and o.frozen is False for o in owners)
    return Tensor(True if trained else None, leaf=True)
