"""Insertable snippets about data do their job on real datasets, in real worker processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the snippets load real data")

from gloo_support import run_with_gloo  # noqa: E402
from insert_support import parameters_of, prepared, run, same, toy_dataset  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402
from torchlore.knowledge import insert  # noqa: E402

needs_fork = pytest.mark.skipif(
    multiprocessing.get_start_method() != "fork",
    reason="what a snippet defines when it is executed here cannot be sent to a spawned worker",
)


def test_files_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    FileDataset = run("dataset-class", {})["FileDataset"]
    paths = [tmp_path / f"{number}.pt" for number in range(5)]
    dataset = FileDataset(paths, labels=[0, 1, 2, 0, 1], transform=lambda sample: sample * 10)
    for number, path in enumerate(paths):  # later than the dataset: it has read nothing yet
        torch.save(torch.full((2,), float(number)), path)
    assert len(dataset) == 5
    inputs, targets = next(iter(DataLoader(dataset, batch_size=5)))
    assert inputs[:, 0].tolist() == [0, 10, 20, 30, 40] and targets.tolist() == [0, 1, 2, 0, 1]
    assert targets.dtype == torch.int64
    with pytest.raises(ValueError, match="5 paths, but 4 labels"):
        FileDataset(paths, labels=[0, 1, 2, 0])


def test_sequences_are_padded_to_the_longest_of_their_batch() -> None:
    lengths = [3, 1, 4, 2] * 20
    samples = [(torch.zeros(length, 2), length) for length in lengths]  # data that equal the padding
    loader = run("collate-padding", {"dataset": samples})["loader"]
    seen = []
    for padded, is_padding, labels in loader:
        assert padded.shape == (len(labels), labels.max(), 2) and is_padding.dtype == torch.bool
        assert torch.equal((~is_padding).sum(dim=1), labels)
        assert not is_padding[:, 0].any() and torch.equal(is_padding, is_padding.sort(dim=1).values)
        seen += labels.tolist()
    assert sorted(seen) == sorted(lengths)


class OwnProcess(Dataset):
    """Which process made the sample."""

    def __len__(self) -> int:
        return 130

    def __getitem__(self, index: int) -> tuple[int, int]:
        return index, os.getpid()


@needs_fork
def test_the_loader_has_workers_that_stay_and_whole_batches() -> None:
    loader = run("dataloader", {"dataset": OwnProcess()})["loader"]
    epochs = [list(loader), list(loader)]
    assert [len(indices) for indices, _ in epochs[0]] == [64, 64], "the two samples left over are dropped"
    orders = [torch.cat([indices for indices, _ in epoch]).tolist() for epoch in epochs]
    assert orders[0] != orders[1] and len(set(orders[0])) == 128
    first, second = ({pid for _, pids in epoch for pid in pids.tolist()} for epoch in epochs)
    assert os.getpid() not in first and first == second


class Augmented(Dataset):
    """Adds noise from a generator of its own, as augmentation does."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(5)

    def __len__(self) -> int:
        return 256

    def __getitem__(self, index: int) -> tuple[int, torch.Tensor]:
        return index, torch.rand((), generator=self.generator)


@needs_fork
def test_a_run_repeats_its_order_and_its_noise() -> None:
    runs = []
    for seed in (1, 2):
        torch.manual_seed(seed)  # what else draws random numbers is another matter
        torch.rand(seed)
        loader = run("reproducible-dataloader", {"dataset": Augmented()})["loader"]
        runs.append([torch.cat(parts) for _ in range(2) for parts in zip(*loader, strict=True)])
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
    first_order, first_noise, second_order, second_noise = runs[0]
    assert not torch.equal(first_order, second_order)
    assert len({*first_noise.tolist(), *second_noise.tolist()}) > 500, "workers and epochs draw other numbers"


@needs_fork
def test_without_the_seeding_workers_draw_the_same_noise() -> None:
    loader = DataLoader(Augmented(), batch_size=64, num_workers=2)
    _, noise = (torch.cat(parts) for parts in zip(*loader, strict=True))
    assert torch.equal(noise[:64], noise[64:128])


def test_a_split_is_the_same_in_every_run() -> None:
    splits = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        names = run("train-val-split", {"dataset": toy_dataset(90)})
        splits.append((sorted(names["train_set"].indices), sorted(names["val_set"].indices)))
    assert splits[0] == splits[1]
    train, val = splits[0]
    assert len(train) == 72 and sorted(train + val) == list(range(90))
    in_order = torch.cat([inputs for inputs, _ in names["val_loader"]])
    assert torch.equal(in_order, torch.stack([sample for sample, _ in names["val_set"]]))
    shuffled = torch.cat([inputs for inputs, _ in names["train_loader"]])
    assert not torch.equal(shuffled, torch.stack([sample for sample, _ in names["train_set"]]))


def test_every_sample_validates_once_on_a_model_that_never_saw_it(capsys: pytest.CaptureFixture[str]) -> None:
    names = prepared("k-fold", size=93)
    before = parameters_of(names["model"])
    run("k-fold", names)
    assert sorted(torch.cat(names["folds"]).tolist()) == list(range(93))
    assert [len(fold) for fold in names["folds"]] == [19, 19, 19, 18, 18]
    assert set(names["rest"].tolist()).isdisjoint(names["held_out"].tolist())
    assert same(before, parameters_of(names["model"])), "each fold trains a copy"
    assert not same(before, parameters_of(names["candidate"]))
    assert len(names["scores"]) == 5 and all(0 <= score <= 1 for score in names["scores"])
    mean = sum(names["scores"]) / 5
    assert f"accuracy {mean:.1%}" in capsys.readouterr().out


BEFORE_DDP = """
import os
from torch import nn
from torch.utils.data import Dataset

class Noted(Dataset):
    def __init__(self):
        self.seen = []
    def __len__(self):
        return 64
    def __getitem__(self, index):
        self.seen.append(index)
        return torch.full((4,), index / 64), index % 3

torch.manual_seed(int(os.environ["RANK"]))
model, dataset, criterion = nn.Linear(4, 3), Noted(), nn.CrossEntropyLoss()
first = model.bias.detach().clone()
"""
AFTER_DDP = """
told = {"weights": model.state_dict(), "seen": dataset.seen, "first": first}
torch.save(told, f"rank{os.environ['RANK']}.pt")
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch is built without it")
def test_two_processes_train_one_model_on_halves_of_the_data(tmp_path: Path) -> None:
    found = insert("ddp-training")
    assert found is not None
    program = tmp_path / "train.py"
    program.write_text("\n".join([*found.imports, BEFORE_DDP, found.body, AFTER_DDP]), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "train.py",
    ]
    done = run_with_gloo(
        command, tmp_path, {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    )
    assert done.returncode == 0, done.stderr
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    saved = torch.load(tmp_path / "model.pt", weights_only=True)
    assert sorted(saved) == ["bias", "weight"]
    for name, weight in saved.items():
        assert all(torch.equal(weight, rank["weights"][name]) for rank in ranks)
    assert not torch.equal(ranks[0]["first"], ranks[1]["first"]), "the weights were made equal by DDP"
    assert not torch.equal(ranks[0]["first"], saved["bias"])
    epochs = [[rank["seen"][32 * epoch : 32 * (epoch + 1)] for rank in ranks] for epoch in range(10)]
    assert all(sorted(first + second) == list(range(64)) for first, second in epochs)
    assert epochs[0] != epochs[1], "the sampler was told the epoch"
