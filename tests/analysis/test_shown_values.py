"""How values are shown to whoever looks into the analysis itself."""

from __future__ import annotations

from torchlore.analysis import analyze
from torchlore.text import Source

CODE = """\
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)


net = Net()
"""


def test_no_value_is_written_out_with_what_hangs_on_it() -> None:
    """A message that names the class of an object as a value once took minutes and gigabytes."""
    run = analyze(Source(CODE)).run
    found = [*run.values.values(), *run.classes.values(), *run.frames.values(), *run.activations]
    assert max(len(repr(value)) for value in found) < 200
