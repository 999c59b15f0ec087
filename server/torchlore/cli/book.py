"""`torchlore book`: the whole knowledge as a site that opens from disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from torchlore.cli.terminal import fail


def book(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write it into.")],
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that holds something else, too.")
    ] = False,
) -> None:
    """Write all cards as a static site, with search and pictures, that needs no network."""
    from torchlore.book import NotABook, book_files, write_book

    if folder.exists() and not folder.is_dir():
        fail(f"{folder} is not a folder")
    files = book_files()
    try:
        write_book(files, folder, over=force)
    except NotABook as error:
        fail(f"{error}; --force writes into it all the same")
    except OSError as error:
        fail(f"{error.filename or folder} cannot be written: {error.strerror}")
    pages = sum(path.startswith("cards/") for path in files)
    typer.echo(f"wrote {pages} cards; open {folder / 'index.html'}")
