"""What the code means: names, values, events. Knows Python and PyTorch; knows no protocol."""

from torchlore.analysis.document import Analysis, ScopeName, SymbolAt, analyze

__all__ = ["Analysis", "ScopeName", "SymbolAt", "analyze"]
