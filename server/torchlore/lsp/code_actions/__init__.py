"""What can be done where the cursor is: one module per kind of action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lsprotocol import types

from torchlore.lsp.analyses import Analysed
from torchlore.lsp.code_actions import explain, fix, fix_all, insert, run
from torchlore.lsp.code_actions.model import Asked, wanted
from torchlore.lsp.server import Server


async def code_actions(
    server: Server, params: types.CodeActionParams
) -> list[types.Command | types.CodeAction] | None:
    """Answers `textDocument/codeAction`."""

    def look(known: Analysed) -> list[types.CodeAction]:
        asked = Asked(
            server=server,
            known=known,
            uri=params.text_document.uri,
            span=known.places(server.encoding).span(params.text_document.uri, params.range),
            only=tuple(str(getattr(kind, "value", kind)) for kind in params.context.only or ()),
            unasked=params.context.trigger_kind == types.CodeActionTriggerKind.Automatic,
        )
        return list(_actions(asked))

    if run.is_worth_looking(server):
        server.start_task(run.look_for_gpus(server), "looking for GPUs")
    actions = await server.analysed(params.text_document.uri, look)
    return _in_clients_form(actions, server) if actions else None


async def resolve(server: Server, action: types.CodeAction) -> types.CodeAction:
    """Answers `codeAction/resolve`: the action with its edit, for the text as it is by now."""
    uri = action.data.get("uri") if isinstance(action.data, Mapping) else None
    if isinstance(uri, str) and action.edit is None:
        action.edit = await server.analysed(uri, lambda known: fix_all.edit(server, known, uri))
    return action


def _actions(asked: Asked) -> Iterator[types.CodeAction]:
    for module in (fix, fix_all, insert, explain, run):
        if any(wanted(kind, asked.only) for kind in module.KINDS):
            for action in module.actions(asked):
                if wanted(str(getattr(action.kind, "value", action.kind)), asked.only):
                    yield action


def _in_clients_form(
    actions: Iterable[types.CodeAction], server: Server
) -> list[types.Command | types.CodeAction]:
    """A client without code action literals takes commands only; the edits are out of its reach."""
    if server.client.literals:
        return list(actions)
    return [action.command for action in actions if action.command is not None]
