"""Signature help while a call is typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import Editor
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT = "import torch\n\nmodel = torch.nn.Linear(2, 3)\noptimizer = torch.optim.SGD(model.parameters(), "


async def test_the_argument_that_is_typed_is_explained(
    any_editor: Editor, new_file: Callable[[], str]
) -> None:
    if not any_editor.declares("text_document", "signature_help"):
        assert any_editor.server.signature_help_provider is None
        return
    uri = any_editor.open(new_file(), TEXT)
    for typed, argument in (
        ("", "lr=0.001"),
        ("lr=0.1, ", "momentum=0"),
        ("weight_decay=", "weight_decay=0"),
    ):
        end = len(any_editor.texts[uri])
        any_editor.change(uri, (end, end, typed))
        at = any_editor.position(uri, end + len(typed))
        params = types.SignatureHelpParams(any_editor.identifier(uri), at)
        found = await any_editor.client.text_document_signature_help_async(params)
        assert found is not None and found.active_parameter is not None
        (signature,) = found.signatures
        assert signature.parameters is not None
        label = signature.parameters[found.active_parameter].label
        assert (label if isinstance(label, str) else signature.label[label[0] : label[1]]) == argument
    any_editor.close(uri)
