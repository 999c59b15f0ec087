"""Which editors are on this machine, and whether anything in their configuration speaks of torchlore."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Editor:
    """An editor that is installed.

    Attributes:
        name: what it is called.
        path: its program.
        folder: of `editors/` in torchlore's repository, where its README says how to set it up.
        set_up: its configuration speaks of torchlore.
    """

    name: str
    path: str
    folder: str
    set_up: bool


def installed_editors(home: Path, environ: Mapping[str, str]) -> list[Editor]:
    """The editors on the PATH of `environ`, with what their files under `home` say."""
    settings = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    found = []
    for command, (name, folder, patterns) in _EDITORS.items():
        path = shutil.which(command, path=environ.get("PATH"))
        if path is not None:
            files = (file for pattern in patterns for file in _files(home, settings, pattern))
            found.append(Editor(name, path, folder, any(map(_speaks_of_us, files))))
    return found


# Patterns of files: below the folder of settings where they begin with "config:", else below the home folder.
_EDITORS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "code": ("VS Code", "vscode", (".vscode/extensions/extensions.json",)),
    "nvim": (
        "Neovim",
        "neovim",
        ("config:nvim/init.lua", "config:nvim/init.vim", "config:nvim/lua/**/*.lua"),
    ),
    "emacs": ("Emacs", "emacs", (".emacs", ".emacs.el", ".emacs.d/*.el", "config:emacs/*.el")),
    "vim": ("Vim", "vim", (".vimrc", ".vim/vimrc", "config:vim/vimrc")),
    "hx": ("Helix", "helix", ("config:helix/languages.toml",)),
    "zed": ("Zed", "zed", ("config:zed/settings.json",)),
    "subl": ("Sublime Text", "sublime", ("config:sublime-text/Packages/User/LSP.sublime-settings",)),
    "kate": ("Kate", "kate", ("config:kate/lspclient/settings.json",)),
}


def _files(home: Path, settings: Path, pattern: str) -> Iterator[Path]:
    inside = pattern.removeprefix("config:")
    return (home if inside == pattern else settings).glob(inside)


def _speaks_of_us(file: Path) -> bool:
    try:
        return b"torchlore" in file.read_bytes()
    except OSError:
        return False
