"""Pictures of a run: shown in terminals that can, kept in a folder where one is named."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torchlore.cli.terminal import fail, is_terminal, print_lines, warn

if TYPE_CHECKING:
    from torchlore.device import Picture
    from torchlore.device.curves import Curve

_WIDTH = 60
_CHUNK = 4096
"""Characters of base64 that kitty takes at once."""


def show_curves(curves: Sequence[Curve]) -> None:
    """A line for each."""
    from torchlore.device.curves import sparkline

    for curve in curves:
        line = sparkline(curve, _WIDTH)
        ends = f", from {curve.values[0]:.4g} to {curve.values[-1]:.4g}" if curve.values else ""
        course = f"{line} ({curve.count} numbers{ends})"
        print_lines([[(f"{curve.name or 'value'}: ", "bold"), (course, "")]])


def show_pictures(pictures: Sequence[Picture], curves: Sequence[Curve], folder: Path | None) -> None:
    """Keeps them in the folder, if one is named; shows them where standard output is a terminal that can."""
    if folder is not None:
        _keep(pictures, curves, folder)
    if not pictures:
        return
    shown = protocol(os.environ) if is_terminal() else None
    if shown is None:
        if folder is None:
            warn(f"it drew {len(pictures)}; `--pictures FOLDER` keeps them")
        return
    for picture in pictures:
        sys.stdout.write("".join(drawn(picture.data, shown)) + "\n")
    sys.stdout.flush()


def protocol(environ: Mapping[str, str]) -> str | None:
    """How this terminal is shown pictures: "kitty" or "iterm2"; None where nothing says that it can."""
    if "TMUX" in environ or environ.get("TERM", "").startswith(("screen", "tmux")):
        return None  # They pass on neither of the two.
    program = environ.get("TERM_PROGRAM", "")
    if environ.get("TERM") in ("xterm-kitty", "xterm-ghostty") or program == "ghostty":
        return "kitty"
    return "iterm2" if program in ("iTerm.app", "WezTerm") else None


def drawn(png: bytes, shown: str) -> Iterator[str]:
    """The escapes that show a PNG."""
    text = base64.b64encode(png).decode("ascii")
    if shown == "iterm2":
        yield f"\x1b]1337;File=inline=1;size={len(png)}:{text}\a"
        return
    for start in range(0, len(text), _CHUNK):
        head = "a=T,f=100," if start == 0 else ""
        more = int(start + _CHUNK < len(text))
        yield f"\x1b_G{head}m={more};{text[start : start + _CHUNK]}\x1b\\"


def _keep(pictures: Sequence[Picture], curves: Sequence[Curve], folder: Path) -> None:
    from torchlore.device.curves import svg

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            (folder / picture.name).write_bytes(picture.data)
        for number, curve in enumerate(curves, 1):
            (folder / f"curve-{number}.svg").write_text(svg(curve), encoding="utf-8")
    except OSError as error:
        fail(f"{folder}: {error.strerror}")
