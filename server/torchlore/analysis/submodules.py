"""What is in `nn.Sequential`, `ModuleList`, `ModuleDict` and their kin."""

from __future__ import annotations

from dataclasses import dataclass

from torchlore.analysis import containers, members, torch_facts, unpacking
from torchlore.analysis.queries import join, options
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Instance,
    Iterable,
    OneOf,
    Params,
    Unknown,
    Value,
)

_SOME = " some"
"""The attribute under which a module keeps the stand-in for any of its parts: no attribute is called so."""

_LISTS = {"torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ParameterList"}
_DICTS = {"torch.nn.ModuleDict", "torch.nn.ParameterDict"}


def is_container(module: Instance) -> bool:
    """Whether `module` is one of torch's containers, or of a class that derives from one."""
    return members.class_name(module) in _LISTS | _DICTS


def children(module: Instance) -> list[Value] | None:
    """The items of a container in order; None where they are not all known."""
    if module.arguments is None or not module.arguments.complete:
        return None
    given = module.arguments.positional
    if members.class_name(module) == "torch.nn.Sequential":
        if _set_later(module):  # what is registered afterwards runs as well
            return None
        if len(given) != 1 or not isinstance(given[0], Container):
            return list(given)
        return list(given[0].keyed.values()) or [value for _, value in containers.known_pairs(given[0])]
    if not given:
        return []
    first = given[0]
    if not isinstance(first, Container):
        return None
    if first.kind == "dict":
        return list(first.keyed.values()) or None
    return list(first.items) + list(given[1:]) if first.items is not None else None


def alternatives(module: Instance) -> tuple[Value, ...] | None:
    """What each of the items of a container may be; None where some of them are not known."""
    if module.arguments is None:
        return None
    found = options(join(_inside(module)))
    return None if any(isinstance(part, Unknown) for part in found) else found


def _inside(module: Instance) -> list[Value]:
    """The items of a container as far as they are known, alone or several in one."""
    given = module.arguments.all() if module.arguments is not None else ()
    return [_inner(value) for value in [*given, *_set_later(module)]]


def any_child(module: Instance) -> Value:
    """Any one of the items of a container."""
    parts = [part for part in _inside(module) if not isinstance(part, Unknown)]
    if not parts:
        return Unknown()
    found = join(parts)
    if isinstance(found, Unknown) and all(map(_is_module, parts)):
        return some(module)
    return found


@dataclass(eq=False, repr=False, slots=True)
class Some(Instance):
    """A module inside of another one, or that itself: it is not known which.

    Attributes:
        whole: the other one. It holds this one, and not the other way round.
    """

    whole: Instance | None = None


def some(module: Instance, name: str = "torch.nn.Module") -> Instance:
    """Some module inside of `module`, or itself, of the class called `name`, where it is not known which."""
    key = _SOME if name == "torch.nn.Module" else f"{_SOME} {name}"
    stand_in = module.attributes.get(key)
    if not isinstance(stand_in, Instance):
        stand_in = module.attributes[key] = Some(name, module.node, whole=module)
    return stand_in


def parts(module: Instance) -> list[Instance] | None:
    """Every module inside of `module`, itself first; None where these are not all known."""
    if not isinstance(module.cls, str) or _set_later(module):
        return None
    inner = [] if torch_facts.is_plain_layer(module.cls) else children(module)
    if inner is None or not (torch_facts.is_plain_layer(module.cls) or is_container(module)):
        return None
    found = [module]
    for part in inner:
        below = parts(part) if isinstance(part, Instance) else None
        if below is None:
            return None
        found += below
    return list(dict.fromkeys(found))


def any_of(module: Instance) -> Value:
    """Any one of the modules that were set as attributes of `module`, or are its items."""
    if is_container(module):
        return any_child(module)
    parts = [part for part in members.submodules(module) if _is_module(part)]
    if (
        not parts
        or any(isinstance(part, Container) for part in parts)
        or members.class_name(module) != "torch.nn.Module"
    ):
        return some(module)
    found = join(parts)
    return some(module) if isinstance(found, Unknown) else found


