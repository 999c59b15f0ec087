"""How fast torchlore is, as figures and ratios measured in one run: `python -m tests.perf [options] [PATH…]`.

PATH: Python files or folders to measure on; the project's own files by default. Files that do not mention
torch are left out, as `check` leaves them out. What code in them is known is counted by
`python -m tests.perf.receivers`, which is a part of this, too.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.perf import keystrokes, receivers
from tests.perf.checking import print_check
from tests.perf.corpus import ROOT, files, packages
from tests.perf.index import print_index
from tests.perf.load import print_load
from tests.perf.peers import print_peers
from tests.perf.runs import print_runs
from tests.perf.scaling import print_scaling
from tests.perf.server import print_server


def main(arguments: list[str] | None = None) -> None:
    """Prints every figure, or those of the sections that were asked for."""
    given = _arguments(arguments)
    for name in given.only or ():
        SECTIONS[name](given.paths)
    if not given.only:
        for name in SECTIONS:  # each in a process of its own: what one leaves would slow the next
            command = [sys.executable, "-m", "tests.perf", "--only", name, *map(str, given.paths)]
            subprocess.run(command, cwd=ROOT, check=True)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.perf", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=lambda text: Path(text).resolve(), metavar="PATH")
    parser.add_argument("--only", action="append", choices=[*SECTIONS], help="this section (may be repeated)")
    return parser.parse_args(arguments)


def _print_receivers(paths: list[Path]) -> None:
    receivers.print_counts(list(receivers.receivers(files(paths), packages(paths))))
    print()


SECTIONS: dict[str, Callable[[list[Path]], None]] = {
    "check": print_check,
    "receivers": _print_receivers,
    "index": lambda _: print_index(),
    "scaling": print_scaling,
    "keystroke": lambda _: keystrokes.print_in_process(),
    "server": lambda _: asyncio.run(print_server()),
    "server-keystroke": lambda _: asyncio.run(keystrokes.print_through_server()),
    "peers": print_peers,
    "load": lambda paths: asyncio.run(print_load(paths)),
    "runs": lambda _: asyncio.run(print_runs()),
    "workspace": lambda _: asyncio.run(keystrokes.print_workspace()),
}
"""In the order in which they are printed."""


if __name__ == "__main__":
    main()
