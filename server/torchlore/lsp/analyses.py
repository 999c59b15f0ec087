"""One analysis per version of a file, shared by every feature. Lives on the worker thread."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from urllib.parse import unquote

from torchlore.analysis import Analysis, analyze
from torchlore.analysis.workspace import Workspace
from torchlore.config import Config, ConfigError, check_source, find_config
from torchlore.lsp.convert import Places
from torchlore.lsp.settings import DEFAULTS, Settings
from torchlore.rules.model import Finding
from torchlore.text import Encoding, Source

log = logging.getLogger(__name__)


class Analysed:
    """What is known about one version of a file or a notebook, found out once.

    Attributes:
        uri: of the file or the notebook.
        source: the version.
        workspace: what it imports from; None where it lies nowhere.
        analysis: what it means.
        settings: the client's settings for it, as they are now.
    """

    def __init__(
        self,
        uri: str,
        source: Source,
        installed: Mapping[str, str],
        workspace: Workspace | None = None,
    ) -> None:
        self.uri = uri
        self.settings = DEFAULTS
        self.source = source
        self.workspace = workspace
        self.analysis: Analysis = analyze(source, installed, workspace)
        self._config: Config | None = None
        self._findings: list[Finding] = []

    def places(self, encoding: Encoding) -> Places:
        """Between offsets in this version and what a client counts in `encoding`."""
        return Places(self.uri, self.source, encoding)

    def findings(self) -> list[Finding]:
        """What is wrong, under the configuration that the file has now."""
        config = configuration(self.source.path, self.settings)
        if config != self._config:
            excluded = config.excludes(self.source.path)
            self._findings = [] if excluded else check_source(self.analysis, config)
            self._config = config
        return self._findings


class Analyses:
    """The latest `Analysed` of each open file and notebook.

    Args:
        installed: what is known of installed classes; it grows while the server runs (see `analyze`).
        workspace: what the files import from.
        settings_of: the client's settings for a file.
    """

    def __init__(
        self,
        installed: Mapping[str, str],
        workspace: Workspace,
        settings_of: Callable[[str], Settings] = lambda uri: DEFAULTS,
    ) -> None:
        self._installed = installed
        self._settings_of = settings_of
        self.workspace = workspace
        self._by_uri: dict[str, Analysed] = {}

    def of(self, uri: str, source: Source) -> Analysed:
        """What is known about `source`; an older version of the same file is forgotten."""
        key = unquote(uri)  # As pygls does: clients may spell one URI in two ways.
        known = self._by_uri.get(key)
        if known is None or known.source is not source:
            is_file = os.path.isabs(source.path)  # noqa: PTH117 (what was never saved lies nowhere)
            workspace = self.workspace if is_file else None
            known = Analysed(uri, source, self._installed, workspace)
            self._by_uri[key] = known
        known.settings = self._settings_of(uri)
        return known

    def __len__(self) -> int:
        return len(self._by_uri)

    def drop_dependents(self, paths: Collection[str]) -> list[str]:
        """Forgets what rests on any of these files (but for the files themselves); gives its URIs."""
        stale = [
            key
            for key, known in self._by_uri.items()
            if any(known.analysis.rests_on(path) for path in paths if path != known.source.path)
        ]
        return [self._by_uri.pop(key).uri for key in stale]

    def forget(self, uri: str) -> None:
        self._by_uri.pop(unquote(uri), None)


_reported: set[str] = set()


def configuration(path: str, settings: Settings = DEFAULTS) -> Config:
    """The configuration for a file; where it is broken that is logged once, and the default holds.

    Args:
        path: of the file.
        settings: the client's options: what they switch off is off.
    """
    try:
        config = find_config(path)
    except (ConfigError, OSError) as error:
        if str(error) not in _reported:
            _reported.add(str(error))
            log.warning("%s", error)
        config = Config()
    return config if settings.type_checked_deprecations else replace(config, type_checked_deprecations=False)
