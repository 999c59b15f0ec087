"""The table of what libraries give: that it is well formed, quick to ask, and true where they are installed."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from torchlore.analysis import analyze, libraries
from torchlore.analysis.libraries import (
    FACTS,
    family,
    function,
    keeps_its_hands_off,
    tomllib,
    torch_base,
)
from torchlore.analysis.members import kind_of_class
from torchlore.analysis.plain import Plain
from torchlore.analysis.values import Ref
from torchlore.text import Source

PACKAGES = sorted(libraries.packages())
TABLES = {package: tomllib.loads((FACTS / f"{package}.toml").read_text("utf-8")) for package in PACKAGES}
OWN = [package for package in PACKAGES if "same_as" not in TABLES[package]]

WORDS = {
    "nothing", "number", "unknown", "object", "receiver", "first", "all", "tensor", "tensor new", "tensor by convention",
    "tensor like first", "like first", "context",
}  # fmt: skip
EFFECTS = {
    "backward",
    "perhaps clear",
    "eval",
    "freeze receiver",
    "freeze first",
    "set attributes",
}
DOTTED = re.compile(r"(?:as )?[A-Za-z_]\w*(?:\.\w+)+")


def facts(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from table.get("functions", {}).items()
    for entry in table.get("family", []):
        yield from entry.get("methods", {}).items()
        yield from entry.get("attributes", {}).items()
        if "output" in entry:
            yield "output", entry["output"]


@pytest.mark.parametrize("package", OWN)
def test_a_table_is_well_formed(package: str) -> None:
    table = TABLES[package]
    assert re.fullmatch(r"\d+(\.\d+)+", table["checked"])
    assert set(table) <= {"checked", "hands_off", "but", "family", "functions", "output"}
    names = {entry["name"] for entry in table.get("family", []) if "name" in entry}
    for entry in table.get("family", []):
        known = {
            "name", "classes", "but", "within", "is", "kind", "trains", "never_made", "hands_off", "output", "methods",
            "attributes", "like",
        }  # fmt: skip
        assert set(entry) <= known
        assert entry["classes"] and (entry["is"] in {"object", "unknown"} or entry["is"].startswith("torch."))
        assert entry.get("like", next(iter(names), None)) in {*names, None}
    for cls, fields in table.get("output", {}).items():
        assert DOTTED.fullmatch(cls)
        assert all(word in ("tensor", "tensors") or DOTTED.fullmatch(word) for word in fields.values())


@pytest.mark.parametrize("package", OWN)
def test_the_words_of_a_table_are_known(package: str) -> None:
    for name, entry in facts(TABLES[package]):
        given = {"gives": entry} if isinstance(entry, str) else entry
        assert set(given) <= {"gives", "does", "unless", "over", "at", "then", "otherwise", "when"}, name
        assert given["gives"] in WORDS or DOTTED.fullmatch(given["gives"]), name
        assert set(given.get("does", [])) <= EFFECTS, name


@pytest.mark.parametrize("package", [package for package in PACKAGES if package not in OWN])
def test_another_name_of_a_package_leads_to_its_table(package: str) -> None:
    assert libraries.library(package) is libraries.library(TABLES[package]["same_as"].partition(".")[0])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("transformers.BertModel", "Module"),
        ("transformers.models.bert.modeling_bert.BertModel", "Module"),
        ("transformers.models.bert.BertModel", "Module"),
        ("transformers.BertConfig", "Unknown"),
        ("transformers.BertTokenizerFast", "Unknown"),
        ("transformers.AutoTokenizer", "Unknown"),
        ("transformers.DataCollatorForLanguageModeling", "Unknown"),
        ("transformers.Adafactor", "Optimizer"),
        ("transformers.modeling_outputs.BaseModelOutput", "Unknown"),
        ("torchvision.models.resnet18", "Module"),
        ("torchvision.models.resnet.resnet18", "Module"),
        ("torchvision.models.vit_b_16", "Module"),
        ("torchvision.models.list_models", "Unknown"),
        ("torchvision.models.ResNet18_Weights", "Unknown"),
        ("torchvision.ops.FeaturePyramidNetwork", "Module"),
        ("torchvision.datasets.CIFAR10", "Dataset"),
        ("torchvision.transforms.ToTensor", "Unknown"),
        ("diffusers.UNet2DConditionModel", "Module"),
        ("diffusers.DDPMScheduler", "Unknown"),
        ("diffusers.StableDiffusionPipeline", "Unknown"),
        ("diffusers.training_utils.EMAModel", "Unknown"),
        ("lightning.LightningModule", "Module"),
        ("lightning.pytorch.LightningModule", "Module"),
        ("pytorch_lightning.core.LightningModule", "Module"),
        ("lightning.Trainer", "Unknown"),
        ("timm.optim.Lion", "Optimizer"),
        ("timm.scheduler.CosineLRScheduler", "Unknown"),
        ("timm.loss.SoftTargetCrossEntropy", "Loss"),
        ("torchmetrics.Accuracy", "Metric"),
        ("torchmetrics.functional.accuracy", "Unknown"),
        ("einops.layers.torch.Rearrange", "Module"),
        ("torch_geometric.nn.GCNConv", "Module"),
        ("torch_geometric.loader.NeighborLoader", "DataLoader"),
        ("dgl.graphbolt.DataLoader", "DataLoader"),
        ("torch_geometric.data.Data", "Unknown"),
        ("accelerate.Accelerator", "Unknown"),
        ("somewhere.BertModel", "Unknown"),
        ("transformers", "Unknown"),
        ("BertModel", "Unknown"),
        ("", "Unknown"),
    ],
)
def test_kinds(name: str, kind: str) -> None:
    assert kind_of_class(Ref(name)) == kind


@pytest.mark.parametrize(
    ("name", "keeps"),
    [
        ("accelerate.Accelerator.accumulate", True),
        ("accelerate.notebook_launcher", False),
        ("transformers.AutoTokenizer.from_pretrained", True),
        ("transformers.Trainer", False),
        ("transformers.Trainer.train", False),
        ("transformers.trainer.Anything", False),
        ("transformers.utils.ContextManagers", False),
        ("lightning.Trainer", False),
        ("lightning.anything", False),
        ("lightning.fabric.Fabric.autocast", True),
        ("timm.utils.NativeScaler", False),
        ("timm.utils.AverageMeter", True),
        ("numpy.anything", True),
        ("somewhere.Else", False),
    ],
)
def test_hands_off(name: str, keeps: bool) -> None:
    assert keeps_its_hands_off(name) is keeps


def test_methods_called_on_a_class_are_those_that_make_objects() -> None:
    assert function("transformers.BertModel.from_pretrained") is not None
    assert function("transformers.BertModel.save_pretrained") is None
    assert torch_base("transformers.BertModel") == "torch.nn.Module"
    assert torch_base("transformers.AutoTokenizer") == torch_base("somewhere.Else") == ""


def test_arrays_and_pictures_are_no_tensors() -> None:
    code = (
        "import torch\nfrom einops import asnumpy\nfrom torchvision.transforms.functional import to_pil_image\n"
        "array = asnumpy(torch.ones(3))\npicture = to_pil_image(torch.ones(3, 2, 2))\n"
    )
    analysis = analyze(Source(code))
    frame = analysis.run.frames[analysis.run.module]
    array, picture = frame.names["array"], frame.names["picture"]
    assert isinstance(array, Plain) and array.kind == "numpy.ndarray"
    assert isinstance(picture, Plain) and picture.kind == "PIL.Image.Image"


def test_a_table_is_read_when_code_uses_its_library() -> None:
    """Neither start-up nor a file without it should wait for any of them."""
    program = (
        "from torchlore.analysis import analyze, libraries\nfrom torchlore.text import Source\n"
        "read = lambda: libraries.library.cache_info().currsize\n"
        "def look(code):\n    analyze(Source(code)).run\n    print(read())\n"
        "look('import torch\\ntorch.nn.Linear(1, 1)(torch.ones(1)).mean().backward()')\n"
        "look('import torch\\nfrom timm import create_model\\ncreate_model(1)')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1"]


# What follows imports the libraries themselves, where they are installed.


def modules_of(package: str) -> list[ModuleType]:
    """A package and what it is made of, as far as that can be imported here."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            top = importlib.import_module(package)
        except Exception as error:
            pytest.skip(f"{package} cannot be imported here: {error}")
        found = [top]
        for info in pkgutil.walk_packages(top.__path__, f"{package}.", onerror=lambda _: None):
            if not re.search(r"\.(test\w*|dummy\w*|\w*cli|__main__|quantizers|onnx\w*)\b", info.name):
                try:
                    found.append(importlib.import_module(info.name))
                except (Exception, SystemExit):
                    continue
        return found


