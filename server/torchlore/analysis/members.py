"""Attributes of values, methods along a class's bases, and which kind of thing a value is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from functools import lru_cache

from torchlore.analysis import (
    calls,
    imports,
    libraries,
    library_calls,
    loaders,
    parameters,
    plain,
    pulling,
    summaries,
    torch_attributes,
    torch_facts,
    torch_names,
)
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import is_none
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    BoundMethod,
    Const,
    Container,
    Function,
    Grads,
    Instance,
    LocalClass,
    LocalModule,
    Number,
    OneOf,
    Params,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
)


def attribute(run: Run, owner: Value, attr: str, node: ast.Attribute) -> Value:
    """`owner.attr`, read."""
    if isinstance(owner, Ref):  # these two are most of them: a `match` costs more than what it leads to
        patched = run.patched.get(f"{owner.name}.{attr}") if run.patched else None
        return patched or torch_names.member(owner.name, attr)
    if isinstance(owner, Instance):
        return _instance_attribute(run, owner, attr, node)
    match owner:
        case LocalModule():
            return imports.attribute(run, owner, attr)
        case LocalClass():
            found = lookup(owner, attr)
            if isinstance(found, Function) and _is_classmethod(found):
                return bind(found, owner)
            if found is None and attr == "apply" and is_autograd_function(owner):
                return BoundMethod(owner, attr)
            return found if found is not None else Unknown()
        case Super(receiver=receiver, cls=cls):
            found = _super_attribute(receiver, cls, attr)
            return found if found is not None else BoundMethod(owner, attr)
        case Tensor():
            return torch_attributes.of_tensor(owner, attr, node)
        case Params():
            return torch_attributes.of_parameters(owner, attr, node)
        case Grads() if attr in ("data", "grad"):
            return owner
        case Plain(kind=kind):
            return plain.attribute(kind, attr) or BoundMethod(owner, attr)
        case Container(kind="tuple", keyed=keyed) if attr in keyed:
            return keyed[attr]
        case Number():
            return plain.attribute("number", attr) or BoundMethod(owner, attr)
        case Function() if attr in ("__name__", "__doc__", "__qualname__", "__module__"):
            return plain.STR
        case Unknown() if attr == "grad":
            return Grads(None)
        case _:
            return BoundMethod(owner, attr)


def _instance_attribute(run: Run, owner: Instance, attr: str, node: ast.Attribute) -> Value:
    if attr in owner.attributes:
        held = owner.attributes[attr]
        is_placeholder = held.__class__ is Const and owner.node.__class__ is ast.ClassDef and is_none(held)
        return pulling.put_in_place(run, owner, attr, held) if is_placeholder else held
    if isinstance(owner.cls, LocalClass):
        found = lookup(owner.cls, attr)
        if isinstance(found, Function) and _is_property(found):
            getter = Function(found.node, found.frame, found.owner, owner, found.defaults, found.decorators)
            return _declared_plain(run, getter, node) or calls.call_function(run, getter, None, node)
        if found is not None:
            return bind(found, owner)
    known = library_calls.attribute(owner, attr, node)
    if known is not None:
        return known
    return pulling.set_elsewhere(run, owner, attr) or _by_kind(owner, attr) or BoundMethod(owner, attr)


def cannot_have(owner: Value, attr: str) -> bool:
    """Whether an object is a member of an enumeration that defines no attribute of this name."""
    if not isinstance(owner, Instance) or not isinstance(owner.cls, LocalClass) or not is_enum(owner.cls):
        return False
    return (
        attr not in owner.attributes and lookup(owner.cls, attr) is None and attr.strip("_") not in _OF_ENUMS
    )


_OF_ENUMS = ("name", "value", "class", "dict", "doc", "module")


def _declared_plain(run: Run, getter: Function, node: ast.Attribute) -> Value | None:
    """What an imported property says that it is, where it does not matter which one: a number, a device."""
    if run.is_home(getter):
        return None
    said = summaries.declared(run, getter, node)
    is_plain = isinstance(said, Number | Plain) or kind_of(said or getter) == "Device"
    return said if is_plain or (isinstance(said, Container) and said.kind == "dict") else None


def _by_kind(owner: Instance, attr: str) -> Value | None:
    """What torch says that an attribute of its own objects is."""
    match kind_of(owner):
        case "Optimizer":
            return torch_attributes.of_optimizer(owner, attr)
        case "Module" | "Loss":
            return torch_attributes.of_module(owner, attr, class_name(owner))
        case "Scheduler" if attr == "optimizer":
            return parameters.optimizer_of(owner)
        case "DataLoader" | "Dataset" | "Sampler":
            return loaders.attribute(owner, attr)
        case "Device":
            return torch_attributes.of_device(owner, attr)
        case _ if isinstance(owner.cls, LocalClass) and attr == "__class__":
            return owner.cls
        case _ if owner.cls in ("types.SimpleNamespace", "argparse.Namespace"):
            return Unknown()  # any code may have set it
        case _ if attr == "__dict__":
            return Container("dict", None, Unknown(), dict[object, Value](attributes(owner)))
        case _:
            return None


def bind(value: Value, receiver: Value) -> Value:
    """`value`, found on a class, as it is seen on an object of it."""
    if not isinstance(value, Function) or value.owner is None:
        return value
    if value.decorators:
        names = {d.name for d in value.decorators if isinstance(d, Ref)}
        if "builtins.staticmethod" in names:
            return value
        is_of_class = "builtins.classmethod" in names
        if is_of_class and isinstance(receiver, Instance) and isinstance(receiver.cls, LocalClass):
            receiver = receiver.cls
    return Function(
        value.node, value.frame, value.owner, receiver, value.defaults, value.decorators, value.stands_for
    )


def _is_classmethod(function: Function) -> bool:
    return _is_decorated(function, ("builtins.classmethod",))


def _is_property(function: Function) -> bool:
    return _is_decorated(function, ("builtins.property", "functools.cached_property"))


def _is_decorated(function: Function, names: tuple[str, ...]) -> bool:
    if not function.decorators:
        return False
    return any(isinstance(d, Ref) and d.name in names for d in function.decorators)


def mro(cls: LocalClass) -> tuple[LocalClass, ...]:
    """The classes of the workspace that an attribute is looked up in, in Python's order."""
    if not cls.order:
        cls.order = _linear(cls, ())
    return cls.order


