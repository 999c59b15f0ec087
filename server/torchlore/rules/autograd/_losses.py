"""What `backward` is called on."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event, Kind


def losses(analysis: Analysis) -> dict[ast.expr, list[Event]]:
    """The expressions in `….backward()`, and what happens there, once for every time it is come by."""
    found: dict[ast.expr, list[Event]] = {}
    for root in analysis.roots:
        for event in root.of(Kind.BACKWARD):
            match event.node:
                case ast.Call(func=ast.Attribute(value=loss, attr="backward")):
                    found.setdefault(loss, []).append(event)
    return found
