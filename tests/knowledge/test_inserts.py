"""Every insertable snippet does its job on real objects of the kinds that its holes name."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torchlore.analysis import analyze
from torchlore.knowledge import Insert, insert, inserts
from torchlore.rules import check
from torchlore.text import Source

torch = pytest.importorskip("torch", reason="the snippets train real models")
np = pytest.importorskip("numpy", reason="one of the snippets seeds NumPy")

from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

ROOT = Path(__file__).parents[2]
CLASSES, FEATURES = 3, 4
FROM_SCOPE = {"save-checkpoint": {"epoch"}}  # names that a snippet takes as they are, without a hole


def toy_dataset(size: int, seed: int = 0) -> TensorDataset:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(size, FEATURES, generator=generator)
    return TensorDataset(inputs, inputs[:, :CLASSES].argmax(dim=1))


def toy_model(*, with_modes: bool = False) -> nn.Module:
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2)] if with_modes else [nn.ReLU()]
    return nn.Sequential(nn.Linear(FEATURES, 32), *middle, nn.Linear(32, CLASSES))


def objects(found: Insert, model: nn.Module, loader: DataLoader[Any]) -> dict[str, Any]:
    """A real object for each hole, by the hole's kind."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    of_kind = {
        "Module": model,
        "DataLoader": loader,
        "Optimizer": optimizer,
        "Scheduler": torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5),
        "Loss": nn.CrossEntropyLoss(),
        "Device": torch.device("cpu"),
    }
    return {hole.name: of_kind[hole.kind] for hole in found.holes}


def run(slug: str, names: dict[str, Any]) -> dict[str, Any]:
    """Execute the snippet with its imports; returns the names that it leaves behind."""
    found = insert(slug)
    assert found is not None
    exec(compile("\n".join([*found.imports, found.body]), f"{slug}.py", "exec"), names)  # noqa: S102
    return names


def prepared(slug: str, *, size: int = 90, batch: int = 16, **model_options: bool) -> dict[str, Any]:
    found = insert(slug)
    assert found is not None
    torch.manual_seed(0)
    return objects(found, toy_model(**model_options), DataLoader(toy_dataset(size), batch_size=batch))


def loss_of(model: nn.Module, loader: DataLoader[Any]) -> float:
    inputs, targets = loader.dataset.tensors
    with torch.no_grad():
        return float(nn.functional.cross_entropy(model.eval()(inputs), targets))


