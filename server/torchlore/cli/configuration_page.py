"""docs/configure.md: what can be set, in the project and in the editor, made from the two schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchlore.lsp.options import Option


def configuration_page(keys: Mapping[str, Mapping[str, Any]], options: Iterable[Option]) -> str:
    """The page, in Markdown.

    Args:
        keys: of `[tool.torchlore]`, each with its JSON schema.
        options: those of the server, which people set in their editor.
    """
    in_project = [_row(f"`{key}`", schema, schema["description"]) for key, schema in keys.items()]
    in_editor = [_row(f"`{one.name}`", _values(one), one.description) for one in options]
    head = "|---|---|---|---|"
    project = [_PROJECT, "| key | value | default | meaning |", head, *in_project]
    editor = [_EDITOR, "| option | value | default | meaning |", head, *in_editor]
    return "\n".join([*project, "", *editor, "", _ONE_FINDING])


_PROJECT = """\
# Configure

Nothing need be configured. What is about the code, for everybody who works on it, stands in the project;
what is about you and your machine, in your editor.

## In the project

The nearest `pyproject.toml` with the table `[tool.torchlore]` counts, on the command line and in the
editor, or a `torchlore.toml` with the same keys and no table. An editor that reads JSON schemas completes
them from [torchlore.schema.json](torchlore.schema.json).

```toml
[tool.torchlore]
extend-select = ["TL6"]
ignore = ["eval-without-no-grad"]
exclude = ["vendor", "data/**"]

[tool.torchlore.per-file-ignores]
"tests/*" = ["TL1"]
```

A key that does not exist, or a value of the wrong type, stops `torchlore check` with one line that names
the file and the key; in the editor it is a line in the log, and the defaults count.
"""

_EDITOR = """\
## In the editor

In VS Code these are settings, `torchlore.interpreter` and so on. Other editors pass them on when the server
starts, as `initializationOptions` ([schema](torchlore-options.schema.json)); [their
pages](install.md#editors) say where they are written. One more is for editors that know which folders you
trust: with `untrustedWorkspace`, nothing of the workspace is run.
"""

_ONE_FINDING = """\
`null`: not set. An editor that answers `workspace/configuration` may set each of them but `warm` and
`runOwnCode` at any time, in the section `torchlore`, and for each folder.

## For one finding

`# torchlore: ignore[TL101]` or `# noqa: TL101` on the first or last line of its statement switches a
finding off; `torchlore check --add-noqa` writes such a comment for each. One that excuses nothing any more
is reported (TL001).

## For one run

The options of `torchlore check --help` win over the project's keys. `TORCHLORE_LOG=DEBUG` shows what goes
wrong inside, also in a server: it writes its log to standard error, where editors collect it.
"""


def _row(name: str, schema: Mapping[str, Any], description: str) -> str:
    default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
    return f"| {name} | {_kind(schema)} | {default} | {description} |"


def _values(option: Option) -> Mapping[str, Any]:
    """The schema of what the client sends: what an editor's own setting is called stands in that editor."""
    if not option.words:
        return option.schema
    default = next(iter(option.words.values()))[0]
    return {"enum": [value for value, _ in option.words.values()], "default": default}


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    if "enum" in schema:
        return ", ".join(
            f"`{value if isinstance(value, str) else json.dumps(value)}`" for value in schema["enum"]
        )
    kinds: list[str] = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return ", ".join(_WORDS.get(kind, kind) for kind in kinds)


_WORDS = {
    "array": "list of texts",
    "boolean": "true or false",
    "null": "`null`",
    "object": "table: pattern = list of texts",
    "string": "text",
}
