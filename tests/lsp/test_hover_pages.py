"""What hovers show: for every symbol that has a card, every argument and error that is explained."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from itertools import islice

import pytest
from torchlore.knowledge import all_symbols, card_texts, cards, find_card, quoted, resolve, symbol
from torchlore.knowledge.arguments import meanings
from torchlore.knowledge.cards import FoundCard
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.hover import hover_text, symbol_page
from torchlore.lsp.hover_links import Links
from torchlore.lsp.hover_page import MOST_LINES, WIDTH, Page, first_pitfall, laid_out, lines, shortened
from torchlore.lsp.markdown import plain
from torchlore.text import Source

URI = "file:///project/train.py"
VSCODE = Links(URI, commands=True, markdown=True, runs=True)
NEOVIM = Links(URI, commands=False, markdown=True, runs=True)
PLAIN = Links(URI, commands=False, markdown=False, runs=True)
NOTES = tuple(f"`thing_{n}` is a `torch.nn.Linear`, made on line {n}: {'so it is, ' * 20}" for n in range(20))
EXPLAINED = sorted({name for card in cards() for name in card.symbols})


def hovered(code: str, word: str, links: Links = VSCODE) -> str:
    """The hover on the last place of `word` in a program; empty where there is none."""
    known = Analysed(URI, Source(code), {}, None)
    found = hover_text(known, code.rindex(word) + len(word) - 1, links)
    return found[1] if found is not None else ""


def page(name: str, notes: tuple[str, ...] = (), links: Links = VSCODE) -> str:
    found = resolve([name])
    return laid_out(symbol_page(found, find_card([name], found), None, notes, links))


@pytest.mark.parametrize("links", [VSCODE, NEOVIM, PLAIN], ids=["vscode", "neovim", "plain"])
def test_every_symbol_of_every_card_fits(links: Links) -> None:
    assert len(EXPLAINED) > 1000
    for name in EXPLAINED:
        for notes in (NOTES[:1], NOTES):
            text = page(name, notes, links)
            assert lines(text) <= MOST_LINES, name
            assert name.rpartition(".")[2] in text
            assert text.count("```") % 2 == 0
            assert not notes or "In your code" in text, "what is in the user's code goes last of all"


def test_every_card_says_its_answer_and_a_pitfall() -> None:
    for card in cards():
        found = FoundCard(card, is_exact=True, is_near=True)
        text = laid_out(symbol_page(None, found, None, (), VSCODE))
        assert text.startswith(f"**{card.question}**\n\n{card.summary}")
        assert f"**Pitfall:** {first_pitfall(card.pitfalls)}" in text
        assert lines(text) <= MOST_LINES


def test_a_picture_goes_only_where_it_is_shown_and_takes_no_room_from_the_text() -> None:
    shows = replace(VSCODE, pictures=True)
    with_pictures = 0
    for name in EXPLAINED:
        without, text = page(name, NOTES), page(name, NOTES, shows)
        picture = re.search(r"^!\[[a-z-]+\]\(data:image/svg\+xml;base64,([^|]+)\|width=\d+\)\n\n", text, re.M)
        if picture is None:
            assert text == without
            continue
        with_pictures += 1
        assert text.replace(picture[0], "") == without
        assert b"</svg>" in b64decode(picture[1])
    assert with_pictures > 100
    assert "data:" not in page("torch.optim.SGD", links=replace(PLAIN, pictures=True))


def test_every_pitfall_is_short_and_whole() -> None:
    for card in cards():
        told = first_pitfall(card.pitfalls)
        assert 20 < len(told) <= 330, card.slug
        assert told.count("`") % 2 == 0 and told.count("**") % 2 == 0, card.slug


def test_every_deprecated_name_says_so() -> None:
    found = [one for one in all_symbols() if one.deprecated]
    assert len(found) > 100
    for one in found:
        text = page(one.name)
        says_instead = f"Removed in torch {one.removed}; use `{one.replacement}`."
        assert ("**Deprecated" in text and one.deprecated[:60] in text) or says_instead in text
        assert lines(text) <= MOST_LINES


def test_any_symbol_fits() -> None:
    for one in islice(all_symbols(), 0, None, 5):
        assert lines(page(one.name, NOTES)) <= MOST_LINES, one.name


@pytest.mark.parametrize("links", [VSCODE, PLAIN], ids=["markdown", "plain"])
def test_the_order_is_that_of_a_reader(links: Links) -> None:
    text = page("torch.optim.Optimizer.zero_grad", ("a note",), links)
    text = text if links.markdown else plain(text)
    parts = [
        "torch.optim.Optimizer.zero_grad(",
        "What does zero_grad() do",
        "adds to `.grad`",
        "In your code",
    ]
    parts += ["a note", "Pitfall:", "hole answer"]
    places = [text.index(part if links.markdown else part.replace("`", "")) for part in parts]
    assert places == sorted(places)


def test_plain_text_has_no_marks() -> None:
    for name in EXPLAINED[::20]:
        text = plain(page(name, ("`a` is one.",), PLAIN))
        assert "](" not in text and "**" not in re.sub(r"\*\*\w|\w\*\*", "", text) and "```" not in text
        assert "torchlore explain " in text and "https://docs.pytorch.org/" in text


def test_links_lead_only_where_the_client_can_go() -> None:
    name = "torch.optim.Optimizer.zero_grad"
    assert page(name).count("](command:") == 2
    assert "command:" not in page(name, links=NEOVIM) and "zero-grad.md)" in page(name, links=NEOVIM)
    untrusted = Links(URI, commands=True, markdown=True, runs=False)
    assert "torchlore.run" not in page(name, links=untrusted)


@pytest.mark.parametrize(
    ("name", "is_exact", "is_near"),
    [
        ("torch.nn.Linear", True, True),
        ("torch.optim.adam.Adam", True, True),
        ("torch.optim.Adam.zero_grad", True, True),
        ("torch.nn.Linear.in_features", False, True),
        ("torch.utils.data.DataLoader.batch_size", False, True),
        ("torch.linalg.matrix_exp", False, False),
        ("torch.Tensor.abs_", True, True),
        ("torch.nn.functional.relu_", True, True),
        ("torch.Tensor.addbmm_", False, False),
    ],
)
def test_the_nearest_card(name: str, is_exact: bool, is_near: bool) -> None:
    found = find_card([name], resolve([name]))
    assert found is not None and (found.is_exact, found.is_near) == (is_exact, is_near)
    text = page(name)
    assert ("**Pitfall:**" in text) is is_exact
    assert (found.card.summary[:40] in text) is is_near
    assert found.card.question in text


def test_torch_itself_is_no_answer() -> None:
    assert find_card(["torch._assert"], resolve(["torch._assert"])) is None


HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


@pytest.mark.parametrize(
    ("code", "word", "shown"),
    [
        (
            "nn.Linear(784, 10)",
            "Linear",
            ["Here: `in_features=784`, `out_features=10`", "class torch.nn.Linear("],
        ),
        ("nn.Linear(784, out_features=n)", "Linear", ["Here: `in_features=784`, `out_features=n`"]),
        ("with torch.no_grad(): pass", "no_grad", ["class torch.no_grad()"]),
        ("@torch.no_grad()\ndef f(): pass", "no_grad", ["class torch.no_grad()"]),
        ("@torch.inference_mode\ndef f(): pass", "inference_mode", ["torch.inference_mode"]),
        (
            "torch.zeros(1).to(memory_format=torch.channels_last)",
            "channels_last",
            ["(constant) torch.channels_last"],
        ),
    ],
)
def test_a_symbol_in_code(code: str, word: str, shown: list[str]) -> None:
    text = hovered(HEAD + code, word)
    assert all(part in text for part in shown), text


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("torch.arange(5)", "arange"),
        ("torch.abs(x)", "abs"),
        ("torch.max(x, 1)", "max"),
        ("torch.zeros(2, 3)", "zeros"),
    ],
)
def test_arguments_are_named_only_where_that_is_certain(code: str, word: str) -> None:
    assert "Here:" not in hovered(HEAD + code, word)


@pytest.mark.parametrize(
    ("code", "word", "shown"),
    [
        (
            "torch.optim.AdamW(p, weight_decay=0.1)",
            "weight_decay",
            ["(parameter) weight_decay=0.01", "`torch.optim.AdamW`", "decoupled"],
        ),
        ("torch.optim.AdamW(p, weight_decay=0.1)", "0.1", ["weight_decay=0.01", "decoupled"]),
        ("torch.ones(1).sum().backward(retain_graph=True)", "retain_graph", ["another backward pass"]),
        ("torch.sum(x, dim=1)", "dim", ["reduced away"]),
        ("F.softmax(x, dim=1)", "dim", ["add up to 1"]),
        ("torch.zeros(3).mean(dim=0, keepdim=True)", "keepdim", ["with size 1"]),
        ("nn.CrossEntropyLoss(reduction='none')", "'none'", ["- `'none'`: Nothing: one loss for each item."]),
        ("nn.CrossEntropyLoss(reduction='none')", "reduction", ["`'none'`", "`'mean'`", "`'sum'`"]),
        ("torch.optim.lr_scheduler.ReduceLROnPlateau(o, mode='max')", "max", ["More is better"]),
        ("nn.Conv2d(3, 6, 3, padding_mode='reflect')", "reflect", ["mirrored"]),
        ("nn.init.kaiming_normal_(w, nonlinearity='relu')", "relu", ["√2"]),
        ("torch.distributed.init_process_group('gloo')", "gloo", ["works everywhere"]),
        ("nn.Conv2d(3, 6, 5, 2, 1)", "2", ["(parameter) stride", "number 4 of 11", "halves"]),
        ("nn.Conv2d(3, 6, 5)", "3", ["(parameter) in_channels: int", "required"]),
        (
            "torch.save(x, 'f', pickle_protocol=2)",
            "pickle_protocol",
            ["(parameter) pickle_protocol", "`torch.save`"],
        ),
        ("torch.zeros(1).to('cuda', non_blocking=True)", "non_blocking", ["page-locked"]),
        (
            "m = nn.MultiheadAttention(8, 2)\nm(q, q, q, need_weights=False)",
            "need_weights",
            ["attention weights"],
        ),
        ("m = torch.optim.SGD(p, lr=1)\nm.zero_grad(set_to_none=False)", "set_to_none", ["`.grad`"]),
    ],
)
def test_an_argument(code: str, word: str, shown: list[str]) -> None:
    text = hovered(HEAD + code, word)
    assert all(part in text for part in shown), text
    assert lines(text) <= MOST_LINES


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("print(end='x')", "end"),
        ("range(10)", "10"),
        ("from elsewhere import f\nf(dim=1)", "dim"),
        ("nn.Linear(3, 4, biass=False)", "biass"),
        ("torch.zeros(3, 4)", "4"),
        ("criterion = nn.MSELoss()\ncriterion(a, b, reduction='sum')", "reduction"),
        ("nn.Linear(*sizes, 4)", "4"),
    ],
)
def test_no_argument(code: str, word: str) -> None:
    assert hovered(HEAD + code, word) == ""


def test_every_explained_argument_fits() -> None:
    for entry in meanings():
        for name in entry.of:
            if "*" in name or symbol(name) is None or name.startswith(("torch.Tensor.", "torch.nn.Module.")):
                continue
            text = hovered(f"import torch\n{name}({entry.name}=1)\n", entry.name)
            assert entry.text in text and lines(text) <= MOST_LINES, name


def test_every_quoted_error_is_found() -> None:
    told = {q.text: slug for slug, text in card_texts() for q in quoted.quotes(slug, text)}
    assert len(told) > 300
    for text in told:
        found = quoted.explained(text)
        assert told[text] in [one.card.slug for one in found] or len(found) == 4, text
        shown = hovered(f"import torch\n# {text}\n", text[:12])
        assert "**" in shown and lines(shown) <= MOST_LINES, text


@pytest.mark.parametrize(
    ("code", "slug"),
    [
        ("# RuntimeError: Trying to backward through the graph a second time", "backpropagation"),
        (
            "x = 1  # RuntimeError: Trying to backward through the graph a second time (or directly",
            "backpropagation",
        ),
        (
            "# E   RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x512 and 256x10)",
            "matmul-einsum",
        ),
        (
            "# RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 8.00 GiB total)",
            "cuda-memory",
        ),
        ("# torch.OutOfMemoryError: CUDA out of memory.", "cuda-memory"),
        ("# TypeError: 'DataLoader' object is not\n# subscriptable, what now?", "dataset-dataloader"),
        ('"""\nTypeError: \'DataLoader\' object is not subscriptable\n"""', "dataset-dataloader"),
        ("raises('RuntimeError: grad can be implicitly created only for scalar outputs')", "backpropagation"),
    ],
)
def test_an_error_that_somebody_pasted(code: str, slug: str) -> None:
    text = hovered(f"import torch\n{code}\n", "Error")
    assert f"%22slug%22%3A%20%22{slug}%22" in text, text


