"""Classes of installed packages: jedi finds them, nothing of theirs is run."""

from pathlib import Path

import pytest
from torchlore.analysis import analyze
from torchlore.analysis.installed import package_folders, torch_base
from torchlore.text import Source

FILES = {
    "zoo/__init__.py": "from zoo.nets import Net as Net, Plain as Plain\nfrom .steps import Sam\n",
    "zoo/nets.py": (
        "import torch.nn as nn\nraise SystemExit('nobody runs this')\n"
        "class Base(nn.Module):\n    pass\nclass Net(Base):\n    pass\nclass Plain:\n    pass\n"
    ),
    "zoo/steps.py": "from torch.optim import Optimizer\n@object\nclass Sam(Optimizer):\n    pass\n",
    "other/__init__.py": "import zoo\nclass Wide(zoo.Net):\n    pass\n",
    "broken/__init__.py": "class Half(\n",
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("site-packages")
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return str(root)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("zoo.Net", "torch.nn.Module"),
        ("zoo.nets.Net", "torch.nn.Module"),
        ("other.Wide", "torch.nn.Module"),
        ("zoo.Sam", "torch.optim.Optimizer"),
        ("zoo.Plain", None),
        ("zoo.Missing", None),
        ("broken.Half", None),
        ("nowhere.Net", None),
    ],
)
def test_torch_base(packages: str, name: str, base: str | None) -> None:
    assert torch_base(name, [packages]) == base


def test_what_jedi_found_answers_the_next_hover() -> None:
    code = "import torch\nfrom zoo import Net\nnet = Net()\nnet.train()\n"
    before = analyze(Source(code))
    assert before.foreign_classes == {"zoo.Net"}
    assert before.symbol_at(code.index("train")) is None
    after = analyze(Source(code), {"zoo.Net": "torch.nn.Module"})
    found = after.symbol_at(code.index("train"))
    assert found is not None
    assert found.candidates == ("torch.nn.Module.train",)
    assert ("net", "Module") in [(name.name, name.kind) for name in after.names_at(len(code))]


def test_package_folders(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True)
    assert package_folders(str(tmp_path / "bin/python")) == [str(tmp_path / "lib/python3.11/site-packages")]
