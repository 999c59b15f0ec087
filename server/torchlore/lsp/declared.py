"""What the client declares of completion, signatures, hints, lenses, links and symbols."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types
from pygls.capabilities import get_capability


@dataclass(frozen=True, slots=True)
class Declared:
    """What the client can show; whatever it did not declare it does not get.

    Attributes:
        completion, signature_help, inlay_hints, code_lenses, document_links, symbols: it asks for them.
        snippets: a completion may have tab stops.
        resolves_documentation: it asks for the documentation of the one completion that is looked at.
        documentation: the forms that a completion's documentation may have; none: plain text without a mark.
        as_is: it can be told to leave the indentation of what is inserted alone.
        label_details: it shows a few words behind a completion's name.
        signature_documentation: the forms that a signature's documentation may have.
        no_active_parameter: it can be told that no parameter is being typed.
        label_offsets: it takes the place of a parameter in the signature for the parameter.
        link_tooltips: a link may say where it leads.
    """

    completion: bool = False
    snippets: bool = False
    resolves_documentation: bool = False
    documentation: tuple[str, ...] = ()
    as_is: bool = False
    label_details: bool = False
    signature_help: bool = False
    signature_documentation: tuple[str, ...] = ()
    no_active_parameter: bool = False
    label_offsets: bool = False
    inlay_hints: bool = False
    code_lenses: bool = False
    document_links: bool = False
    link_tooltips: bool = False
    symbols: bool = False


def declared_by(capabilities: types.ClientCapabilities) -> Declared:
    """What `capabilities` declare."""

    def has(path: str) -> bool:
        return bool(get_capability(capabilities, path, False))

    def is_there(path: str) -> bool:
        return get_capability(capabilities, path, None) is not None

    def listed(path: str) -> tuple[object, ...]:
        found = get_capability(capabilities, path, None) or ()
        return tuple(getattr(one, "value", one) for one in found)

    item = "text_document.completion.completion_item"
    signature = "text_document.signature_help.signature_information"
    return Declared(
        completion=is_there("text_document.completion"),
        snippets=has(f"{item}.snippet_support"),
        resolves_documentation="documentation" in listed(f"{item}.resolve_support.properties"),
        documentation=tuple(map(str, listed(f"{item}.documentation_format"))),
        as_is=types.InsertTextMode.AsIs.value in listed(f"{item}.insert_text_mode_support.value_set"),
        label_details=has(f"{item}.label_details_support"),
        signature_help=is_there("text_document.signature_help"),
        signature_documentation=tuple(map(str, listed(f"{signature}.documentation_format"))),
        no_active_parameter=has(f"{signature}.no_active_parameter_support"),
        label_offsets=has(f"{signature}.parameter_information.label_offset_support"),
        inlay_hints=is_there("text_document.inlay_hint"),
        code_lenses=is_there("text_document.code_lens"),
        document_links=is_there("text_document.document_link"),
        link_tooltips=has("text_document.document_link.tooltip_support"),
        symbols=is_there("workspace.symbol"),
    )
