"""How fast torchlore is, as figures and ratios measured in one run: `python -m tests.perf [PATH…]`.

PATH: Python files or folders to measure `check` on; the project's own files by default.
"""

from __future__ import annotations

import ast
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from torchlore.analysis import analyze
from torchlore.lsp.editor import Editor, editing
from torchlore.rules import all_rules, check
from torchlore.text import Edit, Source, Span, apply_edits, decode

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "train_classifier.py"
SERVER = [sys.executable, "-m", "torchlore", "serve"]
BARE = [sys.executable, "-c", "from pygls.lsp.server import LanguageServer as S; S('bare', '1').start_io()"]
ROUNDS = 5


def main(arguments: list[str]) -> None:
    """Prints every figure."""
    paths = [Path(a) for a in arguments] or [ROOT / "server", ROOT / "examples", ROOT / "knowledge"]
    _print_check(paths)
    asyncio.run(_print_server())


def _print_check(paths: list[Path]) -> None:
    texts = [text for path in paths for text in _texts(path)]
    all_rules()
    parsing = _best(lambda: [ast.parse(text) for text in texts])
    checking = _best(lambda: [check(analyze(Source(text))) for text in texts])
    lines = sum(text.count("\n") for text in texts)
    print(f"check, one process     {len(texts)} files, {lines} lines: {checking / parsing:.1f} x ast.parse")


def _texts(path: Path) -> list[str]:
    """The files that mention torch: `check` skips the others unparsed."""
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    texts = []
    for file in files:
        text = decode(file.read_bytes())
        if "torch" in text:
            texts.append(text)
    return texts


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


async def _print_server() -> None:
    bare, ours = [], []
    for _ in range(ROUNDS):  # alternating, so that both meet the same load
        bare.append(await _start(BARE))
        ours.append(await _start(SERVER))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"start -> initialize    {ratio:.2f} x a bare pygls server")
    text = SCRIPT.read_text(encoding="utf-8")
    began = time.perf_counter()
    async with editing(SERVER, SCRIPT, text) as editor:
        await editor.hover(text.index("loss.backward") + 8)
        print(f"start -> first hover   {time.perf_counter() - began:.2f} s")
        await _print_hovers(editor, text)
        await _print_edits(editor)
        _print_memory(editor)


async def _start(command: list[str]) -> float:
    began = time.perf_counter()
    async with editing(command, SCRIPT, ""):
        return time.perf_counter() - began


async def _print_hovers(editor: Editor, text: str) -> None:
    source = Source(text)
    names = [node for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)]
    found = []
    for node in names * 3:
        began = time.perf_counter()
        await editor.hover(source.span(node).end - 1)
        found.append(1000 * (time.perf_counter() - began))
    print(f"hover                  {_quantiles(found)} (round trip, {len(found)} hovers)")


async def _print_edits(editor: Editor) -> None:
    """Types one character after the other into a 300-line file."""
    text = editor.source.text
    while text.count("\n") < 300:
        text += "\n\ndef again(model, optimizer, x):\n    optimizer.zero_grad()\n    return model(x)\n"
    found = []
    for number in range(40):
        text = apply_edits(text, [Edit(Span(len(text), len(text)), f"x{number} = {number}\n")])
        began = time.perf_counter()
        editor.replace(text)
        await editor.diagnostics()
        found.append(1000 * (time.perf_counter() - began))
    print(f"edit -> diagnostics    {_quantiles(found)} ({text.count(chr(10))} lines)")


def _quantiles(milliseconds: list[float]) -> str:
    cuts = statistics.quantiles(milliseconds, n=100)
    return f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, worst {max(milliseconds):.1f} ms"


def _print_memory(editor: Editor) -> None:
    status = Path(f"/proc/{editor.process_id}/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        print(f"memory of the server   {int(line.split()[1]) / 1024:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
