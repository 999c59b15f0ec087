"""What lines and layers gave, at the ends of their lines in the editor, until the text changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from lsprotocol import types

from torchlore.analysis.excerpt import statement_of
from torchlore.device import Block, Layer, LayerTable, RunResult
from torchlore.device.tables import number, shapes
from torchlore.lsp.convert import Places
from torchlore.lsp.programs import Program
from torchlore.lsp.server import Server
from torchlore.text import Source, Span
from torchlore.text.nodes import nodes_in

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class RunValues:
    """Texts for lines (0-based) of one version of a file."""

    source: Source
    texts: tuple[tuple[int, str], ...]


def keep(server: Server, program: Program, result: RunResult) -> None:
    """Keeps what a run has to say about lines of a file, in the place of what the last one had."""
    if program.source is None or program.uri is None:
        return
    texts: dict[int, list[str]] = {}
    for line, text in (*_of_lines(result), *_of_layers(program, result)):
        if line < len(program.source.lines):  # An error may stand in the call of a function below the file.
            texts.setdefault(line, []).append(text)
    joined = tuple((line, ", ".join(parts)) for line, parts in texts.items())
    server.run_values[program.uri] = RunValues(program.source, joined)
    if server.client.inlay_refresh:
        server.workspace_inlay_hint_refresh(None)


async def inlay_hints(server: Server, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """Answers `textDocument/inlayHint`: of the last run in a file, while its text is what it was then."""
    home = server.documents.home(params.text_document.uri)
    kept = server.run_values.get(home)
    if kept is None:
        return None
    if server.documents.snapshot(home) is not kept.source:
        del server.run_values[home]
        return None
    return list(_hints(kept, Places(home, kept.source, server.encoding), params))


def _hints(kept: RunValues, places: Places, params: types.InlayHintParams) -> Iterator[types.InlayHint]:
    asked = places.span(params.text_document.uri, params.range)
    for line, text in kept.texts:
        end = kept.source.line_span(line).end
        where = places.location(Span(end, end))
        if asked.start <= end <= asked.end and where.uri in (params.text_document.uri, places.uri):
            short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
            yield types.InlayHint(where.range.end, f"⇒ {short}", tooltip=text, padding_left=True)


def _of_lines(result: RunResult) -> Iterator[tuple[int, str]]:
    for one in result.lines:
        yield one.line - 1, str(one)
    if result.error is not None and result.error.line is not None and not result.ok:
        yield result.error.line - 1, f"{result.error.type}: {result.error.message}".split("\n")[0]


def _of_layers(program: Program, result: RunResult) -> Iterator[tuple[int, str]]:
    """The lines on which the model's class sets its layers."""
    table = result.measured
    if not isinstance(table, LayerTable) or program.source is None:
        return
    lines = _set_on(program.source, program.model)
    told: list[Layer | Block] = [*table.layers, *table.blocks]
    for one in told:
        if one.name in lines:
            parameters = f", {number(one.parameters)} parameters" if one.parameters else ""
            yield lines[one.name], f"{shapes(one.output)}{parameters}"


def _set_on(source: Source, name: str) -> dict[str, int]:
    """The last line, 0-based, of each assignment of an attribute in the methods of a class."""
    node = statement_of(source, name)
    return {
        target.attr: (one.end_lineno or one.lineno) - 1
        for one in (nodes_in(node) if node is not None else ())
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    }
