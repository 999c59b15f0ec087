"""What clients declare reads as pygls' own types do, for every client that we know."""

from __future__ import annotations

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter
from recorded import CLIENTS, capabilities
from torchlore.lsp.capabilities import Capabilities, read
from torchlore.lsp.client import Client, client_of
from torchlore.lsp.protocol import tolerant_converter


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_the_same_however_it_is_read(client: str) -> None:
    raw = {"processId": None, "rootUri": None, "capabilities": capabilities(client)}
    plain = get_converter().structure(raw, types.InitializeParams)
    light = tolerant_converter().structure(raw, types.InitializeParams)
    assert isinstance(light.capabilities, Capabilities)
    assert not isinstance(plain.capabilities, Capabilities)
    assert client_of(light) == client_of(plain)
    assert client_of(light) != Client()


def test_what_nobody_declared_is_none() -> None:
    declared = read({"textDocument": {"hover": {}}}, types.ClientCapabilities)
    assert declared.text_document.hover
    assert declared.text_document.hover.content_format is None
    assert declared.workspace is None


@pytest.mark.parametrize("raw", [None, 3, [], "x"])
def test_what_is_no_object_is_malformed(raw: object) -> None:
    with pytest.raises(ValueError, match="object"):
        read(raw, types.ClientCapabilities)


@pytest.mark.parametrize("raw", [{"textDocument": 3}, {"textDocument": {"hover": []}}, {"general": "x"}])
def test_values_of_wrong_types_declare_nothing(raw: dict[str, object]) -> None:
    given = {"processId": None, "rootUri": None, "capabilities": raw}
    assert client_of(tolerant_converter().structure(given, types.InitializeParams)) == Client()
