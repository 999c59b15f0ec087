"""pygls' protocol layer, cured of what it does wrong to us.

Each cure names the harm: pygls 2.1 keeps every notification's future for ever, leaves a request with
malformed parameters unanswered, fails a whole message for one enum value that it does not know, cannot
cancel a command, and drops requests silently before `initialize` and after `shutdown`.
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
        """Handles one message, or answers that it comes at the wrong time."""
        method: str = getattr(message, "method", "")
        number: str | int | None = getattr(message, "id", None)
        if method == types.INITIALIZE and not self._initialized:
            self._initialized = True
        elif method and method != types.EXIT and (self._shutdown or not self._initialized):
            if number is not None:
                self._send_response(number, error=self._wrong_time().to_response_error())
            return
        elif method == types.INITIALIZE and number is not None:
            self._send_response(number, error=JsonRpcInvalidRequest("sent before").to_response_error())
            return
        super().handle_message(message)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The typed message of `data`. A request that cannot be typed is answered, not left waiting."""
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if "id" in data and "method" in data:
                problem = JsonRpcInvalidParams(f"malformed {data['method']}")
                self._send_response(data["id"], error=problem.to_response_error())
            raise

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

    def _wrong_time(self) -> JsonRpcException:
        return JsonRpcInvalidRequest("shut down") if self._shutdown else JsonRpcServerNotInitialized()


def tolerant_converter() -> Converter:
    """pygls' converter, which leaves an enum value that it does not know as it is."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
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
