"""`textDocument/signatureHelp`: what is called, and what the argument means that is being typed."""

from __future__ import annotations

from lsprotocol import types

from torchlore.knowledge import Symbol
from torchlore.knowledge.callables import Argument, argument_at, arguments_of
from torchlore.knowledge.offers import called_symbol
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.declared import Declared
from torchlore.lsp.hover_page import shortened
from torchlore.lsp.markdown import documentation
from torchlore.lsp.server import Server
from torchlore.text.cursor import OpenCall, cursor_at


async def signature_help(server: Server, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
    """Answers `textDocument/signatureHelp`; null where the innermost call is of nothing of torch's."""
    uri = params.text_document.uri
    if not server.settings_of(uri).signature_help:
        return None

    def look(known: Analysed) -> types.SignatureHelp | None:
        offset = known.places(server.encoding).offset(uri, params.position)
        return signature_at(known, offset, server.client.declared)

    return await server.analysed(uri, look)


def signature_at(known: Analysed, offset: int, declared: Declared) -> types.SignatureHelp | None:
    """The signature of the call that is open at `offset`.

    Args:
        known: the file.
        offset: in code points.
        declared: what the client takes.
    """
    cursor = cursor_at(known.source, offset)
    call = cursor.calls[0] if cursor is not None and cursor.calls else None
    symbol = called_symbol(known.analysis, call) if call is not None else None
    arguments = arguments_of(symbol) if symbol is not None else ()
    if call is None or symbol is None or not arguments:
        return None
    active = _active(symbol, arguments, call)
    if active is None and not declared.no_active_parameter:
        active = 0  # What such a client takes silence for; null it does not know.
    signature = signature_of(symbol, arguments, declared)
    # In both places: lsprotocol writes null where there is nothing, and that goes before the number.
    signature.active_parameter = active
    return types.SignatureHelp(signatures=[signature], active_signature=0, active_parameter=active)


def signature_of(
    symbol: Symbol, arguments: tuple[Argument, ...], declared: Declared
) -> types.SignatureInformation:
    """A signature, with a line about each argument that the knowledge knows.

    Args:
        symbol: what is called.
        arguments: all that it takes.
        declared: what the client takes.
    """
    label = f"{symbol.name.removesuffix('.forward')}("
    parameters = []
    takes_by_place = True
    for number, argument in enumerate(arguments):
        label += ", " if number else ""
        if argument.kind == "keyword" and takes_by_place:
            label += "*, "
        takes_by_place = takes_by_place and argument.kind == "positional"
        start, label = len(label), label + argument.declared
        text = shortened(argument.text, 1)
        place = (_units(label[:start]), _units(label)) if declared.label_offsets else argument.declared
        said = documentation(text, declared.signature_documentation) if text else None
        parameters.append(types.ParameterInformation(label=place, documentation=said))
    about = documentation(symbol.summary, declared.signature_documentation) if symbol.summary else None
    return types.SignatureInformation(label=f"{label})", documentation=about, parameters=parameters)


def _active(symbol: Symbol, arguments: tuple[Argument, ...], call: OpenCall) -> int | None:
    """Which argument is being typed; None where that is not known."""
    if call.keyword:
        named = [n for n, one in enumerate(arguments) if one.name == call.keyword and one.kind[0] != "*"]
        others = [n for n, one in enumerate(arguments) if one.kind == "**"]
        return next(iter(named + others), None)
    slots = [n for n, one in enumerate(arguments) if one.kind == "positional"]
    if call.named and call.position >= 0:  # another one can come by name only: likely the next
        free = (n for n in slots[call.position :] if arguments[n].name not in call.named)
        return next(free, None)
    if 0 <= call.position < len(slots):
        return slots[call.position]
    found = argument_at(symbol, call.position, "")  # one of many, or one that the signature hides
    return next((n for n, one in enumerate(arguments) if found is not None and one.name == found.name), None)


def _units(text: str) -> int:
    """Places in a label are counted in UTF-16, whatever the client counts columns in."""
    return len(text.encode("utf-16-le")) // 2
