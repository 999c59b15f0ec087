"""What a file is: text, lines, positions, encodings, tolerant parse."""

from torchlore.text.lines import Encoding, LineTable
from torchlore.text.parse import Parsed, parse_tolerantly
from torchlore.text.source import Edit, Source, Span, apply_edits, decode

__all__ = [
    "Edit",
    "Encoding",
    "LineTable",
    "Parsed",
    "Source",
    "Span",
    "apply_edits",
    "decode",
    "parse_tolerantly",
]
