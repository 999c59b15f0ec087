"""The symbol index knows every public name of torch, under every spelling."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import types
import warnings
from typing import Any

import pytest
from torchlore.knowledge import all_symbols, card_for, member_owners, resolve, symbol
from torchlore.knowledge.data import data_root, read_toml
from torchlore.knowledge.index_file import read_index
from torchlore.knowledge.symbols import index_path

SYMBOLS = {known.name: known for known in all_symbols()}
KINDS = {
    "function",
    "class",
    "exception",
    "enum",
    "method",
    "property",
    "attribute",
    "module",
    "dtype",
    "constant",
}


@pytest.fixture(scope="module")
def torch() -> Any:
    module = pytest.importorskip("torch", reason="torch is not installed beside this interpreter")
    shipped = index_path()
    assert shipped is not None
    if module.__version__.partition("+")[0] != read_index(shipped)["torch"].partition("+")[0]:
        pytest.skip(f"the index describes another torch than {module.__version__}")
    return module


def described(name: str) -> bool:
    found = resolve([name])
    return found is not None and bool(found.signature or found.summary)


def test_every_name_of_torch_all_is_described(torch: Any) -> None:
    wanted = [
        name
        for name in torch.__all__
        if not name.startswith("_") and not _is_plumbing(getattr(torch, name, None))
    ]
    assert len(wanted) > 700
    assert [name for name in wanted if not described(f"torch.{name}")] == []


@pytest.mark.parametrize(
    "module_name",
    [
        "torch.nn",
        "torch.nn.functional",
        "torch.nn.init",
        "torch.nn.utils",
        "torch.nn.utils.rnn",
        "torch.optim",
        "torch.optim.lr_scheduler",
        "torch.utils.data",
        "torch.autograd",
        "torch.amp",
        "torch.cuda",
        "torch.distributed",
        "torch.distributions",
        "torch.linalg",
        "torch.fft",
        "torch.func",
        "torch.special",
        "torch.accelerator",
        "torch.compiler",
    ],
)
def test_every_public_member_of_a_module_is_described(torch: Any, module_name: str) -> None:
    module = importlib.import_module(module_name)
    listed = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if _is_defined_in(value, module_name)
    ]
    public = [name for name in listed if not name.startswith("_")]
    assert public
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = {name: getattr(module, name, None) for name in public}
    named = {
        name: value for name, value in values.items() if inspect.isclass(value) or inspect.isroutine(value)
    }
    names = [name for name, value in named.items() if not _is_plumbing(value)]
    assert [name for name in names if not described(f"{module_name}.{name}")] == []


@pytest.mark.parametrize(
    "class_name", ["torch.Tensor", "torch.nn.Module", "torch.optim.Optimizer", "torch.utils.data.DataLoader"]
)
def test_every_public_member_of_a_class_is_described(torch: Any, class_name: str) -> None:
    cls = functools.reduce(getattr, class_name.split(".")[1:], torch)
    names = [name for name in dir(cls) if not name.startswith("_")]
    assert [name for name in names if resolve([f"{class_name}.{name}"]) is None] == []
    undescribed = [
        name
        for name in names
        if not described(f"{class_name}.{name}") and inspect.isroutine(getattr(cls, name, None))
    ]
    assert undescribed == []


def test_private_spellings_resolve() -> None:
    for spelling, canonical in {
        "torch.optim.sgd.SGD": "torch.optim.SGD",
        "torch.optim.sgd.SGD.step": "torch.optim.SGD.step",
        "torch.nn.modules.linear.Linear": "torch.nn.Linear",
        "torch.nn.modules.module.Module.zero_grad": "torch.nn.Module.zero_grad",
        "torch.nn.parallel.distributed.DistributedDataParallel": "torch.nn.parallel.DistributedDataParallel",
        "torch.utils.data.dataloader.DataLoader": "torch.utils.data.DataLoader",
        "torch.utils.data._utils.collate.default_collate": "torch.utils.data.default_collate",
        "torch.conv2d": "torch.nn.functional.conv2d",
        "torch.cuda.random.manual_seed": "torch.cuda.manual_seed",
    }.items():
        found = symbol(spelling)
        assert found is not None and found.name == canonical and found.alias_of is None


def test_other_names_for_the_same_thing_keep_their_name() -> None:
    for name, target in {
        "torch.float": "torch.float32",
        "torch.long": "torch.int64",
        "torch.absolute": "torch.abs",
        "torch.Tensor.absolute": "torch.abs",
        "torch.concat": "torch.cat",
    }.items():
        found = symbol(name)
        assert found is not None and (found.name, found.alias_of) == (name, target)


def test_inherited_members_are_found_through_bases() -> None:
    for spelled, name in {
        "torch.optim.Adam.zero_grad": "torch.optim.Optimizer.zero_grad",
        "torch.nn.Conv2d.parameters": "torch.nn.Module.parameters",
        "torch.nn.modules.conv.Conv2d.train": "torch.nn.Module.train",
        "torch.nn.Parameter.backward": "torch.Tensor.backward",
        "torch.FloatTensor.view": "torch.Tensor.view",
        "torch.optim.lr_scheduler.StepLR.state_dict": "torch.optim.lr_scheduler.LRScheduler.state_dict",
    }.items():
        found = resolve(["torch.no.such.name", spelled])
        assert found is not None and found.name == name


def test_first_candidate_wins() -> None:
    found = resolve(["torch.Tensor.step", "torch.optim.Optimizer.step", "torch.nn.Module.train"])
    assert found is not None and found.name == "torch.optim.Optimizer.step"
    assert resolve(["torch.nope", "torch.nn.Linear.nope", "numpy.zeros", ""]) is None


def test_member_owners() -> None:
    assert member_owners("view")[0] == "torch.Tensor"
    assert member_owners("parameters")[0] == "torch.nn.Module"
    assert member_owners("zero_grad")[:2] == ("torch.nn.Module", "torch.optim.Optimizer")
    assert "torch.optim.Optimizer" in member_owners("param_groups")
    assert member_owners("items") == () and member_owners("append") == ()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("torch.jit.script", "torch.compile"),
        ("torch.svd", "torch.linalg.svd"),
        ("torch.ger", "torch.outer"),
        ("torch.symeig", "removed"),
        ("torch.Tensor.symeig", "removed"),
        ("torch.range", "arange"),
        ("torch.cuda.amp.autocast", "torch.amp.autocast"),
        ("torch.cuda.amp.GradScaler", "torch.amp.GradScaler"),
        ("torch.nn.init.xavier_uniform", "xavier_uniform_"),
        ("torch.nn.functional.upsample", "interpolate"),
        ("torch.distributed.all_gather_into_tensor", "all_gather_single"),
        ("torch.nn.Module.register_backward_hook", "register_full_backward_hook"),
    ],
)
def test_deprecated_names_say_what_to_use(name: str, says: str) -> None:
    found = symbol(name)
    assert found is not None and found.deprecated is not None and says in found.deprecated


@pytest.mark.parametrize(
    "name",
    [
        # A recommendation of the very name, or a deprecated argument: not the symbol itself.
        "torch.accelerator.set_device_index",
        "torch.accelerator.current_device_index",
        "torch.cross",
        "torch.Tensor.T",
        "torch.optim.lr_scheduler.LRScheduler.step",
        "torch.nn.CrossEntropyLoss",
        "torch.nn.functional.cross_entropy",
        "torch.autograd.grad",
        "torch.stft",
        "torch.nn.DataParallel",
        "torch.Tensor.storage",
    ],
)
def test_what_is_not_deprecated_is_not_flagged(name: str) -> None:
    found = symbol(name)
    assert found is not None and found.deprecated is None


def test_records_are_well_formed() -> None:
    for known in SYMBOLS.values():
        assert known.kind in KINDS, known
        assert known.signature == "" or known.signature.startswith("("), known
        assert "\n" not in known.summary + known.signature and len(known.summary) <= 1000, known
        assert not re.search(r":[a-z]+:`|``|\.\. \w+::", known.summary), known
        assert not re.search(r" at 0x|<class|typing\.", known.signature), known
        assert known.summary.count("`") % 2 == 0, known
        assert known.url.startswith("https://docs.pytorch.org/docs/stable/") and " " not in known.url, known


def test_bases_and_aliases_lead_somewhere() -> None:
    for known in SYMBOLS.values():
        assert all(base in SYMBOLS for base in known.bases), known
        assert known.alias_of is None or known.alias_of in SYMBOLS, known


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("torch.abs", "generated/torch.abs.html"),
        ("torch.Tensor.view", "generated/torch.Tensor.view.html"),
        ("torch.nn.Linear", "generated/torch.nn.Linear.html"),
        ("torch.nn.Module.zero_grad", "generated/torch.nn.Module.html#torch.nn.Module.zero_grad"),
        ("torch.optim.Optimizer.zero_grad", "generated/torch.optim.Optimizer.zero_grad.html"),
        ("torch.optim.SGD.step", "generated/torch.optim.SGD.html#torch.optim.SGD.step"),
        ("torch.utils.data.DataLoader", "data.html#torch.utils.data.DataLoader"),
        ("torch.nn.init.kaiming_normal_", "nn.init.html#torch.nn.init.kaiming_normal_"),
        ("torch.autocast", "amp.html#torch.autocast"),
        ("torch.float", "tensor_attributes.html#torch.dtype"),
        ("torch.nn.Parameter", "generated/torch.nn.parameter.Parameter.html"),
        ("torch.cudnn_convolution", "search.html?q=torch.cudnn_convolution"),
    ],
)
def test_links(name: str, url: str) -> None:
    found = symbol(name)
    assert found is not None and found.url == f"https://docs.pytorch.org/docs/stable/{url}"


def test_handwritten_names_exist(torch: Any) -> None:
    table = read_toml(
        (data_root() / "symbols/handwritten.toml").read_text(encoding="utf-8"), "handwritten.toml"
    )
    assert [name for name in table["lines"] if name not in SYMBOLS] == []
    added = [name for name, fields in table["entries"].items() if "kind" in fields]
    assert [name for name in added if name not in SYMBOLS] == []
    instance_only = re.compile(r"torch\.(nn|optim|utils)\.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in (name for name in added if not instance_only.match(name)):
            assert _reach(torch, name) is not _MISSING, name


def test_a_card_answers_for_its_symbols_in_every_spelling() -> None:
    found = card_for("torch.optim.Optimizer.zero_grad")
    assert found is not None and card_for("torch.optim.optimizer.Optimizer.zero_grad") == found
    assert card_for("torch.no.such.name") is None


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("torch.optim.Adam.step", "optimizers"),
        ("torch.distributed.ReduceOp.SUM", "collectives"),
        ("torch.distributed.distributed_c10d.ReduceOp.AVG", "collectives"),
        ("torch.utils.checkpoint.CheckpointPolicy.MUST_SAVE", "activation-checkpointing"),
        ("torch.distributed.ReduceOp.NO_SUCH", None),
        ("torch.nn.Linear.SUM", None),
        ("torch.ops.aten.mm.default", "custom-ops"),
        ("torch.opsy.aten", None),
    ],
)
def test_what_no_card_lists_has_the_card_of_what_it_belongs_to(name: str, slug: str | None) -> None:
    found = card_for(name)
    assert (found and found.slug) == slug


_MISSING = object()


def _reach(torch: types.ModuleType, name: str) -> Any:
    value: Any = torch
    path = "torch"
    for part in name.split(".")[1:]:
        path = f"{path}.{part}"
        try:
            value = getattr(value, part)
        except AttributeError:
            try:
                value = importlib.import_module(path)
            except ImportError:
                return _MISSING
    return value


def _is_plumbing(value: Any) -> bool:
    """TorchScript's own classes, which torch exports without documentation."""
    return type(value).__name__ == "pybind11_type" and getattr(value, "__module__", "") in (
        "torch",
        "torch._C",
    )


def _is_defined_in(value: Any, module_name: str) -> bool:
    home = "torch" if module_name == "torch.linalg" else module_name
    return callable(value) and str(getattr(value, "__module__", "")).startswith(home)
