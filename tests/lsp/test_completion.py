"""What is offered while somebody types. `|` is the cursor; most of the code does not parse, as is usual."""

from __future__ import annotations

import pytest
from in_process import URI, at
from torchlore.knowledge import inserts
from torchlore.knowledge.offers import DTYPES, Offer
from torchlore.knowledge.symbols import symbol
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.completion import offered
from torchlore.lsp.completion_pages import documentation_of
from torchlore.lsp.declared import Declared
from torchlore.lsp.signature_help import signature_at
from torchlore.text import Edit, Source, apply_edits
from torchlore.text.cursor import cursor_at

DEVICES = ("cuda", "cpu", "meta")
EDITOR = Declared(completion=True, snippets=True, as_is=True)
PLAIN = Declared(completion=True)

PROGRAM = """\
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR


class Trainer:
    def __init__(self):
        self.model = nn.Linear(3, 4)
        self.opt = optim.SGD(self.model.parameters(), lr=0.1)
        self.criterion = nn.CrossEntropyLoss()
        self.scaler = torch.amp.GradScaler("cuda")

    def fit(self, loader):
        schedule = StepLR(self.opt, 3)
        for x, y in loader:
            loss = self.criterion(self.model(x), y)
            @@
        return loss
"""


def found(code: str, declared: Declared = EDITOR) -> list[Offer]:
    text, offset = at(code)
    known = Analysed(URI, Source(text), {}, None)
    cursor = cursor_at(known.source, offset)
    return offered(known, cursor, declared, DEVICES) if cursor is not None else []


def labels(line: str, declared: Declared = EDITOR) -> list[str]:
    """What is offered on a line in the middle of the program."""
    return [offer.label for offer in found(PROGRAM.replace("@@", line), declared)]


def accepted(code: str, label: str, declared: Declared = EDITOR) -> str:
    """The text after somebody took an offer."""
    offer = next(offer for offer in found(code, declared) if offer.label == label)
    return apply_edits(at(code)[0], [*offer.elsewhere, Edit(offer.span, offer.text)])


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("optim.SGD(self.model.parameters(), |", ["lr=", "momentum=", "weight_decay="]),
        ("optim.SGD(self.model.parameters(), lr=0.1, |", ["momentum=", "weight_decay="]),
        ("optim.SGD(self.model.parameters(), 0.1, |)", ["momentum="]),
        (
            "opt = optim.SGD(\n                self.model.parameters(),\n                |\n            )",
            ["lr="],
        ),
        ("self.opt.zero_grad(|", ["set_to_none="]),
        ("loss.backward(|", ["retain_graph=", "create_graph="]),
        ("x.to(y, loss.backward(|))", ["retain_graph="]),
        ("loss = F.cross_entropy(x, y, |", ["reduction=", "label_smoothing="]),
        ("self.model.to(device, |", ["non_blocking="]),
    ],
)
def test_arguments_can_be_given_by_name(line: str, first: list[str]) -> None:
    offered_here = [label for label in labels(line) if label.endswith("=")]
    assert all(label in offered_here for label in first)
    places = [offered_here.index(label) for label in first]
    assert places == sorted(places), "in the order of the signature"


def test_what_was_imported_by_another_name_is_known() -> None:
    code = "from torch.optim import SGD as Descent\n\noptimizer = Descent(params, |"
    assert "lr=" in [offer.label for offer in found(code)]


def test_what_cannot_be_torchs_is_not_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("it was analysed")

    monkeypatch.setattr("torchlore.analysis.document.interpret", fail)
    for line in ("x", "x = 3", "print(x", "np.arr", "torch.nn.Lin", "self.x", "mine(x, y=", "for x in ran"):
        assert labels(f"import numpy as np; {line}|") == []


def test_an_argument_that_is_given_is_not_offered_again() -> None:
    assert "lr=" not in labels("optim.SGD(self.model.parameters(), lr=0.1, |")
    assert "lr=" not in labels("optim.SGD(self.model.parameters(), 0.1, |")
    assert "params=" not in labels("optim.SGD(self.model.parameters(), |")


def test_what_must_be_given_comes_first() -> None:
    assert labels("nn.Linear(3, |")[0] == "out_features="
    assert labels("nn.Linear(|")[:2] == ["in_features=", "out_features="]
    assert not [label for label in labels("nn.Embedding(3, 4, |") if label.startswith("_")]


