"""The page that a run leaves. Cards and rules have theirs from `torchlore.pages`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torchlore.device import LayerTable, MemoryNeed, Picture, RunResult
from torchlore.device.curves import svg
from torchlore.device.tables import layer_rows, need_rows, size, verdicts
from torchlore.lsp.markdown import escaped
from torchlore.pages import fenced
from torchlore.proof import Proof, Versions
from torchlore.rules import Rule


def run_page(title: str, code: str, result: RunResult) -> str:
    """What a snippet printed, and how the run went."""
    parts = [f"# {title}", _in_short(result), *map(escaped, result.notices)]
    if result.error is not None:
        parts += ["## Error", fenced(str(result.error), "text")]
    parts += _measured(result.measured)
    if result.lines:
        parts += ["## Values", "\n".join(f"- line {one.line}: {escaped(str(one))}" for one in result.lines)]
    if result.value is not None:
        summary, text = result.value.summary(), result.value.text
        parts += ["## Value", escaped(summary)] + ([fenced(text, "text")] if text != summary else [])
    parts += [f"![{_alternative(picture.name)}]({picture.name})" for picture in result.pictures]
    for number, curve in enumerate(result.curves, 1):
        parts.append(f"![the course of {escaped(curve.name) or 'the value'}](curve-{number}.svg)")
    if result.warnings:
        parts += ["## Warnings", "\n".join(f"- {escaped(str(warned))}" for warned in result.warnings)]
    if result.stdout.strip():
        parts += ["## Output", fenced(result.stdout, "text")]
    if result.stderr.strip():
        parts += ["## Messages", fenced(result.stderr, "text")]
    if result.truncated:
        parts.append("The output was longer than the limit; this is its beginning.")
    parts += ["## Code", fenced(_without_gaps(code), "python")]
    return "\n\n".join(parts) + "\n"


def drawn(result: RunResult) -> tuple[Picture, ...]:
    """The pictures that the page shows."""
    curves = enumerate(result.curves, 1)
    return result.pictures + tuple(Picture(f"curve-{n}.svg", svg(curve).encode()) for n, curve in curves)


def proof_page(rule: type[Rule], versions: Versions, proof: Proof) -> str:
    """A rule's example as it is and as it should be, and how the two went."""
    parts = [f"# {rule.name} ({rule.code})", escaped(proof.verdict()), _table(proof.rows())]
    parts += ["## As it is", fenced(versions.bad, "python")]
    parts += ["## As it should be", fenced(versions.good, "python")]
    return "\n\n".join(parts) + "\n"


def _measured(found: LayerTable | MemoryNeed | None) -> list[str]:
    if isinstance(found, LayerTable):
        return ["## Layers", _table(layer_rows(found))]
    if isinstance(found, MemoryNeed):
        return [
            "## Memory",
            _table(need_rows(found)),
            "\n".join(f"- {escaped(one)}" for one in verdicts(found)),
        ]
    return []


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _alternative(name: str) -> str:
    return "the value as an image" if name == "value.png" else "a figure that the snippet drew"


def _in_short(result: RunResult) -> str:
    """How it went; below that what it took."""
    took = []
    if result.own_seconds is not None:
        took.append(f"the code itself {_duration(result.own_seconds)}")
    if result.peak_memory:
        took.append(f"{size(result.peak_memory)} of memory at most")
    if result.peak_device_memory:
        took.append(f"{size(result.peak_device_memory)} on {escaped(result.device)} at most")
    return escaped(result.summary()) + (f"\n\nIt took: {', '.join(took)}." if took else "")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _without_gaps(code: str) -> str:
    """Code cut out of a file stands on its lines there; nobody needs to see what is not between them."""
    return re.sub(r"\n(?:[ \t]*\n){3,}", "\n\n\n", code).strip("\n")
