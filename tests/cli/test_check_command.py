"""`torchlore check` as a user runs it: files, folders, exit codes, fixes, configuration."""

from __future__ import annotations

import errno
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import CLEAN, MISTAKE, SERVER, torchlore
from torchlore.cli.check import _written
from torchlore.cli.checking import FileReport
from torchlore.cli.patches import write_text
from torchlore.config import Config
from torchlore.files import python_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with one mistake in `src/net.py`."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "net.py").write_text(MISTAKE, encoding="utf-8")
    (tmp_path / "src" / "good.py").write_text(CLEAN, encoding="utf-8")
    return tmp_path


def files_found(stdout: str) -> list[str]:
    return sorted({Path(record["filename"]).name for record in json.loads(stdout)})


def check_json(*arguments: str | Path, cwd: Path, **more: str) -> list[str]:
    return files_found(torchlore("check", "--output-format", "json", *arguments, cwd=cwd, **more).stdout)


def test_findings_end_with_1_and_none_with_0(tree: Path) -> None:
    done = torchlore("check", cwd=tree)
    assert done.returncode == 1
    assert "TL301" in done.stdout
    assert "src/net.py:" in done.stdout.replace(os.sep, "/")
    assert "Found 1 mistake." in done.stdout
    assert done.stderr == ""
    clean = torchlore("check", "src/good.py", cwd=tree)
    assert (clean.returncode, clean.stdout, clean.stderr) == (0, "All checks passed.\n", "")


def test_exit_zero(tree: Path) -> None:
    assert torchlore("check", "--exit-zero", cwd=tree).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select", "TL999"],
        ["--ignore", "missing-super-int"],
        ["--output-format", "xml"],
        ["--jobs", "0"],
        ["--no-such-option"],
    ],
)
def test_what_cannot_run_ends_with_2(tree: Path, arguments: list[str]) -> None:
    done = torchlore("check", *arguments, cwd=tree)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_a_bad_configuration_ends_with_2_and_names_the_key(tree: Path) -> None:
    (tree / "pyproject.toml").write_text("[tool.torchlore]\nselct = []\n", encoding="utf-8")
    done = torchlore("check", cwd=tree)
    assert done.returncode == 2
    assert "pyproject.toml: unknown key `selct`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_select_and_ignore(tree: Path) -> None:
    for off in (["--ignore", "TL3"], ["--ignore", "TL1,modules"], ["--select", "TL1", "--select", "losses"]):
        assert check_json(*off, cwd=tree) == []
    for on in (["--select", "TL1,TL301"], ["--select", "TL301", "--ignore", "modules"]):
        assert check_json(*on, cwd=tree) == ["net.py"]


def test_configuration_and_options(tree: Path) -> None:
    (tree / "pyproject.toml").write_text('[tool.torchlore]\nignore = ["TL301"]\n', encoding="utf-8")
    assert check_json(cwd=tree) == []
    assert check_json("--select", "TL301", cwd=tree) == ["net.py"]


def test_each_file_has_the_nearest_configuration(tree: Path) -> None:
    (tree / "old").mkdir()
    (tree / "old" / "legacy.py").write_text(MISTAKE, encoding="utf-8")
    (tree / "old" / "pyproject.toml").write_text('[tool.torchlore]\nignore = ["TL3"]\n', encoding="utf-8")
    assert check_json(cwd=tree) == ["net.py"]


def test_folders_that_hold_no_source_are_skipped_unless_named(tree: Path) -> None:
    for folder in (".venv", "node_modules", "build", "__pycache__", "lib/site-packages", "kept/vendor"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "hidden.py").write_text(MISTAKE, encoding="utf-8")
    (tree / "pyproject.toml").write_text('[tool.torchlore]\nexclude = ["vendor"]\n', encoding="utf-8")
    assert check_json(cwd=tree) == ["net.py"]
    assert check_json("build", cwd=tree) == ["hidden.py"]
    assert check_json("kept/vendor/hidden.py", cwd=tree) == ["hidden.py"]


