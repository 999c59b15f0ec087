"""What the knowledge room hands out: cards, symbols and insertable snippets, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """One question and its answer, read from `knowledge/cards/<area>/<slug>.md`.

    `summary` is the first paragraph of the answer and stands alone in a hover; `answer` is the whole
    section, `summary` included. `path` is relative to `data_root()`. `snippet` is the text of
    `knowledge/snippets/<slug>.py`, None where the card has none.
    """

    slug: str
    question: str
    area: str
    level: str
    symbols: tuple[str, ...]
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    see_also: tuple[str, ...]
    torch: str
    summary: str
    answer: str
    details: str
    pitfalls: str
    corrections: str
    follow_ups: str
    snippet: str | None
    path: str


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A parameter that not every version has.

    `since` is the first that has it, `removed` the first that has it no more ("2.9"); None where that is not
    known, or not so.
    """

    name: str
    since: str | None
    removed: str | None


@dataclass(frozen=True, slots=True)
class Symbol:
    """One public name of torch.

    `name` is the canonical public spelling, except where a public name stands for another one
    (`torch.float` for `torch.float32`, `torch.absolute` for `torch.abs`): then `name` is that spelling
    and `alias_of` the name it stands for. `kind` is one of "function", "class", "exception", "method",
    "property", "attribute", "module", "dtype", "constant", "enum". `signature` includes the parentheses
    and no name, and is "" where none is known. `summary` is one line of Markdown, "" where torch says
    nothing. `deprecated` is torch's own advice. `bases` are the nearest public base classes.

    Of the versions of torch, `since` is the first that has the name in the spelling that was asked for,
    `removed` the first that has it no more, `deprecated_since` the first that deprecates it ("2.9"): None
    where that is not known, or not so. `replacement` is the public name to use instead, where torch names
    one; `changes` are the parameters that some versions lack.
    """

    name: str
    kind: str
    signature: str
    summary: str
    deprecated: str | None
    url: str
    alias_of: str | None
    bases: tuple[str, ...]
    since: str | None = None
    removed: str | None = None
    deprecated_since: str | None = None
    replacement: str | None = None
    changes: tuple[ParameterChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Hole:
    """A name that an insertable snippet leaves open: filled from scope, or with `default`."""

    name: str
    kind: str
    default: str


@dataclass(frozen=True, slots=True)
class Insert:
    """A snippet to be inserted into the user's file; `body` is valid Python whose holes are identifiers.

    `card` is the slug of the card that says why it is as it is.
    """

    slug: str
    title: str
    description: str
    card: str
    holes: tuple[Hole, ...]
    imports: tuple[str, ...]
    body: str
