"""What the tests of the knowledge room share: where the content lies, and runs of words."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from pathlib import Path

RUN = 6
_BYTES = 6
_HASHES = Path(__file__).with_name("seed_runs.bin")
_FENCED = re.compile(r"^[ \t]*(```|~~~).*?^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)


def prose(markdown: str) -> str:
    """Markdown without its code blocks: lines of code are facts about an interface, not wording."""
    return _FENCED.sub("\n", markdown)


def runs(text: str) -> list[str]:
    """Every run of six successive words, lower case, without punctuation."""
    words = re.findall(r"[a-z0-9_]+", text.lower())
    return [" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)]


def packed(text: str) -> bytes:
    """The hash of each run of a text, sorted, six bytes each: what `seed_runs.bin` holds.

    The text that the questions come from is not ours to publish; its hashes suffice to see that no answer
    repeats its wording.
    """
    return b"".join(sorted({_hash(run) for run in runs(text)}))


def seed_hashes() -> frozenset[bytes]:
    content = _HASHES.read_bytes()
    return frozenset(content[start : start + _BYTES] for start in range(0, len(content), _BYTES))


def repeated(text: str, hashes: frozenset[bytes]) -> list[str]:
    """The runs of a text that the hashed text has too."""
    return [run for run in runs(text) if _hash(run) in hashes]


def _hash(run: str) -> bytes:
    return hashlib.sha256(run.encode()).digest()[:_BYTES]


def said_in(code: str) -> str:
    """What a program says in prose: its comments and docstrings."""
    comments = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.COMMENT
    ]
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documents = [
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(code)) if isinstance(node, holders)
    ]
    return "\n".join(comments + documents)
