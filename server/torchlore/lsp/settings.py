"""What the client says about itself in `initializationOptions`. Anything malformed means its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torchlore.device import Trust, trust_from


@dataclass(frozen=True, slots=True)
class Settings:
    """The client's options.

    Attributes:
        trust: whether anything may be executed in this workspace.
        interpreter: the Python that has torch, where the user named one.
        command_links: the client opens `command:` links in a hover.
        type_checked_deprecations: False where a type checker underlines deprecated names in this editor.
    """

    trust: Trust = Trust.TRUSTED
    interpreter: str | None = None
    command_links: bool = False
    type_checked_deprecations: bool = True


DEFAULTS = Settings()


def settings_from(options: object) -> Settings:
    """The settings in `options`; only `trust` takes nonsense for more than silence (see `trust_from`)."""
    values = _mapping(options)
    nested = _mapping(values.get("settings"))
    interpreter = values.get("interpreter", nested.get("interpreter"))
    return Settings(
        trust=trust_from(options),
        interpreter=interpreter.strip() or None if isinstance(interpreter, str) else None,
        command_links=values.get("commandLinks") is True,
        type_checked_deprecations=values.get(_DEPRECATIONS, nested.get(_DEPRECATIONS)) is not False,
    )


_DEPRECATIONS = "typeCheckedDeprecations"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