def at(module: Instance, path: list[str]) -> Value:
    """The module that a path such as `["encoder", "0"]` leads to."""
    current: Value = module
    for name in path:
        if not isinstance(current, Instance):
            return some(module)
        if name in current.attributes:
            current = current.attributes[name]
        elif name.isdecimal() and is_container(current):
            current = item(current, Const(int(name)))
        else:
            return some(module)
    return current


def _inner(value: Value) -> Value:
    match value:
        case Container():
            found = containers.any_item(value)
            return _inner(found) if isinstance(found, Container) and found.kind == "tuple" else found
        case Iterable() | Params():
            return unpacking.element(value)
        case _:
            return value


def _set_later(module: Instance) -> list[Value]:
    return [value for name, value in members.attributes(module) if _is_module(value)]


def _is_module(value: Value) -> bool:
    return all(members.is_module_like(option) or isinstance(option, Container) for option in options(value))


def item(module: Instance, key: Value) -> Value:
    """`module[key]`: an item of a container, or a part of it."""
    name = members.class_name(module)
    if isinstance(key, Const):
        if name in _LISTS and isinstance(key.value, int):
            known = children(module)
            if known is not None and -len(known) <= key.value < len(known):
                return known[key.value]
        if name in _DICTS and isinstance(key.value, str):
            found = _keyed(module, key.value)
            if found is not None:
                return found
        return any_child(module)
    return any_child(module)


def _keyed(module: Instance, key: str) -> Value | None:
    if key in module.attributes:
        return module.attributes[key]
    for value in module.arguments.positional if module.arguments is not None else ():
        if isinstance(value, Container) and key in value.keyed:
            return value.keyed[key]
    return None


def part(module: Instance, bounds: Value) -> Instance:
    """`module[a:b]`: a container of some of its items. The module keeps it: who has the one has the other."""
    known = children(module) if isinstance(bounds, Const) and isinstance(bounds.value, slice) else None
    if known is not None and isinstance(bounds, Const) and isinstance(bounds.value, slice):
        inside: Value = Container("list", known[bounds.value], join(known))
        is_list = members.class_name(module) != "torch.nn.Sequential"
        arguments = Arguments([inside] if is_list else known[bounds.value], {})
    else:
        inside = any_child(module)
        given = list(inside.options) if isinstance(inside, OneOf) else [inside]
        arguments = Arguments(given, {}, complete=False)
    made = Instance(module.cls, module.node, arguments)
    module.attributes[f"{_SOME} slice"] = made
    return made


def add(module: Instance, value: Value) -> None:
    """`append`, `insert` or `extend`: perhaps on one branch only, so that the items are no longer certain."""
    if module.arguments is None:
        module.arguments = Arguments([], {})
    module.arguments.positional.append(value)
    module.arguments.complete = False


def named_child(module: Instance, name: str) -> Value | None:
    """An item of a Sequential that was made with names; None where no item is known to have that one."""
    given = module.arguments.positional if module.arguments is not None else []
    if members.class_name(module) != "torch.nn.Sequential" or len(given) != 1:
        return None
    first = given[0]
    if not isinstance(first, Container):
        return None
    pairs = [(k.value, v) for k, v in containers.known_pairs(first) if isinstance(k, Const)]
    return {**first.keyed, **dict(pairs)}.get(name)


def replace_item(module: Instance, key: Value, value: Value, is_tentative: bool) -> None:
    """`module[key] = value`: a layer is replaced, or filled in by its name."""
    known = children(module)
    index = key.value if isinstance(key, Const) else None
    if isinstance(index, str) and members.class_name(module) in _DICTS:
        before = _keyed(module, index)
        module.attributes[index] = join([before, value]) if before is not None and is_tentative else value
    elif type(index) is int and known is not None and -len(known) <= index < len(known) and not is_tentative:
        known[index] = value
        is_list = members.class_name(module) != "torch.nn.Sequential"
        given: list[Value] = [Container("list", known, join(known))] if is_list else known
        module.arguments = Arguments(given, {})
    elif module.arguments is not None:
        add(module, value)


def named(module: Instance) -> Value:
    """What `items()` of a ModuleDict yields."""
    inner = any_child(module)
    first = module.arguments.positional[0] if module.arguments and module.arguments.positional else None
    key = containers.keys(first) if isinstance(first, Container) and first.kind == "dict" else Unknown()
    return Container("tuple", [key, inner], inner)
