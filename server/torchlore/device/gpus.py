"""The GPUs of this machine as their drivers tell of them; no interpreter is started for that."""

from __future__ import annotations

from collections.abc import Mapping

from torchlore_agent import gpus

from torchlore.device.choice import Use, as_torch_names_them


def in_use(environ: Mapping[str, str]) -> dict[str, Use]:
    """By the names that torch has for them; none where it is not certain which is which.

    It loads the library of the driver, which takes a moment: not on the event loop.

    Args:
        environ: the variables that are set, since they may hide some or change their order.
    """
    found = [Use(**gpu) for gpu in gpus.in_use()]
    return {f"cuda:{place}": gpu for place, gpu in enumerate(as_torch_names_them(found, environ))}
