"""The page that a run leaves. Cards and rules have theirs from `torchlore.pages`."""

from __future__ import annotations

import re

from torchlore.device import RunResult
from torchlore.pages import fenced


def run_page(title: str, code: str, result: RunResult) -> str:
    """What a snippet printed, and how the run went."""
    parts = [f"# {title}", _in_short(result), *map(escaped, result.notices)]
    if result.error is not None:
        parts += ["## Error", fenced(str(result.error), "text")]
    if result.value is not None:
        parts += ["## Value", escaped(result.value.summary()), fenced(result.value.text, "text")]
    parts += [f"![{_alternative(picture.name)}]({picture.name})" for picture in result.pictures]
    if result.warnings:
        parts += ["## Warnings", "\n".join(f"- {escaped(str(warned))}" for warned in result.warnings)]
    if result.stdout.strip():
        parts += ["## Output", fenced(result.stdout, "text")]
    if result.stderr.strip():
        parts += ["## Messages", fenced(result.stderr, "text")]
    if result.truncated:
        parts.append("The output was longer than the limit; this is its beginning.")
    parts += ["## Code", fenced(code, "python")]
    return "\n\n".join(parts) + "\n"


def _alternative(name: str) -> str:
    return "the value as an image" if name == "value.png" else "a figure that the snippet drew"


def escaped(text: str) -> str:
    """Text that is nothing but text in Markdown: what a snippet says must make no link and no element."""
    return re.sub(r"([\\`*_\[\]<>&~|])", r"\\\1", " ".join(text.split()))


def _in_short(result: RunResult) -> str:
    summary = escaped(result.summary())
    if not result.peak_memory:
        return summary
    return f"{summary} Peak memory {result.peak_memory / 2**20:.0f} MiB."
