"""Fine-tuning: freeze the body, train the head, then open the body at a smaller learning rate."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
body = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU())
model = nn.Sequential(body, nn.Linear(32, 10)).to(device)  # as if pretrained, for ten classes
model[1] = nn.Linear(32, 3).to(device)  # a new head, made before the optimizer
body.requires_grad_(False)
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1, momentum=0.9)
x, y = torch.randn(64, 8, device=device) + 2, torch.randint(3, (64,), device=device)


def step():
    """One update; returns what of the model it changed."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    return {name for name, value in model.state_dict().items() if not value.equal(before[name])}


trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
print("trainable:", trainable, "of", sum(p.numel() for p in model.parameters()), "parameters")
assert body[0].weight.grad is None and trainable == 99
statistics = {"0.1.running_mean", "0.1.running_var", "0.1.num_batches_tracked"}
assert step() == {"1.weight", "1.bias"} | statistics  # frozen, and still moved by its batches
body.eval()  # freezes the statistics too, until the next model.train()
assert step() == {"1.weight", "1.bias"}

body.requires_grad_(True)  # phase two: everything learns, the body a hundred times slower
optimizer.add_param_group({"params": body.parameters(), "lr": 0.001})
print("rates:", [group["lr"] for group in optimizer.param_groups])
assert {"0.0.weight", "1.weight"} < step() and optimizer.param_groups[1]["momentum"] == 0.9
