"""Building the symbol index: the shipped one is fresh, and what goes wrong is said in one sentence."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from torchlore.knowledge import BuildError, build_index, symbol, use_index
from torchlore.knowledge.index_file import pack, read_index, without_history
from torchlore.knowledge.symbols import index_path


def test_shipped_index_is_fresh(tmp_path: Path) -> None:
    torch_version = _installed_torch()
    shipped = index_path()
    assert shipped is not None
    content = read_index(shipped)
    if torch_version != content["torch"]:
        pytest.skip(f"the index was built with torch {content['torch']}, here is {torch_version}")
    if "{}.{}".format(*sys.version_info[:2]) != content["python"]:
        pytest.skip(f"Python {content['python']} built the index, and others spell some signatures otherwise")
    built = build_index(sys.executable, tmp_path / "torch.txt.gz")
    assert gzip.decompress(built.read_bytes()) == gzip.decompress(shipped.read_bytes()), (
        "stale: run `python -m torchlore.knowledge symbols`"
    )


def test_packing_depends_on_the_content_alone(tmp_path: Path) -> None:
    content = _content({"torch.b": ["constant", "", "é\t\n", None, "", None, []], "torch.a": _RECORD})
    turned = {key: content[key] for key in reversed(content)}
    assert pack(content) == pack({**turned, "symbols": dict(reversed(content["symbols"].items()))})
    assert pack(content)[4:8] == b"\0\0\0\0", "the time in the gzip header must be 0"
    path = tmp_path / "torch.txt.gz"
    path.write_bytes(pack(content))
    assert read_index(path) == content


def test_interpreter_without_torch(tmp_path: Path) -> None:
    output = tmp_path / "index.txt.gz"
    with pytest.raises(BuildError, match=r"could not describe torch: .*torch cannot be imported"):
        build_index(_without_torch(tmp_path), output)
    assert not output.exists()


def test_interpreter_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot be started"):
        build_index(str(tmp_path / "no-python"), tmp_path / "index.txt.gz")


def test_a_failed_build_keeps_the_old_file(tmp_path: Path) -> None:
    output = tmp_path / "index.txt.gz"
    output.write_bytes(b"old")
    with pytest.raises(BuildError):
        build_index(_without_torch(tmp_path), output)
    assert output.read_bytes() == b"old"


def test_a_slow_interpreter_is_given_up(tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    if os.name == "nt":
        pytest.skip("Windows does not run shell scripts")
    with pytest.raises(BuildError, match=r"within 0\.2 s"):
        build_index(str(slow), tmp_path / "index.txt.gz", seconds=0.2)


def test_another_index_can_be_used_and_left(tmp_path: Path) -> None:
    path = tmp_path / "torch-9.9.txt.gz"
    path.write_bytes(pack(_content({"torch.newest": _RECORD})))
    try:
        use_index(path)
        assert symbol("torch.newest") is not None and symbol("torch.abs") is None
    finally:
        use_index(None)
    assert symbol("torch.newest") is None and symbol("torch.abs") is not None


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", gzip.compress(b"{", mtime=0), gzip.compress(b'{"format": 0}', mtime=0), b"cut off"],
    ids=["empty", "not gzip", "not JSON", "another format", "cut off"],
)
def test_a_file_that_is_no_index_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "torch.txt.gz"
    path.write_bytes(pack(_content({}))[:-20] if content == b"cut off" else content)
    with pytest.raises(ValueError, match="not a symbol index"):
        use_index(path)
    assert symbol("torch.abs") is not None


def test_an_index_with_a_line_that_has_no_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "torch-9.9.txt.gz"
    whole = gzip.decompress(pack(_content({"torch.newest": _RECORD})))
    path.write_bytes(gzip.compress(whole.replace(b"\t", b" ", 1), mtime=0))
    with pytest.raises(ValueError, match="has no name"):
        use_index(path)
    assert symbol("torch.abs") is not None


def test_importing_reads_no_file_and_no_torch() -> None:
    code = (
        "import builtins, io, json, sys, pathlib\n"
        "read = []\n"
        "sys.addaudithook(lambda event, args: read.append(str(args[0])) if event == 'open' else None)\n"
        "import torchlore.knowledge\n"
        "print(json.dumps([p for p in read if p.endswith(('.md', '.gz', '.toml', '.json'))]))\n"
        "print('torch' in sys.modules or 'numpy' in sys.modules)\n"
    )
    assert _output(code) == ["[]", "False"]


def test_a_hover_reads_one_card(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "import torchlore.knowledge as knowledge\n"
        "read = []\n"
        "sys.addaudithook(lambda event, args: read.append(str(args[0])) if event == 'open' else None)\n"
        "assert knowledge.card_for('torch.optim.Optimizer.zero_grad') is not None\n"
        "print(sum(name.endswith('.md') for name in read))\n"
    )
    assert _output(code) == ["1"]


_RECORD: list[Any] = ["function", "()", "A function.", None, "", None, []]


def _content(symbols: dict[str, list[Any]]) -> dict[str, Any]:
    described = {"torch": "9.9", "python": "3.11", "symbols": symbols}
    return {**described, "aliases": {}, "same_as": {}, "namespaces": {}, **without_history()}


def _output(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def _installed_torch() -> str:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed beside this interpreter")
    code = "import json, torch; print(json.dumps(str(torch.__version__)))"
    version: str = json.loads(_output(code)[-1])
    return version


def _without_torch(folder: Path) -> str:
    """An interpreter that cannot import torch: this one, isolated from its site-packages."""
    if os.name == "nt":
        pytest.skip("Windows does not run shell scripts")
    script = folder / "bare-python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return str(script)
