"""What a user waits for when the server starts and when the mouse rests on a name."""

from __future__ import annotations

import ast
import statistics
import time
from pathlib import Path

from torchlore.lsp.editor import Editor, editing
from torchlore.text import Edit, Source, Span, apply_edits

from tests.perf.corpus import ROOT
from tests.perf.keystrokes import BARE, SERVER
from tests.perf.timing import quantiles

SCRIPT = ROOT / "examples" / "train_classifier.py"
ROUNDS = 5


async def print_server() -> None:
    """Prints start, hovers, edits and memory of the real server on the example."""
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
        found.append(time.perf_counter() - began)
    print(f"hover                  {quantiles(found)} (round trip, {len(found)} hovers)")


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
        found.append(time.perf_counter() - began)
    print(f"edit -> diagnostics    {quantiles(found)} ({text.count(chr(10))} lines)")


def _print_memory(editor: Editor) -> None:
    status = Path(f"/proc/{editor.process_id}/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        print(f"memory of the server   {int(line.split()[1]) / 1024:.0f} MB\n")
