"""The index knows since when torch has a name, and says so where it matters.

The facts were read off the wheels by searching their text, not by the tool that makes the index.
"""

from __future__ import annotations

import pytest
from torchlore.knowledge import Symbol, deprecation_note, resolve, symbol, version_note, within
from torchlore.knowledge.index_file import read_index
from torchlore.knowledge.symbols import index_path


@pytest.mark.parametrize(
    ("name", "since", "removed"),
    [
        ("torch.accelerator", "2.6", None),
        ("torch.accelerator.empty_cache", "2.9", None),
        ("torch.compiler.nested_compile_region", "2.8", None),
        ("torch.compiler.set_stance", "2.6", None),
        ("torch.cuda.MemPool", "2.5", None),
        ("torch.cuda.MemPoolContext", "2.5", "2.8"),
        ("torch.distributed.all_gather_single", "2.13", None),
        ("torch.distributed.fsdp.fully_shard", "2.6", None),
        ("torch.distributed.pipeline", None, "2.4"),
        ("torch.distributed.pipelining", "2.4", None),
        ("torch.distributed.tensor.DTensor", "2.5", None),
        ("torch.export.dynamic_dim", None, "2.5"),
        ("torch.export.export_for_training", "2.5", "2.11"),
        ("torch.hash_tensor", "2.9", None),
        ("torch.library.custom_op", "2.4", None),
        ("torch.library.triton_op", "2.6", None),
        ("torch.nn.Buffer", "2.5", None),
        ("torch.nn.RMSNorm", "2.4", None),
        ("torch.nn.attention.flex_attention", "2.5", None),
        ("torch.nn.attention.varlen", "2.10", None),
        ("torch.nn.functional.grouped_mm", "2.10", None),
        ("torch.nn.functional.rms_norm", "2.4", None),
        ("torch.nn.utils.get_total_norm", "2.6", None),
        ("torch.onnx.ExportOptions", None, "2.9"),
        ("torch.onnx.dynamo_export", None, "2.9"),
        ("torch.onnx.ops", "2.8", None),
        ("torch.optim.Adafactor", "2.5", None),
        ("torch.optim.Muon", "2.9", None),
        ("torch.optim.lr_scheduler.LRScheduler.print_lr", None, "2.7"),
        ("torch.serialization.add_safe_globals", "2.4", None),
        ("torch.serialization.skip_data", "2.5", None),
        ("torch.Tensor.hash_tensor", "2.9", None),
        ("torch.Tensor.refine_names", None, "2.13"),
        ("torch.utils.bottleneck", None, "2.10"),
        # A member is as new as its class, a class as its module.
        ("torch.nn.RMSNorm.reset_parameters", "2.4", None),
        ("torch.nn.attention.flex_attention.BlockMask", "2.5", None),
        # What was there all the time, or is bound by code that the text does not show.
        ("torch.nn.Linear", None, None),
        ("torch.optim.lr_scheduler.LRScheduler", None, None),
        ("torch.get_default_device", None, None),
        ("torch.cuda.FloatTensor", None, None),
        ("torch.Tensor.view", None, None),
    ],
)
def test_since_and_removed(name: str, since: str | None, removed: str | None) -> None:
    found = resolve([name])
    assert found is not None and (found.since, found.removed) == (since, removed)


@pytest.mark.parametrize(
    ("name", "since", "use"),
    [
        ("torch.cpu.amp.autocast", "2.4", "torch.amp.autocast"),
        ("torch.cuda.amp.GradScaler", "2.4", "torch.amp.GradScaler"),
        ("torch.cuda.amp.autocast", "2.4", "torch.amp.autocast"),
        ("torch.distributed.all_gather_into_tensor", "2.13", "torch.distributed.all_gather_single"),
        ("torch.ger", None, "torch.outer"),
        ("torch.jit.annotate", "2.5", "torch.compile"),
        ("torch.jit.script", "2.10", "torch.compile"),
        ("torch.nn.init.xavier_uniform", None, "torch.nn.init.xavier_uniform_"),
        ("torch.onnx.dynamo_export", None, "torch.onnx.export"),
        (
            "torch.optim.lr_scheduler.LRScheduler.print_lr",
            "2.4",
            "torch.optim.lr_scheduler.LRScheduler.get_last_lr",
        ),
    ],
)
def test_deprecations_are_dated_and_name_a_replacement(name: str, since: str | None, use: str) -> None:
    found = symbol(name)
    assert found is not None and found.deprecated
    assert (found.deprecated_since, found.replacement) == (since, use)
    assert symbol(use) is not None


