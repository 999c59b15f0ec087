"""Fuzzing uses the in-process server of tests/lsp and the bare client of tests/e2e."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]
sys.path += [str(_TESTS / "lsp"), str(_TESTS / "e2e")]


@pytest.fixture(autouse=True)
def _fuzzing() -> Iterator[None]:
    """Each message that cannot be read would be a page in pytest's report."""
    loggers = [logging.getLogger("pygls"), logging.getLogger("torchlore")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)
