"""The lines under "In your code": `tests/analysis/notes/*.md`.

A comment `#: step | …` in a program says what a hover on the word `step` of its line tells, beside other lines;
`#: step !| …` says that no line holds that, `#: step =` that there is none at all.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from torchlore.analysis import analyze
from torchlore.text import Source

FOLDER = Path(__file__).parent / "notes"
BLOCK = re.compile(r"^### (?P<title>.+?)$.*?```py\n(?P<code>.*?)```", re.MULTILINE | re.DOTALL)
CLAIM = re.compile(r"#: (?P<word>[\w.]+) (?P<kind>\|| ?!\||=)(?P<text>.*)")
CASES = {
    f"{path.stem}: {match['title']}": match["code"]
    for path in sorted(FOLDER.glob("*.md"))
    for match in BLOCK.finditer(path.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("title", CASES)
def test_notes(title: str) -> None:
    code = CASES[title]
    bare = re.sub(r" *#: .*", "", code)
    analysis = analyze(Source(bare))
    claims = [
        (number, claim) for number, line in enumerate(code.splitlines()) for claim in CLAIM.finditer(line)
    ]
    assert claims
    for number, claim in claims:
        line = bare.splitlines()[number]
        column = line.index(claim["word"]) + len(claim["word"]) - 1
        told = analysis.notes_at(analysis.source.offset(number, column))
        text = claim["text"].strip()
        if claim["kind"] == "=":
            assert told == (), (line, told)
        elif "!" in claim["kind"]:
            assert not any(text in note for note in told), (line, told)
        else:
            assert text in [note.strip() for note in told], (line, told)


def test_there_are_cases() -> None:
    assert len(CASES) >= 25
