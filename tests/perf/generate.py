"""Writes training code: models, data, loops, as people write them. The same seed gives the same text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

_HEAD = '''\
"""Generated: {lines} lines of training code."""

import math

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset
'''

_BLOCK = '''

class Block{n}(nn.Module):
    """Convolution, norm, activation, with a shortcut."""

    def __init__(self, channels={channels}, dropout={dropout}):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        residual = x
        x = F.relu(self.norm1(self.conv1(x)))
        x = self.dropout(x)
        x = self.norm2(self.conv2(x))
        if x.shape != residual.shape:
            residual = F.interpolate(residual, size=x.shape[-2:])
        return F.relu(x + residual)
'''

_MODEL = """

class Net{n}(nn.Module):
    def __init__(self, channels={channels}, classes={classes}):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 7, stride=2, padding=3), nn.ReLU(inplace=True))
        self.blocks = nn.ModuleList([Block{block}(channels) for _ in range({depth})])
        self.head = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, images, mask=None):
        x = self.stem(images)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if mask is not None and index % 2 == 0:
                x = x * mask.unsqueeze(1)
        x = x.mean(dim=(2, 3))
        return self.head(x.flatten(1))
"""

_DATA = """

class Samples{n}(Dataset):
    def __init__(self, size={size}, classes={classes}):
        self.images = torch.randn(size, 3, 32, 32)
        self.labels = torch.randint(0, classes, (size,))

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


def accuracy{n}(logits, labels):
    predicted = logits.argmax(dim=1)
    correct = (predicted == labels).float()
    return correct.mean().item(), math.sqrt(correct.var().item() + 1e-8)
"""

_LOOP = """

def train{n}(model, loader, optimizer, scheduler=None, epochs={epochs}, device="cpu"):
    criterion = nn.CrossEntropyLoss(label_smoothing={dropout})
    history = {{"loss": [], "accuracy": []}}
    model.to(device)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for step, (images, labels) in enumerate(loader):
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad(set_to_none=True)
            logits = model(images)
            loss = criterion(logits, labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
            if step % 100 == 0:
                print(f"epoch {{epoch}} step {{step}}: {{loss.item():.4f}}")
        if scheduler is not None:
            scheduler.step()
        history["loss"].append(total / max(1, len(loader)))
        history["accuracy"].append(evaluate{n}(model, loader, device))
    return history


def evaluate{n}(model, loader, device="cpu"):
    model.eval()
    found = []
    with torch.no_grad():
        for images, labels in loader:
            logits = model(images.to(device))
            found.append(logits.argmax(1).eq(labels.to(device)).float().mean().item())
    return sum(found) / max(1, len(found))


def main{n}():
    torch.manual_seed({seed})
    model = Net{model}()
    loader = DataLoader(Samples{data}(), batch_size={batch}, shuffle=True)
    optimizer = optim.{optimizer}(model.parameters(), lr={rate})
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size={epochs})
    return train{n}(model, loader, optimizer, scheduler)
"""


def module(lines: int, seed: int = 0, imports: tuple[str, ...] = ()) -> str:
    """A module of about `lines` lines, never fewer.

    Args:
        lines: how many.
        seed: another one gives other numbers and optimizers.
        imports: modules of `workspace` whose network is imported and trained, too.
    """
    text = _HEAD.format(lines=lines) + "".join(f"from {name} import Net0 as {name}_Net\n" for name in imports)
    parts = [text, *(_use(name) for name in imports)]
    have = sum(part.count("\n") for part in parts)
    for part in _parts(random.Random(seed)):
        if have >= lines:
            break
        parts.append(part)
        have += part.count("\n")
    return "".join(parts)


def _parts(chance: random.Random) -> Iterator[str]:
    """Blocks, networks, data and loops in turn; each uses those before it."""
    for n in count():
        values = {
            "n": n,
            "block": n,
            "model": n,
            "data": n,
            "channels": chance.choice([16, 32, 64, 128]),
            "classes": chance.choice([10, 100, 1000]),
            "depth": chance.randint(2, 6),
            "dropout": chance.choice([0.0, 0.1, 0.2]),
            "size": chance.randint(100, 1000),
            "epochs": chance.randint(1, 20),
            "batch": chance.choice([16, 32, 64]),
            "seed": chance.randint(0, 99),
            "rate": chance.choice(["1e-3", "3e-4", "0.01"]),
            "optimizer": chance.choice(["SGD", "Adam", "AdamW", "RMSprop"]),
        }
        for template in (_BLOCK, _MODEL, _DATA, _LOOP):
            yield template.format(**values)


def _use(name: str) -> str:
    return (
        f"\n\n{name}_model = {name}_Net()\n"
        f"{name}_optimizer = optim.SGD({name}_model.parameters(), lr=0.1)\n"
        f"{name}_model(torch.randn(1, 3, 32, 32)).sum().backward()\n"
        f"{name}_optimizer.step()\n"
    )


def workspace(folder: Path, size: int, lines: int = 100) -> list[str]:
    """Writes `size` modules below `folder`, which import from one another in rings of ten; their names."""
    names = [f"part_{number:04}" for number in range(size)]
    for number, name in enumerate(names):
        ring = 10 * (number // 10)
        neighbour = names[ring + (number + 1 - ring) % min(10, size - ring)]
        text = f"from {neighbour} import Block0 as Neighbour\n" + module(lines, seed=number)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return names
