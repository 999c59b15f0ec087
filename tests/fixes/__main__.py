"""Applies every fix of every finding below some paths and says which promises are broken.

`python -m tests.fixes PATH…`: all rules, those that are off by default as well. Nothing is written to the
files. It ends with 1 where a promise is broken. See `promises.py` for what they are.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from torchlore.text import Source

from tests.fixes.promises import broken_alone, broken_together, findings_of
from tests.perf.corpus import File, files, workspace


def main() -> None:
    """Prints every broken promise, and how many fixes were tried, by rule."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fixes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=lambda text: Path(text).resolve(), metavar="PATH")
    tried: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for file in files(parser.parse_args().paths):
        _try(file, tried, broken)
    for code in sorted(tried):
        print(f"{code}  {tried[code]:5} fixes, {broken[code]:3} broken promises")
    total = sum(broken.values())
    print(f"{sum(tried.values())} fixes, alone and all together; {total} broken promises")
    sys.exit(total > 0)


def _try(file: File, tried: Counter[str], broken: Counter[str]) -> None:
    source = Source(file.text, str(file.path))
    found = findings_of(source, workspace())
    tried.update(finding.code for finding in found for _ in finding.fixes)
    if not any(finding.fixes for finding in found):
        return
    for one in (*broken_alone(source, found, workspace()), *broken_together(source, found, workspace())):
        broken[one.code] += 1
        about = f"{one.code}: " if one.code else ""
        print(f"{file.path}:{one.line}: {about}{one.title}: {one.promise}", flush=True)


if __name__ == "__main__":
    main()
