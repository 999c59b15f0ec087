"""Differentiable search: on validation data alpha learns which candidate made the data."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
candidates = {  # the data is made by the last kind
    "identity": nn.Identity,
    "linear": lambda: nn.Linear(8, 8),
    "linear + relu": lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU()),
}


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.candidates = nn.ModuleList(make() for make in candidates.values())
        self.alpha = nn.Parameter(torch.zeros(len(candidates)))

    def forward(self, x):
        return sum(w * op(x) for w, op in zip(self.alpha.softmax(0), self.candidates))


x = torch.randn(512, 8, device=device)
y = ((x @ torch.randn(8, 8, device=device)).relu() @ torch.randn(8, 1, device=device)).split(256)
x, model = x.split(256), nn.Sequential(Mixed(), nn.Linear(8, 1)).to(device)
weights = [p for name, p in model.named_parameters() if not name.endswith("alpha")]
optimizers = [torch.optim.Adam(params, lr=1e-2) for params in (weights, [model[0].alpha])]
for step in range(600):  # by turns: weights on the first half, alpha on the second
    loss = F.mse_loss(model(x[step % 2]), y[step % 2])
    model.zero_grad(), loss.backward(), optimizers[step % 2].step()
shares = model[0].alpha.softmax(0)
print(dict(zip(candidates, (round(s, 2) for s in shares.tolist()))))
alone = F.mse_loss(model[1](model[0].candidates[2](x[1])), y[1])
print(f"validation loss of the mixture {loss:.2f}, of its best part with the same weights {alone:.2f}")
assert shares.argmax() == 2 and alone > 1.5 * loss  # the weights were made for the mixture