def test_a_file_is_checked_once_and_whatever_it_is_called(tree: Path) -> None:
    (tree / "script").write_text(MISTAKE, encoding="utf-8")
    (tree / "notes.txt").write_text(MISTAKE, encoding="utf-8")
    done = torchlore("check", "--output-format", "json", "script", "script", "./script", ".", cwd=tree)
    assert sorted(Path(r["filename"]).name for r in json.loads(done.stdout)) == ["net.py", "script"]


def test_a_file_without_torch_is_not_parsed(tree: Path) -> None:
    (tree / "broken.py").write_text("def f(:\n", encoding="utf-8")
    done = torchlore("check", "broken.py", cwd=tree)
    assert (done.returncode, done.stderr) == (0, "")


def test_broken_syntax_is_said_and_the_rest_is_checked(tree: Path) -> None:
    (tree / "broken.py").write_text(MISTAKE + "\n\ndef f(:\n    pass\n", encoding="utf-8")
    done = torchlore("check", "--output-format", "concise", "broken.py", cwd=tree)
    assert done.returncode == 1
    assert "TL301" in done.stdout
    assert "broken.py:13:" in done.stderr
    assert "syntax error" in done.stderr
    (tree / "broken.py").write_text("import torch\ndef f(:\n    pass\n", encoding="utf-8")
    assert torchlore("check", "broken.py", cwd=tree).returncode == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"import torch\nx = '\xff'\n", "cannot be decoded"),
        (b"# coding: no-such-encoding\nimport torch\n", "cannot be decoded"),
        (b"import torch\n\x00\n", "null"),
        (b"import torch\n" + b"(" * 500, "syntax error"),
    ],
)
def test_what_is_no_python_text_is_said(tree: Path, content: bytes, says: str) -> None:
    (tree / "odd.py").write_bytes(content)
    done = torchlore("check", "odd.py", cwd=tree)
    assert done.returncode == 1
    assert done.stderr.startswith("torchlore: odd.py:")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "passed" not in done.stdout


def test_a_declared_encoding_is_read_and_kept_by_a_fix(tree: Path) -> None:
    text = "# coding: latin-1\n# é\n" + MISTAKE
    (tree / "old.py").write_bytes(text.encode("latin-1"))
    assert torchlore("check", "--fix", "old.py", cwd=tree).returncode == 0
    fixed = (tree / "old.py").read_bytes().decode("latin-1")
    assert fixed.startswith("# coding: latin-1\n# é\n")
    assert "super().__init__()" in fixed