def _linear(cls: LocalClass, below: tuple[LocalClass, ...]) -> tuple[LocalClass, ...]:
    """C3 linearization; where there is none (Python raises), or a class is its own base, depth first."""
    bases = [base for base in cls.bases if isinstance(base, LocalClass) and base not in (*below, cls)]
    lines = [list(_linear(base, (*below, cls))) for base in bases]
    lines.append(list(bases))
    order = [cls]
    while any(lines):
        lines = [line for line in lines if line]
        tails = {id(c) for line in lines for c in line[1:]}
        head = next((line[0] for line in lines if id(line[0]) not in tails), lines[0][0])
        order.append(head)
        lines = [[c for c in line if c is not head] for line in lines]
    return tuple(order)


def _super_attribute(receiver: Value, cls: LocalClass, attr: str) -> Value | None:
    """What `super().attr` in a method of `cls` is; None where no class of the workspace says."""
    order = mro(
        receiver.cls if isinstance(receiver, Instance) and isinstance(receiver.cls, LocalClass) else cls
    )
    order = order if cls in order else mro(cls)
    here = order.index(cls)
    for base in order[here + 1 :]:
        if attr in base.attributes:
            if attr == "__init__" and _stands_behind_torch(order, here, base):
                return None
            return bind(base.attributes[attr], receiver)
    return None


def _stands_behind_torch(order: tuple[LocalClass, ...], here: int, base: LocalClass) -> bool:
    """Whether a class of torch comes between two in the order of lookup: its constructor calls no other.

    In `class Net(nn.Module, Mixin)` the constructor of `nn.Module` comes first, and does not call Mixin's.
    """
    if lookup(order[0], "call_super_init") is not None:
        return False  # with that set it does
    for current in order[here:]:
        is_behind = False
        for parent in current.bases:
            if isinstance(parent, Ref) and kind_of_class(parent) in _WITH_CONSTRUCTORS:
                is_behind = True
            elif is_behind and isinstance(parent, LocalClass) and base in mro(parent):
                return True
    return False


_WITH_CONSTRUCTORS = ("Module", "Loss", "Optimizer", "Scheduler", "DataLoader")
"""Kinds of torch's classes that have a constructor of their own; a `Dataset` has none."""


def lookup(cls: LocalClass, attr: str) -> Value | None:
    """An attribute of a class of this file, through its bases of this file."""
    for current in mro(cls):
        if attr in current.attributes:
            return current.attributes[attr]
    return None


def is_autograd_function(cls: LocalClass) -> bool:
    """Whether `cls` is an operation with a backward of its own."""
    bases = imported_bases(cls)
    return any(isinstance(base, Ref) and base.name == "torch.autograd.Function" for base in bases)


def is_named_tuple(cls: LocalClass) -> bool:
    """Whether objects of `cls` are tuples of their fields."""
    return any(
        isinstance(base, Ref) and base.name in ("typing.NamedTuple", "builtins.tuple")
        for base in imported_bases(cls)
    )


def is_enum(cls: LocalClass) -> bool:
    """Whether `cls` is an enumeration."""
    return any(isinstance(base, Ref) and base.name in _ENUMS for base in imported_bases(cls))


def derives(cls: str | LocalClass, base: LocalClass) -> bool:
    """Whether a class is `base`, or derives from it."""
    return isinstance(cls, LocalClass) and any(part is base for part in mro(cls))