def defined(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """What a module has of its own package, lazily imported names included."""
    package = module.__name__.partition(".")[0]
    for name in {*vars(module), *(getattr(module, "__all__", None) or ())}:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = getattr(module, name)
        except Exception:
            continue
        home = getattr(value, "__module__", "")
        if isinstance(home, str) and home.partition(".")[0] == package and "dummy" not in home:
            yield f"{module.__name__}.{name}", value


@pytest.mark.timeout(900)
@pytest.mark.parametrize("package", [package for package in OWN if TABLES[package].get("family")])
def test_the_table_is_true_of_what_is_installed(package: str) -> None:
    """Every class that the table says derives from a class of torch does, and no other that it says does not."""
    torch = pytest.importorskip("torch", reason="classes are compared with torch's")
    bases = {
        "Module": torch.nn.Module,
        "Optimizer": torch.optim.Optimizer,
        "Dataset": torch.utils.data.Dataset,
    }
    never_made = [e["classes"] for e in TABLES[package].get("family", []) if e.get("never_made")]
    factories = libraries._matcher([name for names in never_made for name in names])
    wrong, owners = [], {}
    for module in modules_of(package):
        for name, value in defined(module):
            known = family(name)
            if known is None or not isinstance(value, type):
                continue
            owners.setdefault(id(known), (known, []))[1].append(value)
            if known.base == "object":
                right = not any(issubclass(value, base) for base in bases.values())
            elif known.base.startswith("torch."):
                base = importlib.import_module(known.base.rpartition(".")[0]).__dict__[
                    known.base.rpartition(".")[2]
                ]
                right = issubclass(value, base) or bool(factories.match(name.rpartition(".")[2]))
            else:
                right = True
            wrong += [] if right else [name]
    assert wrong == []
    has = {
        name
        for _, classes in owners.values()
        for cls in classes
        for base in cls.__mro__
        for name in vars(base)
    }
    assert {method for known, _ in owners.values() for method in known.methods} <= has
    for known, classes in owners.values():
        for method, fact in known.methods.items():
            if fact.over:
                held = next(getattr(cls, method) for cls in classes if hasattr(cls, method))
                assert list(inspect.signature(held).parameters)[fact.at + 1] == fact.over, method


@pytest.mark.timeout(900)
@pytest.mark.parametrize("package", [p for p in OWN if TABLES[p].get("functions") or TABLES[p].get("output")])
def test_functions_and_results_of_the_table_exist(package: str) -> None:
    found = {name: value for module in modules_of(package) for name, value in defined(module)}
    tails = {tail: value for name, value in found.items() for tail in (name.rpartition(".")[2], _two(name))}
    functions = libraries.library(package).functions
    assert [name for name in functions if name not in tails] == []
    assert [name for name in libraries.library(package).outputs if name not in found] == []
    for name, fact in functions.items():
        if fact.over:
            assert list(inspect.signature(tails[name]).parameters)[fact.at] == fact.over, name


def _two(name: str) -> str:
    return ".".join(name.split(".")[-2:])
