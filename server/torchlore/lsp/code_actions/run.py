"""Run what the cursor points at, and ask about the model that it is in."""

from __future__ import annotations

import ast
import asyncio
import os
from collections.abc import Iterator, Mapping
from typing import Any

from lsprotocol import types

from torchlore.device import NotAllowed, Trust
from torchlore.lsp.code_actions.model import Asked
from torchlore.lsp.names import FIT, RUN, RUN_KIND, SHAPES
from torchlore.lsp.programs import part_at
from torchlore.lsp.server import Server

KINDS = (RUN_KIND,)


def actions(asked: Asked) -> Iterator[types.CodeAction]:
    """What is selected, else the cell, the function or the statement under the cursor; the class of a model.

    Nothing where nothing may be run, and nothing that only a client asks for by itself.
    """
    settings = asked.server.settings
    if asked.unasked or settings.trust is not Trust.TRUSTED or settings.run_own_code is False:
        return
    if "torch" not in asked.known.source.text:
        return
    model = _model(asked)
    if model is not None:
        where = {"uri": asked.known.uri, "class": model}
        yield action(f"Shapes of {model}", SHAPES, where)
        yield action(f"Will {model} fit into memory?", FIT, where)
    title = _title(asked)
    if title is not None:
        place = asked.known.places(asked.server.encoding).location(asked.span)
        argument = {"uri": place.uri, "range": _plain(place.range)}
        yield from on_devices(f"Run {title}", RUN, argument, asked)
        if any(asked.known.analysis.called("torch.distributed.init_process_group")):
            count = max(2, len(asked.server.gpus or ()))
            yield action(f"Run {title} in {count} processes", RUN, {**argument, "processes": count})


def on_devices(
    title: str, command: str, argument: Mapping[str, Any], asked: Asked
) -> Iterator[types.CodeAction]:
    """An action for the usual device and, where there are GPUs, for each other one, named in the title."""
    gpus = asked.server.gpus or ()
    chosen = asked.known.settings.device
    usual = chosen or (gpus[0] if gpus else None)
    head, colon, rest = title.partition(": ")
    if not gpus or usual is None:
        yield action(title, command, argument)
        return
    for device in dict.fromkeys((usual, *gpus, "cpu")):
        # Without a name the usual one goes around a GPU that is full.
        named = {} if device == usual else {"device": device}
        yield action(f"{head} on {device}{colon}{rest}", command, {**argument, **named})


def is_worth_looking(server: Server) -> bool:
    """Whether nobody has looked for GPUs yet, and something may be run on them."""
    return server.gpus is None and server.settings.trust is Trust.TRUSTED


async def look_for_gpus(server: Server) -> None:
    """Has the server know the GPUs of this machine from the second list of actions on."""
    server.gpus = ()
    from torchlore.device.gpus import in_use  # Few sessions ask for actions.

    server.gpus = tuple(await asyncio.to_thread(in_use, os.environ))


def action(title: str, command: str, argument: Mapping[str, Any]) -> types.CodeAction:
    run = types.Command(title, command, arguments=[dict(argument)])
    return types.CodeAction(title=title, kind=RUN_KIND, command=run)


def _title(asked: Asked) -> str | None:
    source = asked.known.source
    lines = source.lines
    first, last = lines.line_of(asked.span.start), lines.line_of(asked.span.end)
    try:
        return part_at(asked.known, first, last, asked.span.start == asked.span.end).title
    except NotAllowed:
        return None


def _model(asked: Asked) -> str | None:
    """The class at the top of the file that the cursor is in, where it has a `forward`."""
    source = asked.known.source
    line = source.lines.line_of(asked.span.start) + 1
    for statement in source.tree.body:
        if isinstance(statement, ast.ClassDef) and statement.lineno <= line <= (statement.end_lineno or 0):
            methods = {one.name for one in statement.body if isinstance(one, ast.FunctionDef)}
            return statement.name if "forward" in methods else None
    return None


def _plain(place: types.Range) -> dict[str, Any]:
    return {
        name: {"line": position.line, "character": position.character}
        for name, position in (("start", place.start), ("end", place.end))
    }
