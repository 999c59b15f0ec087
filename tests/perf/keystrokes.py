"""What one keystroke costs: in this process, and through the real server, in a workspace of any size."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from torchlore.lsp.editor import editing
from torchlore.rules import Finding, all_rules, check

from tests.perf.corpus import File, analysed
from tests.perf.generate import module, workspace
from tests.perf.timing import quantiles, timed, within

SERVER = [sys.executable, "-m", "torchlore", "serve"]

_WITH_A_WORD = """\
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("bare", "1")
answer = types.Hover(types.MarkupContent(types.MarkupKind.PlainText, "a word"))
server.feature(types.TEXT_DOCUMENT_HOVER)(lambda params: answer)
server.start_io()
"""
BARE = [sys.executable, "-c", _WITH_A_WORD]
"""What pygls itself takes: a server that answers each hover with a word."""

LIMITS = {500: 0.05, 10_000: 0.5}
"""Seconds that a keystroke may take by the lines of the file."""

WORKSPACE = 5_000
"""Files of the workspace that must cost nothing until something imports from them."""

_TYPED = "    loss = criterion(model(images), labels)"


def edits(text: str, number: int) -> list[str]:
    """The versions of a file while a line is typed at the top of its last function, again and again."""
    at = text.index(":\n", text.rindex("\n\ndef ")) + 2
    return [f"{text[:at]}{_TYPED[: 1 + n % len(_TYPED)]}\n{text[at:]}" for n in range(number)]


def print_in_process() -> None:
    """Prints the cost of a new version of a file, rules included, without a server."""
    all_rules()
    print("keystroke, in process  CPU time of Source, analyze and check on the text after each character")
    for lines, limit in LIMITS.items():
        text = module(lines)
        file = File(Path(), "typed.py", text)
        versions = edits(text, _number(lines))
        found = [timed(partial(_check, file, version))[1] for version in versions]
        print(f"  {lines:>6} lines         {quantiles(found)}; {within(found, limit)}")
    print()


def _check(file: File, text: str) -> list[Finding]:
    return check(analysed(file, text))


def _number(lines: int) -> int:
    return 40 if lines < 5_000 else 15


async def print_through_server() -> None:
    """Prints what a user waits for: from the keystroke to the diagnostics, through a server process."""
    print("keystroke, server      from didChange to the diagnostics of that version, wall time")
    with TemporaryDirectory() as folder:
        for lines, limit in LIMITS.items():
            text = module(lines)
            _, found = await _typed(Path(folder) / "typed.py", text, edits(text, _number(lines)))
            print(f"  {lines:>6} lines         {quantiles(found)}; {within(found, limit)}")
    print()


async def _typed(path: Path, text: str, versions: list[str]) -> tuple[float, list[float]]:
    """Seconds until the first diagnostics of a new server, and of each version after that."""
    began = time.perf_counter()
    async with editing(SERVER, path, text) as editor:
        await editor.diagnostics()
        first = time.perf_counter() - began
        found = []
        for version in versions:
            began = time.perf_counter()
            editor.replace(version)
            await editor.diagnostics()
            found.append(time.perf_counter() - began)
        return first, found


async def print_workspace(size: int = WORKSPACE) -> None:
    """Prints the start and the keystroke in a small file of a large workspace, by what it imports."""
    with TemporaryDirectory() as empty, TemporaryDirectory() as folder:
        names = workspace(Path(folder), size)
        text = module(100)
        alone, _ = await _typed(Path(empty) / "main.py", text, [])
        print(f"workspace              {size} files; wall time through the server")
        print(f"  in an empty folder   start -> first diagnostics {alone:.2f} s")
        for number in (0, 1, 20):
            imports = tuple(names[:: max(1, size // max(1, number))][:number])
            text = module(300, imports=imports)
            first, found = await _typed(Path(folder) / "main.py", text, edits(text, 40))
            start = f"start -> first diagnostics {first:.2f} s"
            print(f"  imports from {number:>2}      {start}; keystroke {quantiles(found)}")
    print()
