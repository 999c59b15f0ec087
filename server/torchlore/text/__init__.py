"""What a file is: text, lines, positions, encodings, tolerant parse, notebook cells."""

from torchlore.text.edits import Edit, Span, apply_edits
from torchlore.text.ipynb import NotebookError, is_notebook, source_of
from torchlore.text.lines import Encoding, LineTable
from torchlore.text.notebook import Cell, Notebook
from torchlore.text.parse import Parsed, parse_tolerantly
from torchlore.text.source import Source, decode

__all__ = [
    "Cell",
    "Edit",
    "Encoding",
    "LineTable",
    "Notebook",
    "NotebookError",
    "Parsed",
    "Source",
    "Span",
    "apply_edits",
    "decode",
    "is_notebook",
    "parse_tolerantly",
    "source_of",
]
