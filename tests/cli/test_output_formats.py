"""What `check` prints: the fixed JSON record, SARIF, GitHub commands, a line each, and the full frames."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import MISTAKE, SERVER, torchlore
from torchlore.cli import formats
from torchlore.cli.checking import FileReport
from torchlore.cli.frames import frames
from torchlore.rules.model import Finding, Fix, Related, Severity
from torchlore.text import Edit, Source, Span, apply_edits


def report(text: str, at: str, *, related: str = "", severity: Severity = Severity.ERROR) -> FileReport:
    """A report with one finding on `at`, its fix replaces it by `new`."""
    start = text.index(at)
    span = Span(start, start + len(at))
    others = (Related(Span(text.index(related), text.index(related) + len(related)), "it began here"),)
    finding = Finding(
        "TL101",
        "missing-zero-grad",
        severity,
        "100% wrong:\nreally",
        span,
        (Fix("Replace it", (Edit(span, "new"),), True),),
        others if related else (),
        "https://example.org/doc",
        card="zero-grad",
    )
    return FileReport(Path("a,b:c.py"), (finding,), text=text)


def plain(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def test_json_record_is_the_promised_one(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    records = json.loads(torchlore("check", "--output-format", "json", cwd=tmp_path).stdout)
    assert len(records) == 1
    record = records[0]
    assert list(record) == [
        "code",
        "name",
        "severity",
        "message",
        "filename",
        "cell",
        "location",
        "end_location",
        "fix",
        "url",
    ]
    assert (record["code"], record["name"]) == ("TL301", "missing-super-init")
    assert record["severity"] in ("error", "warning", "information", "hint")
    assert record["filename"] == str(tmp_path / "net.py")
    assert set(record["location"]) == set(record["end_location"]) == {"row", "column"}
    assert set(record["fix"]) == {"title", "applicability", "edits"}
    assert record["fix"]["applicability"] in ("safe", "unsafe")
    assert all(set(edit) == {"content", "location", "end_location"} for edit in record["fix"]["edits"])
    assert record["url"].startswith("https://")


def test_json_places_count_from_1_in_code_points() -> None:
    text = "import torch\n\tx = '😀'; bad()\r\n"
    record = json.loads(formats.to_json([report(text, "bad()")]))[0]
    assert record["location"] == {"row": 2, "column": 11}
    assert record["end_location"] == {"row": 2, "column": 16}


def test_json_edits_give_the_fixed_text() -> None:
    text = "import torch\nx = '😀'; bad()\n"
    record = json.loads(formats.to_json([report(text, "bad()")]))[0]
    source = Source(text)

    def offset(where: dict[str, int]) -> int:
        return source.offset(where["row"] - 1, where["column"] - 1)

    edits = [
        Edit(Span(offset(e["location"]), offset(e["end_location"])), e["content"])
        for e in record["fix"]["edits"]
    ]
    assert apply_edits(text, edits) == "import torch\nx = '😀'; new\n"


def test_json_without_findings_is_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    assert torchlore("check", "--output-format", "json", cwd=tmp_path).stdout == "[]\n"


def test_concise() -> None:
    line = formats.to_concise([report("import torch\nbad()\n", "bad()")])
    assert line.startswith("a,b:c.py:2:1: TL101 [*] 100% wrong:")


def test_github_escapes_what_its_runner_unescapes() -> None:
    line = formats.to_github([report("import torch\nbad()\n", "bad()")])
    assert line == (
        "::error title=torchlore (TL101 missing-zero-grad),file=a%2Cb%3Ac.py,"
        "line=2,col=1,endLine=2,endColumn=6"
        "::100%25 wrong:%0Areally\n"
    )
    assert formats.to_github([report("bad()", "bad()", severity=Severity.HINT)]).startswith("::notice ")


def test_sarif_has_what_code_scanning_needs() -> None:
    log = json.loads(formats.to_sarif([report("import torch\nbad()\n", "bad()", related="torch")]))
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    result = run["results"][0]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "TL101"
    assert all(rule["shortDescription"]["text"] and rule["help"]["markdown"] for rule in rules)
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": 1,
        "endLine": 2,
        "endColumn": 6,
    }
    assert result["relatedLocations"][0]["message"]["text"] == "it began here"
    replacement = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement["insertedContent"]["text"] == "new"
    assert run["columnKind"] == "unicodeCodePoints"


def test_full_frame() -> None:
    text = "import torch\n\n\n\nfor a in b:\n    x()\n    bad()\n    y()\n"
    assert plain(frames(report(text, "bad()", related="for a in b:"))) == [
        "TL101 missing-zero-grad: 100% wrong:\nreally",
        " --> a,b:c.py:7:5",
        "  |",
        "5 | for a in b:",
        "  | ----------- it began here",
        "6 |     x()",
        "7 |     bad()",
        "  |     ^^^^^",
        "8 |     y()",
        "  |",
        "  = fix: Replace it (--fix)",
        "  = why: torchlore explain zero-grad",
        "",
    ]


def carets(text: str, at: str) -> tuple[str, str]:
    """The source line that is marked, and the line of carets under it."""
    lines = plain(frames(report(text, at)))
    under = next(i for i, line in enumerate(lines) if re.fullmatch(r" *\| *\^+", line))
    return lines[under - 1], lines[under]


@pytest.mark.parametrize(
    ("text", "at", "shown", "marks"),
    [
        ("\tx = bad()\n", "bad()", "1 |     x = bad()", "  |         ^^^^^"),
        ("a\t= bad()\n", "bad()", "1 | a   = bad()", "  |     " + "  ^^^^^"),
        ("x = '日本'; bad()\n", "bad()", "1 | x = '日本'; bad()", "  | " + " " * 12 + "^^^^^"),
        ("x = bad('日本')\n", "bad('日本')", "1 | x = bad('日本')", "  |     ^^^^^^^^^^^"),
        ("x = 'e\u0301'; bad()\n", "bad()", "1 | x = 'e\u0301'; bad()", "  |          ^^^^^"),
        ("x = '\x1b[31m'; bad()\n", "bad()", "1 | x = '�[31m'; bad()", "  |              ^^^^^"),
        ("x = '\u202e'; bad()\n", "bad()", "1 | x = '�'; bad()", "  |          ^^^^^"),
        ("\x0cbad()\n", "bad()", "1 | �bad()", "  |  ^^^^^"),
    ],
)
def test_carets_stand_under_the_place(text: str, at: str, shown: str, marks: str) -> None:
    assert carets(text, at) == (shown, marks)


def test_a_long_place_shows_its_ends() -> None:
    text = "import torch\nbad(\n" + "".join(f"    {n},\n" for n in range(30)) + ")\nend = 1\n"
    lines = plain(frames(report(text, text[text.index("bad(") : text.index(")") + 1])))
    shown = [line for line in lines if re.match(r" *\d+ \|", line)]
    assert [line.split(" | ")[0].strip() for line in shown] == ["1", "2", "33", "34"]
    assert "   ⋮" in lines


def test_an_empty_place_at_the_end_of_the_text() -> None:
    text = "import torch"
    finding = Finding("TL101", "missing-zero-grad", Severity.ERROR, "m", Span(len(text), len(text)))
    lines = plain(frames(FileReport(Path("a.py"), (finding,), text=text)))
    assert lines[3:5] == ["1 | import torch", "  |             ^"]


def test_colours_only_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    assert "\x1b[" not in torchlore("check", "--no-cache", cwd=tmp_path).stdout
    forced = torchlore("check", "--no-cache", cwd=tmp_path, FORCE_COLOR="1").stdout
    assert "\x1b[1;3" in forced
    without = re.sub(r"\x1b\[[0-9;]*m", "", forced)
    assert without == torchlore("check", "--no-cache", cwd=tmp_path).stdout


def test_an_ascii_terminal_gets_every_finding(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE.replace("Net", "Nét"), encoding="utf-8")
    done = torchlore("check", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 1
    assert "TL301" in done.stdout
    assert "Traceback" not in done.stderr


def imported(folder: Path, *arguments: str) -> tuple[str, list[str]]:
    """What `check` prints in a folder, and the modules that it has imported by then."""
    program = (
        "import json, sys\n"
        f"sys.argv = ['torchlore', 'check', *{arguments!r}]\n"
        "from torchlore.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    print(json.dumps([*sys.modules]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(SERVER), "PATH": "", "XDG_CACHE_HOME": str(folder)},
    )
    return done.stdout, json.loads(done.stderr)


def test_machine_formats_start_quickly(tmp_path: Path) -> None:
    """Nothing that only people or the server need is imported on the way to JSON."""
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    printed, modules = imported(tmp_path, "--output-format", "json", "--exit-zero")
    assert json.loads(printed)[0]["code"] == "TL301"
    for module in ("rich", "pygls", "lsprotocol", "jedi", "torch", "asyncio", "multiprocessing"):
        assert module not in modules


def test_what_has_not_changed_is_not_analysed_again(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    first, modules = imported(tmp_path, "--exit-zero")
    assert "TL301" in first and "torchlore.analysis.document" in modules
    second, modules = imported(tmp_path, "--exit-zero")
    assert second == first
    assert not {"torchlore.analysis.document", "torchlore.rules.modules"} & {*modules}
