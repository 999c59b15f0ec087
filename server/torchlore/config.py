"""`torchlore.toml`, or `[tool.torchlore]` in pyproject.toml, and what is wrong with a file under it."""

from __future__ import annotations

import fnmatch
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from torchlore import rules
from torchlore.rules.model import Finding, Rule, Severity
from torchlore.rules.selection import Selection, SelectionError, check_selector
from torchlore.text import Source

if TYPE_CHECKING:
    from torchlore.analysis import Analysis

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SKIPPED_FOLDERS = (
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".eggs",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".torchlore_cache",
    ".ipynb_checkpoints",
    "__pycache__",
    "__pypackages__",
    "build",
    "dist",
    "node_modules",
    "site-packages",
)
"""Folders that hold no source of the user's own; `exclude` adds to them."""

_SEVERITIES = tuple(Severity)
"""From the worst down."""


class ConfigError(ValueError):
    """The configuration cannot be used; `str()` is one sentence that names the file and the key."""


@dataclass(frozen=True, slots=True)
class Config:
    """What `[tool.torchlore]` says.

    Attributes:
        select: selectors of the rules that are on (see `Selection`); empty: those of `severity` and worse.
        ignore: selectors of the rules that are off.
        extend_select: selectors of rules that are on as well, whatever their severity.
        per_file_ignores: pairs of a path pattern and the selectors that are off in files that match it.
        exclude: path patterns of files and folders not to check.
        interpreter: the Python that has torch, absolute where the file gave it relative to itself.
        severity: the mildest severity shown where nothing is selected; None leaves it to the reader.
        respect_gitignore: whether files that git ignores are left out, within a repository.
        type_checked_deprecations: whether what carries `@deprecated`, which type checkers underline, is
            reported too.
        root: the folder of the file, from which path patterns count; None where there is no file.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    interpreter: str | None = None
    severity: Severity | None = None
    respect_gitignore: bool = True
    type_checked_deprecations: bool = True
    root: Path | None = None

    def selection_for(self, path: str | Path) -> Selection:
        """The selection for one file, its per-file ignores included.

        Raises:
            SelectionError: a selector means no rule (never for a configuration that `find_config` gave).
        """
        selection = Selection(self.select, self.ignore, self.extend_select)
        here = tuple(s for pattern, off in self.per_file_ignores if self._matches(pattern, path) for s in off)
        return selection.without(here) if here else selection

    def rules_for(self, path: str | Path, mildest: Severity) -> tuple[type[Rule], ...]:
        """The rules of which findings in a file are shown. The others need not be asked.

        Args:
            path: of the file.
            mildest: as for `check_source`.

        Raises:
            SelectionError: as for `selection_for`.
        """
        return _rules(self.selection_for(path), self.severity or mildest)

    def excludes(self, path: str | Path) -> bool:
        """Whether `path`, or a folder between `root` and it, is one not to check."""
        here = _absolute(path)
        root = self.root or Path.cwd()
        inside = [folder for folder in here.parents if folder.is_relative_to(root) and folder != root]
        return any(self.excludes_entry(entry) for entry in (here, *inside))

    def excludes_entry(self, path: str | Path) -> bool:
        """Whether `path` itself was excluded, whatever folder it is in."""
        return Path(path).name in SKIPPED_FOLDERS or any(
            self._matches(pattern, path) for pattern in self.exclude
        )

    def overridden(
        self, select: tuple[str, ...] = (), ignore: tuple[str, ...] = (), extend_select: tuple[str, ...] = ()
    ) -> Config:
        """This configuration under a command line's options: `select` replaces all lists, the others add."""
        if select:
            return replace(self, select=select, ignore=ignore, extend_select=extend_select)
        extended = self.extend_select + extend_select
        return replace(self, ignore=self.ignore + ignore, extend_select=extended)

    def _matches(self, pattern: str, path: str | Path) -> bool:
        absolute = _absolute(path)
        if "/" not in pattern:
            return _covers(_glob(pattern), [absolute.name])
        relative = Path(os.path.relpath(absolute, self.root or Path.cwd()))
        return _covers(_glob(pattern.removeprefix("./").rstrip("/")), relative.parts)


