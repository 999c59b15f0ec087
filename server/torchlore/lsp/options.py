"""The options that people set in their editor; its settings and their schema are made of what stands here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Scope = Literal["application", "machine-overridable", "window", "resource"]
"""Who may set it, as VS Code calls it: the user alone; the user, and a workspace that they trust; both; both,
and each folder of a workspace for itself."""


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
        "resource",
    ),
    Option(
        "warm",
        {"type": "boolean", "default": False},
        "Import PyTorch when the server starts, so that the first run is as quick as the others. It costs a "
        "few hundred megabytes of memory. Otherwise the first run imports it. A workspace cannot set this.",
        "application",
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
        "resource",
        {
            "auto": (
                None,
                "Report them unless Pylance, or another type checker that underlines them, is active.",
            ),
            "on": (True, "Report them."),
            "off": (False, "Leave them to the type checker."),
        },
    ),
    Option(
        "completion",
        {"type": "boolean", "default": True},
        "Complete what other servers know least about: arguments of PyTorch's functions with their meaning, "
        "the values that they take, members of tensors and optimizers, snippets with your own names in them.",
        "resource",
    ),
    Option(
        "signatureHelp",
        {"type": "boolean", "default": True},
        "Show what each argument of a PyTorch function means while its call is typed.",
        "resource",
    ),
    Option(
        "inlayHints",
        {"type": "boolean", "default": False},
        "Show in the code what the analysis knows and the eye does not: over how many parameters an "
        "optimizer goes, the effective batch size under accumulation, from where to where a schedule leads, "
        "the shape of a tensor.",
        "resource",
    ),
    Option(
        "codeLens",
        {"type": "boolean", "default": False},
        "Show *Explain* and *Run* above training loops and modules.",
        "resource",
    ),
    Option(
        "documentLinks",
        {"type": "boolean", "default": True},
        "Make the codes in `# noqa` and `# torchlore: ignore` comments links to their rules.",
        "resource",
    ),
    Option(
        "workspaceSymbols",
        {"type": "boolean", "default": True},
        "Find the questions that torchlore answers among the symbols of the workspace.",
        "window",
    ),
    Option(
        "workspaceDiagnostics",
        {"type": "boolean", "default": False},
        "Look for mistakes in the files that are not open, too, where the editor asks for that.",
        "window",
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
