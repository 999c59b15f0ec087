"""The configuration in editors/emacs, in the real Emacs, with the real server."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from editor_support import ROOT, SCRIPT, WIDE, environment, mended, missing
from other_server import ANSWER

HERE = Path(__file__).parent / "emacs"
PACKAGE = ROOT / "editors" / "emacs"

both = pytest.mark.parametrize(
    ("client", "choose"), [("eglot", "eglot-code-actions"), ("lsp", "lsp-execute-code-action")]
)


@pytest.mark.parametrize("name", sorted(path.name for path in PACKAGE.glob("*.el")))
def test_compiles_without_a_warning(emacs: Emacs, name: str) -> None:
    compiled = emacs.folder / f"{name}c"
    done = emacs.run(
        *("-L", str(PACKAGE), "--eval", "(setq byte-compile-error-on-warn t)"),
        *("--eval", f'(setq byte-compile-dest-file-function (lambda (_) "{compiled}"))'),
        *("-f", "batch-byte-compile", str(PACKAGE / name)),
    )
    assert done.returncode == 0 and compiled.exists(), done.stderr


@both
def test_shows_the_mistake_and_mends_it(emacs: Emacs, client: str, choose: str) -> None:
    seen = emacs(
        SCRIPT,
        f"""
        (person-start '{client})
        (let ((found (person-sees "gradients")))
          (person-go-to "optimizer.step" "step")
          (let ((titles (person-choose #'{choose} "^Clear the gradients")))
            (save-buffer)
            (list :found (vconcat (mapcar #'vconcat found))
                  :titles (vconcat titles)
                  :left (vconcat (mapcar #'vconcat (person-sees-no-more "gradients")))
                  :buffer (buffer-string))))
        """,
    )
    [[line, text, message]] = seen["found"]
    assert (line, text) == (13, "optimizer.step()")
    assert "optimizer" in message
    assert not seen["left"]
    assert mended(seen["buffer"].splitlines(), SCRIPT) == "        optimizer.zero_grad()"
    assert "Clear the gradients" in seen["titles"][0], "the repair must come first"


def test_columns_are_right_after_wide_characters(emacs: Emacs) -> None:
    """In Eglot. lsp-mode takes columns for characters, of whatever server: it cannot be tried there."""
    seen = emacs(
        WIDE,
        """
        (person-start 'eglot)
        (let ((found (person-sees "softmax")))
          (person-go-to "F.softmax" "softmax")
          (let ((hover (person-hover)))
            (person-choose #'eglot-code-actions "softmax")
            (list :found (vconcat (mapcar #'vconcat found)) :hover hover :buffer (buffer-string))))
        """,
    )
    [text] = [text for _, text, message in seen["found"] if "softmax" in message]
    assert text in ("F.softmax(model(inputs), dim=1)", "F.softmax")
    assert "softmax" in seen["hover"]
    assert '        é = "🙂"; loss = F.cross_entropy(model(inputs), targets)' in seen["buffer"]


def test_lsp_mode_starts_it_beside_another_server(emacs: Emacs) -> None:
    """Both answer a hover of PyTorch, the other one alone everything else."""
    seen = emacs(
        SCRIPT,
        """
        (person-start-other-server)
        (person-start 'lsp)
        (person-sees "gradients")
        (person-go-to "optimizer.step" "step")
        (let ((torch (person-hover)))
          (person-go-to "inputs, targets" "inputs")
          (list :torch torch :other (person-hover)))
        """,
    )
    assert seen["torch"].count(ANSWER) == 1
    assert "optimizer" in seen["torch"].replace(ANSWER, "").lower()
    assert seen["other"].strip() == ANSWER


def test_a_page_that_was_written_again_is_shown_anew(emacs: Emacs) -> None:
    """Running a proof twice gives one page; Emacs would ask about it while the server waits."""
    page = emacs.folder / "run-zero-grad.md"
    seen = emacs(
        SCRIPT,
        f"""
        (let ((page "{page}") texts)
          (dolist (text '("# first" "# second"))
            (with-temp-file page (insert text))
            (set-file-times page (time-add nil (* 5 (1+ (length texts)))))
            (torchlore-show-page page)
            (push (person-page) texts))
          (vconcat (nreverse texts)))
        """,
    )
    assert seen == ["# first", "# second"]


def test_eglot_explains_beside_the_code(emacs: Emacs) -> None:
    seen = emacs(
        SCRIPT,
        """
        (person-start 'eglot)
        (person-sees "gradients")
        (person-go-to "loss.backward" "backward")
        (torchlore-explain)
        (list :page (person-page) :code (buffer-name))
        """,
    )
    assert seen["page"].startswith("# ")
    assert seen["code"] == "train.py"


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch in this environment")
def test_eglot_runs_a_proof(emacs: Emacs) -> None:
    seen = emacs(
        SCRIPT,
        """
        (person-start 'eglot)
        (person-sees "gradients")
        (person-go-to "loss.backward" "backward")
        (torchlore-run)
        (list :page (person-page))
        """,
    )
    assert "## Output" in seen["page"]
    assert "## Error" not in seen["page"]


def test_lsp_mode_answers_a_question_beside_another_server(emacs: Emacs) -> None:
    """The command goes to torchlore alone; a client that shows no pages says where the answer is."""
    seen = emacs(
        SCRIPT,
        """
        (person-start-other-server)
        (person-start 'lsp)
        (person-sees "gradients")
        (torchlore-ask "why do gradients accumulate")
        (list :said (person-message "explain-"))
        """,
    )
    assert "gradient" in seen["said"].lower()


def test_says_what_is_missing(emacs: Emacs) -> None:
    seen = emacs(
        "x = 1\n",
        """
        (let (without-server nothing-there)
          (condition-case refusal (torchlore-explain)
            (user-error (setq without-server (cadr refusal))))
          (person-start 'eglot)
          (condition-case refusal (torchlore-explain)
            (user-error (setq nothing-there (cadr refusal))))
          (list :server without-server :nothing nothing-there))
        """,
    )
    assert "M-x eglot" in seen["server"]
    assert seen["nothing"] == "There is nothing of PyTorch to explain here"


def test_eglot_keeps_the_server_that_it_has(emacs: Emacs) -> None:
    seen = emacs(
        SCRIPT,
        """
        (setq eglot-server-programs
              `((python-mode . (,(getenv "TORCHLORE_PYTHON") ,(getenv "TORCHLORE_OTHER")))))
        (setq torchlore-in-eglot nil)
        (person-start 'eglot)
        (person-go-to "optimizer.step" "step")
        (list :hover (person-hover)
              :refused (condition-case refusal (torchlore-ask "why") (user-error (cadr refusal))))
        """,
    )
    assert seen["hover"].strip() == ANSWER
    assert "torchlore-in-eglot" in seen["refused"]


class Emacs:
    """Plays scenarios: each a piece of Lisp that works with `person-…` and gives what it saw."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder

    def __call__(self, text: str, scenario: str) -> Any:
        (self.folder / ".git").mkdir(exist_ok=True)
        script, lisp, out = (self.folder / name for name in ("train.py", "scenario.el", "seen.json"))
        script.write_text(text, encoding="utf-8")
        out.unlink(missing_ok=True)
        lisp.write_text(scenario, encoding="utf-8")
        play = f'(person-play "{script}" "{lisp}")'
        done = self.run("-l", str(HERE / "person.el"), "--eval", play)
        assert out.exists(), f"Emacs left nothing: {done.stdout}\n{done.stderr}"
        told = json.loads(out.read_text(encoding="utf-8"))
        assert "failure" not in told, f"{told['failure']}\n{done.stderr}"
        return told["result"]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        other = str(Path(__file__).parent / "other_server.py")
        return subprocess.run(
            [self.program, "--batch", "-q", *arguments],
            cwd=self.folder,
            env=environment(self.folder, self.folder / "seen.json", TORCHLORE_OTHER=other),
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def emacs(tmp_path: Path) -> Emacs:
    program = shutil.which("emacs")
    if program is None:
        missing("Emacs with eglot and lsp-mode on the PATH")
    found = Emacs(program, tmp_path)
    there = found.run(
        "--eval", "(kill-emacs (if (and (require 'eglot nil t) (require 'lsp-mode nil t)) 0 1))"
    )
    if there.returncode != 0:
        missing("Emacs with eglot and lsp-mode on the PATH")
    return found
