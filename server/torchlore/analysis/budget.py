"""What may be spent on a file, so that the cost of a line does not grow with what it calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Expressions and statements that may be evaluated, so that the cost per line stays the same.

    Attributes:
        module: by the module, and by the entry point that is run last, with what they call.
        again: in functions that were followed before, by the whole file.
        elsewhere: in files that are imported.
        call: of that, by one call from the file, so that a library's depths leave some for the others.
    """

    module: int
    again: int
    elsewhere: int
    call: int

    @classmethod
    def for_text(cls, characters: int, follow: bool) -> Budget:
        """For a file of so many characters, about four of which make one evaluation.

        Args:
            characters: of the file's text.
            follow: whether it matters what imported functions do, not only which classes there are.
        """
        elsewhere = 1_500 + characters // 24 if follow else _ENOUGH_FOR_CLASSES
        return cls(100_000 + characters, 300 + characters // 64, elsewhere, _ENOUGH_FOR_A_CALL)

    @classmethod
    def for_a_call(cls) -> Budget:
        """For a function of an imported file that is looked at by itself."""
        return cls(_ENOUGH_FOR_A_CALL, _ENOUGH_FOR_A_CALL // 4, _ENOUGH_FOR_A_CALL, _ENOUGH_FOR_A_CALL)


_ENOUGH_FOR_CLASSES = 500

_ENOUGH_FOR_A_CALL = 800
"""A training loop with what it calls takes some hundreds."""
