"""Whether a file writes out sizes at all: where it does not, no rule about shapes can say anything.

Asked of every file, before anything is analysed: words that are there are looked for one by one, which is
many times quicker than an expression that is tried everywhere.
"""

from __future__ import annotations

import re
from functools import lru_cache

from torchlore.analysis.names import words
from torchlore.rules.triggers import words_of
from torchlore.text import Source

_SIZE = r"(?:\d|[A-Z][A-Z_\d]+\b)"
_OF_LAYER = re.compile(rf"\(\s*(?:\w+\s*=\s*)?(?:{_SIZE}|[\w.]+\s*,\s*(?:\w+\s*=\s*)?{_SIZE})")
_OF_TENSOR = re.compile(rf"\(\s*(?:size\s*=\s*)?[(\[]*\s*(?:[\w.-]+\s*,\s*)?{_SIZE}")

_LAYERS = words(
    """
    Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d BatchNorm1d BatchNorm2d
    BatchNorm3d LayerNorm GroupNorm LSTM GRU RNN MultiheadAttention Embedding
    """
)
_SIZED = words("randn rand zeros ones empty full randint eye arange Tensor")
_WRITTEN_OUT = words("tensor")
_VIEWS = words("view reshape unflatten")


def has_layer(source: Source) -> bool:
    """Whether some layer is made with a size that is a number, or a constant."""
    return _layers(source.text) > 0


def has_two(source: Source) -> bool:
    """Whether two sizes can meet: of layers, and of tensors that are made with sizes written out."""
    text = source.text
    return _layers(text) + _tensors(text) + min(1, _lists(text)) > 1  # lists that are written out are alike


def has_view_of_tensor(source: Source) -> bool:
    """Whether a tensor is made, and one viewed, with sizes written out."""
    return _tensors(source.text) > 0 and _views(source.text) > 0


@lru_cache(maxsize=1)  # several rules ask in turn
def _layers(text: str) -> int:
    return _count(text, _LAYERS, _OF_LAYER)


@lru_cache(maxsize=1)
def _tensors(text: str) -> int:
    return _count(text, _SIZED, _OF_TENSOR)


@lru_cache(maxsize=1)
def _lists(text: str) -> int:
    return _count(text, _WRITTEN_OUT, _OF_TENSOR)


@lru_cache(maxsize=1)
def _views(text: str) -> int:
    return _count(text, _VIEWS, _OF_TENSOR)


def _count(text: str, among: frozenset[str], by: re.Pattern[str]) -> int:
    """How often one of some words is followed by what an expression describes."""
    return sum(_followed(text, word.decode(), by) for word in words_of(text) & _encoded(among))


@lru_cache(maxsize=8)
def _encoded(among: frozenset[str]) -> frozenset[bytes]:
    return frozenset(word.encode() for word in among)


def _followed(text: str, word: str, by: re.Pattern[str]) -> int:
    """How often that stands behind `word`; two are as good as more."""
    found, start = 0, text.find(word)
    while start >= 0 and found < 2:
        found += by.match(text, start + len(word)) is not None
        start = text.find(word, start + 1)
    return found
