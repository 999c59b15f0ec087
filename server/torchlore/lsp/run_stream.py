"""`$/torchlore/run`: a run as it happens, for a client that shows it in a place of its own.

Each notification has the number of its `run` and a `phase`:

- "started": `title`, `code`, and `again`, the argument of the command that runs it once more;
- "output": `stream` ("stdout", "stderr", or "notice" for a sentence about the device) and `text`, as it
  comes, with the carriage returns of progress bars;
- "ended": `result`, as `docs/torchlore-run.schema.json` describes it, or null, and then a `reason`.

The command `torchlore.stop` with `{"run": number}` ends a run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from torchlore.device import RunResult
from torchlore.device.as_json import as_json
from torchlore.lsp.server import Server

RUN_NOTIFICATION = "$/torchlore/run"

_numbers = itertools.count(1)


class RunStream:
    """One run on its way to the client; says nothing to a client that does not show runs.

    Whoever makes one must end it, whatever happens: the client shows it as running until then.
    """

    def __init__(self, server: Server, stop: Callable[[], object]) -> None:
        self._server = server
        self._number = next(_numbers)
        self._started = False
        server.stops[self._number] = stop

    def start(self, title: str, code: str, again: dict[str, Any]) -> None:
        """Tells that it runs now."""
        self._started = True
        self._tell("started", title=title, code=code, again=again)

    def output(self, stream: str, text: str) -> None:
        """Passes on what it printed."""
        self._tell("output", stream=stream, text=text)

    def end(self, result: RunResult | None, reason: str = "") -> None:
        """Tells how it ended; the second time, and of a run that never started, nothing."""
        if self._server.stops.pop(self._number, None) is None or not self._started:
            return
        self._tell("ended", result=None if result is None else as_json(result), reason=reason)

    def _tell(self, phase: str, **more: Any) -> None:
        if self._server.settings.shows_runs:
            self._server.protocol.notify(RUN_NOTIFICATION, {"run": self._number, "phase": phase, **more})