def imported_bases(cls: LocalClass) -> tuple[Value, ...]:
    """Bases of `cls`, and of its bases, that are not classes of this file."""
    if cls.beyond is None:
        every = (base for current in mro(cls) for base in current.bases)
        cls.beyond = tuple(base for base in every if not isinstance(base, LocalClass))
    return cls.beyond


def is_open(cls: LocalClass) -> bool:
    """Whether some base of `cls` is code that we cannot see: it may do anything to its attributes."""
    for base in imported_bases(cls):
        if not isinstance(base, Ref):
            return True
        package = base.name.partition(".")[0]
        if (
            package not in ("builtins", "torch", "typing_extensions")
            and package not in sys.stdlib_module_names
        ):
            return True
    return False


def kind_of_class(cls: Value) -> str:
    """ "Module", "Optimizer", …: what objects of a class are (the kinds of snippet holes)."""
    match cls:
        case Ref(name=name):
            return _kind_by_name(name)
        case LocalClass():
            kinds = [_kind_by_name(b.name) for b in imported_bases(cls) if isinstance(b, Ref)]
            return next((kind for kind in kinds if kind != "Unknown"), "Unknown")
        case _:
            return "Unknown"


_KINDS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (torch_facts.is_optimizer, "Optimizer"),
    (torch_facts.is_scheduler, "Scheduler"),
    (torch_facts.is_scaler, "GradScaler"),
    (torch_facts.is_loader, "DataLoader"),
    (torch_facts.is_dataset, "Dataset"),
    (torch_facts.is_sampler, "Sampler"),
    (torch_facts.is_loss, "Loss"),
    (torch_facts.is_module, "Module"),
    (lambda name: name == "torch.device", "Device"),
    (lambda name: name in ("torch.Tensor", "torch.nn.Parameter"), "Tensor"),
)
"""The first that holds of a class's dotted name says what its objects are: every loss is a module too."""


@lru_cache(maxsize=4096)
def _kind_by_name(name: str) -> str:
    known = libraries.family(name)
    if known is not None:
        return known.kind or (_kind_by_name(known.base) if known.base.startswith("torch.") else "Unknown")
    return next((kind for is_kind, kind in _KINDS if is_kind(name)), "Unknown")


def kind_of(value: Value) -> str:
    """The kind of a value; "Unknown" where its alternatives differ."""
    if isinstance(value, Instance):
        return _kind_by_name(value.cls) if isinstance(value.cls, str) else kind_of_class(value.cls)
    match value:
        case Tensor():
            return "Tensor"
        case Number():
            return "Number"
        case Const(value=literal) if isinstance(literal, int | float) and not isinstance(literal, bool):
            return "Number"
        case OneOf(options=parts):
            kinds = {kind_of(part) for part in parts if not (isinstance(part, Const) and part.value is None)}
            return kinds.pop() if len(kinds) == 1 else "Unknown"
        case _:
            return "Unknown"


def may_be_false(value: Instance) -> bool:
    """Whether an object may be taken for false: it has a length, or says itself whether it is true."""
    if isinstance(value.cls, LocalClass):
        if lookup(value.cls, "__bool__") is not None or lookup(value.cls, "__len__") is not None:
            return True
        return is_open(value.cls) or any(
            _has_length(b.name) for b in imported_bases(value.cls) if isinstance(b, Ref)
        )
    return _has_length(value.cls)


def _has_length(name: str) -> bool:
    if name in _ENUMS or name in _EMPTY:
        return name != "enum.Enum"
    kind = _kind_by_name(name)
    return kind in ("DataLoader", "Dataset") or name.rpartition(".")[2] in _CONTAINERS


_ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"))

_EMPTY = frozenset(f"builtins.{name}" for name in ("list", "dict", "set", "tuple", "str", "int", "float"))
"""Builtins whose objects, and those of classes that derive from them, may be false."""

_CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"})


def is_module_like(value: Value) -> bool:
    """Modules, losses and metrics: what can be called, trained, evaluated, moved."""
    return kind_of(value) in ("Module", "Loss", "Metric")


def class_name(value: Instance) -> str:
    """The dotted torch name behind an object: its class, or the torch class that its class derives from."""
    if isinstance(value.cls, str):
        return value.cls
    for base in imported_bases(value.cls):
        if isinstance(base, Ref) and (base.name.startswith("torch.") or libraries.torch_base(base.name)):
            return base.name
    return ""


def attributes(value: Instance) -> list[tuple[str, Value]]:
    """What was set on an object, by name. Names that begin with a space are the analysis' own."""
    return [(name, part) for name, part in value.attributes.items() if not name.startswith(" ")]


def submodules(value: Instance) -> list[Value]:
    """The modules set as attributes of a module."""
    parts = [part for _, part in attributes(value)]
    if value.arguments is not None:
        parts += list(value.arguments.all())
    return [p for p in parts if isinstance(p, Instance | Container | OneOf)]
