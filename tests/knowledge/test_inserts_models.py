"""Insertable snippets about models (layers, weights, export) do their job on real ones."""

from __future__ import annotations

import copy
import functools
import importlib.util
import itertools
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the snippets work on real models")

from insert_support import FEATURES, parameters_of, prepared, run, same, toy_model  # noqa: E402
from torch import nn  # noqa: E402
from torch.autograd.graph import saved_tensors_hooks  # noqa: E402


class Classifier(nn.Module):
    """A backbone with a BatchNorm, and a head: what one fine-tunes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Sequential(nn.Linear(FEATURES, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(x))


def test_only_matrices_decay() -> None:
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    model[3].requires_grad_(False)
    names = run("parameter-groups", {"model": model})
    decay = {
        id(p): group["weight_decay"] for group in names["optimizer"].param_groups for p in group["params"]
    }
    told = {name: decay.get(id(p)) for name, p in model.named_parameters()}
    assert [name for name, rate in told.items() if rate == 0.1] == ["0.weight", "1.weight"]
    assert [name for name, rate in told.items() if rate == 0] == ["1.bias", "2.weight", "2.bias"]
    assert [name for name, rate in told.items() if rate is None] == ["3.weight", "3.bias"]


def test_a_frozen_backbone_stays_as_it_is_to_the_last_statistic() -> None:
    model = Classifier()
    names = run("freeze-backbone", {"backbone": model.backbone, "head": model.head})
    before, head = parameters_of(model.backbone), parameters_of(model.head)
    step(model, names["optimizer"])
    assert same(before, parameters_of(model.backbone)) and not same(head, parameters_of(model.head))
    assert all(p.grad is None for p in model.backbone.parameters())


def test_an_unfrozen_backbone_moves_at_a_tenth_of_the_rate() -> None:
    model = Classifier()
    names = run("freeze-backbone", {"backbone": model.backbone, "head": model.head})
    run("unfreeze-backbone", {"backbone": model.backbone, "optimizer": names["optimizer"]})
    assert [group["lr"] for group in names["optimizer"].param_groups] == pytest.approx([1e-3, 1e-4])
    before = parameters_of(model.backbone)
    step(model, names["optimizer"])
    after = parameters_of(model.backbone)
    assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    # AdamW's first step moves each weight by the rate itself, and by its decay of a hundredth of that.
    assert (after[0] - before[0]).abs().max().item() == pytest.approx(1e-4, rel=0.05)


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    torch.manual_seed(1)
    model(torch.randn(32, FEATURES)).square().mean().backward()
    optimizer.step()


def test_checkpointing_keeps_less_and_gives_the_same_gradients() -> None:
    plain = nn.Sequential(
        *[
            nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.Tanh(), nn.Dropout(0.5), nn.Tanh())
            for _ in range(8)
        ]
    )
    saving = copy.deepcopy(plain)
    run("gradient-checkpointing", {"model": saving})
    assert list(saving.state_dict()) == list(plain.state_dict())
    assert kept_bytes(saving) < kept_bytes(plain) / 2
    for ours, theirs in zip(saving.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours.grad, theirs.grad), "the masks of dropout were drawn again alike"
    with torch.no_grad():
        x = torch.randn(3, FEATURES)
        assert torch.equal(saving.eval()(x), plain.eval()(x))


def test_a_copy_of_a_checkpointed_model_computes_with_its_own_weights() -> None:
    model = toy_model()
    run("gradient-checkpointing", {"model": model})
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    x = torch.ones(1, FEATURES)
    assert twin(x).abs().max() == 0 and model(x).abs().max() > 0


def kept_bytes(model: nn.Module) -> int:
    """How much the graph of a forward keeps besides the parameters; runs backward too."""
    parameters = {p.data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.nbytes
        return tensor

    torch.manual_seed(1)
    x = torch.randn(64, FEATURES)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model(x).square().mean()
    loss.backward()
    return sum(size for place, size in kept.items() if place not in parameters)


def test_the_exported_file_takes_any_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = prepared("onnx-export", with_modes=True)
    if importlib.util.find_spec("onnxscript") is None:
        with pytest.raises(ModuleNotFoundError, match="onnx"):
            run("onnx-export", names)
        # What the exporter does first needs no other package: the program that it would translate.
        shapes = ({0: torch.export.Dim("batch")},)
        captured = torch.export.export(names["model"], (names["inputs"],), dynamic_shapes=shapes)
        assert not names["model"].training and captured.module()(torch.ones(5, FEATURES)).shape == (5, 3)
        return
    run("onnx-export", names)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"], "the weights are in it"
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert [graph.input[0].name, graph.output[0].name] == ["inputs", "outputs"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param
    assert "Dropout" not in {node.op_type for node in graph.node}


def test_the_custom_backward_is_that_of_autograd() -> None:
    names = run("custom-function", {})
    torch.manual_seed(0)
    x = torch.randn(50, dtype=torch.float64, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    ours, plain = names["SquaredReLU"].apply(x, 3.0), 3.0 * y.clamp(min=0).square()
    assert torch.equal(ours, plain)
    ours.sum().backward()
    plain.sum().backward()
    torch.testing.assert_close(x.grad, y.grad)


def test_the_check_of_a_custom_backward_would_see_a_mistake() -> None:
    names = run("custom-function", {})
    function = names["SquaredReLU"]
    function.backward = staticmethod(lambda ctx, grad: (grad * ctx.saved_tensors[0].clamp(min=0), None))
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(function.apply, (names["example"], 3.0))


def test_shapes_are_printed_once_and_nothing_stays_behind(capsys: pytest.CaptureFixture[str]) -> None:
    names = prepared("shape-hooks", with_modes=True)
    before = parameters_of(names["model"])
    run("shape-hooks", names)
    rows = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["0", "Linear", "(16, 32)"] and rows[-1] == ["4", "Linear", "(16, 3)"]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4"]
    names["model"](torch.ones(2, FEATURES))
    assert capsys.readouterr().out == "" and same(before, parameters_of(names["model"]))


def test_shapes_are_printed_up_to_the_layer_that_raises(capsys: pytest.CaptureFixture[str]) -> None:
    names = prepared("shape-hooks")
    names["model"] = nn.Sequential(nn.Linear(FEATURES, 8), nn.ReLU(), nn.Linear(9, 2))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run("shape-hooks", names)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["0", "1"]
    assert not any(module._forward_hooks for module in names["model"].modules())


def test_layers_that_give_more_than_a_tensor_are_told_by_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    names = prepared("shape-hooks")
    names["model"] = nn.LSTM(FEATURES, 5, batch_first=True)
    run("shape-hooks", names)
    assert capsys.readouterr().out.split() == ["LSTM", "tuple"]


@pytest.fixture
def compiled_graphs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The graphs that torch.compile makes from now on, without the C++ compiler that its default needs."""
    graphs: list[Any] = []

    def note(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    torch.compiler.reset()
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=note))
    return graphs


