"""Where the proofs register themselves."""

from __future__ import annotations

from collections.abc import Callable

PROOFS: dict[tuple[str, str], Callable[[], None]] = {}
"""By callable and argument."""


def proves(function: str, argument: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def keep(proof: Callable[[], None]) -> Callable[[], None]:
        PROOFS[function, argument] = proof
        return proof

    return keep