@pytest.mark.parametrize(
    ("name", "parameter", "since", "removed"),
    [
        ("torch.optim.lr_scheduler.StepLR", "verbose", None, "2.7"),
        ("torch.optim.lr_scheduler.ReduceLROnPlateau", "verbose", None, "2.7"),
        ("torch.distributed.fsdp.fully_shard", "ignored_params", "2.7", None),
        ("torch.nn.attention.sdpa_kernel", "set_priority", "2.6", None),
    ],
)
def test_parameters_come_and_go(name: str, parameter: str, since: str | None, removed: str | None) -> None:
    found = symbol(name)
    assert found is not None
    assert [(c.since, c.removed) for c in found.changes if c.name == parameter] == [(since, removed)]


def test_another_spelling_has_its_own_history() -> None:
    moved, old = symbol("torch.distributed.tensor.DTensor"), symbol("torch.distributed._tensor.DTensor")
    assert moved is not None and old is not None and old.name == moved.name
    assert moved.since == "2.5" and old.since is None
    member = symbol("torch.distributed._tensor.DTensor.from_local")
    assert member is not None and member.since is None


def test_ranges_are_well_formed() -> None:
    path = index_path()
    assert path is not None
    content = read_index(path)
    versions = [".".join(version.split(".")[:2]) for version in content["versions"]]
    assert versions[0] == "2.3" and content["torch"].startswith("2.13") and "2.14" in versions
    places = {**content["symbols"], **content["other_symbols"], **content["aliases"], **content["same_as"]}
    places |= content["other_aliases"]
    for name, claims in content["ranges"].items():
        assert name in places, name
        spans = [(claims.get("since"), claims.get("removed")), *claims.get("parameters", {}).values()]
        for since, removed in spans:
            assert {since, removed} <= {None, *versions[1:]}, name
            assert not (since and removed) or versions.index(since) < versions.index(removed), name
        assert claims.get("deprecated") in {None, *versions, "2.0", "2.1", "2.2"}, name
        assert "use" not in claims or symbol(claims["use"]) is not None, name
    assert (
        set(content["other_aliases"].values()) <= content["symbols"].keys() | content["other_symbols"].keys()
    )


def _symbol(**fields: str | None) -> Symbol:
    return Symbol("torch.f", "function", "()", "", None, "", None, (), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "torch", "says"),
    [
        ({}, None, ""),
        ({"since": "2.4"}, None, ""),
        ({"since": "2.4"}, "2.3.1", "New in torch 2.4: torch 2.3.1 does not have it."),
        ({"since": "2.5"}, None, "New in torch 2.5."),
        ({"since": "2.10"}, "2.9.1", "New in torch 2.10: torch 2.9.1 does not have it."),
        ({"since": "2.9"}, "2.10.0a0+git", "New in torch 2.9."),
        ({"since": "2.5", "removed": "2.8"}, None, "Removed in torch 2.8."),
        ({"removed": "2.8", "replacement": "torch.g"}, "2.13", "Removed in torch 2.8; use `torch.g`."),
        ({"removed": "2.10"}, "2.9.1", "Removed in torch 2.10 (torch 2.9.1 has it)."),
    ],
)
def test_one_line_where_it_matters(fields: dict[str, str], torch: str | None, says: str) -> None:
    assert version_note(_symbol(**fields), torch) == says


def test_a_deprecation_says_since_when_once() -> None:
    assert deprecation_note(_symbol()) == ""
    found = symbol("torch.cuda.amp.autocast")
    assert found is not None and deprecation_note(found).startswith(
        "**Deprecated since torch 2.4.** `torch.cuda."
    )
    found = symbol("torch.jit.annotate")
    assert found is not None and deprecation_note(found).startswith("**Deprecated.** Since torch 2.5: ")
    gone = symbol("torch.optim.lr_scheduler.LRScheduler.print_lr")
    assert gone is not None and gone.deprecated and deprecation_note(gone) == ""


def test_names_without_a_record_are_placed() -> None:
    operator = within(["torch.ops.aten.relu"])
    assert operator is not None and "`torch.relu`" in operator.summary
    private = within(["torch.jit._overload"])
    assert private is not None and private.summary.startswith("Private to `torch.jit`")
    vendor = within(["torch.npu.current_device"])
    assert vendor is not None and "torch_npu" in vendor.summary


@pytest.mark.parametrize("name", ["torch.nn.Liner", "torch.no_such", "torch", "numpy._private", ""])
def test_misspelled_names_are_not_placed(name: str) -> None:
    assert within([name]) is None
