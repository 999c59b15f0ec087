"""`explain`, `ask`, `run`, `serve`, `index build`, `docs build`, `--version`."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torchlore as package
from cli_support import SERVER, torchlore
from torchlore.cli import docs
from torchlore.knowledge import cards
from torchlore.pages import card_page, rule_page
from torchlore.rules import all_rules
from torchlore.rules.model import HEADINGS

ROOT = SERVER.parent
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed here")


def test_version_and_help(tmp_path: Path) -> None:
    assert torchlore("--version", cwd=tmp_path).stdout == f"torchlore {package.__version__}\n"
    shown = torchlore("--help", cwd=tmp_path).stdout
    for command in ("check", "explain", "ask", "quiz", "book", "run", "serve", "doctor", "demo", "index"):
        assert command in shown
    assert "docs" not in shown.split("Commands")[1]


@pytest.mark.parametrize("name", ["TL301", "tl301", "missing-super-init", "Missing-Super-Init"])
def test_explain_a_rule(tmp_path: Path, name: str) -> None:
    done = torchlore("explain", name, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("# missing-super-init (TL301)\n")
    assert all(f"## {heading}\n" in done.stdout for heading in HEADINGS)


def test_explain_a_card(tmp_path: Path) -> None:
    done = torchlore("explain", "zero-grad", cwd=tmp_path)
    card = next(card for card in cards() if card.slug == "zero-grad")
    assert done.stdout.startswith(f"# {card.question}\n\n{card.answer}")
    assert card.pitfalls in done.stdout
    assert "\x1b[" not in done.stdout
    assert "\x1b[" in torchlore("explain", "zero-grad", cwd=tmp_path, FORCE_COLOR="1").stdout


def test_explain_a_name_of_torch(tmp_path: Path) -> None:
    done = torchlore("explain", "nn.RMSNorm", cwd=tmp_path)
    assert done.returncode == 0 and "torch.nn.RMSNorm(normalized_shape" in done.stdout
    done = torchlore("explain", "torch.optim.lr_scheduler.StepLR", cwd=tmp_path)
    assert "verbose: removed in torch 2.7" in done.stdout.replace("`", "")
    done = torchlore("explain", "torch.onnx.dynamo_export", cwd=tmp_path)
    assert "Removed in torch 2.9; use torch.onnx.export." in done.stdout.replace("`", "")


def test_explain_as_json(tmp_path: Path) -> None:
    rule = json.loads(torchlore("explain", "TL101", "--output-format", "json", cwd=tmp_path).stdout)
    assert (rule["code"], rule["name"], rule["family"]) == ("TL101", "missing-zero-grad", "training")
    card = json.loads(torchlore("explain", "zero-grad", "--output-format", "json", cwd=tmp_path).stdout)
    assert card["slug"] == "zero-grad"
    assert card["snippet"]


def test_explain_without_a_name_lists_everything(tmp_path: Path) -> None:
    shown = torchlore("explain", cwd=tmp_path).stdout
    assert all(rule.code in shown and rule.name in shown for rule in all_rules())
    assert all(card.slug in shown for card in cards())
    listed = json.loads(torchlore("explain", "--output-format", "json", cwd=tmp_path).stdout)
    assert (len(listed["rules"]), len(listed["cards"])) == (len(all_rules()), len(cards()))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("zero-gra", "did you mean `zero-grad`?"), ("TL999", "TL"), ("../../x", "no rule, card or name")],
)
def test_explain_what_is_not_there(tmp_path: Path, name: str, hint: str) -> None:
    done = torchlore("explain", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        (["what", "does", "zero_grad", "do"], "zero-grad"),
        (["loss.backward"], "backpropagation"),
        (["softmax before cross entropy"], "cross-entropy-logits"),
        (["clip_grad_nrom_"], "gradient-clipping"),
    ],
)
def test_ask_finds_the_card(tmp_path: Path, words: list[str], slug: str) -> None:
    done = torchlore("ask", *words, cwd=tmp_path)
    card = next(card for card in cards() if card.slug == slug)
    assert done.returncode == 0
    assert done.stdout.startswith(f"# {card.question}\n")
    assert "torchlore explain" in done.stdout.split("Next best:")[1]
    found = json.loads(torchlore("ask", *words, "--output-format", "json", cwd=tmp_path).stdout)
    assert found[0]["slug"] == slug


def test_ask_without_an_answer(tmp_path: Path) -> None:
    done = torchlore("ask", "qwertyuiop", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no card answers `qwertyuiop`" in done.stderr


def test_ask_for_a_symbol_that_no_card_explains(tmp_path: Path) -> None:
    """What PyTorch says of it comes first, then the nearest card; a slip of the keyboard does not matter."""
    shown = torchlore("ask", "torch.linalg.ldl_slove", cwd=tmp_path).stdout
    assert shown.startswith("```python\ntorch.linalg.ldl_solve(LD, pivots, B")
    assert "\n# What is in torch.linalg" in shown


@needs_torch
def test_run_a_proof(tmp_path: Path) -> None:
    done = torchlore("run", "zero-grad", "--interpreter", sys.executable, "--device", "cpu", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.strip()
    assert "on cpu" in done.stderr


@needs_torch
def test_run_stops_at_the_timeout(tmp_path: Path) -> None:
    done = torchlore("run", "zero-grad", "--interpreter", sys.executable, "--timeout", "0.1", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-card"], "no card `no-such-card`"),
        (["zero-grad", "--interpreter", "/no/such/python"], "/no/such/python"),
    ],
)
def test_run_what_cannot_run(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = torchlore("run", *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_run_uses_the_configured_interpreter(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.torchlore]\ninterpreter = "/configured/python"\n', encoding="utf-8"
    )
    assert "/configured/python" in torchlore("run", "zero-grad", cwd=tmp_path).stderr


def test_serve_on_a_port(tmp_path: Path) -> None:
    """It says where it listens and answers there."""
    server = subprocess.Popen(
        [sys.executable, "-m", "torchlore", "serve", "--tcp", "--port", "0"],
        env={"PYTHONPATH": str(SERVER), "PATH": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        port = int(line.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            body = json.dumps(
                {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "initialize",
                    "params": {"processId": None, "capabilities": {}},
                }
            ).encode()
            connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            assert connection.recv(64).startswith(b"Content-Length:")
        server.wait(30)
    finally:
        server.kill()
        server.wait()
        assert server.stderr is not None
        server.stderr.close()


@needs_torch
def test_index_build_writes_an_index(tmp_path: Path) -> None:
    done = torchlore("index", "build", "-o", "out.txt.gz", "--interpreter", sys.executable, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("wrote out.txt.gz")
    assert (tmp_path / "out.txt.gz").stat().st_size > 10_000


def test_index_build_without_torch_names_the_interpreter(tmp_path: Path) -> None:
    done = torchlore("index", "build", "-o", "out", "--interpreter", "/no/such/python", cwd=tmp_path)
    assert done.returncode == 2
    assert "/no/such/python" in done.stderr
    assert not (tmp_path / "out").exists()


def test_generated_documentation_is_fresh() -> None:
    """`torchlore docs build` writes these pages anew."""
    made = docs.pages()
    stale = [name for name, text in made.items() if _read(ROOT / "docs" / name) != text]
    assert stale == []
    assert {f"rules/{path.name}" for path in (ROOT / "docs" / "rules").glob("*.md")} < set(made)


def test_docs_build_writes_and_removes(tmp_path: Path) -> None:
    (tmp_path / "docs" / "rules").mkdir(parents=True)
    (tmp_path / "docs" / "rules" / "gone.md").write_text("old", encoding="utf-8")
    assert torchlore("docs", "build", "--check", cwd=tmp_path).returncode == 1
    assert torchlore("docs", "build", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "docs" / "rules" / "gone.md").exists()
    assert torchlore("docs", "build", "--check", cwd=tmp_path).returncode == 0
    assert "missing-zero-grad" in (tmp_path / "docs" / "rules.md").read_text(encoding="utf-8")


def test_index_of_rules_says_what_each_can_do() -> None:
    rows = {
        "| TL101 | [missing-zero-grad](rules/missing-zero-grad.md) | error | on | **safe** |",
        "| TL104 | [misplaced-clipping](rules/misplaced-clipping.md) | warning | on | *offered* |",
        "| TL107 | [plateau-without-metric](rules/plateau-without-metric.md) | error | on | – |",
        "| TL318 | [bias-before-batchnorm](rules/bias-before-batchnorm.md) | hint | off | *offered* |",
    }
    assert rows <= {*docs.pages()["rules.md"].splitlines()}


def test_links_between_pages_lead_somewhere() -> None:
    for name in ("rules.md", "cards.md"):
        for target in _links(docs.pages()[name]):
            assert (ROOT / "docs" / target).is_file(), f"{name} links to {target}"


def test_pages_of_every_card_and_rule() -> None:
    for card in cards():
        assert card.answer in card_page(card)
    for rule in all_rules():
        assert rule.documentation() in rule_page(rule)


def test_pictures_are_described_where_none_can_be_shown(tmp_path: Path) -> None:
    card = next(card for card in cards() if card.slug == "sdpa")
    alt = "Which keys each query sees."
    assert f"![{alt}" in card.details and f"\n*Picture.* {alt}" in card_page(card)
    printed = torchlore("explain", "sdpa", cwd=tmp_path).stdout
    assert f"*Picture.* {alt}" in printed and "svg" not in printed
    shown = torchlore("explain", "sdpa", cwd=tmp_path, FORCE_COLOR="1", COLUMNS="100").stdout
    assert f"{alt}" in " ".join(shown.split()) and ".svg" not in shown


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _links(text: str) -> list[str]:
    import re

    return [target for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
