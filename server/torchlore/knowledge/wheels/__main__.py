"""`python -m torchlore.knowledge.wheels 2.3.1 2.4.1 … 2.14.1`: what the symbol index says of other versions.

Downloads the wheel of each version with pip (60 to 140 MB each; one at a time, deleted when read), reads it
by its text alone, and writes the ranges of versions into the shipped index. The index itself comes from an
installed torch: build it first (`python -m torchlore.knowledge symbols`). Name the last release of each minor
version, and one minor version older than the oldest of interest: what is new can only be told beside it.
A wheel that lies here already is named by its path.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from torchlore.knowledge.build import BuildError, write_index
from torchlore.knowledge.index_file import read_index
from torchlore.knowledge.symbols import index_path
from torchlore.knowledge.wheels.history import agreement, described, history
from torchlore.knowledge.wheels.lookup import Torch
from torchlore.knowledge.wheels.source import Wheel, WheelError, read_wheel

# These hold the same Python and stub files as the others and are the smallest.
_PLATFORMS = [f"macosx_{version}_0_arm64" for version in range(11, 27)]
_PYTHON = "3.11"


def main(arguments: list[str]) -> int:
    """Rewrite the shipped index and print what was found; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m torchlore.knowledge.wheels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("wheels", nargs="+", metavar="VERSION|WHEEL")
    given = parser.parse_args(arguments)
    path = index_path()
    if path is None:
        parser.error("there is no index yet: run `python -m torchlore.knowledge symbols` first")
    try:
        wheels = [_wheel(named) for named in given.wheels]
        torches = [Torch(wheel) for wheel in sorted(wheels, key=_order)]
        content = read_index(path)
        content |= history(content, torches)
        write_index(content, path, "the index with these versions is not usable")
    except (BuildError, WheelError, ValueError, OSError) as error:
        print(f"torchlore.knowledge.wheels: {error}", file=sys.stderr)
        return 1
    seen, denied, left_open = agreement(content, described(content, torches))
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB, {len(content['ranges'])} names with a range")
    print(f"read in both ways: {seen} names agree, {denied} do not; {left_open} cannot be told from text")
    return 0


def _wheel(named: str) -> Wheel:
    if named.endswith(".whl"):
        return read_wheel(Path(named))
    with tempfile.TemporaryDirectory(prefix="torchlore-wheel-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--python-version", _PYTHON, "--dest", folder]
        command += [part for platform in _PLATFORMS for part in ("--platform", platform)]
        done = subprocess.run([*command, f"torch=={named}"], capture_output=True, text=True, check=False)
        found = sorted(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not found:
            last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise WheelError(f"pip could not download torch {named}: {last}")
        return read_wheel(found[0])


def _order(wheel: Wheel) -> list[int]:
    return [int(part) for part in wheel.version.partition("+")[0].split(".") if part.isdigit()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
