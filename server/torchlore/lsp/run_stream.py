"""`$/torchlore/run`: a run as it happens, for a client that has a place of its own for runs.

Each notification has the id of its `run` and a `kind`:

- "started": `name`, `title`, `uri` and `code`, and `again`, the argument of the command that runs it once
  more;
- "output": `stream` ("stdout", "stderr", or "notice" for a sentence about the device) and `text`, as it
  comes, with the carriage returns of progress bars;
- "finished": `result`, as `docs/torchlore-run.schema.json` describes it;
- "stopped": the `reason` why there is no result.

The command `torchlore.stop` with `{"run": id}` ends a run.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from torchlore.device import RunResult
from torchlore.device.as_json import as_json
from torchlore.lsp.programs import Program
from torchlore.lsp.server import Server

EVENTS = "$/torchlore/run"


class RunStream:
    """One run on its way to the client; says nothing to a client that did not ask for that.

    Whoever makes one must end it, whatever happens: the client shows it as running until then.
    """

    def __init__(self, server: Server, stop: Callable[[], object]) -> None:
        self._server = server
        self._id = str(uuid.uuid4())
        self._started = False
        server.stops[self._id] = stop

    def start(self, program: Program, again: Mapping[str, Any]) -> None:
        """Tells that it runs now; `again` is what was asked."""
        self._started = True
        told = {"name": program.name, "title": program.title, "uri": program.uri, "code": program.code}
        self._tell("started", **told, again={key: value for key, value in again.items() if key != "wait"})

    def output(self, stream: str, text: str) -> None:
        """Passes on what it printed."""
        self._tell("output", stream=stream, text=text)

    def finish(self, result: RunResult) -> None:
        """Tells how it went."""
        if self._is_over():
            return
        self._tell("finished", result=as_json(result))

    def stop(self, reason: str) -> None:
        """Tells why there is no result; of a run that never started, nothing."""
        if self._is_over():
            return
        self._tell("stopped", reason=reason)

    def _is_over(self) -> bool:
        return self._server.stops.pop(self._id, None) is None or not self._started

    def _tell(self, kind: str, **more: Any) -> None:
        if self._server.settings.run_events:
            self._server.protocol.notify(EVENTS, {"run": self._id, "kind": kind, **more})
