"""The small parts: Markdown, settings, capabilities, pages, whole-line edits, kinds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from lsprotocol.converters import get_converter
from torchlore.device import Trust
from torchlore.lsp.client import client_of
from torchlore.lsp.code_actions.fix_all import line_edits
from torchlore.lsp.code_actions.model import wanted
from torchlore.lsp.documents import Documents
from torchlore.lsp.findings import to_diagnostic
from torchlore.lsp.lifecycle import _lives
from torchlore.lsp.markdown import plain
from torchlore.lsp.pages import Pages
from torchlore.lsp.settings import settings_from
from torchlore.text import Encoding, Source, apply_edits


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**What?**", "What?"),
        ("call `zero_grad()` *first*", "call zero_grad() first"),
        ("```python\na * b  # **c**\n```", "a * b  # **c**"),
        ("2 * 3 * 4 and a_b_c and __init__", "2 * 3 * 4 and a_b_c and __init__"),
        ("[docs](https://pytorch.org/x)", "docs (https://pytorch.org/x)"),
        ("[`step`](file:///card.md)", "step"),
        ("## Title\n\n- one\n- two", "Title\n\n- one\n- two"),
        ("`**kwargs` and ``a`b``", "**kwargs and a`b"),
        ("~~~\nx\n~~~", "x"),
        ("a \\* b", "a * b"),
    ],
)
def test_markdown_without_its_marks(markdown: str, expected: str) -> None:
    assert plain(markdown) == expected


@given(st.text(alphabet="ab*`_#[]()\\\n\x00 1", max_size=40))
def test_any_markdown_becomes_plain(markdown: str) -> None:
    assert "\x00" not in plain(markdown)


@pytest.mark.parametrize("options", [None, {}, {"untrustedWorkspace": False}, {"settings": 3}])
def test_a_client_that_says_nothing_is_trusted(options: object) -> None:
    assert settings_from(options).trust is Trust.TRUSTED


@pytest.mark.parametrize("value", [True, None, 0, "", "false", [], {}])
def test_anything_but_false_is_untrusted(value: object) -> None:
    assert settings_from({"untrustedWorkspace": value}).trust is Trust.UNTRUSTED


@pytest.mark.parametrize("options", [[], "x", 3, True])
def test_options_of_another_type_are_untrusted_and_else_ignored(options: object) -> None:
    settings = settings_from(options)
    assert (settings.trust, settings.interpreter) == (Trust.UNTRUSTED, None)


@pytest.mark.parametrize(
    ("options", "interpreter"),
    [
        ({"interpreter": "/x/python"}, "/x/python"),
        ({"settings": {"interpreter": "py"}}, "py"),
        ({"interpreter": "  "}, None),
        ({"interpreter": 3}, None),
        ({"interpreter": None, "settings": None}, None),
    ],
)
def test_the_interpreter_is_a_path_or_nothing(options: object, interpreter: str | None) -> None:
    assert settings_from(options).interpreter == interpreter


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"typeCheckedDeprecations": False}, False),
        ({"settings": {"typeCheckedDeprecations": False}}, False),
        ({"typeCheckedDeprecations": True}, True),
        ({"typeCheckedDeprecations": "off"}, True),
        ({}, True),
    ],
)
def test_only_false_leaves_deprecations_to_the_type_checker(options: object, expected: bool) -> None:
    assert settings_from(options).type_checked_deprecations is expected


def client_with(capabilities: dict[str, Any]) -> Any:
    params = {"processId": None, "rootUri": None, "capabilities": capabilities}
    return client_of(get_converter().structure(params, types.InitializeParams))


@pytest.mark.parametrize(
    ("offered", "encoding"),
    [
        (None, Encoding.UTF16),
        ([], Encoding.UTF16),
        (["utf-8", "utf-16"], Encoding.UTF8),
        (["utf-32"], Encoding.UTF32),
        (["utf-7", "utf-16"], Encoding.UTF16),
        (["utf-7"], Encoding.UTF16),
    ],
)
def test_the_clients_first_encoding_that_we_know(offered: list[str] | None, encoding: Encoding) -> None:
    assert client_with({"general": {"positionEncodings": offered}}).encoding is encoding


def test_asking_without_refreshing_is_published_to() -> None:
    asks = {"textDocument": {"diagnostic": {}}}
    assert not client_with(asks).pulls
    assert client_with({**asks, "workspace": {"diagnostics": {"refreshSupport": True}}}).pulls
    assert not client_with({"workspace": {"diagnostics": {"refreshSupport": True}}}).pulls


def test_pages_are_ones_own_and_go() -> None:
    pages = Pages()
    first = pages.write("run-../../etc/passwd", "# one")
    assert first.read_text() == "# one" and first.parent.name.startswith("torchlore-pages-")
    assert pages.write("b", "é").parent == first.parent
    pages.remove()
    assert not first.parent.exists()
    assert pages.write("c", "again").exists()
    pages.remove()


def test_pictures_lie_beside_the_page_that_shows_them(tmp_path: Path) -> None:
    picture = tmp_path / "one.svg"
    picture.write_text("<svg/>", encoding="utf-8")
    pages = Pages()
    page = pages.write("explain-x", "![alt](one.svg)", [picture])
    assert (page.parent / "one.svg").read_text(encoding="utf-8") == "<svg/>"
    pages.remove()
    assert picture.exists()


TEXTS = st.lists(st.sampled_from(["a\n", "b\r\n", "c\r", "\f", "é\n", "d"]), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_line_edits_make_the_text(before: str, after: str) -> None:
    assert apply_edits(before, line_edits(Source(before), after)) == after


def test_lines_that_are_all_alike_do_not_stop_the_server() -> None:
    """Once this took the square of their number: a "fix all" on save of such a file held up all requests."""
    code = "from torchlore.lsp.code_actions.fix_all import line_edits; from torchlore.text import Source; "
    code += "same = 'y = 1\\n' * 60_000; print(len(line_edits(Source(f'a\\n{same}b\\n'), f'A\\n{same}B\\n')))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=60, env=environment
    )
    assert int(done.stdout) >= 1


def test_no_client_waits_for_the_analysis_to_be_imported() -> None:
    """`initialize` is answered without it; a quarter of a second was once lost to one import."""
    code = "import sys; from torchlore.lsp.server import create_server; create_server(); "
    code += (
        "print([name for name in ('torchlore.analysis', 'torchlore.rules', 'jedi') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=60, env=environment
    )
    assert done.stdout.strip() == b"[]"


def test_the_server_starts_without_tls_and_whoever_wants_it_gets_it() -> None:
    code = "import sys, torchlore.lsp.start; print('ssl' in sys.modules); import ssl; print(ssl.HAS_SNI)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=60, env=environment
    )
    assert done.stdout.split() == [b"False", b"True"]


@pytest.mark.parametrize(
    ("kind", "only", "expected"),
    [
        ("quickfix", (), True),
        ("quickfix", ("",), True),
        ("source.fixAll.torchlore", ("source",), True),
        ("source.fixAll.torchlore", ("source.fixAll.ruff", "source.fixAll"), True),
        ("source.fixAll.torchlore", ("source.fix",), False),
        ("quickfix", ("source",), False),
    ],
)
def test_kinds_are_nested(kind: str, only: tuple[str, ...], expected: bool) -> None:
    assert wanted(kind, only) is expected


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("file:///a/x.py", "/a"),
        ("file:///a/b/x.py", "/a/b"),
        ("file:///abc/x.py", "/a"),
        ("untitled:Untitled-1", "/a"),
    ],
)
def test_the_innermost_folder_holds_a_file(uri: str, folder: str) -> None:
    folders = [types.WorkspaceFolder("file:///a", "a"), types.WorkspaceFolder("file:///a/b", "b")]
    assert Documents("file:///a", folders, Encoding.UTF16).folder_of(uri) == folder


def test_without_folders_there_is_none() -> None:
    assert Documents(None, None, Encoding.UTF16).folder_of("file:///a/x.py") is None


def test_a_rule_on_something_deprecated_strikes_it_through() -> None:
    from torchlore.lsp.analyses import Analysed
    from torchlore.lsp.client import Client
    from torchlore.lsp.server import Server
    from torchlore.rules import Finding, Severity
    from torchlore.text import Span

    server = Server()
    server.client = Client(diagnostic_tags=True)
    known = Analysed("file:///x.py", Source("x = 1\n"), {})
    finding = Finding("TL901", "deprecated-call", Severity.HINT, "m", Span(0, 1), url="https://x")
    assert to_diagnostic(finding, known, server).tags == [types.DiagnosticTag.Deprecated]
    server.client = Client()
    assert to_diagnostic(finding, known, server).tags is None


def test_this_process_lives_and_no_process_has_a_huge_id() -> None:
    import os

    assert _lives(os.getpid())
    assert not _lives(2**22 + 1) or Path("/proc/4194305").exists()
