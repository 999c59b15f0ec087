"""Adds to a raw description of torch what does not come from the interpreter: lines, links, aliases."""

from __future__ import annotations

from typing import Any


def complete(raw: dict[str, Any]) -> dict[str, Any]:
    """The content of an index file, without its format number, from what `symbol_index` wrote."""
    symbols = {
        name: [kind, signature, line, deprecated, "", None, bases]
        for name, (kind, signature, line, deprecated, bases) in raw["symbols"].items()
    }
    same_as = {
        spelling: name
        for spelling, name in raw["aliases"].items()
        if spelling.rpartition(".")[2] != name.rpartition(".")[2]
    }
    aliases = {spelling: name for spelling, name in raw["aliases"].items() if spelling not in same_as}
    return {
        "torch": raw["torch"],
        "python": raw["python"],
        "symbols": symbols,
        "aliases": aliases,
        "same_as": same_as,
    }
