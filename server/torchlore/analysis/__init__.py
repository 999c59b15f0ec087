"""What the code means: names, values, events. Knows Python and PyTorch; knows no protocol."""

from torchlore.analysis.document import Analysis, ScopeName, SymbolAt, analyze
from torchlore.analysis.passed import Given, Passed

__all__ = ["Analysis", "Given", "Passed", "ScopeName", "SymbolAt", "analyze"]