def parameters_of(model: nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def same(left: list[torch.Tensor], right: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def test_the_training_loop_trains() -> None:
    names = prepared("training-loop", with_modes=True)
    model, loader = names["model"], names["loader"]
    before = loss_of(model, loader)
    for _ in range(10):
        run("training-loop", names)
        assert model.training
    assert loss_of(model, loader) < before / 3


def test_the_evaluation_loop_measures_and_changes_nothing() -> None:
    names = prepared("evaluation-loop", with_modes=True)
    model, loader = names["model"], names["loader"]
    before = parameters_of(model)
    run("evaluation-loop", names)
    assert not model.training and same(before, parameters_of(model))
    assert len(loader.dataset) % loader.batch_size, "the last batch must be smaller to prove the weighting"
    assert names["mean_loss"] == pytest.approx(loss_of(model, loader), rel=1e-5)
    inputs, targets = loader.dataset.tensors
    assert names["accuracy"] == pytest.approx((model(inputs).argmax(1) == targets).float().mean().item())
    assert not names["outputs"].requires_grad


def test_the_amp_loop_computes_in_low_precision_and_trains() -> None:
    names = prepared("amp-loop")
    model, loader = names["model"], names["loader"]
    before, seen = loss_of(model, loader), set()
    hook = model.register_forward_hook(lambda module, args, output: seen.add(output.dtype) or None)
    run("amp-loop", names)
    hook.remove()
    assert seen == {torch.bfloat16} and {p.dtype for p in model.parameters()} == {torch.float32}
    assert loss_of(model, loader) < before / 2


@pytest.mark.parametrize("size", [32, 40, 56], ids=["one group", "a group of one left", "three left"])
def test_accumulated_gradients_equal_those_of_the_large_batch(size: int) -> None:
    names = prepared("gradient-accumulation", size=size, batch=8)
    twin = prepared("training-loop", size=size, batch=32)  # four batches of eight in one
    applied, expected = recorded_gradients(names["optimizer"]), recorded_gradients(twin["optimizer"])
    run("gradient-accumulation", names)
    run("training-loop", twin)
    assert len(applied) == len(expected) == -(-size // 32)
    torch.testing.assert_close(applied, expected)
    assert all(p.grad is None for p in names["model"].parameters())


def recorded_gradients(optimizer: torch.optim.Optimizer) -> list[list[torch.Tensor]]:
    """A list that grows by the gradients that each step is about to apply."""
    record: list[list[torch.Tensor]] = []

    def note(stepped: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        record.append([p.grad.clone() for group in stepped.param_groups for p in group["params"]])

    optimizer.register_step_pre_hook(note)
    return record


def test_a_resumed_run_goes_on_as_the_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = prepared("save-checkpoint") | {"epoch": 3}
    train_two_epochs(names)
    run("save-checkpoint", names)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]

    resumed = prepared("load-checkpoint")
    run("load-checkpoint", resumed)
    assert resumed["start_epoch"] == 4
    assert same(parameters_of(names["model"]), parameters_of(resumed["model"]))
    for either in (names, resumed):
        train_two_epochs(either)
    assert same(parameters_of(names["model"]), parameters_of(resumed["model"]))
    assert names["scheduler"].get_last_lr() == resumed["scheduler"].get_last_lr() == [0.025]


def train_two_epochs(names: dict[str, Any]) -> None:
    torch.manual_seed(1)
    shared = {name: names[name] for name in ("model", "optimizer")}
    rest = {"loader": DataLoader(toy_dataset(64), batch_size=16), "criterion": nn.CrossEntropyLoss()}
    for _ in range(2):
        run("training-loop", shared | rest | {"device": torch.device("cpu")})
        names["scheduler"].step()


def test_seeding_repeats_every_generator() -> None:
    drawn = []
    for _ in range(2):
        run("seed-everything", {})
        drawn.append((random.random(), np.random.rand(), torch.rand(3).tolist()))
    assert drawn[0] == drawn[1]


def test_the_model_is_on_the_chosen_device() -> None:
    names = prepared("device-setup")
    run("device-setup", names)
    expected = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    assert names["device"] == torch.device(expected)
    assert {p.device.type for p in names["model"].parameters()} == {names["device"].type}


def test_early_stopping_stops_and_keeps_the_best_weights() -> None:
    names = prepared("early-stopping", size=48)
    inputs, targets = toy_dataset(64, seed=1).tensors
    noise = torch.randint(CLASSES, targets.shape, generator=torch.Generator().manual_seed(0))
    noisy = torch.where(torch.arange(len(targets)) % 3 == 0, noise, targets)
    names["val_loader"] = DataLoader(TensorDataset(inputs, noisy), batch_size=24)
    first = loss_of(names["model"], names["val_loader"])
    run("early-stopping", names)
    assert 5 <= names["epoch"] < 99, "a third of the labels is noise: overfitting raises the loss early"
    assert names["best_loss"] < first and names["best_loss"] < names["val_loss"]
    assert loss_of(names["model"], names["val_loader"]) == pytest.approx(names["best_loss"], rel=1e-5)


def test_one_batch_is_learnt_by_heart_and_the_model_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    names = prepared("overfit-one-batch", size=32, batch=8)
    before = parameters_of(names["model"])
    run("overfit-one-batch", names)
    losses = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 6 and losses[-1] < 0.1 < losses[0]
    assert same(before, parameters_of(names["model"]))


def test_every_insert_file_is_read_and_tested_here() -> None:
    files = {path.stem for path in (ROOT / "knowledge" / "inserts").glob("*.py")}
    assert files == {found.slug for found in inserts()}
    text = Path(__file__).read_text(encoding="utf-8")
    assert [slug for slug in sorted(files) if f'run("{slug}"' not in text] == []


def each_insert(test: Callable[..., None]) -> Callable[..., None]:
    known = inserts()
    return pytest.mark.parametrize("found", known, ids=[one.slug for one in known])(test)


@each_insert
def test_free_names_are_holes_or_imports(found: Insert) -> None:
    tree = ast.parse("\n".join([*found.imports, found.body]))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bound = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    imported = {
        (alias.asname or alias.name)
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    holes = {hole.name for hole in found.holes}
    assert holes <= used, "a hole that the body never mentions"
    assert imported <= used, "an import that the body never needs"
    free = used - bound - imported - holes - set(dir(builtins))
    assert free == FROM_SCOPE.get(found.slug, set())


@each_insert
def test_holes_may_be_filled_with_attributes(found: Insert) -> None:
    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if node.id not in {hole.name for hole in found.holes}:
                return node
            return ast.Attribute(ast.Name("self", ast.Load()), node.id, node.ctx)

    filled = Fill().visit(ast.parse(found.body))
    compile(ast.fix_missing_locations(filled), found.slug, "exec")


@each_insert
def test_no_rule_finds_fault_with_an_insert(found: Insert) -> None:
    source = Source("\n".join([*found.imports, found.body]), f"{found.slug}.py", 0)
    assert check(analyze(source)) == []
