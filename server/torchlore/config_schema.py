"""The JSON schema of the configuration, for editors that complete and check TOML."""

from __future__ import annotations

import json
from typing import Any

from torchlore.rules.model import Family, Severity

_SELECTORS = {
    "type": "array",
    "items": {"type": "string", "examples": ["ALL", "TL101", *(family.value for family in Family)]},
}
_PATTERNS = {"type": "array", "items": {"type": "string"}}

PROPERTIES: dict[str, dict[str, Any]] = {
    "select": {
        **_SELECTORS,
        "description": "The rules that are on: codes (`TL101`), prefixes (`TL1`), families, names or `ALL`. "
        "Default: every rule of `severity` and worse.",
    },
    "extend-select": {
        **_SELECTORS,
        "description": "Rules that are on as well, whatever their severity.",
    },
    "ignore": {**_SELECTORS, "description": "Rules that are off. The more exact selector wins, here a tie."},
    "per-file-ignores": {
        "type": "object",
        "additionalProperties": _SELECTORS,
        "description": "Rules that are off in files whose path matches a pattern.",
    },
    "exclude": {
        **_PATTERNS,
        "description": "Files and folders not to check, besides `.git`, `.venv`, `build` and the like.",
    },
    "respect-gitignore": {
        "type": "boolean",
        "default": True,
        "description": "Whether files that git ignores are left out.",
    },
    "type-checked-deprecations": {
        "type": "boolean",
        "default": True,
        "description": "Whether deprecated names that type checkers underline are reported, too.",
    },
    "severity": {
        "enum": [severity.value for severity in Severity],
        "description": "The mildest severity that is shown where nothing is selected.",
    },
    "interpreter": {
        "type": "string",
        "minLength": 1,
        "description": "The Python that has torch; relative to the folder of this file.",
    },
}
"""What may stand in `torchlore.toml`, and in `[tool.torchlore]` of a pyproject.toml."""


def schema() -> str:
    """The JSON schema of `torchlore.toml`."""
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "torchlore",
        "description": "torchlore.toml, or the table [tool.torchlore] of a pyproject.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": PROPERTIES,
    }
    return json.dumps(document, indent=2) + "\n"
