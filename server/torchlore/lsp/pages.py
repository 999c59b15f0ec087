"""Markdown pages that the user is shown: written into a folder of this server's own."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from torchlore.device import Picture


class Pages:
    """The folder of this server's pages; made with the first page, removed with the server."""

    def __init__(self) -> None:
        self._folder: Path | None = None

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
        if self._folder is None or not self._folder.is_dir():
            # mkdtemp makes it readable by this user alone: a run's output is nobody else's business.
            self._folder = Path(tempfile.mkdtemp(prefix="torchlore-"))
        path = self._folder / (re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") + ".md")
        for picture in pictures:
            shutil.copyfile(picture, self._folder / picture.name)
        for made in drawn:
            (self._folder / made.name).write_bytes(made.data)
        path.write_text(markdown, encoding="utf-8")
        return path

    def remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
