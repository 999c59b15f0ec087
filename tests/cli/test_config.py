"""`[tool.torchlore]`: what it means, what a mistake in it says, and `check_source`, which applies it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import SERVER
from torchlore.analysis import analyze
from torchlore.config import Config, ConfigError, check_source, config_from_table, find_config
from torchlore.config_schema import PROPERTIES
from torchlore.rules.model import Severity
from torchlore.text import Source

MISTAKE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(2, 2)
"""


def write(folder: Path, table: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(table, encoding="utf-8")
    return folder


def found(config: Config, path: str | Path = "net.py", text: str = MISTAKE) -> list[str]:
    return [f.code for f in check_source(analyze(Source(text, str(path))), config)]


def test_every_key(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        [tool.torchlore]
        select = ["ALL"]
        ignore = ["TL101", "losses"]
        exclude = ["vendor", "data/**"]
        interpreter = ".venv/bin/python"
        severity = "hint"
        [tool.torchlore.per-file-ignores]
        "tests/*" = ["missing-super-init"]
        """,
    )
    assert find_config(tmp_path / "src" / "train.py") == Config(
        select=("ALL",),
        ignore=("TL101", "losses"),
        per_file_ignores=(("tests/*", ("missing-super-init",)),),
        exclude=("vendor", "data/**"),
        interpreter=str(tmp_path / ".venv/bin/python"),
        severity=Severity.HINT,
        root=tmp_path,
    )


def test_no_file_is_the_default(tmp_path: Path) -> None:
    assert find_config(tmp_path).select == ()


def test_the_nearest_table_counts_and_a_file_without_one_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, '[tool.torchlore]\nignore = ["TL3"]\n')
    write(tmp_path / "a", '[project]\nname = "torchlore-user"\n')
    write(tmp_path / "a" / "b", '[tool.torchlore]\nselect = ["TL3"]\n')
    assert find_config(tmp_path / "a" / "x.py").ignore == ("TL3",)
    assert find_config(tmp_path / "a" / "b" / "c" / "x.py").select == ("TL3",)
    assert find_config(tmp_path / "a" / "b" / "c" / "x.py").ignore == ()


@pytest.mark.parametrize(
    ("table", "key", "says"),
    [
        ("selct = []", "selct", "unknown key"),
        ('select = "TL101"', "select", "must be a list of strings"),
        ("select = [1]", "select", "must be a list of strings"),
        ('select = ["TL999"]', "select", "unknown rule `TL999`"),
        ('ignore = ["missing-super-int"]', "ignore", "did you mean `missing-super-init`"),
        ("exclude = true", "exclude", "must be a list of strings"),
        ('exclude = ["[z-a]"]', "exclude", "no path pattern"),
        ("interpreter = 3", "interpreter", "must be a non-empty string"),
        ('interpreter = ""', "interpreter", "must be a non-empty string"),
        ('severity = "fatal"', "severity", "must be one of error, warning, information, hint"),
        ("severity = []", "severity", "must be one of"),
        ('per-file-ignores = ["x"]', "per-file-ignores", "must be a table"),
        ('per-file-ignores = { "x.py" = "TL101" }', "per-file-ignores", "must be a list of strings"),
        ('per-file-ignores = { "x.py" = ["TL999"] }', "per-file-ignores", "unknown rule"),
        ('per_file_ignores = { "x.py" = [] }', "per_file_ignores", "unknown key"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, table: str, key: str, says: str) -> None:
    write(tmp_path, f"[tool.torchlore]\n{table}\n")
    with pytest.raises(ConfigError) as caught:
        find_config(tmp_path)
    message = str(caught.value)
    assert str(tmp_path / "pyproject.toml") in message
    assert f"`{key}`" in message
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "content",
    [b"[tool.torchlore\n", b"\xff torchlore", b'[tool]\ntorchlore = "x"\n', b"[[tool.torchlore]]\n"],
)
def test_a_file_that_is_no_toml_names_itself(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        find_config(tmp_path)
    assert str(tmp_path / "pyproject.toml") in str(caught.value)


def test_a_broken_file_that_does_not_mention_torchlore_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[oops\n")
    assert find_config(tmp_path).root is None


def test_a_bare_interpreter_is_left_to_path(tmp_path: Path) -> None:
    assert config_from_table({"interpreter": "python3.12"}, "x", tmp_path).interpreter == "python3.12"
    assert (
        config_from_table({"interpreter": "/opt/p/bin/python"}, "x", tmp_path).interpreter
        == "/opt/p/bin/python"
    )


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("tests/*", "tests/a.py", True),
        ("tests/*", "tests/unit/a.py", True),
        ("tests/*", "src/tests/a.py", False),
        ("tests/**", "tests/unit/a.py", True),
        ("**/tests/**", "src/tests/a.py", True),
        ("**/tests/**", "tests/a.py", True),
        ("tests", "tests/a.py", False),
        ("tests/", "tests/a.py", True),
        ("test_*.py", "src/deep/test_a.py", True),
        ("src/*/gen.py", "src/a/gen.py", True),
        ("src/*/gen.py", "src/a/b/gen.py", False),
        ("./src/a.py", "src/a.py", True),
        ("[ab].py", "a.py", True),
        ("[!ab].py", "a.py", False),
        ("a?.py", "ab.py", True),
        ("a+.py", "aa.py", False),
        ("src/**.py", "src/deep/er/a.py", True),
        ("src/gen**", "src/gen/er/a.py", True),
        ("a/**/b/**/c.py", "a/b/x/b/c.py", True),
        ("a/**/b/c/*.py", "a/b/x/b/c/d.py", True),
        ("a/**/b/c/*.py", "a/b/x/b/d/c.py", False),
        ("src/**", "src", True),
        ("*/a.py", "a.py", False),
        ("a[*]/b.py", "a*/b.py", True),
    ],
)
def test_per_file_ignores(tmp_path: Path, pattern: str, path: str, matches: bool) -> None:
    config = Config(per_file_ignores=((pattern, ("TL301",)),), root=tmp_path)
    assert found(config, tmp_path / path) == ([] if matches else ["TL301"])


def test_per_file_ignores_win_over_select(tmp_path: Path) -> None:
    config = Config(select=("TL301",), per_file_ignores=(("net.py", ("ALL",)),), root=tmp_path)
    assert found(config, tmp_path / "net.py") == []


@pytest.mark.parametrize(
    ("path", "excluded"),
    [
        ("vendor/a.py", True),
        ("src/vendor/deep/a.py", True),
        ("data/raw/a.py", True),
        ("src/data/a.py", False),
        ("src/a.py", False),
        (".venv/lib/a.py", True),
        ("a/node_modules/b.py", True),
    ],
)
def test_exclude(tmp_path: Path, path: str, excluded: bool) -> None:
    root = tmp_path / "build"  # A project inside a folder of that name is not excluded by its own place.
    assert Config(exclude=("vendor", "data/**"), root=root).excludes(root / path) is excluded


def test_selection_and_comments_are_applied() -> None:
    assert found(Config()) == ["TL301"]
    assert found(Config(ignore=("modules",))) == []
    assert found(Config(select=("training",))) == []
    suppressed = MISTAKE.replace("nn.Linear(2, 2)", "nn.Linear(2, 2)  # noqa: TL301")
    assert found(Config(), text=suppressed) == []


def test_severity_holds_back_what_nobody_named() -> None:
    analysis = analyze(Source(MISTAKE, "net.py"))
    rule_severity = check_source(analysis, Config())[0].severity
    milder = [s for s in Severity if list(Severity).index(s) > list(Severity).index(rule_severity)]
    harsher = [s for s in Severity if list(Severity).index(s) < list(Severity).index(rule_severity)]
    assert all(check_source(analysis, Config(), mildest) for mildest in (rule_severity, *milder))
    assert not any(check_source(analysis, Config(), mildest) for mildest in harsher)
    assert not any(check_source(analysis, Config(severity=s), Severity.HINT) for s in harsher)
    assert all(check_source(analysis, Config(select=("TL301",), severity=s)) for s in Severity)


def test_command_line_options_override(tmp_path: Path) -> None:
    config = Config(select=("TL1",), ignore=("TL2",), root=tmp_path)
    assert config.overridden((), ("TL3",)).ignore == ("TL2", "TL3")
    assert config.overridden(("ALL",), ()) == Config(select=("ALL",), ignore=(), root=tmp_path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("**/" * 30 + "z", "a/" * 40 + "x.py"), ("src/" + "*a" * 40 + "z", "src/" + "a" * 200)],
)
def test_no_pattern_takes_for_ever(tmp_path: Path, pattern: str, path: str) -> None:
    """As one regular expression these would not end: in the server, every editor's request would wait."""
    code = "import sys; from pathlib import Path; from torchlore.config import Config; print(Config("
    code += "exclude=(sys.argv[1],), root=Path(sys.argv[2])).excludes_entry(sys.argv[3]))"
    command = [sys.executable, "-c", code, pattern, tmp_path, tmp_path / path]
    done = subprocess.run(
        command, capture_output=True, check=True, timeout=60, env={**os.environ, "PYTHONPATH": str(SERVER)}
    )
    assert done.stdout.split() == [b"False"]


def test_toml_that_is_nested_too_deep_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path, "torchlore = " + "[" * 100_000)
    with pytest.raises(ConfigError, match="not valid TOML"):
        find_config(tmp_path)


def test_the_schema_knows_the_keys_and_their_types() -> None:
    examples = {"array": ["ALL"], "object": {"tests/*": ["TL1"]}, "boolean": False, "string": "python"}
    for key, described in PROPERTIES.items():
        value = described["enum"][0] if "enum" in described else examples[described["type"]]
        assert config_from_table({key: value}, "x", None) is not None
        with pytest.raises(ConfigError, match=key):
            config_from_table({key: 1}, "x", None)
    with pytest.raises(ConfigError) as raised:
        config_from_table({"?": 1}, "x", None)
    known = set(re.findall(r"`([a-z-]+)`", str(raised.value).partition("known keys")[2]))
    assert known == PROPERTIES.keys()


def test_what_type_checkers_underline_can_be_left_to_them(tmp_path: Path) -> None:
    """`torch.cuda.amp.autocast` carries `@deprecated`, `torch.qr` does not."""
    text = "import torch\n\nwith torch.cuda.amp.autocast():\n    torch.qr(torch.eye(3))\n"
    analysis = analyze(Source(text))
    assert [f.is_type_checked for f in check_source(analysis, Config())] == [True, False]
    config = config_from_table({"type-checked-deprecations": False}, "pyproject.toml", tmp_path)
    assert [f.is_type_checked for f in check_source(analysis, config)] == [False]
    with pytest.raises(ConfigError, match="must be true or false, not 'no'"):
        config_from_table({"type-checked-deprecations": "no"}, "pyproject.toml", tmp_path)
