"""Whether a file writes out sizes at all: where it does not, no rule about shapes can say anything.

Asked of every file, before anything is analysed: words are looked for one by one, which is many times quicker
than an expression that is tried everywhere.
"""

from __future__ import annotations

import re
from functools import lru_cache

from torchlore.text import Source

_SIZE = r"(?:\d|[A-Z][A-Z_\d]+\b)"
_LAYERS = (
    *("Linear(", "Conv1d(", "Conv2d(", "Conv3d(", "ConvTranspose1d(", "ConvTranspose2d(", "ConvTranspose3d("),
    *("BatchNorm1d(", "BatchNorm2d(", "BatchNorm3d(", "LayerNorm(", "GroupNorm(", "LSTM(", "GRU(", "RNN("),
    *("MultiheadAttention(", "Embedding("),
)
_OF_LAYER = re.compile(rf"\s*(?:\w+\s*=\s*)?(?:{_SIZE}|[\w.]+\s*,\s*(?:\w+\s*=\s*)?{_SIZE})")
_SIZED = (
    *("randn(", "rand(", "zeros(", "ones(", "empty(", "full("),
    *("randint(", "eye(", "arange(", "Tensor("),
)
_WRITTEN_OUT = ("tensor(",)
_VIEWS = ("view(", "reshape(", "unflatten(")
_OF_TENSOR = re.compile(rf"\s*(?:size\s*=\s*)?[(\[]*\s*(?:[\w.-]+\s*,\s*)?{_SIZE}")


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
    return sum(_followed(text, word, _OF_LAYER) for word in _LAYERS)


@lru_cache(maxsize=1)
def _tensors(text: str) -> int:
    return sum(_followed(text, word, _OF_TENSOR) for word in _SIZED)


@lru_cache(maxsize=1)
def _lists(text: str) -> int:
    return sum(_followed(text, word, _OF_TENSOR) for word in _WRITTEN_OUT)


@lru_cache(maxsize=1)
def _views(text: str) -> int:
    return sum(_followed(text, word, _OF_TENSOR) for word in _VIEWS)


def _followed(text: str, word: str, by: re.Pattern[str]) -> int:
    """How often behind `word` stands what an expression describes; two are as good as more."""
    found, start = 0, text.find(word)
    while start >= 0 and found < 2:
        found += by.match(text, start + len(word)) is not None
        start = text.find(word, start + 1)
    return found