def test_a_path_that_is_not_there(tree: Path) -> None:
    done = torchlore("check", "nowhere", "src", "--output-format", "json", cwd=tree)
    assert done.returncode == 1
    assert done.stderr == "torchlore: nowhere: cannot be read: No such file or directory\n"
    assert files_found(done.stdout) == ["net.py"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_and_a_folder_that_may_not_be_read(tree: Path) -> None:
    (tree / "src" / "net.py").chmod(0)
    (tree / "closed").mkdir(mode=0)
    done = torchlore("check", cwd=tree)
    (tree / "closed").chmod(0o700)
    assert done.returncode == 1
    assert done.stderr.count("Permission denied") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_loops_of_links_and_links_to_nowhere(tree: Path) -> None:
    (tree / "src" / "again").symlink_to(tree, target_is_directory=True)
    (tree / "loop.py").symlink_to("loop.py")
    (tree / "gone.py").symlink_to("nowhere.py")
    (tree / "same.py").symlink_to("src/net.py")
    os.mkfifo(tree / "pipe.py")
    assert len(json.loads(torchlore("check", "--output-format", "json", cwd=tree).stdout)) == 1
    done = torchlore("check", "loop.py", cwd=tree)
    assert done.returncode == 1
    assert "Too many levels of symbolic links" in done.stderr


def test_nothing_to_check_is_said(tmp_path: Path) -> None:
    done = torchlore("check", cwd=tmp_path)
    assert done.returncode == 0
    assert "no Python files" in done.stderr


def test_fix_mends_and_keeps_what_it_need_not_touch(tree: Path) -> None:
    windows = MISTAKE.replace("\n", "\r\n").encode("utf-8-sig")
    (tree / "windows.py").write_bytes(windows)
    done = torchlore("check", "--fix", cwd=tree)
    assert done.returncode == 0
    assert "Found 2 mistakes (2 fixed, 0 left)." in done.stdout
    assert (tree / "src" / "net.py").read_text(encoding="utf-8") == CLEAN
    assert (tree / "windows.py").read_bytes() == CLEAN.replace("\n", "\r\n").encode("utf-8-sig")
    assert torchlore("check", "--fix", cwd=tree).stdout == "All checks passed.\n"


def test_exit_non_zero_on_fix(tree: Path) -> None:
    assert torchlore("check", "--fix", "--exit-non-zero-on-fix", cwd=tree).returncode == 1
    assert torchlore("check", "--fix", "--exit-non-zero-on-fix", cwd=tree).returncode == 0


def test_diff_writes_nothing(tree: Path) -> None:
    done = torchlore("check", "--diff", cwd=tree)
    assert done.returncode == 1
    assert "+        super().__init__()\n" in done.stdout
    assert done.stdout.replace(os.sep, "/").startswith("--- src/net.py\n+++ src/net.py\n@@ ")
    assert done.stderr == "Would fix 1 mistake.\n"
    assert (tree / "src" / "net.py").read_text(encoding="utf-8") == MISTAKE
    assert torchlore("check", "--diff", "src/good.py", cwd=tree).returncode == 0


def test_the_diff_is_one_that_patch_takes(tree: Path) -> None:
    """Also where the file does not end in a line end."""
    (tree / "src" / "net.py").write_text(MISTAKE.rstrip("\n"), encoding="utf-8")
    patch = torchlore("check", "--diff", cwd=tree).stdout
    import subprocess

    subprocess.run(["git", "apply", "-p0", "-"], input=patch, text=True, cwd=tree, check=True)
    assert (tree / "src" / "net.py").read_text(encoding="utf-8") == CLEAN.rstrip("\n")


def test_a_fix_that_cannot_be_written_is_said(tree: Path) -> None:
    text = "# coding: ascii\n" + MISTAKE
    path = tree / "src" / "net.py"
    path.write_text(text, encoding="ascii")
    done = torchlore("check", "--fix", "src/net.py", cwd=tree)
    assert done.returncode == 0
    assert path.read_text(encoding="ascii").count("super().__init__()") == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_fix_keeps_line_ends_bom_and_rights(tree: Path, newline: str, bom: bytes) -> None:
    path = tree / "src" / "net.py"
    path.write_bytes(bom + MISTAKE.replace("\n", newline).encode())
    path.chmod(0o640)
    assert torchlore("check", "--fix", "src/net.py", cwd=tree).returncode == 0
    assert path.read_bytes() == bom + CLEAN.replace("\n", newline).encode()
    assert sys.platform == "win32" or path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a right there")
def test_a_fix_keeps_links(tree: Path) -> None:
    real, hard, soft = (tree / name for name in ("real.py", "hard.py", "soft.py"))
    real.write_text(MISTAKE, encoding="utf-8")
    hard.hardlink_to(real)
    soft.symlink_to(real)
    assert torchlore("check", "--fix", "soft.py", cwd=tree).returncode == 0
    assert soft.is_symlink() and hard.samefile(real)
    assert real.read_text(encoding="utf-8") == CLEAN


def test_a_file_that_changed_in_the_meantime_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("# saved by an editor\n", encoding="utf-8")
    with pytest.raises(OSError, match="meantime"):
        write_text(path, MISTAKE, CLEAN)
    assert path.read_text(encoding="utf-8") == "# saved by an editor\n"


def test_a_disk_that_fills_up_costs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.py"
    path.write_text(MISTAKE, encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_text(path, MISTAKE, CLEAN)
    assert [p.read_text(encoding="utf-8") for p in tmp_path.iterdir()] == [MISTAKE]


def test_one_file_that_cannot_be_written_stops_no_other(tree: Path) -> None:
    (tree / "b.py").write_text(MISTAKE, encoding="utf-8")
    reports = [FileReport(tree / name, text="ł", before=MISTAKE) for name in ("gone.py", "b.py")]
    first, second = map(_written, reports)
    assert [problem.startswith("the fixes cannot be written: ") for problem in first.problems] == [True]
    assert second.problems == ()
    assert (tree / "b.py").read_text(encoding="utf-8") == "ł"


@pytest.mark.parametrize(
    "text",
    [
        b"# coding: latin-1\nx = '\xe9'\r\n",
        b"\xef\xbb\xbfx = 1\r\n",
        b"import torch\nx = '\xff'\n",
        b"# coding: nonsense\nimport torch\n",
    ],
)
def test_what_is_not_mended_goes_through_byte_for_byte(tree: Path, text: bytes) -> None:
    """An editor puts what comes out in the place of the file: once that was nothing, or another encoding."""
    done = subprocess.run(
        [sys.executable, "-m", "torchlore", "check", "-", "--fix"],
        cwd=tree,
        input=text,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(SERVER)},
    )
    assert done.stdout == text


def test_a_tree_deeper_than_the_stack_is_walked(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(60):
        folder /= "a"
    folder.mkdir(parents=True)
    (folder / "x.py").write_text("", encoding="utf-8")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 50)
    try:
        found = list(python_files([tmp_path], lambda _: Config()))
    finally:
        sys.setrecursionlimit(limit)
    assert found == [folder / "x.py"]


def test_files_come_in_the_order_of_names(tmp_path: Path) -> None:
    names = ["a.py", "b/a.py", "b/c/d.py", "b/z.py", "c.py"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    found = python_files([tmp_path], lambda _: Config())
    assert [file.relative_to(tmp_path).as_posix() for file in found] == names


def test_standard_input(tree: Path) -> None:
    done = torchlore("check", "-", "--output-format", "json", cwd=tree, stdin=MISTAKE.encode())
    assert done.returncode == 1
    assert [r["filename"] for r in json.loads(done.stdout)] == ["-"]
    (tree / "pyproject.toml").write_text(
        '[tool.torchlore]\nper-file-ignores = { "src/*" = ["TL3"] }\n', encoding="utf-8"
    )
    named = torchlore("check", "-", "--stdin-filename", "src/x.py", cwd=tree, stdin=MISTAKE.encode())
    assert (named.returncode, named.stdout) == (0, "All checks passed.\n")


def test_standard_input_is_mended_to_standard_output(tree: Path) -> None:
    before = (tree / "src" / "net.py").read_bytes()
    done = torchlore(
        "check", "-", "--fix", "--stdin-filename", "src/net.py", cwd=tree, stdin=MISTAKE.encode()
    )
    assert (done.returncode, done.stdout) == (0, CLEAN)
    assert "1 fixed" in done.stderr
    assert (tree / "src" / "net.py").read_bytes() == before
    untouched = torchlore("check", "-", "--fix", cwd=tree, stdin=b"x = 1\n")
    assert untouched.stdout == "x = 1\n"


def test_several_processes_find_what_one_does(tree: Path) -> None:
    for number in range(40):
        (tree / f"m{number:02d}.py").write_text(MISTAKE if number % 3 else CLEAN, encoding="utf-8")
    arguments = ["check", "--output-format", "json", "--no-cache"]
    one = torchlore(*arguments, "--jobs", "1", cwd=tree)
    three = torchlore(*arguments, "--jobs", "3", cwd=tree)
    assert one.stdout == three.stdout
    assert len(json.loads(one.stdout)) == 27


def test_a_comment_switches_a_finding_off(tree: Path) -> None:
    record = json.loads(torchlore("check", "--output-format", "json", cwd=tree).stdout)[0]
    lines = MISTAKE.split("\n")
    lines[record["location"]["row"] - 1] += "  # torchlore: ignore[TL301]"
    (tree / "src" / "net.py").write_text("\n".join(lines), encoding="utf-8")
    assert check_json(cwd=tree) == []
