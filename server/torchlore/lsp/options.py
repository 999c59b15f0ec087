"""The options that people set in their editor; its settings and their schema are made of what stands here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Scope = Literal["application", "machine-overridable", "window"]
"""Who may set it, as VS Code calls it: the user alone; the user, and a workspace that they trust; both."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of `initializationOptions`.

    Attributes:
        name: as the client sends it.
        schema: what it may be, as JSON schema without the description.
        description: in Markdown, for the page of settings.
        scope: who may set it.
        words: of an option that is true, false or left open, what an editor calls each, and what that means,
            which it shows in a list; the first is the default. Empty where the schema says all.
    """

    name: str
    schema: Mapping[str, Any]
    description: str
    scope: Scope
    words: Mapping[str, tuple[bool | None, str]] = field(default_factory=dict)


OPTIONS = (
    Option(
        "interpreter",
        {"type": "string", "default": ""},
        "The Python that has your PyTorch: snippets run in it, and it says which devices you have. A path, "
        "also with `~` or `${workspaceFolder}`. Empty: the one chosen in the Python extension, else the "
        "workspace's virtual environment.",
        "machine-overridable",
    ),
    Option(
        "device",
        {"type": "string", "default": "auto"},
        "Where snippets run, as PyTorch names it: `cpu`, `cuda`, `cuda:1`, `mps`. `auto`: the best there is.",
        "window",
    ),
    Option(
        "warm",
        {"type": "boolean", "default": False},
        "Import PyTorch when the server starts, so that the first run is as quick as the others. It costs a "
        "few hundred megabytes of memory. Otherwise the first run imports it.",
        "window",
    ),
    Option(
        "runOwnCode",
        {"type": ["boolean", "null"], "default": None},
        "Whether code of your own may run, such as a selection; the snippets that come with torchlore run "
        "whenever you ask for them. A workspace cannot set this.",
        "application",
        {
            "ask": (None, "Ask, once or for the whole folder."),
            "always": (True, "In every trusted workspace, without asking."),
            "never": (False, "Nowhere."),
        },
    ),
    Option(
        "typeCheckedDeprecations",
        {"type": ["boolean", "null"], "default": None},
        "Whether deprecated names that carry `@deprecated`, which type checkers underline, are reported too.",
        "window",
        {
            "auto": (
                None,
                "Report them unless Pylance, or another type checker that underlines them, is active.",
            ),
            "on": (True, "Report them."),
            "off": (False, "Leave them to the type checker."),
        },
    ),
)


def schema() -> str:
    """The JSON schema of the options, for clients that have no settings of ours."""
    properties = {option.name: {**option.schema, "description": option.description} for option in OPTIONS}
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "torchlore's options",
        "description": "What an editor passes on in `initializationOptions`, or in `settings` in them.",
        "type": "object",
        "properties": properties,
    }
    return json.dumps(document, indent=2) + "\n"
