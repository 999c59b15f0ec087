"""`torchlore demo`: what an editor shows, in the terminal, from the real server."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore.cli.terminal import console, fail, print_lines, print_markdown

if TYPE_CHECKING:
    from torchlore.lsp.editor import Editor

_HOVERS = ("loss.backward", "optimizer.step", "F.softmax")
"""What the demo points at, the first that the file has."""

_CARD = "zero-grad"


def demo(
    path: Annotated[Path, typer.Argument(help="The training script to open; it is never changed.")] = Path(
        "examples/train_classifier.py"
    ),
) -> None:
    """Open a script in the real server; show the hover, the mistakes, the fixes and a proof that runs."""
    if not path.is_file():
        fail(f"{path} is not a file; the demo's own script is examples/train_classifier.py in a checkout")
    import asyncio

    try:
        shown_all = asyncio.run(_demo(path, path.absolute(), path.read_text(encoding="utf-8")))
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        fail(f"the demo stopped: {error}")
    raise typer.Exit(int(not shown_all))


async def _demo(path: Path, place: Path, text: str) -> bool:
    """Shows the four things in turn; False where one of them came back empty."""
    from torchlore.lsp.editor import editing

    began = time.perf_counter()
    async with editing([sys.executable, "-m", "torchlore", "serve"], place, text) as editor:
        _heading(f"{path}, opened in `torchlore serve` ({time.perf_counter() - began:.1f} s)")
        steps = [await _show_hover(editor), await _show_diagnostics(editor), await _show_fixes(editor, path)]
        steps.append(await _show_run(editor))
    for message in editor.messages:
        print_lines([[("server: ", "bold"), (message, "")]])
    return all(steps)


async def _show_hover(editor: Editor) -> bool:
    name = next((name for name in _HOVERS if name in editor.source.text), None)
    if name is None:
        return True
    offset = editor.source.text.index(name) + len(name) - 1
    began = time.perf_counter()
    text = await editor.hover(offset)
    row = editor.source.position(offset)[0] + 1
    _heading(f"1. Hover `{name}` in line {row} ({1000 * (time.perf_counter() - began):.0f} ms)")
    print_markdown(text or "nothing")
    return bool(text)


async def _show_diagnostics(editor: Editor) -> bool:
    began = time.perf_counter()
    found = await editor.diagnostics()
    milliseconds = 1000 * (time.perf_counter() - began)
    _heading(f"2. Underlined: {len(found)} mistakes that PyTorch does not report ({milliseconds:.0f} ms)")
    lines = editor.source.text.split("\n")
    for item in found:
        width = max(1, item.end_column - item.column) if item.end_row == item.row else 1
        print_lines(
            [
                [(f"{item.row:4d} | ", "blue"), (lines[item.row - 1], "")],
                [
                    ("     | ", "blue"),
                    (" " * (item.column - 1) + "^" * width + f" {item.code} ", "bold yellow"),
                ],
                [("     | ", "blue"), (item.message, "")],
                [],
            ]
        )
    return bool(found)


async def _show_fixes(editor: Editor, path: Path) -> bool:
    from torchlore.cli.patches import unified_diff

    before = editor.source.text
    titles = await editor.fix()
    _heading(f"3. After {len(titles)} quick fixes (the file itself is not touched)")
    print_lines([[("  · ", "green"), (title, "")] for title in titles])
    print_lines([[]])
    diff = unified_diff(before, editor.source.text, str(path))
    print_lines([[(line, _diff_style(line))] for line in diff.split("\n")])
    left = await editor.diagnostics()
    print_lines([[(f"Left after the fixes: {len(left)}", "bold")]])
    return bool(titles) and not left


async def _show_run(editor: Editor) -> bool:
    _heading(f"4. Run the proof of the card `{_CARD}` on this machine")
    outcome = await editor.run(_CARD)
    if outcome is None:
        return False
    console().file.write(f"{outcome['stdout']}{outcome['stderr']}")
    style = "green" if outcome["ok"] else "bold red"
    print_lines([[], [(str(outcome["summary"]), style)]])
    return bool(outcome["ok"])


def _heading(text: str) -> None:
    print_lines(
        [[], [("── ", "cyan"), (text, "bold cyan"), (" ", ""), ("─" * max(2, 96 - len(text)), "cyan")], []]
    )


def _diff_style(line: str) -> str:
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
