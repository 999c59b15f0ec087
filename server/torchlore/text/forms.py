"""What stands in for a broken line: as much of it as parses and cannot mislead, from most to least."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from keyword import kwlist

from torchlore.text.blocks import keyword_of
from torchlore.text.tokens import WHITE, closers, pieces, split_lines, without_comment

NOBODY = "___"
"""A name that nobody binds: what it stands for is not known."""

UNKNOWN = f"exec({NOBODY})"
"""What is not there yet: it may do anything, and what it gives is not known."""

UNNAMED = "____"
"""The name of a function or class whose own is not there."""

NOWHERE = f"{NOBODY}.x"
"""A target that binds no name."""

_AS = re.compile(r"\bas\s+([A-Za-z_]\w*|\(.*?\))")
_DEF = re.compile(r"(async\s+)?def\b\s*(\w*)\s*(\(.*)?", re.DOTALL)
_CLASS = re.compile(r"class\b\s*(\w*)\s*(\(.*)?", re.DOTALL)
_FOR = re.compile(r"(async\s+)?for\b\s*(.*)", re.DOTALL)
_PARAMETER = re.compile(r"(\*{0,2}[A-Za-z_]\w*|\*|/)")
_DOTTED = re.compile(r"([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)\s*(?=[.(\[)\]]|\Z)")
_FROM = re.compile(r"(from\s+[\w.]+\s+import)\b\s*\(?(.*)", re.DOTALL)
_IMPORT = re.compile(r"(import|global|nonlocal)\b(.*)", re.DOTALL)
_IMPORTED = re.compile(r"\s*[\w.]+(?:\s+as\s+\w+)?\s*\Z")
_LEAVES = re.compile(r"(return|raise)\b")
_KEYWORDS = frozenset([*kwlist, "print"])


def header_forms(text: str) -> Iterator[str]:
    """Headers, colon included, that may stand in for the broken header `text`; the last one always parses."""
    code = without_comment(text)
    keyword = keyword_of(code)
    if not code.endswith(":") and (keyword != "class" or "(" in code):
        yield f"{code}:"  # a class whose bases are still to come is not one without bases
    lead = "async " if code.startswith("async") else ""
    match keyword:
        case "def":
            yield from _function_forms(code)
        case "class":
            yield from _class_forms(code)
        case "for":
            yield from _loop_forms(code)
        case "with":
            names = [f"{UNKNOWN} as {name}" for name in _AS.findall(code)]
            yield f"{lead}with {', '.join(names)}:" if names else f"{lead}with {UNKNOWN}:"
            yield f"{lead}with {UNKNOWN}:"
        case "except":
            star = "*" if re.match(r"except\s*\*", code) else ""
            yield from (f"except{star} {NOBODY} as {name}:" for name in _AS.findall(code)[-1:])
            yield f"except{star} {NOBODY}:"
        case "case":
            yield f"case {NOWHERE}:"
        case "try" | "else" | "finally":
            yield f"{keyword}:"
        case _:
            yield f"{keyword or 'if'} {UNKNOWN}:"


def simple_forms(text: str) -> Iterator[str]:
    """Statements that may stand in for the broken one-line statement `text`; the last says nothing.

    A binding stays with a value that is not known: the name does not mean any more what it meant before.
    """
    code = " ".join(line.strip(WHITE) for line in split_lines(without_comment(text)))
    if (match := _FROM.match(code)) or (match := _IMPORT.match(code)):
        names = [name.strip(" ()\\") for name in pieces(match[2].rstrip(" )"))]
        kept = [name for name in names if _IMPORTED.match(name)]
        if kept:
            yield f"{match[1]} {', '.join(kept)}"
    elif (match := _LEAVES.match(code)) is not None:
        yield f"{match[1]} {UNKNOWN}"
    elif keyword_of(code) == "":
        targets = [f"{target} {UNKNOWN}" for target in _targets(code)]
        yield from targets
        if (
            not targets
            and (match := _DOTTED.match(code)) is not None
            and match[1].split(".")[0].strip() not in _KEYWORDS
        ):
            yield f"{match[1]}; {UNKNOWN}"
    yield UNKNOWN


def _targets(code: str) -> Iterator[str]:
    """What may be left of the value in an assignment, with the last `=`; the longest first."""
    parts = pieces(code, "=")
    ends: list[int] = []
    at = 0
    for part, following in pairwise(parts):
        at += len(part) + 1
        compares = part[-1:] in ("!", "<", ">", ":") and part[-2:] not in ("<<", ">>")
        if compares or not part.strip() or (following == "" and at + 1 <= len(code)):
            break
        ends.append(at)
    yield from (code[:end] for end in reversed(ends[:4]))


def _function_forms(code: str) -> Iterator[str]:
    match = _DEF.match(code)
    if match is None:
        yield f"def {UNNAMED}():"
        return
    lead, name = "async " if match[1] else "", match[2] or UNNAMED
    typed = (match[3] or "(")[1:]
    rest = closers(code)
    if rest:
        yield f"{code}{rest}:"
    parameters = [part.strip() for part in pieces(typed.partition("->")[0].rstrip(" :)"))]
    for keep in (parameters[:-1], []):
        last = _PARAMETER.match(parameters[-1])
        kept = [*keep, last[1]] if last is not None and last[1] not in ("*", "/") else keep
        yield f"{lead}def {name}({', '.join(kept)}):"
    yield f"{lead}def {name}({', '.join(_bare(parameters))}):"
    yield f"{lead}def {name}():"
    yield f"def {UNNAMED}():"


def _bare(parameters: list[str]) -> list[str]:
    """The names of parameters without what is said of them."""
    found = [match[1] for part in parameters if (match := _PARAMETER.match(part)) is not None]
    return list(dict.fromkeys(name for name in found if name not in ("*", "/")))


def _class_forms(code: str) -> Iterator[str]:
    match = _CLASS.match(code)
    name = match[1] if match is not None and match[1] else UNNAMED
    typed = (match[2] or "(") if match is not None else "("
    bases = [part.strip() for part in pieces(typed[1:].rstrip(" :),."))]
    for kept in (bases, bases[:-1]):
        listed = [base for base in kept if base]
        yield f"class {name}({', '.join([*listed, NOBODY])}):"
        yield f"class {name}({', '.join(listed)}):"
    yield f"class {name}({NOBODY}):"
    yield f"class {UNNAMED}({NOBODY}):"


def _loop_forms(code: str) -> Iterator[str]:
    match = _FOR.match(code)
    lead, rest = ("async ", match[2]) if match is not None and match[1] else ("", match[2] if match else "")
    target = re.split(r"\bin\b", rest, maxsplit=1)[0].strip(" ,:")
    names = [part.strip() for part in pieces(target)]
    yield f"{lead}for {target} in {UNKNOWN}:"
    yield f"{lead}for {', '.join(names[:-1])} in {UNKNOWN}:"
    yield f"{lead}for {NOWHERE} in {UNKNOWN}:"
