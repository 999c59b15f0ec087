"""Adds to a raw description of torch what does not come from the interpreter.

Lines written by hand (`knowledge/symbols/handwritten.toml`), lines that follow from another symbol's line,
which name stands for which, and where the documentation describes each (`knowledge/symbols/docs.toml`).
"""

from __future__ import annotations

import re
from typing import Any

from torchlore.knowledge.data import data_root, read_toml
from torchlore.knowledge.urls import DocPages

# Positions in a record of the index.
KIND, SIGNATURE, LINE, DEPRECATED, PLACE, SAME_AS, BASES = range(7)

_SEE = re.compile(r"^See (?:also )?`(?:torch\.)?([\w.]+?)(?:\(\))?`\.?$")
_ALIAS = re.compile(r"^Alias (?:for|of) `?(?:torch\.)?([\w.]+?)(?:\(\))?`?\.$")
_INPLACE = re.compile(r"^In-?place version of `?(?:torch\.)?~?([\w.]+?)(?:\(\))?`?\.?$", re.IGNORECASE)


def complete(raw: dict[str, Any]) -> dict[str, Any]:
    """The content of an index file, without its format number, from what `symbol_index` wrote."""
    symbols: dict[str, list[Any]] = {
        name: [kind, signature, line, deprecated, "", None, bases]
        for name, (kind, signature, line, deprecated, bases) in raw["symbols"].items()
    }
    documented = {name for name, record in symbols.items() if record[LINE]}
    _add_handwritten(symbols)
    _add_derived(symbols)
    pages = DocPages(read_toml(_read("symbols/docs.toml"), "docs.toml"))
    for name, record in symbols.items():
        record[PLACE] = pages.place(name, symbols, documented)
    aliases, same_as = _split_aliases(raw["aliases"], symbols)
    return {
        "torch": raw["torch"],
        "python": raw["python"],
        "symbols": symbols,
        "aliases": aliases,
        "same_as": same_as,
    }


def _read(path: str) -> str:
    return (data_root() / path).read_text(encoding="utf-8")


def _add_handwritten(symbols: dict[str, list[Any]]) -> None:
    """Our own lines: where torch says nothing, or says what does not stand alone.

    An entry is a line, or a table with `line`, `deprecated`, `signature`, and `kind` for a name that no
    module lists (`torch.backends.cuda.matmul.allow_tf32`). Without `kind`, a name that this torch does not
    have is left out.
    """
    for name, entry in read_toml(_read("symbols/handwritten.toml"), "handwritten.toml").items():
        fields = {"line": entry} if isinstance(entry, str) else entry
        if name not in symbols and "kind" not in fields:
            continue
        record = symbols.setdefault(name, [fields.get("kind"), "", "", None, "", None, []])
        record[LINE] = fields.get("line", record[LINE])
        record[SIGNATURE] = fields.get("signature", record[SIGNATURE])
        record[DEPRECATED] = fields.get("deprecated", record[DEPRECATED])


def _add_derived(symbols: dict[str, list[Any]]) -> None:
    """Lines that only point elsewhere, and missing ones that another name's line implies."""
    for name, record in symbols.items():
        if target := _target(_ALIAS, name, record[LINE], symbols):
            record[SAME_AS] = target
            record[LINE] = f"Alias for `{target}`. {symbols[target][LINE]}".rstrip()
    for name, record in symbols.items():
        if record[KIND] not in ("function", "method"):
            continue
        out_of_place = name[:-1] if name.endswith("_") and not name.endswith("__") else ""
        if target := _target(_INPLACE, name, record[LINE], symbols):
            record[LINE] = f"In-place version of `{target}`."
        elif not record[LINE] and out_of_place in symbols:
            record[LINE] = f"In-place version of `{out_of_place}`."
    for name, record in symbols.items():
        if target := _target(_SEE, name, record[LINE], symbols):
            said = symbols[target][LINE]
            is_method = record[KIND] == "method" and symbols[target][KIND] == "function"
            prefix = f"Method form of `{target}`." if is_method else f"See `{target}`."
            record[LINE] = f"{prefix} {'' if _SEE.match(said) else said}".rstrip()


def _target(pattern: re.Pattern[str], name: str, line: str, symbols: dict[str, list[Any]]) -> str | None:
    """The symbol that a line of this form points at, spelled as torch does it: more or less in full."""
    match = pattern.match(line)
    if match is None:
        return None
    owner = name.rpartition(".")[0]
    candidates = [f"torch.{match[1]}", f"{owner}.{match[1]}", f"torch.nn.functional.{match[1]}"]
    if pattern is _INPLACE:
        candidates.reverse()
    for candidate in candidates:
        if candidate in symbols and candidate != name:
            return candidate
    return None


def _split_aliases(
    spellings: dict[str, str], symbols: dict[str, list[Any]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Spellings of the same name elsewhere, and other names for the same thing (`torch.float`)."""
    aliases: dict[str, str] = {}
    same_as: dict[str, str] = {}
    for spelling, name in spellings.items():
        if spelling in symbols:
            continue
        is_same_name = spelling.rpartition(".")[2] == name.rpartition(".")[2]
        (aliases if is_same_name else same_as)[spelling] = name
    return aliases, same_as
