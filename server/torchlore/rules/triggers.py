"""Which rules can have something to say about a file: told from its words, before anything is analysed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from weakref import WeakKeyDictionary

from torchlore.rules.model import Rule
from torchlore.text import Source
from torchlore.text.words import words_in


def triggered(rules: Sequence[type[Rule]], source: Source) -> list[type[Rule]]:
    """Those of `rules` whose trigger matches somewhere in a file, and that do not see that all is well.

    Most triggers are a choice of whole words. The words of the file are collected once for all of these:
    searching the text for each rule by itself would take longer than parsing it as soon as there are ten.
    """
    told = _TOLD.get(source)
    if told is None or told[0] is not rules:
        told = _TOLD[source] = rules, _able(tuple(rules), source)
    return told[1]


_TOLD: WeakKeyDictionary[Source, tuple[Sequence[type[Rule]], list[type[Rule]]]] = WeakKeyDictionary()
"""What was said of a file last, and of which rules: asked before the analysis, and again after it."""


def _able(rules: tuple[type[Rule], ...], source: Source) -> list[type[Rule]]:
    text = source.text
    choices, words, others, looking = _sorted(rules)
    able = {rule for rule in others if re.search(rule.trigger, text)}
    for word in words_of(text) & words if words else ():
        able |= choices[word]
    found: list[type[Rule]] = []
    all_quick = True
    for rule in rules:
        if rule in able and (rule not in looking or rule.is_quick or rule.concerns(source)):
            found.append(rule)
            all_quick = all_quick and rule in looking and rule.is_quick
    if all_quick:  # else the file is analysed anyway, and they are asked then
        found = [rule for rule in found if rule.concerns(source)]
    return found


@lru_cache(maxsize=8)
def _sorted(
    rules: tuple[type[Rule], ...],
) -> tuple[dict[bytes, set[type[Rule]]], frozenset[bytes], list[type[Rule]], frozenset[type[Rule]]]:
    """Rules by the words that trigger them, these words, the rules whose trigger is something else, and those
    that look at the tree before anything is analysed."""
    choices: dict[bytes, set[type[Rule]]] = {}
    for rule in rules:
        for word in _words_of(rule.trigger) or ():
            choices.setdefault(word, set()).add(rule)
    others = [rule for rule in rules if _words_of(rule.trigger) is None]
    looking = frozenset(rule for rule in rules if rule.concerns.__func__ is not Rule.concerns.__func__)  # type: ignore[attr-defined]
    return choices, frozenset(choices), others, looking


def follow_imports(able: Iterable[type[Rule]], source: Source) -> bool:
    """Whether it matters what imported code does: to a rule that can say something, or in a script."""
    return is_script(source.text) or any(rule.follows for rule in able)


@lru_cache(maxsize=2)
def is_script(text: str) -> bool:
    """Whether a file does something by itself, so that what it imports may do what no word of it says."""
    return "__main__" in text or _LOOP.search(text) is not None or _LOOP.match(f"\n{text[:6]}") is not None


_LOOP = re.compile(r"\n(?:for|while|with)\b")  # many times quicker than `^`, which is tried everywhere
_WORDS = re.compile(r"\\b(?:(\w+)|\(\?:(\w+(?:\|\w+)*)\))\\b", re.ASCII)


@cache
def _words_of(trigger: str) -> frozenset[bytes] | None:
    r"""The words that `\bword\b` or `\b(?:one|other)\b` looks for; None for every other expression."""
    match = _WORDS.fullmatch(trigger)
    return None if match is None else frozenset((match[1] or match[2]).encode().split(b"|"))


@lru_cache(maxsize=1)
def words_of(text: str) -> frozenset[bytes]:
    """The words of a file, kept for the next question, which is about the same one."""
    return words_in(text)