def test_what_nothing_is_written_about_comes_last() -> None:
    offered_here = labels("nn.CrossEntropyLoss(|")
    assert offered_here.index("label_smoothing=") < offered_here.index("size_average=")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nn.CrossEntropyLoss(reduction=|", ['"mean"', '"sum"', '"none"']),
        ("nn.CrossEntropyLoss(reduction='|", ["mean", "sum", "none"]),
        ('nn.CrossEntropyLoss(reduction="|")', ["mean", "sum", "none"]),
        ('nn.CrossEntropyLoss(reduction="su|")', ["mean", "sum", "none"]),
        ('nn.Conv2d(1, 2, 3, padding_mode="|', ["zeros", "reflect", "replicate", "circular"]),
        ('nn.Conv2d(1, 2, 3, padding="|', ["same", "valid"]),
        ('F.interpolate(x, None, 2, "|', ["nearest", "nearest-exact", "linear", "bilinear", "bicubic"]),
        ("torch.device('|", ["cuda", "cpu", "meta"]),
        ('self.model.to("|', ["cuda", "cpu", "meta"]),
        ('loss.to("c|', ["cuda", "cpu", "meta"]),
        ("torch.autocast('|", ["cuda", "cpu", "mps"]),
        ("torch.randn(2, device=|", ['"cuda"', '"cpu"', '"meta"']),
        ("torch.load(path, map_location=|", ['"cuda"', '"cpu"', '"meta"']),
        ("torch.randn(2, dtype=|", ["torch.float32", "torch.bfloat16", "torch.float16"]),
        ("torch.randn(2, dtype=torch.|", ["torch.float32", "torch.bfloat16", "torch.float16"]),
        ("torch.randn(2, dtype=torch.fl|, device=y)", ["torch.float32", "torch.bfloat16"]),
        ("self.opt.zero_grad(set_to_none=|", ["True", "False"]),
    ],
)
def test_values_that_an_argument_may_have(line: str, expected: list[str]) -> None:
    assert labels(line)[: len(expected)] == expected


def test_the_modules_in_scope_have_the_parameters_of_an_optimizer() -> None:
    code = "import torch\nfrom torch import nn\n\nnet = nn.Linear(2, 2)\noptimizer = torch.optim.AdamW(|"
    assert accepted(code, "net.parameters()").endswith("torch.optim.AdamW(net.parameters()")


def test_a_value_replaces_what_was_typed_of_it() -> None:
    code = "import torch as th\nx = th.zeros(2, dtype=th.fl|, device='cpu')\n"
    assert accepted(code, "th.bfloat16").endswith("dtype=th.bfloat16, device='cpu')\n")
    code = "import torch\nx = torch.nn.MSELoss(reduction='su|')\n"
    assert accepted(code, "sum").endswith("(reduction='sum')\n")


def test_the_rest_of_a_string_that_ends_goes() -> None:
    code = "import torch\nx = torch.nn.MSELoss(reduction='me|an')  # it's\n"
    assert accepted(code, "sum").endswith("(reduction='sum')  # it's\n")
    code = "import torch\nx = torch.nn.MSELoss(reduction='me| + 1\n"
    assert accepted(code, "sum").endswith("(reduction='sum + 1\n")


def test_a_kind_of_device_is_named_once_and_without_a_number() -> None:
    code = "import torch\nwith torch.autocast('|"
    text, offset = at(code)
    cursor = cursor_at(Source(text), offset)
    assert cursor is not None
    known = Analysed(URI, Source(text), {}, None)
    told = [one.label for one in offered(known, cursor, EDITOR, ("cuda", "cuda:0", "cuda:1", "cpu", "meta"))]
    assert told == ["cuda", "cpu", "mps"]


def test_strings_have_the_quotes_of_the_file() -> None:
    assert accepted("import torch\nname = 'a'\nloss = torch.nn.MSELoss(reduction=|", "'sum'").endswith(
        "'sum'"
    )


def test_a_dtype_is_offered_by_the_name_that_the_file_has_for_it() -> None:
    imported = "from torch import float16, zeros\nx = zeros(2, dtype=|"
    assert [offer.label for offer in found(imported) if offer.kind == "dtype"] == ["float16"]


def test_every_dtype_exists() -> None:
    for name in DTYPES:
        known = symbol(f"torch.{name}")
        assert known is not None and known.kind == "dtype"


@pytest.mark.parametrize(
    ("line", "expected", "absent"),
    [
        ("loss.|", ["backward", "item", "detach"], ["step", "is_coalesced"]),
        ("loss.back|", ["backward"], ["item"]),
        ("loss.mean().de|", ["detach"], ["item"]),
        ("self.opt.|", ["step", "zero_grad"], ["backward"]),
        ("schedule.|", ["step", "get_last_lr"], ["zero_grad"]),
        ("self.scaler.|", ["scale", "unscale_", "update"], ["zero_grad"]),
        ("if loss.it|:", ["item"], ["backward"]),
        ("print(loss.it|)", ["item"], []),
        ("print(f(loss.it|", ["item"], []),
    ],
)
def test_members_of_what_no_import_names(line: str, expected: list[str], absent: list[str]) -> None:
    offered_here = labels(line)
    assert set(expected) <= set(offered_here)
    assert not set(absent) & set(offered_here)


