"""Train a small classifier on three interleaved spirals.

    python examples/train_classifier.py --epochs 30

It runs to its end and no line of it raises or warns. Four mistakes are planted in it all the
same: open it in an editor with torchlore, or run `torchlore check examples/train_classifier.py`.
"""

import argparse
import math

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split

CLASSES = 3


class SpiralNet(nn.Module):
    """A multi-layer perceptron with dropout, from points in the plane to one score per class."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, CLASSES)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return self.head(self.dropout(self.body(points)))


def make_spirals(per_class: int, noise: float) -> TensorDataset:
    """`per_class` points on each of `CLASSES` spiral arms."""
    radius = torch.linspace(0.1, 1.0, per_class).repeat(CLASSES)
    arm = torch.arange(CLASSES).repeat_interleave(per_class)
    angle = radius * 1.5 * math.pi + arm * 2 * math.pi / CLASSES
    angle = angle + noise * torch.randn(len(angle))
    points = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
    return TensorDataset(points, arm)


def make_loaders(batch_size: int) -> tuple[DataLoader, DataLoader]:
    dataset = make_spirals(per_class=400, noise=0.15)
    held_out = len(dataset) // 5
    train_set, valid_set = random_split(dataset, [len(dataset) - held_out, held_out])
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    valid_loader = DataLoader(valid_set, batch_size=256)
    return train_loader, valid_loader


def train_one_epoch(
    model: nn.Module, loader: DataLoader, optimizer: optim.Optimizer, device: torch.device
) -> float:
    """One pass over `loader`; the mean loss of its batches."""
    criterion = nn.CrossEntropyLoss()
    model.train()
    running_loss = 0.0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        probabilities = F.softmax(model(inputs), dim=1)
        loss = criterion(probabilities, targets)
        loss.backward()
        optimizer.step()
        running_loss += loss
    return running_loss / len(loader)


def evaluate(model: nn.Module, loader: DataLoader, device: torch.device) -> tuple[float, float]:
    """Mean loss and accuracy over `loader`."""
    model.eval()
    total_loss, correct, seen = 0.0, 0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        logits = model(inputs)
        total_loss += F.cross_entropy(logits, targets, reduction="sum").item()
        correct += (logits.argmax(dim=1) == targets).sum().item()
        seen += len(targets)
    return total_loss / seen, correct / seen


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a classifier on three spirals.")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(arguments.seed)
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    device = accelerator or torch.device("cpu")

    train_loader, valid_loader = make_loaders(arguments.batch_size)
    model = SpiralNet(arguments.hidden, arguments.dropout).to(device)
    optimizer = optim.SGD(model.parameters(), lr=arguments.learning_rate, momentum=0.9)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=arguments.epochs)

    for epoch in range(1, arguments.epochs + 1):
        train_loss = train_one_epoch(model, train_loader, optimizer, device)
        valid_loss, accuracy = evaluate(model, valid_loader, device)
        scheduler.step()
        if epoch == 1 or epoch % 10 == 0:
            print(f"epoch {epoch:3d}  train {train_loss:.3f}  valid {valid_loss:.3f}  accuracy {accuracy:.1%}")


if __name__ == "__main__":
    main()
