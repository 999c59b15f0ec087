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

_SEE = re.compile(r"^[Ss]ee (?:also )?`(?:torch\.)?([\w.]+?)(?:\(\))?`(?: for details)?\.?$")
_ALIAS = re.compile(r"^Alias (?:for|of) `?(?:torch\.)?([\w.]+?)(?:\(\))?`?\.$")
_INPLACE = re.compile(r"^In-?place version of `?(?:torch\.)?~?([\w.]+?)(?:\(\))?`?\.?$", re.IGNORECASE)
_LEGACY_DTYPES = {
    "BFloat16": "bfloat16",
    "Bool": "bool",
    "Byte": "uint8",
    "Char": "int8",
    "ComplexDouble": "complex128",
    "ComplexFloat": "complex64",
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "Int": "int32",
    "Long": "int64",
    "QInt32": "qint32",
    "QInt8": "qint8",
    "QUInt2x4": "quint2x4",
    "QUInt4x2": "quint4x2",
    "QUInt8": "quint8",
    "Short": "int16",
}
_LEGACY = re.compile(rf"torch\.(cuda\.)?({'|'.join(_LEGACY_DTYPES)})(Tensor|Storage)")


def complete(raw: dict[str, Any]) -> dict[str, Any]:
    """The content of an index file, without its format number, from what `symbol_index` wrote."""
    symbols: dict[str, list[Any]] = {
        name: [kind, signature, line, deprecated, "", None, bases]
        for name, (kind, signature, line, deprecated, bases) in raw["symbols"].items()
    }
    documented = {name for name, record in symbols.items() if record[LINE]}
    _add_handwritten(symbols)
    _add_derived(symbols)
    _add_inherited(symbols)
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
        "namespaces": read_toml(_read("symbols/handwritten.toml"), "handwritten.toml")["namespaces"],
    }


def _read(path: str) -> str:
    return (data_root() / path).read_text(encoding="utf-8")


def _add_handwritten(symbols: dict[str, list[Any]]) -> None:
    """Our own lines: where torch says nothing, or says what does not stand alone.

    `[lines]` holds lines, `[entries]` tables with `line`, `deprecated`, and `kind` for a name that no module
    lists (`torch.backends.cuda.matmul.allow_tf32`). A name that this torch does not have is left out.
    """
    table = read_toml(_read("symbols/handwritten.toml"), "handwritten.toml")
    for name, line in table["lines"].items():
        if name in symbols:
            symbols[name][LINE] = line
    for name, fields in table["entries"].items():
        if name in symbols or "kind" in fields:
            record = symbols.setdefault(name, [fields.get("kind"), "", "", None, "", None, []])
            record[LINE] = fields.get("line", record[LINE])
            record[DEPRECATED] = fields.get("deprecated", record[DEPRECATED])
    _add_by_form(symbols, table["prefixes"])


def _add_by_form(symbols: dict[str, list[Any]], prefixes: dict[str, str]) -> None:
    """Lines that follow from the form of the name: legacy tensor types, `_foreach_` functions, backends."""
    for name, record in symbols.items():
        legacy = _LEGACY.fullmatch(name)
        if legacy and legacy[3] == "Tensor":
            # An instance of a legacy type is a plain tensor, though the type derives from nothing.
            record[BASES] = ["torch.Tensor"]
        if record[LINE]:
            continue
        if legacy:
            record[LINE] = _legacy_line(bool(legacy[1]), legacy[2], legacy[3])
        elif name.startswith("torch.return_types."):
            record[LINE] = _returned_line(name.removeprefix("torch.return_types."), symbols)
        elif name.startswith("torch._foreach_"):
            one = "torch." + name.removeprefix("torch._foreach_").rstrip("_")
            known = one if one in symbols else one.replace("torch.", "torch.Tensor.")
            where = ", in place" if name.endswith("_") else ""
            record[LINE] = f"Applies `{known}` to each tensor of a list{where}." if known in symbols else ""
        else:
            fitting = [line for prefix, line in prefixes.items() if name.startswith(prefix)]
            is_variant = name.endswith("_") and name[:-1] in symbols
            record[LINE] = fitting[-1] if fitting and not is_variant else ""


def _returned_line(name: str, symbols: dict[str, list[Any]]) -> str:
    """`max.values`: the named tuples that functions return, and their items."""
    function, _, item = name.partition(".")
    spelled = function.removesuffix("_out").replace("linalg_", "linalg.", 1)
    if f"torch.{spelled}" not in symbols:
        return ""
    with_out = " with `out=`" if function.endswith("_out") else ""
    whole = f"the named tuple that `torch.{spelled}` returns{with_out}"
    return f"`{item}` of {whole}." if item else f"{whole[0].upper()}{whole[1:]}."


def _legacy_line(on_cuda: bool, type_name: str, what: str) -> str:
    dtype = _LEGACY_DTYPES[type_name]
    where = "on CUDA" if on_cuda else "on the CPU"
    if what == "Storage":
        return f"Legacy typed storage {where} of `torch.{dtype}`; use `torch.UntypedStorage`."
    return f"Legacy type of `torch.{dtype}` tensors {where}; use `torch.tensor(..., dtype=torch.{dtype})`."


def _add_derived(symbols: dict[str, list[Any]]) -> None:
    """Lines that only point elsewhere, and missing ones that another name's line implies."""
    for name, record in symbols.items():
        record[SAME_AS] = _target(_ALIAS, name, record[LINE], symbols)
    _spell_out_aliases(symbols)
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
    # Once more: what an alias stands for may itself have pointed elsewhere.
    _spell_out_aliases(symbols)


def _spell_out_aliases(symbols: dict[str, list[Any]]) -> None:
    for record in symbols.values():
        if record[SAME_AS]:
            record[LINE] = f"Alias for `{record[SAME_AS]}`. {symbols[record[SAME_AS]][LINE]}".rstrip()


def _add_inherited(symbols: dict[str, list[Any]]) -> None:
    """An override that says nothing does what its base says; `__init__` makes its class."""
    for name, record in symbols.items():
        owner, _, member = name.rpartition(".")
        if record[LINE] or owner not in symbols or symbols[owner][KIND] not in ("class", "exception"):
            continue
        if member == "__init__":
            record[LINE] = f"Constructor of `{owner}`."
        elif record[KIND] in ("method", "property"):
            lines = (
                symbols[f"{base}.{member}"][LINE]
                for base in _ancestors(owner, symbols)
                if f"{base}.{member}" in symbols
            )
            record[LINE] = next((line for line in lines if line), "")


def _ancestors(name: str, symbols: dict[str, list[Any]]) -> list[str]:
    """Base classes, nearest first."""
    found: list[str] = []
    pending = list(symbols[name][BASES])
    while pending:
        base = pending.pop(0)
        if base in symbols and base not in found:
            found.append(base)
            pending.extend(symbols[base][BASES])
    return found


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
