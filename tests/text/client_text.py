"""Lines and columns as a client counts them: by the protocol's words, without our code."""

from __future__ import annotations

import re

from hypothesis import strategies as st
from torchlore.text import Encoding

ENCODINGS = list(Encoding)
# Everything that some notion of a line or of a character's width disagrees about.
NASTY = [
    "\n",
    "\r",
    "\r\n",
    "\f",
    "\v",
    "\x1c",
    "\x1d",
    "\x85",
    "\u2028",
    "\u2029",
    "é",
    "漢",
    "😀",
    "e\u0301",
    "\t",
]
texts = st.lists(st.sampled_from([*NASTY, "a", "x = 1", " ", "#"]), max_size=25).map("".join)


def clients_lines(text: str) -> list[str]:
    """The lines without their ends, by the protocol's words and not by our code."""
    return re.split(r"\r\n|\n|\r", text)


def units(text: str, encoding: Encoding) -> int:
    """The length of `text`, by encoding it and not by counting."""
    width = {Encoding.UTF8: 1, Encoding.UTF16: 2, Encoding.UTF32: 4}[encoding]
    codec = {Encoding.UTF8: "utf-8", Encoding.UTF16: "utf-16-le", Encoding.UTF32: "utf-32-le"}[encoding]
    return len(text.encode(codec)) // width
