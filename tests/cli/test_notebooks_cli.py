"""`torchlore check` on notebooks: places by cell in every format, and fixes that leave the file as it was."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from cli_support import CLEAN, MISTAKE, torchlore
from torchlore import config, rules
from torchlore.analysis import analyze
from torchlore.cli.checking import FileReport
from torchlore.cli.frames import frames
from torchlore.rules.model import Finding, Fix, Related, Severity
from torchlore.text import Edit, Span
from torchlore.text.ipynb import read_notebook

IMPORTS = "import torch\nfrom torch import nn"
NET = MISTAKE.partition("\n\n\n")[2].rstrip("\n")
MENDED = CLEAN.partition("\n\n\n")[2].rstrip("\n")
assert NET.startswith("class") and MENDED != NET


def notebook(*cells: tuple[str, str], as_lists: bool = True, indent: int | None = 1, **metadata: Any) -> str:
    """The JSON of a notebook as Jupyter writes it."""
    document = {
        "cells": [
            {
                "cell_type": kind,
                **({"execution_count": 3} if kind == "code" else {}),
                "metadata": {},
                **({"outputs": [{"name": "stdout", "text": ["é torch\n"]}]} if kind == "code" else {}),
                "source": text.splitlines(keepends=True) if as_lists else text,
            }
            for kind, text in cells
        ],
        "metadata": {"language_info": {"name": "python"}, **metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=indent, ensure_ascii=False) + "\n"


PLAIN = notebook(
    ("markdown", "# Nets\n"), ("code", f"%pip install torch\n{IMPORTS}"), ("code", f"%%time\n{NET}")
)
ROW = 4  # Of the mistake in the third cell.


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def read(path: Path) -> str:
    return path.read_bytes().decode()


def test_notebooks_are_found_in_folders_and_where_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    write(tmp_path / "deep" / "net.ipynb", PLAIN)
    write(tmp_path / ".ipynb_checkpoints" / "net.ipynb", PLAIN)
    for arguments in ((), ("deep/net.ipynb",)):
        done = torchlore("check", "--output-format", "concise", *arguments, cwd=tmp_path)
        assert done.returncode == 1 and not done.stderr
        first, *rest = done.stdout.splitlines()
        assert first.startswith(f"{Path('deep/net.ipynb')}:cell 3:{ROW}:9: TL301 [*] ")
        assert rest == ["Found 1 mistake.", "[*] 1 can be fixed with `--fix`."]


def test_the_frame_shows_the_cell(tmp_path: Path) -> None:
    write(tmp_path / "net.ipynb", PLAIN)
    out = torchlore("check", cwd=tmp_path).stdout
    assert f"--> net.ipynb:cell 3:{ROW}:9" in out
    assert f"{ROW} |         self.layer" in out and "3 |     def __init__" in out
    assert "^^^^^^^^^^" in out and "import" not in out


def test_json_counts_in_the_cell(tmp_path: Path) -> None:
    write(tmp_path / "net.ipynb", PLAIN)
    write(tmp_path / "net.py", MISTAKE)
    in_cell, in_file = json.loads(torchlore("check", "--output-format", "json", cwd=tmp_path).stdout)
    assert (in_cell["cell"], in_file["cell"]) == (3, None)
    assert list(in_cell) == list(in_file)
    assert in_cell["location"] == {"row": ROW, "column": 9}
    assert in_cell["fix"]["edits"] == [
        {
            "content": "        super().__init__()\n",
            "location": {"row": ROW, "column": 1},
            "end_location": {"row": ROW, "column": 1},
        }
    ]


def test_github_and_sarif_name_lines_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "net.ipynb", PLAIN)
    lines = PLAIN.split("\n")
    line = next(n for n, text in enumerate(lines, 1) if "self.layer =" in text)
    annotation = torchlore("check", "--output-format", "github", cwd=tmp_path).stdout
    assert annotation.startswith("::error title=torchlore (TL301 missing-super-init),file=net.ipynb,")
    assert f",line={line},endLine={line}::cell 3, line {ROW}: " in annotation
    run = json.loads(torchlore("check", "--output-format", "sarif", cwd=tmp_path).stdout)["runs"][0]
    (result,) = run["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["region"] == {"startLine": line, "endLine": line}
    assert location["logicalLocations"] == [{"name": "cell 3"}]
    # The change of the file itself gives what `--fix` gives.
    (change,) = result["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    before = (
        "\n".join(lines[: region["startLine"] - 1])
        + "\n"
        + lines[region["startLine"] - 1][: region["startColumn"] - 1]
    )
    after = (
        lines[region["endLine"] - 1][region["endColumn"] - 1 :] + "\n" + "\n".join(lines[region["endLine"] :])
    )
    torchlore("check", "--fix", cwd=tmp_path)
    assert before + replacement["insertedContent"]["text"] + after == read(path)


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_fix_leaves_all_else_byte_for_byte(tmp_path: Path, ending: str) -> None:
    cells = [("code", f"{IMPORTS}\n!pip install é"), ("markdown", "é"), ("code", f"%%time\n{NET}")]
    mended = [*cells[:2], ("code", f"%%time\n{MENDED}")]
    expected: dict[Path, str] = {}
    for number, (indent, as_lists) in enumerate(itertools.product((1, 2, None), (True, False))):
        before, after = (
            notebook(*code, as_lists=as_lists, indent=indent, vscode={"b": 1, "a": 1.50}).rstrip("\n")
            for code in (cells, mended)
        )
        path = write(tmp_path / f"net{number}.ipynb", before.replace("\n", ending or "\n") + ending)
        expected[path] = after.replace("\n", ending or "\n") + ending
    done = torchlore("check", "--fix", cwd=tmp_path)
    assert done.returncode == 0 and "6 fixed" in done.stdout
    assert {path: read(path) for path in expected} == expected


def test_escaped_characters_and_a_byte_order_mark_stay(tmp_path: Path) -> None:
    text = json.dumps(json.loads(notebook(("code", f"{IMPORTS}\n{NET}  # é😀"))), indent=1)
    assert "\\u00e9\\ud83d" in text
    path = tmp_path / "net.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert "1 fixed" in torchlore("check", "--fix", cwd=tmp_path).stdout
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") and data.isascii() is False
    added = set(data[3:].decode().split("\n")) - set(text.split("\n"))
    assert added == {'    "        super().__init__()\\n",'}


def test_diff_shows_the_file_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "net.ipynb", PLAIN)
    done = torchlore("check", "--diff", cwd=tmp_path)
    changed = [
        line for line in done.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed == ['+    "        super().__init__()\\n",']
    assert "Would fix 1 mistake." in done.stderr and read(path) == PLAIN


def test_standard_input_may_be_a_notebook(tmp_path: Path) -> None:
    arguments = ("check", "-", "--stdin-filename", "net.ipynb")
    done = torchlore(*arguments, "--output-format", "concise", cwd=tmp_path, stdin=PLAIN.encode())
    assert done.stdout.startswith(f"net.ipynb:cell 3:{ROW}:9: TL301")
    done = torchlore(*arguments, "--fix", cwd=tmp_path, stdin=PLAIN.encode())
    assert [cell.text for cell in read_notebook(done.stdout).cells][1] == f"%%time\n{MENDED}"


def test_a_comment_in_a_cell_switches_a_finding_off(tmp_path: Path) -> None:
    quiet = NET.replace("nn.Linear(2, 2)", "nn.Linear(2, 2)  # torchlore: ignore[TL301]")
    path = write(tmp_path / "net.ipynb", notebook(("code", "print('''"), ("code", IMPORTS), ("code", quiet)))
    done = torchlore("check", cwd=tmp_path)
    assert "All checks passed" not in done.stdout  # The first cell is broken, which is told.
    assert not done.stdout and "net.ipynb:cell 1:1:7: syntax error" in done.stderr
    write(path, notebook(("code", IMPORTS), ("code", quiet)))
    assert torchlore("check", cwd=tmp_path).stdout == "All checks passed.\n"


def test_a_broken_cell_is_named_and_harms_no_other(tmp_path: Path) -> None:
    write(
        tmp_path / "net.ipynb",
        notebook(("code", IMPORTS), ("code", "x = 1\nprint('''what"), ("code", NET), ("code", "f(\n!ls")),
    )
    done = torchlore("check", "--output-format", "concise", cwd=tmp_path)
    assert done.stdout.startswith("net.ipynb:cell 3:3:9: TL301")
    first, second = done.stderr.splitlines()
    assert first.startswith("torchlore: net.ipynb:cell 2:2:7: syntax error: ")
    assert second.startswith("torchlore: net.ipynb:cell 4:1:2: syntax error: ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"cells": ["torch"', "net.ipynb:1:19: is no notebook: not valid JSON"),
        ('["torch"]', "net.ipynb: is no notebook: its JSON is not an object"),
        ('{"cells": "torch"}', "net.ipynb: is no notebook: it has no list of cells"),
        ('{"cells": [{"cell_type": "code", "source": {"torch": 1}}]}', "the source of cell 1 is neither"),
        ('{"nbformat": 2, "torch": []}', "is a notebook of format 2"),
        ("[" * 200_000 + '"torch"', "is no notebook"),
    ],
    ids=range(6),
)
def test_what_is_no_notebook_is_told_and_the_others_are_checked(tmp_path: Path, text: str, why: str) -> None:
    write(tmp_path / "net.ipynb", text)
    write(tmp_path / "other.py", MISTAKE)
    for arguments in ((), ("--fix", "--exit-zero"), ("--diff",)):
        done = torchlore("check", "--no-cache", *arguments, cwd=tmp_path)
        assert done.returncode == (0 if "--exit-zero" in arguments else 1)
        assert why in done.stderr and len(done.stderr.splitlines()) <= 2 and "Traceback" not in done.stderr
    assert read(tmp_path / "net.ipynb") == text and read(tmp_path / "other.py") == CLEAN


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "net.ipynb").write_bytes(b'{"torch": "\xff"}')
    done = torchlore("check", cwd=tmp_path)
    assert done.returncode == 1 and "net.ipynb: cannot be decoded" in done.stderr


def test_other_languages_are_left_alone(tmp_path: Path) -> None:
    text = notebook(
        ("code", "library(torch)\nx <- ("), kernelspec={"name": "ir"}, language_info={"name": "R"}
    )
    write(tmp_path / "net.ipynb", text)
    done = torchlore("check", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "All checks passed.\n", "")


def test_the_cache_answers_for_notebooks_and_not_for_files_of_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "net.py", PLAIN)
    write(tmp_path / "net.ipynb", PLAIN)
    runs = [torchlore("check", "--output-format", "json", cwd=tmp_path).stdout for _ in range(2)]
    assert runs[0] == runs[1] and [record["cell"] for record in json.loads(runs[0])] == [3]
    assert len(list((tmp_path / ".torchlore_cache").glob("*/*"))) >= 2


def test_related_places_in_other_cells_are_named_below_the_frame() -> None:
    text = notebook(("code", "x = 1\ny = 2"), ("code", "z = x"))
    at = read_notebook(text).text.index("z")
    related = (Related(Span(at, at + 1), "here"), Related(Span(6, 7), "on line 1 and line 4"))
    finding = Finding(
        "TL101", "missing-zero-grad", Severity.ERROR, "see line 2", Span(at, at + 5), related=related
    )
    shown = [
        "".join(part for part, _ in line)
        for line in frames(FileReport(Path("a.ipynb"), (finding,), text=text))
    ]
    assert shown[0] == "TL101 missing-zero-grad: see line 2 of cell 1"
    assert "  = cell 1:2:1: on line 1 of cell 1 and line 1" in shown
    assert any(line.endswith("- here") for line in shown)


def test_a_fix_over_several_cells_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    source = read_notebook(notebook(("code", "import torch\nx = 1"), ("code", "%cd a\ny = 2")))
    other = source.start(source.cells[1])
    inside, over, magic = (
        Fix("inside", (Edit(Span(0, 0), "a\n"),), True),
        Fix("over", (Edit(Span(0, 0), "a\n"), Edit(Span(other, other), "b\n")), True),
        Fix("magic", (Edit(Span(other, other + 5), ""),), True),
    )
    finding = Finding("TL101", "x", Severity.ERROR, "m", Span(0, 6), (over, inside, magic))
    monkeypatch.setattr(rules, "check", lambda analysis, asked: [finding])
    (found,) = config.check_source(analyze(source), config.Config())
    assert found.fixes == (inside,)
