"""Writes what the extension says of the server's options: settings in `package.json`, and `src/options.ts`.

`make -C editors/vscode manifest` runs it; a test fails where what stands there is not what it writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torchlore.lsp.options import OPTIONS, Option

HERE = Path(__file__).parent
SECTION = "torchlore"
OWN = ("path", "importStrategy", "trace.server")
"""Settings of the extension alone; they are written by hand, and stand behind those of the server."""


def main() -> None:
    for name, made in FILES.items():
        (HERE / name).write_text(made(), encoding="utf-8")


def package() -> str:
    """`package.json` with the settings of the server's options."""
    text = (HERE / "package.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    configuration = manifest["contributes"]["configuration"]
    own = {f"{SECTION}.{name}": configuration["properties"][f"{SECTION}.{name}"] for name in OWN}
    options = {f"{SECTION}.{option.name}": setting(option) for option in OPTIONS}
    configuration["properties"] = options | own
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def setting(option: Option) -> dict[str, Any]:
    """An option as VS Code describes a setting; one that may be left open becomes a list of words."""
    described = {"scope": option.scope, "markdownDescription": option.description}
    if not option.words:
        return {**option.schema, **described}
    meanings = [meaning for _, meaning in option.words.values()]
    words = list(option.words)
    return {"type": "string", "enum": words, "enumDescriptions": meanings, "default": words[0], **described}


def options() -> str:
    """The names of the options, and what the words for some of them mean, for the extension's code."""
    rows = [f"  {option.name}: {_words(option)},\n" for option in OPTIONS]
    return f"{_NOTE}export const SERVER_OPTIONS = {{\n{''.join(rows)}}} as const;\n"


def _words(option: Option) -> str:
    pairs = [f"{word}: {json.dumps(value)}" for word, (value, _) in option.words.items()]
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"


_NOTE = """\
/**
 * Made by manifest.py from the server's options: run `make -C editors/vscode manifest`.
 *
 * For each option that settings call by words, what they mean to the server; null leaves it open.
 */
"""

FILES: dict[str, Callable[[], str]] = {"package.json": package, "src/options.ts": options}

if __name__ == "__main__":
    main()