@pytest.mark.parametrize(
    "comment",
    [
        "# raises a ValueError: if the shape is wrong",
        "# KeyError: 0",
        "# TypeError: 'int' object is not iterable",
        "# AttributeError: 'NoneType' object has no attribute 'foo'",
        "# RuntimeError: Trying",
        "# Trying to backward through the graph a second time",
        "# ValueError: expected something else",
    ],
)
def test_not_every_comment_is_an_error(comment: str) -> None:
    assert hovered(f"import torch\n{comment}\n", comment[-6:]) == ""


def test_a_name_for_an_object_of_ones_own_class() -> None:
    code = (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(2, 2)\n"
    )
    text = hovered(f"{code}net = Net()\nnet\n", "net")
    assert (
        text
        == "**In your code**\n\n- `net` is a `Net`, made on line 8 with 6 parameters (24 bytes in float32)."
    )
    assert hovered(code, "self") == "" and hovered(code, "Net") == ""


def test_a_file_without_torch_has_none_of_this() -> None:
    text = "f(dim=1)  # RuntimeError: Trying to backward through the graph a second time\n"
    assert hovered(text, "dim") == "" and hovered(text, "second") == ""


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("One. Two. Three.", "One. Two."),
        ("Say `a. b` twice. " + "x" * 20, "Say `a. b` twice."),
        ("It says: `Error: no.` Then more of it.", "It says: `Error: no.`"),
        ("no end", "no end"),
    ],
)
def test_sentences_stay_whole(text: str, short: str) -> None:
    assert shortened(text, len(short)) == short


def test_a_signature_breaks_between_its_parameters() -> None:
    text = laid_out(
        Page(signature="(function) f(" + ", ".join(f"name_{n}: int | None = {n}" for n in range(40)) + ")")
    )
    body = text.split("\n")[1:-1]
    assert body[0].endswith(",") and body[-1] == "    …)" and max(map(len, body)) <= WIDTH
