"""What a snippet prints: bytes in, clean text out, never more than was asked for."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

TAIL = 4096
"""Bytes of each stream that are kept from what was still in the pipe when the limit was reached."""

# ECMA-48: control sequences (CSI), strings (OSC, DCS, SOS, PM, APC) and the other escapes of two or three
# characters.
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]{0,2048}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
_UNFINISHED = re.compile(
    r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*\x1b?"
    r"|\x1b[ -/]*)\Z"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LONGEST_ESCAPE = 2048


@dataclass
class Cleaner:
    """One stream on its way from bytes to text.

    Bytes that are not UTF-8 become U+FFFD; terminal escapes and control characters vanish; `\\r\\n` becomes
    `\\n`. A character or an escape that is cut between two chunks is held back until the rest comes.
    """

    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
    held: str = ""
    returned: str = ""

    def clean(self, data: bytes, *, last: bool = False) -> str:
        """The text of the next bytes. With `last`, nothing is held back."""
        text = self.held + self.decoder.decode(data, last)
        self.held = ""
        if not last:
            text = self._hold_back(text)
        text = self.returned + _CONTROL.sub("", _ESCAPE.sub("", text))
        # Behind a carriage return a newline may follow, and what stood between the two is gone by then.
        self.returned = "\r" if text.endswith("\r") and not last else ""
        return text[: len(text) - len(self.returned)].replace("\r\n", "\n")

    def _hold_back(self, text: str) -> str:
        cut = len(text)
        start = max(0, len(text) - _LONGEST_ESCAPE)
        unfinished = _UNFINISHED.search(text, start)
        if unfinished and unfinished.group():
            cut = unfinished.start()
        self.held = text[cut:]
        return text[:cut]
