"""How many parameters a module has: a sum over its layers, silent unless all of them are certain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import layer_sizes, members, submodules
from torchlore.analysis.events import Kind
from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.names import words
from torchlore.analysis.notes.certainty import is_sure_of_arguments
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import is_none, options
from torchlore.analysis.run import Run
from torchlore.analysis.shapes.shape import count
from torchlore.analysis.tensors import dtype_named
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Function,
    Instance,
    LocalClass,
    Number,
    Ref,
    Tensor,
    Value,
)
from torchlore.text.nodes import nodes_in

_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
_STACKS = ("torch.nn.TransformerEncoder", "torch.nn.TransformerDecoder")
_CONTAINERS = ("torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict")
_BEHIND_THE_BACK = words(
    """
    add_module register_module setattr __setattr__ __dict__ vars delattr exec _modules
    _parameters load_state_dict
    """
)
"""Names by which a class may change which modules its objects have, unseen by us."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a module has when it is made.

    Attributes:
        parameters: how many numbers.
        dtype: of all of them; empty where they differ, or where that is not known.
    """

    parameters: int
    dtype: str


def size(run: Run, module: Value) -> Size | None:
    """The parameters of `module` as its constructors make them; None where that is not certain."""
    found: list[Size] = []
    try:
        _add(run, module, found, set())
    except NotKnown:
        return None
    dtypes = {part.dtype for part in found if part.parameters}
    return Size(sum(part.parameters for part in found), dtypes.pop() if len(dtypes) == 1 else "")


def told(size: Size) -> str:
    """ "235,146 parameters (940.6 kB in float32)"."""
    many = f"{size.parameters:,} parameter{'s' if size.parameters != 1 else ''}"
    if size.dtype not in _BYTES:
        return many
    return f"{many} ({_memory(size.parameters * _BYTES[size.dtype])} in {size.dtype})"


def _memory(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 999.95:
            return f"{f'{count:.1f}'.removesuffix('.0')} {unit}"
        count /= 1000
    return f"{f'{count:.1f}'.removesuffix('.0')} GB"


def _add(run: Run, module: Value, found: list[Size], seen: set[int]) -> None:
    """Adds `module` and what is in it. One that comes again may be shared, or made twice in one place."""
    if isinstance(module, Tensor) and module.parameter and id(module) not in seen:
        seen.add(id(module))
        found.append(Size(_numbers(module), module.dtype))
        return
    if not isinstance(module, Instance) or isinstance(module, submodules.Some):
        raise NotKnown
    if id(module) in seen:
        if _has_none(module):
            return
        raise NotKnown
    seen.add(id(module))
    if isinstance(module.cls, LocalClass):
        for part in _parts(run, module, module.cls):
            _add(run, part, found, seen)
        return
    if members.attributes(module) or module.arguments is None:
        raise NotKnown  # a weight may have been tied to another one
    if module.cls in _CONTAINERS:
        _add_children(run, module, found, seen)
    elif module.cls in _STACKS:
        _add_stack(run, module, module.arguments, found, seen)
    else:
        home, _, layer = module.cls.rpartition(".")
        if home != "torch.nn":
            raise NotKnown
        found.append(Size(layer_sizes.count(layer, module.arguments), _dtype(module.arguments)))


def _numbers(parameter: Tensor) -> int:
    many = None if parameter.shape is None else count(parameter.shape)
    if many is None:
        raise NotKnown
    return many


def _has_none(module: Instance) -> bool:
    """Whether it is a layer without parameters, of which it does not matter how often it comes."""
    home, _, layer = module.cls.rpartition(".") if isinstance(module.cls, str) else ("", "", "")
    return home == "torch.nn" and layer in layer_sizes.WITHOUT_PARAMETERS


def _add_children(run: Run, module: Instance, found: list[Size], seen: set[int]) -> None:
    children = submodules.children(module)
    if children is None:
        raise NotKnown
    for child in children:
        _add(run, child, found, seen)


def _add_stack(run: Run, stack: Instance, given: Arguments, found: list[Size], seen: set[int]) -> None:
    """`nn.TransformerEncoder(layer, n, norm)` holds n copies of the layer, and the norm itself."""
    times = given.get(1, "num_layers")
    if not given.complete or not isinstance(times, Const) or type(times.value) is not int:
        raise NotKnown
    one: list[Size] = []
    _add(run, given.get(0, "encoder_layer") or given.get(0, "decoder_layer") or Number(), one, set())
    found += one * times.value
    norm = given.get(2, "norm")
    if norm is not None and not is_none(norm):
        _add(run, norm, found, seen)


def _dtype(given: Arguments) -> str:
    """The dtype of a layer's parameters. Where nothing is said that is torch's default."""
    said = given.keywords.get("dtype")
    return "float32" if said is None or is_none(said) else dtype_named(said)


def _parts(run: Run, module: Instance, cls: LocalClass) -> Iterator[Value]:
    """The modules and parameters that the constructor of a class of the workspace sets on its objects."""
    if (
        not _is_plain_module(cls)
        or not is_sure_of_arguments(module, cls)
        or _is_changed_later(run, module, cls)
    ):
        raise NotKnown
    surely: set[str] = set()
    perhaps: set[str] = set()
    for current in members.mro(cls):
        _stores(current, surely, perhaps)
    if not surely | perhaps <= module.attributes.keys() or not all(
        _is_no_module(module.attributes[name]) for name in perhaps
    ):
        raise NotKnown
    for _, value in members.attributes(module):
        if not _is_no_module(value):
            yield value


def _is_plain_module(cls: LocalClass) -> bool:
    """Whether nothing but `nn.Module` and classes of the workspace makes an object of the class."""
    bases = members.imported_bases(cls)
    names = {base.name for base in bases if isinstance(base, Ref)}
    made_plainly = all(current.maker is None and not current.decorators for current in members.mro(cls))
    return (
        len(bases) == len([b for b in bases if isinstance(b, Ref)])
        and made_plainly
        and ("torch.nn.Module" in names and names <= {"torch.nn.Module", "builtins.object", "abc.ABC"})
    )


def _is_changed_later(run: Run, module: Instance, cls: LocalClass) -> bool:
    """Whether a module or parameter is set on the object by code outside of its class."""
    own = {node for current in members.mro(cls) for node in nodes_in(current.node)}
    events = (event for root in run.roots for event in root.of(Kind.REGISTER))
    return any(event.subject is module and event.node not in own for event in events)


def _stores(cls: LocalClass, surely: set[str], perhaps: set[str]) -> None:
    """The attributes of `self` that a class sets: whenever an object is made, or at times.

    Raises:
        NotKnown: it may set others.
    """
    named = {node: name for node in nodes_in(cls.node) if (name := _registered(node))}
    functions = {node.func for node in named if isinstance(node, ast.Call)}
    for node in nodes_in(cls.node):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        is_unseen = name == "register_parameter" and node not in functions
        if (
            name in _BEHIND_THE_BACK
            or is_unseen
            or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Del))
        ):
            raise NotKnown
    for method in cls.node.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        is_maker = method.name == "__init__"
        for statement in method.body:
            is_simple = isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr | ast.AugAssign)
            if is_maker and not is_simple and any(isinstance(n, ast.Return) for n in nodes_in(statement)):
                raise NotKnown
            (surely if is_maker and is_simple else perhaps).update(_stored(method, statement))


def _stored(method: ast.FunctionDef | ast.AsyncFunctionDef, statement: ast.stmt) -> Iterator[str]:
    arguments = [*method.args.posonlyargs, *method.args.args]
    own = arguments[0].arg if arguments else ""
    for node in nodes_in(statement):
        if _registered(node):
            yield _registered(node)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == own:
                yield node.attr
            else:  # `self.encoder.weight = self.decoder.weight`: of what, is for the layer to say
                continue


def _registered(node: ast.AST) -> str:
    """The name that `self.register_parameter("name", …)` writes out; empty where it is none."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="self"), attr="register_parameter"),
            args=[ast.Constant(value=str() as name), *_],
        ):
            return name
        case _:
            return ""


def _is_no_module(value: Value) -> bool:
    """Whether a module registers nothing when this is set on it."""
    return all(
        isinstance(option, Const | Number | Plain | Ref | Function | LocalClass | Container)
        or (isinstance(option, Tensor) and option.certain and not option.parameter)
        or (isinstance(option, Instance) and members.kind_of(option) in ("Device", "Dataset", "DataLoader"))
        for option in options(value)
    )
