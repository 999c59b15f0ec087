"""What a run prints, on its way to whoever looks."""

from __future__ import annotations

import logging
from collections.abc import Callable

from torchlore.device.agent import Message

log = logging.getLogger(__name__)

OnOutput = Callable[[str, str], None]
"""Is told "stdout", "stderr" or "notice", and clean text as it comes."""

OnStart = Callable[[], None]


class Output:
    """What was printed so far, passed on as it comes."""

    def __init__(self, on_output: OnOutput | None, on_start: OnStart | None = None) -> None:
        self.on_output = on_output
        self.on_start = on_start
        self.texts: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self.notices: list[str] = []

    def add(self, message: Message) -> None:
        stream, text = message.get("stream"), message.get("text")
        if stream not in self.texts or not isinstance(text, str):
            return
        self.texts[stream].append(text)
        self._pass_on(stream, text)

    def start(self) -> None:
        """Says that the snippet runs now; again where it is tried twice."""
        if self.on_start is not None:
            try:
                self.on_start()
            except Exception:
                log.exception("showing the start of a run failed")

    def tell(self, notice: str) -> None:
        """Says something of our own before the snippet starts; once, though it be tried twice."""
        if notice not in self.notices:
            self.notices.append(notice)
            self._pass_on("notice", notice)

    def _pass_on(self, stream: str, text: str) -> None:
        if self.on_output is not None:
            try:
                self.on_output(stream, text)
            except Exception:
                log.exception("showing the output of a run failed")
                self.on_output = None

    def text(self, stream: str) -> str:
        """All of it, each line as it was drawn last."""
        text = "".join(self.texts[stream])
        if "\r" not in text:
            return text
        return "\n".join(_drawn_last(line) for line in text.split("\n"))


def _drawn_last(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "")
