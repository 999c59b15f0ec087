"""pygls' protocol layer, cured of what it does wrong to us.

Each cure names the harm: pygls 2.1 keeps every notification's future for ever, leaves a request with
malformed parameters unanswered, fails a whole message for one enum value that it does not know, takes what
is inside a message for one where it has a key `jsonrpc`, cannot cancel a command, and drops requests
silently before `initialize` and after `shutdown`.
"""

from __future__ import annotations

import enum
import inspect
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method

from torchlore.lsp import capabilities

log = logging.getLogger(__name__)


class Superseded(JsonRpcException):
    """The text changed before its diagnostics were ready; the client may ask again."""

    CODE = types.LSPErrorCodes.ServerCancelled.value
    MESSAGE = "The text has changed"

    def __init__(self) -> None:
        super().__init__(message=self.MESSAGE, code=self.CODE, data={"retriggerRequest": True})


class Protocol(LanguageServerProtocol):
    """The protocol layer of torchlore's server."""

    _initialized = False

    def handle_message(self, message: Any) -> None:
        """Handles one message as it was read; what cannot be handled is answered or, with no id, dropped."""
        data = message if isinstance(message, dict) else {}
        problem = self._problem(data)
        if problem is None:
            try:
                typed = super().structure_message(data)
            except JsonRpcException:
                problem = JsonRpcInvalidParams(f"malformed {data.get('method')}")
            else:
                self._initialized = self._initialized or data.get("method") == types.INITIALIZE
                super().handle_message(typed)
                return
        if "method" in data and isinstance(data.get("id"), (str, int)):
            self._send_response(data["id"], error=problem.to_response_error())
        else:
            log.info("dropping %s: %s", data.get("method", "a message"), problem)

    def _problem(self, data: dict[str, Any]) -> JsonRpcException | None:
        """Why a message may not come, or not now; None where it may."""
        method = data.get("method")
        if data.get("jsonrpc") != self.VERSION:
            return JsonRpcInvalidRequest("no message of JSON-RPC 2.0")
        if method == types.INITIALIZE:
            return JsonRpcInvalidRequest("sent before") if self._initialized else None
        if method and method != types.EXIT and (self._shutdown or not self._initialized):
            return JsonRpcInvalidRequest("shut down") if self._shutdown else JsonRpcServerNotInitialized()
        return None

    def structure_message(self, data: dict[str, Any]) -> Any:
        """`data` as it is: this is called for what is inside a message too, which may look like one."""
        return data

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # pygls takes coroutines too
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """Runs a command as a task: pygls' generator goes on running when the request is cancelled."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams(f"unknown command {params.command!r}")
        return await handler(params.arguments or [])

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        def done(future: Future[Any]) -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)


def tolerant_converter() -> Converter:
    """pygls' converter, which leaves an enum value that it does not know as it is, and capabilities, too.

    What it says of a malformed message goes nowhere, so that it need not say it in detail: its code for
    `initialize` alone would be written and compiled at twice the length.
    """
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    converter.detailed_validation = False
    converter.register_structure_hook(types.ClientCapabilities, capabilities.read)
    for kind in vars(types).values():
        # One by one: for a class that is an int or a str too, cattrs never asks a hook for `Enum`.
        if inspect.isclass(kind) and issubclass(kind, enum.Enum):
            converter.register_structure_hook(kind, _structure_enum)
    return converter


def _structure_enum(value: Any, kind: type[enum.Enum]) -> Any:
    try:
        return kind(value)
    except ValueError:
        log.debug("%r is no %s", value, kind.__name__)
        return value
