"""That what the mutators of the training, autograd, data, devices and distributed families plant is found."""

from __future__ import annotations

import pytest
from torchlore.text import Source

from tests.perf.corpus import ROOT, File
from tests.recall.mutants import mutators
from tests.recall.planting import is_found

_TRAINING = """\
import torch
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader, TensorDataset, random_split

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
dataset = TensorDataset(torch.randn(64, 4), torch.randn(64, 1))
part, rest = random_split(dataset, [48, 16])
loader = DataLoader(part, batch_size=8)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)).to(device)
weights = torch.ones(1)
weights.requires_grad = True
criterion = torch.nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)


def evaluate():
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            print(criterion(model(x.to(device)), y.to(device)).item())


for epoch in range(10):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x.to(device)), y.to(device))
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    scheduler.step()
    evaluate()
    print(total)
torch.save(model.state_dict(), "model.pt")
"""

_IN_TRAINING = (
    "missing-zero-grad",
    "zero-grad-before-step",
    "training-in-eval-mode",
    "misplaced-clipping",
    "method-not-called",
    "scheduler-before-optimizer",
    "missing-optimizer-step",
    "loss-keeps-graph",
    "eval-without-no-grad",
    "context-not-entered",
    "grad-left-disabled",
    "ineffective-requires-grad",
    "backward-on-number",
    "backward-without-gradient",
    "backward-on-unreduced",
    "anomaly-detection-left-on",
    "numpy-with-graph",
    "fractions-not-one",
    "workers-option-without-workers",
    "hard-coded-cuda",
    "set-to-none",
    "empty-cache-in-loop",
    "compiled-state-dict",
)


@pytest.mark.parametrize("rule", _IN_TRAINING)
def test_what_is_planted_in_a_training_is_found(rule: str) -> None:
    file = File(ROOT, "training.py", _TRAINING)
    assert not is_found(rule, file, _TRAINING)
    texts = [mutant.text for one in mutators()[rule] for mutant in one.plant(Source(_TRAINING))]
    assert texts
    for text in texts:
        assert is_found(rule, file, text), text


def test_a_mutator_that_nothing_fits_plants_nothing() -> None:
    source = Source("import torch\n\nprint(torch.ones(3))\n")
    able = [one for some in mutators().values() for one in some if one.may(source.text)]
    assert not [mutant for one in able for mutant in one.plant(source)]
