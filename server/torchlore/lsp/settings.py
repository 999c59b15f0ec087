"""What the client says about itself in `initializationOptions`. Anything malformed means its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torchlore.device import Trust, trust_from


@dataclass(frozen=True, slots=True)
class Settings:
    """The client's options.

    Attributes:
        trust: whether anything may be executed in this workspace.
        interpreter: the Python that has torch, where the user named one.
        interpreters: by the path of a workspace folder the Python that was chosen for it in the editor.
        run_own_code: whether code of the user's own, not only shipped snippets, may be run: true, false, or
            None to ask them in each workspace.
        device: where snippets run, as torch names it; None for the best that there is.
        warm: torch is imported when the server starts, not with the first run.
        command_links: the client opens `command:` links in a hover.
        pictures: it shows pictures in a hover.
        shows_runs: it shows runs itself, from `$/torchlore/run`; no page of them is opened there.
        type_checked_deprecations: False where a type checker underlines deprecated names in this editor.
    """

    trust: Trust = Trust.TRUSTED
    interpreter: str | None = None
    interpreters: Mapping[str, str] = field(default_factory=dict)
    run_own_code: bool | None = None
    device: str | None = None
    warm: bool = False
    command_links: bool = False
    pictures: bool = False
    shows_runs: bool = False
    type_checked_deprecations: bool = True

    def interpreter_of(self, folder: str | None) -> str | None:
        """What was named for a workspace folder: its own comes first, since it is the more exact word."""
        return self.interpreters.get(folder or "", self.interpreter)


DEFAULTS = Settings()


def settings_from(options: object) -> Settings:
    """The settings in `options`; only `trust` takes nonsense for more than silence (see `trust_from`)."""
    values = _mapping(options)
    nested = _mapping(values.get("settings"))
    own_code = values.get("runOwnCode", nested.get("runOwnCode"))
    return Settings(
        trust=trust_from(options),
        interpreter=_text(values.get("interpreter", nested.get("interpreter"))),
        run_own_code=own_code if isinstance(own_code, bool) else None,
        device=_device(values.get("device", nested.get("device"))),
        warm=values.get("warm", nested.get("warm")) is True,
        interpreters=_texts(values.get("interpreters")),
        command_links=values.get("commandLinks") is True,
        pictures=values.get("pictures") is True,
        shows_runs=values.get("showsRuns") is True,
        type_checked_deprecations=values.get(_DEPRECATIONS, nested.get(_DEPRECATIONS)) is not False,
    )


_DEPRECATIONS = "typeCheckedDeprecations"


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _texts(value: object) -> dict[str, str]:
    named = {str(key): _text(name) for key, name in _mapping(value).items()}
    return {key: name for key, name in named.items() if name is not None}


def _device(value: object) -> str | None:
    """What is no device's name is passed on: the run that it is meant for says so."""
    name = _text(value)
    return None if name == "auto" else name


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
