"""What the code means: names, values, events. Knows Python and PyTorch; knows no protocol.

What analyses is imported when it is first asked for: who reads what was found earlier needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchlore.analysis.document import Analysis, ScopeName, SymbolAt, analyze
    from torchlore.analysis.passed import Given, Passed

__all__ = ["Analysis", "Given", "Passed", "ScopeName", "SymbolAt", "analyze"]

_HOMES = {"Given": "passed", "Passed": "passed"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'document')}"), name)
