"""Which symbols of torch a text names, in whatever way people write them, misspelt ones included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from torchlore.knowledge.cards import card_for
from torchlore.knowledge.misspelling import Vocabulary, nearest, vocabulary
from torchlore.knowledge.model import Card, Symbol
from torchlore.knowledge.symbols import all_names, resolve

_NAME = re.compile(
    r"\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\b"  # nn.Linear
    r"|\b[A-Za-z]+_[A-Za-z_0-9]*\b"  # zero_grad
    r"|\b[A-Z]\w*[a-z]\w*[A-Z]\w*\b|\b[A-Z][a-z0-9]+[A-Z]\w*\b"  # DataLoader
)
_MOST = 12
"""Names of a text that are looked at: whoever pastes pages of log gets an answer at once all the same."""
_ALONE = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\(\s*\))?\s*")
_SHORT = {
    "nn": "torch.nn.",
    "F": "torch.nn.functional.",
    "optim": "torch.optim.",
    "dist": "torch.distributed.",
}
_HOMES = (
    "",
    "torch.",
    "torch.nn.functional.",
    "torch.nn.",
    "torch.Tensor.",
    "torch.optim.Optimizer.",
    "torch.nn.Module.",
    "torch.optim.",
    "torch.optim.lr_scheduler.",
    "torch.utils.data.",
)
_CLASSES = (
    "torch.Tensor.",
    "torch.nn.Module.",
    "torch.optim.Optimizer.",
    "torch.optim.lr_scheduler.LRScheduler.",
    "torch.amp.GradScaler.",
)


@dataclass(frozen=True, slots=True)
class Named:
    """A symbol that a text names, how the text spells it, and the card that explains it, if one does."""

    spelled: str
    symbol: Symbol
    card: Card | None


def named(text: str, is_strange: Callable[[str], bool]) -> list[Named]:
    """The symbols that a text names outright, in the order of the text.

    A single word may be any symbol (`einsum`); within a sentence only what looks like a name counts
    (`zero_grad`, `nn.Linear`, `DataLoader`).

    Args:
        text: what was asked.
        is_strange: of a name that no symbol has, whether it may be a misspelt one.
    """
    written = list(dict.fromkeys(_NAME.findall(text)))[:_MOST]
    found = [_exact(name) or (_nearly(name) if is_strange(name) else None) for name in written]
    if not written and (alone := _ALONE.fullmatch(text)):
        found = [_exact(alone[1])]
    return [mention for mention in found if mention is not None]


def guessed(text: str) -> list[Named]:
    """The symbol that a single word may be a misspelling of; [] for anything else."""
    alone = _ALONE.fullmatch(text)
    found = _nearly(alone[1]) if alone else None
    return [found] if found else []


def ends_a_name(word: str) -> bool:
    """Whether some symbol's last part is this word, in lower or upper case."""
    return word.lower() in _full_names()


def _exact(spelled: str) -> Named | None:
    return _first_explained(spelled, _readings(spelled)) or _first_explained(spelled, _endings(spelled))


def _nearly(spelled: str) -> Named | None:
    last = spelled.rpartition(".")[2]
    names = [name for part in nearest(last.lower(), _last_parts()) for name in _full_names()[part]]
    # `Hardsigmiod` rather means the class than the function.
    names.sort(key=lambda name: name.rpartition(".")[2][0].isupper() != last[0].isupper())
    return _first_explained(spelled, names)


def _first_explained(spelled: str, names: Iterable[str]) -> Named | None:
    """The first name that a card explains, else the first that there is."""
    first = None
    for name in names:
        symbol = resolve((name,))
        if symbol is not None:
            found = Named(spelled, symbol, card_for(name) or card_for(symbol.name))
            if found.card is not None:
                return found
            first = first or found
    return first


def _readings(spelled: str) -> Iterator[str]:
    """The full names that a spelling may stand for, most likely first."""
    head, _, rest = spelled.partition(".")
    if head in _SHORT and rest:
        yield _SHORT[head] + rest
    yield from (home + spelled for home in _HOMES)
    if rest and head != "torch":  # a method of somebody's variable: `loss.backward`, `self.opt.step`
        yield from (home + spelled.rpartition(".")[2] for home in _CLASSES)


def _endings(spelled: str) -> list[str]:
    """The full names that end like a name in whatever case: `vector_norm`, `nn.Conv2D`. A word is no name."""
    head, _, rest = spelled.partition(".")
    is_word = not rest and spelled.isalpha() and spelled.islower()
    if is_word or (rest and head != "torch" and head not in _SHORT):
        return []
    return _full_names().get(spelled.rpartition(".")[2].lower(), [])


@lru_cache(maxsize=1)
def _full_names() -> dict[str, list[str]]:
    """Public names by their last part in lower case, the shortest first."""
    found: dict[str, list[str]] = {}
    for name in sorted(all_names(), key=lambda name: (name.count("."), len(name), name)):
        if "._" not in name:
            found.setdefault(name.rpartition(".")[2].lower(), []).append(name)
    return found


@lru_cache(maxsize=1)
def _last_parts() -> Vocabulary:
    return vocabulary(_full_names())
