"""Markdown pages that the user is shown: written into a folder of this server's own."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchlore.device import Picture


class Pages:
    """The folder of this server's pages; made with the first page, removed with the server.

    Any thread may write.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._making = threading.Lock()

    def write(
        self, name: str, markdown: str, pictures: Iterable[Path] = (), drawn: Iterable[Picture] = ()
    ) -> Path:
        """Writes a page and returns where it is. A page of the same name is replaced.

        Args:
            name: becomes the file's name, without what a file name may not hold.
            markdown: the whole page.
            pictures: files to put beside it: a preview shows nothing that lies outside the page's folder.
            drawn: pictures of a run, to put there too.
        """
        path = self._path(name)
        for picture in pictures:
            shutil.copyfile(picture, path.parent / picture.name)
        for made in drawn:
            (path.parent / made.name).write_bytes(made.data)
        path.write_text(markdown, encoding="utf-8")
        return path

    def kept(self, name: str, markdown: Callable[[], str]) -> Path:
        """Where the page of that name is; it is made and written only where it is not there yet."""
        path = self._path(name)
        return path if path.is_file() else self.write(name, markdown())

    def remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _path(self, name: str) -> Path:
        with self._making:
            if self._folder is None or not self._folder.is_dir():
                # mkdtemp makes it readable by this user alone: a run's output is nobody else's business.
                self._folder = Path(tempfile.mkdtemp(prefix="torchlore-pages-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder / (re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") + ".md")
