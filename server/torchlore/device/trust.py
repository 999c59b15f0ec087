"""Whether anything of the workspace may be executed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

WHY_NOTHING_RUNS = (
    "This workspace is not trusted, so nothing is run in it and none of its interpreters is started; "
    "trust it in your editor to run snippets."
)


class NotAllowed(Exception):
    """Nothing was run. `str()` of it is one sentence for the user, which says why and what to do."""


class Trust(Enum):
    """The user's word on a workspace."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


def trust_from(options: object) -> Trust:
    """What `initializationOptions` say about trust.

    LSP has no message for trust (microsoft/language-server-protocol#1915), so the client says it when it
    starts. A client that knows nothing of it says nothing, and is trusted; whatever says something else than
    `false` is not.

    Args:
        options: the value of `initializationOptions`: a mapping, None, an object with attributes, or anything
            else.
    """
    if options is None:
        return Trust.TRUSTED
    if isinstance(options, Mapping):
        said = options.get("untrustedWorkspace", False)
    elif isinstance(options, (str, bytes, int, float, list, tuple)):
        return Trust.UNTRUSTED
    else:
        said = getattr(options, "untrustedWorkspace", False)
    return Trust.TRUSTED if said is False else Trust.UNTRUSTED


def require(trust: Trust) -> None:
    """Raises NotAllowed unless the workspace is trusted."""
    if trust is not Trust.TRUSTED:
        raise NotAllowed(WHY_NOTHING_RUNS)
