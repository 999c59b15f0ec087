"""The pictures of the cards, drawn from what torch itself computes.

`python -m tests.knowledge.pictures` writes `knowledge/pictures/*.svg`. It lives among the tests because it
imports torch, which nothing under `server/torchlore` may, and because `knowledge/` holds content alone and
goes into the wheel as it is. One function draws one picture: add `@picture` to it, and it is found here.
"""

from __future__ import annotations

import importlib
import pkgutil

from .svg import DRAWN, Picture, rendered

__all__ = ["Picture", "drawn", "rendered"]


def drawn() -> dict[str, Picture]:
    """Every picture, by the name of its file (without `.svg`). Needs torch."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return {name: draw() for name, draw in sorted(DRAWN.items())}