@pytest.mark.parametrize(
    "line",
    [
        "|",
        "x = |",
        "torch.|",
        "nn.|",
        "optim.SG|",
        "self.|",
        "self.model.|",
        "loader.|",
        "y.|",
        "print(|",
        "undefined.method(|",
        "def method(self, |",
        "class Net(|",
        "# loss.|",
        "x = 3.|",
        "'loss.|",
        "f'{loss.|}'",
        "optim.SGD(self.model.parameters(), lr=|",
        "optim.SGD(self.model.parameters(), lr=2 * |",
        "torch.randn(2, dtype=nonsense(|",
        "torch.zeros((2, |",
        "torch.randn(2)[|",
        "self.criterion(|",
        "nn.CrossEntropyLoss(weight='|",
        "x.|.y",
        "...|",
        "loss..|",
    ],
)
def test_nothing_where_there_is_nothing_to_say(line: str) -> None:
    assert labels(line) == []


def test_a_file_without_torch_has_none() -> None:
    assert found("import numpy\n\ntraining = numpy.array(|") == []
    assert found("train|") == []


def test_no_list_is_a_dump() -> None:
    for line in ("loss.|", "self.opt.|", "optim.AdamW(|", "nn.Conv2d(|", "torch.randn(|", "tra|"):
        assert 0 < len(labels(line)) <= 40


def test_a_snippet_has_the_users_names() -> None:
    code = (
        "import torch\nfrom torch import nn\n\n"
        "net = nn.Linear(2, 2)\nsgd = torch.optim.SGD(net.parameters())\n"
        "batches = torch.utils.data.DataLoader([])\nloss_of = nn.MSELoss()\n\ntrain|\n"
    )
    text = accepted(code, "training-loop", PLAIN)
    assert "for inputs, targets in batches:" in text
    assert "sgd.zero_grad()" in text and "net(" in text and "train\n" not in text
    compile(text, "train.py", "exec")


def test_a_snippet_is_as_deep_as_its_line() -> None:
    code = "import torch\n\n\ndef main():\n    seed|\n"
    text = accepted(code, "seed-everything", PLAIN)
    compile(text, "train.py", "exec")
    assert "\n    def seed_everything" in text and "        def" not in text
    told = next(o for o in found(code, Declared(snippets=True)) if o.label == "seed-everything")
    assert "\ndef" in f"\n{told.text}", "an editor that indents snippets by itself gets them flat"


def test_a_snippet_brings_its_imports() -> None:
    text = accepted("import torch\n\nsave|\n", "save-checkpoint", PLAIN)
    compile(text, "train.py", "exec")
    insert = next(one for one in inserts() if one.slug == "save-checkpoint")
    assert all(line in text for line in insert.imports)


def test_the_snippet_whose_name_is_typed_comes_first() -> None:
    for typed, first in (("train", "train-val-split"), ("training", "training-loop"), ("loop", "amp-loop")):
        assert found(f"import torch\n\n{typed}|\n")[0].label == first


@pytest.mark.parametrize("typed", ["x", "im", "def", "return", "t", "the"])
def test_no_snippet_where_nothing_begins_like_it(typed: str) -> None:
    assert found(f"import torch\n\n{typed}|\n") == []


def test_everything_offered_has_something_to_say() -> None:
    for line in (
        "optim.AdamW(|",
        "loss.|",
        "nn.Conv2d(1, 1, 1, padding_mode=|",
        "training|",
        "x.sum(dtype=|",
    ):
        for offer in found(PROGRAM.replace("@@", line)):
            if offer.about and offer.detail not in ("differentiable=False", "in_channels: int"):
                assert documentation_of(offer.about), offer.label


def test_documentation_of_nonsense_is_nothing() -> None:
    for about in (
        {},
        {"insert": "no-such"},
        {"symbol": 3},
        {"symbol": "torch.nn.Linear", "argument": "nope"},
    ):
        assert documentation_of(about) == ""


def test_code_may_break_off_anywhere() -> None:
    text = PROGRAM.replace("@@", "loss.backward(retain_graph=True); self.opt.zero_grad()")
    for end in range(0, len(text), 9):
        for rest in ("", text[end + 11 :]):
            known = Analysed(URI, Source(text[:end] + rest), {}, None)
            cursor = cursor_at(known.source, end)
            found = offered(known, cursor, EDITOR, DEVICES) if cursor is not None else []
            assert all(0 <= offer.span.start <= offer.span.end == end for offer in found)
            told = signature_at(known, end, EDITOR)
            assert told is None or told.signatures[0].label.startswith("torch.")
