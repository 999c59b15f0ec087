"""Writes the description of the installed torch as JSON: `{"torch", "python", "symbols", "aliases"}`.

`symbols` maps a canonical name to [kind, signature, line, deprecated or null, bases]; `aliases` maps every
other spelling to the canonical name. Sorted, so that the same torch gives the same bytes.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import describe, modules, names, prose, stubs

# Dunders that people call or define, hence hover; all others are Python's business.
_DUNDERS = {
    "__call__",
    "__init__",
    "__getitem__",
    "__len__",
    "__iter__",
    "__getattr__",
    "__dlpack__",
    "__torch_function__",
}


def main(arguments: list[str]) -> int:
    """Write the description to the path given as the only argument; returns the exit status."""
    try:
        import torch
    except ImportError as error:
        print(f"torch cannot be imported by {sys.executable}: {error}", file=sys.stderr)
        return 3
    # Reading an attribute of a deprecated name warns; the index says it in its own way.
    warnings.simplefilter("ignore")
    Path(arguments[0]).write_text(json.dumps(_describe(torch), sort_keys=True), encoding="utf-8")
    return 0


def _describe(torch: types.ModuleType) -> dict[str, Any]:
    found = names.collect(modules.import_modules(torch))
    signatures = stubs.stub_signatures(Path(torch.__path__[0]))
    canonical = {id(value): name for name, value in found.objects.items() if inspect.isclass(value)}
    symbols: dict[str, Any] = {}
    for name, value in found.objects.items():
        symbols[name] = _record(name, value, signatures, canonical, in_class=False)
        if inspect.isclass(value) and not _is_legacy_tensor_type(value):
            for member, attribute in _members(value, canonical):
                dotted = f"{name}.{member}"
                symbols.setdefault(dotted, _record(dotted, attribute, signatures, canonical, in_class=True))
    aliases = {spelling: name for spelling, name in found.aliases.items() if spelling not in symbols}
    for record in symbols.values():
        record[1] = re.sub(r"\btorch(?:\.\w+)+", lambda match: aliases.get(match[0], match[0]), record[1])
    return {
        "torch": str(torch.__version__),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "symbols": symbols,
        "aliases": aliases,
    }


def _record(
    dotted: str, value: Any, signatures: dict[str, str], canonical: dict[int, str], in_class: bool
) -> list[Any]:
    name = dotted.rpartition(".")[2]
    kind = describe.kind_of(value, in_class)
    doc = describe.document_of(value)
    signature = describe.signature_of(value, kind, doc, name)
    if kind in ("function", "method") and not signature:
        signature = signatures.get(dotted, "")
    line = prose.one_line(prose.split_signature(doc, name)[1])
    deprecated = describe.deprecation_of(value, kind, doc, name)
    bases = _public_bases(value, canonical) if inspect.isclass(value) else []
    return [kind, signature, line, deprecated, bases]


def _members(cls: type, canonical: dict[int, str]) -> Iterator[tuple[str, Any]]:
    """Members of a class itself and of its private bases, which have no entry of their own."""
    seen: set[str] = set()
    inherited: set[type] = set()
    for owner in cls.__mro__:
        if owner is not cls and id(owner) in canonical:
            inherited.update(owner.__mro__)
        if owner is not cls and (owner in inherited or not _of_torch(owner)):
            continue
        for member, attribute in sorted(_own(owner).items()):
            if member in seen or (member.startswith("_") and member not in _DUNDERS):
                continue
            seen.add(member)
            is_of_object = isinstance(attribute, types.WrapperDescriptorType)
            if member == "__init__" and (owner is not cls or is_of_object):
                continue
            if not (inspect.isclass(attribute) and id(attribute) in canonical):
                yield member, attribute


def _own(cls: type) -> dict[str, Any]:
    """A class's own members; an enum's members too, which not every Python keeps in the class's `vars`."""
    listed = getattr(cls, "__members__", None)
    return {**vars(cls), **listed} if isinstance(listed, Mapping) else dict(vars(cls))


def _of_torch(cls: type) -> bool:
    return (cls.__module__ or "").partition(".")[0] == "torch"


def _public_bases(cls: type, canonical: dict[int, str]) -> list[str]:
    """The nearest bases that have an entry, through private ones."""
    found: list[str] = []
    for base in cls.__bases__:
        name = canonical.get(id(base))
        for known in [name] if name else _public_bases(base, canonical):
            if known not in found:
                found.append(known)
    return found


def _is_legacy_tensor_type(cls: type) -> bool:
    return type(cls).__name__ == "tensortype" or type(cls).__name__ == "_LegacyStorageMeta"
