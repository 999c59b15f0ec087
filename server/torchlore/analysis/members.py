"""Attributes of values, methods along a class's bases, and which kind of thing a value is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache

from torchlore.analysis import calls, imports, libraries, library_calls, pulling, torch_facts
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Batch,
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
    match owner:
        case Ref(name=name):
            return Ref(f"{name}.{attr}")
        case LocalModule():
            return imports.attribute(run, owner, attr)
        case Instance():
            return _instance_attribute(run, owner, attr, node)
        case LocalClass():
            found = lookup(owner, attr)
            return found if found is not None else Unknown()
        case Super(receiver=receiver, cls=cls):
            for base in _after(receiver, cls):
                if attr in base.attributes:
                    return bind(base.attributes[attr], receiver)
            return BoundMethod(owner, attr)
        case Tensor():
            return _tensor_attribute(owner, attr)
        case Params(owners=owners) if attr == "grad":
            return Grads(owners)
        case Grads() if attr in ("data", "grad"):
            return owner
        case Params() if attr in ("data", "requires_grad", "shape", "device", "dtype"):
            return Unknown() if attr != "data" else owner
        case Batch():
            return BoundMethod(owner, attr)
        case Params() | Grads() | Container() | BoundMethod() | Number() | Const():
            return BoundMethod(owner, attr)
        case Function() if attr in ("__name__", "__doc__", "__qualname__"):
            return Const("")
        case Unknown() if attr == "grad":
            return Grads(None)
        case _:
            return BoundMethod(owner, attr)


def _instance_attribute(run: Run, owner: Instance, attr: str, node: ast.Attribute) -> Value:
    if attr in owner.attributes:
        return owner.attributes[attr]
    if isinstance(owner.cls, LocalClass):
        found = lookup(owner.cls, attr)
        if isinstance(found, Function) and _is_property(found):
            getter = Function(found.node, found.frame, found.owner, owner, found.defaults, found.decorators)
            return calls.call_function(run, getter, None, node)
        if found is not None:
            return bind(found, owner)
    known = library_calls.attribute(owner, attr, node)
    if known is not None:
        return known
    kind = kind_of(owner)
    if kind == "Optimizer" and attr == "param_groups":
        return Container(
            "list", None, Container("dict", None, Unknown(), {"params": Params(frozenset({owner}))})
        )
    pulled = pulling.set_elsewhere(run, owner, attr)
    if pulled is not None:
        return pulled
    if kind == "Module" and attr in ("module", "_orig_mod"):  # what DDP(…), torch.compile(…) stand for
        return owner
    if kind == "Module" and attr in ("weight", "bias"):
        return Params(frozenset({owner}), one=True)
    return BoundMethod(owner, attr)


def _tensor_attribute(owner: Tensor, attr: str) -> Value:
    match attr:
        case "data":
            return Tensor(
                attached=False, certain=owner.certain, activation=owner.activation, made_at=owner.made_at
            )
        case "grad":
            return Grads(None)
        case "T" | "mT" | "H" | "mH" | "real" | "imag":
            return Tensor(owner.attached, owner.certain, tokens=owner.tokens)
        case "ndim" | "itemsize" | "nbytes":
            return Number()
        case "shape" | "device" | "dtype" | "layout" | "grad_fn" | "is_leaf" | "requires_grad" | "is_cuda":
            return Unknown()
        case _:
            return BoundMethod(owner, attr)


def bind(value: Value, receiver: Value) -> Value:
    """`value`, found on a class, as it is seen on an object of it."""
    if not isinstance(value, Function) or value.owner is None:
        return value
    names = {d.name for d in value.decorators if isinstance(d, Ref)}
    if "builtins.staticmethod" in names:
        return value
    if "builtins.classmethod" in names:
        receiver = value.owner
    return Function(value.node, value.frame, value.owner, receiver, value.defaults, value.decorators)


def _is_property(function: Function) -> bool:
    return any(
        isinstance(d, Ref) and d.name in ("builtins.property", "functools.cached_property")
        for d in function.decorators
    )


def mro(cls: LocalClass) -> Iterator[LocalClass]:
    """The classes of this file that an attribute is looked up in: `cls`, then its bases, depth first."""
    seen: set[int] = set()
    stack = [cls]
    while stack:
        current = stack.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        stack = [b for b in current.bases if isinstance(b, LocalClass)] + stack


def _after(receiver: Value, cls: LocalClass) -> list[LocalClass]:
    """The classes that `super()` in a method of `cls` looks at."""
    order = list(
        mro(receiver.cls if isinstance(receiver, Instance) and isinstance(receiver.cls, LocalClass) else cls)
    )
    return order[order.index(cls) + 1 :] if cls in order else list(mro(cls))[1:]


def lookup(cls: LocalClass, attr: str) -> Value | None:
    """An attribute of a class of this file, through its bases of this file."""
    for current in mro(cls):
        if attr in current.attributes:
            return current.attributes[attr]
    return None


def imported_bases(cls: LocalClass) -> Iterator[Value]:
    """Bases of `cls`, and of its bases, that are not classes of this file."""
    for current in mro(cls):
        yield from (base for base in current.bases if not isinstance(base, LocalClass))


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
    match value:
        case Instance(cls=str() as name):
            return _kind_by_name(name)
        case Instance(cls=LocalClass() as cls):
            return kind_of_class(cls)
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


def submodules(value: Instance) -> list[Value]:
    """The modules set as attributes of a module."""
    parts = list(value.attributes.values())
    if value.arguments is not None:
        parts += list(value.arguments.all())
    return [p for p in parts if isinstance(p, Instance | Container | OneOf)]
