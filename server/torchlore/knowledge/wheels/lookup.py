"""Whether a dotted name exists in the torch of a wheel, and what it is."""

from __future__ import annotations

import builtins
import re
import sys
from dataclasses import dataclass, field, replace
from enum import Enum

from torchlore.knowledge.wheels.bindings import Class, Function, Module, Reference, Value, read_module
from torchlore.knowledge.wheels.source import Wheel


class State(Enum):
    """What the text of a wheel says of a name."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """The answer about one name.

    Attributes:
        thing: what it is, None where only its existence is known.
        home: the dotted name of its definition; of a module, its name. "" where that is not known.
        is_stubbed: whether only a hand-written stub says that it exists: stubs were completed over time.
    """

    state: State
    thing: Module | Class | Function | Value | None = None
    home: str = ""
    is_stubbed: bool = False


_ABSENT = Found(State.ABSENT)
_UNKNOWN = Found(State.UNKNOWN)
_PRESENT = Found(State.PRESENT)
_GENERATED_STUBS = ("torch._C._VariableFunctions", "torch._C._nn")
_GENERATED_CLASSES = ("TensorBase", "_TensorBase")


@dataclass(slots=True)
class Torch:
    """The modules of one wheel, read when something in them is first looked up."""

    wheel: Wheel
    modules: dict[str, Module] = field(default_factory=dict)
    answers: dict[str, Found] = field(default_factory=dict)
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    pending: set[tuple[str, str]] = field(default_factory=set)


def find(torch: Torch, name: str) -> Found:
    """Look up a dotted name that begins with `torch`, in any public or private spelling."""
    if name not in torch.answers:
        torch.answers[name] = _look_up(torch, name)
    return torch.answers[name]


def module_of(torch: Torch, name: str) -> Module:
    """The bindings of a module that the wheel has."""
    if name not in torch.modules:
        wheel = torch.wheel
        torch.modules[name] = read_module(
            name, name in wheel.packages, wheel.python.get(name), wheel.stubs.get(name)
        )
    return torch.modules[name]


def maker(torch: Torch, found: Found) -> Function | None:
    """The function that a call of the thing runs: itself, or what makes an instance of the class."""
    if isinstance(found.thing, Function):
        return found.thing if found.thing.kind == "function" else None
    if not isinstance(found.thing, Class) or found.thing.is_dataclass:
        return None
    for name in ("__init__", "__new__"):
        made_by = _in_class(torch, found.thing, name, is_stubbed=False)
        if made_by.state is not State.ABSENT:
            return made_by.thing if isinstance(made_by.thing, Function) else None
    return None


def parent_classes(torch: Torch, cls: Class) -> list[tuple[Class, bool]]:
    """The bases of a class that are classes of torch, and whether a hand-written stub describes each."""
    module = module_of(torch, cls.module)
    bases = (_in_scope(torch, module, base) for base in cls.bases if base)
    return [(base.thing, base.is_stubbed) for base in bases if isinstance(base.thing, Class)]


def mentions(torch: Torch, module: str, word: str) -> bool:
    """Whether a word stands anywhere in the files of a module; False where there is no such module."""
    if module not in torch.words:
        texts = (torch.wheel.python.get(module, ""), torch.wheel.stubs.get(module, ""))
        torch.words[module] = frozenset(re.findall(r"\w+", " ".join(texts)))
    return word in torch.words[module]


def _look_up(torch: Torch, name: str) -> Found:
    owner, _, last = name.rpartition(".")
    if not owner:
        return Found(State.PRESENT, module_of(torch, "torch"), "torch") if name == "torch" else _ABSENT
    found = _member(torch, find(torch, owner), last)
    if found.state is not State.PRESENT and torch.wheel.has_module(owner):
        # A function that its package imports can hide the module that it comes from.
        found = _in_module(torch, module_of(torch, owner), last)
    return found


def _member(torch: Torch, owner: Found, name: str) -> Found:
    if isinstance(owner.thing, Module):
        return _in_module(torch, owner.thing, name)
    if isinstance(owner.thing, Class):
        return _in_class(torch, owner.thing, name, owner.is_stubbed)
    return _ABSENT if owner.state is State.ABSENT else _UNKNOWN


def _in_module(torch: Torch, module: Module, name: str) -> Found:
    if (module.name, name) in torch.pending:  # modules that import from each other
        return _UNKNOWN
    torch.pending.add((module.name, name))
    try:
        return _bound(torch, module, name)
    finally:
        torch.pending.discard((module.name, name))


def _bound(torch: Torch, module: Module, name: str) -> Found:
    if name in module.names:
        binding = module.names[name]
        is_stubbed = name in module.stubbed and module.name not in _GENERATED_STUBS
        if isinstance(binding, Reference):
            found = _referred(torch, module, binding, name)
            # What an import names exists, or the import would fail.
            return found if found.state is State.PRESENT else _PRESENT
        return Found(State.PRESENT, binding, f"{module.name}.{name}", is_stubbed)
    is_unsure = False
    for star in module.stars:
        found = _through_star(torch, star, name)
        if found.state is State.PRESENT:
            return found
        is_unsure = is_unsure or found.state is State.UNKNOWN
    inner = f"{module.name}.{name}"
    if torch.wheel.has_module(inner):
        return Found(State.PRESENT, module_of(torch, inner), inner)
    if module.name == "torch":
        # Its loops bind what the stubs list, and a few names that stand in strings.
        is_quoted = re.search(rf"""(["'])_*{re.escape(name)}\1""", torch.wheel.python["torch"])
        return _UNKNOWN if is_quoted else _ABSENT
    return _UNKNOWN if module.is_dynamic or is_unsure else _ABSENT


def _through_star(torch: Torch, star: str, name: str) -> Found:
    if not torch.wheel.has_module(star):
        return _UNKNOWN
    source = module_of(torch, star)
    if source.listed is not None and name not in source.listed:
        return _UNKNOWN if source.is_dynamic else _ABSENT
    if source.listed is None and name.startswith("_"):
        return _ABSENT
    found = _in_module(torch, source, name)
    is_inner = isinstance(found.thing, Module) and source.listed is None
    return _ABSENT if is_inner else found


def _referred(torch: Torch, module: Module, reference: Reference, name: str) -> Found:
    target = reference.target
    found = _in_scope(torch, module, target, name) if reference.is_local else _absolute(torch, target)
    if reference.doc and isinstance(found.thing, Function):
        described = replace(found.thing, doc=reference.doc)
        return Found(State.PRESENT, described, f"{module.name}.{name}", found.is_stubbed)
    return found


def _absolute(torch: Torch, target: str) -> Found:
    """What an import names: a submodule even where a package does not bind it."""
    if target.partition(".")[0] != "torch":
        return _PRESENT
    home, _, last = target.rpartition(".")
    if home and torch.wheel.has_module(home):
        found = _in_module(torch, module_of(torch, home), last)
        if found.thing is not None:
            return found
    if torch.wheel.has_module(target):
        return Found(State.PRESENT, module_of(torch, target), target)
    return _PRESENT


def _in_scope(torch: Torch, module: Module, dotted: str, asking: str = "") -> Found:
    """A dotted expression of a module's code."""
    first, _, rest = dotted.partition(".")
    if first == asking:
        return _PRESENT
    found = _in_module(torch, module, first)
    if found.state is not State.PRESENT and hasattr(builtins, first):
        return _PRESENT
    for part in rest.split(".") if rest else ():
        found = _member(torch, found, part)
    return found


def _in_class(torch: Torch, cls: Class, name: str, is_stubbed: bool) -> Found:
    seen: set[str] = set()
    is_unsure = False
    pending: list[tuple[Class, bool]] = [(cls, is_stubbed)]
    while pending:
        owner, owner_is_stubbed = pending.pop(0)
        home = f"{owner.module}.{owner.name}"
        if home in seen:
            continue
        seen.add(home)
        if name in owner.members:
            member = owner.members[name]
            thing = member if isinstance(member, Function | Class | Value) else None
            return Found(State.PRESENT, thing, f"{home}.{name}", owner_is_stubbed)
        parents = parent_classes(torch, owner)
        pending += parents
        is_unsure = is_unsure or len(parents) < sum(not _is_bare(torch, owner, base) for base in owner.bases)
        # Hand-written stubs leave members out; that of the tensor is generated.
        is_unsure = is_unsure or (owner_is_stubbed and owner.name not in _GENERATED_CLASSES)
        is_unsure = is_unsure or (owner.is_dataclass and name == "__init__")
    return _UNKNOWN if is_unsure else _ABSENT


def _is_bare(torch: Torch, cls: Class, base: str) -> bool:
    """Whether a base that is no class of torch comes from Python itself: it has no members of torch's."""
    module = module_of(torch, cls.module)
    first, _, _ = base.partition(".")
    binding = module.names.get(first)
    if isinstance(binding, Reference) and not binding.is_local:
        return _is_of_python(binding.target)
    return binding is None and bool(base) and hasattr(builtins, first)


def _is_of_python(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names | {"typing_extensions"}
