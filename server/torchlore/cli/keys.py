"""What a person presses: a key where they sit at a terminal, a line where the input comes from elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

END = ""
"""The input is over, or Ctrl-D was pressed."""

_LONGEST = 32
"""Bytes that one key may send after its first: arrows and function keys send several."""


def is_interactive() -> bool:
    """Whether a person presses keys at the other end of standard input."""
    return sys.stdin is not None and sys.stdin.isatty()


def read_key() -> str:
    """The next key in lower case; of a line that comes from elsewhere, its first character or a line end.

    Returns `END` at the end of the input. Raises KeyboardInterrupt on Ctrl-C.
    """
    if sys.stdin is None:
        return END
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return (line.strip()[:1] or "\n").lower() if line else END
    key = _pressed()
    return END if key in ("", "\x04", "\x1a") else key.lower()


if sys.platform == "win32":

    @contextmanager
    def single_keys() -> Iterator[None]:
        """While it lasts, the terminal hands over each key as it is pressed, and shows none."""
        yield

    def _pressed() -> str:
        import msvcrt

        key = msvcrt.getwch()
        if key in ("\x00", "\xe0"):  # A function key: its code follows.
            msvcrt.getwch()
            return "\x1b"
        if key == "\x03":
            raise KeyboardInterrupt
        return "\n" if key == "\r" else key

else:

    @contextmanager
    def single_keys() -> Iterator[None]:
        """While it lasts, the terminal hands over each key as it is pressed, and shows none."""
        if not is_interactive():
            yield
            return
        import termios
        import tty

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        try:
            tty.setcbreak(terminal, termios.TCSADRAIN)  # What was typed ahead is kept.
            yield
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)

    def _pressed() -> str:
        import select

        terminal = sys.stdin.fileno()
        first = os.read(terminal, 1)
        if first and (first == b"\x1b" or first[0] >= 0x80):  # The rest of it is there already.
            while select.select([terminal], [], [], 0)[0] and os.read(terminal, _LONGEST):
                pass
            return "\x1b"
        return first.decode("ascii")
