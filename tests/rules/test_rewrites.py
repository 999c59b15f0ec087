"""Every rewriting in `rewrites.toml` is tried on real torch: both spellings run and give the same.

An entry's examples are expressions. Each is put into a file, checked, and rewritten by the rule's own fix;
then the old and the new one run, and what the table says of the old one must happen.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mdtest
import pytest
from torchlore.analysis import analyze
from torchlore.rules import Severity, check
from torchlore.rules.api._table import Change, changes
from torchlore.rules.api._versions import ASSUMED_NEWEST
from torchlore.text import Source

torch = pytest.importorskip("torch", reason="the rewritings are tried on torch")

PRELUDE = """\
import functorch
import torch

torch.manual_seed(0)
A = torch.eye(3, dtype=torch.float64) * 3 + torch.ones(3, 3, dtype=torch.float64)
B = torch.arange(6, dtype=torch.float64).reshape(3, 2)
LU, pivots = torch.linalg.lu_factor(A)
x, y = torch.ones(3), torch.arange(3.0)
w = torch.empty(2, 2)
img = torch.arange(16.0).reshape(1, 1, 4, 4)
layer = torch.nn.Linear(3, 3)
scheduler = torch.optim.lr_scheduler.StepLR(torch.optim.SGD(layer.parameters(), lr=0.5), 1)


def hook(*given):
    return None


"""
ENTRIES = {name: change for name, change in changes().items() if name == change.name}
EXAMPLES = [
    (change, example) for change in ENTRIES.values() for example in change.rewrite.get("examples", ())
]
CATEGORIES = {"warns": (UserWarning, FutureWarning), "discouraged": (DeprecationWarning,)}
SEVERITIES = {
    "raises": Severity.ERROR,
    "warns": Severity.WARNING,
    "discouraged": Severity.INFORMATION,
    "quiet": Severity.HINT,
}


@pytest.fixture(autouse=True)
def state_of_torch() -> Iterator[None]:
    """Warnings that torch gives once come always; what the examples set is set back."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)
    torch.use_deterministic_algorithms(False)
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("change", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_both_spellings_do_the_same_and_the_old_one_does_what_is_said(change: Change, example: str) -> None:
    text = f"{PRELUDE}result = {example}\n"
    findings = check(analyze(Source(text)))
    is_gone = change.removed is not None and change.removed <= ASSUMED_NEWEST
    assert [f.severity for f in findings] == [Severity.ERROR if is_gone else SEVERITIES[change.run]]
    assert findings[0].fixes
    assert findings[0].fixes[0].safe == change.is_safe
    new, said = run(mdtest.fix_all(text))
    assert not [each for each in said if issubclass(each.category, (FutureWarning, DeprecationWarning))]
    if is_gone or change.run == "raises":
        with pytest.raises((AttributeError, RuntimeError, ImportError)):
            run(text)
        return
    old, said = run(text)
    assert same(old, new), f"{old}\n{new}"
    categories = CATEGORIES.get(change.run, ())
    deprecated = [
        w for w in said if issubclass(w.category, categories or (FutureWarning, DeprecationWarning))
    ]
    assert bool(deprecated) == bool(categories), said


def test_a_rewriting_of_a_call_that_raises_gives_what_the_old_one_gave() -> None:
    """What `symeig`, `solve` and `matrix_rank` returned can be told from what they promise."""
    values, vectors = run(f"{PRELUDE}result = torch.linalg.eigh(A, UPLO='U')\n")[0]
    A = run(f"{PRELUDE}result = A\n")[0]
    assert torch.allclose(vectors @ torch.diag(values) @ vectors.mT, A)
    for example, expected in [
        ("A @ torch.solve(B, A)[0]", "B"),
        ("torch.matrix_rank(A)", "torch.tensor(3)"),
        ("torch.symeig(A, eigenvectors=True)[0]", "torch.linalg.eigvalsh(A)"),
    ]:
        fixed = mdtest.fix_all(f"{PRELUDE}result = {example}\n")
        assert same(run(fixed)[0], run(f"{PRELUDE}result = {expected}\n")[0])


@pytest.mark.parametrize("name", [n for n, c in ENTRIES.items() if c.removed and c.removed <= (2, 3)])
def test_what_is_said_to_be_gone_is_gone(name: str) -> None:
    owner, _, last = name.rpartition(".")
    holder: Any = torch.Tensor if owner == "torch.Tensor" else torch
    assert not hasattr(holder, last)


@pytest.mark.parametrize("name", [n for n, c in ENTRIES.items() if "to" in c.rewrite and n[0] == "t"])
def test_what_takes_the_place_of_a_name_is_there(name: str) -> None:
    to = ENTRIES[name].rewrite["to"].removesuffix("()")
    exec(f"import torch, torch.distributed.checkpoint, torch.onnx\n{to if '.' in to else ''}", {})  # noqa: S102


@pytest.mark.parametrize("name", [n for n, c in ENTRIES.items() if c.run == "raises" and "Tensor" not in n])
def test_what_is_said_to_raise_raises(name: str) -> None:
    A = torch.eye(3)
    with pytest.raises((RuntimeError, TypeError)) as raised:
        eval(f"{name}(A, A)" if name.endswith(("solve", "lstsq")) else f"{name}(A)", {"torch": torch, "A": A})  # noqa: S307
    assert raised.type is RuntimeError


def run(text: str) -> tuple[Any, list[warnings.WarningMessage]]:
    """What `result` is, and the warnings that its line gave."""
    bound: dict[str, Any] = {}
    before, _, line = text.rpartition("result = ")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        exec(before, bound)  # noqa: S102 - to run it is what is wanted
        said.clear()
        exec(f"result = {line}", bound)  # noqa: S102
        # Some functions of torch use what is deprecated themselves, and hear of it when first called.
        return bound["result"], [each for each in said if "torch.jit" not in str(each.message)]


def same(old: Any, new: Any) -> bool:
    """Whether two results are the same, dtypes and shapes included."""
    if isinstance(old, torch.Tensor):
        return old.dtype == new.dtype and old.shape == new.shape and torch.allclose(old, new)
    if isinstance(old, tuple | list):
        return len(old) == len(new) and all(map(same, old, new))
    return old == new


def test_a_fix_is_not_safe_where_the_project_has_versions_without_the_new_name(tmp_path: Path) -> None:
    text = "import torch\n\nvalues, vectors = torch.symeig(torch.eye(3), eigenvectors=True)\n"
    for demand, is_safe in (("torch>=1.6", False), ("torch>=2.0", True)):
        folder = tmp_path / demand.replace(">=", "-")
        folder.mkdir()
        (folder / "requirements.txt").write_text(demand)
        (finding,) = check(analyze(Source(text, str(folder / "main.py"))))
        assert [fix.safe for fix in finding.fixes] == [is_safe]