def test_compiling_in_place_keeps_names_and_result(compiled_graphs: list[Any]) -> None:
    model, x = Classifier().eval(), torch.ones(2, FEATURES)
    names, expected = list(model.state_dict()), model(x)
    run("compile-model", {"model": model})
    assert not compiled_graphs, "nothing is compiled before the first call"
    torch.testing.assert_close(model(x), expected)
    assert len(compiled_graphs) == 1 and list(model.state_dict()) == names
    copy.deepcopy(model)


def test_a_bare_sequential_is_not_compiled_in_place(compiled_graphs: list[Any]) -> None:
    model = toy_model()
    run("compile-model", {"model": model})
    model(torch.ones(2, FEATURES))
    assert not compiled_graphs, "the snippet says that it is not: take that out"


def test_a_shared_weight_counts_once(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(10, 4), "norm": nn.BatchNorm1d(4), "out": nn.Linear(4, 10)})
    model["out"].weight = model["embed"].weight
    model["norm"].requires_grad_(False)
    names = run("model-summary", {"model": model})
    *parts, last = capsys.readouterr().out.splitlines()
    assert [tuple(line.split()) for line in parts] == [
        ("embed", "Embedding", "40"),
        ("norm", "BatchNorm1d", "8"),
        ("out", "Linear", "50"),
    ]
    assert last.startswith("58 parameters, 50 trained")
    assert names["size"] == 4 * (58 + 8) + 8, "float32, running statistics, one int64"


def test_initialised_weights_keep_the_size_of_activations() -> None:
    layers = [[nn.Linear(256, 256), nn.ReLU()] for _ in range(20)]
    deep = nn.Sequential(*itertools.chain(*layers))
    x = torch.randn(512, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = deep(x).square().mean().item()
        torch.manual_seed(0)
        run("weight-init", {"model": deep})
        after = deep(x).square().mean().item()
    assert before < 1e-3 and 0.1 < after < 10
    assert all(p.abs().max() == 0 for name, p in deep.named_parameters() if name.endswith("bias"))


def test_initialising_leaves_padding_and_norms() -> None:
    model = nn.Sequential(nn.Embedding(100, 64, padding_idx=3), nn.Linear(64, 4, bias=False), nn.LayerNorm(4))
    run("weight-init", {"model": model})
    assert model[0].weight[3].abs().max() == 0 and model[0].weight.std().item() == pytest.approx(
        0.02, rel=0.1
    )
    assert torch.equal(model[2].weight, torch.ones(4)) and model[0].weight.requires_grad
