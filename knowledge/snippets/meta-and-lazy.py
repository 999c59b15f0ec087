"""Models without memory and layers without a shape: how each is filled, and what does not come along."""

import torch
from torch import nn

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
huge = nn.Linear(100_000, 100_000, device="meta").weight
print(f"{huge.numel():.0e} elements, {huge.nbytes / 1e9:.0f} GB at address {huge.data_ptr()}")
assert (
    huge.is_meta and huge.data_ptr() == 0 and huge.nbytes == huge.numel() * huge.element_size() == 4 * 10**10
)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.norm = nn.Embedding(7, 4), nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("scale", torch.tensor(0.5), persistent=False)

    def forward(self, x):
        return self.head(self.norm(self.embedding(x)) * self.scale)


real = Tied().to(device)
with torch.device("meta"):
    loaded, empty = Tied(), Tied()
assert loaded(torch.empty(3, dtype=torch.int64, device="meta")).shape == (3, 7)  # shapes, no arithmetic
loaded.load_state_dict(real.state_dict(), assign=True)
print("still on meta:", [name for name, tensor in loaded.named_buffers() if tensor.is_meta])
assert real.head.weight is real.embedding.weight and loaded.scale.is_meta
orphan, filled = empty.head.weight, empty.to_empty(device=device)
assert filled.head.weight is not filled.embedding.weight  # no longer tied
assert orphan.is_meta and not filled.head.weight.is_meta  # an optimizer would hold the orphan

before = (layer := nn.LazyLinear(3, device=device)).weight
layer(torch.ones(1, 5, device=device))
assert type(layer) is nn.Linear and layer.in_features == 5 and layer.weight is before
