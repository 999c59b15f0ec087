"""Paths of URIs. A client may send what is none, on which pygls raises."""

from __future__ import annotations

from pygls.uris import to_fs_path, uri_scheme


def path_of(uri: str) -> str | None:
    """The path of a `file:` URI; None for any other, and for what is no URI (`file://[`)."""
    try:
        path: str | None = to_fs_path(uri)
    except ValueError:
        return None
    return path


def is_uri(uri: str) -> bool:
    """Whether `uri` can be read as one."""
    try:
        uri_scheme(uri)
    except ValueError:
        return False
    return True
