"""Insertable training and evaluation loops do their job on real objects of the kinds that the holes name."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the snippets train real models")
np = pytest.importorskip("numpy", reason="one of the snippets seeds NumPy")

from insert_support import (  # noqa: E402
    CLASSES,
    loss_of,
    parameters_of,
    prepared,
    recorded_gradients,
    run,
    same,
    toy_dataset,
)
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402


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


def recorded_rates(optimizer: torch.optim.Optimizer) -> list[float]:
    """A list that grows by the rate of each step that is about to be taken."""
    rates: list[float] = []
    optimizer.register_step_pre_hook(lambda stepped, *_: rates.append(stepped.param_groups[0]["lr"]))
    return rates


def test_the_rate_warms_up_and_decays_to_nothing_in_the_steps_there_are() -> None:
    names = prepared("warmup-cosine", size=128)
    base, rates = names["optimizer"].param_groups[0]["lr"], recorded_rates(names["optimizer"])
    run("warmup-cosine", names)
    warmup = names["warmup_steps"]
    assert len(rates) == names["total_steps"] == 80 and warmup == 4
    assert rates[0] == pytest.approx(base / 100)
    assert rates[: warmup + 1] == sorted(rates[: warmup + 1]) and rates[warmup] == pytest.approx(base)
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)
    assert names["scheduler"].get_last_lr()[0] == pytest.approx(0, abs=1e-9)


def test_the_schedule_holds_for_a_loader_of_one_batch() -> None:
    names = prepared("warmup-cosine", size=8)
    rates = recorded_rates(names["optimizer"])
    run("warmup-cosine", names)
    assert len(rates) == 10 and rates[1] == max(rates)


def test_the_moving_average_is_that_of_the_weights_after_every_step() -> None:
    names = prepared("ema-weights", with_modes=True)
    model, expected = names["model"], []

    def follow(*_: Any) -> None:
        state = {
            name: value.clone() for name, value in model.state_dict().items() if value.is_floating_point()
        }
        for name, value in expected[-1].items() if expected else ():
            state[name] = 0.999 * value + 0.001 * state[name]
        expected.append(state)

    names["optimizer"].register_step_post_hook(follow)
    run("ema-weights", names)
    averaged = names["averaged"].state_dict()
    assert len(expected) == 60 and not names["averaged"].training
    assert list(averaged) == list(model.state_dict()), "the average is saved under the model's own names"
    torch.testing.assert_close({name: averaged[name] for name in expected[-1]}, expected[-1])
    assert not torch.equal(averaged["1.running_mean"], model.state_dict()["1.running_mean"])


def test_gradients_are_clipped_together_and_told_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    names = prepared("gradient-clipping")
    steep = names["criterion"]
    names["criterion"] = lambda outputs, targets: 1000 * steep(outputs, targets)
    applied = recorded_gradients(names["optimizer"])
    run("gradient-clipping", names)
    norms = [torch.cat([gradient.flatten() for gradient in step]).norm().item() for step in applied]
    assert len(norms) == 6 and norms == pytest.approx([1.0] * 6, rel=1e-4)
    assert float(capsys.readouterr().out.split()[-1]) > 100


def test_small_gradients_are_not_scaled_up() -> None:
    names, twin = prepared("gradient-clipping"), prepared("training-loop")
    gentle = nn.CrossEntropyLoss()
    names["criterion"] = twin["criterion"] = lambda outputs, targets: gentle(outputs, targets) / 100
    clipped, plain = recorded_gradients(names["optimizer"]), recorded_gradients(twin["optimizer"])
    run("gradient-clipping", names)
    run("training-loop", twin)
    torch.testing.assert_close(clipped, plain)


def test_the_log_has_a_row_for_each_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = prepared("csv-logging")
    run("csv-logging", names)
    with (tmp_path / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(10)]
    assert float(rows[-1]["loss"]) == pytest.approx(names["mean_loss"]) and {row["lr"] for row in rows} == {
        "0.1"
    }
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]) / 2
    assert not names["loss_sum"].requires_grad


def test_the_log_of_a_run_that_breaks_off_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = prepared("csv-logging")
    criterion, calls = names["criterion"], []

    def breaks_in_the_third_epoch(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > 2 * len(names["loader"]):
            # What was not flushed is lost with a process that is killed: look before the file is closed.
            names["kept"] = (tmp_path / "metrics.csv").read_text(encoding="utf-8")
            raise KeyboardInterrupt
        return criterion(outputs, targets)

    names["criterion"] = breaks_in_the_third_epoch
    with pytest.raises(KeyboardInterrupt):
        run("csv-logging", names)
    assert len(names["kept"].splitlines()) == 3


def test_the_range_test_finds_a_rate_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    names = prepared("lr-range-test")
    before = parameters_of(names["model"])
    run("lr-range-test", names)
    assert same(before, parameters_of(names["model"]))
    assert names["optimizer"].param_groups[0]["lr"] == 0.1 and not names["optimizer"].state
    assert not same(before, parameters_of(names["probe"])), "the optimizer's copy steps the model's copy"
    assert len(names["loader"]) < names["step"] < 199, (
        "it goes round the data again, and ends once it diverges"
    )
    assert 1e-3 < names["best_rate"] < 10
    assert f"start with {names['best_rate'] / 10:.1e}" in capsys.readouterr().out


def test_the_range_test_ends_at_a_loss_that_is_not_a_number() -> None:
    names = prepared("lr-range-test")
    losses = iter([1.0, 0.5, float("nan")])
    names["criterion"] = lambda outputs, targets: outputs.mean() * 0 + next(losses)
    run("lr-range-test", names)
    assert names["step"] == 2 and names["best_loss"] == pytest.approx(0.95)


def test_gradients_are_told_by_name_and_those_that_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.ModuleDict({"used": nn.Linear(4, 2), "idle": nn.Linear(4, 2), "frozen": nn.Linear(4, 2)})
    model["frozen"].requires_grad_(False)
    model["used"](torch.ones(1, 4)).sum().backward()
    run("gradient-norms", {"model": model})
    *told, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["used.weight", "used.bias"]
    assert float(told[0].split()[2]) == pytest.approx(8**0.5, rel=0.05)
    assert last == "no gradient: idle.weight, idle.bias"
    model.zero_grad()
    run("gradient-norms", {"model": model})
    assert capsys.readouterr().out == "no gradient: used.weight, used.bias, idle.weight, idle.bias\n"


@pytest.mark.parametrize("size", [160, 64], ids=["more batches than steps", "fewer"])
def test_the_profiler_tells_where_time_goes(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = prepared("profiler", size=size)
    steps = recorded_gradients(names["optimizer"])
    run("profiler", names)
    assert len(steps) == min(5, size // 16)
    assert "aten::addmm" in capsys.readouterr().out
    trace = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))
    forwards = [event for event in trace["traceEvents"] if event.get("name") == "aten::cross_entropy_loss"]
    assert len(forwards) == len(steps) - 2, "the first two steps are left out"


def test_the_evaluation_in_mixed_precision_agrees_with_the_exact_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = prepared("amp-evaluation", with_modes=True)
    model, seen = names["model"], set()
    before = parameters_of(model)
    hook = model[0].register_forward_hook(lambda module, args, output: seen.add(output.dtype) or None)
    run("amp-evaluation", names)
    hook.remove()
    assert seen == {torch.bfloat16} and names["outputs"].dtype == torch.float32
    assert same(before, parameters_of(model)) and {p.dtype for p in model.parameters()} == {torch.float32}
    exact = loss_of(model, names["loader"])
    assert float(capsys.readouterr().out.split()[1].strip(",")) == pytest.approx(exact, rel=0.02)


def test_classes_come_in_the_order_of_the_data() -> None:
    names = prepared("predict", with_modes=True)
    model, (inputs, _) = names["model"], names["loader"].dataset.tensors
    run("predict", names)
    with torch.no_grad():
        expected = model(inputs).softmax(dim=1)
    assert not model.training and not names["probabilities"].requires_grad
    torch.testing.assert_close(names["probabilities"], expected)
    assert torch.equal(names["classes"], expected.argmax(dim=1))
    assert torch.equal(names["confidence"], names["probabilities"].amax(dim=1))


def test_the_confusion_matrix_counts_every_pair() -> None:
    names = prepared("confusion-matrix", with_modes=True)
    inputs, targets = names["loader"].dataset.tensors
    names["loader"] = DataLoader(TensorDataset(inputs, targets.clamp(max=1)), batch_size=16)  # class 2: none
    run("confusion-matrix", names)
    with torch.no_grad():
        predicted = names["model"](inputs).argmax(dim=1)
    counts = [
        [int(((targets.clamp(max=1) == true) & (predicted == said)).sum()) for said in range(CLASSES)]
        for true in range(CLASSES)
    ]
    assert names["matrix"].tolist() == counts and sum(map(sum, counts)) == 90
    for true in range(CLASSES):
        assert names["recall"][true].item() == pytest.approx(counts[true][true] / max(1, sum(counts[true])))
        said = sum(row[true] for row in counts)
        assert names["precision"][true].item() == pytest.approx(counts[true][true] / max(1, said))
