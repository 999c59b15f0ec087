"""Which names of the torch of a wheel are public, and what the members of its classes are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torchlore_agent.symbol_index.modules import is_for_users
from torchlore_agent.symbol_index.names import DOORS, NOISE

from torchlore.knowledge.wheels.bindings import Class, Function, Module, Value
from torchlore.knowledge.wheels.lookup import Found, State, Torch, find, module_of, parent_classes


def public_names(torch: Torch) -> dict[str, list[str]]:
    """The public names of a wheel's torch: canonical name, and every public spelling, that one first."""
    by_definition: dict[str, list[str]] = {}
    wheel = torch.wheel
    for name in sorted({*wheel.python, *wheel.packages}):
        if name == "torch" or (name.startswith("torch.") and is_for_users(name)):
            by_definition.setdefault(name, []).insert(0, name)
            for spelling, found in _public_in(torch, module_of(torch, name)):
                by_definition.setdefault(found.home or spelling, []).append(spelling)
    public: dict[str, list[str]] = {}
    for home, spellings in by_definition.items():
        own_name = home.rpartition(".")[2]
        ordered = sorted(dict.fromkeys(spellings), key=lambda spelling: _preference(spelling, own_name))
        public[ordered[0]] = ordered
    return public


def passed_on(torch: Torch, targets: Mapping[str, str], defined: Mapping[str, str]) -> dict[str, str]:
    """Further spellings of names: what packages pass on, what modules import from their package.

    They are not public, and yet people write them: `torch.distributed._tensor.DTensor`.

    Args:
        targets: the canonical name of every known spelling.
        defined: the canonical name of what is defined in a place.
    """
    spelled: dict[str, str] = {}
    for name in sorted({*torch.wheel.python, *torch.wheel.packages}):
        module = module_of(torch, name)
        for last in _bound_names(torch, module):
            spelling = f"{name}.{last}"
            if name == "torch" or spelling in targets or last.startswith("__"):
                continue
            found = find(torch, spelling)
            target = targets.get(found.home) or defined.get(found.home)
            if (
                target is None
                or target.rpartition(".")[2] != last
                or not isinstance(found.thing, Class | Function)
            ):
                continue
            package = name.rpartition(".")[0]
            if module.is_package or (package != "torch" and found.home.startswith(f"{package}.")):
                spelled[spelling] = target
    return spelled


def members(torch: Torch, cls: Class, known: set[str]) -> Iterator[str]:
    """The public members of a class: its own, and those of bases that are not in `known` by definition."""
    pending = [cls]
    seen: set[str] = set()
    while pending:
        owner = pending.pop(0)
        home = f"{owner.module}.{owner.name}"
        if home in seen:
            continue
        seen.add(home)
        yield from (name for name in owner.members if not name.startswith("_"))
        pending += [
            parent
            for parent, _ in parent_classes(torch, owner)
            if f"{parent.module}.{parent.name}" not in known
        ]


def _public_in(torch: Torch, module: Module) -> Iterator[tuple[str, Found]]:
    """As the symbol index takes it: what `__all__` lists; without it, what is defined here or passed on."""
    for name in module.listed if module.listed is not None else _bound_names(torch, module):
        if name.startswith("_") or name in NOISE:
            continue
        spelling = f"{module.name}.{name}"
        found = find(torch, spelling)
        if found.state is not State.PRESENT or isinstance(found.thing, Module):
            continue
        if module.listed is not None or _is_of_users(module, name, found):
            yield spelling, found


def _bound_names(torch: Torch, module: Module) -> list[str]:
    """What a module binds itself and, where it is a package, what it takes from others that list it."""
    stars = [star for star in module.stars if module.is_package and torch.wheel.has_module(star)]
    taken = (name for star in stars for name in module_of(torch, star).listed or ())
    return list(dict.fromkeys((*module.names, *taken)))


def _is_of_users(module: Module, name: str, found: Found) -> bool:
    binding = module.names.get(name)
    if isinstance(binding, Class | Function):
        return True
    if isinstance(binding, Value):
        return False
    passes_on = module.is_package or module.name == "torch.nn.functional"
    return passes_on and isinstance(found.thing, Class | Function) and found.home.startswith("torch.")


def _preference(spelling: str, own_name: str) -> tuple[bool, bool, int, str]:
    is_other_name = spelling.rpartition(".")[2] != own_name
    return spelling.startswith(DOORS), is_other_name, spelling.count("."), spelling