def check_source(analysis: Analysis, config: Config, mildest: Severity = Severity.HINT) -> list[Finding]:
    """What is wrong in a file: by rules that are on, of a severity that is shown, and no comment against it.

    Args:
        analysis: of one version of the file; its path decides which per-file ignores hold.
        config: what `find_config` gave for that path.
        mildest: the mildest severity shown where neither the configuration nor a selector says otherwise.
    """
    from torchlore.rules.suppression import suppressed  # Reading a configuration needs none of it.

    findings = rules.check(analysis, config.rules_for(analysis.source.path, mildest))
    asked = _asked_for(config.selection_for(analysis.source.path))
    shown = _up_to(config.severity or mildest)
    findings = [f for f in findings if f.severity in shown or f.code in asked]
    if not config.type_checked_deprecations:
        findings = [f for f in findings if not f.is_type_checked]
    return [_mendable(analysis.source, f) for f in suppressed(analysis.source, findings)]


@lru_cache(maxsize=64)
def _rules(selection: Selection, mildest: Severity) -> tuple[type[Rule], ...]:
    """The selected rules of a severity that is shown, and those that a selector asks for."""
    shown = _up_to(mildest)
    return tuple(r for r in selection.rules() if r.severity in shown or selection.asks_for(r))


@lru_cache(maxsize=64)
def _asked_for(selection: Selection) -> frozenset[str]:
    """The codes of the rules that a selector asks for, so that their severity does not matter."""
    return frozenset(rule.code for rule in rules.all_rules() if selection.asks_for(rule))


def _up_to(mildest: Severity) -> tuple[Severity, ...]:
    return _SEVERITIES[: _SEVERITIES.index(mildest) + 1]


def _mendable(source: Source, finding: Finding) -> Finding:
    """`finding` with those fixes that can be made in the file: one over several cells cannot."""
    fixes = tuple(fix for fix in finding.fixes if source.takes(fix.edits))
    return finding if len(fixes) == len(finding.fixes) else replace(finding, fixes=fixes)


def find_config(path: str | Path) -> Config:
    """The configuration for a file or folder: of the nearest folder that has one.

    That is a `torchlore.toml`, or else a pyproject.toml with a `[tool.torchlore]` table.

    Raises:
        ConfigError: that file cannot be read, is not TOML, or holds a key or value that means nothing here.
    """
    start = _absolute(path)
    for folder in (start, *start.parents):
        for file, read in ((folder / "torchlore.toml", _whole), (folder / "pyproject.toml", _table)):
            # Not `file.is_file()`, which raises where the folder above may not be entered.
            if os.path.isfile(file) and (table := read(file)) is not None:  # noqa: PTH113
                return config_from_table(table, str(file), folder)
    return Config()


def config_from_table(table: Mapping[str, object], name: str, root: Path | None) -> Config:
    """A configuration from the keys of `[tool.torchlore]`.

    Args:
        table: keys as in pyproject.toml ("per-file-ignores").
        name: of the file, for messages.
        root: the folder from which path patterns and a relative interpreter count.

    Raises:
        ConfigError: unknown key, wrong type, unknown selector.
    """
    unknown = [key for key in table if key not in _READERS]
    if unknown:
        known = ", ".join(f"`{key}`" for key in _READERS)
        raise ConfigError(f"{name}: unknown key `{unknown[0]}`{_where(name)}; known keys are {known}")
    values: dict[str, object] = {}
    for key, value in table.items():
        try:
            values[key.replace("-", "_")] = _READERS[key](value)
        except (TypeError, SelectionError) as problem:
            raise ConfigError(f"{name}:{_where(name).removeprefix(' in')} `{key}`: {problem}") from None
    config = replace(Config(root=root), **values)  # type: ignore[arg-type]
    if config.interpreter is not None and root is not None:
        return replace(config, interpreter=_resolved(config.interpreter, root))
    return config


def _where(name: str) -> str:
    """The table that keys stand in, for messages: of a file of our own there is none."""
    return "" if Path(name).name == "torchlore.toml" else " in [tool.torchlore]"


