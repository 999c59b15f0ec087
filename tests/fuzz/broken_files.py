"""Measures how much of real files survives edits.

`PYTHONPATH=server:tests/analysis python tests/fuzz/broken_files.py DIRECTORY --edits 300`
"""

from __future__ import annotations

import argparse
import ast
import random
import time
from collections import Counter
from pathlib import Path

from breaking import KINDS, Broken, Whole, break_text, compare_facts, lost_statements


def main() -> None:
    options = _options()
    files = sorted(options.directory.rglob("*.py"))
    rng = random.Random(options.seed)
    rng.shuffle(files)
    wholes = [whole for path in files[: options.files] if (whole := _whole(path, options.lines)) is not None]
    print(f"{len(wholes)} files, {options.edits} edits of each kind, seed {options.seed}")
    for kind in options.kinds.split(","):
        _measure(kind, wholes, options, rng)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--edits", type=int, default=200, help="edits of each kind")
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--lines", type=int, default=800, help="files longer than this are left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--show", type=int, default=0, help="how many losses of each kind to show")
    parser.add_argument("--no-facts", action="store_true", help="look at statements only")
    return parser.parse_args()


def _whole(path: Path, longest: int) -> tuple[Path, Whole] | None:
    text = path.read_text(encoding="utf-8")
    if text.count("\n") > longest or not text.strip() or "\f" in text or "\r" in text:
        return None
    return path, Whole(text)


def _measure(
    kind: str, wholes: list[tuple[Path, Whole]], options: argparse.Namespace, rng: random.Random
) -> None:
    total: Counter[str] = Counter()
    shown = 0
    before = time.perf_counter()
    while total["edits"] < options.edits:
        path, whole = rng.choice(wholes)
        broken = break_text(whole.text, kind, rng)
        if _parses(broken.text):
            continue
        total["edits"] += 1
        lost, count = lost_statements(whole, broken)
        total["statements"] += count
        total["lost statements"] += len(lost)
        total["edits that lose a statement"] += bool(lost)
        notes = [f"statements {lost[:4]} ({len(lost)})"] if lost else []
        if not options.no_facts:
            score = compare_facts(whole, broken)
            total["facts"] += score.count
            total["lost facts"] += len(score.lost)
            total["wrong facts"] += len(score.wrong)
            total["edits that lose a fact"] += bool(score.lost)
            total["edits with a wrong fact"] += bool(score.wrong)
            notes += [f"lost {score.lost[:2]} ({len(score.lost)})"] if score.lost else []
            notes += [f"wrong {score.wrong[:2]} ({len(score.wrong)})"] if score.wrong else []
        if notes and shown < options.show:
            shown += 1
            _show(path, broken, notes)
    _print(kind, total, time.perf_counter() - before)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _show(path: Path, broken: Broken, notes: list[str]) -> None:
    print(f"  {path}: {broken.what}")
    for note in notes:
        print(f"      {note}")


def _print(kind: str, total: Counter[str], seconds: float) -> None:
    def per(part: str, of: str) -> str:
        return f"{100 * total[part] / max(1, total[of]):6.2f}%"

    print(
        f"{kind:7} statements lost {per('lost statements', 'statements')}"
        f" (in {per('edits that lose a statement', 'edits')} of edits)"
        f"  facts lost {per('lost facts', 'facts')} (in {per('edits that lose a fact', 'edits')})"
        f"  wrong {per('wrong facts', 'facts')} (in {per('edits with a wrong fact', 'edits')})"
        f"  {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
