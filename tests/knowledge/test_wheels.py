"""Reading wheels by their text: what is certain becomes a claim, what is not stays unsaid."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from torchlore.knowledge.wheels.__main__ import main
from torchlore.knowledge.wheels.history import agreement, history
from torchlore.knowledge.wheels.lookup import State, Torch, find
from torchlore.knowledge.wheels.public import public_names
from torchlore.knowledge.wheels.source import WheelError, read_wheel

OLD, MIDDLE, NEW = "2.4.1", "2.5.0", "2.6.0"


def torch_of(folder: Path, version: str, files: Mapping[str, str]) -> Torch:
    """The torch of a wheel with these files under `torch/`."""
    path = folder / f"torch-{version}-cp311-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"torch-{version}.dist-info/METADATA", f"Name: torch\nVersion: {version}\n\nText.\n")
        for name, text in {"__init__.py": "", **files}.items():
            archive.writestr(f"torch/{name}", text)
    return Torch(read_wheel(path))


def told(folder: Path, *versions: Mapping[str, str], symbols: tuple[str, ...] = ()) -> dict[str, Any]:
    """The history of torches with these files, 2.4 the first; an index describes the newest of them."""
    torches = [torch_of(folder, f"2.{4 + number}.0", files) for number, files in enumerate(versions)]
    record = ["function", "()", "", None, "", None, []]
    content = {
        "torch": torches[-1].wheel.version,
        "symbols": dict.fromkeys(("torch", *symbols), record),
        "aliases": {},
        "same_as": {},
    }
    return history(content, torches)


@pytest.mark.parametrize(
    ("files", "name", "state"),
    [
        ({"nn.py": "def f(): ...\n"}, "torch.nn.f", State.PRESENT),
        ({"nn.py": "def f(): ...\n"}, "torch.nn.g", State.ABSENT),
        ({"nn.py": "if TYPE_CHECKING:\n    def f(): ...\n"}, "torch.nn.f", State.ABSENT),
        (
            {"nn.py": "try:\n    from x import f\nexcept ImportError:\n    f = None\n"},
            "torch.nn.f",
            State.PRESENT,
        ),
        ({"nn.py": "def f(): ...\ndel f\n"}, "torch.nn.f", State.ABSENT),
        ({"nn.py": "def __getattr__(name): ...\n"}, "torch.nn.f", State.UNKNOWN),
        ({"nn.py": "for n in names:\n    globals()[n] = make(n)\n"}, "torch.nn.f", State.UNKNOWN),
        ({"nn.py": "def f(:\n"}, "torch.nn.f", State.UNKNOWN),
        ({"nn.py": "from os import *\n"}, "torch.nn.f", State.UNKNOWN),
        (
            {"nn.py": "from torch.a import *\n", "a.py": "__all__ = ['f']\nf = 1\ng = 2\n"},
            "torch.nn.f",
            State.PRESENT,
        ),
        (
            {"nn.py": "from torch.a import *\n", "a.py": "__all__ = ['f']\nf = 1\ng = 2\n"},
            "torch.nn.g",
            State.ABSENT,
        ),
        ({"nn.py": "from .a import *\n", "a.py": "from .nn import *\n"}, "torch.nn.f", State.UNKNOWN),
        ({"nn/__init__.py": "", "nn/inner.py": ""}, "torch.nn.inner", State.PRESENT),
        ({"nn.py": "class A:\n    def f(self): ...\n"}, "torch.nn.A.f", State.PRESENT),
        ({"nn.py": "class A(Base): ...\nfrom elsewhere import Base\n"}, "torch.nn.A.f", State.UNKNOWN),
        ({"nn.py": "class A(Exception): ...\n"}, "torch.nn.A.f", State.ABSENT),
        ({"nn.py": "class B:\n    def f(self): ...\nclass A(B[int]): ...\n"}, "torch.nn.A.f", State.PRESENT),
        ({"nn.py": "class A:\n    def __init__(self):\n        self.f = 1\n"}, "torch.nn.A.f", State.PRESENT),
        ({"nn.py": "@dataclass\nclass A:\n    f: int\n"}, "torch.nn.A.__init__", State.UNKNOWN),
        (
            {"nn.py": "from torch._C import A\n", "_C/__init__.pyi": "class A: ...\n"},
            "torch.nn.A.f",
            State.UNKNOWN,
        ),
        (
            {"nn.py": "from torch._C import A as B\n", "_C/__init__.pyi": "class A: ...\n"},
            "torch.nn.B",
            State.PRESENT,
        ),
        ({"nn.py": "f = len\n"}, "torch.nn.f.g", State.UNKNOWN),
        ({}, "torch.nn", State.ABSENT),
        ({}, "numpy.f", State.ABSENT),
    ],
)
def test_what_exists(tmp_path: Path, files: dict[str, str], name: str, state: State) -> None:
    assert find(torch_of(tmp_path, NEW, files), name).state is state


def test_functions_hide_the_modules_that_they_come_from(tmp_path: Path) -> None:
    files = {"nn/__init__.py": "from .f import f\n", "nn/f.py": "def f(): ...\nclass Hook: ...\n"}
    assert find(torch_of(tmp_path, NEW, files), "torch.nn.f.Hook").state is State.PRESENT


def test_what_is_new_and_what_is_gone(tmp_path: Path) -> None:
    ranges = told(
        tmp_path,
        {"nn.py": "def old(): ...\ndef kept(): ...\n"},
        {"nn.py": "def kept(): ...\ndef brief(): ...\n"},
        {"nn.py": "def kept(): ...\ndef new(): ...\n"},
        symbols=("torch.nn", "torch.nn.kept", "torch.nn.new"),
    )["ranges"]
    assert ranges == {
        "torch.nn.brief": {"since": "2.5", "removed": "2.6"},
        "torch.nn.new": {"since": "2.6"},
        "torch.nn.old": {"removed": "2.5"},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("globals()[name] = 1\n", "def new(): ...\n"),
        ("class A:\n    ...\nA.new = 1\n", "class A:\n    def new(self): ...\n"),
        ("from torch.b import *\nfrom os import *\n", "def new(): ...\n"),
    ],
    ids=["made by a loop", "set on the class", "through a star"],
)
def test_nothing_is_new_that_was_there_under_cover(tmp_path: Path, before: str, after: str) -> None:
    names = ("torch.nn", "torch.nn.A", "torch.nn.A.new", "torch.nn.new")
    assert told(tmp_path, {"nn.py": before}, {"nn.py": after}, symbols=names)["ranges"].keys() <= {
        "torch.nn.A"
    }


@pytest.mark.parametrize(
    "after",
    [
        "class A:\n    def __init__(self): ...\n    def reset(self):\n        self.lr = 1\n",
        "def __getattr__(name): ...\n",
    ],
)
def test_nothing_is_gone_that_is_there_under_cover(tmp_path: Path, after: str) -> None:
    before = "class A:\n    def __init__(self):\n        self.lr = 1\n"
    ranges = told(tmp_path, {"nn.py": before}, {"nn.py": after}, symbols=("torch.nn",))["ranges"]
    assert "torch.nn.A.lr" not in ranges


def test_what_came_and_went_and_came_is_not_dated(tmp_path: Path) -> None:
    there, gone = {"nn.py": "def f(): ...\n"}, {"nn.py": ""}
    assert told(tmp_path, there, gone, there, symbols=("torch.nn", "torch.nn.f"))["ranges"] == {}


def test_names_that_the_text_does_not_show_are_not_dated(tmp_path: Path) -> None:
    """`torch.nn.f` is in the index, so it exists, but the newest text denies it."""
    ranges = told(tmp_path, {"nn.py": "def f(): ...\n"}, {"nn.py": ""}, symbols=("torch.nn", "torch.nn.f"))[
        "ranges"
    ]
    assert "torch.nn.f" not in ranges


def test_members_follow_their_class(tmp_path: Path) -> None:
    cls = "class A:\n    def f(self): ...\n"
    names = ("torch.nn", "torch.nn.A", "torch.nn.A.f")
    assert told(tmp_path, {"nn.py": ""}, {"nn.py": cls}, symbols=names)["ranges"] == {
        "torch.nn.A": {"since": "2.5"}
    }


def test_parameters(tmp_path: Path) -> None:
    ranges = told(
        tmp_path,
        {"nn.py": "class A:\n    def __init__(self, a, verbose=False): ...\ndef f(a, **kwargs): ...\n"},
        {"nn.py": "class A:\n    def __init__(self, a, fused=False, *, _hidden=1): ...\ndef f(a, b): ...\n"},
        symbols=("torch.nn", "torch.nn.A", "torch.nn.f"),
    )["ranges"]
    assert ranges == {"torch.nn.A": {"parameters": {"fused": ["2.5", None], "verbose": [None, "2.5"]}}}


@pytest.mark.parametrize(
    "code",
    [
        "@deprecated('`f` is deprecated. Please use `g` instead.')\ndef f(): ...\n",
        "def f():\n    '''Do it.\n\n    .. deprecated:: 2.5\n        Use `g`.\n    '''\n",
        "def f():\n    warnings.warn('f is deprecated, use torch.nn.g')\n",
    ],
    ids=["marked", "documented", "warns"],
)
def test_deprecations(tmp_path: Path, code: str) -> None:
    rest = "def g(): ...\n"
    names = ("torch.nn", "torch.nn.f", "torch.nn.g")
    ranges = told(tmp_path, {"nn.py": f"def f(): ...\n{rest}"}, {"nn.py": code + rest}, symbols=names)[
        "ranges"
    ]
    assert ranges["torch.nn.f"]["deprecated"] == "2.5" and ranges["torch.nn.f"]["use"] == "torch.nn.g"


def test_a_deprecation_in_other_words_is_not_dated(tmp_path: Path) -> None:
    """Torch marked in 2.4 what had warned in many ways before."""
    before = "def f():\n    warnings.warn('f is renamed to g')\n"
    after = "@deprecated('Use `torch.nn.g`.')\ndef f(): ...\ndef g(): ...\n"
    names = ("torch.nn", "torch.nn.f", "torch.nn.g")
    ranges = told(tmp_path, {"nn.py": f"{before}def g(): ...\n"}, {"nn.py": after}, symbols=names)["ranges"]
    assert ranges == {}


def test_the_nearest_namesake_is_meant(tmp_path: Path) -> None:
    code = "@deprecated('Please use `load` instead.')\ndef load_all(): ...\ndef load(): ...\n"
    files = {"__init__.py": "def load(): ...\n", "nn.py": code}
    before = {**files, "nn.py": "def load_all(): ...\ndef load(): ...\n"}
    ranges = told(tmp_path, before, files, symbols=("torch.load", "torch.nn", "torch.nn.load"))["ranges"]
    assert ranges["torch.nn.load_all"]["use"] == "torch.nn.load"


def test_a_spelling_that_went_says_where_its_symbol_is(tmp_path: Path) -> None:
    home = {"nn/__init__.py": "from ._a import A\n", "nn/_a.py": "class A: ...\n"}
    found = told(
        tmp_path,
        {**home, "old/__init__.py": "from torch.nn import A\n"},
        home,
        symbols=("torch.nn", "torch.nn.A"),
    )
    assert found["other_aliases"]["torch.old.A"] == "torch.nn.A"
    assert (
        found["ranges"]["torch.old.A"] == {"use": "torch.nn.A"}
        or found["ranges"]["torch.old"]["removed"] == "2.5"
    )


def test_records_of_other_versions(tmp_path: Path) -> None:
    old = (
        "class Pipe(Base):\n    '''Runs it.\n\n    More.\n    '''\n    def __init__(self, n: int = 2): ...\n"
    )
    found = told(
        tmp_path,
        {"nn.py": f"{old}class Base: ...\n"},
        {"nn.py": "class Base: ...\n"},
        symbols=("torch.nn", "torch.nn.Base"),
    )
    assert found["other_symbols"]["torch.nn.Pipe"] == [
        "class", "(n: int=2)", "Runs it.", None, "", None, ["torch.nn.Base"]
    ]  # fmt: skip


def test_public_names_have_one_canonical_spelling(tmp_path: Path) -> None:
    files = {
        "nn/__init__.py": "from .modules import *\nfrom ._private import A\n",
        "nn/modules/__init__.py": "from .linear import Linear\n__all__ = ['Linear']\n",
        "nn/modules/linear.py": "__all__ = ['Linear']\nclass Linear: ...\nclass Helper: ...\n",
        "nn/_private.py": "class A: ...\nclass B: ...\n",
    }
    public = public_names(torch_of(tmp_path, NEW, files))
    assert public["torch.nn.Linear"] == [
        "torch.nn.Linear",
        "torch.nn.modules.Linear",
        "torch.nn.modules.linear.Linear",
    ]
    assert "torch.nn.A" in public and not any(name.endswith((".B", ".Helper")) for name in public)


def test_agreement_counts(tmp_path: Path) -> None:
    torch = torch_of(tmp_path, NEW, {"nn.py": "f = 1\n", "os.py": "def __getattr__(name): ...\n"})
    names = {"torch.nn": 0, "torch.nn.f": 0, "torch.nn.g": 0, "torch.os.f": 0}
    assert agreement({"symbols": names}, torch) == (2, 1, 1)


def test_the_described_version_must_be_among_the_wheels(tmp_path: Path) -> None:
    content = {"torch": "2.9.1+cpu", "symbols": {}, "aliases": {}, "same_as": {}}
    with pytest.raises(ValueError, match=r"no wheel of torch 2\.9"):
        history(content, [torch_of(tmp_path, NEW, {})])


@pytest.mark.parametrize("content", [None, b"", b"no zip"], ids=["missing", "empty", "no zip"])
def test_what_is_no_wheel_is_refused(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "torch.whl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WheelError, match=r"torch\.whl"):
        read_wheel(path)
    assert main([str(path)]) == 1
    assert capsys.readouterr().err.startswith("torchlore.knowledge.wheels: ")


def test_a_wheel_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other/__init__.py", "")
    with pytest.raises(WheelError, match="not a wheel of torch"):
        read_wheel(path)