def _table(file: Path) -> Mapping[str, object] | None:
    """The `[tool.torchlore]` table of a pyproject.toml, None where it has none."""
    document = _whole(file, b"torchlore")
    tool = document.get("tool", {})
    table = tool.get("torchlore") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: `tool.torchlore` must be a table")
    return table


def _whole(file: Path, needed: bytes = b"") -> Mapping[str, object]:
    """A TOML file; nothing where it does not hold the bytes that are `needed`."""
    try:
        data = file.read_bytes()
        return tomllib.loads(data.decode("utf-8-sig")) if needed in data else {}
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError, TOMLDecodeError; deep nesting.
        raise ConfigError(f"{file}: not valid TOML: {error}") from None


def _resolved(interpreter: str, root: Path) -> str:
    """An interpreter given with a folder counts from the configuration's; a bare name is left to PATH."""
    expanded = Path(interpreter).expanduser()
    return str(root / expanded) if len(expanded.parts) > 1 else interpreter


def _absolute(path: str | Path) -> Path:
    """Without `..`, links left as they are: a link is judged by where it stands, not by where it leads."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"must be a list of strings, not {_shown(value)}")
    return tuple(value)


def _selectors(value: object) -> tuple[str, ...]:
    for selector in _strings(value):
        check_selector(selector)
    return _strings(value)


def _patterns(value: object) -> tuple[str, ...]:
    for pattern in _strings(value):
        try:
            _glob(pattern)
        except re.error as error:
            raise TypeError(f"`{pattern}` is no path pattern: {error}") from None
    return _strings(value)


def _ignores_by_pattern(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise TypeError(f"must be a table of path pattern = list of rules, not {_shown(value)}")
    return tuple(zip(_patterns(list(value)), map(_selectors, value.values()), strict=True))


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"must be a non-empty string, not {_shown(value)}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"must be true or false, not {_shown(value)}")
    return value


def _severity(value: object) -> Severity:
    names = [severity.value for severity in Severity]
    if value not in names:
        raise TypeError(f"must be one of {', '.join(names)}, not {_shown(value)}")
    return Severity(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


_READERS: Mapping[str, Callable[[object], object]] = {
    "select": _selectors,
    "ignore": _selectors,
    "extend-select": _selectors,
    "per-file-ignores": _ignores_by_pattern,
    "exclude": _patterns,
    "interpreter": _string,
    "severity": _severity,
    "respect-gitignore": _flag,
    "type-checked-deprecations": _flag,
}
"""What turns each key's TOML value into the field's; raises TypeError or SelectionError with the reason."""


_Glob = tuple[re.Pattern[str] | None, ...]
"""A path pattern, part by part; None is `**`, which stands for any number of parts."""


@lru_cache(maxsize=256)
def _glob(pattern: str) -> _Glob:
    """`*` and `?` stay within one part of a path, `**` does not."""
    parts: list[re.Pattern[str] | None] = []
    for part in pattern.split("/"):
        for characters in re.findall(r"\[[^\]]+\]", part):
            re.compile(characters.replace("[!", "[^"))  # `fnmatch` would take `[z-a]` for nothing.
        if re.fullmatch(r"\*{2,}", part):
            parts.append(None)
            continue
        here = re.compile(fnmatch.translate(part))
        # `src/**.py` and `src/gen**` mean every depth too.
        parts += [*[None] * part.startswith("**"), here, *[None] * part.endswith("**")]
    return tuple(parts)


def _covers(glob: _Glob, names: Sequence[str]) -> bool:
    """Whether the path of these names, or a folder that it is in, is what `glob` means.

    Not one regular expression of the whole: some take time exponential in the path's length, and pattern and
    path may both be by somebody who wants that. This takes the product of the two lengths, since only the
    latest `**` need be tried again.
    """
    at = here = start = 0
    latest = -1
    while at < len(glob):
        part = glob[at]
        if part is None:
            latest, start = at, here
        elif here == len(names):
            return False
        elif part.fullmatch(names[here]):
            here += 1
        elif latest < 0:
            return False
        else:
            at, start = latest, start + 1
            here = start
        at += 1
    return True
