"""Public names, the object behind each, and which of several spellings is the canonical one."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# Builtins that `torch` and `torch.nn.functional` share are documented under the latter.
_FUNCTIONAL = "torch.nn.functional."
_CHOSEN = {"torch.amp.GradScaler", "torch.profiler.ProfilerActivity"}
# Doors that only re-export: what stands in them is documented elsewhere.
DOORS = (
    "torch.functional.",
    "torch.nn.intrinsic.",
    "torch.nn.modules.",
    "torch.nn.qat.",
    "torch.nn.quantizable.",
    "torch.nn.quantized.",
    "torch.quantization.",
    "torch.return_types.",
    "torch.storage.",
    "torch.types.",
)
# Public by use: no `__all__` lists them, or they are private by name.
_EXTRAS = {
    "torch": ("__version__", "_assert", "_check"),
    "torch.cuda": ("OutOfMemoryError",),
    "torch.cuda.memory": ("_dump_snapshot", "_record_memory_history", "_snapshot"),
    "torch.hub": ("_get_torch_home",),
    "torch.nn.init": ("_calculate_correct_fan", "_calculate_fan_in_and_fan_out"),
    "torch.nn.modules.batchnorm": ("_BatchNorm",),
    "torch.nn.modules.conv": ("_ConvNd",),
    "torch.nn.modules.instancenorm": ("_InstanceNorm",),
    "torch.nn.modules.loss": ("_Loss", "_WeightedLoss"),
    "torch.optim.lr_scheduler": ("_LRScheduler",),
    "torch.utils.dlpack": ("to_dlpack",),
}
_EXTRA_PREFIX = {"torch": "_foreach_"}
NOISE = {
    "PRIVATE_OPS",
    "TYPE_CHECKING",
    "USE_GLOBAL_DEPS",
    "USE_RTLD_GLOBAL_WITH_LIBTORCH",
    "classproperty",
    "get_file_path",
    "prepare_multiprocessing_environment",
}
# Bindings of `torch._C` that users meet; its other classes are TorchScript's plumbing.
_BINDINGS = {"ScriptFunction", "ScriptObject", "Tag", "ThroughputBenchmark"}
_NOT_TORCH = (bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset, type(None))


@dataclass(slots=True)
class Names:
    """`objects` by canonical name, and every other spelling with the canonical name that it stands for."""

    objects: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def collect(modules: dict[str, types.ModuleType]) -> Names:
    """Name every public object of these modules once, canonically, and list its other spellings."""
    spellings: dict[int, list[str]] = {}
    objects: dict[int, Any] = {}
    names = Names()
    for module_name, module in modules.items():
        names.objects[module_name] = module
        for name, value in _public(module_name, module):
            dotted = f"{module_name}.{name}"
            if isinstance(value, _NOT_TORCH):
                names.objects[dotted] = value
                continue
            objects[id(value)] = value
            spellings.setdefault(id(value), []).append(dotted)
    for key, dotted_names in spellings.items():
        value = objects[key]
        canonical = min(dotted_names, key=lambda dotted: _preference(dotted, value))
        names.objects[canonical] = value
        _add_aliases(names, canonical, [*dotted_names, *_defining_path(value)])
    return names


def said_of(value: Any, attribute: str) -> str | None:
    """`__name__`, `__module__` or `__qualname__` of a class or function; None of anything else.

    Other objects are not asked: some of torch's proxies start CUDA to answer.
    """
    is_wrapper = type(value).__name__ in ("_lru_cache_wrapper", "OpOverloadPacket")
    if not (inspect.isclass(value) or inspect.isroutine(value) or is_wrapper):
        return None
    said = getattr(value, attribute, None)
    return said if isinstance(said, str) else None


def _name_of_value(value: Any) -> str:
    """The name in the text of a dtype, layout or memory format (`torch.float32`), "" for anything else."""
    is_named = type(value).__module__ == "torch" and type(value).__name__ in (
        "dtype",
        "layout",
        "memory_format",
    )
    return str(value).removeprefix("torch.") if is_named else ""


def _public(module_name: str, module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    extras = set(_EXTRAS.get(module_name, ()))
    if prefix := _EXTRA_PREFIX.get(module_name):
        extras |= {name for name in vars(module) if name.startswith(prefix)}
    wanted = set(getattr(module, "__all__", ())) | extras
    wanted |= {name for name in vars(module) if _belongs(module_name, module, name)}
    for name in sorted(wanted):
        value = getattr(module, name, module)
        if name in NOISE or isinstance(value, types.ModuleType) or _internal(name, value):
            continue
        if not name.startswith("_") or name in extras:
            yield name, value


def _belongs(module_name: str, module: types.ModuleType, name: str) -> bool:
    """Whether a name that `__all__` does not list is public: defined here, or re-exported by a package."""
    value = getattr(module, name)
    if name.startswith("_") or isinstance(value, types.ModuleType):
        return False
    if type(value).__module__ == "torch" and not callable(value):
        return module_name == "torch"
    home = said_of(value, "__module__")
    if home is None or home == module_name:
        # A helper that its own module neither lists nor documents is nobody's business.
        is_listed = module_name == "torch" or not hasattr(module, "__all__")
        return home is not None and (is_listed or bool(said_of(value, "__doc__")))
    is_package = hasattr(module, "__path__") or module_name == "torch.nn.functional"
    if hasattr(module, "__all__"):
        comes_from_inside = home.startswith(module_name + ".") or "._" in home
        return is_package and home.startswith("torch.") and comes_from_inside
    return is_package and home.partition(".")[0] == "torch"


def _internal(name: str, value: Any) -> bool:
    """A type variable, or torch's own plumbing that leaks into `torch.__all__`."""
    if type(value).__module__ == "typing" or type(value).__name__ == "TypeVar":
        return True
    # torch says of what it exports from `torch._C` that it comes from `torch`.
    is_binding = type(value).__name__ == "pybind11_type" and value.__module__ in ("torch", "torch._C")
    return is_binding and name not in _BINDINGS


def _preference(dotted: str, value: Any) -> tuple[int, int, int, str]:
    is_builtin = type(value).__name__ == "builtin_function_or_method"
    if dotted in _CHOSEN or (is_builtin and dotted.startswith(_FUNCTIONAL)):
        place = 0
    elif dotted.startswith(DOORS):
        place = 2
    else:
        place = 1
    own_name = said_of(value, "__name__") or _name_of_value(value)
    return place, int(dotted.rpartition(".")[2] != own_name), dotted.count("."), dotted


def _defining_path(value: Any) -> list[str]:
    home, qualified = said_of(value, "__module__"), said_of(value, "__qualname__")
    if home is None or qualified is None or not home.startswith("torch."):
        return []
    return [f"{home}.{qualified}"]


def _add_aliases(names: Names, canonical: str, spellings: list[str]) -> None:
    for spelling in spellings:
        if spelling != canonical:
            names.aliases.setdefault(spelling, canonical)
