"""What the client says about itself in `initializationOptions`. Anything malformed means its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torchlore.device import Trust, trust_from
from torchlore.lsp.options import OPTIONS


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
        run_events: it shows runs in a place of its own and hears of them as they go; no page is opened.
        command_links: the client opens `command:` links in a hover.
        workspace_diagnostics: files that are not open are looked at too, where the client asks for that.
        pictures: it shows pictures in a hover.
        type_checked_deprecations: False where a type checker underlines deprecated names in this editor.
        completion, signature_help, inlay_hints, code_lens, document_links, workspace_symbols: whether the
            client gets them.
    """

    trust: Trust = Trust.TRUSTED
    interpreter: str | None = None
    interpreters: Mapping[str, str] = field(default_factory=dict)
    run_own_code: bool | None = None
    device: str | None = None
    warm: bool = False
    run_events: bool = False
    command_links: bool = False
    workspace_diagnostics: bool = False
    pictures: bool = False
    type_checked_deprecations: bool = True
    completion: bool = True
    signature_help: bool = True
    inlay_hints: bool = False
    code_lens: bool = False
    document_links: bool = True
    workspace_symbols: bool = True

    def interpreter_of(self, folder: str | None) -> str | None:
        """What was named for a workspace folder: its own comes first, since it is the more exact word."""
        return self.interpreters.get(folder or "", self.interpreter)


DEFAULTS = Settings()


def settings_from(options: object) -> Settings:
    """The settings in `options`; only `trust` takes nonsense for more than silence (see `trust_from`)."""
    values = _mapping(options)
    nested = _mapping(values.get("settings"))
    own_code = values.get("runOwnCode", nested.get("runOwnCode"))

    def switched(name: str, otherwise: bool) -> bool:
        said = values.get(name, nested.get(name))
        return said if isinstance(said, bool) else otherwise

    return Settings(
        trust=trust_from(options),
        interpreter=_text(values.get("interpreter", nested.get("interpreter"))),
        run_own_code=own_code if isinstance(own_code, bool) else None,
        device=_device(values.get("device", nested.get("device"))),
        warm=values.get("warm", nested.get("warm")) is True,
        interpreters=_texts(values.get("interpreters")),
        pictures=values.get("pictures") is True,
        run_events=values.get("runEvents") is True,
        command_links=values.get("commandLinks") is True,
        type_checked_deprecations=switched("typeCheckedDeprecations", DEFAULTS.type_checked_deprecations),
        workspace_diagnostics=switched("workspaceDiagnostics", DEFAULTS.workspace_diagnostics),
        completion=switched("completion", DEFAULTS.completion),
        signature_help=switched("signatureHelp", DEFAULTS.signature_help),
        inlay_hints=switched("inlayHints", DEFAULTS.inlay_hints),
        code_lens=switched("codeLens", DEFAULTS.code_lens),
        document_links=switched("documentLinks", DEFAULTS.document_links),
        workspace_symbols=switched("workspaceSymbols", DEFAULTS.workspace_symbols),
    )


def settings_with(options: object, configured: object) -> Settings:
    """The settings in `options`, and what the client's configuration says beside them.

    A word that an editor has for a choice means that choice, or nothing where it leaves it open; a value of
    another type than the one in `options` says nothing. Whether anything may run is said when the client
    introduces itself, and so is what it can show: by no configuration, which a workspace can bring along.

    Args:
        options: what the client said at `initialize`.
        configured: what it answered when it was asked for our section.
    """
    first = settings_from(options)
    values = _mapping(options)
    nested = _mapping(values.get("settings"))
    meant = {key: _meant(key, value) for key, value in _mapping(configured).items()}
    said = {
        key: value
        for key, value in meant.items()
        if value not in (None, "") and isinstance(value, type(values.get(key, nested.get(key, value))))
    }
    return replace(
        settings_from({**values, **said}),
        trust=first.trust,
        run_own_code=first.run_own_code,
        warm=first.warm,
        command_links=first.command_links,
        pictures=first.pictures,
        run_events=first.run_events,
    )


def _meant(name: object, value: object) -> object:
    """What an option's value is to us: some are set by words, and the client may send what its user wrote."""
    words = next((option.words for option in OPTIONS if option.name == name), {})
    return words[value][0] if isinstance(value, str) and value in words else value


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
