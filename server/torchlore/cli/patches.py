"""What fixes change, as a diff; and mended texts put back into their files."""

from __future__ import annotations

import difflib
import errno
import io
import os
import secrets
import stat
import tokenize
from contextlib import suppress
from pathlib import Path

from torchlore.text import decode


def unified_diff(before: str, after: str, name: str) -> str:
    """A unified diff of one file that `patch` and `git apply` take; "" where nothing changed."""
    lines = difflib.unified_diff(_lines(before), _lines(after), fromfile=name, tofile=name)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def write_text(path: Path, before: str, after: str) -> None:
    """Puts a mended text in the place of a Python file's, in the encoding that the file declares.

    The new file is written beside the old one and then takes its name, so that a full disk or an end in the
    middle costs nobody their file. Where that cannot be had (a folder that is not ours, a file with several
    names, which all must stay one file) the old one is written over.

    Args:
        path: of the file; of a link, what it leads to is changed.
        before: the text that was mended.
        after: the mended text.

    Raises:
        OSError: it cannot be written, or holds something else than `before` by now.
        UnicodeEncodeError: the declared encoding has no such character.
    """
    target = path.resolve()
    data = target.read_bytes()
    if decode(data) != before:
        raise OSError("it was changed in the meantime")
    new = encode(after, data)
    status = target.stat()
    with target.open("r+b") as file:  # Whoever may not write to the file shall not replace it either.
        if status.st_nlink > 1 or not _replaced(target, new, status):
            file.write(new)
            file.truncate()


def encode(text: str, original: bytes) -> bytes:
    """The bytes of `text`, in the encoding that `original`, a Python file, declares, its BOM included.

    Raises:
        UnicodeEncodeError: that encoding has no such character.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(original).readline)
    return text.encode(encoding)


def _replaced(target: Path, data: bytes, status: os.stat_result) -> bool:
    """Whether a new file with the rights of the old one could take its place."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
        draft.chmod(stat.S_IMODE(status.st_mode))
        mine = draft.stat()
        if (mine.st_uid, mine.st_gid) == (status.st_uid, status.st_gid):
            draft.replace(target)
            return True
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # Writing over the old file would fail halfway.
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return False


def _lines(text: str) -> list[str]:
    """Split at `\\n` alone: a form feed inside a line must not become a line of the diff."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])
